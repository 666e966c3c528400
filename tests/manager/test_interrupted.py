"""Runs that are cut short: what they have is kept, and no process stays behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from matrix.store import read
from tests import commands, miniatures

WORDS = ("run", "-r", "select", "-t", "tcp4", "--side", "client", "--peer", "socket", "-j1")
FILES = ["index.html", "junit.xml", "results.jsonl", "summary.md"]


@contextmanager
def running(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str = "waits_from_the_second_on",
    words: tuple[str, ...] = WORDS,
) -> Iterator[subprocess.Popen[bytes]]:
    """A run of which some attempts have ended, the first one that is, and others hang."""
    command = commands.command(*words, "--preload", name, "-o", folder / "out")
    with hanging(folder, monkeypatch, name, command) as process:
        yield process


@contextmanager
def hanging(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, command: list[str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A command that runs the matrix with such a breakage, in a session of its own."""
    fifo = folder / "fifo"
    miniatures.importable(folder, monkeypatch, **{name: miniatures.BREAKAGES[name]})
    monkeypatch.setenv("MINIATURE_MARKER", str(folder / "marker"))
    monkeypatch.setenv("MINIATURE_FIFO", str(fifo))
    os.mkfifo(fifo)
    waiting = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    null = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=null, stderr=null, start_new_session=True) as process:
        try:
            assert has_come(waiting)
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    os.close(waiting)


def has_come(descriptor: int) -> bool:
    """Waits for a byte."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(commands.PATIENCE * 1000)) and os.read(descriptor, 1) == b"x"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted run ends with 1, and leaves what it has as a results file and pages."""
    with running(tmp_path, monkeypatch) as process:
        assert '"type":"result"' in (tmp_path / "out/results.jsonl.part").read_text()
        process.send_signal(number)
        assert process.wait(commands.PATIENCE) == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    report = read(tmp_path / "out/results.jsonl")
    assert report.footer is not None
    assert report.footer.interrupted == number.name
    assert len(report.results) == 1


def test_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed takes its processes along, and what it had written can be read."""
    with running(tmp_path, monkeypatch) as process:
        process.kill()
        assert process.wait(commands.PATIENCE) == -signal.SIGKILL
    report = read(tmp_path / "out/results.jsonl.part")
    assert report.footer is None
    assert len(report.results) == 1
