"""A part of a plan that one of several runs plays."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from matrix.model.cell import Cell

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
        """Every n-th cell by id, in the order in which they came."""
        cells = tuple(cells)
        places = sorted(range(len(cells)), key=lambda place: cells[place].parts)
        return tuple(cells[place] for place in sorted(places[self.number - 1 :: self.count]))
