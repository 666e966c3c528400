"""The one sentence that says what came of a run; every output begins with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from matrix.model.cell import Cell
from matrix.model.report import CellReport, Report
from matrix.model.result import SEVERITY, Outcome
from matrix.render.plain import clip, one_line

FAILURES = {
    Outcome.FAIL: "failed",
    Outcome.CRASH: "crashed",
    Outcome.TIMEOUT: "timed out",
    Outcome.ERROR: "met an error of the harness",
    Outcome.INCONCLUSIVE: "inconclusive",
}
"""What is called a failure: all that came back and is not accepted. What is said of such cells."""


def verdict_sentence(report: Report, new: Collection[tuple[str, Cell]] | None = None) -> str:
    """What those must know who read no further; plain text on one line.

    What takes away from the worth of all results comes first: a run that is not valid, or that
    did not come to its end. ``new`` has each (host, cell) that fails since an earlier report;
    without such a report, a failure that no expectation knows is called unexpected.
    """
    sentence = "; ".join((*_reservations(report), *_results(report.cells(), new)))
    return f"{sentence[0].upper()}{sentence[1:]}."


def _reservations(report: Report) -> Iterator[str]:
    if missed := len(report.missed_faults()):
        owed = len(report.faults_owed())
        yield f"not valid, since {missed:,} of {owed:,} deliberate faults went uncaught"
    if report.footer is None:
        yield "cut off before its end"
    elif report.footer.interrupted is not None:
        yield f"interrupted ({one_line(clip(report.footer.interrupted, 200))})"


def _results(
    cells: tuple[CellReport, ...], new: Collection[tuple[str, Cell]] | None
) -> Iterator[str]:
    counts = Counter(cell.outcome for cell in cells)
    absent = counts.pop(Outcome.UNSUPPORTED, 0)
    if not (tried := counts.total()):
        yield "no cell was tested"
    elif counts[Outcome.PASS] == tried:
        yield f"all {tried:,} cells passed" if tried > 1 else "the only cell passed"
    else:
        yield ", ".join(_told(cells, new))
        back = len(cells) - counts[Outcome.NO_RESULT]
        yield f"{back:,} of {len(cells):,} planned cell{_s(len(cells))} accounted for"
    if absent:
        yield f"{absent:,} cell{_s(absent)} cannot exist here"


def _told(cells: tuple[CellReport, ...], new: Collection[tuple[str, Cell]] | None) -> Iterator[str]:
    """How many cells are how, those that nobody expected to be like that first."""
    bad = [cell for cell in cells if not cell.is_accepted]
    failing = [cell for cell in bad if cell.outcome in FAILURES]
    missing = len(bad) - len(failing)
    if failing or not missing:  # that there is none is only said where all can be believed
        yield _failures(failing, new)
    if missing:
        yield f"{missing:,} without a result"
    if flaky := sum(cell.is_flaky for cell in cells):
        yield f"{flaky:,} flaky"
    if known := sum(cell.is_accepted and not cell.outcome.is_accepted for cell in cells):
        yield f"{known:,} known failure{_s(known)}"


def _failures(failing: list[CellReport], new: Collection[tuple[str, Cell]] | None) -> str:
    kind = "unexpected" if new is None else "new"
    if not failing:
        return f"no {kind} failure"
    first = len(failing)
    if new is not None:
        first = sum((cell.host, cell.cell) in new for cell in failing)
    older = f" and {len(failing) - first:,} older" if first < len(failing) else ""
    return f"{first:,} {kind} failure{_s(first)}{older}{_how(failing)}"


def _how(failing: list[CellReport]) -> str:
    """What became of them, where it is not that all broke a rule."""
    counts = Counter(cell.outcome for cell in failing)
    if set(counts) == {Outcome.FAIL}:
        return ""
    told = (f"{counts[o]:,} {FAILURES[o]}" for o in SEVERITY if counts[o])
    return f" ({', '.join(told)})"


def _s(number: int) -> str:
    return "" if number == 1 else "s"
