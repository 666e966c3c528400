"""The plot of one attempt: bytes over time, the abort, and what each end went through.

Whole numbers only, so that the page's script draws the very same. Places on the time axis
are thousandths of its width, heights are hundredths of a band.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from attrs import frozen

from matrix import wire
from matrix.render.html.cells import Row
from matrix.render.html.words import milliseconds, percent

WIDTH = 1000
FLOOR, HEIGHT = 97, 94
"""The zero line of a band, and how far above it the band's greatest value lies."""
EDGE = 40
"""So near to an end of the axis, a label would stick out."""
TICKS = 5
"""The time axis has at most so many steps."""


@frozen
class Band:
    """One quantity over time, on a scale of its own: ``path`` is an SVG path."""

    label: str
    most: str
    path: str


@frozen
class Mark:
    """A moment that the whole plot shows. ``anchor`` keeps its label inside."""

    x: str
    kind: str
    label: str
    anchor: str


@frozen
class Lane:
    """The events of one end: where, and what the tip says."""

    label: str
    ticks: tuple[tuple[str, str], ...]


@frozen
class Tick:
    """A round time. ``anchor`` keeps its label inside."""

    x: str
    label: str
    anchor: str


@frozen
class Axis:
    """The time axis. A silence as long as all the rest is cut down to a fifth of the width.

    ``silence`` is where it begins and ends; both are ``end`` where there is none.
    """

    start: int
    end: int
    silence: tuple[int, int]

    @classmethod
    def of(cls, times: Sequence[int]) -> Axis:
        """The axis for events at these times, in their order."""
        start, end = times[0], times[-1]
        before, after = max(pairwise(times), key=lambda gap: gap[1] - gap[0])
        is_cut = after - before < end - start < 2 * (after - before)
        return cls(start, end, (before, after) if is_cut else (end, end))

    @property
    def kept(self) -> int:
        """How much time is drawn to scale."""
        return self.end - self.start - (self.silence[1] - self.silence[0])

    def place(self, t: int) -> int:
        """Where an event at ``t`` lies."""
        before, after = self.silence
        cut = max(self.kept // 4, 1) if after > before else 0
        drawn = t - self.start if t <= before else t - self.start - (after - before) + cut
        return drawn * WIDTH // max(self.kept + cut, 1)

    def ticks(self) -> Iterator[Tick]:
        """Round times that are drawn to scale."""
        step = 1000
        while self.kept // step > TICKS:
            step = step * 5 // 2 if str(step)[0] == "2" else step * 2
        before, after = self.silence
        spans = [(self.start, before)] + ([(after, self.end)] if after > before else [])
        for first, last in spans:
            for t in range(-(-first // step) * step, last + 1, step):
                x = self.place(t)
                anchor = "start" if x < EDGE else "end" if x > WIDTH - EDGE else "middle"
                yield Tick(percent(x), f"{t // 1000:,} ms", anchor)


@frozen
class Cut:
    """The silence that is cut down, and how long it was."""

    x: str
    width: str
    middle: str
    label: str


@frozen
class Timeline:
    """What a template needs in order to write the SVG, and the same in words."""

    bands: tuple[Band, ...]
    marks: tuple[Mark, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    cut: Cut | None
    words: str


def draw(rows: Sequence[Row]) -> Timeline | None:
    """The plot of these events, or None where there is nothing to plot."""
    own = [row for row in rows if row.side in (wire.ABORTER, wire.PEER)]
    if len(own) < 2:
        return None
    axis = Axis.of(sorted(row.t for row in own))
    bands = tuple(_bands(own, axis.place))
    marks = tuple(_marks(own, axis.place))
    words = [f"{band.label}: {band.most}" for band in bands] + [mark.label for mark in marks]
    return Timeline(
        bands=bands,
        marks=marks,
        lanes=tuple(_lane(own, side, axis.place) for side in (wire.ABORTER, wire.PEER)),
        ticks=tuple(axis.ticks()),
        cut=_cut(axis),
        words="; ".join(words),
    )


def _cut(axis: Axis) -> Cut | None:
    before, after = axis.silence
    if before == after:
        return None
    left, right = axis.place(before), axis.place(after)
    label = f"{(after - before) // 1000:,} ms cut out"
    return Cut(percent(left), percent(right - left), percent((left + right) // 2), label)


def _bands(rows: Sequence[Row], place: Callable[[int], int]) -> Iterator[Band]:
    for label, names, value in BANDS:
        points = [(place(row.t), value(row)) for row in rows if row.name in names]
        most = max((y for _, y in points if y is not None), default=None)
        if most is not None:
            yield Band(label, f"at most {most:,} bytes", _path(points, most))


def _held(row: Row) -> int | None:
    return row.number("held")


def _kernel(row: Row) -> int | None:
    return row.number("kernel")


def _read(row: Row) -> int | None:
    return row.number("read" if row.name == wire.SAMPLE else "bytes")


BANDS: tuple[tuple[str, tuple[str, ...], Callable[[Row], int | None]], ...] = (
    ("held by Twisted", (wire.SAMPLE,), _held),
    ("in the kernel", (wire.SAMPLE,), _kernel),
    ("read by the peer", (wire.SAMPLE, wire.RECEIVED), _read),
)
"""Label, events and value of each band."""


def _path(points: Sequence[tuple[int, int | None]], most: int) -> str:
    """Steps from sample to sample, closed down to the floor; a missing value leaves a gap."""
    steps: list[str] = []
    is_open = False
    for x, value in points:
        if is_open:
            steps.append(f"H{x}")
        if value is None:
            steps.append(f"V{FLOOR}" if is_open else "")
        elif is_open:
            steps.append(f"V{_height(value, most)}")
        else:
            steps.append(f"M{x} {FLOOR}V{_height(value, most)}")
        is_open = value is not None
    return "".join(steps) + (f"V{FLOOR}" if is_open else "")


def _height(value: int, most: int) -> int:
    return FLOOR - value * HEIGHT // max(most, 1)


def _marks(rows: Sequence[Row], place: Callable[[int], int]) -> Iterator[Mark]:
    aborted = next((row for row in rows if row.name == wire.ABORT_CALLED), None)
    lost = next((row for row in rows if _is_loss(row)), None)
    if aborted is not None:
        yield _mark("abort", f"abort at {milliseconds(aborted.t)}", place(aborted.t))
    if lost is not None:
        since = "" if aborted is None else f" {milliseconds(max(0, lost.t - aborted.t))} later"
        yield _mark("lost", f"connection lost{since}", place(lost.t))


def _is_loss(row: Row) -> bool:
    return row.name == wire.CONNECTION_LOST and row.side == wire.ABORTER


def _mark(kind: str, label: str, x: int) -> Mark:
    return Mark(percent(x), kind, label, "end" if x > WIDTH // 2 else "start")


def _lane(rows: Sequence[Row], side: str, place: Callable[[int], int]) -> Lane:
    own = (row for row in rows if row.side == side and row.name != wire.SAMPLE)
    ticks = ((percent(place(row.t)), f"{milliseconds(row.t)} {row.name}") for row in own)
    return Lane(side, tuple(ticks))
