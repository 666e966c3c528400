"""The contract: what must hold when a connection that is not writeable is aborted.

Each rule is a row of `RULES`: what is expected, by which sentence of which
interface, on which of two axes, and a pure function that looks for the evidence
in a transcript. ``local`` rules are about the aborter, ``peer`` rules about
what the other end is told, where the kernel may fail although the reactor did not.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from matrix import checks, wire
from matrix.checks import Case, Finding


@frozen
class Rule:
    """One clause. ``expects`` and ``source`` are for people, ``check`` finds what was seen.

    ``peer`` is the kind of peer that the rule is about, None for any; ``scenario`` one in which it
    can be broken, None for most.
    """

    name: str
    axis: str
    expects: str
    source: str
    check: Callable[[Case], Finding]
    peer: str | None = None
    scenario: str | None = None


_ABORT = (
    "ITCPTransport.abortConnection: “Discards any buffered data, stops any registered producer, "
    "and, if possible, notifies the other end of the unclean closure.”"
)
_ABRUPT = "ITCPTransport.abortConnection: “Close the connection abruptly.”"
_LOST = (
    "IProtocol.connectionLost: “The connection has been closed. The reason Failure wraps a "
    "ConnectionDone or ConnectionLost instance (or a subclass of one of those).”"
)
_STOP = (
    "IProducer.stopProducing: “This tells a producer that its consumer has died, so it must stop "
    "producing data for good.”"
)

RULES = (
    Rule(
        "reactor-runs",
        "local",
        "The reactor can be installed and run, and no call into it or the transport raises.",
        "IReactorCore.run, ITCPTransport.abortConnection: neither documents an exception.",
        checks.reactor_runs,
    ),
    Rule(
        "producer-paused",
        "local",
        "When the abort comes, the push producer of the full transport is paused.",
        "IConsumer.registerProducer: “pauseProducing will be called whenever the write buffer "
        "fills up and resumeProducing will only be called when it empties.”",
        checks.producer_paused,
    ),
    Rule(
        "connection-lost-once",
        "local",
        "The aborter's connectionLost is called exactly once, readConnectionLost once at most.",
        "IProtocol.connectionLost: “Called when the connection is shut down.”",
        checks.connection_lost_once,
    ),
    Rule(
        "factory-told",
        "local",
        "Where the client's protocol is told that its connection is lost, so is its factory, once.",
        "ClientFactory.clientConnectionLost: “Called when an established connection is lost.”",
        checks.factory_told,
    ),
    Rule(
        "not-reentrant",
        "local",
        "The aborter's connectionLost is not called from inside the call to abortConnection().",
        "Twisted's own tests of ITCPTransport.abortConnection, AbortConnectionMixin in "
        "twisted.internet.test.test_tcp, ask for it (twisted#78).",
        checks.not_reentrant,
    ),
    Rule(
        "reason-aborted",
        "local",
        "The aborter's connectionLost is given a ConnectionAborted, or the exception that a "
        "callback raised right after the abort.",
        "twisted.internet.error.ConnectionAborted: “Connection was aborted locally, using "
        "ITCPTransport.abortConnection.”",
        checks.reason_aborted,
    ),
    Rule(
        "reason-fits",
        "local",
        "Where the connection is not aborted but closed, by either end, the reason says how: "
        "ConnectionDone for an orderly end, ConnectionLost for any other.",
        _LOST,
        checks.reason_fits,
        peer="socket",
        scenario="peer-resets-while-full",
    ),
    Rule(
        "exception-reported",
        "local",
        "An exception that a callback raises after the abort is reported once, and not masked.",
        "twisted.python.log.err: “Write a failure to the log.”",
        checks.exception_reported,
        scenario="abort-then-raise",
    ),
    Rule(
        "deaf-after-abort",
        "local",
        "Once it has aborted, the aborter's dataReceived is not called any more.",
        _ABRUPT,
        checks.deaf_after_abort,
    ),
    Rule(
        "prompt",
        "local",
        f"connectionLost is called within {wire.PROMPT_TURNS} turns of the reactor, although the "
        "peer reads nothing and the socket never gets writeable.",
        _ABRUPT,
        checks.prompt,
    ),
    Rule(
        "sleeps",
        "local",
        "While every buffer is full and nobody does anything, the reactor sleeps, in less than "
        f"{wire.SLEEP_CPU / 1000:g} ms of CPU, and for as long as it was asked to.",
        "IReactorTime.callLater: “the number of seconds to wait”; IReactorFDSet.addWriter: a "
        "writer is told when there is something to write to, and not all the time.",
        checks.sleeps,
        scenario="abort-after-timeout",
    ),
    Rule(
        "producer-alternates",
        "local",
        "A push producer is resumed only when it is paused.",
        "IConsumer.registerProducer: “pauseProducing will be called whenever the write buffer "
        "fills up and resumeProducing will only be called when it empties.”",
        checks.producer_alternates,
        scenario="abort-when-full-again",
    ),
    Rule(
        "producer-stopped-once",
        "local",
        "The registered producer's stopProducing is called exactly once.",
        _ABORT,
        checks.producer_stopped_once,
    ),
    Rule(
        "producer-silent-after-stop",
        "local",
        "Once it was stopped, the producer is neither paused nor resumed.",
        _STOP,
        checks.producer_silent_after_stop,
    ),
    Rule(
        "writes-after-abort-dropped",
        "local",
        "A write to the aborted transport is dropped without an exception.",
        _ABORT,
        checks.writes_after_abort_dropped,
    ),
    Rule(
        "abort-idempotent",
        "local",
        "A second abort of the same connection does nothing, and raises nothing.",
        _ABRUPT,
        checks.abort_idempotent,
    ),
    Rule(
        "late-calls-ignored",
        "local",
        "Once the connection is lost, loseConnection(), unregisterProducer(), pauseProducing() and "
        "resumeProducing() raise nothing.",
        "ITransport.loseConnection, IConsumer.unregisterProducer, IPushProducer: none documents an "
        "exception.",
        checks.late_calls_ignored,
    ),
    Rule(
        "descriptor-closed",
        "local",
        "The aborter's descriptor is closed.",
        _LOST,
        checks.descriptor_closed,
    ),
    Rule(
        "reactor-clean",
        "local",
        "Nothing is left that was not there before: readers, writers, delayed calls, threads, "
        "open descriptors.",
        "IReactorFDSet.removeAll, getReaders and getWriters tell what a reactor still holds.",
        checks.reactor_clean,
    ),
    Rule(
        "nothing-logged",
        "local",
        "No error is logged, nothing is unraisable, nothing leaks with a ResourceWarning.",
        "twisted.python.log.err: “Write a failure to the log.” A clean abort is none.",
        checks.nothing_logged,
    ),
    Rule(
        "bystander-served",
        "local",
        "Another connection on the same reactor is served all the while.",
        "ITransport.write: “in a non-blocking fashion”.",
        checks.bystander_served,
    ),
    Rule(
        "released",
        "local",
        "The aborter's transport and protocol can be collected.",
        "IProtocol.connectionLost: “Clear any circular references here, and any external "
        "references to this Protocol.”",
        checks.released,
    ),
    Rule(
        "crowd-down",
        "local",
        "Every other connection that was aborted goes down as one alone does: told once, producer "
        "stopped once, peer told, nothing kept.",
        _ABORT,
        checks.crowd_down,
        peer="reactor",
        scenario="abort-many",
    ),
    Rule(
        "peer-told",
        "peer",
        "The other end is told of an unclean closure as clearly as a reset without any reactor "
        "tells it on this host.",
        _ABORT,
        checks.peer_told,
        peer="socket",
    ),
    Rule(
        "prefix-only",
        "peer",
        "What the other end reads is a prefix of what was written before the abort.",
        "ITransport.write: “Write some data to the physical connection, in sequence.”",
        checks.prefix_only,
    ),
    Rule(
        "buffer-discarded",
        "peer",
        "What the transport still holds when it is aborted is not sent any more.",
        "ITCPTransport.abortConnection: “Discards any buffered data”",
        checks.buffer_discarded,
        peer="socket",
        scenario="abort-as-it-reopens",
    ),
    Rule(
        "close-delivers",
        "peer",
        "Where the aborter closes instead of aborting, the other end reads all that was written, "
        "and then an orderly end.",
        "ITransport.loseConnection: “Close my connection, after writing all pending data.”",
        checks.close_delivers,
        scenario="lose-when-full",
    ),
    Rule(
        "peer-lost-once",
        "peer",
        "The connectionLost of a peer on the same reactor is called exactly once.",
        "IProtocol.connectionLost: “Called when the connection is shut down.”",
        checks.peer_lost_once,
        peer="reactor",
    ),
    Rule(
        "peer-reason",
        "peer",
        "A peer on the same reactor is told whether the connection was closed cleanly, where the "
        "host can tell it.",
        _LOST,
        checks.peer_reason,
        peer="reactor",
    ),
)


def rule(name: str) -> Rule | None:
    """The rule of that name, or None where this version has none."""
    return next((each for each in RULES if each.name == name), None)
