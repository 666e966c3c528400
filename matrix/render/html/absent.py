"""What cannot exist on a host, and why: it is said once, and kept out of the matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from matrix.model.report import CellReport, Host, Report
from matrix.model.result import Outcome


@frozen
class Absence:
    """A reactor, or a reactor over one transport; ``code`` is the reason code."""

    name: str
    code: str
    detail: str


def absences(report: Report, cells: Sequence[CellReport]) -> dict[str, tuple[Absence, ...]]:
    """Host → what cannot exist there."""
    own: dict[str, list[CellReport]] = {host.id: [] for host in report.hosts}
    for cell in cells:
        if cell.outcome is Outcome.UNSUPPORTED:
            own[cell.host].append(cell)
    return {host.id: tuple(_absences(host, own[host.id])) for host in report.hosts}


def _absences(host: Host, lacking: Sequence[CellReport]) -> Iterator[Absence]:
    for reactor in host.reactors:
        if reactor.code is not None:
            yield Absence(reactor.name, reactor.code, reactor.detail)
    known = {reactor.name for reactor in host.reactors if not reactor.is_supported}
    over: dict[tuple[str, str], CellReport] = {}
    for cell in lacking:
        if cell.cell.reactor not in known:
            over.setdefault((cell.cell.reactor, cell.cell.transport), cell)
    for (name, transport), cell in over.items():
        said = cell.attempts[0].verdict
        yield Absence(f"{name} over {transport}", said.code or "", " ".join(said.reasons))
