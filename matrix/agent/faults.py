"""Deliberately broken transports and reactors: one or more for every rule, each named by its rule.

A fault is given the stage once the connection is set up, and breaks one thing
about it, and as little else as it can. Faults are the negative controls of a run:
a rule that does not catch its fault catches nothing. Those of ``prompt`` show only
on a connection that is really not writeable.
"""

from __future__ import annotations

import os
import socket
import time
from collections import namedtuple
from contextlib import suppress

from twisted.internet import error
from twisted.python import log
from twisted.python.failure import Failure

from matrix import wire
from matrix.agent import ends, leftovers, windows

Fault = namedtuple("Fault", "rule inject")
"""``inject(stage)`` breaks what ``rule`` is there to notice."""

FAULTS: dict[str, Fault] = {}

_KEPT: list[object] = []


def _breaks(rule):
    """Register a fault under its function's name."""

    def register(inject):
        FAULTS[inject.__name__.replace("_", "-")] = Fault(rule, inject)
        return inject

    return register


def playable():
    """The faults that can be told here: name → `Fault`.

    Nobody lists the descriptors of Windows; a completion port does not find a connection readable
    and writeable at once; and where the system itself tells a reset as an orderly end there is no
    telling who did.
    """
    left_out = {"descriptor-leaked", "abort-sends-on"} if windows.IS_WINDOWS else set()
    if not windows.hears_resets():
        left_out |= {"reset-told-as-clean", "peer-told-of-a-clean-end"}
    return {name: fault for name, fault in FAULTS.items() if name not in left_out}


def _at_abort(stage, also):
    """Let the abort do its work, and then something else, before it returns."""
    transport = stage.aborter.transport
    abort = transport.abortConnection

    def broken():
        abort()
        also()

    transport.abortConnection = broken


def _at_loss(stage, also):
    """Let the aborter's connectionLost do its work, and then something else."""
    aborter = stage.aborter
    lost = aborter.connectionLost

    def broken(reason):
        lost(reason)
        also()

    aborter.connectionLost = broken


def _abort_later(stage, transport, turns):
    """Let that transport's abort take place so many turns of the reactor too late."""
    abort = transport.abortConnection

    def broken(left=turns):
        if left:
            stage.reactor.callLater(0, broken, left - 1)
        else:
            abort()

    transport.abortConnection = broken


def _lowest(transport):
    """The transport that owns the socket: under TLS, the one that is wrapped."""
    return getattr(transport, "transport", None) or transport


def _aborted():
    return Failure(error.ConnectionAborted())


def _raise(*arguments):
    raise RuntimeError("deliberate fault")


@_breaks("reactor-runs")
def abort_raises(stage):
    """abortConnection() works, and raises."""
    _at_abort(stage, _raise)


@_breaks("producer-paused")
def never_pauses(stage):
    """The transport does not tell its producer to pause."""
    transport = stage.aborter.transport
    register = transport.registerProducer

    def broken(producer, streaming):
        producer.pauseProducing = lambda: None
        register(producer, streaming)

    transport.registerProducer = broken


@_breaks("connection-lost-once")
def lost_twice(stage):
    """The loss is told a second time, a turn later."""
    lost = stage.aborter.connectionLost
    _at_loss(stage, lambda: stage.reactor.callLater(0, lost, _aborted()))


@_breaks("connection-lost-once")
def lost_never(stage):
    """The connection goes away, and its protocol is not told."""
    stage.aborter.connectionLost = lambda reason: None


@_breaks("factory-told")
def factory_not_told(stage):
    """The client's factory does not hear of the loss, and will not connect again."""
    stage.aborter.factory.clientConnectionLost = lambda connector, reason: None


@_breaks("not-reentrant")
def lost_inside_the_call(stage):
    """The loss is told before abortConnection() returns."""
    transport = stage.aborter.transport
    lowest = _lowest(transport)
    transport.abortConnection = lambda: lowest.connectionLost(_aborted())


@_breaks("reason-aborted")
def reason_clean(stage):
    """The loss says that the connection was closed cleanly."""
    lost = stage.aborter.connectionLost
    stage.aborter.connectionLost = lambda reason: lost(Failure(error.ConnectionDone()))


@_breaks("reason-fits")
def reset_told_as_clean(stage):
    """The peer's reset is reported as a clean end."""
    reason_clean(stage)


@_breaks("exception-reported")
def exception_swallowed(stage):
    """What a callback raises is dropped."""
    received = stage.aborter.dataReceived

    def broken(data):
        with suppress(Exception):
            received(data)

    stage.aborter.dataReceived = broken


@_breaks("deaf-after-abort")
def data_after_abort(stage):
    """What has come in by then is delivered after the abort."""
    _at_abort(stage, lambda: stage.aborter.dataReceived(b"late"))


@_breaks("prompt")
def abort_waits_for_writeable(stage):
    """The abort takes place when the socket is next writeable."""
    lowest = _lowest(stage.aborter.transport)
    abort = lowest.abortConnection

    def broken():
        lowest.doWrite = abort
        lowest.startWriting()

    lowest.abortConnection = broken


@_breaks("prompt")
def abort_flushes_first(stage):
    """The abort closes the connection once all of the buffer has been sent."""
    lowest = _lowest(stage.aborter.transport)
    lowest.abortConnection = lowest.loseConnection


@_breaks("prompt")
def abort_after_a_while(stage):
    """The abort takes place some turns of the reactor too late."""
    _abort_later(stage, stage.aborter.transport, 2 * wire.PROMPT_TURNS)


@_breaks("sleeps")
def reactor_never_sleeps(stage):
    """The reactor's thread is busy while everybody else holds still."""
    fall_asleep = stage.fall_asleep

    def burn():
        tick = windows.CPU_TICK if windows.IS_WINDOWS else 0
        end = time.thread_time() + 2e-6 * (wire.SLEEP_CPU + tick)
        while time.thread_time() < end:
            pass

    def broken(seconds):
        fall_asleep(seconds)
        stage.reactor.callLater(0, burn)

    stage.fall_asleep = broken


@_breaks("producer-alternates")
def resumed_twice(stage):
    """A producer that has just been resumed is resumed once more."""
    resume = stage.aborter.resumeProducing

    def broken():
        resume()
        resume()

    stage.aborter.resumeProducing = broken


@_breaks("producer-stopped-once")
def producer_never_stopped(stage):
    """The abort forgets the registered producer."""
    stage.aborter.stopProducing = lambda: None


@_breaks("producer-stopped-once")
def producer_stopped_twice(stage):
    """The producer is stopped when the abort is called, and again when the connection is lost."""
    _at_loss(stage, stage.aborter.stopProducing)


@_breaks("producer-silent-after-stop")
def producer_resumed_after_stop(stage):
    """The emptied buffer asks for more."""
    _at_loss(stage, stage.aborter.resumeProducing)


@_breaks("writes-after-abort-dropped")
def late_write_raises(stage):
    """A write to the dead transport raises."""
    _at_loss(stage, lambda: setattr(stage.aborter.transport, "write", _raise))


@_breaks("abort-idempotent")
def late_abort_raises(stage):
    """A second abort raises."""
    _at_loss(stage, lambda: setattr(stage.aborter.transport, "abortConnection", _raise))


@_breaks("late-calls-ignored")
def late_close_raises(stage):
    """An orderly close of what is lost already raises."""
    _at_loss(stage, lambda: setattr(stage.aborter.transport, "loseConnection", _raise))


@_breaks("descriptor-closed")
def descriptor_left_open(stage):
    """The socket is forgotten, and not closed."""
    if windows.IS_WINDOWS:  # whose sockets no descriptor stands for
        lowest = _lowest(stage.aborter.transport)
        _KEPT.append(lowest.socket)
        lowest._closeSocket = lambda orderly: None
        return
    number = stage.aborter.socket_number
    kept = os.dup(number)

    def reopen():
        os.dup2(kept, number)
        os.close(kept)

    _at_loss(stage, reopen)


@_breaks("reactor-clean")
def delayed_call_left(stage):
    """The abort leaves a timer behind."""
    _at_abort(stage, lambda: stage.reactor.callLater(3600, _raise))


@_breaks("reactor-clean")
def descriptor_leaked(stage):
    """The abort opens a descriptor that nobody closes."""
    _at_abort(stage, lambda: os.open(os.devnull, os.O_RDONLY))


@_breaks("nothing-logged")
def abort_logs_an_error(stage):
    """The abort reports an error that nobody made."""
    _at_abort(stage, lambda: log.err(Failure(RuntimeError("deliberate fault"))))


@_breaks("nothing-logged")
def socket_leaked_to_the_collector(stage):
    """The abort leaves a socket to the garbage collector."""
    _at_abort(stage, socket.socket)


@_breaks("bystander-served")
def abort_deafens_the_reactor(stage):
    """The abort takes every other connection from the reactor as well."""

    def deafen():
        for reader in leftovers.readers(stage.reactor):
            if hasattr(reader, "pauseProducing"):
                reader.pauseProducing()

    _at_abort(stage, deafen)


@_breaks("bystander-served")
def late_pause_deafens_another(stage):
    """To pause a dead transport takes every other connection from the reactor."""
    transport = stage.aborter.transport
    pause = transport.pauseProducing

    def broken():
        pause()
        for reader in leftovers.readers(stage.reactor) if stage.aborter.lost else ():
            if reader is not transport and hasattr(reader, "pauseProducing"):
                reader.pauseProducing()

    transport.pauseProducing = broken


@_breaks("released")
def transport_kept(stage):
    """Something refers to the dead transport for ever."""
    _KEPT.append(stage.aborter.transport)


@_breaks("peer-told")
def closed_in_good_order(stage):
    """The socket is closed without a reset: all that the kernel has is sent first, then a FIN."""
    lowest = _lowest(stage.aborter.transport)
    lowest.socket = _NoLinger(lowest.socket)


class _NoLinger:
    """A socket that does not let anybody set SO_LINGER."""

    def __init__(self, sock):
        self._socket = sock

    def __getattr__(self, name):
        return getattr(self._socket, name)

    def setsockopt(self, level, option, *value):
        """Set it, unless it is the one that makes a close a reset."""
        if option != socket.SO_LINGER:
            self._socket.setsockopt(level, option, *value)


@_breaks("crowd-down")
def crowd_told_twice(stage):
    """Every connection but the one that is watched singly is told of its loss twice."""
    lost = ends.Aborter.connectionLost

    def broken(aborter, reason):
        lost(aborter, reason)
        if aborter is not stage.aborter:
            lost(aborter, reason)

    ends.Aborter.connectionLost = broken  # type: ignore[method-assign]


@_breaks("prefix-only")
def bytes_garbled(stage):
    """The first byte of what is written changes on its way."""
    transport = stage.aborter.transport
    write = transport.write
    transport.write = lambda data: write(bytes([data[0] ^ 1]) + data[1:])


@_breaks("buffer-discarded")
def abort_sends_on(stage):
    """The abort takes place when more was sent than both kernels hold: the peer has read of it."""
    lowest = _lowest(stage.aborter.transport)
    send, abort = lowest.writeSomeData, lowest.abortConnection
    sent: list[int] = []

    def counted(data):
        accepted = send(data)
        if isinstance(accepted, int):
            sent.append(accepted)
        return accepted

    def broken():
        lowest.writeSomeData = counted
        if sum(sent) < 8 * wire.SMALL_BUFFER and lowest.connected:
            stage.reactor.callLater(0, broken)
        else:
            abort()

    lowest.abortConnection = broken


@_breaks("close-delivers")
def close_discards(stage):
    """An orderly close drops what is still in the buffer."""
    lowest = _lowest(stage.aborter.transport)
    stage.aborter.transport.loseConnection = lowest.abortConnection


@_breaks("close-delivers")
def close_without_a_goodbye(stage):
    """The producer's end is the connection's: everything is sent, and then a reset."""
    lowest = _lowest(stage.aborter.transport)
    close = lowest._closeSocket
    lowest._closeSocket = lambda orderly: close(False)


@_breaks("peer-lost-once")
def peer_lost_twice(stage):
    """The peer's connectionLost is called a second time."""
    peer = stage.peer
    lost = peer.connectionLost

    def broken(reason):
        lost(reason)
        lost(reason)

    peer.connectionLost = broken


@_breaks("peer-reason")
def peer_told_of_a_clean_end(stage):
    """The peer's connectionLost says that the connection was closed cleanly."""
    lost = stage.peer.connectionLost
    stage.peer.connectionLost = lambda reason: lost(Failure(error.ConnectionDone()))
