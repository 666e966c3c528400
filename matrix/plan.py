"""Axes × selection × shard → the cells of a run. Pure: it starts nothing and asks nobody."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from math import ceil

from attrs import evolve, frozen

from matrix import wire
from matrix.errors import SelectionError
from matrix.model.cell import AXES, Cell
from matrix.model.costs import cost
from matrix.model.report import Fault, Host, Plan, Planned
from matrix.model.scenarios import SCENARIOS, why_left_out
from matrix.model.shard import Shard
from matrix.rules import rule

FAULT_TRANSPORTS = ("tcp4", "tls1.3")
"""Where negative controls are played: one plain transport, and one with TLS."""

FAULT_SCENARIO = "abort-when-full-after-exchange"
"""Where most rules can be broken: bytes have crossed both ways, there is something to spoil."""


@frozen
class Selection:
    """Patterns (`fnmatch`) per axis; an axis without a pattern is taken whole."""

    reactor: tuple[str, ...] = ()
    transport: tuple[str, ...] = ()
    scenario: tuple[str, ...] = ()
    side: tuple[str, ...] = ()
    peer: tuple[str, ...] = ()


def make(
    hosts: Sequence[Host],
    selection: Selection,
    repeat: int = 1,
    shard: str | None = None,
) -> Plan:
    """The plan of a run; `SelectionError` where the selection or the shard makes no sense."""
    _check_names(hosts)
    shards = () if shard is None else (str(parse_shard(shard)),)
    reactors = {host.id: tuple(r.name for r in host.reactors) for host in hosts}
    axes = _axes(selection, reactors)
    planned = tuple(
        _planned(host, _product(axes, names), shards) for host, names in reactors.items()
    )
    made = Plan(digest(planned), planned, repeat, shard)
    owed: dict[str, list[Cell]] = {}
    for host, cell in made.cells():
        owed.setdefault(host, []).append(cell)
    if not owed:
        raise SelectionError(f"There is no cell to run. {_why_none(planned, shard)}")
    return evolve(made, faults=_faults(hosts, owed))


def _planned(host: str, cells: Sequence[Cell], shards: tuple[str, ...]) -> Planned:
    whys = [why_left_out(cell) for cell in cells]
    kept = tuple(cell for cell, why in zip(cells, whys, strict=True) if why is None)
    return Planned(host, kept, shards, dict(Counter(why for why in whys if why)))


def one(hosts: Sequence[Host], text: str) -> Cell:
    """The cell of that id; `SelectionError` where it is none that a run on these hosts can have."""
    try:
        cell = Cell.parse(text)
    except ValueError as error:
        raise SelectionError(f"{error}.") from error
    axes = {axis: (getattr(cell, axis),) for axis in AXES}
    if all(cell not in planned.cells for planned in make(hosts, Selection(**axes)).hosts):
        raise SelectionError(
            f"{text!r} is a pattern: name one cell, as “reactor-matrix plan” does."
        )
    return cell


def _why_none(planned: Iterable[Planned], shard: str | None) -> str:
    if shard:
        return f"Shard {shard} is empty: ask for fewer shards."
    return f"{'; '.join(dict.fromkeys(why for each in planned for why in each.left_out))}."


def _product(axes: dict[str, list[str]], reactors: tuple[str, ...]) -> list[Cell]:
    here = [name for name in axes["reactor"] if name in reactors]
    rest = (axes[axis] for axis in AXES[1:])
    return [Cell(*parts) for parts in itertools.product(here, *rest)]


def _check_names(hosts: Iterable[Host]) -> None:
    """Names of reactors become parts of ids: `SelectionError` where one can't be read back."""
    for host in hosts:
        for reactor in host.reactors:
            if not reactor.name or "/" in reactor.name:
                raise SelectionError(
                    f"{host.id} has a reactor plugin named {reactor.name!r}, which cannot stand in "
                    "a cell's id. Give the plugin a short name without a slash."
                )


def _axes(selection: Selection, reactors: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
    known = {
        "reactor": sorted({name for names in reactors.values() for name in names}),
        "transport": list(wire.TRANSPORTS),
        "scenario": [scenario.name for scenario in SCENARIOS],
        "side": list(wire.SIDES),
        "peer": list(wire.PEERS),
    }
    return {axis: _matching(axis, names, getattr(selection, axis)) for axis, names in known.items()}


def _matching(axis: str, names: Iterable[str], patterns: tuple[str, ...]) -> list[str]:
    names = list(names)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise SelectionError(
                f"No {axis} matches {pattern!r}. There are: {', '.join(names) or 'none'}."
            )
    if not patterns:
        return names
    return [name for name in names if any(fnmatchcase(name, each) for each in patterns)]


def parse_shard(text: str) -> Shard:
    """The shard that a user means by ``K/N``; `SelectionError` where that makes no sense."""
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise SelectionError(f"{str(error)[0].upper()}{str(error)[1:]}.") from error


SECONDS_PER_SHARD = 2000.0
"""What the cells that one job of a CI service runs cost: some minutes of sixteen at once."""


def shards(plan: Plan, hosts: Sequence[Host], count: int | None = None) -> list[Shard]:
    """The shards of a plan: ``count`` of them, or as many as cost about what one job ought to."""
    able = {(host.id, r.name) for host in hosts for r in host.reactors if r.is_supported}
    costs = [cost(cell) for host, cell in plan.cells() if (host, cell.reactor) in able]
    count = count or max(1, ceil(sum(costs) / SECONDS_PER_SHARD))
    return [Shard(number, count) for number in range(1, count + 1)]


def digest(hosts: Iterable[Planned]) -> str:
    """What tells a whole plan from any other: the same for all its shards, in any order."""
    lines = sorted(f"{planned.host} {cell.id}" for planned in hosts for cell in planned.cells)
    return hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()


def _faults(hosts: Sequence[Host], owed: Mapping[str, Sequence[Cell]]) -> tuple[Fault, ...]:
    """Every fault of each host, on the first of its owed reactors that can run.

    Each is played on a plain transport and over TLS, as far as the plan has such cells.
    """
    faults = []
    for host in hosts:
        supported = {reactor.name for reactor in host.reactors if reactor.is_supported}
        cells = owed.get(host.id, ())
        kinds = {cell.is_tls for cell in cells}
        transports = [name for name in FAULT_TRANSPORTS if name.startswith("tls") in kinds]
        reactor = next((c.reactor for c in cells if c.reactor in supported), None)
        for fault, broken in host.faults.items() if reactor else ():
            clause = rule(broken)
            peer = (clause and clause.peer) or "socket"
            scenario = (clause and clause.scenario) or FAULT_SCENARIO
            for transport in transports:
                cell = Cell(str(reactor), transport, scenario, "client", peer)
                faults.append((host.id, fault, cell.id))
    return tuple(faults)
