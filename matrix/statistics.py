"""Attempts → rate: how often, how sure, and what so many attempts can rule out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import median

from attrs import frozen

from matrix import wire
from matrix.model.report import CellReport
from matrix.model.result import Result

_Z = 1.959963984540054
"""Quantile of the normal distribution that leaves 5% outside, on both sides together."""

_CONFIDENCE = 0.95


@frozen
class Rate:
    """``count`` of ``attempts`` had the property that is asked about."""

    count: int
    attempts: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95% score interval (JASA 22, 1927) of the probability behind the rate."""
        n = self.attempts
        share, z2 = self.count / n, _Z * _Z
        middle = share + z2 / (2 * n)
        spread = _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
        low, high = (middle - spread) / (1 + z2 / n), (middle + spread) / (1 + z2 / n)
        return max(0.0, low), min(1.0, high)

    @property
    def ruled_out(self) -> float:
        """The probability from which on one case at least would have been seen, with 95%."""
        return float(1 - (1 - _CONFIDENCE) ** (1 / self.attempts))

    def __str__(self) -> str:
        if self.count == 0:
            seen = f"{self.ruled_out:.0%} or more would have been seen with 95%"
            return f"0 of {self.attempts}: a flake of {seen}"
        low, high = self.interval
        return f"{self.count} of {self.attempts}: between {low:.0%} and {high:.0%} with 95%"


def failing(cell: CellReport) -> Rate | None:
    """How many attempts at a cell were not accepted; None where nothing came back."""
    attempts = len(cell.attempts)
    if not attempts:
        return None
    return Rate(sum(not attempt.is_accepted for attempt in cell.attempts), attempts)


@frozen
class Latency:
    """Seconds from the abort to the aborter's connectionLost, over all attempts at a cell."""

    low: float
    median: float
    p99: float
    high: float


def latency(attempts: Iterable[Result]) -> Latency | None:
    """The spread of the latencies, or None where no attempt has one."""
    seen = sorted(filter(None, (_latency(attempt) for attempt in attempts)))
    if not seen:
        return None
    return Latency(seen[0], median(seen), _quantile(seen, 0.99), seen[-1])


def _latency(attempt: Result) -> float | None:
    called = attempt.transcript.first(wire.ABORT_CALLED)
    lost = attempt.transcript.first(wire.CONNECTION_LOST, wire.ABORTER)
    return None if called is None or lost is None else lost.t - called.t


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of all values does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
