"""What was seen of one process may be of several attempts."""

from __future__ import annotations

import pytest

from matrix import wire
from matrix.model.transcript import Ending, Event, How, Transcript


def seen(*names: str) -> Transcript:
    """The transcript of a process that recorded events of these names, and was killed."""
    events = tuple(Event(t, wire.PROCESS, name) for t, name in enumerate(names))
    return Transcript(events, Ending(How.SIGNALLED, 9), "stderr", "garbage")


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        ("a finished b finished c finished", ["a finished", "b finished", "c finished"]),
        ("a finished b", ["a finished", "b", ""]),
        ("a finished", ["a finished", "", ""]),
        ("a", ["a", "", ""]),
        ("", ["", "", ""]),
        (
            "a finished finished finished b finished",
            ["a finished", "finished", "finished b finished"],
        ),
    ],
)
def test_attempts_end_with_their_last_lines(names: str, parts: list[str]) -> None:
    """Each event is in one of the three parts, and each part tells how the process ended."""
    whole = seen(*names.split())
    parted = whole.parted(3)
    assert [" ".join(event.name for event in part.events) for part in parted] == parts
    assert sum((part.events for part in parted), ()) == whole.events
    assert {part.ending for part in parted} == {whole.ending}


def test_one_attempt_is_the_whole() -> None:
    """A process that made one attempt has nothing to part."""
    whole = seen("a", "finished", "b")
    assert whole.parted(1) == [whole]
