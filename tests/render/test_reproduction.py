"""Scripts of single cells, run by themselves: they show what the matrix shows of those cells.

Which cells fail, and by which rules, is taken from the expectations that are shipped and from what
is installed here. ``tests/benchmarks/reproductions.py`` holds the scripts against a run of the
matrix instead, cell by cell and rule by rule.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from matrix import wire
from matrix.agent.hello import provenance
from matrix.expectations import Expectation, shipped
from matrix.model.cell import Cell
from matrix.model.scenarios import SCENARIOS, why_left_out
from matrix.render.reproduction import script
from tests import alone, commands

ROOT = Path(__file__).parents[2]
REPAIRS = sorted((ROOT / "docs" / "defects" / "repairs").glob("t*.py"))
MAY_IMPORT = sys.stdlib_module_names | {"OpenSSL", "twisted", "zope", "uvloop", "qreactor"}


def every(reactor: str) -> list[Cell]:
    """All cells of a reactor."""
    names = (scenario.name for scenario in SCENARIOS)
    axes = product([reactor], wire.TRANSPORTS, names, wire.SIDES, wire.PEERS)
    return [cell for parts in axes if why_left_out(cell := Cell(*parts)) is None]


def known(cell: Cell) -> list[Expectation]:
    """The known failures of a cell that are to be expected of what is installed here."""
    told = provenance()  # type: ignore[no-untyped-call]
    return [each for each in shipped() if each.speaks_of(told, cell)]


@pytest.mark.parametrize("reactor", ["select", "epoll", "asyncio"])
def test_every_failing_cell_fails_by_itself(reactor: str) -> None:
    """The script of a cell that is known to fail sees rules broken, all of them known."""
    expected = {
        cell: frozenset[str]().union(*(each.rules for each in entries))
        for cell in every(reactor)
        if (entries := known(cell))
    }
    assert expected
    seen = alone.run(expected)
    for cell, rules in expected.items():
        broken = seen[cell].broken
        assert broken, f"{cell.id}\n{seen[cell].said}"
        assert broken <= rules, f"{cell.id}\n{seen[cell].said}"
        assert seen[cell].status == 1


def test_what_passes_passes_by_itself() -> None:
    """The script of a cell that is not known to fail sees every rule hold."""
    cells = [cell for cell in every("select") if not known(cell)]
    assert cells
    for cell, seen in alone.run(cells).items():
        assert (seen.broken, seen.status) == (frozenset(), 0), f"{cell.id}\n{seen.said}"


def test_with_its_cause_repaired_a_cell_passes_by_itself() -> None:
    """With what is said to be the cause of the known failures repaired, the scripts see none."""
    cells = [cell for cell in every("epoll") if known(cell) and cell.side == "client"]
    cells = [cell for cell in cells if cell.transport in ("tcp4", "tls1.3")]
    assert cells
    for cell, seen in alone.run(cells, *REPAIRS).items():
        assert (seen.broken, seen.status) == (frozenset(), 0), f"{cell.id}\n{seen.said}"


DEAF = """
from twisted.internet.tcp import Connection
Connection.abortConnection = lambda self: None
"""
POLITE = """
from twisted.internet.tcp import Connection
close = Connection._closeSocket
Connection._closeSocket = lambda self, orderly: close(self, True)
"""
FORGETFUL = """
from twisted.internet.tcp import Connection
lost = Connection.connectionLost
def connection_lost(self, reason):
    self.producer = None
    lost(self, reason)
Connection.connectionLost = connection_lost
"""
HOARDING = """
from twisted.internet.tcp import Connection
lost, kept = Connection.connectionLost, []
def connection_lost(self, reason):
    kept.append(self)
    lost(self, reason)
Connection.connectionLost = connection_lost
"""


@pytest.mark.parametrize(
    ("defect", "peer", "broken"),
    [
        (DEAF, "socket", {"connection-lost-once", "prompt", "producer-stopped-once"}),
        (POLITE, "socket", {"peer-told"}),
        (POLITE, "reactor", {"peer-reason"}),
        (FORGETFUL, "socket", {"producer-stopped-once"}),
        (HOARDING, "reactor", {"released"}),
    ],
    ids=["deaf", "polite-socket", "polite-reactor", "forgetful", "hoarding"],
)
def test_a_script_sees_what_is_not_known_yet(
    tmp_path: Path, defect: str, peer: str, broken: set[str]
) -> None:
    """A script looks at the rules that its cell keeps today, too."""
    (tmp_path / "defect.py").write_text(defect)
    cell = Cell("select", "tcp4", "abort-when-full", "server", peer)
    seen = alone.run([cell], tmp_path / "defect.py")[cell]
    assert seen.broken is not None, seen.said
    assert broken <= seen.broken, seen.said
    assert seen.status == 1


def test_scripts_need_nothing_of_this_project() -> None:
    """A script imports the standard library and what is under test, and fits on a few screens."""
    few = [
        Cell(reactor, "tcp4", "abort-when-full", "client", "socket") for reactor in ("uvloop", "qt")
    ]
    for cell in [*every("epoll"), *few]:
        text = script(cell)
        ast.parse(text, feature_version=(3, 8))
        imported = re.findall(r"^ *(?:import|from) (\w+)", text.split('"""', 2)[2], re.MULTILINE)
        assert MAY_IMPORT.issuperset(imported), cell.id
        assert max(map(len, text.splitlines())) <= 100, cell.id
        assert len(text.split('"""', 2)[2].splitlines()) < 280, cell.id
        assert text.startswith(f'"""{cell.id}, with Twisted')


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("select/tls1.3/abort-when-full/client/socket", 1),
        ("select/tcp4/abort-then-raise/server/reactor", 1),
        ("select/tcp4/abort-when-full/client/socket", 0),
    ],
)
def test_the_command_gives_a_script_that_runs(tmp_path: Path, cell: str, status: int) -> None:
    """What the command prints is what it writes, and runs without this project being there."""
    path = tmp_path / "cell.py"
    assert commands.run("reproduce", cell, "-o", path).returncode == 0
    text = path.read_text(encoding="utf-8")
    assert commands.run("reproduce", cell).stdout == text == script(Cell.parse(cell))
    done = subprocess.run(
        [sys.executable, path], capture_output=True, text=True, cwd=tmp_path, timeout=alone.PATIENCE
    )
    seen = alone.Seen(done.returncode, done.stdout)
    assert seen.broken is not None, done.stderr
    assert (seen.status, bool(seen.broken)) == (status, bool(status))


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("select/tcp4/abort", "is no cell id"),
        ("nothing/tcp4/abort-when-full/client/socket", "No reactor matches 'nothing'"),
        ("select/tcp4/nothing/client/socket", "No scenario matches 'nothing'"),
        ("select/tcp4/abort-many/client/socket", "a crowd of witnesses would be as many threads"),
        ("select/*/abort-when-full/client/socket", "is a pattern"),
    ],
)
def test_what_is_no_cell_has_no_script(cell: str, words: str) -> None:
    """An id that no run can have is refused in a sentence."""
    assert words in commands.refused("reproduce", cell)
