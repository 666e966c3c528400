"""How long after an abort a connection was lost, drawn as a strip.

All strips of a page share one scale, so that the eye can compare them. It is logarithmic: a
reactor that takes a hundred times as long must be seen beside one that does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import log10

from attrs import frozen

from matrix.model.report import CellReport
from matrix.model.result import Result
from matrix.render.html.words import percent
from matrix.statistics import Latency, latency

FIRST, DECADES = -5, 6
"""The scale begins at ten microseconds and goes on for so many powers of ten."""
WIDTH = 1000
"""Places on a strip are thousandths of its width."""


@frozen
class Strip:
    """Where min, median, p99 and max of the latencies lie on the scale, and what they are."""

    places: tuple[int, int, int, int]
    median: str
    words: str


def strip(attempts: Iterable[Result]) -> Strip | None:
    """The strip of these attempts, or None where none of them has a latency."""
    seen = latency(attempts)
    if seen is None:
        return None
    low, median, p99, high = map(place, (seen.low, seen.median, seen.p99, seen.high))
    return Strip((low, median, p99, high), short(seen.median), _words(seen))


@frozen
class Speeds:
    """A strip for each reactor of each host over each transport, None where it has no latency."""

    transports: tuple[str, ...]
    lines: tuple[tuple[str, str, tuple[Strip | None, ...]], ...]


def speeds(cells: Sequence[CellReport]) -> Speeds:
    """The latencies of all cells, reactor by transport."""
    transports = tuple(dict.fromkeys(cell.cell.transport for cell in cells))
    attempts: dict[tuple[str, str], dict[str, list[Result]]] = {}
    for cell in cells:
        row = attempts.setdefault((cell.host, cell.cell.reactor), {})
        row.setdefault(cell.cell.transport, []).extend(cell.attempts)
    lines = (
        (host, reactor, tuple(strip(row.get(transport, ())) for transport in transports))
        for (host, reactor), row in attempts.items()
    )
    return Speeds(transports, tuple(line for line in lines if any(line[2])))


def place(seconds: float) -> int:
    """Where a latency lies; what is past the scale lies at its end."""
    if not seconds > 0:  # nor is "not a number"
        return 0
    return round(min(max((log10(seconds) - FIRST) / DECADES, 0), 1) * WIDTH)


def scale() -> Iterator[tuple[str, str]]:
    """Place and name of each power of ten within the scale."""
    for n in range(1, DECADES):
        yield percent(n * WIDTH // DECADES), short(10.0 ** (FIRST + n))


def short(seconds: float) -> str:
    """A latency in three digits at most: ``0.31 ms``, ``61 ms``, ``1.2 s``."""
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1000:.{2 if seconds < 0.01 else 0}f} ms".replace(".00 ", " ")


def _words(seen: Latency) -> str:
    if seen.low == seen.high:
        return short(seen.median)
    named = (("min", seen.low), ("median", seen.median), ("p99", seen.p99), ("max", seen.high))
    return ", ".join(f"{name} {short(value)}" for name, value in named)
