"""A run plays what it owes in an order of its own, and nothing that cannot exist."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from matrix import wire
from matrix.manager.interpreters import Interpreter
from matrix.manager.run import Run, play_cells, stands
from matrix.manager.session import Session
from matrix.model.cell import Cell
from matrix.model.report import Plan, Planned
from matrix.model.result import Control, Outcome, Result
from matrix.model.transcript import Transcript
from tests import miniatures


def test_what_takes_longest_is_played_first_beside_what_is_quick() -> None:
    """Of three cells, one by one, the run has the slowest first, then the quickest."""
    quick, usual, slow = cells = (
        Cell("select", "unix", "abort-when-full", "client", "socket"),
        Cell("select", "tcp4", "abort-when-full", "client", "socket"),
        Cell("select", "unix", "lose-then-abort", "client", "socket"),
    )
    results = asyncio.run(play_cells(cells, Interpreter.this(), in_flight=1))
    assert [result.cell for result in results] == [slow, quick, usual]


async def entries_of(cell: Cell) -> list[Control | Result]:
    """Whatever comes of a run of one cell."""
    entries: list[Control | Result] = []
    async with stands((Interpreter.this(),)) as (stand,):
        plan = Plan("", (Planned(stand.host.id, (cell,)),))
        await Run(plan, (stand,), entries.append).play()
    return entries


def test_the_attempts_of_a_control_share_a_process() -> None:
    """Each has a first and a last line and a proof of its own; the cell has its own process."""
    cell = Cell("select", "unix", "abort-when-full", "client", "socket")
    *controls, result = asyncio.run(entries_of(cell))
    assert [each.attempt for each in controls] == [1, 2, 3]
    for each in controls:
        names = [event.name for event in each.transcript.events]
        assert names[0] == "started"
        assert names[-1] == "finished"
        assert names.count("proved") == 1
        assert isinstance(each, Control)
        assert each.signal == "fin"
    assert len({process(each) for each in controls}) == 1
    assert process(result) != process(controls[0])


def test_verdicts_wait_for_the_last_control(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that was played before its controls are there is judged after them."""
    do, is_played = Session.do, asyncio.Event()

    async def controls_last(self: Session, job: Mapping[str, Any], patience: int = 1) -> Transcript:
        if job["do"] == wire.CONTROL:
            await is_played.wait()
        transcript = await do(self, job, patience)
        if job["do"] == wire.PLAY:
            is_played.set()
        return transcript

    monkeypatch.setattr(Session, "do", controls_last)
    cell = Cell("select", "tcp4", "abort-when-full", "client", "socket")
    *controls, result = asyncio.run(entries_of(cell))
    assert isinstance(result, Result)
    assert {type(control) for control in controls} == {Control}


def process(entry: Control | Result) -> object:
    """The number of the job that its process was started for."""
    return entry.transcript.events[0]["job"]["job"]


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
