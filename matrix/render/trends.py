"""Cells over time, for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from matrix.render.plain import one_line
from matrix.trend import Point, Trend


def terminal(trends: Iterable[Trend]) -> RenderableType:
    """A line for each cell that is not accepted, or was not always; those in trouble now first."""
    telling = [t for t in trends if not t.is_accepted or (t.rate and t.rate.count)]
    telling.sort(key=lambda trend: trend.is_accepted)
    lines = [line for trend in telling for line in _trend(trend)]
    number = f"{len(telling):,} cell{'' if len(telling) == 1 else 's'} with something to tell."
    return Group(*lines, Text(number, "bold"))


def _trend(trend: Trend) -> Iterator[Text]:
    style = "" if trend.is_accepted else "bold red"
    yield Text(one_line(f"{trend.letters}  {trend.cell.id} on {trend.host}"), style)
    yield from (Text(f"  {one_line(line)}") for line in words(trend))


def words(trend: Trend) -> Iterator[str]:
    """How often the cell was not accepted, and since when it is not."""
    runs = f"{len(trend.points)} run{'' if len(trend.points) == 1 else 's'}"
    if trend.rate is not None:
        yield f"not accepted in {runs}: {trend.rate}"
    if (first := trend.first_bad) is not None:
        good = trend.last_good
        before = f"; last accepted {_when(good)}" if good else " at least"
        yield f"bad since {_when(first)}{before}"


def _when(point: Point) -> str:
    return f"{point.started} (Twisted {point.twisted or 'unknown'})"
