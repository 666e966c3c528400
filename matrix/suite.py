"""The matrix of this interpreter for other test runners: one test for each cell.

``python -m unittest matrix.suite``, ``trial matrix.suite`` and ``pytest --pyargs matrix.suite``
run all of it, ``trial matrix.suite.EpollTls13`` one class of it. The controls are played with each
class; negative controls are not, those belong to ``reactor-matrix run``.
"""

from __future__ import annotations

import asyncio

from matrix import generate, plan
from matrix.manager.interpreters import Interpreter
from matrix.manager.run import play_cells, stands
from matrix.model.cell import Cell
from matrix.model.report import Host
from matrix.model.result import Outcome, Result, Verdict
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
        return asyncio.run(play_cells(cells, Interpreter.this()))
    why = f"{absent.code}: {absent.detail}"
    verdict = Verdict(Outcome.UNSUPPORTED, reasons=(why,), code=absent.code)
    nothing = Transcript((), Ending(How.LOST, detail=why))
    return [Result(_HOST.id, cell, verdict, nothing, 0) for cell in cells]


_CELLS = [cell for _, cell in plan.make([_HOST], plan.Selection()).cells()]
globals().update(generate.classes(_CELLS, _play, __name__))
