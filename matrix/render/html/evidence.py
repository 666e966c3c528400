"""What makes the verdicts believable: the controls, and the deliberate defects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from matrix.model.report import Report
from matrix.model.result import Control, Result
from matrix.render.html.cells import broken, signals

Place = tuple[str, str, str, str]
"""(host, transport, side, kind) of controls."""


@frozen
class Fault:
    """One deliberate defect, and whether the rule meant to catch it did; None: it cannot exist."""

    host: str
    name: str
    rule: str
    cell: str
    is_caught: bool | None
    seen: str


@frozen
class Table:
    """What the wire showed without a reactor on a host: a line for each transport and ending."""

    host: str
    sides: tuple[str, ...]
    lines: tuple[tuple[str, tuple[str, ...]], ...]


def placed(controls: Sequence[Control]) -> Mapping[Place, Sequence[Control]]:
    """The controls by place, those of the same place together."""
    found: dict[Place, list[Control]] = {}
    for control in controls:
        place = (control.host, control.transport, control.side, control.kind)
        found.setdefault(place, []).append(control)
    return found


def table(host: str, controls: Mapping[Place, Sequence[Control]]) -> Table:
    """What the wire showed on a host: a text per side for each transport and kind."""
    own = {place[1:]: signals(each) for place, each in controls.items() if place[0] == host}
    sides = tuple(dict.fromkeys(side for _, side, _ in own))
    rows = dict.fromkeys((transport, kind) for transport, _, kind in own)
    lines = (
        (f"{transport}, {kind}", tuple(own.get((transport, side, kind), "") for side in sides))
        for transport, kind in rows
    )
    return Table(host, sides, tuple(lines))


def faults(report: Report) -> tuple[Fault, ...]:
    """Every defect that was planned or played: uncaught, those that cannot exist, caught."""
    played = {(r.host, str(r.fault), r.cell.id): r for r in report.faults()}
    rules, absent = {host.id: host.faults for host in report.hosts}, report.absent_faults()
    every = dict.fromkeys((*report.plan.faults, *played))
    found = (
        _fault(key, rules.get(key[0], {}).get(key[1], "unknown"), played.get(key), absent.get(key))
        for key in every
    )
    return tuple(sorted(found, key=lambda fault: (False, None, True).index(fault.is_caught)))


def _fault(
    key: tuple[str, str, str], rule: str, result: Result | None, absent: str | None
) -> Fault:
    host, name, cell = key
    if absent is not None:
        return Fault(host, name, rule, cell, None, absent)
    if result is None:
        return Fault(host, name, rule, cell, False, "not played")
    seen = dict(broken(result.verdict))
    outcome = result.verdict.outcome.value
    return Fault(host, name, rule, cell, rule in result.verdict.broken, seen.get(rule, outcome))
