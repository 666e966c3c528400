"""The agent that starts a process for each job, as where nothing can be forked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from matrix.agent import forkless

MAIN = "from matrix.agent.forkless import main; main()"


class Agent:
    """A conversation with such an agent."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        line = [sys.executable, "-c", MAIN]
        self.process = subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True)

    def say(self, **message: Any) -> None:
        """Send one message."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def hear(self, kind: str) -> dict[str, Any]:
        """The next message of that type."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message: dict[str, Any] = json.loads(line)
            if message["type"] == kind:
                return message
        raise AssertionError(f"no {kind}")


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    """A running agent that is configured without TLS; it leaves nothing behind."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    running = Agent()
    running.hear("hello")
    running.say(do="configure", tls={}, preload=[])
    yield running
    assert running.process.stdin is not None
    running.process.stdin.close()
    assert running.process.wait(60) == 0
    assert running.process.stdout is not None
    running.process.stdout.close()
    assert not list(tmp_path.iterdir())


def job(number: int, **changed: Any) -> dict[str, Any]:
    """A job to play a cell with the witness."""
    cell = {
        "reactor": "select",
        "transport": "tcp4",
        "scenario": "abort-when-full",
        "side": "client",
        "peer": "socket",
    }
    return {"do": "play", "job": number, "deadline": 60, "cell": cell, "fault": None, **changed}


def names(ended: dict[str, Any]) -> list[str]:
    """The names of a job's events, in their order."""
    return [json.loads(line)["event"] for line in ended["events"].splitlines()]


def test_each_job_has_a_process_of_its_own(agent: Agent) -> None:
    """Two cells are played to their last line by two processes."""
    for number in (1, 2):
        agent.say(**job(number))
    ended = [agent.hear("ended") for _ in range(2)]
    started = [json.loads(each["events"].splitlines()[0]) for each in ended]
    assert {each["job"] for each in ended} == {each["job"]["job"] for each in started} == {1, 2}
    for each in ended:
        assert each["status"] == 0, each["stderr"]
        assert names(each)[-1] == "finished"
        assert "connection-lost" in names(each)


def test_a_job_that_nobody_knows_is_the_harness_own_error(agent: Agent) -> None:
    """Its process says so in an event, and the agent goes on."""
    agent.say(do="nonsense", job=1, deadline=60)
    ended = agent.hear("ended")
    assert "harness-raised" in names(ended)


def test_a_job_that_is_expired_is_dumped_and_killed(agent: Agent) -> None:
    """The process writes its stacks at its deadline, and is killed when it has had the time to."""
    agent.say(**job(1, deadline=1, fault="lost-never"))
    ended = agent.hear("ended")
    assert ended["expired"]
    assert ended["status"] != 0
    assert "finished" not in names(ended)


def test_an_agent_that_nobody_asks_ends_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has been told how long to wait, and has a process started and its folder made by then."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    running = Agent()
    running.hear("hello")
    running.say(do="configure", tls={}, preload=[])
    running.say(**job(1))
    running.hear("ended")
    assert list(tmp_path.iterdir())
    running.say(do="beat", patience=0.1)
    assert running.process.wait(60) == os.EX_SOFTWARE
    assert not list(tmp_path.iterdir())
    for pipe in (running.process.stdin, running.process.stdout):
        assert pipe is not None
        pipe.close()


def test_an_agent_without_twisted_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The process that imports it fails, and so does the agent: there is no hello, and no rest."""
    (tmp_path / "twisted.py").write_text("raise ImportError('out of order')")
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    running = Agent()
    with pytest.raises(AssertionError, match="no hello"):
        running.hear("hello")
    assert running.process.wait(60) == 1
    assert "out of order" in capfd.readouterr().err
    assert not list(folder.iterdir())
    for pipe in (running.process.stdin, running.process.stdout):
        assert pipe is not None
        pipe.close()


def test_what_starts_processes_has_no_twisted(agent: Agent) -> None:
    """Wine forks it for each: what it need not have would only be copied."""
    maps = Path(f"/proc/{agent.process.pid}/maps")
    if not maps.exists():
        pytest.skip("only Linux tells what another process has mapped")
    agent.say(**job(1))
    agent.hear("ended")
    assert "_zope_interface" not in maps.read_text()


def test_who_begins_waits_for_a_place() -> None:
    """A place is given back once, however often that is said, and whoever waits gets it."""
    turn: Any = forkless._Turn
    places = threading.Semaphore(1)
    first, later = turn(places), []
    waiting = threading.Thread(target=lambda: later.append(turn(places)))
    waiting.start()
    assert not later
    first.over()
    first.over()
    waiting.join()
    assert not places.acquire(blocking=False)
    later[0].over()
    assert places.acquire(blocking=False)
    assert not places.acquire(blocking=False)


def test_a_beginner_that_hangs_keeps_others_for_a_while_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who has waited for long enough begins without a place, and has none to give back."""
    monkeypatch.setattr(forkless, "_LONGEST", 0)
    turn: Any = forkless._Turn
    places = threading.Semaphore(1)
    turn(places)
    turn(places).over()
    assert not places.acquire(blocking=False)


@pytest.mark.parametrize(
    ("output", "is_over"),
    [(b"", False), (b"started\n", False), (b"started\nimported\n", True), (b"x" * (1 << 17), True)],
)
def test_who_has_begun_lets_the_next_one(output: bytes, is_over: bool) -> None:
    """A second line ends a turn, or more output than any beginning has."""
    turn: Any = forkless._Turn
    places = threading.Semaphore(1)
    turn(places).hear(bytearray(output))
    assert places.acquire(blocking=False) is is_over
