"""Where a report does not bear out what was expected. Pure.

An unexpected failure is one by itself. This is about the expectations: one that nothing bears out
any more, one whose cells fail in another way, one that is past its date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from enum import Enum

from attrs import frozen

from matrix.expectations import Expectation
from matrix.model.report import CellReport, Report
from matrix.model.result import Outcome, Result, Standing


class Kind(Enum):
    """What is surprising about an expectation."""

    PASSED = "passed"
    """Every attempt at its cells is without the defect."""
    DIFFERENT = "different"
    """Cells of it fail, and not as it says."""
    EXPIRED = "expired"
    """Cells fail as it says, but its date is over."""


@frozen
class Surprise:
    """One surprise; ``cells`` are the ids that it is about, on any host."""

    kind: Kind
    expectation: Expectation
    cells: tuple[str, ...]

    def __str__(self) -> str:
        name, number = self.expectation.name, len(self.cells)
        cells = f"{number:,} cell{'' if number == 1 else 's'}"
        if self.kind is Kind.PASSED:
            return f"expectation {name}: none of the {cells} it is about fails as it says"
        first = self.cells[0] + (f" and {number - 1:,} more" if number > 1 else "")
        if self.kind is Kind.DIFFERENT:
            return f"expectation {name}: {cells} of it failed in another way: {first}"
        day = self.expectation.expires
        return f"expectation {name}: expired on {day}, and {cells} fail as it says: {first}"


def surprises(
    report: Report, expectations: Iterable[Expectation], today: date
) -> tuple[Surprise, ...]:
    """Every surprise, in the order of the expectations. Of cells that were not tested, none."""
    tested = [cell for cell in report.cells() if _is_tested(cell)]
    return tuple(s for each in expectations for s in _surprises(report, each, tested, today))


def _is_tested(cell: CellReport) -> bool:
    return bool(cell.attempts) and cell.outcome is not Outcome.UNSUPPORTED


def _surprises(
    report: Report, expectation: Expectation, tested: list[CellReport], today: date
) -> Iterator[Surprise]:
    hosts = {h.id: h.provenance for h in report.hosts if expectation.holds_on(h.provenance)}
    own = [c for c in tested if c.host in hosts and expectation.speaks_of(hosts[c.host], c.cell)]
    if not own:
        return
    as_it_says = [c for c in own if any(expectation.fits(a.verdict) for a in c.attempts)]
    if today > expectation.expires:
        if unexplained := [c for c in as_it_says if not c.is_accepted]:
            yield Surprise(Kind.EXPIRED, expectation, _ids(unexplained))
        return
    if not as_it_says and any(_is_without(expectation, cell) for cell in own):
        yield Surprise(Kind.PASSED, expectation, _ids(own))
    if different := [c for c in own if any(map(_is_unexpected, c.attempts))]:
        yield Surprise(Kind.DIFFERENT, expectation, _ids(different))


def _is_without(expectation: Expectation, cell: CellReport) -> bool:
    """Whether a rule of it was seen to hold: behind another defect there may be nothing to see."""
    standings = [attempt.verdict.rules for attempt in cell.attempts]
    held = (Standing.PASS in map(rules.get, expectation.rules) for rules in standings)
    return not expectation.rules or any(held)


def _is_unexpected(attempt: Result) -> bool:
    return not attempt.is_accepted


def _ids(cells: list[CellReport]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cell.cell.id for cell in cells))
