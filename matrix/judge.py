"""Transcript → verdict, from events alone: pure, so that a stored run can be judged again."""

from __future__ import annotations

import signal
from collections.abc import Iterable

from attrs import evolve

from matrix import wire
from matrix.checks import STRENGTH, Case, Finding, NotApplicable
from matrix.evidence import MissingEvidence
from matrix.model.cell import Cell
from matrix.model.result import Control, Outcome, Standing, Verdict
from matrix.model.scenarios import find
from matrix.model.transcript import How, Transcript
from matrix.proof import why_unproved
from matrix.rules import RULES, rule


def judge(cell: Cell, transcript: Transcript, bar: str | None = None) -> Verdict:
    """What came of the cell. ``bar`` is how the control on the same host saw its connection end.

    Events come from a process that may have gone wrong in any way: one that does not say what it
    has to makes the outcome ``error``, never a pass.
    """
    try:
        return _judge(cell, transcript, bar or default_bar(cell))
    except MissingEvidence as missing:
        reason = str(missing)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as malformed:
        reason = f"an event is malformed: {type(malformed).__name__}: {malformed}"
    return Verdict(Outcome.ERROR, reasons=(f"the transcript does not tell: {reason}",))


def _judge(cell: Cell, transcript: Transcript, bar: str) -> Verdict:
    early = _without_end(transcript) or _harness(transcript) or _unsupported(transcript)
    if early is not None:
        return early
    case = Case(cell, transcript, bar)
    died_early = transcript.first(wire.REACTOR_RAISED)
    unproved = why_unproved(cell, transcript)
    if died_early is not None and unproved:
        return _reactor_raised(case)
    if unproved:
        return Verdict(Outcome.INCONCLUSIVE, reasons=(unproved,))
    try:
        return _by_rules(case)
    except MissingEvidence:
        if died_early is None:
            raise
        return _reactor_raised(case)


def default_bar(cell: Cell) -> str:
    """What the other end must be told where no control says it: the abort of a UNIX socket is no
    reset, unless it leaves bytes unread.
    """
    ending = find(cell.scenario).ending
    if ending in (wire.FINISH, wire.CLOSE):
        return wire.CLOSE_NOTIFY if cell.is_tls else wire.FIN
    if not cell.is_unix or ending not in (wire.ABORT, wire.ABORT_DELIVERED, wire.SAY):
        return wire.RESET
    return wire.CUT if cell.is_tls else wire.FIN


def bar(controls: Iterable[Control], cell: Cell) -> str | None:
    """The weakest end that any control saw which is to the cell as `controls_of` says, or None."""
    signals = [control.signal for control in controls_of(controls, cell)]
    return min((s for s in signals if s is not None), key=STRENGTH.index, default=None)


def controls_of(controls: Iterable[Control], cell: Cell) -> list[Control]:
    """Those of the cell's transport and side, whose connection ends in the same way.

    Where the witness is better than the host's own sockets there are some for each kind of peer.
    """
    wanted = (cell.transport, cell.side, find(cell.scenario).ending)
    found = [c for c in controls if (c.transport, c.side, c.kind) == wanted]
    return [c for c in found if c.peer == cell.peer] or found


def signal_of(transcript: Transcript) -> str | None:
    """How a control saw its connection end, where the control was a good one."""
    told = wire.ABORTER if transcript.first(wire.PEER_ACTED) else wire.PEER
    seen = transcript.first(wire.WIRE, told)
    proved = transcript.first(wire.PROVED) or transcript.first(wire.DELIVERED)
    harness = transcript.first(wire.HARNESS_RAISED)
    if seen is None or proved is None or harness is not None or not transcript.finished:
        return None
    end = seen.get("signal")
    return end if end in wire.SIGNALS else None


def _without_end(transcript: Transcript) -> Verdict | None:
    """Processes that did not come to their last line."""
    ending = transcript.ending
    if ending.how is How.LOST:
        return Verdict(Outcome.NO_RESULT, reasons=(ending.detail or "nothing came back",))
    if ending.how is How.DEADLINE:
        return Verdict(Outcome.TIMEOUT, reasons=(f"killed after {ending.number:g} s",))
    if transcript.garbage:
        return Verdict(Outcome.ERROR, reasons=(f"no events, but {transcript.garbage[:200]!r}",))
    if ending.how is How.SIGNALLED:
        name = _signal_name(int(ending.number))
        return Verdict(Outcome.CRASH, reasons=(f"died by {name}",), code=name)
    if ending.number or not transcript.finished:
        code = f"exit {int(ending.number)}"
        when = "" if transcript.finished else " before its last line"
        return Verdict(Outcome.CRASH, reasons=(f"ended with {code}{when}",), code=code)
    return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _harness(transcript: Transcript) -> Verdict | None:
    raised = transcript.first(wire.HARNESS_RAISED)
    if raised is None:
        return None
    exception = raised["exception"]
    return Verdict(Outcome.ERROR, reasons=(f"{exception['type']}: {exception['message']}",))


_UNSUPPORTED = (wire.REACTOR_UNSUPPORTED, wire.TRANSPORT_UNSUPPORTED, wire.SCENARIO_UNSUPPORTED)


def _unsupported(transcript: Transcript) -> Verdict | None:
    for name in _UNSUPPORTED:
        event = transcript.first(name)
        if event is not None:
            code, detail = event["code"], event["detail"]
            if code not in wire.UNSUPPORTED_CODES:
                raise MissingEvidence(f"{code!r} is no reason why something is unsupported")
            return Verdict(Outcome.UNSUPPORTED, reasons=(f"{code}: {detail}",), code=code)
    return None


def _reactor_raised(case: Case) -> Verdict:
    """A reactor that raised, so that the rest is not known, has broken one rule at least."""
    seen = rule("reactor-runs").check(case)  # type: ignore[union-attr]
    standings = {each.name: Standing.NOT_APPLICABLE for each in RULES}
    standings["reactor-runs"] = Standing.FAIL
    return Verdict(Outcome.FAIL, standings, (f"reactor-runs: {seen}",))


def _by_rules(case: Case) -> Verdict:
    findings = {each.name: each.check(case) for each in RULES}
    standings = {name: _standing(finding) for name, finding in findings.items()}
    reasons = tuple(f"{name}: {seen}" for name, seen in findings.items() if isinstance(seen, str))
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    return Verdict(outcome, standings, reasons, attributed=_attributed(case, standings))


def _attributed(case: Case, standings: dict[str, Standing]) -> tuple[str, ...]:
    """What only passes since the control got no further: the kernel's doing, in words."""
    ideal = default_bar(case.cell)
    if ideal == case.bar:
        return ()
    strict = evolve(case, bar=ideal)
    short = ((each.name, each.check(strict)) for each in RULES if _passed(standings, each.name))
    why = f"so it is without any reactor on this host, where a raw socket sees {case.bar}"
    return tuple(f"{name}: {seen}; {why}" for name, seen in short if isinstance(seen, str))


def _passed(standings: dict[str, Standing], name: str) -> bool:
    return standings[name] is Standing.PASS


def _standing(finding: Finding) -> Standing:
    if isinstance(finding, NotApplicable):
        return Standing.NOT_APPLICABLE
    return Standing.PASS if finding is None else Standing.FAIL
