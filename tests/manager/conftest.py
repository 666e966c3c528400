"""No test may leave a process behind, whatever went wrong in it."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest


@pytest.fixture(autouse=True)
def nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every process that descends from the test has ended when the test has, also a grandchild."""
    mark = f"MINIATURE_RUN={uuid4()}"
    monkeypatch.setenv(*mark.split("="))
    yield
    assert not [pid for pid in descendants(mark) if not ends(pid)]


def descendants(mark: str) -> Iterator[int]:
    """Processes that inherited this from the environment, where the system can tell (Linux)."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = path.read_bytes()
        except OSError:
            continue
        if mark.encode() in environment.split(b"\0"):
            yield int(path.parent.name)


def ends(pid: int, patience: float = 10) -> bool:
    """Whether a process ends by itself: what was killed may take its time to go."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    ended = bool(poll.poll(patience * 1000))
    os.close(descriptor)
    return ended
