"""What a script looks at for each rule: two expressions of Python that are alike where it holds.

They are written in the names of ``judge()`` in the script. An observation that is None says that
there is nothing to look at. Two rules are not here: that the producer was paused is part of the
scenario, and a bystander would be as long as the rest.
"""

from __future__ import annotations

from attrs import frozen

from matrix import wire
from matrix.model.cell import Cell
from matrix.model.scenarios import Scenario, find
from matrix.rules import RULES


@frozen
class Observation:
    """Of one rule, by name: what a script expects, and what it has seen, as expressions."""

    rule: str
    expected: str
    seen: str


def observations(cell: Cell) -> tuple[Observation, ...]:
    """What the script of a cell looks at, in the order of the rules."""
    scenario = find(cell.scenario)
    found = {
        **_always(),
        **(_of_abort(scenario) if scenario.aborts else _of_end(scenario)),
        **(_of_producer(scenario) if has_producer(scenario) else {}),
        **(_of_reactor(cell) if cell.peer == "reactor" else _of_socket(cell, scenario)),
    }
    return tuple(Observation(rule.name, *found[rule.name]) for rule in RULES if rule.name in found)


def has_producer(scenario: Scenario) -> bool:
    """Whether there is a producer at the abort, if not always at the proof."""
    return scenario.produces or scenario.name == "abort-in-pause-producing"


UNREGISTERED = (
    "unregister-then-abort",
    "abort-while-half-closed",
    "lose-when-full",
    "unregister-then-lose",
    "lose-write-when-full",
    "peer-closes-after-unregister",
    "peer-sends-rubbish-after-unregister",
    "lose-then-write",
)
"""Scenarios in which the producer is none any more when the connection goes."""
CLOSES = {
    "lose-when-full": "len(CHUNK) * 3 + 1000",
    "lose-when-full-no-producer": "len(CHUNK) * 13 + 1000",
    "unregister-then-lose": "len(CHUNK) * 3 + 1000",
    "lose-write-when-full": "len(CHUNK) * 3",
    "lose-then-write": "len(CHUNK) * 3",
}
"""Scenarios in which the aborter closes in good order, with the number of bytes that it writes."""

_Expressions = dict[str, tuple[str, str]]


def _always() -> _Expressions:
    return {
        "connection-lost-once": (
            "1",
            'max(map(calls.count, ("connectionLost", "readConnectionLost")))',
        ),
        "writes-after-abort-dropped": ("[]", "writes"),
        "abort-idempotent": ("[]", "aborts"),
        "late-calls-ignored": ("[]", "late"),
        "descriptor-closed": ("True", "not is_open"),
        "reactor-clean": ("0", "len(left)"),
        "nothing-logged": ("[]", "logged"),
        "released": ("[]", "[each() for each in kept if each()]"),
    }


def _of_abort(scenario: Scenario) -> _Expressions:
    found = {
        "reactor-runs": ("[]", "raised"),
        "not-reentrant": ("False", '"connectionLost" in calls[: calls.index("abort returned")]'),
        "prompt": ("True", "prompt"),
    }
    if not scenario.raises:
        return {**found, "reason-aborted": _kind("reason", "ConnectionAborted")}
    either = "reason in (None, error.ConnectionAborted, RuntimeError)"
    return {**found, "reason-aborted": ("True", either), **_REPORTED}


_REPORTED = {"exception-reported": ("1", "len(own)"), "nothing-logged": ("own", "logged")}


def _of_end(scenario: Scenario) -> _Expressions:
    is_orderly = scenario.ending in (wire.FINISH, wire.CLOSE)
    if scenario.raises:
        either = "reason in (None, error.ConnectionLost, RuntimeError)"
        return {"reason-fits": ("True", either), **_REPORTED}
    return {"reason-fits": _kind("reason", "ConnectionDone" if is_orderly else "ConnectionLost")}


def _of_producer(scenario: Scenario) -> _Expressions:
    is_there = scenario.name not in UNREGISTERED
    again = {"producer-alternates": ("1", 'calls.count("resumeProducing")')}
    return {
        **(again if scenario.name == "abort-when-full-again" else {}),
        "producer-stopped-once": (str(int(is_there)), 'calls.count("stopProducing")'),
        "producer-silent-after-stop": (
            "[]",
            '[call for call in later if call.endswith("eProducing")]',
        ),
    }


_PREFIX = {
    "prefix-only": ("True", "(CHUNK * (len(received) // len(CHUNK) + 1)).startswith(received)")
}


def _of_reactor(cell: Cell) -> _Expressions:
    kind = "ConnectionClosed" if cell.transport == "unix" else "ConnectionLost"
    if cell.scenario in CLOSES:
        kind = "ConnectionDone"
    found = {
        **_PREFIX,
        "peer-lost-once": ("1", "len(reasons)"),
        "peer-reason": _kind("(reasons or [None])[0]", kind),
    }
    if find(cell.scenario).ending == wire.SAY:
        del found["peer-reason"]  # nobody says how an exception ends the connection for the peer
    size = {"abort-many": "199", "abort-storm": "100"}.get(cell.scenario)
    if cell.scenario in CLOSES:
        found["close-delivers"] = (CLOSES[cell.scenario], "len(received)")
    if size is not None:
        found["crowd-down"] = (f"{{({size}, {size}, {size}, 0)}}", "{*crowds}")
    return found


def _of_socket(cell: Cell, scenario: Scenario) -> _Expressions:
    found = {} if cell.is_tls and cell.scenario not in CLOSES else dict(_PREFIX)
    if cell.scenario == "abort-as-it-reopens" and not cell.is_tls:
        found["buffer-discarded"] = ("sent", "len(received)")
    if cell.scenario in CLOSES:
        found["close-delivers"] = (f'({CLOSES[cell.scenario]}, "EOF")', "(len(received), end)")
    if scenario.aborts:
        told = ('"an end"', 'end and "an end" or "nothing"')
        found["peer-told"] = told if cell.is_unix else ('"RST"', 'end or "nothing"')
    return found


def _kind(reason: str, wanted: str) -> tuple[str, str]:
    return f'"{wanted}"', f"named({reason}, error.{wanted})"
