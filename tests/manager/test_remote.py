"""Agents on the far side of a real ``sshd``, over links of every quality."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from matrix.errors import AgentError
from matrix.manager import conversation
from matrix.manager.interpreters import Interpreter
from matrix.manager.run import Run, stands
from matrix.model.cell import Cell
from matrix.model.report import Plan, Planned
from matrix.model.result import Control, Outcome, Result
from tests import sshd
from tests.manager.conftest import descendants, ends
from tests.relay import relay

pytestmark = [
    pytest.mark.usefixtures("no_folder_is_left"),
    pytest.mark.skipif(sshd.why_not() is not None, reason=str(sshd.why_not())),
]

CELLS = tuple(
    Cell("select", transport, "abort-when-full", side, peer)
    for transport in ("tcp4", "unix")
    for side in ("client", "server")
    for peer in ("reactor", "socket")
)
MORE = tuple(Cell("select", "tcp6", cell.scenario, cell.side, cell.peer) for cell in CELLS)
"""With these, some cells are not handed over yet when a link goes bad at the second result:
four others may have answered by then, and four more follow them.
"""
LONG = Cell("select", "tcp4", "abort-storm", "client", "reactor")
"""It takes seconds: when two of the others have ended, it is under way."""

PYTHON = sys.executable

Entry = Control | Result
Watch = Callable[[list[Entry]], None]


@pytest.fixture
def server(
    tmp_path: Path, no_folder_is_left: None, no_process_is_left: None
) -> Iterator[sshd.Server]:
    """An ``sshd`` whose processes and temporary folders are looked for after the test."""
    folder = tmp_path / "sshd"
    folder.mkdir()
    told = {name: os.environ[name] for name in ("MINIATURE_RUN", "TMPDIR")}
    with sshd.serve(folder, told) as serving:
        yield serving
    mark = f"MINIATURE_RUN={os.environ['MINIATURE_RUN']}"
    assert all(ends(pid) for pid in descendants(mark) if pid != os.getpid())


async def play(
    command: tuple[str, ...],
    watch: Watch = lambda entries: None,
    cells: tuple[Cell, ...] = CELLS,
) -> list[Result]:
    """The results of the cells; ``watch`` is shown all there is whenever there is more."""
    entries: list[Entry] = []

    def emit(entry: Entry) -> None:
        entries.append(entry)
        watch(entries)

    async with stands((Interpreter(command),)) as (stand,):
        plan = Plan("", (Planned(stand.host.id, cells),))
        await Run(plan, (stand,), emit, in_flight=4).play()
    return [entry for entry in entries if isinstance(entry, Result)]


def outcomes(results: list[Result], cells: tuple[Cell, ...] = CELLS) -> set[Outcome]:
    """What came of the cells, each of which has one result."""
    assert {result.cell for result in results} == set(cells)
    assert len(results) == len(cells)
    return {result.verdict.outcome for result in results}


def reasons(results: list[Result]) -> set[str]:
    """Why cells have no result."""
    return {
        reason
        for result in results
        if result.verdict.outcome is Outcome.NO_RESULT
        for reason in result.verdict.reasons
    }


def once_there_are(count: int, do: Callable[[], None]) -> Watch:
    """Does that when so many cells have a result."""

    def watch(entries: list[Entry]) -> None:
        if [isinstance(entry, Result) for entry in entries].count(True) == count:
            do()

    return watch


def test_direct(server: sshd.Server) -> None:
    """All cells pass on a host to which nothing was copied, and nothing is left there."""
    assert outcomes(asyncio.run(play(server.command(PYTHON)))) == {Outcome.PASS}


def test_slow_link(server: sshd.Server) -> None:
    """A link that takes 200 ms each way changes nothing."""

    async def over_relay() -> list[Result]:
        async with relay(server.port, delay=0.2) as link:
            return await play(server.command(PYTHON, port=link.port))

    assert outcomes(asyncio.run(over_relay())) == {Outcome.PASS}


def test_stalled_link(server: sshd.Server) -> None:
    """A link that stalls until answers wait in it, and then goes on, loses nothing."""

    async def over_relay() -> list[Result]:
        async with relay(server.port) as link:
            watch = once_there_are(2, link.stall)
            playing = play(server.command(PYTHON, port=link.port), watch, (LONG, *CELLS))
            results = asyncio.create_task(playing)
            await link.holds_an_answer()
            link.go_on()
            return await results

    assert outcomes(asyncio.run(over_relay()), (LONG, *CELLS)) == {Outcome.PASS}


def test_link_that_stalls_for_good(server: sshd.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that is not heard of any more is given up, and its cells say so."""
    monkeypatch.setattr(conversation, "BEAT", 0.1)

    async def over_relay() -> list[Result]:
        async with relay(server.port) as link:

            def stall() -> None:
                link.stall()
                monkeypatch.setattr(conversation, "SILENCE_LIMIT", 1.0)

            watch = once_there_are(2, stall)
            return await play(server.command(PYTHON, port=link.port), watch, cells)

    cells = CELLS + MORE
    results = asyncio.run(over_relay())
    assert outcomes(results, cells) == {Outcome.PASS, Outcome.NO_RESULT}
    assert any("the agent said nothing for 1 s" in reason for reason in reasons(results))
    assert any("is given up" in reason for reason in reasons(results))


def test_link_that_is_cut(server: sshd.Server) -> None:
    """What was under way over a link that is cut has no result, and a new link does the rest."""

    async def over_relay() -> list[Result]:
        async with relay(server.port) as link:
            watch = once_there_are(2, link.cut)
            return await play(server.command(PYTHON, port=link.port), watch, (LONG, *CELLS))

    results = asyncio.run(over_relay())
    assert outcomes(results, (LONG, *CELLS)) == {Outcome.PASS, Outcome.NO_RESULT}
    assert len(reasons(results)) == 1
    assert "the agent ended; its process ended with status 255" in reasons(results).pop()


def test_link_that_is_cut_for_good(server: sshd.Server) -> None:
    """Where no new link can be made either, what is owed has no result, and the run ends."""

    async def over_relay() -> list[Result]:
        async with relay(server.port) as link:
            watch = once_there_are(2, lambda: link.cut(for_good=True))
            return await play(server.command(PYTHON, port=link.port), watch, cells)

    cells = (LONG, *CELLS, *MORE)
    results = asyncio.run(over_relay())
    assert outcomes(results, cells) == {Outcome.PASS, Outcome.NO_RESULT}
    assert any("Connection refused" in reason for reason in reasons(results))


def test_killed_connection(server: sshd.Server) -> None:
    """When sshd's process of the connection is killed, what was under way has no result."""

    def kill() -> None:
        for pid in server.connections():
            os.kill(pid, signal.SIGKILL)

    watch = once_there_are(2, kill)
    results = asyncio.run(play(server.command(PYTHON), watch, (LONG, *CELLS)))
    assert outcomes(results, (LONG, *CELLS)) == {Outcome.PASS, Outcome.NO_RESULT}
    assert any("status 255" in reason for reason in reasons(results))


def test_no_connection(tmp_path: Path, server: sshd.Server) -> None:
    """A host that lets nobody in is one sentence, with what ssh said."""
    (tmp_path / "sshd/known_hosts").write_text("")
    with pytest.raises(AgentError, match="cannot play: Host key verification failed"):
        asyncio.run(play(server.command(PYTHON)))
