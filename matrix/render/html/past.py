"""What earlier runs came to, drawn as a strip: a mark for each run, the oldest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from attrs import field, frozen

from matrix.model.cell import Cell
from matrix.model.result import SEVERITY, Outcome
from matrix.render.html.words import day, moment, number
from matrix.render.plain import visible
from matrix.render.trends import words
from matrix.trend import Point, Trend

SINCE = 3
"""Days since when cells are bad that are named one by one."""


@frozen
class Mark:
    """What came of one run. ``note`` stands behind the letter; ``tip`` says when it was, and what.

    ``is_turn`` where it ran on another version than the mark before it.
    """

    outcome: Outcome
    is_known: bool
    tip: str
    note: str = ""
    is_turn: bool = False


@frozen
class Series:
    """Marks in a row, with what they are above them and what they say in words below."""

    label: str
    marks: tuple[Mark, ...]
    words: tuple[str, ...] = ()


@frozen
class Past:
    """The trends of a report's cells, each by the host and the cell that the report has."""

    trends: Mapping[tuple[str, Cell], Trend] = field(factory=dict)


def cell_series(trend: Trend) -> Series | None:
    """One cell over time, or None where no run has it."""
    if not trend.points:
        return None
    marks = tuple(_marks(trend.points))
    return Series(_label(trend.points), marks, tuple(map(visible, words(trend))))


def _label(points: Sequence[Point]) -> str:
    first, last = day(points[0].started), day(points[-1].started)
    runs = number(len(points), "run")
    return visible(f"Over {runs}, {first}" if first == last else f"Over {runs}, {first} to {last}")


def _marks(points: Iterable[Point]) -> Iterator[Mark]:
    before = None
    for point in points:
        is_known = point.is_accepted and not point.outcome.is_accepted
        is_turn = before not in (None, point.twisted)
        yield Mark(point.outcome, is_known, _tip(point), is_turn=is_turn)
        before = point.twisted


def _tip(point: Point) -> str:
    what = point.outcome.value
    if point.is_accepted and not point.outcome.is_accepted:
        what += ", known"
    if point.attempts > 1:
        what += f", {point.bad:,} of {point.attempts:,} not accepted"
    return visible(f"{moment(point.started)}, Twisted {point.twisted or 'unknown'}: {what}")


def series(past: Past) -> Series | None:
    """All cells together over time: how many of them each run did not accept."""
    runs: dict[str, list[Point]] = {}
    for trend in past.trends.values():
        for point in trend.points:
            runs.setdefault(point.started, []).append(point)
    if not runs:
        return None
    ordered = [runs[started] for started in sorted(runs)]
    versions = [{point.twisted for point in points} for points in ordered]
    turns = (before != now for before, now in pairwise([versions[0], *versions]))
    marks = tuple(map(_together, ordered, turns))
    return Series(_label([points[0] for points in ordered]), marks, tuple(_told(past)))


def _together(points: Sequence[Point], is_turn: bool) -> Mark:
    """The cells of one run as one mark: the worst that nobody expected, and how many were bad."""
    bad = [point.outcome for point in points if not point.is_accepted]
    known = [p.outcome for p in points if p.is_accepted and not p.outcome.is_accepted]
    worst = min(bad or known or [Outcome.PASS], key=SEVERITY.index)
    on = ", ".join(sorted({point.twisted or "unknown" for point in points}))
    what = f"{len(bad):,} of {number(len(points), 'cell')} not accepted"
    tip = visible(f"{moment(points[0].started)}, Twisted {on}: {what}")
    return Mark(worst, not bad and bool(known), tip, f"{len(bad):,}" if bad else "", is_turn)


def _told(past: Past) -> Iterator[str]:
    since = Counter(trend.first_bad.started for trend in past.trends.values() if trend.first_bad)
    if since:
        ordered = sorted(since.items(), reverse=True)
        parts = [f"{count:,} since {day(started)}" for started, count in ordered[:SINCE]]
        older = sum(count for _, count in ordered[SINCE:])
        parts += [f"{older:,} for longer"] if older else []
        bad = f"{number(since.total(), 'cell')} not accepted now"
        yield visible(f"{bad}: {', '.join(parts)}.")
    if fickle := sum(trend.is_flaky for trend in past.trends.values()):
        yield f"{number(fickle, 'cell')} accepted in some attempts, and not in others."
