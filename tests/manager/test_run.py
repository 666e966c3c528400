"""A run plays what it owes in an order of its own."""

from __future__ import annotations

import asyncio

from matrix.manager.interpreters import Interpreter
from matrix.manager.run import play_cells
from matrix.model.cell import Cell


def test_what_takes_longest_is_played_first() -> None:
    """Of two cells, one by one, the plan has the quick one first, and the run the slow one."""
    quick, slow = (
        Cell("select", "unix", scenario, "client", "socket")
        for scenario in ("abort-when-full", "lose-then-abort")
    )
    results = asyncio.run(play_cells((quick, slow), Interpreter.this(), in_flight=1))
    assert [result.cell for result in results] == [slow, quick]
