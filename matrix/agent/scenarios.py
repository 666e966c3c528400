"""The cases: each a short list of steps on a `matrix.agent.stage.Stage`.

What each is for, and where it has a meaning, stands in the catalogue
(`matrix.model.scenarios`), which the agent does not know.
"""

from __future__ import annotations

import os
import threading
from collections import namedtuple

from twisted.internet.interfaces import IReactorWin32Events
from twisted.protocols.policies import TimeoutMixin

from matrix import wire
from matrix.agent import windows
from matrix.agent.ends import SIP

Scenario = namedtuple(
    "Scenario",
    "steps exchange small_buffers starts_tls answered at_once half_closes on_number_zero needs",
    defaults=(0, True, False, True, lambda aborter: None, False, False, lambda reactor: None),
)
"""``steps(stage)`` yields waits; ``exchange`` bytes cross both ways first.

``answered``: the peer takes part in the TLS handshake. ``at_once(aborter)`` is called from inside
its ``connectionMade``: where there is TLS, before the handshake. ``half_closes``: it is told of a
half-close. ``on_number_zero``: its descriptor is number 0. ``needs(reactor)`` says with a code of
`matrix.wire.UNSUPPORTED_CODES` and in words why it cannot be played, or None.
"""

ASLEEP_FOR = 0.1
"""Seconds until an abort that has to wake the reactor: long enough for it to sleep."""

SETTINGS = 20
"""How often a time-out that came before it could be put off is set again."""

MUCH = 1 << 20
"""Bytes of one write without a producer: more than the kernel takes with one default buffer."""

DRAINED = 20.0
"""Seconds in which all of that must have crossed, to a small buffer and on a busy machine."""

MANY = 200
"""Connections on one reactor in ``abort-many``."""

STORM, WAVE = 500, 100
"""Connections in ``abort-storm``, and how many of them at a time."""

SCENARIOS: dict[str, Scenario] = {}


def _scenario(**settings):
    """Register a list of steps under its function's name."""

    def register(steps):
        name = steps.__name__.replace("_", "-")
        SCENARIOS[name] = Scenario(steps, **settings)
        return steps

    return register


class DeliberateError(Exception):
    """Raised by a scenario on purpose; it must be reported, and mask nothing."""


def _fail():
    raise DeliberateError("raised by the scenario")


def _small_numbers(reactor):
    if os.name != "posix":
        return wire.WRONG_PLATFORM, "sockets are not numbered like files here"
    return None


def _descriptors(reactor):
    try:
        reactor.getReaders()
    except (AttributeError, NotImplementedError):
        return wire.INTERFACE_MISSING, "the reactor does not tell whom it would wake up"
    return None


def _crowd_of(size):
    """What a scenario needs that has so many connections at once, a port and both ends each."""
    count = 3 * size + _SOME_MORE

    def needs(reactor):
        trouble = _too_few_sockets(count, reactor) if windows.IS_WINDOWS else _too_few_files(count)
        return None if trouble is None else (wire.WRONG_PLATFORM, trouble)

    return needs


_SOME_MORE = 100
"""Descriptors of a process beside those of a crowd, and then some."""

_SELECT_TAKES, _WAIT_TAKES = 512, 64
"""On Windows: FD_SETSIZE of CPython's ``selectmodule.c``, MAXIMUM_WAIT_OBJECTS of ``winnt.h``."""


def _too_few_sockets(count, reactor):
    """Why a reactor of Windows cannot wait for so many, or None; completion ports know no limit."""
    if hasattr(reactor, "handles"):
        return None
    most = _WAIT_TAKES if IReactorWin32Events.providedBy(reactor) else _SELECT_TAKES
    detail = f"it takes {count} sockets, and such a reactor waits for {most} of Windows's at most"
    return detail if count > most else None


def _too_few_files(count):
    """Why so many cannot be open, or None. Many systems allow few at first, and more to who asks.

    macOS allows 256 at first.
    """
    import resource

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY or allowed >= count:
        return None
    if most != resource.RLIM_INFINITY and most < count:
        return f"it takes {count} open files, and {most} are allowed here (ulimit -Hn)"
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, most))
    return None


def _fill_and_prove(stage, streaming=True):
    yield from stage.connect()
    yield from stage.fill(streaming)
    yield from stage.prove()


def _fill_and_unregister(stage):
    """The paused producer unregisters itself, and the connection is as full as before."""
    yield from _fill_and_prove(stage)
    stage.call("unregisterProducer")
    yield from stage.prove()


def _peer_ends(stage, act):
    """The peer does what ends the connection, and drains."""
    stage.peer_acts(act)
    stage.peer.drain()
    yield from stage.see_the_end()


def _set(stage, timer):
    """A time-out has been set for a turn, and has not come: a busy machine may need several."""
    for _ in range(SETTINGS):
        came: list[bool] = []
        timer.timeoutConnection = lambda came=came: came.append(True)
        timer.setTimeout(ASLEEP_FOR / 2)
        yield from stage.turns(1)
        if not came:
            return


def _abort(stage):
    """Abort, and watch both ends go down."""
    stage.abort()
    yield from stage.see_both_ends_down()


# Producers ------------------------------------------------------------------------------------


@_scenario()
def abort_when_full(stage):
    """A push producer writes until it is paused; the state is proved; abort."""
    yield from _fill_and_prove(stage)
    yield from _abort(stage)


@_scenario(exchange=1000)
def abort_when_full_after_exchange(stage):
    """The same, after bytes have crossed both ways."""
    yield from stage.connect()
    yield from stage.exchange_bytes()
    yield from stage.fill()
    yield from stage.prove()
    yield from _abort(stage)


@_scenario(at_once=lambda aborter: aborter.write(MUCH))
def abort_when_full_no_producer(stage):
    """One large write, which does not wait for anything."""
    yield from stage.connect()
    yield from stage.see_peer_still()
    yield from stage.prove()
    yield from _abort(stage)


@_scenario()
def abort_when_full_pull_producer(stage):
    """A pull producer, which is asked for each chunk."""
    yield from _fill_and_prove(stage, streaming=False)
    yield from _abort(stage)


@_scenario(small_buffers=False)
def abort_when_full_default_buffers(stage):
    """The buffers that the system gives."""
    yield from _fill_and_prove(stage)
    yield from _abort(stage)


@_scenario(at_once=lambda aborter: aborter.produce_little())
def abort_when_full_at_once(stage):
    """The producer does not wait for anything. Paused in the handshake, it goes on after it."""
    yield from stage.connect()
    yield from stage.see_peer_still()
    stage.fill_again()
    yield from stage.prove()
    yield from _abort(stage)


@_scenario()
def abort_when_full_again(stage):
    """The peer catches up, the producer has little for a while, and then fills everything again."""
    yield from _fill_and_prove(stage)
    yield from stage.catch_up()
    stage.fill_again()
    yield from stage.prove()
    yield from _abort(stage)


@_scenario()
def unregister_then_abort(stage):
    """The paused producer unregisters itself."""
    yield from _fill_and_unregister(stage)
    yield from _abort(stage)


# Order of calls -------------------------------------------------------------------------------


@_scenario()
def abort_twice(stage):
    """A second abort in the same turn."""
    yield from _fill_and_prove(stage)
    stage.abort()
    stage.call("abortConnection")
    yield from stage.see_both_ends_down()


@_scenario()
def abort_then_lose(stage):
    """An orderly close right after the abort."""
    yield from _fill_and_prove(stage)
    stage.abort()
    stage.call("loseConnection")
    yield from stage.see_both_ends_down()


@_scenario()
def lose_then_abort(stage):
    """An orderly close that waits for a buffer that never drains."""
    yield from _fill_and_prove(stage)
    stage.call("loseConnection")
    yield from stage.turns(20)
    yield from stage.prove()
    yield from _abort(stage)


@_scenario()
def lose_when_full(stage):
    """An orderly close, and a peer that reads on: everything arrives, what comes later too."""

    def finish():
        stage.aborter.write(SIP)
        stage.unregister()

    yield from _fill_and_prove(stage)
    stage.when("resumeProducing", finish)
    stage.close()
    stage.peer.drain_politely()
    yield from stage.see_the_end(DRAINED)


@_scenario(at_once=lambda aborter: aborter.write(MUCH))
def lose_when_full_no_producer(stage):
    """The same, of two writes without a producer."""
    yield from stage.connect()
    yield from stage.see_peer_still()
    yield from stage.prove()
    stage.aborter.write(SIP)
    yield from stage.prove()
    stage.close()
    stage.peer.drain_politely()
    yield from stage.see_the_end(DRAINED)


@_scenario(half_closes=True)
def unregister_then_lose(stage):
    """The producer is done before, and one more write comes after it; part of all is on its way."""
    yield from stage.connect()
    yield from stage.write_much(MUCH)
    yield from stage.prove()
    yield from stage.fill()
    stage.call("unregisterProducer")
    stage.aborter.write(SIP)
    yield from stage.prove()
    stage.close()
    stage.peer.drain_politely()
    yield from stage.see_the_end(DRAINED)


@_scenario()
def lose_then_write(stage):
    """A write after an orderly close, of which nothing has been sent yet."""
    yield from _fill_and_unregister(stage)
    stage.close()
    stage.call("write", b"after the close")
    stage.peer.drain_politely()
    yield from stage.see_the_end(DRAINED)


@_scenario()
def lose_write_when_full(stage):
    """A half-close that waits for the full buffer; the peer, who sees it, closes its side."""
    yield from _fill_and_unregister(stage)
    stage.close("loseWriteConnection")
    stage.peer.drain()
    yield from stage.see_the_end(DRAINED)


@_scenario()
def write_then_abort(stage):
    """One more write to the full transport."""
    yield from _fill_and_prove(stage)
    stage.aborter.write(SIP)
    yield from _abort(stage)


@_scenario()
def abort_then_write(stage):
    """A write to the transport that was just aborted."""
    yield from _fill_and_prove(stage)
    stage.abort()
    stage.call("write", b"after the abort")
    yield from stage.see_both_ends_down()


# Callbacks ------------------------------------------------------------------------------------


@_scenario()
def abort_in_pause_producing(stage):
    """The producer that is paused aborts."""
    yield from stage.connect()
    yield from stage.write_much(MUCH)
    yield from stage.prove()
    stage.when("pauseProducing", stage.abort)
    yield from stage.fill()
    yield from stage.see_both_ends_down()


@_scenario()
def abort_in_resume_producing(stage):
    """The producer that is resumed aborts."""
    yield from _fill_and_prove(stage)
    stage.when("resumeProducing", stage.abort)
    stage.peer.drain()
    yield from stage.the_abort()
    yield from stage.see_both_ends_down()


@_scenario()
def abort_in_data_received(stage):
    """A protocol that reads a byte aborts."""
    yield from _fill_and_prove(stage)
    stage.when("dataReceived", stage.abort)
    stage.peer.say(b"?")
    yield from stage.the_abort()
    yield from stage.see_both_ends_down()


@_scenario(needs=_descriptors)
def abort_as_it_reopens(stage):
    """The same in the very turn in which the connection gets writeable again."""
    yield from _fill_and_prove(stage)
    stage.when("dataReceived", stage.abort)
    yield from stage.reopen_at_once()
    yield from stage.the_abort()
    yield from stage.see_both_ends_down()


@_scenario()
def abort_then_raise(stage):
    """The same, and the callback raises right after the abort."""

    def abort_and_raise():
        stage.abort()
        raise DeliberateError("raised by the scenario, right after the abort")

    yield from _fill_and_prove(stage)
    stage.when("dataReceived", abort_and_raise)
    stage.peer.say(b"?")
    yield from stage.the_abort()
    yield from stage.see_both_ends_down()


@_scenario()
def raise_in_data_received(stage):
    """A callback raises, and nobody has aborted."""
    yield from _fill_and_prove(stage, streaming=False)
    stage.when("dataReceived", _fail)
    stage.peer_acts(wire.SAY)
    yield from stage.see_the_loss()
    stage.peer.drain()
    yield from stage.see_the_end()


@_scenario()
def raise_in_resume_then_abort(stage):
    """A pull producer raises at once, and is none from then on: another one takes its place."""
    yield from stage.connect()
    stage.when("resumeProducing", _fail)
    yield from stage.fill(streaming=False)
    yield from stage.callback("resumeProducing")
    yield from stage.fill()
    yield from stage.prove()
    yield from _abort(stage)


@_scenario()
def abort_from_thread(stage):
    """Another thread asks for the abort while the reactor sleeps."""
    yield from _fill_and_prove(stage)
    asking = threading.Timer(ASLEEP_FOR, stage.reactor.callFromThread, (stage.abort,))
    stage.fall_asleep(ASLEEP_FOR)
    asking.start()
    yield from stage.the_abort()
    asking.join()
    yield from stage.see_both_ends_down()


@_scenario()
def abort_among_queued_calls(stage):
    """A function queues itself again, each time that it is called, until the connection is lost."""

    def again():
        if not stage.aborter.lost:
            stage.reactor.callFromThread(again)

    yield from _fill_and_prove(stage)
    again()
    yield from _abort(stage)


@_scenario()
def abort_in_shutdown(stage):
    """The program is told to stop: it aborts, and waits until it is told of the loss."""
    yield from _fill_and_prove(stage)
    stage.shut_down(stage.abort)
    yield from stage.the_abort()
    yield from stage.see_both_ends_down()


@_scenario()
def abort_after_timeout(stage):
    """A time-out that was put off aborts, while the reactor has nothing else to do."""
    yield from _fill_and_prove(stage)
    timer = TimeoutMixin()
    timer.callLater = stage.reactor.callLater
    yield from _set(stage, timer)
    timer.timeoutConnection = stage.abort
    stage.fall_asleep(ASLEEP_FOR)
    timer.setTimeout(ASLEEP_FOR)
    yield from stage.the_abort()
    yield from stage.see_both_ends_down()


# States ---------------------------------------------------------------------------------------


@_scenario(on_number_zero=True, needs=_small_numbers)
def abort_on_descriptor_zero(stage):
    """The connection's descriptor is the first of all."""
    yield from _fill_and_prove(stage)
    yield from _abort(stage)


@_scenario(needs=_descriptors)
def abort_after_spurious_wakeup(stage):
    """The reactor tells the full connection of events that are none; it is filled once more."""
    yield from _fill_and_prove(stage)
    yield from stage.wake_for_nothing()
    yield from stage.prove()
    yield from stage.catch_up()
    stage.fill_again()
    yield from stage.prove()
    yield from _abort(stage)


@_scenario()
def abort_while_paused(stage):
    """The aborter itself reads nothing, and would again after the abort."""
    yield from stage.connect()
    stage.call("pauseProducing")
    yield from stage.fill()
    yield from stage.prove()
    stage.abort()
    stage.call("resumeProducing")
    yield from stage.see_both_ends_down()


@_scenario(half_closes=True)
def abort_while_half_closed(stage):
    """The peer's FIN has come, and an own one waits behind the full buffer."""
    yield from _fill_and_prove(stage)
    yield from stage.half_close()
    stage.call("unregisterProducer")
    stage.call("loseWriteConnection")
    yield from stage.prove()
    yield from _abort(stage)


@_scenario()
def abort_both_sides(stage):
    """Both ends abort in the same turn."""
    yield from _fill_and_prove(stage)
    stage.abort()
    stage.peer.transport.abortConnection()
    yield from stage.see_both_ends_down()


@_scenario()
def abort_after_delivery(stage):
    """All that was written waits in the peer's kernel."""
    yield from stage.connect()
    yield from stage.deliver(1000)
    yield from _abort(stage)


@_scenario()
def abort_after_loss(stage):
    """The peer's reset comes first, while nothing is read; the take-down's abort is a no-op."""
    yield from stage.connect()
    stage.call("pauseProducing")
    yield from stage.fill()
    yield from stage.prove()
    stage.peer_acts(wire.RESET_IT)
    yield from stage.see_the_end()


# Load -----------------------------------------------------------------------------------------


@_scenario(needs=_crowd_of(MANY))
def abort_many(stage):
    """Two hundred full connections are aborted in one turn."""
    yield from _fill_and_prove(stage)
    crowd = yield from stage.crowd(MANY - 1)
    yield from stage.prove()
    crowd.abort()
    stage.abort()
    yield from stage.see_crowd_down(crowd)
    yield from stage.see_both_ends_down()


@_scenario(needs=_crowd_of(WAVE))
def abort_storm(stage):
    """Five hundred connections come, fill and are aborted, wave after wave."""
    yield from _fill_and_prove(stage)
    for _ in range(STORM // WAVE):
        crowd = yield from stage.crowd(WAVE)
        crowd.abort()
        if not (yield from stage.see_crowd_down(crowd)):
            break
    yield from stage.prove()
    yield from _abort(stage)


# The peer -------------------------------------------------------------------------------------


@_scenario()
def peer_closes_while_full(stage):
    """The peer ends its side in good order, and then drains."""
    yield from _fill_and_prove(stage)
    yield from _peer_ends(stage, wire.FINISH)


@_scenario()
def peer_truncates_while_full(stage):
    """The peer ends its side without close_notify, and then drains."""
    yield from _fill_and_prove(stage)
    yield from _peer_ends(stage, wire.TRUNCATE)


@_scenario()
def peer_sends_rubbish_while_full(stage):
    """The peer sends what is no TLS record, and then drains."""
    yield from _fill_and_prove(stage)
    yield from _peer_ends(stage, wire.RUBBISH)


@_scenario()
def peer_closes_after_unregister(stage):
    """The same as peer-closes-while-full, without a producer that would have to be stopped."""
    yield from _fill_and_unregister(stage)
    stage.peer_acts(wire.FINISH)
    yield from stage.see_goodbye_read()
    stage.call("write", b"too late for a peer that has said goodbye")
    stage.peer.drain()
    yield from stage.see_the_end()


@_scenario()
def peer_sends_rubbish_after_unregister(stage):
    """The same as peer-sends-rubbish-while-full, without a producer."""
    yield from _fill_and_unregister(stage)
    yield from _peer_ends(stage, wire.RUBBISH)


@_scenario(half_closes=True)
def peer_resets_while_full(stage):
    """The peer resets the connection, to a protocol that knows half-closes."""
    yield from _fill_and_prove(stage)
    stage.peer_acts(wire.RESET_IT)
    yield from stage.see_the_end()


@_scenario()
def peer_vanishes_while_full(stage):
    """The process that holds the peer's end is killed."""
    yield from _fill_and_prove(stage)
    stage.peer_acts(wire.VANISH)
    yield from stage.see_the_end()


# TLS ------------------------------------------------------------------------------------------


@_scenario(answered=False)
def abort_in_handshake(stage):
    """A first flight that is larger than every buffer goes to a peer that never answers."""
    yield from _fill_and_prove(stage)
    yield from _abort(stage)


@_scenario(exchange=1000, starts_tls=True)
def start_tls_then_abort(stage):
    """TLS begins once bytes have crossed in the clear."""
    yield from stage.connect()
    yield from stage.exchange_bytes()
    yield from stage.start_tls()
    yield from stage.fill()
    yield from stage.prove()
    yield from _abort(stage)
