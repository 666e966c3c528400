"""Environments of tox: what a name spells, and what an environment leaves that can't be made."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_packaging import ROOT

HERE = f"py3{sys.version_info.minor}"
"""The factor of an interpreter that is there."""


def tox(*words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """What tox ends with in the root of the project."""
    command = [sys.executable, "-m", "tox", *map(str, words)]
    quiet = {k: v for k, v in os.environ.items() if not k.startswith(("COVERAGE_", "TOX"))}
    return subprocess.run(
        command, cwd=ROOT, env=quiet | env, capture_output=True, text=True, timeout=120
    )


def test_a_name_spells_a_stack() -> None:
    """Each factor has its say: versions, the place of a checkout, reactors; none is all of them."""
    full, bare = f"{HERE}-tw2411-ossl243-epoll-select", f"{HERE}-twtrunk"
    asked = ("config", "-e", f"{full},{bare}", "-k", "deps", "commands")
    ended = tox(*asked, TWISTED_TRUNK="/src/twisted")
    assert ended.returncode == 0, ended.stdout
    said = configparser.ConfigParser(interpolation=None)
    said.read_string(ended.stdout)
    deps = said[f"testenv:{full}"]["deps"].split()
    assert {"twisted==24.11.0", "pyopenssl==24.3.0"} <= set(deps)
    assert "/src/twisted" in said[f"testenv:{bare}"]["deps"].split()
    program, *words = said[f"testenv:{full}"]["commands"].split()
    assert Path(program).parts[-3:-1] in {("harness", "bin"), ("harness", "Scripts")}
    assert words[-4:] == ["-r", "epoll", "-r", "select"]
    assert "-r" not in said[f"testenv:{bare}"]["commands"].split()


@pytest.mark.parametrize("command", ["run", "run-parallel"])
def test_what_cannot_be_made_is_missing(tmp_path: Path, command: str) -> None:
    """Without its interpreter a stack leaves an empty folder, also where it had results before."""
    folder = tmp_path / "results" / "py299-tw2411-epoll"
    folder.mkdir(parents=True)
    (folder / "results.jsonl").write_text("of yesterday")
    ended = tox(command, "--workdir", tmp_path, "-e", "py299-tw2411-epoll")
    assert "internal error" not in ended.stdout
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "more", "left"),
    [(1, [], ["results.jsonl"]), (2, [], []), (2, ["--", "--resume"], ["results.jsonl"])],
)
def test_what_cannot_be_run_is_missing(
    tmp_path: Path, status: int, more: list[str], left: list[str]
) -> None:
    """Where no cell could be run an empty folder is left, but for what was to be gone on with."""
    folder = tmp_path / "results" / f"{HERE}-epoll"
    folder.mkdir(parents=True)
    (folder / "results.jsonl").write_text("of this run, or of yesterday's")
    instead = (
        *("-x", "testenv.deps="),
        *("-x", "testenv:harness.package=skip"),
        *("-x", f"testenv.commands=python -c 'raise SystemExit({status})'"),
    )
    ended = tox("run", "--workdir", tmp_path, *instead, "-e", f"{HERE}-epoll", *more)
    assert f"exit {status}" in ended.stdout
    assert [path.name for path in folder.iterdir()] == left
