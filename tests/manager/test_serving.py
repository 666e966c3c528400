"""The agent's own server, talked to directly: it minds the time, whatever the link does."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from matrix import wire
from matrix.manager.interpreters import START, pack_agent
from tests import miniatures

CELL = {
    "reactor": "select",
    "transport": "tcp4",
    "scenario": "abort-when-full",
    "side": "client",
    "peer": "socket",
}
Agent = subprocess.Popen[bytes]


@pytest.fixture
def agent(no_folder_is_left: None) -> Iterator[Agent]:
    """An agent that has said hello."""
    command = [sys.executable, *START]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        say(process, pack_agent())
        assert hear(process)["type"] == wire.HELLO
        yield process
        stream(process.stdin).close()
        assert stream(process.stderr).read() == b""  # at its end the guard is done too


def stream(found: IO[bytes] | None) -> IO[bytes]:
    """A stream that is there."""
    assert found is not None
    return found


def say(process: Agent, what: bytes | dict[str, Any]) -> None:
    """Send a line."""
    line = what if isinstance(what, bytes) else json.dumps(what).encode() + b"\n"
    stream(process.stdin).write(line)
    stream(process.stdin).flush()


def hear(process: Agent) -> dict[str, Any]:
    """The agent's next message."""
    found: dict[str, Any] = json.loads(stream(process.stdout).readline())
    return found


def test_sign_of_life(agent: Agent) -> None:
    """An agent answers when it is asked whether it is there."""
    say(agent, {"do": wire.BEAT, "patience": 60})
    assert hear(agent) == {"type": wire.BEAT}


def test_abandoned_agent_ends(agent: Agent) -> None:
    """An agent that hears no more of its manager ends, although the connection is there."""
    say(agent, {"do": wire.BEAT, "patience": 0.1})
    assert hear(agent) == {"type": wire.BEAT}
    assert agent.wait(30) == 0


def test_lost_manager(agent: Agent) -> None:
    """An agent that nobody can hear any more ends by itself."""
    stream(agent.stdout).close()
    say(agent, {"do": wire.BEAT, "patience": 60})
    assert agent.wait(30) == 0


@pytest.fixture
def fifo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end of a FIFO that hangs up when the last of a breakage's processes is gone."""
    miniatures.importable(tmp_path, monkeypatch, **miniatures.BREAKAGES)
    monkeypatch.setenv("MINIATURE_FIFO", str(tmp_path / "fifo"))
    monkeypatch.setenv("MINIATURE_MARKER", str(tmp_path / "marker"))
    (tmp_path / "marker").write_text("0")
    os.mkfifo(tmp_path / "fifo")
    descriptor = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    yield descriptor
    os.close(descriptor)


def test_deadline_on_a_stalled_link(fifo: int, agent: Agent) -> None:
    """A process that hangs is killed at its deadline also while the link takes nothing."""
    say(agent, {"do": wire.CONFIGURE, "tls": {}, "preload": ["waits_from_the_second_on"]})
    many = 5000
    for _ in range(many):  # more than a pipe takes
        say(agent, {"do": wire.BEAT, "patience": 60})
    say(agent, {"do": wire.PLAY, "cell": CELL, "fault": None, "job": 1, "deadline": 3})
    poll = select.poll()
    poll.register(fifo, select.POLLIN)
    assert poll.poll(60_000)
    assert os.read(fifo, 1) == b"x"
    poll.modify(fifo, 0)
    assert poll.poll(60_000) == [(fifo, select.POLLHUP)]
    answers = [hear(agent) for _ in range(many + 1)]
    assert answers[:-1] == [{"type": wire.BEAT}] * many
    assert (answers[-1]["type"], answers[-1]["expired"]) == (wire.ENDED, True)
