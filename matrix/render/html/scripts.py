"""The scripts of cells that did not pass: long and nearly alike, so that each line is kept once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from attrs import frozen

from matrix.model.cell import Cell
from matrix.model.report import CellReport
from matrix.render.reproduction import has_script, script

ID, REACTOR = "\x01", "\x02"
"""What stands for the cell's id, and for its reactor as a literal: the rest of a script is often
the same for every reactor."""


@frozen
class Scripts:
    """Lines, texts as the numbers of their lines, and the number of each cell's text."""

    lines: tuple[str, ...]
    texts: tuple[tuple[int, ...], ...]
    numbers: Mapping[Cell, int]


def scripts(cells: Sequence[CellReport]) -> Scripts:
    """What `matrix.render.reproduction.script` writes of each cell that did not pass, if it can."""
    lines: dict[str, int] = {}
    texts: dict[tuple[int, ...], int] = {}
    numbers: dict[Cell, int] = {}
    for cell in dict.fromkeys(each.cell for each in cells if not each.outcome.is_accepted):
        if has_script(cell):
            own = _shared(cell).split("\n")
            text = tuple(lines.setdefault(line, len(lines)) for line in own)
            numbers[cell] = texts.setdefault(text, len(texts))
    return Scripts(tuple(lines), tuple(texts), numbers)


def _shared(cell: Cell) -> str:
    return script(cell).replace(cell.id, ID).replace(json.dumps(cell.reactor), REACTOR)
