"""When a scenario's state is looked at again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from matrix.agent.clockwork import PACE, REST, SOON, Clockwork, Wait


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


def test_looks_get_rarer() -> None:
    """A state is looked at in a few turns, and then after pauses, as long as it has taken."""
    stopped = Stopped()
    stopped.clockwork.play(iter([Wait("a state", lambda: stopped.look(0), 60)]))
    for _ in range(SOON + 2):
        stopped.now += stopped.delays[-1]
        stopped.call()
    assert stopped.delays == [*[0] * SOON, PACE, PACE, 2 * PACE]


def test_a_state_that_takes_its_time_is_looked_at_when_it_can_be_there() -> None:
    """A wait says how soon its state may come."""
    stopped = Stopped()
    wait = Wait("a state", lambda: stopped.look(0), 60, soon=1, pace=0.05)
    stopped.clockwork.play(iter([wait]))
    stopped.call()
    assert stopped.delays == [0, 0.05]


def test_a_look_that_took_long_is_not_repeated_at_once() -> None:
    """The reactor runs for several times as long as it takes to look at a crowd."""
    stopped = Stopped()
    stopped.clockwork.play(iter([Wait("a crowd", lambda: stopped.look(0.5), 60)]))
    assert stopped.delays == [REST * 0.5]


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
    for _ in range(SOON + 3):
        stopped.now += PACE
        stopped.call()
    assert stopped.delays[:-1] == [0] * (SOON + 3)
    assert stopped.delays[-1] > 0
