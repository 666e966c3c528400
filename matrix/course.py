"""A cell over releases: what it came to on each, and what changed from one to the next. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from matrix.model.cell import Cell
from matrix.model.report import CellReport
from matrix.model.result import Outcome, Result
from matrix.traits import said


@frozen
class Step:
    """A release, and the cell there; None where it could not be tested, and ``why`` not.

    ``gained`` and ``lost`` are what is seen that was not seen on the release before, and what was
    seen there only: sentences, of which one at least is there where something changed.
    """

    release: str
    cell: CellReport | None
    why: str = ""
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def has_changed(self) -> bool:
        """Whether no attempt came out as one did on the last release that could be tested."""
        return bool(self.gained or self.lost)

    @property
    def broken(self) -> tuple[str, ...]:
        """The rules that some attempt breaks."""
        attempts = self.cell.attempts if self.cell else ()
        return tuple(dict.fromkeys(name for each in attempts for name in each.verdict.broken))


@frozen
class Course:
    """A cell on each of several releases, in their order."""

    cell: Cell
    steps: tuple[Step, ...]

    @property
    def has_changed(self) -> bool:
        """Whether it is not the same everywhere."""
        return any(step.has_changed for step in self.steps)


def course(cell: Cell, tested: Iterable[tuple[str, CellReport | None, str]]) -> Course:
    """The course of a cell over releases, each with what came of it or why nothing did."""
    steps: list[Step] = []
    before: Sequence[Result] = ()
    for release, found, why in tested:
        now = found.attempts if found else ()
        gained, lost = _differences(before, now) if before and now else ((), ())
        steps.append(Step(release, found, why, gained, lost))
        before = now or before
    return Course(cell, tuple(steps))


def _differences(
    before: Sequence[Result], now: Sequence[Result]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What came, and what went: nothing where some attempt came out as one did before."""
    old, new = (dict.fromkeys(map(_seen, attempts)) for attempts in (before, now))
    if old.keys() & new.keys():
        return (), ()
    had, has = (dict.fromkeys(s for seen in each for s in seen) for each in (old, new))
    return tuple(s for s in has if s not in had), tuple(s for s in had if s not in has)


def _seen(attempt: Result) -> tuple[str, ...]:
    """How an attempt came out: its outcome where no rule explains it, and what each one saw."""
    verdict = attempt.verdict
    words = [each for rule in verdict.broken for each in said(attempt, rule)]
    plain = verdict.outcome.value if verdict.outcome is not Outcome.FAIL else ""
    return tuple(filter(None, (plain, *words)))
