"""versions and bisect as a user calls them, over releases of Twisted with a planted change."""

from __future__ import annotations

import json
from html import unescape
from importlib.metadata import distribution
from pathlib import Path

import pytest

from matrix.model.result import Outcome
from matrix.store import read
from tests import commands, wheelhouse

CELL = "select/tcp4/abort-when-full/client/socket"
WORDS = ("failure.Failure(error.ConnectionAborted())", "failure.Failure(error.ConnectionLost())")
"""What the planted change is: an abort is told to be a loss."""
CHANGED = {"twisted/internet/tcp.py": WORDS}
PATIENCE = 900
"""Seconds: each release is installed, and its run has every fault in it."""
LATE = ("Requires-Python: >=99",)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four releases of Twisted: a good one, one for another Python, two bad ones."""
    folder = tmp_path_factory.mktemp("index") / "wheels"
    folder.mkdir()
    for needed in wheelhouse.closure("twisted", "pyopenssl", "service-identity"):
        if needed.metadata["Name"].lower() != "twisted":
            wheelhouse.pack(folder, needed)
    twisted = distribution("twisted")
    for number in (1, 2, 3, 4):
        wheelhouse.pack(
            folder,
            twisted,
            f"90.{number}.0",
            metadata=LATE if number == 2 else (),
            edits=CHANGED if number > 2 else {},
        )
    return folder


@pytest.fixture(autouse=True)
def _offline(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheelhouse.offline(index, monkeypatch)


def test_versions(tmp_path: Path) -> None:
    """Every release is shown, also the one that can't be installed; the page has them all."""
    words = ("versions", CELL, "--from", "90.1.0", "--format", "json", "-o", tmp_path / "out")
    ended = commands.run(*words, "--repeat", "2", patience=PATIENCE)
    assert ended.returncode == 1, ended.stderr
    (steps,) = json.loads(ended.stdout).values()
    asked = "cannot be installed: it asks for Python >=99"
    assert {step["release"]: (step["attempts"], step["why"]) for step in steps} == {
        "90.1.0": (["pass"] * 2, ""),
        "90.2.0": ([], asked),
        "90.3.0": (["fail"] * 2, ""),
        "90.4.0": (["fail"] * 2, ""),
    }
    assert "reason-aborted" in steps[2]["breaks"]
    assert [bool(step["gained"]) for step in steps] == [False, False, True, False]
    report = read(tmp_path / "out" / "results.jsonl")
    assert report.counts() == {Outcome.PASS: 1, Outcome.NO_RESULT: 1, Outcome.FAIL: 2}
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert asked in unescape(page)


def test_bisect(tmp_path: Path) -> None:
    """The first bad release is named, with the one beside it that could not be installed."""
    words = ("bisect", CELL, "--good", "90.1.0", "--bad", "90.4.0", "-o", tmp_path / "out")
    ended = commands.run(*words, "--repeat", "6", patience=PATIENCE)
    assert ended.returncode == 1, ended.stderr
    lines = " ".join(ended.stdout.split())
    assert "the cell fails in 0 of 6 attempts on 90.1.0" in lines
    assert "the cell fails in 6 of 6 attempts on 90.3.0" in lines
    assert "Could not be told: 90.2.0 cannot be installed: it asks for Python >=99." in lines
    assert lines.endswith("The first bad release: twisted 90.2.0 or 90.3.0.")
    played = read(tmp_path / "out" / "twisted-90.3.0" / "1" / "results.jsonl")
    assert not played.missed_faults()
    assert played.hosts[0].provenance["twisted"] == "90.3.0"
