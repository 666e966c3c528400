"""versions and bisect as a user calls them, over releases of Twisted with a planted change."""

from __future__ import annotations

import json
import subprocess
import zipfile
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


BACKEND = '''
"""Builds the wheel that lies here unpacked."""
import pathlib, zipfile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "twisted-90.0-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        for path in sorted(pathlib.Path("tree").rglob("*")):
            wheel.write(path, path.relative_to("tree"))
    return name
'''
PYPROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of Twisted with four commits, of which the third has the planted change."""
    folder = tmp_path_factory.mktemp("clone")
    packed = wheelhouse.pack(folder, distribution("twisted"), "90.0")
    with zipfile.ZipFile(packed) as wheel:
        wheel.extractall(folder / "tree")
    packed.unlink()
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    git(folder, "init", "--quiet", "--initial-branch", "trunk")
    commit(folder, "The first one")
    (folder / "README").write_text("nothing")
    commit(folder, "Nothing that a cell could see")
    changed = folder / "tree" / "twisted" / "internet" / "tcp.py"
    changed.write_text(changed.read_text(encoding="utf-8").replace(*WORDS), encoding="utf-8")
    commit(folder, "Tell an abort as a loss")
    (folder / "README").write_text("nothing either")
    commit(folder, "The last one")
    return folder


def git(folder: Path, *words: str) -> str:
    """What git says in that folder, of whatever configuration."""
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=no")
    command = ["git", "-C", str(folder), *who, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, message: str) -> None:
    """Commit all that is there."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


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


def test_bisect_in_a_clone(clone: Path, tmp_path: Path) -> None:
    """Between two revisions of a clone the commit is named, with what it is about."""
    words = ("bisect", CELL, "--checkout", clone, "--good", "HEAD~3", "--bad", "trunk")
    ended = commands.run(*words, "--repeat", "6", "-o", tmp_path / "out", patience=PATIENCE)
    assert ended.returncode == 0, ended.stderr
    lines = " ".join(ended.stdout.split())
    sha = git(clone, "rev-parse", "HEAD~1")[:12]
    assert lines.endswith(f"The first bad release: twisted {sha} (Tell an abort as a loss).")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((CELL, "--good", "90.1.0", "--bad", "90.1"), "both 90.1.0"),
        ((CELL, "--good", "90.1.0", "--bad", "newest"), "'newest' is no version"),
        ((CELL, "--good", "90.1.0", "--bad", "90.4.0", "--rule", "x"), "no rule 'x'"),
        ((CELL, "--good", "90.1.0", "--bad", "90.4.0", "--with", "=1"), "is no requirement"),
        (("select/tcp4/x/client/socket", "--good", "1", "--bad", "2"), "No scenario matches 'x'"),
        (("select", "--good", "1", "--bad", "2"), "is no cell id"),
        (("sel*/tcp4/abort-twice/client/socket", "--good", "1", "--bad", "2"), "is a pattern"),
        ((CELL, "--good", "1", "--bad", "2", "--python", "true"), "does not start a Python"),
        ((CELL, "--good", "1", "--bad", "2", "--checkout", "."), "git cannot tell about"),
    ],
)
def test_refused(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    """What makes no sense is refused with a sentence before anything is installed."""
    assert why in commands.refused("bisect", *words, cwd=tmp_path)


def test_an_end_that_cannot_be_installed(tmp_path: Path) -> None:
    """Without one of the ends there is nothing to find, and the message says what is in the way."""
    words = ("bisect", CELL, "--good", "90.2.0", "--bad", "90.4.0", "-o", tmp_path)
    ended = commands.run(*words, patience=PATIENCE)
    assert ended.returncode == 2
    (said,) = (line for line in ended.stderr.splitlines() if line.startswith("reactor-matrix: "))
    assert "90.2.0 cannot be installed: it asks for Python >=99. Choose another end" in said


def test_branches_that_do_not_meet(clone: Path, tmp_path: Path) -> None:
    """Two revisions of which neither leads to the other are refused."""
    git(clone, "checkout", "--quiet", "-b", "aside", "HEAD~2")
    (clone / "README").write_text("aside")
    commit(clone, "Aside")
    git(clone, "checkout", "--quiet", "trunk")
    words = ("bisect", CELL, "--checkout", clone, "--good", "aside", "--bad", "trunk")
    assert "different branches" in commands.refused(*words, "-o", tmp_path)


def test_versions_needs_releases() -> None:
    """Without releases and without a range, and with both, there is nothing to run."""
    assert "Name the releases" in commands.refused("versions", CELL)
    assert "Name the releases" in commands.refused("versions", CELL, "90.1.0", "--to", "90.4.0")


def test_environments_are_shown_and_pruned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made is listed, and goes when it is told to."""
    monkeypatch.setenv("REACTOR_MATRIX_CACHE", str(tmp_path / "cache"))
    commands.run("versions", CELL, "90.2.0", "-o", tmp_path / "out", patience=PATIENCE)
    assert commands.run("environments", "show").stdout == ""
    assert commands.run("environments", "prune").stdout == "0 environments removed.\n"
