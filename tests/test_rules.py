"""The contract: each rule is broken by the smallest change that it is about, and no other rule."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from attrs import evolve

from matrix import wire
from matrix.judge import judge
from matrix.manager.interpreters import Interpreter
from matrix.model.cell import Cell
from matrix.model.result import Standing
from matrix.model.transcript import Ending, Event, How, Transcript
from matrix.rules import RULES, rule
from matrix.workflow import inspect
from tests import synthetic

SOCKET = Cell("select", "tcp4", "abort-when-full", "client", "socket")
REACTOR = evolve(SOCKET, peer="reactor")
RESETS = evolve(SOCKET, scenario="peer-resets-while-full")
RAISES = evolve(SOCKET, scenario="abort-then-raise")
MANY = evolve(REACTOR, scenario="abort-many")
SLEEPS = evolve(SOCKET, scenario="abort-after-timeout")
CLOSES = evolve(SOCKET, scenario="lose-when-full")
CLOSES_TOO = evolve(CLOSES, peer="reactor")
EXCEPTION = {"type": "builtins.OSError", "mro": ["builtins.OSError"], "message": "oh\nno"}
Events = list[Event]
Change = Callable[[Events], None]


def place(events: Events, name: str, side: str | None = None) -> int:
    """Where the first event of that name and side is."""
    return next(n for n, e in enumerate(events) if e.name == name and side in (None, e.side))


def sets(name: str, side: str | None = None, **fields: Any) -> Change:
    """A change that sets fields of the first event of that name and side."""

    def change(events: Events) -> None:
        at = place(events, name, side)
        events[at] = evolve(events[at], data={**events[at].data, **fields})

    return change


def repeats(name: str, side: str | None = None) -> Change:
    """A change that lets an event be seen once more, right after the first time."""

    def change(events: Events) -> None:
        at = place(events, name, side)
        events.insert(at + 1, events[at])

    return change


def loses(name: str) -> Change:
    """A change that lets an event never have been seen."""

    def change(events: Events) -> None:
        events.pop(place(events, name))

    return change


def adds(after: str, side: str, name: str, **fields: Any) -> Change:
    """A change that lets something else be seen, right after the first event of a name."""

    def change(events: Events) -> None:
        at = place(events, after)
        events.insert(at + 1, Event(events[at].t, side, name, fields))

    return change


def moves(name: str, before: str) -> Change:
    """A change that lets an event of the aborter come earlier."""

    def change(events: Events) -> None:
        event = events.pop(place(events, name, wire.ABORTER))
        events.insert(place(events, before), event)

    return change


def leaves(kind: str) -> Change:
    """A change that leaves something behind."""

    def change(events: Events) -> None:
        at = place(events, wire.LEFTOVERS)
        more = [*events[at][kind], "something"]
        events[at] = evolve(events[at], data={**events[at].data, kind: more})

    return change


def becomes_a_close(events: Events) -> None:
    """Make a close of the abort: everything arrives, and both ends are told of an orderly end."""
    done = {**EXCEPTION, "mro": ["twisted.internet.error.ConnectionDone"]}
    abort = place(events, wire.ABORT_CALLED)
    events[abort] = evolve(events[abort], name=wire.CLOSE_CALLED)
    events.pop(place(events, wire.ABORT_RETURNED))
    sets(wire.RECEIVED, bytes=events[abort]["written"])(events)
    sets(LOST, wire.ABORTER, reason=done)(events)
    if any(event.name == wire.WIRE for event in events):
        sets(wire.WIRE, signal=wire.FIN)(events)
    else:
        sets(LOST, wire.PEER, reason=done)(events)


def good(cell: Cell) -> Events:
    """What a good attempt at the cell leaves: the seed case, with what is its scenario's own."""
    events = list(synthetic.transcript(evolve(cell, scenario="abort-when-full"), Random(3)).events)
    if cell == RESETS:
        abort = place(events, wire.ABORT_CALLED)
        events[abort] = evolve(events[abort], name=wire.PEER_ACTED, data={"act": "reset"})
        events.pop(place(events, wire.ABORT_RETURNED))
    elif cell in (CLOSES, CLOSES_TOO):
        becomes_a_close(events)
    elif cell == SLEEPS:
        adds(wire.PROVED, wire.PROCESS, wire.AWAKE, time=100_100, cpu=700)(events)
        adds(wire.PROVED, wire.PROCESS, wire.ASLEEP, time=100_000)(events)
    elif cell == RAISES:
        text = "matrix.agent.scenarios.DeliberateError: on purpose"
        adds(LOST, wire.PROCESS, wire.LOGGED, kind="log", text=text)(events)
    elif cell == MANY:
        alike = dict.fromkeys(("size", "lost", "peers_lost", "producers_stopped"), 199)
        adds(LOST, wire.ABORTER, wire.CROWD, **alike, kept=0)(events)
    return events


def half_closes_twice(events: Events) -> None:
    """A change that lets the aborter be told twice of the peer's half-close."""
    adds(wire.PROVED, wire.ABORTER, wire.READ_LOST)(events)
    repeats(wire.READ_LOST)(events)


def receives_more_than_was_sent(events: Events) -> None:
    """A change that lets one more byte arrive than had left the transport before the abort."""
    looks = [event for event in events[: place(events, ABORTED)] if event.name == wire.SAMPLE]
    sets(wire.RECEIVED, bytes=looks[-1]["read"] + looks[-1]["kernel"] + 1)(events)


ABORTED, REGISTERED = wire.ABORT_CALLED, wire.PRODUCER_REGISTERED
LOST, PAUSED, RESUMED = wire.CONNECTION_LOST, wire.PRODUCER_PAUSED, wire.PRODUCER_RESUMED
CHANGES: list[tuple[str, Cell, Change, str]] = [
    ("reactor-runs", SOCKET, sets(wire.ABORT_RETURNED, raised=EXCEPTION), "OSError: oh"),
    ("producer-paused", SOCKET, loses(PAUSED), "was not paused"),
    ("producer-paused", SOCKET, adds(PAUSED, wire.ABORTER, RESUMED), "was not paused"),
    ("connection-lost-once", SOCKET, repeats(LOST, wire.ABORTER), "called 2 times"),
    ("connection-lost-once", SOCKET, half_closes_twice, "readConnectionLost was called 2 times"),
    ("factory-told", SOCKET, loses(wire.FACTORY_TOLD), "called 0 times"),
    ("factory-told", SOCKET, repeats(wire.FACTORY_TOLD), "called 2 times"),
    ("factory-told", REACTOR, loses(wire.FACTORY_TOLD), "called 0 times"),
    ("not-reentrant", SOCKET, moves(LOST, before=wire.ABORT_RETURNED), "before abortConnection()"),
    ("reason-aborted", SOCKET, sets(LOST, wire.ABORTER, reason=EXCEPTION), "builtins.OSError: oh"),
    ("reason-aborted", RAISES, sets(LOST, wire.ABORTER, reason=EXCEPTION), "builtins.OSError: oh"),
    ("reason-fits", RESETS, sets(LOST, wire.ABORTER, reason=EXCEPTION), "not ConnectionLost"),
    ("reason-fits", CLOSES, sets(LOST, wire.ABORTER, reason=EXCEPTION), "not ConnectionDone"),
    ("exception-reported", RAISES, loses(wire.LOGGED), "reported 0 times"),
    ("exception-reported", RAISES, repeats(wire.LOGGED), "reported 2 times"),
    ("crowd-down", MANY, sets(wire.CROWD, lost=398), "lost 398 of 199"),
    ("crowd-down", MANY, sets(wire.CROWD, peers_lost=198), "peers_lost 198 of 199"),
    ("crowd-down", MANY, sets(wire.CROWD, kept=1), "1 kept in memory"),
    (
        "deaf-after-abort",
        SOCKET,
        adds(wire.ABORT_CALLED, wire.ABORTER, wire.DATA_AFTER_ABORT, bytes=7),
        "given 7 bytes",
    ),
    ("prompt", SOCKET, sets(LOST, wire.ABORTER, turns=wire.PROMPT_TURNS), "had not come"),
    ("prompt", SOCKET, adds(wire.ABORT_RETURNED, wire.PEER, wire.HOLD_ENDED), "had not come"),
    ("sleeps", SLEEPS, sets(wire.AWAKE, cpu=90_000), "0.090 s of CPU"),
    ("sleeps", SLEEPS, sets(wire.AWAKE, time=50_000), "after 0.050 s, and not after 0.100 s"),
    (
        "producer-alternates",
        SOCKET,
        adds(wire.PRODUCER_REGISTERED, wire.ABORTER, RESUMED),
        "resumed",
    ),
    ("producer-stopped-once", SOCKET, loses(wire.PRODUCER_STOPPED), "was not called"),
    ("producer-stopped-once", SOCKET, repeats(wire.PRODUCER_STOPPED), "called 2 times"),
    ("producer-silent-after-stop", SOCKET, adds(LOST, wire.ABORTER, RESUMED), "producer-resumed"),
    ("producer-silent-after-stop", SOCKET, adds(LOST, wire.ABORTER, PAUSED), "producer-paused"),
    ("writes-after-abort-dropped", SOCKET, sets(wire.LATE_WRITE, raised=EXCEPTION), "write()"),
    ("abort-idempotent", SOCKET, sets(wire.LATE_ABORT, raised=EXCEPTION), "a second abort"),
    (
        "abort-idempotent",
        SOCKET,
        adds(wire.LATE_ABORT, wire.PROCESS, wire.GAVE_UP, waiting_for="a connection"),
        "clientConnectionFailed",
    ),
    ("late-calls-ignored", SOCKET, sets(wire.LATE_CALL, raised=EXCEPTION), "loseConnection()"),
    ("descriptor-closed", SOCKET, sets(wire.DESCRIPTOR, closed=False), "still open"),
    ("reactor-clean", SOCKET, leaves("readers"), "readers: something"),
    ("reactor-clean", SOCKET, leaves("writers"), "writers: something"),
    ("reactor-clean", SOCKET, leaves("delayed_calls"), "delayed_calls: something"),
    ("reactor-clean", SOCKET, leaves("threads"), "threads: something"),
    ("reactor-clean", SOCKET, leaves("descriptors"), "descriptors: something"),
    (
        "nothing-logged",
        SOCKET,
        adds(LOST, wire.PROCESS, wire.LOGGED, kind="log", text="oh\nno"),
        "log: no",
    ),
    ("bystander-served", SOCKET, sets(wire.SERVED, answered_since_abort=0), "no answer"),
    ("bystander-served", SOCKET, sets(wire.SERVED, answered_after_late_calls=False), "too late"),
    ("bystander-served", SOCKET, sets(wire.SERVED, asked=40, answered=38), "38 of 40"),
    ("released", SOCKET, sets(wire.RELEASED, protocol=False, held_by=["cell"]), "by cell"),
    ("released", SOCKET, sets(wire.RELEASED, transport=False, held_by=["dict"]), "by dict"),
    ("peer-told", SOCKET, sets(wire.WIRE, signal=wire.SILENCE), "saw silence"),
    ("peer-told", SOCKET, sets(wire.WIRE, signal=wire.FIN), "without a reactor it sees reset"),
    ("prefix-only", SOCKET, sets(wire.RECEIVED, matches=False, first_difference=7), "at 7"),
    ("prefix-only", REACTOR, sets(wire.RECEIVED, bytes=1 << 40), "were written before the abort"),
    ("buffer-discarded", SOCKET, receives_more_than_was_sent, "1 bytes were sent"),
    ("close-delivers", CLOSES, sets(wire.RECEIVED, bytes=7), "got 7 bytes of"),
    ("close-delivers", CLOSES_TOO, sets(wire.RECEIVED, bytes=7), "got 7 bytes of"),
    ("close-delivers", CLOSES, sets(wire.WIRE, signal=wire.RESET), "saw reset, and not fin"),
    ("peer-lost-once", REACTOR, repeats(LOST, wire.PEER), "called 2 times"),
    ("peer-reason", REACTOR, sets(LOST, wire.PEER, reason=EXCEPTION), "builtins.OSError: oh"),
    ("peer-reason", CLOSES_TOO, sets(LOST, wire.PEER, reason=EXCEPTION), "builtins.OSError: oh"),
]


@pytest.mark.parametrize(("name", "cell", "change", "words"), CHANGES)
def test_smallest_change(name: str, cell: Cell, change: Change, words: str) -> None:
    """A good transcript with one thing wrong in it breaks the rule about that, and no other."""
    events = good(cell)
    assert judge(cell, Transcript(tuple(events), Ending(How.EXITED))).broken == ()
    change(events)
    verdict = judge(cell, Transcript(tuple(events), Ending(How.EXITED)))
    assert verdict.broken == (name,)
    (reason,) = verdict.reasons
    assert reason.startswith(f"{name}: ")
    assert words in reason
    assert "\n" not in reason


def test_every_rule_can_be_broken() -> None:
    """There is such a change for every rule."""
    assert {name for name, *_ in CHANGES} == {each.name for each in RULES}


def test_every_rule_has_its_fault() -> None:
    """For every rule the agent has a defect that it can play, and for no other."""
    (host,) = inspect((Interpreter.this(),))
    assert set(host.faults.values()) == {each.name for each in RULES}


def test_rules_can_be_read() -> None:
    """A rule has its own name, an axis, a sentence that says what it expects, and a source."""
    assert len({each.name for each in RULES}) == len(RULES)
    for each in RULES:
        assert rule(each.name) is each
        assert each.axis in ("local", "peer")
        assert each.expects.endswith(".")
        assert each.source
        assert each.peer in (None, *wire.PEERS)
    assert rule("no-such-rule") is None


@pytest.mark.parametrize("cell", [SOCKET, REACTOR], ids=["socket", "reactor"])
def test_rules_of_the_other_peer_do_not_apply(cell: Cell) -> None:
    """Where the peer is not of the kind that a rule is about, the rule says nothing."""
    verdict = judge(cell, synthetic.transcript(cell, Random(3)))
    standings = {each.peer: verdict.rules[each.name] for each in RULES if each.peer is not None}
    assert standings == {
        peer: Standing.PASS if peer == cell.peer else Standing.NOT_APPLICABLE for peer in wire.PEERS
    }


# What comes too late ------------------------------------------------------------------------------


def broken(cell: Cell, change: Change) -> tuple[str, ...]:
    """The rules that a transcript breaks once it is changed."""
    good: Transcript = synthetic.transcript(cell, Random(3))
    events = list(good.events)
    change(events)
    return judge(cell, evolve(good, events=tuple(events))).broken


def late(name: str, side: str) -> Change:
    """A change that lets an event come only when the harness takes everything down."""

    def change(events: Events) -> None:
        event = events.pop(place(events, name, side))
        events.insert(place(events, wire.SCENARIO_OVER) + 1, event)

    return change


@pytest.mark.parametrize(
    ("cell", "name", "side", "rules"),
    [
        (SOCKET, LOST, wire.ABORTER, {"connection-lost-once", "prompt"}),
        (SOCKET, wire.PRODUCER_STOPPED, wire.ABORTER, {"producer-stopped-once"}),
        (REACTOR, LOST, wire.PEER, {"peer-lost-once"}),
    ],
)
def test_taking_down_makes_up_for_nothing(
    cell: Cell, name: str, side: str, rules: set[str]
) -> None:
    """A call that comes only because everything is shut down has not been made."""
    assert set(broken(cell, late(name, side))) == rules


def test_closing_is_all_that_unix_sockets_have() -> None:
    """Where the control's peer sees an end of file, no more is asked for."""
    cell = evolve(SOCKET, transport="unix")
    assert broken(cell, sets(wire.WIRE, signal=wire.FIN)) == ()
    assert broken(cell, sets(wire.WIRE, signal=wire.SILENCE)) == ("peer-told",)


def test_many_leftovers_are_counted() -> None:
    """What is left a hundred times is said once, and of a hundred others a few are named."""
    events = good(SOCKET)
    sockets = [f"new {n}: socket" for n in range(100)]
    sets(wire.LEFTOVERS, readers=["<a reader>"] * 100, descriptors=sockets)(events)
    (reason,) = judge(SOCKET, Transcript(tuple(events), Ending(How.EXITED))).reasons
    assert reason.startswith("reactor-clean: left behind: readers: 100 × <a reader>; descriptors: ")
    assert reason.endswith("new 4: socket, and 95 more")
