"""The reproductions of known defects, and the expectations that are shipped for them, agree.

Each reproduction runs in a process of its own. Where an expectation holds for what is installed
here, the defect has to show; where none does, it must not.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from matrix.agent.hello import provenance
from matrix.expectations import Expectation, shipped

DEFECTS = Path(__file__).parents[1] / "docs" / "defects"
EXPECTATIONS: Mapping[str, Expectation] = {each.name: each for each in shipped()}
UNDER = {"uvloop_reader_dropped": "uvloop_reset_unread", "tls_abort_error": "tls_abort_reason"}
"""Reproductions that show another one's cause, or more of what comes of it: its is theirs."""

NAMES = sorted(path.stem for path in DEFECTS.glob("*.py"))
OF_TWISTED = [name for name in NAMES if name.startswith(("asyncio_", "tcp_", "tls_"))]
OF_UVLOOP = [name for name in NAMES if name.startswith("uvloop_")]
OF_QT = [name for name in NAMES if name.startswith("qt_")]
REPAIRED = """
import runpy, sys
repair, script = sys.argv.pop(1), sys.argv.pop(1)
runpy.run_path(repair)
runpy.run_path(script, run_name="__main__")
"""


def run(*command: object) -> tuple[int, str]:
    """Exit status and output of a Python command."""
    done = subprocess.run(
        [sys.executable, *map(str, command)], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


def shows(status: int, output: str) -> bool:
    """Whether a reproduction showed its defect; anything but its one line is a failure."""
    assert re.fullmatch(r"[^\n]+: expected [^\n]+[,;] seen [^\n]+\n", output), output
    assert status in (0, 1)
    return bool(status)


def is_expected(name: str) -> bool:
    """Whether the shipped expectation for a reproduction holds for what is installed here."""
    return EXPECTATIONS[UNDER.get(name, name)].holds_on(provenance())  # type: ignore[no-untyped-call]


def skip_where_it_cannot_run(name: str) -> None:
    """Skip a reproduction of what is not installed here, or that needs another system."""
    needed = {"uvloop": "uvloop", "qt": "qreactor"}.get(name.partition("_")[0])
    if needed and find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    if needed == "qreactor" and not hasattr(os, "fork"):
        pytest.skip("there is no fork")


def test_every_reproduction_is_of_a_known_defect() -> None:
    """There are reproductions, and the shipped expectations know each of them."""
    assert NAMES
    assert {UNDER.get(name, name) for name in NAMES} == EXPECTATIONS.keys()


@pytest.mark.parametrize("reactor", ["default", "select", "asyncio"])
@pytest.mark.parametrize("name", OF_TWISTED)
def test_defects_of_twisted_show_where_they_are_expected(name: str, reactor: str) -> None:
    """Every reactor shows what is wrong in Twisted, on the versions that an expectation names."""
    assert shows(*run(DEFECTS / f"{name}.py", reactor)) is is_expected(name)


@pytest.mark.parametrize("name", OF_UVLOOP)
def test_defects_of_uvloop_show_where_they_are_expected(name: str) -> None:
    """The loop of uvloop shows the defect on the versions that an expectation names."""
    skip_where_it_cannot_run(name)
    assert shows(*run(DEFECTS / f"{name}.py", "uvloop")) is is_expected(name)


@pytest.mark.parametrize("name", OF_UVLOOP)
def test_defects_of_uvloop_are_not_those_of_asyncio(name: str) -> None:
    """The same script over the standard library's event loop shows no defect."""
    skip_where_it_cannot_run(name)
    assert not shows(*run(DEFECTS / f"{name}.py", "asyncio"))


@pytest.mark.parametrize("name", OF_QT)
def test_defects_of_qt_show_where_they_are_expected(name: str) -> None:
    """Python's Qt shows the defect on the versions that an expectation names."""
    skip_where_it_cannot_run(name)
    assert shows(*run(DEFECTS / f"{name}.py")) is is_expected(name)


@pytest.mark.parametrize("name", sorted(path.stem for path in DEFECTS.glob("repairs/*.py")))
def test_the_cause_is_the_cause(name: str) -> None:
    """With what is said to be the cause repaired, the defect is gone."""
    skip_where_it_cannot_run(name)
    script, repair = DEFECTS / f"{name}.py", DEFECTS / "repairs" / f"{name}.py"
    assert not shows(*run("-c", REPAIRED, repair, script))


@pytest.mark.parametrize("name", NAMES)
def test_reproductions_are_short(name: str) -> None:
    """A maintainer can read a reproduction at a glance: under 40 lines below its docstring."""
    text = (DEFECTS / f"{name}.py").read_text(encoding="utf-8")
    code = text.split('"""', 2)[2].strip().splitlines()
    assert len(code) < 40
    assert "matrix" not in text
