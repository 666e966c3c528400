"""When a scenario's state is looked at again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from matrix.agent.clockwork import PACE, REST, Clockwork, Wait


class Stopped:
    """A reactor that never runs: it keeps the delays that are asked for. A clock stands by it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.delays: list[float] = []
        recorder = SimpleNamespace(now=lambda: self.now)
        made: Any = Clockwork
        self.clockwork = made(recorder, self, lambda: None)

    def callLater(self, delay: float, call: Any) -> None:
        self.delays.append(delay)
        self.call = call

    def look(self, took: float) -> bool:
        """A look that finds nothing, and takes so many seconds."""
        self.now += took
        return False


@pytest.mark.parametrize(("took", "delay"), [(0.0, PACE), (0.5, REST * 0.5)])
def test_a_look_that_took_long_is_not_repeated_at_once(took: float, delay: float) -> None:
    """The reactor runs for several times as long as it takes to look at a crowd."""
    stopped = Stopped()
    stopped.clockwork.play(iter([Wait("a crowd", lambda: stopped.look(took), 60)]))
    assert stopped.delays == [delay]


def test_turns_are_counted_one_by_one_however_long_a_look_takes() -> None:
    """Where turns count, nobody waits between two looks."""
    stopped = Stopped()
    stopped.clockwork.count_turns()
    stopped.clockwork.play(iter([Wait("a crowd", lambda: stopped.look(0.5), 60)]))
    assert stopped.delays == [0]


def test_turns_that_are_waited_for_come_one_by_one() -> None:
    """Before the abort as well: they do not get rarer, as looks at a state do."""
    stopped = Stopped()
    stopped.clockwork.play(iter([stopped.clockwork.some_turns(3), Wait("rest", bool, 60)]))
    for _ in range(3):
        stopped.now += 1
        stopped.call()
    assert stopped.delays == [0, 0, 0, PACE]
