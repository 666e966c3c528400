"""Verdicts from events: only a transcript that shows everything it has to is a pass."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from matrix import wire
from matrix.judge import bar, default_bar, judge, signal_of
from matrix.model.cell import Cell
from matrix.model.result import Control, Outcome
from matrix.model.transcript import Ending, Event, How, Transcript
from tests import synthetic

CELLS = synthetic.cells(40)
SOCKET = Cell("select", "tls1.3", "abort-when-full-after-exchange", "client", "socket")
REACTOR = evolve(SOCKET, peer="reactor")
GOOD = {cell: synthetic.transcript(cell, Random(7)) for cell in CELLS}

NEEDED = (
    wire.BASELINE,
    wire.HANDSHAKE,
    wire.EXCHANGED,
    wire.READING_STOPPED,
    wire.PRODUCER_REGISTERED,
    wire.PRODUCER_PAUSED,
    wire.SAMPLE,
    wire.ABORT_CALLED,
    wire.PRODUCER_STOPPED,
    wire.ABORT_RETURNED,
    wire.CONNECTION_LOST,
    wire.LATE_WRITE,
    wire.LATE_ABORT,
    wire.RECEIVED,
    wire.WIRE,
    wire.SCENARIO_OVER,
    wire.SERVED,
    wire.DESCRIPTOR,
    wire.RELEASED,
    wire.LEFTOVERS,
    wire.FINISHED,
)
"""Events of a cell with a witness without which there is no pass."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values),
    max_leaves=5,
)


def without(transcript: Transcript, *gone: int) -> Transcript:
    """The same transcript without the events at these places."""
    kept = (e for number, e in enumerate(transcript.events) if number not in gone)
    return evolve(transcript, events=tuple(kept))


def changed(transcript: Transcript, name: str, **fields: Any) -> Transcript:
    """The same transcript with fields of the last event of that name set to something else."""
    events = list(transcript.events)
    (*_, place) = (number for number, event in enumerate(events) if event.name == name)
    events[place] = evolve(events[place], data={**events[place].data, **fields})
    return evolve(transcript, events=tuple(events))


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_good_transcript_passes(cell: Cell) -> None:
    """What a cell leaves behind where all goes well is a pass, with a standing for every rule."""
    verdict = judge(cell, GOOD[cell])
    assert (verdict.outcome, verdict.reasons) == (Outcome.PASS, ())


# How a process ended ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "outcome", "code"),
    [
        (Ending(How.DEADLINE, 45), Outcome.TIMEOUT, None),
        (Ending(How.SIGNALLED, 11), Outcome.CRASH, "SIGSEGV"),
        (Ending(How.SIGNALLED, 99), Outcome.CRASH, "signal 99"),
        (Ending(How.EXITED, 3), Outcome.CRASH, "exit 3"),
        (Ending(How.LOST), Outcome.NO_RESULT, None),
    ],
)
def test_ending_comes_first(ending: Ending, outcome: Outcome, code: str | None) -> None:
    """However good the events are, a process that did not end well is no pass."""
    verdict = judge(SOCKET, evolve(GOOD[SOCKET], ending=ending))
    assert (verdict.outcome, verdict.code) == (outcome, code)
    assert verdict.reasons


def test_garbage_is_an_error() -> None:
    """However good the events are, garbage among them makes them worthless."""
    assert judge(SOCKET, evolve(GOOD[SOCKET], garbage="x")).outcome is Outcome.ERROR


def test_silence_is_a_crash() -> None:
    """A process that exits with 0 and has said nothing has not come to its end."""
    nothing = Transcript((), Ending(How.EXITED))
    assert judge(SOCKET, nothing).outcome is Outcome.CRASH


def test_harness_that_raised_is_an_error() -> None:
    """An exception of the harness's own is no finding about the reactor."""
    exception = {"type": "builtins.OSError", "message": "no more sockets"}
    raised = Event(0.1, wire.PROCESS, wire.HARNESS_RAISED, {"exception": exception})
    verdict = judge(SOCKET, evolve(GOOD[SOCKET], events=(raised, *GOOD[SOCKET].events)))
    assert (verdict.outcome, verdict.reasons) == (
        Outcome.ERROR,
        ("builtins.OSError: no more sockets",),
    )


# Unsupported --------------------------------------------------------------------------------------


def unsupported(**fields: Any) -> Transcript:
    """A transcript of a process that found that its reactor cannot exist."""
    event = Event(0.1, wire.PROCESS, wire.REACTOR_UNSUPPORTED, fields)
    return Transcript((event, Event(0.2, wire.PROCESS, wire.FINISHED)), Ending(How.EXITED))


@pytest.mark.parametrize("code", wire.UNSUPPORTED_CODES)
def test_unsupported_has_a_code(code: str) -> None:
    """What cannot exist here says so with one of the reasons for it."""
    verdict = judge(SOCKET, unsupported(code=code, detail="it needs a moon"))
    assert (verdict.outcome, verdict.code) == (Outcome.UNSUPPORTED, code)
    assert verdict.reasons == (f"{code}: it needs a moon",)


@pytest.mark.parametrize("fields", [{}, {"code": "lazy", "detail": ""}, {"code": None}])
def test_unsupported_for_no_reason(fields: dict[str, Any]) -> None:
    """Without such a reason it is an error, and not accepted."""
    assert judge(SOCKET, unsupported(**fields)).outcome is Outcome.ERROR


# Lies and malformed events ------------------------------------------------------------------------


@pytest.mark.parametrize("name", NEEDED)
def test_no_pass_without(name: str) -> None:
    """Take out all events of a kind that is needed, and the rest is no pass."""
    events = tuple(event for event in GOOD[SOCKET].events if event.name != name)
    assert judge(SOCKET, evolve(GOOD[SOCKET], events=events)).outcome is not Outcome.PASS


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        (wire.SAMPLE, {"writeable": True}),
        (wire.SAMPLE, {"writeable": None}),
        (wire.SAMPLE, {"writeable": 0}),
        (wire.SAMPLE, {"sendq": 0}),
        (wire.SAMPLE, {"sendq": None}),
        (wire.SAMPLE, {"sendq": "full"}),
        (wire.SAMPLE, {"kernel": None}),
        (wire.SAMPLE, {"kernel": 1 << 40}),
        (wire.SAMPLE, {"kernel": -1e999}),
        (wire.SAMPLE, {"written": 0}),
        (wire.SAMPLE, {"tcp": None}),
        (wire.SAMPLE, {"tcp": {}}),
        (wire.SAMPLE, {"tcp": {"unacked": 0, "notsent": 9, "snd_wnd": 1024}}),
        (wire.SAMPLE, {"tcp": {"unacked": 1, "notsent": 9, "snd_wnd": 0}}),
        (wire.SAMPLE, {"tcp": {"unacked": 0, "notsent": 0, "snd_wnd": 0}}),
        (wire.SAMPLE, {"tcp": {"unacked": False, "notsent": 9, "snd_wnd": None}}),
        (wire.HANDSHAKE, {"version": "TLSv1.2"}),
        (wire.ABORT_CALLED, {"written": None}),
        (wire.ABORT_RETURNED, {"raised": False}),
        (wire.ABORT_RETURNED, {"raised": "no"}),
        (wire.CONNECTION_LOST, {"reason": None}),
        (wire.CONNECTION_LOST, {"reason": {"mro": None}}),
        (wire.CONNECTION_LOST, {"turns": None}),
        (wire.LATE_WRITE, {"raised": 0}),
        (wire.RECEIVED, {"matches": "yes"}),
        (wire.RECEIVED, {"bytes": "few"}),
        (wire.WIRE, {"signal": "a bell"}),
        (wire.SERVED, {"answered_since_abort": "many"}),
        (wire.SERVED, {"asked": None}),
        (wire.DESCRIPTOR, {"closed": 1}),
        (wire.RELEASED, {"protocol": "yes"}),
        (wire.LEFTOVERS, {"readers": 0}),
        (wire.LEFTOVERS, {"descriptors": [1]}),
    ],
)
def test_no_pass_with(name: str, fields: dict[str, Any]) -> None:
    """Whatever else is fine: a state that was not there, or that nobody knows, is no pass."""
    verdict = judge(SOCKET, changed(GOOD[SOCKET], name, **fields))
    assert verdict.outcome in (Outcome.INCONCLUSIVE, Outcome.ERROR)
    assert verdict.reasons


def test_claim_is_no_proof() -> None:
    """What the agent says it has proved counts for nothing: the samples have to show it."""
    good = GOOD[SOCKET]
    samples = [n for n, event in enumerate(good.events) if event.name == wire.SAMPLE]
    verdict = judge(SOCKET, without(good, *samples))
    assert good.first(wire.PROVED) is not None
    assert verdict.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
def test_last_look_counts(cell: Cell) -> None:
    """Without the last sample before the abort no cell passes, whatever the others show."""
    good = GOOD[cell]
    (*_, last) = (n for n, event in enumerate(good.events) if event.name == wire.SAMPLE)
    assert judge(cell, without(good, last)).outcome is Outcome.INCONCLUSIVE


def test_reactor_that_raises_early_fails() -> None:
    """A reactor that raised before anything was proved has failed, and was not merely untested."""
    what = {"type": "builtins.OSError", "message": "EMFILE"}
    event = Event(0.1, wire.PROCESS, wire.REACTOR_RAISED, {"call": "install", "exception": what})
    last = Event(0.2, wire.PROCESS, wire.FINISHED)
    verdict = judge(SOCKET, Transcript((event, last), Ending(How.EXITED)))
    assert (verdict.outcome, verdict.broken) == (Outcome.FAIL, ("reactor-runs",))
    assert verdict.reasons == ("reactor-runs: install raised builtins.OSError: EMFILE",)


def test_reactor_that_stops_early_fails() -> None:
    """What is not known since the reactor stopped by itself is the reactor's failure."""
    what = {"type": "builtins.OSError", "message": "EMFILE"}
    event = Event(9.9, wire.PROCESS, wire.REACTOR_RAISED, {"call": "run", "exception": what})
    good = GOOD[SOCKET]
    *events, finished = (e for e in good.events if e.name != wire.SERVED)
    verdict = judge(SOCKET, evolve(good, events=(*events, event, finished)))
    assert (verdict.outcome, verdict.broken) == (Outcome.FAIL, ("reactor-runs",))


# Anything at all ----------------------------------------------------------------------------------


@given(st.sampled_from(CELLS), st.sets(st.integers(0, 60)))
def test_dropped_events_never_raise(cell: Cell, gone: set[int]) -> None:
    """Whatever is missing, there is a verdict, and it is no pass without what is needed."""
    transcript = without(GOOD[cell], *gone)
    before = {event.name for event in GOOD[cell].events}
    after = {event.name for event in transcript.events}
    verdict = judge(cell, transcript)
    if (before - after) & set(NEEDED):
        assert verdict.outcome is not Outcome.PASS


@given(st.data())
def test_any_value_anywhere_never_raises(data: st.DataObject) -> None:
    """Whatever stands in a field of an event, there is a verdict, and always the same."""
    cell = data.draw(st.sampled_from(CELLS))
    events = list(GOOD[cell].events)
    place = data.draw(st.integers(0, len(events) - 1))
    fields = dict(events[place].data)
    key = data.draw(st.sampled_from(sorted(fields))) if fields else "more"
    fields[key] = data.draw(JSON)
    events[place] = evolve(events[place], data=fields)
    spoilt = evolve(GOOD[cell], events=tuple(events))
    assert judge(cell, spoilt) == judge(cell, spoilt)


@given(
    st.lists(st.builds(Event, st.floats(), st.text(), st.text(), st.dictionaries(st.text(), JSON)))
)
def test_any_events_are_no_pass(events: list[Event]) -> None:
    """Events out of nowhere are never a pass."""
    finished = Event(1.0, wire.PROCESS, wire.FINISHED)
    verdict = judge(SOCKET, Transcript((*events, finished), Ending(How.EXITED)))
    assert verdict.outcome is not Outcome.PASS


# Controls -----------------------------------------------------------------------------------------


def control(signal: str | None, transport: str = "tcp4", kind: str = wire.ABORT) -> Control:
    """A control of the client's side that saw that end."""
    nothing = Transcript((), Ending(How.EXITED))
    return Control("here", transport, "client", signal, nothing, kind=kind)


CELL = Cell("select", "tcp4", "abort-when-full", "client", "socket")


def test_weakest_control_sets_the_bar() -> None:
    """No more is asked of a reactor than what every control of its transport and side got."""
    controls = [
        control(wire.RESET),
        control(wire.FIN),
        control(None),
        control(wire.SILENCE, "tcp6"),
        control(wire.SILENCE, kind=wire.VANISH),
    ]
    assert bar(controls, CELL) == wire.FIN
    assert bar(controls, evolve(CELL, side="server")) is None
    assert bar(controls, evolve(CELL, scenario="peer-vanishes-while-full")) == wire.SILENCE
    assert bar([control(None)], CELL) is None


@pytest.mark.parametrize("transport", wire.TRANSPORTS)
def test_bar_without_controls(transport: str) -> None:
    """Without a control a reset is asked for, but of the abort of a UNIX socket, which is none."""
    cell = evolve(CELL, transport=transport)
    unix = {"unix": wire.FIN, "tls-unix": wire.CUT}
    assert default_bar(cell) == unix.get(transport, wire.RESET)
    assert default_bar(evolve(cell, scenario="peer-resets-while-full")) == wire.RESET
    in_order = wire.CLOSE_NOTIFY if cell.is_tls else wire.FIN
    assert default_bar(evolve(cell, scenario="peer-closes-while-full")) == in_order


def test_what_the_kernel_falls_short_of_is_said() -> None:
    """A peer that gets no more than the control does is no failure: the kernel is named."""
    weak = changed(GOOD[SOCKET], wire.WIRE, signal=wire.FIN)
    assert judge(SOCKET, weak, wire.RESET).broken == ("peer-told",)
    verdict = judge(SOCKET, weak, wire.FIN)
    assert verdict.outcome is Outcome.PASS
    (words,) = verdict.attributed
    assert words.startswith("peer-told: the witness saw fin; without a reactor it sees reset")
    assert "where a raw socket sees fin" in words
    assert judge(SOCKET, GOOD[SOCKET], wire.FIN).attributed == ()


def test_reset_that_the_kernel_loses() -> None:
    """Where a control's reset arrives as an orderly end, a reactor may take it for one."""
    vanished = evolve(SOCKET, scenario="peer-vanishes-while-full")
    done = {"type": "twisted.internet.error.ConnectionDone", "message": "clean"}
    lost = {**done, "mro": [done["type"]]}
    good = changed(synthetic.transcript(SOCKET, Random(7)), wire.CONNECTION_LOST, reason=lost)
    told = Event(0.5, wire.ABORTER, wire.PEER_ACTED, {"act": wire.VANISH})
    events = (*good.events[:-1], told, good.events[-1])
    case = evolve(good, events=events)
    assert "reason-fits" in judge(vanished, case, wire.RESET).broken
    verdict = judge(vanished, case, wire.FIN)
    assert "reason-fits" not in verdict.broken
    assert any(words.startswith("reason-fits") for words in verdict.attributed)


@pytest.mark.parametrize(
    ("spoil", "seen"),
    [
        (lambda good: good, wire.RESET),
        (lambda good: changed(good, wire.WIRE, signal="a bell"), None),
        (lambda good: changed(good, wire.WIRE, signal=[]), None),
        (lambda good: without(good, len(good.events) - 1), None),
        (lambda good: evolve(good, events=()), None),
    ],
    ids=["good", "unknown", "malformed", "cut", "empty"],
)
def test_control_that_tells_nothing(
    spoil: Callable[[Transcript], Transcript], seen: str | None
) -> None:
    """A control that did not come to its end, or says what there is not, sets no bar."""
    assert signal_of(spoil(GOOD[SOCKET])) == seen


@pytest.mark.parametrize("transport", ["tcp4", "unix"])
def test_own_exception_is_no_orderly_end(transport: str) -> None:
    """A callback that raises ends the connection by itself: no kernel makes that a clean close."""
    raising = Cell("select", transport, "raise-in-data-received", "client", "socket")
    done = {"type": "twisted.internet.error.ConnectionDone", "message": "clean"}
    good = synthetic.transcript(evolve(raising, scenario="abort-when-full"), Random(7))
    spoilt = changed(good, wire.CONNECTION_LOST, reason={**done, "mro": [done["type"]]})
    said = Event(0.5, wire.ABORTER, wire.PEER_ACTED, {"act": wire.SAY})
    case = evolve(spoilt, events=(*spoilt.events[:-1], said, spoilt.events[-1]))
    assert "reason-fits" in judge(raising, case).broken
