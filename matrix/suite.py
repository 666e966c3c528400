"""The matrix of this interpreter for other test runners: one test for each cell.

``python -m unittest matrix.suite``, ``trial matrix.suite`` and ``pytest --pyargs matrix.suite``
run all of it, ``trial matrix.suite.EpollTls13`` one class of it. The controls are played with each
class; negative controls are not, those belong to ``reactor-matrix run``.
"""

from __future__ import annotations

import asyncio

from matrix import generate, plan
from matrix.manager.interpreters import Interpreter
from matrix.manager.run import Run, stands
from matrix.model.cell import Cell
from matrix.model.report import Host, Plan, Planned
from matrix.model.result import Control, Outcome, Result, Verdict
from matrix.model.transcript import Ending, How, Transcript


async def _inspect() -> Host:
    async with stands((Interpreter.this(),)) as (stand,):
        return stand.host


_HOST = asyncio.run(_inspect())
_ABSENT = {reactor.name: reactor for reactor in _HOST.reactors if not reactor.is_supported}


def _play(cells: tuple[Cell, ...]) -> list[Result]:
    """Play these cells, all of one reactor."""
    absent = _ABSENT.get(cells[0].reactor)
    if absent is None:
        return asyncio.run(_run(cells))
    why = f"{absent.code}: {absent.detail}"
    verdict = Verdict(Outcome.UNSUPPORTED, reasons=(why,), code=absent.code)
    nothing = Transcript((), Ending(How.LOST, detail=why))
    return [Result(_HOST.id, cell, verdict, nothing, 0) for cell in cells]


async def _run(cells: tuple[Cell, ...]) -> list[Result]:
    entries: list[Control | Result] = []
    async with stands((Interpreter.this(),)) as ready:
        owed = Plan("", (Planned(_HOST.id, cells),))
        await Run(owed, ready, entries.append).play()
    return [entry for entry in entries if isinstance(entry, Result)]


_CELLS = [cell for _, cell in plan.make([_HOST], plan.Selection()).cells()]
globals().update(generate.classes(_CELLS, _play, __name__))
