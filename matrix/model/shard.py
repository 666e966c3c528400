"""A part of a plan that one of several runs plays."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from attrs import frozen

from matrix.model.cell import Cell
from matrix.model.costs import cost

_WRITTEN = re.compile("[1-9][0-9]{0,8}/[1-9][0-9]{0,8}")


@frozen(order=True)
class Shard:
    """The ``number``-th of ``count`` parts, which are disjoint and together complete."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``K/N`` back; `ValueError` unless 1 ≤ K ≤ N."""
        if _WRITTEN.fullmatch(text):
            number, count = map(int, text.split("/"))
            if number <= count:
                return cls(number, count)
        raise ValueError(f"a shard reads K/N with 1 ≤ K ≤ N, for instance 2/4; not {text!r}")

    def part(self, cells: Iterable[Cell]) -> tuple[Cell, ...]:
        """Every n-th cell from the costliest down, in the order in which they came.

        So no two shards are further apart than one cell costs. Which of equal cells comes first is
        left to a digest: in any other order some shard would get the reactors that cannot run.
        """
        cells = tuple(cells)
        places = sorted(range(len(cells)), key=lambda place: _place(cells[place]))
        return tuple(cells[place] for place in sorted(places[self.number - 1 :: self.count]))


def _place(cell: Cell) -> tuple[float, str]:
    return -cost(cell), hashlib.sha256(cell.id.encode(errors="surrogatepass")).hexdigest()
