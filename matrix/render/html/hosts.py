"""Hosts side by side: what each of them is, and what the same cell came to on each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from matrix.model.cell import Cell
from matrix.model.report import CellReport, Host, Report
from matrix.model.result import Outcome
from matrix.render.counts import tables
from matrix.render.plain import visible

VERSIONS = (
    ("Python", "python"),
    ("Twisted", "twisted"),
    ("pyOpenSSL", "pyopenssl"),
    ("OpenSSL", "openssl"),
    ("system", "platform"),
)
"""What tells hosts apart: its name, and where a host's provenance has it."""
REALIZATION = "realization"
"""Where a host's provenance says that all of it is something else than it looks like."""


@frozen
class Beside:
    """The same cell on one of the hosts."""

    host: str
    outcome: Outcome
    is_known: bool
    passed: str
    versions: tuple[str, ...]


def versions(host: Host) -> tuple[str, ...]:
    """The host's `VERSIONS`, empty where it does not say one."""
    return tuple(visible(str(host.provenance.get(name, ""))) for _, name in VERSIONS)


def ran_on(host: Host) -> str:
    """The same in one line."""
    said = (str(host.provenance.get(name, "")) for _, name in VERSIONS)
    named = zip((label for label, _ in VERSIONS), said, strict=True)
    parts = (t if label in t or not t[0].isdigit() else f"{label} {t}" for label, t in named if t)
    return ", ".join(parts)


def realizations(report: Report) -> dict[tuple[str, str], str]:
    """(host, reactor) → what it really is, where it is not simply native."""
    return {
        (table.host.id, row.reactor): ", ".join(filter(None, (_whole(table.host), row.realization)))
        for table in tables(report)
        for row in table.rows
    }


def _whole(host: Host) -> str:
    said = str(host.provenance.get(REALIZATION, ""))
    return "" if said == "native" else said


class SideBySide:
    """Finds the same cell on all hosts of a report."""

    def __init__(self, hosts: Sequence[Host], cells: Sequence[CellReport]) -> None:
        self._versions = {host.id: versions(host) for host in hosts}
        self._cells: dict[Cell, list[CellReport]] = {}
        for cell in cells:
            self._cells.setdefault(cell.cell, []).append(cell)

    def __call__(self, cell: Cell) -> tuple[Beside, ...]:
        """What the cell came to on each host; empty where one host alone has it."""
        found = self._cells.get(cell, [])
        return tuple(self._beside(found)) if len(found) > 1 else ()

    def _beside(self, found: Sequence[CellReport]) -> Iterator[Beside]:
        for each in found:
            yield Beside(
                host=each.host,
                outcome=each.outcome,
                is_known=each.is_accepted and not each.outcome.is_accepted,
                passed=passed(each),
                versions=self._versions[each.host],
            )


def passed(cell: CellReport) -> str:
    """How many attempts passed, of those that came back or are owed: ``4 of 5``."""
    k = sum(attempt.verdict.outcome is Outcome.PASS for attempt in cell.attempts)
    return f"{k} of {max(cell.owed, len(cell.attempts))}"
