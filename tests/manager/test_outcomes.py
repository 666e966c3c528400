"""Real agents in which a real cell goes wrong: each outcome is told apart from the others."""

from __future__ import annotations

import asyncio
import os
import select
from pathlib import Path

import pytest

from matrix import wire
from matrix.manager.interpreters import Interpreter
from matrix.manager.run import play_cells
from matrix.model.cell import Cell
from matrix.model.result import Outcome, Result
from matrix.model.transcript import How
from tests import miniatures

pytestmark = pytest.mark.usefixtures("no_folder_is_left")

CELL = Cell("select", "tcp4", "abort-when-full", "client", "socket")
OTHER = Cell("select", "tcp4", "abort-when-full", "server", "socket")


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Makes the breakages importable, and says where else a test may put things."""
    miniatures.importable(tmp_path, monkeypatch, **miniatures.BREAKAGES)
    return str(tmp_path)


def play(*cells: Cell, preload: str, deadline: float = 30, in_flight: int = 1) -> list[Result]:
    """The results of cells that are played in this interpreter with something broken in it."""
    here = Interpreter.this()
    return asyncio.run(play_cells(cells, here, (preload,), deadline, in_flight))


@pytest.mark.usefixtures("broken")
def test_hang_is_a_timeout() -> None:
    """A cell that hangs is killed at its deadline, and its stderr says where it hung."""
    (result,) = play(CELL, preload="hangs", deadline=3)
    assert result.verdict.outcome is Outcome.TIMEOUT
    assert result.verdict.reasons == ("killed after 3 s",)
    assert "hangs.py" in result.transcript.stderr
    assert "in abortConnection" in result.transcript.stderr
    assert result.transcript.first(wire.PROVED) is not None


@pytest.mark.usefixtures("broken")
def test_stopped_process_is_a_timeout() -> None:
    """A process that cannot even dump its stacks is killed all the same."""
    (result,) = play(CELL, preload="stops", deadline=3)
    assert result.verdict.outcome is Outcome.TIMEOUT


@pytest.mark.usefixtures("broken")
def test_closed_pipes_are_a_timeout() -> None:
    """A process that closes its pipes and goes on is not taken for one that has ended."""
    (result,) = play(CELL, preload="closes_its_pipes", deadline=3)
    assert result.verdict.outcome is Outcome.TIMEOUT


@pytest.mark.usefixtures("broken")
def test_segfault_is_a_crash() -> None:
    """A process that dies is a crash by its signal's name, with the stack that it left."""
    (result,) = play(CELL, preload="segfaults")
    assert (result.verdict.outcome, result.verdict.code) == (Outcome.CRASH, "SIGSEGV")
    assert "Segmentation fault" in result.transcript.stderr


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize(("module", "code"), [("exits", "exit 0"), ("exits_with_9", "exit 9")])
def test_early_exit_is_a_crash(module: str, code: str) -> None:
    """A process that ends before its last line has crashed, whatever its status says."""
    (result,) = play(CELL, preload=module)
    assert (result.verdict.outcome, result.verdict.code) == (Outcome.CRASH, code)


@pytest.mark.usefixtures("broken")
def test_reactor_that_stops_by_itself_fails() -> None:
    """A reactor whose run ends while the scenario goes on has failed, and not the harness."""
    (result,) = play(CELL, preload="crashes_its_reactor")
    assert (result.verdict.outcome, result.verdict.broken) == (Outcome.FAIL, ("reactor-runs",))
    assert "although the scenario went on" in result.verdict.reasons[0]


@pytest.mark.usefixtures("broken")
def test_garbage_is_an_error() -> None:
    """Garbage among the events makes the cell an error, however well it went otherwise."""
    (result,) = play(CELL, preload="writes_garbage")
    assert result.verdict.outcome is Outcome.ERROR
    assert "garbage" in result.verdict.reasons[0]
    assert result.transcript.finished


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("module", ["never_stops_writing_garbage", "never_stops_writing_events"])
def test_endless_output_ends(module: str) -> None:
    """Of output without end no more than the limit is kept, and the deadline ends it."""
    (result,) = play(CELL, preload=module, deadline=3)
    assert result.verdict.outcome is Outcome.TIMEOUT
    kept = sum(1 for event in result.transcript.events if event.name == "x")
    assert kept <= wire.MAX_OUTPUT / len('{"t": 1, "side": "aborter", "event": "x"}')
    assert len(result.transcript.garbage) < 10_000


@pytest.mark.usefixtures("broken")
def test_flood_on_stderr_changes_nothing() -> None:
    """However much a cell prints, its events decide, and no more than the limit is kept."""
    (result,) = play(CELL, preload="floods_stderr")
    assert result.verdict.outcome is Outcome.PASS
    assert len(result.transcript.stderr.replace("\\xff", "x")) == wire.MAX_OUTPUT


def test_grandchild_is_killed(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that a cell has started is killed when the cell ends."""
    fifo = f"{broken}/fifo"
    os.mkfifo(fifo)
    monkeypatch.setenv("MINIATURE_FIFO", fifo)
    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    play(CELL, preload="leaves_a_grandchild")
    poll = select.poll()
    poll.register(descriptor, select.POLLHUP)
    assert poll.poll(10_000)
    os.close(descriptor)


def test_killed_agent_costs_its_cells_only(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When an agent is killed in mid-cell, that cell has no result, and another agent goes on."""
    monkeypatch.setenv("MINIATURE_MARKER", f"{broken}/marker")
    first, second = play(CELL, OTHER, preload="kills_its_agent_once")
    assert first.verdict.outcome is Outcome.NO_RESULT
    assert first.transcript.ending.how is How.LOST
    assert "SIGKILL" in first.verdict.reasons[0]
    assert second.verdict.outcome is Outcome.PASS
