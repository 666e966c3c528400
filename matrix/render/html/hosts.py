"""Hosts side by side: what each of them is, and what the same cell came to on each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from matrix import wire
from matrix.model.cell import Cell
from matrix.model.report import CellReport, Host
from matrix.model.result import Outcome
from matrix.render.html.releases import strips
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


@frozen
class Real:
    """What a reactor really is: a note, empty where there is nothing to say of it.

    ``is_native`` is false where what ran is not what the reactor's name says: emulated, or on Wine.
    """

    note: str
    is_native: bool = True


NATIVE = Real("")


def realizations(hosts: Sequence[Host], cells: Sequence[CellReport]) -> dict[tuple[str, str], Real]:
    """(host, reactor) → what it really is, by its host's word and the first process that ran it.

    A host says it of all that it has (its provenance), or of one reactor.
    """
    told = {(h.id, reactor.name): reactor.realization for h in hosts for reactor in h.reactors}
    whole = {host.id: str(host.provenance.get(REALIZATION, "")) for host in hosts}
    found: dict[tuple[str, str], Real] = {}
    for cell in cells:
        place = (cell.host, cell.cell.reactor)
        if place in found or cell.outcome is Outcome.UNSUPPORTED:
            continue
        events = (a.transcript.first(wire.REACTOR_INSTALLED) for a in cell.attempts)
        said = next(filter(None, events), None)
        if said is not None:
            found[place] = _real(whole[cell.host], told.get(place), said.get("loop"))
    return found


def _real(whole: str, realization: object, loop: object) -> Real:
    unreal = [str(each) for each in (whole, realization) if each and each != "native"]
    return Real(", ".join([*unreal, str(loop)] if loop else unreal), not unreal)


class SideBySide:
    """Finds the same cell on all hosts of a report."""

    def __init__(self, hosts: Sequence[Host], cells: Sequence[CellReport]) -> None:
        self._versions = {host.id: versions(host) for host in hosts}
        self.strips = strips(hosts)
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
