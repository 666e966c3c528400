"""The matrix: scenarios by family down, the reactors of each host with their transports across.

What passes everywhere is folded: a family or a reactor of which every cell passes is one line,
and within any other family the scenarios that pass everywhere are named in one. `matrix.js`
draws the same, and more, for those who have JavaScript.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby

from attrs import frozen

from matrix.model.report import CellReport
from matrix.model.result import SEVERITY, Outcome
from matrix.model.scenarios import find
from matrix.render.html.cells import key
from matrix.render.html.hosts import NATIVE, Real
from matrix.render.html.words import number

COLUMNS = 60
"""Past so many columns, the transports of every reactor are folded into one."""

Reactor = tuple[str, str]
"""(host, reactor): a group of columns."""


@frozen
class Square:
    """Some cells, shown as the worst that none of them was expected to come to.

    ``count`` of them came to it; ``is_whole`` where all that can exist did. ``words`` has all
    counts. ``first`` opens the first cell that did not pass.
    """

    outcome: Outcome
    count: int
    is_whole: bool
    is_known: bool
    flaky: int
    words: str
    first: str | None


@frozen
class Line:
    """A row: one scenario, or one family whose scenarios are folded; ``note`` counts those."""

    label: str
    note: str
    squares: tuple[Square | None, ...]


@frozen
class Family:
    """Rows that belong together. ``everywhere`` names the scenarios that pass everywhere."""

    label: str
    is_folded: bool
    lines: tuple[Line, ...]
    everywhere: tuple[str, ...] = ()


@frozen
class Head:
    """Columns that belong together, and what they really are."""

    label: str
    span: int
    real: Real = NATIVE


@frozen
class Grid:
    """The matrix of a report. ``transports`` has a label for each column."""

    hosts: tuple[Head, ...]
    reactors: tuple[Head, ...]
    transports: tuple[str, ...]
    families: tuple[Family, ...]

    @property
    def has_unreal(self) -> bool:
        """Whether any reactor is not what its name says."""
        return not all(head.real.is_native for head in self.reactors)

    @property
    def looks(self) -> tuple[str, ...]:
        """The classes of each column: whether a reactor or host begins there, and what it is."""
        edges = frozenset(accumulate((head.span for head in self.hosts), initial=0))
        found: list[str] = []
        for head in self.reactors:
            own = "" if head.real.is_native else " unreal"
            edge = " edge" if len(found) in edges else ""
            found += [f" start{edge}{own}"] + [own] * (head.span - 1)
        return tuple(found)


@frozen
class _Column:
    host: str
    reactor: str
    transports: tuple[str, ...]


def grid(cells: Sequence[CellReport], realizations: Mapping[Reactor, Real]) -> Grid:
    """The matrix of these cells; ``realizations`` says of a host's reactor what it really is."""
    shown = [cell for cell in cells if cell.outcome is not Outcome.UNSUPPORTED]
    columns = _columns(shown)
    placed = _placed(cells, columns)
    heads = groupby(columns, lambda column: (column.host, column.reactor))
    return Grid(
        hosts=tuple(
            Head(host, len(list(own))) for host, own in groupby(columns, lambda column: column.host)
        ),
        reactors=tuple(
            Head(reactor, len(list(own)), realizations.get((host, reactor), NATIVE))
            for (host, reactor), own in heads
        ),
        transports=tuple(_label(column) for column in columns),
        families=tuple(_families(shown, placed, len(columns))),
    )


def _label(column: _Column) -> str:
    one, *more = column.transports
    return f"all {len(more) + 1}" if more else one


def _columns(shown: Sequence[CellReport]) -> list[_Column]:
    found: dict[Reactor, dict[str, None]] = {}
    fine: dict[Reactor, bool] = {}
    for cell in shown:
        group = (cell.host, cell.cell.reactor)
        found.setdefault(group, {})[cell.cell.transport] = None
        fine[group] = fine.get(group, True) and _is_fine(cell)
    are_many = sum(map(len, found.values())) > COLUMNS
    columns = []
    for group, transports in found.items():
        parts = [tuple(transports)] if are_many or fine[group] else [(t,) for t in transports]
        columns += [_Column(*group, part) for part in parts]
    return columns


def _is_fine(cell: CellReport) -> bool:
    """Whether nothing at all is to be said of the cell."""
    return cell.outcome.is_accepted and not cell.is_flaky


Placed = Mapping[str, Mapping[int, Sequence[CellReport]]]
"""Scenario → number of the column → cells."""


def _placed(cells: Iterable[CellReport], columns: Sequence[_Column]) -> Placed:
    number = {(c.host, c.reactor, t): n for n, c in enumerate(columns) for t in c.transports}
    placed: dict[str, dict[int, list[CellReport]]] = {}
    for cell in cells:
        n = number.get((cell.host, cell.cell.reactor, cell.cell.transport))
        if n is not None:
            placed.setdefault(cell.cell.scenario, {}).setdefault(n, []).append(cell)
    return placed


def _families(shown: Sequence[CellReport], placed: Placed, width: int) -> Iterator[Family]:
    families: dict[str, list[str]] = {}
    for scenario in dict.fromkeys(cell.cell.scenario for cell in shown):
        families.setdefault(find(scenario).family, []).append(scenario)
    for family, scenarios in families.items():
        fine = [s for s in scenarios if all(map(_is_fine, _all(placed[s])))]
        if len(fine) == len(scenarios):
            note = number(len(scenarios), "scenario")
            yield Family(family, True, (Line(family, note, _squares(placed, fine, width)),))
        else:
            rest = [scenario for scenario in scenarios if scenario not in fine]
            lines = (Line(s, "", _squares(placed, [s], width)) for s in rest)
            yield Family(family, False, tuple(lines), tuple(fine))


def _all(row: Mapping[int, Sequence[CellReport]]) -> Iterator[CellReport]:
    return (cell for cells in row.values() for cell in cells)


def _squares(placed: Placed, scenarios: Sequence[str], width: int) -> tuple[Square | None, ...]:
    rows = [placed[scenario] for scenario in scenarios]
    own = ([cell for row in rows for cell in row.get(n, ())] for n in range(width))
    return tuple(square(cells) if cells else None for cells in own)


def square(cells: Sequence[CellReport]) -> Square:
    """What is shown of these cells together."""
    alarming = [cell for cell in cells if not cell.is_accepted]
    known = [cell for cell in cells if cell.is_accepted and not cell.outcome.is_accepted]
    there = [cell for cell in cells if cell.outcome is not Outcome.UNSUPPORTED] or cells
    telling = alarming or known or there
    worst = min((cell.outcome for cell in telling), key=SEVERITY.index)
    count = sum(cell.outcome is worst for cell in telling)
    flaky = sum(cell.is_flaky for cell in cells)
    bad = next(iter(alarming or known), None)
    return Square(
        outcome=worst,
        count=count,
        is_whole=count == len(there),
        is_known=not alarming and bool(known),
        flaky=flaky,
        words=_words(cells, len(known), flaky),
        first=None if bad is None else key(bad.host, bad.cell),
    )


def _words(cells: Sequence[CellReport], known: int, flaky: int) -> str:
    counts = Counter(cell.outcome for cell in cells)
    parts = [f"{counts[outcome]} {outcome.value}" for outcome in SEVERITY if counts[outcome]]
    parts += [f"{known} with a known defect"] if known else []
    return ", ".join(parts + ([f"{flaky} flaky"] if flaky else []))
