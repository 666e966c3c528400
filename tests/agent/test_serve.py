"""What the process that forks makes of its children's ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from matrix.agent.serve import Child, Server


def test_a_child_that_has_ended_in_time_does_not_expire(pipe: tuple[int, int]) -> None:
    """It ends just before its deadline, and ends are gathered until after that."""
    reading, writing = pipe
    server = _server(writing)
    child = _ended(deadline=0)
    server._children[child.pid] = child
    server._reaped_at = child.due + 3600
    server._mind_the_time()
    answer = json.loads(os.read(reading, 1 << 16))
    assert (answer["job"], answer["status"], answer["expired"]) == (7, 0, False)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Where answers are to be read, and where they are written."""
    ends = os.pipe()
    os.set_blocking(ends[0], False)
    yield ends
    for end in ends:
        os.close(end)


def _server(answers: int) -> Any:
    made: Any = Server
    return made(-1, answers, SimpleNamespace(buried=lambda pid: None))


def _ended(deadline: float) -> Any:
    """A child that nobody has waited for yet."""
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], os.environ)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    pipes = []
    for _ in range(2):
        reading, writing = os.pipe()
        os.close(writing)
        pipes.append(reading)
    made: Any = Child
    return made(7, deadline, pid, *pipes)
