"""What is different since an earlier report, as far as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from matrix.compare import Comparison, Kind
from matrix.model.cell import Cell
from matrix.render.comparison import sentence
from matrix.render.html.cells import key

FIRST = 5
"""Changes that the first screen names one by one."""


@frozen
class Change:
    """One changed cell on the first screen; ``key`` opens it."""

    key: str
    host: str
    cell: Cell
    what: str


@frozen
class Changes:
    """What changed since ``baseline``: in one sentence, and in words for each changed cell.

    ``cells`` maps (host, cell), the gravest change first; ``failing`` has those that fail and did
    not, or for a reason that they did not have.
    """

    baseline: str
    sentence: str
    cells: Mapping[tuple[str, Cell], str] = field(factory=dict)
    failing: frozenset[tuple[str, Cell]] = frozenset()

    @property
    def first(self) -> tuple[Change, ...]:
        """The gravest of them."""
        found = list(self.cells.items())[:FIRST]
        return tuple(Change(key(host, cell), host, cell, what) for (host, cell), what in found)

    @property
    def more(self) -> int:
        """How many there are besides."""
        return max(0, len(self.cells) - FIRST)


def since(baseline: str, comparison: Comparison) -> Changes:
    """What a comparison with the report called ``baseline`` found."""
    cells: dict[tuple[str, Cell], str] = {}
    for change in comparison.changes:
        place, what = (change.host, change.cell), f"{change.kind.value}: {change.what}"
        cells[place] = f"{cells[place]}; {what}" if place in cells else what
    new = (each for each in comparison.changes if each.kind is Kind.NEW_FAILURE)
    failing = frozenset((each.host, each.cell) for each in new)
    return Changes(baseline, sentence(comparison), cells, failing)
