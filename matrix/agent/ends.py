"""The protocols on the reactor: the aborter, the peer on the same reactor, the bystander."""

from __future__ import annotations

import socket

from twisted.internet import interfaces
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer

from matrix import wire
from matrix.agent import overlapped, probes, stream, transports
from matrix.agent.recorder import describe_reason

CHUNK = 80_000
"""Bytes in one write: more than a transport takes before it pauses its producer."""

SIP = 1000
"""Bytes in one write of a producer that has little: far less than fills a transport."""

WRITE_LIMIT = 1 << 24
"""Bytes after which a producer that nobody pauses stops by itself."""


@implementer(interfaces.IHandshakeListener)
class End(Protocol):
    """What both ends on the reactor do: record what happens to them, and count what they read.

    ``up`` turns true when application bytes may cross, ``lost`` counts ``connectionLost``.
    """

    side = ""

    def __init__(self, stage):
        self.stage = stage
        self.up = False
        self.lost = 0
        self.socket_number = self.socket_family = None
        self.reading = stream.Reading()
        self.hooks = {}

    def record(self, event, **data):
        """Record an event of this side."""
        self.stage.recorder.record(self.side, event, **data)

    def connectionMade(self):
        """The connection is there; with TLS, the handshake is still to come."""
        handle = lowest(self.transport).getHandle()
        self.socket_number, self.socket_family = handle.fileno(), handle.family
        local, remote = self.transport.getHost(), self.transport.getPeer()
        self.record(wire.CONNECTED, local=str(local), remote=str(remote))
        if not self.stage.transport.tls or self.stage.scenario.starts_tls:
            self.begin()

    def handshakeCompleted(self):
        """TLS is up."""
        self.record(wire.HANDSHAKE, **_tls_facts(self.transport, self.stage.is_client(self.side)))
        self.begin()

    def begin(self):
        """Application bytes may cross from now on."""
        self.up = True

    def dataReceived(self, data):
        """Bytes of the application."""
        self.reading.add(data)
        self.follow_hook("dataReceived")

    def start_tls(self):
        """Begin TLS on the connection; `up` turns true again when it is there."""
        self.up = False
        self.transport.startTLS(self.stage.tls_options(self.side))

    def follow_hook(self, callback):
        """Do, once, what the scenario wants done inside that callback."""
        self.hooks.pop(callback, lambda: None)()

    def connectionLost(self, reason):
        """The connection is gone."""
        self.lost += 1
        self.up = False
        self.record(
            wire.CONNECTION_LOST, reason=describe_reason(reason), turns=self.stage.turns_since_abort
        )


def lowest(transport):
    """The transport that owns the socket: under TLS, the one that is wrapped."""
    while not isinstance(transport.getHandle(), socket.socket):
        transport = transport.transport
    return transport


def _tls_facts(transport, is_client):
    from matrix.agent import tls

    connection = transport.getHandle()
    if isinstance(connection, socket.socket):  # after startTLS
        connection = transport.protocol.getHandle()
    return {
        "version": connection.get_protocol_version_name(),
        "cipher": connection.get_cipher_name(),
        "verified": tls.identity_check() if is_client else None,
    }


@implementer(interfaces.IPushProducer, interfaces.IPullProducer)
class Aborter(End):
    """Writes until its transport pauses it, and again whenever it is resumed; and aborts."""

    side = wire.ABORTER

    def __init__(self, stage):
        super().__init__(stage)
        self.written = 0
        self.paused = self.stopped = self.read_lost = self.is_finished = False
        self.is_sipping = False
        self.is_streaming = self._is_pouring = False

    def connectionMade(self):
        """The connection is there, and its descriptor can be watched."""
        super().connectionMade()
        if self.stage.scenario.small_buffers:
            transports.shrink_descriptor(self.socket_number, self.socket_family, socket.SO_SNDBUF)
        sends = overlapped.watch(lowest(self.transport))
        self.probe = probes.Probe(self.socket_number, self.socket_family, sends)
        self.stage.scenario.at_once(self)

    def dataReceived(self, data):
        """Bytes of the application; once it has aborted, there ought to be none."""
        if self.stage.turns_since_abort is not None:
            self.record(wire.DATA_AFTER_ABORT, bytes=len(data))
        super().dataReceived(data)

    def write(self, size):
        """Give the transport the next ``size`` bytes of the stream."""
        self.written += size
        self.transport.write(stream.expected(self.written - size, size))

    def produce(self, streaming=True):
        """Become the transport's producer."""
        self.is_streaming = streaming
        self.record(wire.PRODUCER_REGISTERED, streaming=streaming)
        self.transport.registerProducer(self, streaming)

    def fill(self, streaming=True):
        """Become the transport's producer, a push producer that pours or a pull producer."""
        self.produce(streaming)
        if streaming:
            self.pour()

    def produce_little(self):
        """Become the transport's push producer, and write little before it goes on."""
        self.produce()
        self.write(SIP)

    def pour(self):
        """Write chunks for as long as the transport takes them."""
        if self._is_pouring:
            return
        self._is_pouring = True
        while self.wants_more:
            self.write(CHUNK)
        self._is_pouring = False

    @property
    def wants_more(self):
        """Whether there is more to write: not without end, and nothing once it was aborted."""
        is_over = self.paused or self.stopped or self.lost or self.is_finished
        is_aborted = self.stage.turns_since_abort is not None
        return not (is_over or is_aborted) and self.written < WRITE_LIMIT

    def pauseProducing(self):
        """The transport has enough."""
        self.paused = True
        self.record(wire.PRODUCER_PAUSED, written=self.written)
        self.follow_hook("pauseProducing")

    def resumeProducing(self):
        """The transport wants more."""
        self.paused = False
        self.record(wire.PRODUCER_RESUMED, written=self.written)
        self.follow_hook("resumeProducing")
        if self.is_sipping:
            self.write(SIP)
        elif self.is_streaming:
            self.pour()
        elif self.wants_more:
            self.write(CHUNK)

    def readConnectionLost(self):
        """The peer writes no more."""
        self.read_lost = True
        self.record(wire.READ_LOST)

    def writeConnectionLost(self):
        """Our own half-close went through."""

    def stopProducing(self):
        """The transport wants nothing any more."""
        self.stopped = True
        self.record(wire.PRODUCER_STOPPED, written=self.written)


class ReactorPeer(End):
    """The peer on the same reactor: it stops reading as soon as it may, and drains when told to."""

    side = wire.PEER

    def __init__(self, stage):
        super().__init__(stage)
        self.still = False
        self._wanted = None
        self._reads_next = False

    def connectionMade(self):
        """The connection is there; over completion ports, with a socket that was made ahead of it.

        That one has nothing of the listening socket's, so its buffer is still to be made small. It
        is read from as soon as this returns, whatever is called here.
        """
        is_overlapped = self._reads_next = overlapped.reads_after_made(self.transport)
        super().connectionMade()
        self._reads_next = False
        if self.stage.scenario.small_buffers and is_overlapped:
            transports.shrink_descriptor(self.socket_number, self.socket_family, socket.SO_RCVBUF)

    def begin(self):
        """Stop reading, unless bytes are to be exchanged first."""
        super().begin()
        if self.stage.scenario.exchange and not self.reading.bytes:
            return
        if self._reads_next:
            self.stage.reactor.callLater(0, self.hold_still)
        else:
            self.hold_still()

    def dataReceived(self, data):
        """Answer the exchange once all of it has come, and read nothing after it."""
        super().dataReceived(data)
        scenario, so_far = self.stage.scenario, self.reading.bytes
        if scenario.exchange and not self.still and so_far >= scenario.exchange:
            self.record(wire.EXCHANGED, sent=scenario.exchange, received=so_far)
            self.transport.write(stream.expected(0, scenario.exchange))
            if not scenario.starts_tls:
                self.hold_still()
        if self._wanted is not None and so_far >= self._wanted:
            self._wanted = None
            self.hold_still()

    def say(self, data):
        """Send bytes to the aborter."""
        self.transport.write(data)

    def act(self, act):
        """``say`` is all that this end can do: send a byte."""
        assert act == wire.SAY
        self.say(b"?")

    def hold_still(self):
        """Read nothing from now on."""
        self.transport.pauseProducing()
        self.still = True
        self.record(wire.READING_STOPPED)

    @property
    def over(self):
        """Whether this end has seen the connection end."""
        return bool(self.lost)

    @property
    def read(self):
        """Bytes of the application that were read so far."""
        return self.reading.bytes

    def receive_queue(self):
        """Bytes that wait in the kernel for this end to read them, or None."""
        return None if self.lost else probes.receive_queue(self.socket_number)

    def arrived(self):
        """Its ``receive_queue()`` and then what it has ``read``."""
        return self.receive_queue(), self.read

    def drain(self):
        """Read again."""
        if not self.lost:
            self.transport.resumeProducing()

    def catch_up(self, count):
        """Read until ``count`` bytes of the application have come in all, and hold still again."""
        self.still, self._wanted = False, count
        self.transport.resumeProducing()

    drain_politely = drain
    """The transport answers a close_notify by itself."""

    def stop(self):
        """Nothing is read any more: this was all."""
        self.record(wire.RECEIVED, **self.reading.seen())


class OneOf(Factory):
    """Builds the one protocol that the stage waits for, and hands it over."""

    noisy = False

    def __init__(self, build, stage, hand_over):
        self._build = build
        self._stage = stage
        self._hand_over = hand_over

    def buildProtocol(self, address):
        """The protocol, already known to the stage."""
        protocol = self._build(self._stage)
        protocol.factory = self
        self._hand_over(protocol)
        return protocol

    def startedConnecting(self, connector):
        """Part of the client factory's interface."""

    def clientConnectionFailed(self, connector, reason):
        """The reactor could not connect: recorded, so that the wait that follows is explained."""
        self._stage.recorder.record(
            wire.PROCESS,
            wire.GAVE_UP,
            waiting_for="a connection",
            exception=describe_reason(reason),
        )

    def clientConnectionLost(self, connector, reason):
        """The client's connection is gone: recorded."""
        self._stage.recorder.record(self._build.side, wire.FACTORY_TOLD)
