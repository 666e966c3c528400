"""Was the not-writeable state really there at that moment? From the samples alone.

What the agent claims to have proved is not asked: the last look at the
connection before the abort has to show it.
"""

from __future__ import annotations

from matrix import wire
from matrix.evidence import count, counts, flag
from matrix.model.cell import Cell
from matrix.model.scenarios import NEVER_FULL, WAS_FULL, find
from matrix.model.transcript import Event, Transcript


def why_unproved(cell: Cell, transcript: Transcript) -> str | None:
    """Why the transcript does not prove that the connection was not writeable; None: it does.

    A scenario that is not about a full connection has to come to its abort, no more.
    """
    state = find(cell.scenario).state
    act = next((e for e in transcript.events if e.name in _ACTS), None)
    if act is None:
        return _never_aborted(transcript)
    moment = transcript.first(wire.PROVED) if state == WAS_FULL else act
    if moment is None:
        return "the state was never proved"
    before = transcript.events[: transcript.events.index(moment)]
    if state == NEVER_FULL:
        return _unprepared(cell, before)
    return _unprepared(cell, before) or _unproved(cell, before)


_ACTS = (wire.ABORT_CALLED, wire.CLOSE_CALLED, wire.PEER_ACTED)
"""What ends a connection: a call of the aborter's, or what the peer is told to do."""


def _never_aborted(transcript: Transcript) -> str:
    gave_up = transcript.first(wire.GAVE_UP)
    lost = transcript.first(wire.CONNECTION_LOST, wire.ABORTER)
    words = ["the scenario never came to its abort"]
    if gave_up is not None:
        words.append(f"it waited in vain for {gave_up['waiting_for']}")
    if lost is not None:
        words.append(f"the connection was lost before: {lost['reason'].get('message', '')}")
    return "; ".join(words)


def _unprepared(cell: Cell, before: tuple[Event, ...]) -> str | None:
    """What the scenario takes for granted before the connection is filled."""
    seen = {(event.side, event.name) for event in before}
    scenario = find(cell.scenario)
    needed = [(wire.PEER, wire.READING_STOPPED)]
    if scenario.produces:
        needed.append((wire.ABORTER, wire.PRODUCER_REGISTERED))
    if cell.is_tls and scenario.shakes_hands:
        needed += [(side, wire.HANDSHAKE) for side in (wire.ABORTER, wire.PEER)]
    if scenario.exchange:
        needed += [(side, wire.EXCHANGED) for side in (wire.ABORTER, wire.PEER)]
    missing = [f"{side} {name}" for side, name in needed if (side, name) not in seen]
    if missing:
        return f"before the abort there was no {', no '.join(missing)}"
    versions = {e["version"] for e in before if e.name == wire.HANDSHAKE}
    is_secure = cell.is_tls and scenario.shakes_hands
    wanted = {_TLS_VERSIONS[cell.transport]} if is_secure else set()
    return None if versions == wanted else f"TLS was {versions}, and not {wanted}"


_TLS_VERSIONS = {"tls1.2": "TLSv1.2", "tls1.3": "TLSv1.3", "tls-unix": "TLSv1.3"}


def _unproved(cell: Cell, before: tuple[Event, ...]) -> str | None:
    samples = [event for event in before if event.name == wire.SAMPLE]
    if not samples:
        return "nobody looked at the connection before the abort"
    last = samples[-1]
    if before[-1] is not last:
        return "something happened between the last look and the abort"
    if flag(last, "writeable"):
        return "the descriptor was writeable at that moment"
    return _nothing_waits(last) or _not_for_good(cell, samples)


def _nothing_waits(last: Event) -> str | None:
    """What is missing of the bytes that wait: in the kernel, and in the transport.

    A reactor over I/O completion ports says how much of an overlapped send is under way. That has
    to be something too, and where the kernel does not count its queue it stands for both.
    """
    is_overlapped = last.get("pending") is not None
    if is_overlapped and not count(last, "pending"):
        return "no overlapped send was under way at that moment"
    if is_overlapped and last["sendq"] is None:
        return None
    if last["sendq"] is None or not count(last, "sendq"):
        return "the send queue was empty, or unknown, at that moment"
    if _held(last) <= 0:
        return "the transport held no unsent bytes at that moment"
    return None


def _held(sample: Event) -> int:
    """Bytes that the transport must hold, at least: what neither the kernel nor the peer has."""
    if sample["kernel"] is None:
        return 0
    return count(sample, "written") - count(sample, "read") - count(sample, "kernel")


def _not_for_good(cell: Cell, samples: list[Event]) -> str | None:
    """Not writeable is not enough: what says that it stays so?"""
    last = samples[-1]
    words = counts(last, "tcp", "unacked", "notsent", "snd_wnd")
    if words is not None:
        unacked, notsent, window = words
        is_shut = unacked == 0 and notsent > 0 and window == 0
        return None if is_shut else f"the kernel did not say that the window is shut: {last['tcp']}"
    if cell.is_unix and last["recvq"] is not None and count(last, "recvq"):
        return None
    settled = last.t - _unchanged_since(samples)
    if settled < wire.SETTLING_TIME:
        return f"unchanged for {settled:.3f} s only, {wire.SETTLING_TIME} s are asked for"
    return None


_SETTLED = ("read", "sendq", "recvq", "writeable", "pending")
"""What has to stay as it is. What the transport is given meanwhile changes nothing about that."""


def _unchanged_since(samples: list[Event]) -> float:
    last = samples[-1]
    since = last.t
    for sample in reversed(samples):
        if any(sample.get(key) != last.get(key) for key in _SETTLED):
            break
        since = sample.t
    return since
