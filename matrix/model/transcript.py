"""What was seen of one process: its events, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from itertools import pairwise
from typing import Any, Protocol

from attrs import evolve, field, frozen

from matrix import wire


@frozen
class Event:
    """One thing that was seen. ``t`` is in seconds since the process started."""

    t: float
    side: str
    name: str
    data: Mapping[str, Any] = field(factory=dict)

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def get(self, key: str, default: Any = None) -> Any:
        """The field ``key``, or ``default`` where the event does not have it."""
        return self.data.get(key, default)

    @property
    def proof(self) -> Any:
        """Which proof is claimed, where one is."""
        return self.data.get("proof")


class How(Enum):
    """How a process ended, as the manager saw it."""

    EXITED = "exited"
    """By itself, with ``number`` as its exit status."""
    SIGNALLED = "signalled"
    """By signal ``number`` that the manager did not send."""
    DEADLINE = "deadline"
    """Killed by the manager after ``number`` seconds."""
    LOST = "lost"
    """With its agent: nobody can say how. Also: it never began."""


@frozen
class Ending:
    """How a process ended, and a detail in words."""

    how: How
    number: float = 0
    detail: str = ""


@frozen
class Transcript:
    """All events of one attempt, and how its process ended.

    ``garbage`` is what stood on the event pipe and is no event, ``stderr`` what was printed.
    """

    events: tuple[Event, ...]
    ending: Ending
    stderr: str = ""
    garbage: str = ""

    def all(self, name: str, side: str | None = None) -> Iterator[Event]:
        """Every event of that name (and side), in the order in which it was recorded."""
        return (e for e in self.events if e.name == name and side in (None, e.side))

    def first(self, name: str, side: str | None = None) -> Event | None:
        """The first event of that name (and side), or None."""
        return next(self.all(name, side), None)

    @property
    def finished(self) -> bool:
        """Whether the process came to its last line."""
        return bool(self.events) and self.events[-1].name == wire.FINISHED

    def parted(self, count: int) -> list[Transcript]:
        """The transcripts of ``count`` attempts that one process made, one after the other.

        Each ends with a last line, and all in the way in which their process did; those for which
        it did not live have no events.
        """
        ends = [at for at, event in enumerate(self.events, 1) if event.name == wire.FINISHED]
        bounds = [0, *ends[: count - 1], len(self.events)]
        parts = [self.events[begin:end] for begin, end in pairwise(bounds)]
        parts += [()] * (count - len(parts))
        return [evolve(self, events=events) for events in parts]

    @property
    def glance(self) -> Glance:
        """What is asked of every transcript."""
        return glance(self.events)


@frozen
class Glance:
    """What is asked of every attempt, so that nobody has to hold all the events for it.

    Whether it came to its abort; the seconds from there to the aborter's connectionLost; the name
    of the proof that was claimed. None for what is not there.
    """

    aborted: bool
    latency: float | None
    proof: str | None


class Seen(Protocol):
    """As much of an event as a glance asks for."""

    @property
    def t(self) -> float:
        """Seconds since the process started."""

    @property
    def side(self) -> str:
        """Which end saw it."""

    @property
    def name(self) -> str:
        """What was seen."""

    @property
    def proof(self) -> Any:
        """Which proof is claimed, where one is."""


def glance(events: Iterable[Seen]) -> Glance:
    """What is asked of these events, in the order in which they were recorded."""
    called, lost, proved = None, None, None
    for event in events:
        if called is None and event.name == wire.ABORT_CALLED:
            called = event.t
        elif lost is None and event.name == wire.CONNECTION_LOST and event.side == wire.ABORTER:
            lost = event.t
        elif proved is None and event.name == wire.PROVED:
            proved = event
    return Glance(
        aborted=called is not None,
        latency=None if called is None or lost is None else lost - called,
        proof=None if proved is None else str(proved.proof),
    )


class Source(Protocol):
    """Where the line of an attempt is kept."""

    def line(self) -> str:
        """The whole line."""

    def transcript(self) -> Transcript:
        """The transcript on that line."""


@frozen
class Stored:
    """A transcript that stays in its place until it is asked for: they are most of a report."""

    source: Source
    glance: Glance
