"""Hosts that lack something: what can be played there is, and of the rest is said why not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from matrix import wire
from matrix.errors import AgentError
from matrix.manager.interpreters import Interpreter
from matrix.manager.run import play_cells
from matrix.model.cell import Cell
from matrix.model.result import Outcome, Verdict

CROWD = Cell("select", "tcp4", "abort-many", "client", "reactor")
UNIX = Cell("select", "unix", "abort-when-full", "client", "socket")
WITHOUT_NETWORK = ("unshare", "--map-root-user", "--net")


def verdict(cell: Cell, *command: str) -> Verdict:
    """What comes of a cell in a Python that this command starts."""
    (result,) = asyncio.run(play_cells([cell], Interpreter((*command, sys.executable))))
    return result.verdict


def with_limit(limit: str) -> tuple[str, ...]:
    """A command that starts another one under a limit of open files."""
    return "bash", "-c", f'ulimit {limit} && exec "$@"', "bash"


def test_few_open_files_at_first() -> None:
    """A process that may have more open files than it has at first takes them: macOS allows 256."""
    assert verdict(CROWD, *with_limit("-Sn 128")).outcome is Outcome.PASS


def test_few_open_files_at_all() -> None:
    """Two hundred connections cannot exist where there cannot be so many open files."""
    found = verdict(CROWD, *with_limit("-n 128"))
    assert (found.outcome, found.code) == (Outcome.UNSUPPORTED, wire.WRONG_PLATFORM)
    assert "128 are allowed here (ulimit -Hn)" in found.reasons[0]


def test_folder_with_a_long_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """UNIX sockets have room where the folder for temporary files has a name of 160 bytes."""
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    assert verdict(UNIX).outcome is Outcome.PASS
    assert not list(folder.iterdir())


@pytest.mark.skipif(
    subprocess.run([*WITHOUT_NETWORK, "true"], capture_output=True, check=False).returncode != 0,
    reason="no network namespace can be made here",
)
def test_no_loopback() -> None:
    """Where the loopback interface is down nothing is played, and the sentence says what to do."""
    with pytest.raises(AgentError) as caught:
        verdict(UNIX, *WITHOUT_NETWORK)
    assert "cannot play: 127.0.0.1 cannot be reached" in str(caught.value)
    assert str(caught.value).endswith("bring it up (ip link set lo up).")
