"""The catalogue: what each scenario does, what it stands for, where it has a meaning.

The agent plays them (`matrix.agent.scenarios`); this is what plan, judge and
documentation know of them.
"""

from __future__ import annotations

from attrs import frozen

from matrix import wire
from matrix.model.cell import Cell

FULL = "full"
"""The state is proved, and it still holds when the connection is aborted."""
WAS_FULL = "was-full"
"""The state is proved, and then the peer drains: the abort comes from within what follows."""
NEVER_FULL = "never-full"
"""The scenario is about what comes before or after the state."""

PLAIN = ("tcp4", "tcp6", "unix")
TLS = ("tls1.2", "tls1.3", "tls-unix")

_ABORT = "ITCPTransport.abortConnection: “Close the connection abruptly.”"
_DISCARDS = "ITCPTransport.abortConnection: “Discards any buffered data”"
_PRODUCERS = "ITCPTransport.abortConnection: “stops any registered producer”"
_LOSE = (
    "ITransport.loseConnection: “Close my connection, after writing all pending data. Note that if "
    "there is a registered producer on a transport it will not be closed until the producer has "
    "been unregistered.”"
)


@frozen
class Only:
    """A scenario has a meaning only with these values of an axis, and why.

    Where a ``reactor`` is named, that is so on this one alone.
    """

    axis: str
    values: tuple[str, ...]
    why: str
    reactor: str | None = None


@frozen
class Scenario:
    """One row of the catalogue.

    ``does`` says what happens, ``situation`` what it stands for in a real program, ``source`` the
    sentence or ticket behind it. ``exchange``: bytes cross both ways first. ``produces``: a
    producer is registered before the state is proved. ``ending`` is how the connection ends
    (`matrix.wire.ABORT` and what follows it). ``raises``: the scenario raises an exception of its
    own, which must be reported. ``shakes_hands``: with TLS, the handshake comes to its end before
    anything else. ``patience``: how many times the usual deadline it gets.
    """

    name: str
    family: str
    does: str
    situation: str
    source: str
    state: str = FULL
    only: tuple[Only, ...] = ()
    exchange: bool = False
    produces: bool = True
    ending: str = wire.ABORT
    raises: bool = False
    shakes_hands: bool = True
    patience: int = 1

    @property
    def aborts(self) -> bool:
        """Whether the aborter really aborts."""
        return self.ending in (wire.ABORT, wire.ABORT_DELIVERED)

    @property
    def closes(self) -> bool:
        """Whether the aborter closes in good order instead: all that was written must arrive."""
        return self.ending == wire.CLOSE


_WITNESS = Only("peer", ("socket",), "only the witness can do this to a connection")
_IOCP_TAKES_IT = Only(
    "peer",
    ("socket",),
    "there a read that is under way when reading is paused takes the bytes all the same",
    "iocp",
)
_REACTOR = Only("peer", ("reactor",), "a crowd of witnesses would be as many threads")
_NO_TLS = Only("transport", PLAIN, "TLS has no half-close")

SCENARIOS = (
    Scenario(
        "abort-when-full",
        "producers",
        "A push producer writes until it is paused; the state is proved; abort.",
        "A server streams to a client that went away; an idle timer fires.",
        _ABORT,
    ),
    Scenario(
        "abort-when-full-after-exchange",
        "producers",
        "The same, after bytes have crossed both ways.",
        "A response streams after its request; the client stops reading.",
        _ABORT,
        exchange=True,
    ),
    Scenario(
        "abort-when-full-no-producer",
        "producers",
        "One large write without a producer, in connectionMade; the state is proved; abort.",
        "A whole page is written at once to a client that does not read.",
        _DISCARDS,
        produces=False,
    ),
    Scenario(
        "abort-when-full-pull-producer",
        "producers",
        "A pull producer is asked until the kernel takes no more; the state is proved; abort.",
        "A file is sent by FileSender, which is a pull producer.",
        _PRODUCERS,
    ),
    Scenario(
        "abort-when-full-default-buffers",
        "producers",
        "The same as abort-when-full, with the buffers that the system gives.",
        "Nobody sets SO_SNDBUF.",
        _ABORT,
    ),
    Scenario(
        "abort-when-full-at-once",
        "producers",
        "The same as abort-when-full, with the producer registered in connectionMade: where there "
        "is TLS, before its handshake.",
        "A server streams to whoever connects.",
        "twisted.internet.test.test_tcp.StreamingProducerClient, the seed's own case.",
    ),
    Scenario(
        "abort-when-full-again",
        "producers",
        "The peer reads everything and holds still again, while the resumed producer has little to "
        "write; then it has much, and is paused; the state is proved once more; abort.",
        "A slow client that caught up once, and did not the second time.",
        "IConsumer.registerProducer: “resumeProducing will only be called when it empties.”",
    ),
    Scenario(
        "unregister-then-abort",
        "producers",
        "The paused producer unregisters itself with the buffer full; then abort.",
        "The last chunk has been written, and the client still does not read.",
        "IConsumer.unregisterProducer: “Stop consuming data from a producer, without "
        "disconnecting.”",
    ),
    Scenario(
        "abort-twice",
        "order of calls",
        "abortConnection() twice in a row.",
        "A timeout and an error handler both abort.",
        _ABORT,
    ),
    Scenario(
        "abort-then-lose",
        "order of calls",
        "abortConnection(), and at once loseConnection().",
        "A clean-up that always closes runs after an abort.",
        _ABORT,
    ),
    Scenario(
        "lose-then-abort",
        "order of calls",
        "loseConnection() waits for the full buffer; the state is proved again; abort.",
        "The most common one: an orderly close does not come to its end, and a timeout aborts.",
        _LOSE,
    ),
    Scenario(
        "lose-when-full",
        "order of calls",
        "loseConnection() while a producer is registered and the buffer is full; the peer drains; "
        "the producer writes once more when it is resumed, and unregisters itself.",
        "The counterpart of an abort: a slow client gets all that was written.",
        _LOSE,
        ending=wire.CLOSE,
    ),
    Scenario(
        "lose-when-full-no-producer",
        "order of calls",
        "One large write in connectionMade; the state is proved; one more write, and "
        "loseConnection(); the peer drains.",
        "A whole page is written at once, and the connection closed; the client is slow.",
        _LOSE,
        ending=wire.CLOSE,
        produces=False,
    ),
    Scenario(
        "unregister-then-lose",
        "order of calls",
        "A large write, and a producer that is paused and unregisters itself; one more write, and "
        "loseConnection(), of a protocol that knows half-closes; the peer drains.",
        "The body of a response was produced, its last lines are written, the connection closes.",
        _LOSE,
        ending=wire.CLOSE,
    ),
    Scenario(
        "lose-then-write",
        "order of calls",
        "The paused producer unregisters itself; loseConnection(), and at once one more write; "
        "the peer drains.",
        "Code further down does not know of the close and writes on.",
        "TLSMemoryBIOProtocol.write: “If loseConnection was called, subsequent calls to write will "
        "drop the bytes on the floor.”",
        ending=wire.CLOSE,
        only=(Only("transport", TLS, "nobody says what comes of such a write without TLS"),),
    ),
    Scenario(
        "lose-write-when-full",
        "order of calls",
        "The paused producer unregisters itself; loseWriteConnection(); the peer drains, and "
        "closes when it comes to the end.",
        "A request is sent whole, and its end is the end of what is sent.",
        "ITCPTransport.loseWriteConnection: “Half-close the write side of a TCP connection.”",
        ending=wire.CLOSE,
        only=(_NO_TLS,),
    ),
    Scenario(
        "write-then-abort",
        "order of calls",
        "One more write to the full transport, and at once abort.",
        "An error message is written before the connection is dropped.",
        _DISCARDS,
    ),
    Scenario(
        "abort-then-write",
        "order of calls",
        "abort, and at once one more write.",
        "Code further down does not know of the abort and writes on.",
        _DISCARDS,
    ),
    Scenario(
        "abort-in-pause-producing",
        "callbacks",
        "The full transport pauses a producer, which aborts from inside pauseProducing.",
        "A producer that has no patience.",
        "IPushProducer.pauseProducing: “Tells a producer that it has produced too much data to "
        "process for the time being”",
        produces=False,
    ),
    Scenario(
        "abort-in-resume-producing",
        "callbacks",
        "The peer drains, and the producer aborts from inside resumeProducing, within doWrite.",
        "The source of the data failed while the connection was full.",
        "IPushProducer.resumeProducing: “Resume producing data.”",
        state=WAS_FULL,
    ),
    Scenario(
        "abort-in-data-received",
        "callbacks",
        "A byte comes in while the send side is full; abort from inside dataReceived.",
        "The client sends nonsense and never reads the answer.",
        "IProtocol.dataReceived: “Called whenever data is received.”",
    ),
    Scenario(
        "abort-as-it-reopens",
        "callbacks",
        "A byte comes in and the peer drains, so that the reactor finds the connection readable "
        "and writeable in one turn; abort from inside dataReceived.",
        "The client reads on and sends nonsense, after a pause.",
        _DISCARDS,
        state=WAS_FULL,
        only=(_WITNESS,),
    ),
    Scenario(
        "abort-then-raise",
        "callbacks",
        "The same, and dataReceived raises right after the abort.",
        "The error handler has a bug of its own.",
        "An exception in a callback is reported; twisted.internet.tcp says that it reaches the "
        "reactor after an abort.",
        raises=True,
    ),
    Scenario(
        "raise-in-data-received",
        "callbacks",
        "A pull producer; a byte comes in while the send side is full, and dataReceived raises; "
        "nobody aborts.",
        "A bug in a protocol.",
        "twisted.internet.posixbase: “Any exception from application code gets logged and will "
        "cause us to disconnect the selectable.”",
        ending=wire.SAY,
        raises=True,
    ),
    Scenario(
        "raise-in-resume-then-abort",
        "callbacks",
        "A pull producer raises when it is asked for the first time, a push producer takes its "
        "place and is paused; the state is proved; abort.",
        "The file that is sent cannot be read, and an error page is streamed instead.",
        "twisted.internet._producer_helpers: “If the underlying producer throws an exception from "
        "resumeProducing, the producer will be unregistered from the consumer.”",
        only=(
            Only("transport", TLS, "without TLS, registerProducer itself asks, and so it raises"),
        ),
        raises=True,
    ),
    Scenario(
        "abort-from-thread",
        "callbacks",
        "callFromThread(abort) while the reactor sleeps and every buffer is full.",
        "A worker thread gives up on a client.",
        "IReactorFromThreads.callFromThread: “Cause a function to be executed by the reactor "
        "thread.”",
    ),
    Scenario(
        "abort-among-queued-calls",
        "callbacks",
        "A function hands itself to callFromThread each time that it is called, until the "
        "connection is lost; abort.",
        "A program whose queue of work never gets empty drops a client.",
        "IReactorFromThreads.callFromThread: “Cause a function to be executed by the reactor "
        "thread.”",
    ),
    Scenario(
        "abort-in-shutdown",
        "callbacks",
        "reactor.stop(); a trigger before shutdown aborts, and its Deferred holds the shutdown "
        "until the connection is lost.",
        "A server is told to stop while a client is stuck.",
        "IReactorCore.addSystemEventTrigger: “The 'during' phase will not execute until all of the "
        "Deferreds from the 'before' phase have fired.”",
    ),
    Scenario(
        "abort-after-timeout",
        "callbacks",
        "A TimeoutMixin's timeout, put off once, aborts, with nothing else going on.",
        "An idle timeout: what abortConnection exists for.",
        "twisted.protocols.policies.TimeoutMixin.timeoutConnection: “Called when the connection "
        "times out.”",
    ),
    Scenario(
        "abort-on-descriptor-zero",
        "states",
        "The same as abort-when-full, of a connection whose descriptor is number 0.",
        "A daemon has closed its standard input; the next socket gets its number.",
        "POSIX, accept() and socket(): the lowest number that is not open.",
    ),
    Scenario(
        "abort-after-spurious-wakeup",
        "states",
        "The reactor's descriptors of the full connection are told to read and to write although "
        "they cannot; the state is proved again; abort.",
        "select(2) says that it may happen: readiness is a hint.",
        "IReadDescriptor.doRead, IWriteDescriptor.doWrite: only an error that ends the connection "
        "is returned.",
    ),
    Scenario(
        "abort-while-paused",
        "states",
        "The aborter's own reading is paused, and resumed in the turn of the abort.",
        "A proxy applies back pressure in both directions.",
        "ITransport producers: IPushProducer.pauseProducing of the transport itself.",
    ),
    Scenario(
        "abort-while-half-closed",
        "states",
        "The peer's FIN has come, an own loseWriteConnection() waits behind the full buffer; "
        "abort.",
        "Both sides said goodbye, and one does not take the rest.",
        "IHalfCloseableProtocol, ITCPTransport.loseWriteConnection: “Half-close the write side”",
        only=(_NO_TLS, _WITNESS),
    ),
    Scenario(
        "abort-both-sides",
        "states",
        "Both ends abort in the same turn of the reactor.",
        "A server shuts down.",
        _ABORT,
        only=(Only("peer", ("reactor",), "a turn is one reactor's"),),
    ),
    Scenario(
        "abort-many",
        "load",
        "200 full connections on one reactor are aborted in one turn.",
        "A server drops all its clients; one of them is served on.",
        _ABORT,
        only=(_REACTOR,),
        patience=5,
    ),
    Scenario(
        "abort-storm",
        "load",
        "500 connections are made, filled, proved and aborted, in waves; nothing of them is left.",
        "Clients that stall come back again and again.",
        _ABORT,
        only=(_REACTOR,),
        patience=5,
    ),
    Scenario(
        "abort-after-delivery",
        "states",
        "What was written is in the peer's kernel, and unread; abort.",
        "A short answer, and then a reset: how much of it arrives?",
        _ABORT,
        ending=wire.ABORT_DELIVERED,
        state=NEVER_FULL,
        produces=False,
        only=(_IOCP_TAKES_IT,),
    ),
    Scenario(
        "abort-after-loss",
        "states",
        "The peer resets the full connection while the aborter's own reading is paused; an abort "
        "that comes after connectionLost is a no-op.",
        "A timer fires that nobody cancelled.",
        _ABORT,
        ending=wire.RESET_IT,
        only=(_WITNESS,),
    ),
    Scenario(
        "peer-closes-while-full",
        "the peer",
        "The peer ends its side in good order (FIN, for TLS close_notify) and then drains.",
        "The client has said all, and reads on slowly.",
        "IProtocol.connectionLost: “Called when the connection is shut down.”",
        ending=wire.FINISH,
        only=(_WITNESS,),
    ),
    Scenario(
        "peer-truncates-while-full",
        "the peer",
        "The peer ends its side with a FIN and no close_notify, and then drains.",
        "Somebody in between cuts a response short, so that it looks complete.",
        "RFC 8446, 6.1: “If a transport-level close is received prior to a close_notify, the "
        "receiver cannot know that all the data that was sent has been received.”",
        ending=wire.TRUNCATE,
        only=(_WITNESS, Only("transport", TLS, "without TLS a FIN is all there is")),
    ),
    Scenario(
        "peer-sends-rubbish-while-full",
        "the peer",
        "The peer sends what is no TLS record while our buffer is full, and then drains.",
        "A broken middle box.",
        "IProtocol.connectionLost: “Called when the connection is shut down.”",
        ending=wire.RUBBISH,
        only=(_WITNESS, Only("transport", TLS, "without TLS any bytes are data")),
    ),
    Scenario(
        "peer-closes-after-unregister",
        "the peer",
        "The same as peer-closes-while-full, once the paused producer has unregistered itself; one "
        "write comes too late.",
        "The last chunk is on its way when the client says goodbye.",
        "IProtocol.connectionLost: “Called when the connection is shut down.”",
        ending=wire.FINISH,
        only=(_WITNESS,),
    ),
    Scenario(
        "peer-sends-rubbish-after-unregister",
        "the peer",
        "The same as peer-sends-rubbish-while-full, once the producer has unregistered itself.",
        "A broken middle box, and a response that was written whole.",
        "IProtocol.connectionLost: “Called when the connection is shut down.”",
        ending=wire.RUBBISH,
        only=(_WITNESS, Only("transport", TLS, "without TLS any bytes are data")),
    ),
    Scenario(
        "peer-resets-while-full",
        "the peer",
        "The peer resets the connection while our producer is paused and our buffer full; our "
        "protocol knows half-closes, and this is none.",
        "The client crashed.",
        "IProtocol.connectionLost: “Called when the connection is shut down.”",
        ending=wire.RESET_IT,
        only=(_WITNESS,),
    ),
    Scenario(
        "peer-vanishes-while-full",
        "the peer",
        "The process that holds the peer's end is killed while our buffer is full.",
        "The client's machine ran out of memory.",
        "IProtocol.connectionLost: “Called when the connection is shut down.”",
        ending=wire.VANISH,
        only=(_WITNESS,),
    ),
    Scenario(
        "abort-in-handshake",
        "TLS",
        "A first flight that is larger than every buffer goes to a peer that never answers it; "
        "the state is proved; abort.",
        "A port scanner, or a client that stalls before it has said a word.",
        _ABORT,
        only=(_WITNESS, Only("transport", TLS, "without TLS there is no handshake")),
        shakes_hands=False,
    ),
    Scenario(
        "start-tls-then-abort",
        "TLS",
        "TLS begins on a running connection (startTLS); it is filled and proved; abort.",
        "SMTP, IMAP or LDAP over STARTTLS.",
        "ITLSTransport.startTLS: “Initiate TLS negotiation.”",
        only=(Only("transport", ("tls1.2", "tls1.3"), "without TLS there is nothing to start"),),
        exchange=True,
    ),
)


def find(name: str) -> Scenario:
    """The scenario of that name; for one that this version does not know, what most of them are."""
    return _BY_NAME.get(name) or Scenario(name, "unknown", "", "", "")


_BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def why_left_out(cell: Cell) -> str | None:
    """Why this combination has no meaning, or None where it has one."""
    for only in find(cell.scenario).only:
        is_meant = only.reactor in (None, cell.reactor)
        if is_meant and getattr(cell, only.axis) not in only.values:
            on = f" on {only.reactor}" if only.reactor else ""
            values = " or ".join(only.values)
            return f"{cell.scenario} has {only.axis} {values} only{on}: {only.why}"
    return None
