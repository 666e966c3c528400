"""What scenarios are made of: connect, fill, prove, abort, watch both ends go down."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from zope.interface import alsoProvides

from matrix import wire
from matrix.agent import leftovers, probes, transports, windows
from matrix.agent.bystander import Bystander
from matrix.agent.clockwork import LIMIT, CallRaised, Clockwork, GaveUp, Wait, calling
from matrix.agent.crowd import Crowd
from matrix.agent.ends import SIP
from matrix.agent.recorder import describe
from matrix.agent.wiring import Wiring

CROWD_LIMIT = 120.0
"""Seconds in which a step of a whole crowd must come about, on a machine that is busy elsewhere."""

CROWD_END = 40.0
"""Seconds in which a whole crowd must go down, on such a machine."""

LATE_CALLS = ("loseConnection", "unregisterProducer", "pauseProducing", "resumeProducing")
"""What a program may still call that has not heard of the loss, besides a write and an abort."""

ACKNOWLEDGED = 0.05
"""Seconds in which the peer's kernel has acknowledged what filled its window, and said so: Linux
takes 40 ms for what is not urgent (TCP_DELACK_MIN of <net/tcp.h>).
"""

LAST_WORDS = 5
"""Turns of the reactor in which a peer that reads no more has sent what it had to send (a server's
session tickets, RFC 8446 4.6.1), and that has been read. A UNIX socket that is closed with unread
bytes resets the other one, which is another case than the one that is played.
"""

QUIET_TURNS = 20
"""Turns of the reactor in which whatever is still under way shows itself."""


class Stage:
    """One cell's connection, with its proof and its bystander."""

    def __init__(self, recorder, reactor, cell, scenario, contexts, witnesses, fault=None):
        self.recorder = recorder
        self.reactor = reactor
        self.witnesses = witnesses
        self.transport = transports.parse(cell["transport"])
        self.scenario = scenario
        self._cell, self._contexts = cell, contexts
        self._aborter_is_client = cell["side"] == "client"
        self._fault = fault
        self._wiring = Wiring(self, cell, contexts)
        self._clockwork = Clockwork(recorder, reactor, self._look_at_bystander)
        self._bystander: Any = None
        self._identity = self._proof = self._fell_asleep = None
        self._last_sample: Any = None

    @property
    def aborter(self):
        """The end that aborts, once it is there."""
        return self._wiring.aborter

    @property
    def peer(self):
        """The other end, once it is there."""
        return self._wiring.peer

    @property
    def turns_since_abort(self):
        """Turns of the reactor since the abort; None before it."""
        return self._clockwork.turns

    def is_client(self, side):
        """Whether that side (aborter or peer) is the one that connects."""
        return (side == wire.ABORTER) == self._aborter_is_client

    def play(self):
        """Play the scenario on the running reactor, and stop the reactor at its end."""
        self._clockwork.play(self._whole())

    @property
    def is_over(self):
        """Whether the scenario has come to its end."""
        return self._clockwork.is_over

    def _whole(self):
        try:
            with self._calling("listenTCP"):
                self._bystander = Bystander(self)
            yield Wait("the bystander", lambda: self._bystander.answered, LIMIT)
            self.recorder.record(wire.PROCESS, wire.BASELINE, **leftovers.held_by(self.reactor))
            yield from self.scenario.steps(self)
        except (GaveUp, CallRaised):
            pass
        yield from self._take_down()

    def _calling(self, call):
        return calling(self.recorder, call)

    def _look_at_bystander(self):
        if self._bystander is not None:
            self._bystander.look()

    # Steps --------------------------------------------------------------------------------------

    def connect(self):
        """Both ends are connected, and encrypted where they should be and the peer answers."""
        with self._calling("connect"):
            self._wiring.connect()
        yield Wait("both ends", lambda: self.aborter and self.peer, LIMIT)
        if self.scenario.answered:
            yield Wait("the aborter is set up", lambda: self.aborter.up or self.aborter.lost, LIMIT)
        yield Wait("connectionMade", lambda: self.aborter.socket_number is not None, 0)
        if self.scenario.on_number_zero:
            yield Wait("number 0", lambda: self.aborter.socket_number == 0, LIMIT)
        self._identity = leftovers.identity(self.aborter.socket_number)
        if self.scenario.half_closes:
            alsoProvides(self.aborter, IHalfCloseableProtocol)
        if self._fault is not None:
            self._fault.inject(self)

    def exchange_bytes(self):
        """Bytes cross both ways, and then the peer reads no more."""
        aborter, size = self.aborter, self.scenario.exchange
        with self._calling("write"):
            aborter.write(size)
        yield Wait("an answer", lambda: self.aborter.reading.bytes >= size, LIMIT)
        aborter.record(wire.EXCHANGED, sent=size, received=aborter.reading.bytes)

    def start_tls(self):
        """TLS begins on the connection, at the server's end first, so that it can listen."""
        ends = [self.aborter, self.peer]
        if self._aborter_is_client:
            ends.reverse()
        with self._calling("startTLS"):
            for end in ends:
                end.start_tls()
        yield Wait("TLS", lambda: self.aborter.up or self.aborter.lost, LIMIT)

    def tls_options(self, side):
        """What Twisted needs to begin TLS on that side of the connection."""
        return self._wiring.tls_options(self.is_client(side))

    def see_peer_still(self):
        """The peer reads no more, and what it has sent is read, if the reactor reads at all."""
        yield Wait("the peer reads no more", lambda: self.peer.still, LIMIT)
        for turn in range(QUIET_TURNS):
            if turn >= LAST_WORDS and not probes.receive_queue(self.aborter.socket_number):
                break
            yield from self.turns(1)

    def fill(self, streaming=True):
        """The aborter produces, to a peer that reads no more, until it is paused."""
        yield from self.see_peer_still()
        with self._calling("registerProducer"):
            self.aborter.fill(streaming)

    def write_much(self, size):
        """The aborter writes so many bytes at once, to a peer that reads no more."""
        yield from self.see_peer_still()
        with self._calling("write"):
            self.aborter.write(size)

    def deliver(self, size):
        """The aborter writes a little, and all of it comes to the peer's kernel."""
        yield from self.see_peer_still()
        with self._calling("write"):
            self.aborter.write(size)
        yield Wait("delivery", lambda: (self.peer.receive_queue() or 0) >= size, LIMIT)
        self.aborter.record(wire.DELIVERED, bytes=size)

    def prove(self):
        """The connection is not writeable, by a proof."""
        prover, began = probes.Prover(self.aborter.socket_family), self.recorder.now()
        is_proved = partial(self._is_proved, prover)
        yield Wait("proof", is_proved, wire.PROOF_LIMIT, soon=1, pace=ACKNOWLEDGED)
        waited = round(self.recorder.now() - began, 6)
        if self._proof in (wire.SETTLED, wire.OVERLAPPED):  # that it lasted has to be seen
            self.aborter.record(wire.SAMPLE, **self._last_sample)
        self.aborter.record(wire.PROVED, proof=self._proof, waited=waited)

    def _is_proved(self, prover):
        if self.aborter.lost:
            return False
        self._proof = prover.look(self.sample(), self.recorder.now())
        return self._proof is not None

    def sample(self, always=False):
        """Look at the connection; what is no news is not recorded, unless it is asked for."""
        sample = self.aborter.probe.sample(self.aborter.written, self.peer)
        if always or sample != self._last_sample:
            self.aborter.record(wire.SAMPLE, **sample)
        self._last_sample = sample
        return sample

    def abort(self):
        """Call ``abortConnection()`` once, and look in every turn of the reactor from now on."""
        self._wake_up()
        self.sample(always=True)
        self._clockwork.count_turns()
        self._bystander.count_from_here()
        self.aborter.record(wire.ABORT_CALLED, written=self.aborter.written)
        raised = raised_by(self.aborter.transport.abortConnection)
        self.aborter.record(wire.ABORT_RETURNED, raised=raised)
        self._clockwork.wake_up()

    def call(self, name, *arguments):
        """Call a method of the aborter's transport."""
        raised = raised_by(getattr(self.aborter.transport, name), *arguments)
        self.aborter.record(wire.CALLED, call=name, raised=raised)

    def when(self, callback, do):
        """Have something done from inside the aborter's next callback of that name."""
        self.aborter.hooks[callback] = do

    def callback(self, name):
        """The callback comes in which something is to be done."""
        yield Wait(name, lambda: name not in self.aborter.hooks, LIMIT)

    def the_abort(self):
        """The abort that was arranged takes place."""
        yield Wait("the abort", lambda: self.turns_since_abort is not None, LIMIT)

    def catch_up(self):
        """The peer reads all that there is, and the little that the resumed producer adds to it."""
        self.aborter.is_sipping = True
        self.peer.catch_up(self.aborter.written + SIP)
        yield Wait("the peer has caught up", lambda: self.peer.still, LIMIT)
        yield from self.turns(QUIET_TURNS)
        self.sample(always=True)
        self.aborter.is_sipping = False

    def fill_again(self):
        """The producer, which nobody has paused since, writes until it is."""
        with self._calling("write"):
            self.aborter.pour()

    def reopen_at_once(self):
        """The peer sends a byte and drains, and the reactor finds both when it looks again: its
        thread waits here until it is so.
        """
        self.peer.say(b"?")
        self.peer.drain()
        is_both = probes.wait_for_both(self.aborter.socket_number, LIMIT)
        yield Wait("a descriptor with both events", lambda: is_both, 0)

    def wake_for_nothing(self):
        """Tell the reactor's descriptors of the connection that there is something to read and
        room to write, although there is neither.
        """
        with self._calling("getReaders"):
            both = [*self.reactor.getReaders(), *self.reactor.getWriters()]
        found = {each for each in both if each.fileno() == self.aborter.socket_number}
        yield Wait("the reactor's descriptor of the connection", lambda: found, 0)
        for descriptor in found:
            for call in ("doRead", "doWrite"):
                with self._calling(call):
                    trouble = getattr(descriptor, call)()
                    if trouble is not None:
                        raise getattr(trouble, "value", trouble)

    def shut_down(self, do):
        """Tell the program to stop; before it does, something is done, and the story told."""

        def before_shutdown():
            self.recorder.record(wire.PROCESS, wire.STOPPING)
            do()
            return self._clockwork.hold_shutdown()

        with self._calling("stop"):
            self.reactor.addSystemEventTrigger("before", "shutdown", before_shutdown)
            self.reactor.stop()

    def turns(self, count):
        """Let the reactor turn."""
        yield self._clockwork.some_turns(count)

    def fall_asleep(self, seconds):
        """Do not wake the reactor from here on: the abort has to come by itself, in its time."""
        self._clockwork.fall_asleep()
        self.recorder.record(wire.PROCESS, wire.ASLEEP, time=int(seconds * 1e6))
        self._fell_asleep = time.perf_counter_ns(), time.thread_time_ns()

    def _wake_up(self):
        """Say what the sleep took, if there was one."""
        if self._fell_asleep is not None:
            now = time.perf_counter_ns(), time.thread_time_ns()
            spent, cpu = (end - begin for begin, end in zip(self._fell_asleep, now))
            self.recorder.record(
                wire.PROCESS,
                wire.AWAKE,
                time=spent // 1000,
                cpu=cpu // 1000,
                tick=windows.CPU_TICK if windows.IS_WINDOWS else 0,
            )

    def half_close(self):
        """The peer writes no more, and the aborter is told."""
        self.peer.act(wire.FINISH)
        yield Wait("the peer's FIN", lambda: self.aborter.read_lost, LIMIT)

    def peer_acts(self, act):
        """The peer does what ends the connection."""
        self.sample(always=True)
        self._bystander.count_from_here()
        self.aborter.record(wire.PEER_ACTED, act=act)
        self.peer.act(act)

    def see_goodbye_read(self):
        """The peer has finished, and the reactor has read what came with that, and turned."""
        number = self.aborter.socket_number
        yield Wait("the peer's goodbye", lambda: self.peer.finished, LIMIT)
        yield Wait(
            "the reactor to read it",
            lambda: self.aborter.lost or not probes.receive_queue(number),
            LIMIT,
        )
        yield from self.turns(8)

    def unregister(self):
        """The producer has no more, and unregisters itself."""
        self.aborter.is_finished = True
        self.call("unregisterProducer")

    def close(self, call="loseConnection"):
        """Call that, as the end of the connection."""
        self.sample(always=True)
        self._bystander.count_from_here()
        self.aborter.record(wire.CLOSE_CALLED, written=self.aborter.written)
        self.call(call)

    def see_the_loss(self, limit=LIMIT):
        """The aborter is told of the end."""
        yield Wait("the aborter's connectionLost", lambda: self.aborter.lost, limit)

    def see_the_end(self, limit=LIMIT):
        """What the peer did, or the close, ends the connection."""
        yield from self.see_the_loss(limit)
        yield Wait("the peer's end", lambda: self.peer.over, LIMIT)
        yield Wait("the bystander", lambda: self._bystander.answered_since_abort, LIMIT)

    def crowd(self, size):
        """So many other connections on the same reactor, all proved full; returns them."""
        with self._calling("connect"):
            crowd = Crowd(self, self._cell, self._contexts, size)
        yield Wait("a crowd of connections", crowd.is_connected, CROWD_LIMIT)
        yield from self.turns(LAST_WORDS)
        with self._calling("registerProducer"):
            crowd.fill()
        yield Wait("a full crowd", crowd.is_proved, CROWD_LIMIT, soon=1, pace=ACKNOWLEDGED)
        return crowd

    def see_crowd_down(self, crowd):
        """All of them are told, both ends; then nothing of them is left. False if they are not."""
        is_down = False
        try:
            yield Wait("the crowd down", crowd.is_down, CROWD_END)
            crowd.drain()
            yield Wait("the crowd's peers", crowd.is_over, CROWD_END)
            is_down = True
        except GaveUp:
            pass  # the counts tell
        counts = crowd.counts()
        crowd.close()
        yield from self.turns(QUIET_TURNS)
        self.aborter.record(wire.CROWD, **counts, kept=crowd.kept())
        return is_down

    def see_both_ends_down(self):
        """The peer holds still until the aborter is down, or was not so promptly; then it reads."""

        def is_settled():
            return self.aborter.lost or self.turns_since_abort >= wire.PROMPT_TURNS

        yield Wait("the aborter down", is_settled, LIMIT)
        if not self.aborter.lost:
            self.aborter.record(wire.HOLD_ENDED, turns=self.turns_since_abort)
        self._clockwork.slow_down()
        with self._calling("resumeProducing"):
            self.peer.drain()
        yield from self.see_the_end()

    # The end ------------------------------------------------------------------------------------

    def _take_down(self):
        """Poke the dead transport, close all that is ours, and look at what is left."""
        late = {}
        written = self.aborter.written if self.aborter is not None else 0
        self.recorder.record(wire.PROCESS, wire.SCENARIO_OVER, written=written)
        if self.aborter is not None and self.aborter.lost and self.aborter.transport:
            self._poke(self.aborter)
            late["answered_after_late_calls"] = yield from self._is_answered()
        if self.peer is not None:
            self.peer.stop()
        yield from self._close_ours(late)
        self._clockwork.count_turns()
        yield from self.turns(QUIET_TURNS)
        self._see_what_is_left()

    def _poke(self, aborter):
        """A write, an abort and whatever else comes too late are no-ops."""
        transport = aborter.transport
        aborter.record(wire.LATE_WRITE, raised=raised_by(transport.write, b"too late"))
        for call in LATE_CALLS:
            aborter.record(wire.LATE_CALL, call=call, raised=raised_by(getattr(transport, call)))
        aborter.record(wire.LATE_ABORT, raised=raised_by(transport.abortConnection))

    def _is_answered(self):
        """Whether the bystander is, from here on."""
        try:
            yield Wait("the bystander", self._bystander.next_answer(), LIMIT)
        except GaveUp:
            return False
        return True

    def _close_ours(self, late):
        closing = list(self._wiring.ports)
        bystander, self._bystander = self._bystander, None
        if bystander is not None:
            self.recorder.record(wire.BYSTANDER, wire.SERVED, **bystander.served(), **late)
            closing.append(bystander.close())
        for port in tuple(closing):
            self._stop_listening(port, closing)
        self._wiring.ports.clear()
        try:
            yield Wait("closed ports", lambda: not closing, LIMIT)
            yield Wait("the bystander's end", lambda: bystander is None or bystander.is_gone, LIMIT)
        except GaveUp:
            pass  # what is left tells
        self._wiring.remove_folder()

    @staticmethod
    def _stop_listening(port, closing):
        stopped = port.stopListening()
        if stopped is None:
            closing.remove(port)
        else:
            stopped.addCallback(lambda result: closing.remove(port))

    def _see_what_is_left(self):
        if self.aborter is not None and self._identity is not None:
            is_closed = leftovers.identity(self.aborter.socket_number) != self._identity
            self.aborter.record(wire.DESCRIPTOR, closed=is_closed)
            references = leftovers.References(self.aborter, self.aborter.transport)
            self._wiring.aborter = self._wiring.peer = None
            self.recorder.record(wire.ABORTER, wire.RELEASED, **references.released())
        self.recorder.record(wire.PROCESS, wire.LEFTOVERS, **leftovers.held_by(self.reactor))


def raised_by(call, *arguments):
    """Call; what an event says of the exception that came of it, or None."""
    try:
        call(*arguments)
    except Exception as error:
        return describe(error)
    return None
