"""The plot of one attempt: bytes over time, the abort, and what each end went through.

Whole numbers only, so that the page's script draws the very same. Places on the time axis
are thousandths of its width, heights are hundredths of a band.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from attrs import frozen

from matrix import wire
from matrix.render.html.cells import Row
from matrix.render.html.words import milliseconds

WIDTH = 1000
FLOOR, HEIGHT = 97, 94
"""The zero line of a band, and how far above it the band's greatest value lies."""
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
class Timeline:
    """What a template needs in order to write the SVG, and the same in words."""

    bands: tuple[Band, ...]
    marks: tuple[Mark, ...]
    lanes: tuple[Lane, ...]
    ticks: tuple[tuple[str, str], ...]
    words: str


def draw(rows: Sequence[Row]) -> Timeline | None:
    """The plot of these events, or None where there is nothing to plot."""
    own = [row for row in rows if row.side in (wire.ABORTER, wire.PEER)]
    if len(own) < 2:
        return None
    start, end = min(row.t for row in own), max(row.t for row in own)
    span = max(end - start, 1)

    def place(t: int) -> int:
        return (t - start) * WIDTH // span

    bands = tuple(_bands(own, place))
    marks = tuple(_marks(own, place))
    words = [f"{band.label}: {band.most}" for band in bands] + [mark.label for mark in marks]
    return Timeline(
        bands=bands,
        marks=marks,
        lanes=tuple(_lane(own, side, place) for side in (wire.ABORTER, wire.PEER)),
        ticks=tuple((percent(place(t)), f"{t // 1000:,} ms") for t in _steps(start, end)),
        words="; ".join(words),
    )


def percent(x: int) -> str:
    """A place on the time axis as SVG writes it."""
    return f"{x // 10}.{x % 10}%"


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


def _steps(start: int, end: int) -> range:
    """Round times between start and end, in microseconds."""
    step = 1000
    while (end - start) // step > TICKS:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return range(-(-start // step) * step, end + 1, step)
