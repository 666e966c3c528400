"""What a reader must know first: the verdict, whether the run is valid, and what it cannot say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import frozen

from matrix.model.report import CellReport, Report
from matrix.model.result import SEVERITY, Control, Outcome, Result
from matrix.model.scenarios import NEVER_FULL, find
from matrix.render.html.changes import Changes
from matrix.render.html.looks import LOOKS
from matrix.render.html.words import moment, number
from matrix.render.sentence import verdict_sentence


@frozen
class Check:
    """One item of the validity strip. ``holds`` is None where it neither holds nor fails."""

    label: str
    value: str
    holds: bool | None
    detail: str = ""


@frozen
class Summary:
    """The first screen, above the matrix. ``tone`` is a class of the style sheet.

    ``glyph`` stands before the verdict: that of the worst outcome, unless all of it was expected.
    """

    glyph: str
    verdict: str
    worst: Outcome
    tone: str
    is_valid: bool
    missed: tuple[str, ...]
    checks: tuple[Check, ...]
    limits: str
    started: str


JUDGED = (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE)
"""Outcomes of attempts that came to their last line."""


def summarise(
    report: Report, cells: Sequence[CellReport], changes: Changes | None = None
) -> Summary:
    """The first screen of a report whose cells are ``cells``, and of what changed."""
    counts = Counter(cell.outcome for cell in cells)
    missed = report.missed_faults()
    alarming = {cell.outcome for cell in cells if not cell.is_accepted} or counts
    worst = min(alarming, key=SEVERITY.index, default=Outcome.NO_RESULT)
    is_known = not worst.is_accepted and all(cell.is_accepted for cell in cells)
    return Summary(
        glyph="" if is_known else LOOKS[worst].glyph,
        verdict=verdict_sentence(report, None if changes is None else changes.failing),
        worst=worst,
        tone="invalid" if missed else "known" if is_known else worst.value,
        is_valid=not missed,
        missed=missed,
        checks=tuple(_checks(report, cells, counts, len(missed))),
        limits=_limits(report),
        started=moment(report.footer.started) if report.footer else "",
    )


def _checks(
    report: Report, cells: Sequence[CellReport], counts: Counter[Outcome], missed: int
) -> Iterator[Check]:
    owed, absent = len(report.faults_owed()), len(report.absent_faults())
    if owed:
        detail = f"{absent} cannot exist here" if absent else ""
        yield Check("faults caught", f"{owed - missed} of {owed}", not missed, detail)
    else:
        yield Check("faults caught", "none played", None, "no rule was shown to work")
    yield _proofs([a for cell in cells for a in cell.attempts])
    yield _controls(report.controls)
    back = len(cells) - counts[Outcome.NO_RESULT]
    whole = back == len(cells)
    yield Check("accounted for", f"{back:,} of {number(len(cells), 'cell')}", whole)
    yield from _shards(report)
    if report.footer is not None:
        yield Check("took", f"{report.footer.duration:.1f} s", None)


def _controls(controls: Sequence[Control]) -> Check:
    """Controls that cannot exist where they were to be played are not owed, and are told."""
    owed = [control for control in controls if not control.cannot_exist]
    seen = sum(control.signal is not None for control in owed)
    left_out = len(controls) - len(owed)
    note = f"{left_out} more are of transports that their host does not have" if left_out else ""
    value = f"{seen} of {len(owed)}" if owed else "none"
    return Check("controls", value, seen == len(owed) if owed else None, note)


def _shards(report: Report) -> Iterator[Check]:
    """Of a plan that was parted: is all of it here?"""
    if report.plan.shard is not None:
        yield Check("shard", report.plan.shard, None, "the other shards are not in this page")
    parted = [planned for planned in report.plan.hosts if planned.shards]
    gone = [f"{shard} of {each.host}" for each in parted for shard in each.missing()]
    if parted and report.plan.shard is None:
        here = sum(len(planned.shards) for planned in parted)
        detail = f"not here: {', '.join(gone)}" if gone else ""
        yield Check("shards present", f"{here} of {here + len(gone)}", not gone, detail)


def _proofs(attempts: Sequence[Result]) -> Check:
    """Of the attempts that were judged by what came of an abort; the judge asks for the proof."""
    owing = [a for a in attempts if find(a.cell.scenario).state != NEVER_FULL]
    judged = [a for a in owing if a.verdict.outcome in JUDGED and _aborted(a)]
    held = [a.glance for a in judged if a.verdict.outcome is not Outcome.INCONCLUSIVE]
    kinds = Counter(seen.proof or "none claimed" for seen in held)
    value = f"{len(held):,} of {number(len(judged), 'abort')}" if judged else "no abort"
    detail = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
    return Check("proofs held", value, len(held) == len(judged) if judged else None, detail)


def _aborted(attempt: Result) -> bool:
    is_inconclusive = attempt.verdict.outcome is Outcome.INCONCLUSIVE
    return is_inconclusive or attempt.glance.aborted


def _limits(report: Report) -> str:
    tries = "once" if report.plan.repeat == 1 else f"{report.plan.repeat:,} times"
    return (
        f"Each cell was tried {tries}. A pass is k of n attempts, not a proof of absence; "
        "it speaks for the hosts named below and for no other."
    )
