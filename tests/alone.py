"""Scripts of cells, run by themselves, and what they say. ``tests/forked.py`` runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from matrix.model.cell import Cell
from matrix.render.reproduction import script

PATIENCE = 1800
"""Seconds in which thousands of scripts end, also where other programs keep the machine busy."""
HOLDS = "every rule holds"


@frozen
class Seen:
    """What came of a script: its exit status (a signal's is below zero), and all that it said."""

    status: int
    said: str

    @property
    def broken(self) -> frozenset[str] | None:
        """The rules that its last line names; None if the script did not come to that line."""
        last = re.search(rf"^EXPECTED: {HOLDS}\. SEEN: (.*)\n\Z", self.said, re.MULTILINE)
        if last is None:
            return None
        return frozenset() if last[1] == HOLDS else frozenset(last[1].split(", "))


def run(cells: Iterable[Cell], *before: Path) -> dict[Cell, Seen]:
    """What comes of the script of each cell, with these files run before it.

    Nothing of this project runs in those processes, so that none of them is measured.
    """
    chosen = {cell.id: cell for cell in cells}
    lines = [json.dumps([name, script(cell)]) + "\n" for name, cell in chosen.items()]
    words = [word for path in before for word in ("--before", str(path))]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("forked.py")), *words],
        input="".join(lines),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")},
    )
    assert done.returncode == 0, done.stderr
    told = map(json.loads, done.stdout.splitlines())
    seen = {chosen[name]: Seen(status, said) for name, status, said in told}
    assert len(seen) == len(chosen)
    return seen
