"""The matrix of one host: reactor × transport, each square with its worst outcome and counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from matrix.model.report import CellReport, Host
from matrix.model.result import Outcome
from matrix.render.counts import Row, Table
from matrix.render.html.cells import fragment, key

Squares = Mapping[tuple[str, str], Sequence[CellReport]]


@frozen
class Square:
    """All cells of one reactor over one transport.

    ``counts`` has the worst outcome first, ``known`` counts the cells that fail as they are
    expected to, ``first`` opens the first cell that did not pass.
    """

    key: str
    reactor: str
    transport: str
    counts: tuple[tuple[Outcome, int], ...]
    flaky: int
    known: int
    first: str | None

    @property
    def worst(self) -> Outcome:
        """What decides how the square looks."""
        return self.counts[0][0]

    @property
    def is_known(self) -> bool:
        """Whether all that did not pass here was expected not to."""
        return self.known > 0 and self.known == sum(n for o, n in self.counts if not o.is_accepted)

    @property
    def words(self) -> str:
        """The square for those who do not see it."""
        counts = ", ".join(f"{count} {outcome.value}" for outcome, count in self.counts)
        flaky = f", {self.flaky} flaky" if self.flaky else ""
        known = f", {self.known} with a known defect" if self.known else ""
        return f"{self.reactor} over {self.transport}: {counts}{flaky}{known}"


@frozen
class Line:
    """One reactor's row. ``realization`` says what it really is, where it is not simply native."""

    reactor: str
    realization: str
    squares: tuple[Square | None, ...]


@frozen
class Absent:
    """What cannot exist on a host, and why."""

    name: str
    code: str
    detail: str


@frozen
class Grid:
    """The matrix of one host."""

    host: str
    transports: tuple[str, ...]
    lines: tuple[Line, ...]
    absent: tuple[Absent, ...]


def grid(table: Table, cells: Sequence[CellReport]) -> Grid:
    """The matrix of a host, whose cells are ``cells`` and are counted in ``table``."""
    squares: dict[tuple[str, str], list[CellReport]] = {}
    for cell in cells:
        squares.setdefault((cell.cell.reactor, cell.cell.transport), []).append(cell)
    shown = [row for row in table.rows if not _is_absent(row)]
    return Grid(
        host=table.host.id,
        transports=table.transports,
        lines=tuple(_line(row, table.transports, squares) for row in shown),
        absent=tuple(_absent(table.host, squares)),
    )


def _is_absent(row: Row) -> bool:
    return all(outcome is Outcome.UNSUPPORTED for counts in row.counts for outcome in counts)


def _line(row: Row, transports: Sequence[str], squares: Squares) -> Line:
    places = zip(transports, row.counts, strict=True)
    own = (
        _square(squares[row.reactor, transport], counts) if counts else None
        for transport, counts in places
    )
    return Line(row.reactor, row.realization, tuple(own))


def _square(cells: Sequence[CellReport], counts: Mapping[Outcome, int]) -> Square:
    bad = next((cell for cell in cells if not cell.outcome.is_accepted), None)
    host, axes = cells[0].host, cells[0].cell
    return Square(
        key=fragment("cells", host, f"{axes.reactor}/{axes.transport}"),
        reactor=axes.reactor,
        transport=axes.transport,
        counts=tuple(counts.items()),
        flaky=sum(cell.is_flaky for cell in cells),
        known=sum(cell.is_accepted and not cell.outcome.is_accepted for cell in cells),
        first=None if bad is None else key(host, bad.cell),
    )


def _absent(host: Host, squares: Squares) -> Iterator[Absent]:
    for reactor in host.reactors:
        if reactor.code is not None:
            yield Absent(reactor.name, reactor.code, reactor.detail)
    known = {reactor.name for reactor in host.reactors if not reactor.is_supported}
    for (name, transport), cells in squares.items():
        lacking = (cell.worst for cell in cells if cell.outcome is Outcome.UNSUPPORTED)
        said = next((result.verdict for result in lacking if result is not None), None)
        if said is not None and name not in known:
            yield Absent(f"{name} over {transport}", said.code or "", " ".join(said.reasons))
