"""The contract: what must hold when a connection that is not writeable is aborted.

Each rule is a row of `RULES`: what is expected, by which sentence of which
interface, on which of two axes, and a pure function that looks for the evidence
in a transcript. ``local`` rules are about the aborter, ``peer`` rules about
what the other end is told, where the kernel may fail although the reactor did not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen

from matrix import wire
from matrix.evidence import MissingEvidence, count, flag, raised, texts
from matrix.model.cell import Cell
from matrix.model.transcript import Event, Transcript


@frozen
class Case:
    """What a rule looks at. ``bar`` is how the control's peer was told (`matrix.wire.SIGNALS`)."""

    cell: Cell
    transcript: Transcript
    bar: str

    def need(self, name: str, side: str | None = None) -> Event:
        """The first event of that name; `MissingEvidence` where there is none."""
        event = self.transcript.first(name, side)
        if event is None:
            raise MissingEvidence(f"no {name} event")
        return event

    def after(self, event: Event, *names: str) -> list[Event]:
        """The aborter's events of those names that came after that event."""
        events = self.transcript.events
        later = events[events.index(event) + 1 :]
        return [e for e in later if e.name in names and e.side == wire.ABORTER]

    def story(self) -> list[Event]:
        """The events up to the scenario's end.

        What happens to a connection while the harness takes everything down, and the reactor
        shuts down, makes up for nothing.
        """
        events = self.transcript.events
        return list(events[: events.index(self.need(wire.SCENARIO_OVER))])

    @property
    def lost(self) -> Event | None:
        """The aborter's first ``connectionLost``."""
        wanted = (wire.CONNECTION_LOST, wire.ABORTER)
        return next((e for e in self.story() if (e.name, e.side) == wanted), None)


@frozen
class NotApplicable:
    """Nothing for this rule to look at, and why."""

    why: str


Finding = str | NotApplicable | None
"""What was seen instead, where a rule is broken; None where it holds."""


@frozen
class Rule:
    """One clause. ``expects`` and ``source`` are for people, ``check`` finds what was seen.

    ``peer`` is the kind of peer that the rule is about, None for any.
    """

    name: str
    axis: str
    expects: str
    source: str
    check: Callable[[Case], Finding]
    peer: str | None = None


def _reactor_runs(case: Case) -> Finding:
    found = [(e["call"], e["exception"]) for e in case.transcript.all(wire.REACTOR_RAISED)]
    returned = map(raised, case.transcript.all(wire.ABORT_RETURNED))
    found += [("abortConnection", what) for what in returned if what is not None]
    return "; ".join(f"{call} raised {_words(what)}" for call, what in found) or None


def _producer_paused(case: Case) -> Finding:
    abort = case.need(wire.ABORT_CALLED)
    before = case.transcript.events[: case.transcript.events.index(abort)]
    names = (wire.PRODUCER_REGISTERED, wire.PRODUCER_PAUSED, wire.PRODUCER_RESUMED)
    calls = [event.name for event in before if event.name in names]
    if not calls:
        return NotApplicable("no producer was registered")
    if calls[-1] == wire.PRODUCER_PAUSED:
        return None
    return "the buffer was full, and the producer was not paused"


def _connection_lost_once(case: Case) -> Finding:
    return _once(case, wire.CONNECTION_LOST, wire.ABORTER, "connectionLost")


def _once(case: Case, name: str, side: str, call: str) -> Finding:
    count = len(list(case.transcript.all(name, side)))
    if count > 1:
        return f"{call} was called {count} times"
    if not any((event.name, event.side) == (name, side) for event in case.story()):
        return f"{call} was not called{' before everything was shut down' if count else ''}"
    return None


def _not_reentrant(case: Case) -> Finding:
    events = case.transcript.events
    begin = events.index(case.need(wire.ABORT_CALLED))
    end = events.index(case.need(wire.ABORT_RETURNED))
    inside = [e for e in events[begin:end] if e.side == wire.ABORTER]
    if any(e.name == wire.CONNECTION_LOST for e in inside):
        return "connectionLost was called before abortConnection() returned"
    return None


def _reason_aborted(case: Case) -> Finding:
    if case.lost is None:
        return NotApplicable("connectionLost was never called")
    reason = case.lost["reason"]
    if "twisted.internet.error.ConnectionAborted" in reason["mro"]:
        return None
    return f"the reason was {_words(reason)}"


def _prompt(case: Case) -> Finding:
    lost, begin = case.lost, case.need(wire.ABORT_CALLED).t
    if lost is None:
        return "while the reactor ran, connectionLost never came"
    if case.transcript.first(wire.HOLD_ENDED) is None and count(lost, "turns") < wire.PROMPT_TURNS:
        return None
    return (
        f"after {wire.PROMPT_TURNS} turns of the reactor, with the peer holding still, "
        f"connectionLost had not come; it came {lost.t - begin:.3f} s after the abort"
    )


def _producer_stopped_once(case: Case) -> Finding:
    if case.transcript.first(wire.PRODUCER_REGISTERED) is None:
        return NotApplicable("no producer was registered")
    return _once(case, wire.PRODUCER_STOPPED, wire.ABORTER, "stopProducing")


def _producer_silent_after_stop(case: Case) -> Finding:
    stopped = case.transcript.first(wire.PRODUCER_STOPPED) or case.lost
    if stopped is None:
        return NotApplicable("the producer was never stopped, and the connection never lost")
    later = case.after(stopped, wire.PRODUCER_PAUSED, wire.PRODUCER_RESUMED)
    if not later:
        return None
    return f"afterwards the producer was told: {', '.join(event.name for event in later)}"


def _writes_after_abort_dropped(case: Case) -> Finding:
    return _late(case, wire.LATE_WRITE, "write()")


def _abort_idempotent(case: Case) -> Finding:
    return _late(case, wire.LATE_ABORT, "a second abortConnection()")


def _late(case: Case, name: str, call: str) -> Finding:
    if case.lost is None:
        return NotApplicable("connectionLost was never called")
    what = raised(case.need(name))
    return None if what is None else f"{call} after connectionLost raised {_words(what)}"


def _descriptor_closed(case: Case) -> Finding:
    if flag(case.need(wire.DESCRIPTOR), "closed"):
        return None
    return "the aborter's descriptor was still open at the end"


def _reactor_clean(case: Case) -> Finding:
    before, after = case.need(wire.BASELINE), case.need(wire.LEFTOVERS)
    left = [
        f"{kind}: {', '.join(new)}"
        for kind in ("readers", "writers", "delayed_calls", "threads", "descriptors")
        if (new := _new(texts(before, kind), texts(after, kind)))
    ]
    return f"left behind: {'; '.join(left)}" if left else None


def _new(before: list[str], after: list[str]) -> list[str]:
    known, new = list(before), []
    for text in after:
        if text in known:
            known.remove(text)
        else:
            new.append(text)
    return new


def _nothing_logged(case: Case) -> Finding:
    logged = [f"{e['kind']}: {_first_line(e['text'])}" for e in case.transcript.all(wire.LOGGED)]
    return "; ".join(logged) or None


def _bystander_served(case: Case) -> Finding:
    served = case.need(wire.SERVED)
    if not count(served, "answered_since_abort"):
        return "the other connection got no answer after the abort"
    asked, answered = count(served, "asked"), count(served, "answered")
    if asked - answered > 1:
        return f"{answered} of {asked} questions were answered"
    return None


def _released(case: Case) -> Finding:
    released = case.need(wire.RELEASED)
    kept = [what for what in ("transport", "protocol") if not flag(released, what)]
    if not kept:
        return None
    holders = ", ".join(texts(released, "held_by"))
    return f"{' and '.join(kept)} could not be collected, held by {holders}"


STRENGTH = (wire.SILENCE, wire.CLOSE_NOTIFY, wire.FIN, wire.CUT, wire.RESET)
"""How clearly a peer is told of an unclean closure, the clearest last."""


def _peer_told(case: Case) -> Finding:
    if case.cell.peer != "socket":
        return NotApplicable("the peer is no witness of the wire")
    signal = case.need(wire.WIRE, wire.PEER)["signal"]
    if STRENGTH.index(signal) >= STRENGTH.index(case.bar):
        return None
    return f"the witness saw {signal}; without a reactor it sees {case.bar}"


def _prefix_only(case: Case) -> Finding:
    received = case.need(wire.RECEIVED, wire.PEER)
    written = count(case.need(wire.ABORT_CALLED), "written")
    if not flag(received, "matches"):
        return f"the peer's bytes differ from the written ones at {received['first_difference']}"
    if (got := count(received, "bytes")) > written:
        return f"the peer got {got} bytes, {written} were written before the abort"
    return None


def _peer_lost_once(case: Case) -> Finding:
    if case.cell.peer != "reactor":
        return NotApplicable("the peer is not on the reactor")
    return _once(case, wire.CONNECTION_LOST, wire.PEER, "the peer's connectionLost")


def _peer_reason(case: Case) -> Finding:
    lost = case.transcript.first(wire.CONNECTION_LOST, wire.PEER)
    if lost is None:
        return NotApplicable("the peer's connectionLost was not called, or it has none")
    wanted = ["twisted.internet.error.ConnectionLost"]
    if case.bar == wire.FIN:
        wanted.append("twisted.internet.error.ConnectionDone")
    if any(name in lost["reason"]["mro"] for name in wanted):
        return None
    return f"the peer's reason was {_words(lost['reason'])}"


def _words(exception: dict[str, Any]) -> str:
    return f"{exception['type']}: {_first_line(exception['message'])}"


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0]


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
        _reactor_runs,
    ),
    Rule(
        "producer-paused",
        "local",
        "When the abort comes, the push producer of the full transport is paused.",
        "IConsumer.registerProducer: “pauseProducing will be called whenever the write buffer "
        "fills up and resumeProducing will only be called when it empties.”",
        _producer_paused,
    ),
    Rule(
        "connection-lost-once",
        "local",
        "The aborter's connectionLost is called exactly once.",
        "IProtocol.connectionLost: “Called when the connection is shut down.”",
        _connection_lost_once,
    ),
    Rule(
        "not-reentrant",
        "local",
        "The aborter's connectionLost is not called from inside the call to abortConnection().",
        "Twisted's own tests of ITCPTransport.abortConnection, AbortConnectionMixin in "
        "twisted.internet.test.test_tcp, ask for it (twisted#78).",
        _not_reentrant,
    ),
    Rule(
        "reason-aborted",
        "local",
        "The aborter's connectionLost is given a ConnectionAborted.",
        "twisted.internet.error.ConnectionAborted: “Connection was aborted locally, using "
        "ITCPTransport.abortConnection.”",
        _reason_aborted,
    ),
    Rule(
        "prompt",
        "local",
        f"connectionLost is called within {wire.PROMPT_TURNS} turns of the reactor, although the "
        "peer reads nothing and the socket never gets writeable.",
        _ABRUPT,
        _prompt,
    ),
    Rule(
        "producer-stopped-once",
        "local",
        "The registered producer's stopProducing is called exactly once.",
        _ABORT,
        _producer_stopped_once,
    ),
    Rule(
        "producer-silent-after-stop",
        "local",
        "Once it was stopped, the producer is neither paused nor resumed.",
        _STOP,
        _producer_silent_after_stop,
    ),
    Rule(
        "writes-after-abort-dropped",
        "local",
        "A write to the aborted transport is dropped without an exception.",
        _ABORT,
        _writes_after_abort_dropped,
    ),
    Rule(
        "abort-idempotent",
        "local",
        "A second abort of the same connection does nothing, and raises nothing.",
        _ABRUPT,
        _abort_idempotent,
    ),
    Rule(
        "descriptor-closed",
        "local",
        "The aborter's descriptor is closed.",
        _LOST,
        _descriptor_closed,
    ),
    Rule(
        "reactor-clean",
        "local",
        "Nothing is left that was not there before: readers, writers, delayed calls, threads, "
        "open descriptors.",
        "IReactorFDSet.removeAll, getReaders and getWriters tell what a reactor still holds.",
        _reactor_clean,
    ),
    Rule(
        "nothing-logged",
        "local",
        "No error is logged, nothing is unraisable, nothing leaks with a ResourceWarning.",
        "twisted.python.log.err: “Write a failure to the log.” A clean abort is none.",
        _nothing_logged,
    ),
    Rule(
        "bystander-served",
        "local",
        "Another connection on the same reactor is served all the while.",
        "ITransport.write: “in a non-blocking fashion”.",
        _bystander_served,
    ),
    Rule(
        "released",
        "local",
        "The aborter's transport and protocol can be collected.",
        "IProtocol.connectionLost: “Clear any circular references here, and any external "
        "references to this Protocol.”",
        _released,
    ),
    Rule(
        "peer-told",
        "peer",
        "The other end is told of an unclean closure as clearly as a reset without any reactor "
        "tells it on this host.",
        _ABORT,
        _peer_told,
        peer="socket",
    ),
    Rule(
        "prefix-only",
        "peer",
        "What the other end reads is a prefix of what was written before the abort.",
        "ITransport.write: “Write some data to the physical connection, in sequence.”",
        _prefix_only,
    ),
    Rule(
        "peer-lost-once",
        "peer",
        "The connectionLost of a peer on the same reactor is called exactly once.",
        "IProtocol.connectionLost: “Called when the connection is shut down.”",
        _peer_lost_once,
        peer="reactor",
    ),
    Rule(
        "peer-reason",
        "peer",
        "A peer on the same reactor is told that the connection was not closed cleanly, where the "
        "host can tell it.",
        _LOST,
        _peer_reason,
        peer="reactor",
    ),
)


def rule(name: str) -> Rule | None:
    """The rule of that name, or None where this version has none."""
    return next((each for each in RULES if each.name == name), None)
