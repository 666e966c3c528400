"""No test may leave a process or a folder behind, whatever went wrong in it."""

from __future__ import annotations

import os
import select
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest


@pytest.fixture
def no_folder_is_left(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Of all temporary folders that a test makes, also in processes that it kills, none is left."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    yield
    assert not list(folder.iterdir())


@pytest.fixture(autouse=True)
def no_process_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
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
