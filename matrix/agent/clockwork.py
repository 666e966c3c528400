"""What resumes a scenario: the reactor under test itself, by one delayed call after the other.

A scenario is a generator that yields waits. Once in a while the state is looked
at, and the scenario resumed when it is there; after the abort this is done in
every turn of the reactor, and the turns are counted. The limits of waits only
end a cell that can come to nothing: the deadline that counts is the manager's.
"""

from __future__ import annotations

import os
import traceback
from collections import namedtuple
from contextlib import contextmanager
from typing import Any

from twisted.internet.defer import Deferred

from matrix import wire
from matrix.agent import windows
from matrix.agent.probes import until_next_look
from matrix.agent.recorder import describe

PACE = 0.01
"""Seconds between two looks at a state that is new, but for `SOON` and the turns that are counted.
"""

SOON = 0 if windows.IS_WINDOWS else 4
"""Turns of the reactor in which a state is looked at before the first pause. What the reactor does
by itself comes within a few turns, and a process that has slept is slow to begin again. On Windows
it is the turns that are slow: under Wine, each asks another process.
"""

Wait = namedtuple("Wait", "what holds limit soon pace in_turns", defaults=(SOON, PACE, False))
"""``what`` in words, ``holds()`` whether the state is there, ``limit`` in seconds.

Looked at in ``soon`` turns, and then after ``pace`` seconds. ``in_turns``: it is turns of the
reactor that are waited for, and every one is looked at.
"""

_LIBRARY = os.path.dirname(os.__file__)
"""Where the standard library is, and what is installed in its ``site-packages``."""

LIMIT = 5.0
"""Seconds in which a step must come about."""

REST = 3
"""A look that finds nothing is not repeated before so many times the time that it took: to look at
a crowd of connections takes long where each has to be asked about.
"""


class GaveUp(Exception):
    """A step did not come about; what comes after it in the scenario has no meaning."""


class CallRaised(Exception):
    """A call into the code under test raised, which is recorded."""


class Clockwork:
    """Plays a story, until it ``is_over``.

    ``turns`` counts the reactor's turns since `count_turns`; None before.
    """

    def __init__(self, recorder, reactor, each_look):
        self.turns: Any = None
        self._recorder = recorder
        self._reactor = reactor
        self._each_look = each_look
        self._is_counting = False
        self._look_took = 0.0
        self._is_asleep = False
        self._shutdown: Any = None
        self.is_over = False

    def play(self, story):
        """Play the story on the running reactor, and stop the reactor at its end."""
        self._story = story
        self._begin(Wait("a turn", lambda: True, LIMIT))
        self._tick()

    def count_turns(self):
        """Look in every turn of the reactor from now on, and count from 0."""
        self._is_counting, self.turns = True, 0

    def hold_shutdown(self):
        """What a trigger returns that lets the reactor stop at the story's end."""
        self._shutdown = Deferred()
        return self._shutdown

    def slow_down(self):
        """Look once in a while again."""
        self._is_counting = False

    def fall_asleep(self):
        """Do not wake the reactor any more, until `wake_up`."""
        self._is_asleep = True

    def wake_up(self):
        """Look again, if asleep."""
        if self._is_asleep:
            self._is_asleep = False
            self._reactor.callLater(0, self._tick)

    def some_turns(self, count):
        """A wait for that many looks."""
        looks = iter(range(count))
        return Wait(f"{count} turns", lambda: next(looks, None) is None, LIMIT, in_turns=True)

    def _begin(self, wait):
        self._wait, self._wait_began, self._looks = wait, self._recorder.now(), 0

    def _tick(self):
        try:
            if self.turns is not None:
                self.turns += 1
            self._each_look()
            goes_on = self._advance()
        except Exception as error:
            self._blame(error)
            goes_on = False
        if not goes_on:
            self._stop()
        elif not self._is_asleep:
            self._reactor.callLater(self._delay(), self._tick)

    def _blame(self, error):
        """Record an exception of the code under test as its own, and any other as ours."""
        frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
        frame, exception = next(filter(_is_tested, frames), None), describe(error)
        if frame is None:
            self._recorder.record(wire.PROCESS, wire.HARNESS_RAISED, exception=exception)
        else:
            call = frame.f_code.co_name
            self._recorder.record(wire.PROCESS, wire.REACTOR_RAISED, call=call, exception=exception)

    def _stop(self):
        self.is_over = True
        if self._shutdown is None:
            self._reactor.stop()
        else:
            self._shutdown.callback(None)

    def _delay(self):
        """Looks get rarer, the longer a state is waited for; turns come one by one."""
        wait, rest = self._wait, REST * self._look_took
        is_soon = self._looks <= wait.soon and rest < PACE
        if self._is_counting or wait.in_turns or is_soon:
            return 0
        waited = self._recorder.now() - self._wait_began
        return max(until_next_look(wait.pace, waited), rest)

    def _advance(self):
        """Resume the story for as long as the state that it waits for is there."""
        while True:
            began = self._recorder.now()
            holds, ended = self._wait.holds(), self._recorder.now()
            waited, self._look_took = ended - self._wait_began, ended - began
            self._looks += 1
            if not holds and waited < self._wait.limit:
                return True
            try:
                self._begin(next(self._story) if holds else self._give_up(waited))
            except StopIteration:
                return False

    def _give_up(self, waited):
        what = self._wait.what
        self._recorder.record(wire.PROCESS, wire.GAVE_UP, waiting_for=what, waited=round(waited, 3))
        return self._story.throw(GaveUp(what))


def _is_tested(frame):
    """Whether what runs there is neither ours nor the standard library's."""
    if frame.f_globals.get("__name__", "").partition(".")[0] == "matrix":
        return False
    file = frame.f_code.co_filename
    return not file.startswith((_LIBRARY, "<frozen ")) or "-packages" in file


@contextmanager
def calling(recorder, call):
    """Around every call into the code under test: what it raises is that code's doing."""
    try:
        yield
    except Exception as error:
        exception = describe(error)
        recorder.record(wire.PROCESS, wire.REACTOR_RAISED, call=call, exception=exception)
        raise CallRaised(call) from None
