"""A run plays what it owes in an order of its own, and nothing that cannot exist."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from matrix.manager.interpreters import Interpreter
from matrix.manager.run import play_cells
from matrix.model.cell import Cell
from matrix.model.result import Outcome
from tests import miniatures


def test_what_takes_longest_is_played_first() -> None:
    """Of two cells, one by one, the plan has the quick one first, and the run the slow one."""
    quick, slow = (
        Cell("select", "unix", scenario, "client", "socket")
        for scenario in ("abort-when-full", "lose-then-abort")
    )
    results = asyncio.run(play_cells((quick, slow), Interpreter.this(), in_flight=1))
    assert [result.cell for result in results] == [slow, quick]


SECRETIVE = """
from twisted.internet.selectreactor import SelectReactor

def getReaders(self):
    raise NotImplementedError

SelectReactor.getReaders = getReaders
"""


def test_what_a_reactor_cannot_have_is_found_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second cell of the same scenario is unsupported by the word of the first, and no process
    is spent on it; another scenario is played.
    """
    miniatures.importable(tmp_path, monkeypatch, secretive=SECRETIVE)
    names = ("abort-after-spurious-wakeup", "abort-after-spurious-wakeup", "abort-when-full")
    cells = [
        Cell("select", transport, name, "client", "socket")
        for transport, name in zip(("unix", "tcp4", "unix"), names, strict=True)
    ]
    played = play_cells(cells, Interpreter.this(), preload=("secretive",), in_flight=1)
    first, second, other = sorted(asyncio.run(played), key=lambda each: cells.index(each.cell))
    assert first.verdict.outcome is second.verdict.outcome is Outcome.UNSUPPORTED
    assert second.verdict.code == "interface-missing"
    assert {first.cell.transport, second.cell.transport} == {"unix", "tcp4"}
    assert first.transcript == second.transcript
    assert other.verdict.outcome is not Outcome.UNSUPPORTED
