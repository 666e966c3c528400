"""What each rule looks for in a transcript: pure functions, one for each rule, named like it.

A check returns what was seen instead where its rule is broken, None where the
rule holds, and `NotApplicable` where there is nothing to look at. What it must
know and the transcript does not tell is `MissingEvidence`: never a pass.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from attrs import frozen

from matrix import wire
from matrix.evidence import MissingEvidence, count, flag, raised, texts
from matrix.model.cell import Cell
from matrix.model.scenarios import NEVER_FULL, Scenario, find
from matrix.model.transcript import Event, Transcript


@frozen
class Case:
    """What a rule looks at. ``bar`` is how the control saw its end (`matrix.wire.SIGNALS`)."""

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

    @property
    def scenario(self) -> Scenario:
        """What the catalogue says of the cell's scenario."""
        return find(self.cell.scenario)

    @property
    def aborts(self) -> bool:
        """Whether the aborter really aborts in this scenario."""
        return self.scenario.aborts

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


def reactor_runs(case: Case) -> Finding:
    """Calls into the code under test that raised, the abort among them."""
    found = [(e["call"], e["exception"]) for e in case.transcript.all(wire.REACTOR_RAISED)]
    returned = map(raised, case.transcript.all(wire.ABORT_RETURNED))
    found += [("abortConnection", what) for what in returned if what is not None]
    return "; ".join(f"{call} raised {_words(what)}" for call, what in found) or None


def producer_paused(case: Case) -> Finding:
    """Asked of the moment of the last proof: what comes after it may resume the producer."""
    if case.scenario.state == NEVER_FULL:
        return NotApplicable("the connection was never full")
    proofs = list(case.transcript.all(wire.PROVED))
    moment = proofs[-1] if proofs else case.need(wire.ABORT_CALLED)
    before = case.transcript.events[: case.transcript.events.index(moment)]
    names = (wire.PRODUCER_REGISTERED, wire.PRODUCER_PAUSED, wire.PRODUCER_RESUMED)
    calls = [event for event in before if event.name in names]
    if not calls or not _is_push(case):
        return NotApplicable("no push producer was registered before the proof")
    if calls[-1].name == wire.PRODUCER_PAUSED:
        return None
    return "the buffer was full, and the producer was not paused"


def _is_push(case: Case) -> bool:
    return flag(case.need(wire.PRODUCER_REGISTERED), "streaming")


def connection_lost_once(case: Case) -> Finding:
    """The aborter's calls to connectionLost, and those to readConnectionLost before."""
    halves = len(list(case.transcript.all(wire.READ_LOST)))
    if halves > 1:
        return f"readConnectionLost was called {halves} times"
    return _once(case, wire.CONNECTION_LOST, wire.ABORTER, "connectionLost")


def _once(case: Case, name: str, side: str, call: str) -> Finding:
    count = len(list(case.transcript.all(name, side)))
    if count > 1:
        return f"{call} was called {count} times"
    if not any((event.name, event.side) == (name, side) for event in case.story()):
        return f"{call} was not called{' before everything was shut down' if count else ''}"
    return None


def factory_told(case: Case) -> Finding:
    """What the factory of the client was told, if the client is on the reactor."""
    client = wire.ABORTER if case.cell.side == "client" else wire.PEER
    if case.transcript.first(wire.CONNECTION_LOST, client) is None:
        return NotApplicable("the client was not lost, or is not on the reactor")
    told = len(list(case.transcript.all(wire.FACTORY_TOLD, client)))
    return None if told == 1 else f"clientConnectionLost was called {told} times"


def not_reentrant(case: Case) -> Finding:
    """A connectionLost between the call of the abort and its return."""
    if not case.aborts:
        return NotApplicable("the scenario does not abort")
    events = case.transcript.events
    begin = events.index(case.need(wire.ABORT_CALLED))
    end = events.index(case.need(wire.ABORT_RETURNED))
    inside = [e for e in events[begin:end] if e.side == wire.ABORTER]
    if any(e.name == wire.CONNECTION_LOST for e in inside):
        return "connectionLost was called before abortConnection() returned"
    return None


def reason_aborted(case: Case) -> Finding:
    """The reason of the aborter's connectionLost."""
    if case.lost is None or not case.aborts:
        return NotApplicable("connectionLost was not called, or there is another cause for it")
    reason = case.lost["reason"]
    wanted = {"twisted.internet.error.ConnectionAborted"}
    if case.scenario.raises:
        wanted.add(_DELIBERATE)  # nobody says which of the two has precedence
    if wanted.intersection(reason["mro"]):
        return None
    return f"the reason was {_words(reason)}"


def reason_fits(case: Case) -> Finding:
    """The same, where the peer was told how to end the connection, or the aborter closes it."""
    act = case.transcript.first(wire.PEER_ACTED)
    if case.lost is None or not (act or case.scenario.closes):
        return NotApplicable("the connection was aborted, or not lost")
    is_orderly = act is None or act["act"] == wire.FINISH
    wanted = "ConnectionDone" if is_orderly else "ConnectionLost"
    names = {f"twisted.internet.error.{wanted}"}
    if case.scenario.ending in _CUT_OFF and case.bar in _ORDERLY:
        names.add("twisted.internet.error.ConnectionDone")
    if case.scenario.raises:
        names.add(_DELIBERATE)  # what is documented is ConnectionLost
    if names.intersection(case.lost["reason"]["mro"]):
        return None
    return f"the reason was {_words(case.lost['reason'])}, and not {wanted}"


_CUT_OFF = (wire.RESET_IT, wire.VANISH)
"""Endings by the peer that a kernel may fail to tell of; those by the aborter itself it cannot."""
_ORDERLY = (wire.FIN, wire.CLOSE_NOTIFY)
"""Ends that nobody can tell from a connection closed in good order."""


def exception_reported(case: Case) -> Finding:
    """The log, for the exception that the scenario raised."""
    if not case.scenario.raises:
        return NotApplicable("the scenario raises nothing")
    logged = [e for e in case.transcript.all(wire.LOGGED) if _DELIBERATE in e["text"]]
    return None if len(logged) == 1 else f"the exception was reported {len(logged)} times"


_DELIBERATE = "matrix.agent.scenarios.DeliberateError"


def deaf_after_abort(case: Case) -> Finding:
    """The aborter's calls to dataReceived since the abort."""
    if not case.aborts:
        return NotApplicable("the scenario does not abort")
    late = case.after(case.need(wire.ABORT_CALLED), wire.DATA_AFTER_ABORT)
    total = sum(count(event, "bytes") for event in late)
    return f"dataReceived was given {total} bytes after the abort" if late else None


def prompt(case: Case) -> Finding:
    """The turns of the reactor until connectionLost, with a peer that holds still."""
    if not case.aborts:
        return NotApplicable("the scenario does not abort")
    lost, begin = case.lost, case.need(wire.ABORT_CALLED).t
    if lost is None:
        return "while the reactor ran, connectionLost never came"
    if case.transcript.first(wire.HOLD_ENDED) is None and count(lost, "turns") < wire.PROMPT_TURNS:
        return None
    return (
        f"after {wire.PROMPT_TURNS} turns of the reactor, with the peer holding still, "
        f"connectionLost had not come; it came {lost.t - begin:.3f} s after the abort"
    )


def sleeps(case: Case) -> Finding:
    """The time that passed, and the CPU that the reactor's thread used, with nothing to do."""
    asleep = case.transcript.first(wire.ASLEEP)
    if asleep is None:
        return NotApplicable("the scenario does not let the reactor sleep")
    awake, asked = case.need(wire.AWAKE), count(asleep, "time")
    if (slept := count(awake, "time")) < asked:
        return f"it woke up after {slept / 1e6:.3f} s, and not after {asked / 1e6:.3f} s"
    cpu = count(awake, "cpu")
    tick = count(awake, "tick") if "tick" in awake.data else 0
    return (
        None
        if cpu < wire.SLEEP_CPU + tick
        else f"it used {cpu / 1e6:.3f} s of CPU, with nothing to do"
    )


def producer_alternates(case: Case) -> Finding:
    """Resumptions of a push producer, each after a pause."""
    is_push = is_paused = was_resumed = False
    for event in case.story():
        if event.name == wire.PRODUCER_REGISTERED:
            is_push, is_paused = flag(event, "streaming"), False
        elif event.name == wire.PRODUCER_PAUSED:
            is_paused = True
        elif event.name == wire.PRODUCER_RESUMED and is_push:
            if not is_paused:
                return "a push producer was resumed that was not paused"
            is_paused, was_resumed = False, True
    return None if was_resumed else NotApplicable("no push producer was resumed")


def producer_stopped_once(case: Case) -> Finding:
    """Calls to stopProducing; none where the producer had been unregistered."""
    if case.transcript.first(wire.PRODUCER_REGISTERED) is None:
        return NotApplicable("no producer was registered")
    if any(event["call"] == "unregisterProducer" for event in case.transcript.all(wire.CALLED)):
        stopped = case.transcript.first(wire.PRODUCER_STOPPED)
        return None if stopped is None else "a producer was stopped that had been unregistered"
    return _once(case, wire.PRODUCER_STOPPED, wire.ABORTER, "stopProducing")


def producer_silent_after_stop(case: Case) -> Finding:
    """Calls to the producer after it was stopped, or the connection lost."""
    stopped = case.transcript.first(wire.PRODUCER_STOPPED) or case.lost
    if stopped is None:
        return NotApplicable("the producer was never stopped, and the connection never lost")
    later = case.after(stopped, wire.PRODUCER_PAUSED, wire.PRODUCER_RESUMED)
    if not later:
        return None
    return f"afterwards the producer was told: {', '.join(event.name for event in later)}"


def writes_after_abort_dropped(case: Case) -> Finding:
    """What writes raised that came after the abort."""
    return _early(case, "write") or _late(case, wire.LATE_WRITE, "write()")


def abort_idempotent(case: Case) -> Finding:
    """What aborts and closes raised that came after the abort, and what else came of them."""
    again = _early(case, "abortConnection") or _early(case, "loseConnection")
    return again or _late(case, wire.LATE_ABORT, "a second abortConnection()") or _unmade(case)


def _unmade(case: Case) -> str | None:
    """What the client's factory was told after the connection was lost."""
    if case.lost is None:
        return None
    events = case.transcript.events
    later = events[events.index(case.lost) :]
    if any(e.name == wire.GAVE_UP and e.get("waiting_for") == "a connection" for e in later):
        return "clientConnectionFailed was called, of a connection that was made and lost before"
    return None


def _early(case: Case, call: str) -> str | None:
    """What came of a call to the transport between the abort and connectionLost."""
    for event in case.transcript.all(wire.CALLED):
        what = raised(event)
        if event["call"] == call and what is not None:
            return f"{call}() raised {_words(what)}"
    return None


def _late(case: Case, name: str, call: str) -> Finding:
    if case.lost is None:
        return NotApplicable("connectionLost was never called")
    what = raised(case.need(name))
    return None if what is None else f"{call} after connectionLost raised {_words(what)}"


def late_calls_ignored(case: Case) -> Finding:
    """What other calls to the transport raised, once the connection was lost."""
    if case.lost is None:
        return NotApplicable("connectionLost was never called")
    found = [(event, raised(event)) for event in case.transcript.all(wire.LATE_CALL)]
    if not found:
        raise MissingEvidence(f"no {wire.LATE_CALL} event")
    wrong = [f"{event['call']}() raised {_words(what)}" for event, what in found if what]
    return "; ".join(wrong) or None


def descriptor_closed(case: Case) -> Finding:
    """Whether the number still means the same open file."""
    if flag(case.need(wire.DESCRIPTOR), "closed"):
        return None
    return "the aborter's descriptor was still open at the end"


def reactor_clean(case: Case) -> Finding:
    """What is there at the end and was not at the beginning."""
    before, after = case.need(wire.BASELINE), case.need(wire.LEFTOVERS)
    left = [
        f"{kind}: {_few(new)}"
        for kind in ("readers", "writers", "delayed_calls", "threads", "descriptors")
        if (new := _new(texts(before, kind), texts(after, kind)))
    ]
    return f"left behind: {'; '.join(left)}" if left else None


_FEW = 5
"""Different leftovers of a kind that a person is shown."""


def _few(texts: list[str]) -> str:
    """The texts, each once with its number, and of many how many more there are."""
    counts = [f"{n} × {text}" if n > 1 else text for text, n in Counter(texts).items()]
    more = [f"and {len(counts) - _FEW} more"] if len(counts) > _FEW else []
    return ", ".join([*counts[:_FEW], *more])


def _new(before: list[str], after: list[str]) -> list[str]:
    known, new = list(before), []
    for text in after:
        if text in known:
            known.remove(text)
        else:
            new.append(text)
    return new


def nothing_logged(case: Case) -> Finding:
    """Errors in any log, but for the one that the scenario raised itself."""
    logged = [
        f"{event['kind']}: {_gist(event['kind'], event['text'])}"
        for event in case.transcript.all(wire.LOGGED)
        if not (case.scenario.raises and _DELIBERATE in event["text"])
    ]
    return "; ".join(logged) or None


def bystander_served(case: Case) -> Finding:
    """The bystander's questions and answers."""
    served = case.need(wire.SERVED)
    if not count(served, "answered_since_abort"):
        return "the other connection got no answer after the abort"
    if "answered_after_late_calls" in served.data and not flag(served, "answered_after_late_calls"):
        return "the other connection got no answer after calls that came too late"
    asked, answered = count(served, "asked"), count(served, "answered")
    if asked - answered > 1:
        return f"{answered} of {asked} questions were answered"
    return None


def released(case: Case) -> Finding:
    """Weak references, after a collection."""
    event = case.need(wire.RELEASED)
    kept = [what for what in ("transport", "protocol") if not flag(event, what)]
    if not kept:
        return None
    holders = ", ".join(texts(event, "held_by"))
    return f"{' and '.join(kept)} could not be collected, held by {holders}"


def crowd_down(case: Case) -> Finding:
    """The counts of the other connections on the reactor."""
    if case.scenario.family != "load":
        return NotApplicable("there is no crowd")
    case.need(wire.CROWD)
    crowds = list(case.transcript.all(wire.CROWD))
    counted = ("lost", "producers_stopped", "peers_lost")
    wrong = [
        f"{kind} {crowd[kind]} of {crowd['size']}"
        for crowd in crowds
        for kind in counted
        if count(crowd, kind) != count(crowd, "size")
    ]
    wrong += [f"{crowd['kept']} kept in memory" for crowd in crowds if count(crowd, "kept")]
    return "; ".join(wrong) or None


STRENGTH = (wire.SILENCE, wire.CLOSE_NOTIFY, wire.FIN, wire.CUT, wire.RESET)
"""How clearly a peer is told of an unclean closure, the clearest last."""


def peer_told(case: Case) -> Finding:
    """What the witness saw the connection end with, held against the control."""
    if case.cell.peer != "socket" or not case.aborts:
        return NotApplicable("the peer is no witness of the wire, or ends the connection itself")
    signal = case.need(wire.WIRE, wire.PEER)["signal"]
    if STRENGTH.index(signal) >= STRENGTH.index(case.bar):
        return None
    return f"the witness saw {signal}; without a reactor it sees {case.bar}"


def prefix_only(case: Case) -> Finding:
    """The bytes that the peer read, held against what was written."""
    received = case.need(wire.RECEIVED, wire.PEER)
    limit = case.need(wire.ABORT_CALLED if case.aborts else wire.SCENARIO_OVER)
    written = count(limit, "written")
    if not flag(received, "matches"):
        return f"the peer's bytes differ from the written ones at {received['first_difference']}"
    if (got := count(received, "bytes")) > written:
        return f"the peer got {got} bytes, {written} were written before the abort"
    return None


def buffer_discarded(case: Case) -> Finding:
    """The bytes that the peer read, held against what had left the transport before the abort."""
    if case.cell.peer != "socket" or not case.aborts:
        return NotApplicable("nobody knows what the peer holds itself, or nobody aborts")
    events = case.transcript.events
    before = events[: events.index(case.need(wire.ABORT_CALLED))]
    looks = [event for event in before if event.name == wire.SAMPLE]
    if not looks or looks[-1]["kernel"] is None:
        return NotApplicable("this system does not tell how much it had taken")
    sent = count(looks[-1], "read") + count(looks[-1], "kernel")
    late = count(case.need(wire.RECEIVED, wire.PEER), "bytes") - sent
    return f"{late} bytes were sent that the transport still held" if late > 0 else None


def close_delivers(case: Case) -> Finding:
    """The bytes that the peer read, and how it saw the connection end."""
    if not case.scenario.closes:
        return NotApplicable("the connection is not closed in good order")
    got = count(case.need(wire.RECEIVED, wire.PEER), "bytes")
    written = count(case.need(wire.SCENARIO_OVER), "written")
    if got != written:
        return f"the peer got {got} bytes of {written}"
    if case.cell.peer != "socket":
        return None  # how such a peer saw the end is `peer_reason`
    signal = case.need(wire.WIRE, wire.PEER)["signal"]
    goodbye = wire.CLOSE_NOTIFY if case.cell.is_tls else wire.FIN
    return None if signal == goodbye else f"the witness saw {signal}, and not {goodbye}"


def peer_lost_once(case: Case) -> Finding:
    """The peer's calls to connectionLost."""
    if case.cell.peer != "reactor":
        return NotApplicable("the peer is not on the reactor")
    return _once(case, wire.CONNECTION_LOST, wire.PEER, "the peer's connectionLost")


def peer_reason(case: Case) -> Finding:
    """The reason of the peer's connectionLost."""
    lost = case.transcript.first(wire.CONNECTION_LOST, wire.PEER)
    if lost is None:
        return NotApplicable("the peer's connectionLost was not called, or it has none")
    if case.scenario.raises and not case.aborts:
        return NotApplicable("nobody says how a peer is told of an exception")
    wanted = {"ConnectionDone" if case.scenario.closes else "ConnectionLost"}
    if case.bar == wire.FIN:
        wanted.add("ConnectionDone")
    if any(f"twisted.internet.error.{name}" in lost["reason"]["mro"] for name in wanted):
        return None
    return f"the peer's reason was {_words(lost['reason'])}"


def _words(exception: dict[str, Any]) -> str:
    return f"{exception['type']}: {_first_line(exception['message'])}"


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[0]


def _gist(kind: str, text: str) -> str:
    """What a log entry comes to; a warning's first line has it, after the place in the code."""
    if kind != "warning":
        return _last_line(text)
    line = text.strip().partition("\n")[0]
    return re.sub(r"^.*?:\d+: ", "", line)


def _last_line(text: str) -> str:
    """Of a traceback: what was raised."""
    return (text.strip().splitlines() or [""])[-1]
