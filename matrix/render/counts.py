"""Reactor × transport with the number of cells that have each outcome: the matrix in small."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from attrs import frozen

from matrix import wire
from matrix.model.report import CellReport, Host, Report
from matrix.model.result import SEVERITY, Outcome


@frozen
class Row:
    """One reactor. ``realization`` says what it really is where it is not simply native.

    ``counts`` are in the order of the table's transports, the most severe outcome first; empty
    where the plan has no cell.
    """

    reactor: str
    realization: str
    counts: tuple[Mapping[Outcome, int], ...]


@frozen
class Table:
    """All planned cells of one host, in the plan's order."""

    host: Host
    transports: tuple[str, ...]
    rows: tuple[Row, ...]


def tables(report: Report) -> tuple[Table, ...]:
    """A table for each host of the plan."""
    found: dict[str, list[CellReport]] = {planned.host: [] for planned in report.plan.hosts}
    for cell in report.cells():
        found[cell.host].append(cell)
    return tuple(_table(report.host(host), cells) for host, cells in found.items())


def _table(host: Host, cells: list[CellReport]) -> Table:
    transports = tuple(dict.fromkeys(cell.cell.transport for cell in cells))
    rows: dict[str, list[CellReport]] = {}
    for cell in cells:
        rows.setdefault(cell.cell.reactor, []).append(cell)
    return Table(host, transports, tuple(_row(r, transports, own) for r, own in rows.items()))


def _row(reactor: str, transports: tuple[str, ...], cells: list[CellReport]) -> Row:
    counts = {transport: Counter[Outcome]() for transport in transports}
    for cell in cells:
        counts[cell.cell.transport][cell.outcome] += 1
    ordered = ({o: count[o] for o in SEVERITY if count[o]} for count in counts.values())
    return Row(reactor, _realization(cells), tuple(ordered))


def _realization(cells: list[CellReport]) -> str:
    """What the first process that installed the reactor said of it."""
    said = next(_installed(cells), {})
    parts = (str(said.get(name) or "") for name in ("realization", "loop"))
    return ", ".join(part for part in parts if part not in ("", "native"))


def _installed(cells: list[CellReport]) -> Iterator[Mapping[str, object]]:
    for cell in cells:
        for attempt in cell.attempts:
            if event := attempt.transcript.first(wire.REACTOR_INSTALLED):
                yield event.data
