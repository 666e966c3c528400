"""The proof, from samples alone: the last look before the abort has to show it, and for good."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from matrix import wire
from matrix.model.cell import Cell
from matrix.model.transcript import Ending, Event, How, Transcript
from matrix.proof import why_unproved

TCP = Cell("select", "tcp4", "abort-when-full", "client", "socket")
UNIX = evolve(TCP, transport="unix")
FULL = {"written": 1000, "read": 0, "sendq": 10, "recvq": 20, "kernel": 30, "held": 970}
FULL_AND_SHUT = {**FULL, "writeable": False, "tcp": {"unacked": 0, "notsent": 5, "snd_wnd": 0}}
SETTLED = {**FULL, "writeable": False, "tcp": None}
READY = (
    Event(0.1, wire.PEER, wire.READING_STOPPED),
    Event(0.2, wire.ABORTER, wire.PRODUCER_REGISTERED),
)
ABORT = Event(9.0, wire.ABORTER, wire.ABORT_CALLED, {"written": 1000})


def sample(t: float, *, like: dict[str, Any] = FULL_AND_SHUT, **fields: Any) -> Event:
    """A look at the connection, at that time."""
    return Event(t, wire.ABORTER, wire.SAMPLE, {**like, **fields})


def why(*events: Event, cell: Cell = TCP) -> str | None:
    """Why these events, and then an abort, prove nothing; None if they do."""
    return why_unproved(cell, Transcript((*READY, *events, ABORT), Ending(How.EXITED)))


def test_shut_window() -> None:
    """One sample is proof enough where the kernel says that the window is shut."""
    assert why(sample(1.0)) is None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"writeable": True}, "was writeable"),
        ({"sendq": 0}, "send queue was empty"),
        ({"sendq": None}, "or unknown"),
        ({"kernel": 1000}, "held no unsent bytes"),
        ({"kernel": None}, "held no unsent bytes"),
        ({"read": 970}, "held no unsent bytes"),
        ({"tcp": {"unacked": 1, "notsent": 5, "snd_wnd": 0}}, "'unacked': 1"),
        ({"tcp": {"unacked": 0, "notsent": 0, "snd_wnd": 0}}, "'notsent': 0"),
        ({"tcp": {"unacked": 0, "notsent": 5, "snd_wnd": 1024}}, "'snd_wnd': 1024"),
    ],
)
def test_not_shut(fields: dict[str, Any], words: str) -> None:
    """If anything of it is not so, nothing is proved, and it is said what is missing."""
    assert words in (why(sample(1.0, **fields)) or "")


def test_what_was_does_not_count() -> None:
    """A proof that was there once is none if the last look before the abort shows otherwise."""
    assert why(sample(1.0), sample(2.0, writeable=True)) is not None
    assert why(sample(1.0, writeable=True), sample(2.0)) is None


@pytest.mark.parametrize("name", [wire.PRODUCER_RESUMED, wire.PROVED, wire.EXCHANGED])
def test_nothing_may_come_between(name: str) -> None:
    """Whatever is seen after the last look and before the abort takes the proof away."""
    assert "something happened" in (why(sample(1.0), Event(2.0, wire.ABORTER, name)) or "")


def test_nobody_looked() -> None:
    """An abort without a look at the connection proves nothing."""
    assert why() == "nobody looked at the connection before the abort"


@pytest.mark.parametrize(
    ("cell", "missing"),
    [
        (evolve(TCP, transport="tls1.3"), "no aborter handshake, no peer handshake"),
        (evolve(TCP, scenario="abort-when-full-after-exchange"), "no aborter exchanged"),
    ],
)
def test_prepared_for_the_scenario(cell: Cell, missing: str) -> None:
    """What the scenario asks for before the connection is filled has to be seen as well."""
    assert missing in (why(sample(1.0), cell=cell) or "")


@pytest.mark.parametrize("gone", range(len(READY)))
def test_peer_holds_still_and_producer_is_there(gone: int) -> None:
    """A peer that reads, or an aborter that produces nothing, makes no full connection."""
    events = (*READY[:gone], *READY[gone + 1 :], sample(1.0), ABORT)
    assert "before the abort there was no" in str(
        why_unproved(TCP, Transcript(events, Ending(How.EXITED)))
    )


def test_other_version_of_tls() -> None:
    """A cell that got another version of TLS than it is called for has tested something else."""
    shaken = [Event(0.3, s, wire.HANDSHAKE, {"version": "TLSv1.2"}) for s in ("aborter", "peer")]
    assert why(*shaken, sample(1.0), cell=evolve(TCP, transport="tls1.2")) is None
    assert "TLSv1.2" in (why(*shaken, sample(1.0), cell=evolve(TCP, transport="tls1.3")) or "")


# Where the kernel gives no word -------------------------------------------------------------------


def test_full_unix_socket() -> None:
    """A UNIX socket that is not writeable, and whose peer has bytes to read, stays so."""
    assert why(sample(1.0, like=SETTLED), cell=UNIX) is None


@pytest.mark.parametrize(("recvq", "cell"), [(0, UNIX), (None, UNIX), (20, TCP)])
def test_one_look_is_not_enough(recvq: int | None, cell: Cell) -> None:
    """Elsewhere a single look says nothing about how long that lasts."""
    assert "unchanged for 0.000 s only" in (
        why(sample(1.0, like=SETTLED, recvq=recvq), cell=cell) or ""
    )


def test_settled() -> None:
    """Elsewhere the state has to last, unchanged in all its figures, for the settling time."""
    end = 1.0 + wire.SETTLING_TIME
    assert why(sample(1.0, like=SETTLED), sample(end, like=SETTLED)) is None
    assert why(sample(1.01, like=SETTLED), sample(end, like=SETTLED)) is not None
    assert why(sample(1.0, like=SETTLED, sendq=9), sample(end, like=SETTLED)) is not None


# No abort -----------------------------------------------------------------------------------------


def test_never_came_to_its_abort() -> None:
    """Without an abort it is said what the scenario waited for, and if the connection was lost."""
    events = (
        Event(1.0, wire.PROCESS, wire.GAVE_UP, {"waiting_for": "proof", "waited": 10.0}),
        Event(2.0, wire.ABORTER, wire.CONNECTION_LOST, {"reason": {"message": "reset"}}),
    )
    words = why_unproved(TCP, Transcript(events, Ending(How.EXITED)))
    assert words == (
        "the scenario never came to its abort; it waited in vain for proof; "
        "the connection was lost before: reset"
    )


OVERLAPPED = {**SETTLED, "pending": 500}


def test_overlapped_send_that_stays_pending() -> None:
    """Over completion ports an overlapped send has to be under way as well, for as long."""
    assert why(sample(1.0, like=OVERLAPPED), sample(2.0, like=OVERLAPPED)) is None
    idle = {**OVERLAPPED, "pending": 0}
    assert "no overlapped send" in (why(sample(1.0, like=idle), sample(2.0, like=idle)) or "")
    completed = sample(1.9, like=OVERLAPPED, pending=400)
    late = why(sample(1.0, like=OVERLAPPED), completed, sample(2.0, like=OVERLAPPED))
    assert "are asked for" in (late or "")


def test_overlapped_send_stands_for_a_queue_that_nobody_counts() -> None:
    """Where the system counts no send queue it is enough; where it does, that is asked too."""
    unknown = {**OVERLAPPED, "sendq": None, "kernel": None}
    assert why(sample(1.0, like=unknown), sample(2.0, like=unknown)) is None
    empty = {**OVERLAPPED, "sendq": 0}
    assert "send queue" in (why(sample(1.0, like=empty), sample(2.0, like=empty)) or "")


def test_what_is_written_meanwhile_does_not_unsettle() -> None:
    """More bytes for the transport change nothing about a kernel that takes none."""
    assert why(sample(1.0, like=SETTLED), sample(2.0, like=SETTLED, written=2000)) is None
    moved = why(sample(1.0, like=SETTLED), sample(2.0, like=SETTLED, sendq=9))
    assert "are asked for" in (moved or "")
