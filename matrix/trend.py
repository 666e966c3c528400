"""A cell over time: pure values, of which `matrix.history` keeps the file."""

from __future__ import annotations

from attrs import frozen

from matrix.model.cell import Cell
from matrix.model.result import Outcome
from matrix.statistics import Rate


@frozen
class Point:
    """What came of a cell in one run.

    ``started`` is the run's beginning (ISO 8601, UTC), ``twisted`` the version that it tested;
    ``bad`` of ``attempts`` attempts were not accepted. ``latency`` is the median of them, in
    seconds from the abort to connectionLost.
    """

    started: str
    twisted: str
    outcome: Outcome
    is_accepted: bool
    bad: int
    attempts: int
    latency: float | None = None

    @property
    def letter(self) -> str:
        """The outcome in a letter, small where it was expected."""
        letter = self.outcome.value[0]
        is_known = self.is_accepted and not self.outcome.is_accepted
        return letter if is_known else letter.upper()


@frozen
class Trend:
    """A cell on a host over time: a point for each run that planned it, the oldest first."""

    host: str
    cell: Cell
    points: tuple[Point, ...]

    @property
    def is_accepted(self) -> bool:
        """Whether the cell was accepted in the last run, and so is no trouble now."""
        return not self.points or self.points[-1].is_accepted

    @property
    def first_bad(self) -> Point | None:
        """The run since which the cell has not been accepted any more; None if it is."""
        since = None
        for point in reversed(self.points):
            if point.is_accepted:
                break
            since = point
        return since

    @property
    def last_good(self) -> Point | None:
        """The last run in which the cell was accepted."""
        return next((point for point in reversed(self.points) if point.is_accepted), None)

    @property
    def rate(self) -> Rate | None:
        """How many of all attempts were not accepted; None without any."""
        attempts = sum(point.attempts for point in self.points)
        return Rate(sum(point.bad for point in self.points), attempts) if attempts else None

    @property
    def is_flaky(self) -> bool:
        """Whether some attempts were accepted and some were not."""
        return self.rate is not None and 0 < self.rate.count < self.rate.attempts

    @property
    def letters(self) -> str:
        """A letter for each run: ``PPPFP``."""
        return "".join(point.letter for point in self.points)
