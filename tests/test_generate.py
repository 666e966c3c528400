"""The cells under trial, pytest and unittest: one test each, and every outcome told as it is."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
from collections.abc import Iterable
from pathlib import Path

import pytest

from matrix.errors import AgentError
from matrix.generate import CellCase, Cells, classes
from matrix.model.cell import Cell
from matrix.model.result import Outcome, Result
from tests import synthetic

RUNNERS = {
    "unittest": ("-m", "unittest", "-v"),
    "trial": ("-m", "twisted.trial"),
    "pytest": ("-m", "pytest", "-rA", "-p", "no:cacheprovider", "--pyargs"),
}
"""How each is called; a folder without any configuration is where."""

MADE_UP = """
from matrix.generate import classes
from matrix.model.result import Outcome, Result, Standing, Verdict
from matrix.model.transcript import Ending, How, Transcript
from tests import synthetic

CELLS = synthetic.cells(9)
NOTHING = Transcript((), Ending(How.EXITED))
FAILED = Verdict(Outcome.FAIL, {"prompt": Standing.FAIL}, ("prompt: it never came",))

def verdict(outcome):
    if outcome is Outcome.FAIL:
        return FAILED
    return Verdict(outcome, reasons=() if outcome is Outcome.PASS else ("this is why",))

def play(cells):
    for cell, outcome in zip(CELLS, Outcome):
        if cell in cells and outcome is not Outcome.NO_RESULT:
            yield Result("here", cell, verdict(outcome), NOTHING, 0)
    if CELLS[8] in cells:
        yield Result("here", CELLS[8], FAILED, NOTHING, 0, expected="a known defect (bug #1)")

globals().update(classes(CELLS, play, __name__))
"""
"""A module that is as `matrix.suite`, with one made-up result of each outcome."""


def run(runner: str, *names: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a runner makes of the tests of that name."""
    words = [sys.executable, *RUNNERS[runner], *names]
    path = os.pathsep.join([str(folder), str(Path(__file__).parent.parent)])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(words, capture_output=True, text=True, cwd=folder, env=environment)


@pytest.mark.parametrize(
    ("runner", "counted"),
    [
        ("unittest", "(failures=1, errors=5, skipped=1, expected failures=1)"),
        ("trial", "(skips=1, expectedFailures=1, failures=1, errors=5, successes=1)"),
        ("pytest", "6 failed, 1 passed, 1 skipped, 1 xfailed"),
    ],
)
def test_every_outcome(runner: str, counted: str, tmp_path: Path) -> None:
    """A runner counts each outcome as what it is, and shows what is known of it."""
    (tmp_path / "made_up.py").write_text(MADE_UP)
    ended = run(runner, "made_up", folder=tmp_path)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert counted in said
    for name in ("timeout", "crash", "inconclusive", "error", "no-result"):
        assert f"NoVerdict: {name}" in said
    for words in ("prompt", "expects: connectionLost is called within", "source:  ITCPTransport"):
        assert words in said
    assert "seen:    it never came" in said
    assert "-s abort-when-full --side client --peer socket" in said
    assert "this is why" in said


@pytest.mark.parametrize("runner", RUNNERS)
def test_expected_says_why(runner: str, tmp_path: Path) -> None:
    """A failure that was to be expected comes with the reason for it."""
    (tmp_path / "made_up.py").write_text(MADE_UP)
    ended = run(runner, "made_up", folder=tmp_path)
    assert "a known defect (bug #1)" in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("runner", "names", "counted"),
    [
        ("unittest", ("matrix.suite.SelectTcp4",), "OK (expected failures=4)"),
        ("trial", ("matrix.suite.SelectTcp4",), "PASSED (expectedFailures=4, successes="),
        ("pytest", ("matrix.suite", "-k", "SelectTcp4"), " 4 xfailed"),
    ],
)
def test_real_suite(runner: str, names: tuple[str, ...], counted: str, tmp_path: Path) -> None:
    """The shipped module runs real cells of this interpreter, one class of them if asked to."""
    ended = run(runner, *names, folder=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert counted in ended.stdout + ended.stderr


def outcomes(kinds: Iterable[type[CellCase]]) -> unittest.TestResult:
    """What unittest makes of all tests of these classes."""
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    result = unittest.TestResult()
    unittest.TestSuite(map(load, kinds)).run(result)
    return result


def test_names() -> None:
    """A class is called for reactor and transport, a test for the rest, and described by the id."""
    made = classes(synthetic.cells(40), lambda cells: [], "here")
    assert list(made) == ["SelectTcp4", "SelectTcp6", "SelectTls12", "SelectTls13", "SelectUnix"]
    test = made["SelectTls13"]("test_abort_when_full__client__socket")
    assert test.id() == "here.SelectTls13.test_abort_when_full__client__socket"
    assert test.shortDescription() == "select/tls1.3/abort-when-full/client/socket"


def test_no_cell_gets_lost() -> None:
    """Cells whose names are the same once they are Python's have a test each."""
    cells = [
        Cell(reactor, "tcp4", scenario, "client", "socket")
        for reactor in ("my-loop", "myLoop", "my.loop")
        for scenario in ("a-b", "a.b")
    ]
    made = classes(cells, lambda cells: [], "here")
    assert sorted(cell for kind in made.values() for cell in kind.cells.values()) == sorted(cells)
    assert outcomes(made.values()).testsRun == len(cells)


def test_cells_of_a_class_are_played_once() -> None:
    """The first test of a class plays all of its cells, and no other class's."""
    played: list[Cells] = []

    def play(cells: Cells) -> list[Result]:
        played.append(cells)
        return []

    kinds = classes(synthetic.cells(16), play, "here").values()
    assert len(outcomes(kinds).errors) == 16
    assert played == [tuple(kind.cells.values()) for kind in kinds]


def test_nothing_could_be_played() -> None:
    """What keeps all cells from being played is an error of each of their tests."""

    def play(cells: Cells) -> list[Result]:
        raise AgentError("no such Python")

    result = outcomes(classes(synthetic.cells(8), play, "here").values())
    assert len(result.errors) == 8
    assert all("the cells could not be played: no such Python" in text for _, text in result.errors)


def test_only_pass_is_a_pass() -> None:
    """Of all outcomes there is one with which a test succeeds, and one that skips it."""
    report = synthetic.report(40, {outcome: 4 for outcome in Outcome if outcome != Outcome.PASS})
    kinds = classes(synthetic.cells(40), lambda cells: report.results, "here").values()
    result = outcomes(kinds)
    spoilt = len(result.errors) + len(result.failures) + len(result.skipped)
    assert (len(result.failures), len(result.skipped), spoilt) == (4, 4, 28)
