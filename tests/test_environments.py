"""Environments in the cache: made once, also by two at once; pruned when nobody uses them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distribution
from pathlib import Path

import pytest

from matrix import environments
from matrix.environments import CannotBeInstalled, Environment, Python, environment
from matrix.errors import EnvironmentsError
from matrix.manager.interpreters import Interpreter
from tests import wheelhouse

WANTED = ("attrs==90.1",)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases of a small package, of which one is for a Python that nobody has."""
    folder = tmp_path_factory.mktemp("index") / "wheels"
    folder.mkdir()
    attrs = distribution("attrs")
    wheelhouse.pack(folder, attrs, "90.1")
    wheelhouse.pack(folder, attrs, "90.2", metadata=["Requires-Python: >=99"])
    return folder


@pytest.fixture(params=["pip", "uv"], autouse=True)
def tool(
    request: pytest.FixtureRequest,
    wheels: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """The installer: uv where it is installed, and pip as if there were no uv."""
    wheelhouse.offline(wheels, monkeypatch)
    monkeypatch.setenv("REACTOR_MATRIX_CACHE", str(tmp_path / "cache"))
    found = shutil.which("uv")
    if request.param == "uv" and found is None:
        pytest.skip("uv is not installed")
    if request.param == "pip":
        real = shutil.which
        monkeypatch.setattr(shutil, "which", lambda name: None if name == "uv" else real(name))
    return str(request.param)


@pytest.fixture
def python() -> Python:
    """The Python that runs the tests."""
    return Python.behind(Interpreter.this())


def test_made_once(python: Python, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment has what was asked for, and is the same one when it is asked for again."""
    with environment(python, WANTED) as made:
        assert made.installed["attrs"] == "90.1"
        code = "import attrs, importlib.metadata as m; print(m.version('attrs'))"
        words = [*made.interpreter.command, "-c", code]
        assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "90.1\n"
    monkeypatch.setattr(environments, "_make", None)
    with environment(python, WANTED) as again:
        assert again == made


def test_made_by_two_at_once(python: Python) -> None:
    """Two that make the same environment get the same whole one, and leave nothing else."""

    def make(_: int) -> Environment:
        with environment(python, WANTED) as made:
            assert (made.folder / "made.json").exists()
            return made

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(make, range(2))
    assert one == other
    assert list(environments.cache().iterdir()) == [one.folder]


def test_another_python_is_asked_for(python: Python) -> None:
    """A release for other Pythons cannot be installed, and that is what is said of it."""
    with pytest.raises(CannotBeInstalled, match=r"^it asks for Python >=99$"):
        environment(python, ("attrs==90.2",)).__enter__()
    assert list(environments.cache().iterdir()) == []


def test_no_such_release(python: Python) -> None:
    """What the index does not have cannot be installed either; the installer's words are kept."""
    with pytest.raises(CannotBeInstalled, match=r"attrs==90\.7") as refused:
        environment(python, ("attrs==90.7",)).__enter__()
    assert "attrs==90.7" in refused.value.output


def test_no_python() -> None:
    """A command that starts no Python is refused."""
    with pytest.raises(EnvironmentsError, match="does not start a Python"):
        Python.behind(Interpreter(("true",)))


def test_cache_cannot_be_written(
    python: Python, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the cache cannot be, the message names the variable that puts it elsewhere."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("REACTOR_MATRIX_CACHE", str(tmp_path / "file"))
    with pytest.raises(EnvironmentsError, match="REACTOR_MATRIX_CACHE"):
        environment(python, WANTED).__enter__()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows itself keeps what is used")
def test_pruned_when_nobody_uses_it(python: Python) -> None:
    """An environment that is used stays however old it is; afterwards it goes, if it is old."""
    with environment(python, WANTED) as made:
        os.utime(made.folder / "made.json", (0, 0))
        assert environments.prune(1) == []
    assert [folder for folder, _ in environments.listed()] == [made.folder]
    with environment(python, WANTED):
        pass
    assert environments.prune(1) == []  # it has just been used
    assert environments.prune(0) == [made.folder]
    assert list(environments.cache().iterdir()) == []


def test_what_a_dead_maker_left_is_pruned(python: Python) -> None:
    """A half-made environment is never taken for one, and goes when it is old."""
    part = environments.cache() / "x.y.part"
    part.mkdir(parents=True)
    assert environments.listed() == []
    assert environments.prune(30) == []
    assert part.exists()
    os.utime(part, (0, 0))
    environments.prune(30)
    assert not part.exists()
