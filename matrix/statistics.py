"""Attempts → rate: how often, how sure, and what so many attempts can rule out."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import comb, sqrt
from statistics import median

from attrs import frozen

from matrix.model.report import CellReport
from matrix.model.result import Result

_Z = 1.959963984540054
"""Quantile of the normal distribution that leaves 5% outside, on both sides together."""

_CONFIDENCE = 0.95

_MANY = 1 << 20
"""Attempts that nobody would wait for."""

_NORMAL = 200
"""Values from which on a binomial distribution is taken for a normal one."""


@frozen
class Rate:
    """``count`` of ``attempts`` had the property that is asked about."""

    count: int
    attempts: int

    @property
    def share(self) -> float:
        """The rate as a number between 0 and 1."""
        return self.count / self.attempts

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95% score interval (JASA 22, 1927) of the probability behind the rate."""
        return _wilson(self.share, self.attempts)

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


def _wilson(share: float, n: int) -> tuple[float, float]:
    z2 = _Z * _Z
    middle = share + z2 / (2 * n)
    spread = _Z * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    low, high = (middle - spread) / (1 + z2 / n), (middle + spread) / (1 + z2 / n)
    return max(0.0, low), min(1.0, high)


def apart(one: Rate, other: Rate) -> bool:
    """Whether the intervals of two rates have nothing in common: chance does not explain both."""
    return _apart(one.interval, other.interval)


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[1] < other[0] or other[1] < one[0]


def attempts_to_tell(one: Rate, other: Rate) -> int | None:
    """About how many more attempts on each side would part two rates, if they stayed as they are.

    None where they are the same, or so much alike that a million attempts would not do.
    """

    def part(n: int) -> bool:
        return _apart(_wilson(one.share, n), _wilson(other.share, n))

    here = min(one.attempts, other.attempts)
    enough = next((n for n in (here << k for k in range(21)) if n <= _MANY and part(n)), None)
    if enough is None:
        return None
    candidates = range(here, enough + 1)
    return candidates[bisect_left(candidates, True, key=part)] - here


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
    seen = sorted(filter(None, (attempt.glance.latency for attempt in attempts)))
    if not seen:
        return None
    return Latency(seen[0], median(seen), _quantile(seen, 0.99), seen[-1])


def median_interval(ordered: Sequence[float]) -> tuple[float, float] | None:
    """Two of the values between which the median behind them lies, with at least 95%.

    By their order alone (the sign test), whatever their distribution; None for fewer than 6.
    """
    n = len(ordered)
    outside, tail = 0, 0.5**n if n < _NORMAL else 0.0
    if n >= _NORMAL:  # where the binomial distribution is as good as normal
        outside = int(n / 2 - _Z * sqrt(n) / 2)
    while n < _NORMAL and 2 * tail <= 1 - _CONFIDENCE:
        outside += 1
        tail += comb(n, outside) * 0.5**n
    return (ordered[outside - 1], ordered[n - outside]) if outside else None


def _quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of all values does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
