"""The one sentence that says what came of a run; every output begins with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from matrix.model.report import CellReport, Report
from matrix.model.result import SEVERITY, Outcome
from matrix.render.plain import clip, one_line

WORDS = {
    Outcome.PASS: ("passed", "passed"),
    Outcome.FAIL: ("failed", "failed"),
    Outcome.TIMEOUT: ("timed out", "timed out"),
    Outcome.CRASH: ("crashed", "crashed"),
    Outcome.INCONCLUSIVE: ("is inconclusive", "are inconclusive"),
    Outcome.UNSUPPORTED: ("cannot exist here", "cannot exist here"),
    Outcome.ERROR: ("met an error of the harness", "met errors of the harness"),
    Outcome.NO_RESULT: ("has no result", "have no result"),
}
"""What is said of one cell, and of several."""


def verdict_sentence(report: Report) -> str:
    """What those must know who read no further; plain text on one line.

    What takes away from the worth of all results comes first: a run that is not valid, or that
    did not come to its end.
    """
    sentence = "; ".join((*_reservations(report), *_results(report)))
    return f"{sentence[0].upper()}{sentence[1:]}."


def _reservations(report: Report) -> Iterator[str]:
    if missed := len(report.missed_faults()):
        owed = len(report.plan.faults)
        yield f"not valid, since {missed:,} of {owed:,} deliberate faults went uncaught"
    if report.footer is None:
        yield "cut off before its end"
    elif report.footer.interrupted is not None:
        yield f"interrupted ({one_line(clip(report.footer.interrupted, 200))})"


def _results(report: Report) -> Iterator[str]:
    cells = report.cells()
    counts = Counter(cell.outcome for cell in cells)
    absent = counts.pop(Outcome.UNSUPPORTED, 0)
    if not (tried := counts.total()):
        yield "no cell was tested"
    elif counts[Outcome.PASS] == tried:
        yield f"all {tried:,} cells passed" if tried > 1 else "the only cell passed"
    else:
        troubles = ", ".join(_troubles(cells))
        yield f"of {_cells(tried)} {troubles} and {counts[Outcome.PASS]:,} passed"
    if absent:
        yield f"{_cells(absent)} {_words(Outcome.UNSUPPORTED, absent)}"
    if flaky := sum(cell.is_flaky for cell in cells):
        yield f"{_cells(flaky)} {'are' if flaky > 1 else 'is'} flaky"


def _troubles(cells: tuple[CellReport, ...]) -> Iterator[str]:
    """How many cells came to which bad end, those with a known defect last."""
    bad = Counter(cell.outcome for cell in cells if not cell.is_accepted)
    for outcome in SEVERITY:
        if number := bad[outcome]:
            yield f"{number:,} {_words(outcome, number)}"
    if known := sum(cell.is_accepted and not cell.outcome.is_accepted for cell in cells):
        yield f"{known:,} {'has a known defect' if known == 1 else 'have known defects'}"


def _cells(number: int) -> str:
    return f"{number:,} cell{'s' if number > 1 else ''}"


def _words(outcome: Outcome, number: int) -> str:
    one, many = WORDS[outcome]
    return many if number > 1 else one
