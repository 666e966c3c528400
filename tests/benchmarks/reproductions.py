"""Hold the script of every failing cell of a run against what the run said of that cell.

    reactor-matrix run -o DIR
    python -m tests.benchmarks.reproductions DIR/results.jsonl [--all] [--cell PATTERN]

A script has to see the very rules broken that the matrix saw broken, or to die where the cell's
process died. ``--all`` takes the cells that passed too. Prints each cell that differs, and figures;
the exit status is 1 where one differs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from fnmatch import fnmatchcase
from pathlib import Path

from matrix.model.cell import Cell
from matrix.model.report import CellReport
from matrix.model.result import Outcome
from matrix.render.reproduction import script
from matrix.store import read
from tests.alone import Seen, run

PLAYED = (Outcome.PASS, Outcome.FAIL, Outcome.CRASH, Outcome.TIMEOUT)


def main() -> int:
    """Read, run, compare, tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--all", action="store_true", help="cells that passed, too")
    parser.add_argument("--cell", default="*", metavar="PATTERN")
    options = parser.parse_args()
    found = {
        each.cell: each
        for each in read(options.results).cells()
        if each.outcome in PLAYED
        and (options.all or each.outcome is not Outcome.PASS)
        and fnmatchcase(each.cell.id, options.cell)
    }
    began, spent = time.monotonic(), _spent()
    seen = run(found)
    took, spent = time.monotonic() - began, _spent() - spent
    different = [cell for cell in found if not _agree(found[cell], seen[cell])]
    for cell in different:
        broken = sorted(_broken(found[cell]))
        print(f"{cell.id}: {found[cell].outcome.value} {broken}; the script ended with ", end="")
        print(f"{seen[cell].status} and said\n{seen[cell].said}")
    _tell(list(found), len(different), took, spent)
    return 1 if different else 0


def _agree(cell: CellReport, seen: Seen) -> bool:
    if cell.outcome is Outcome.CRASH:
        return seen.status < 0
    broken = _broken(cell)
    return seen.broken == broken and seen.status == bool(broken)


def _broken(cell: CellReport) -> frozenset[str]:
    return frozenset(cell.worst.verdict.broken if cell.worst else ())


def _spent() -> float:
    """Seconds of CPU that children have used by now."""
    return os.times().children_user + os.times().children_system


def _tell(cells: list[Cell], different: int, took: float, spent: float) -> None:
    sizes = sorted(len(script(cell).splitlines()) for cell in cells)
    print(f"{len(cells)} scripts, {different} of them differ from the matrix")
    if cells:
        print(f"{took:.1f} s, {spent / len(cells) * 1000:.0f} ms of CPU each")
        print(f"lines: {sizes[0]} to {sizes[-1]}, median {sizes[len(sizes) // 2]}")


if __name__ == "__main__":
    sys.exit(main())
