"""Third-party reactors: found by their plugin, and unsupported only where they cannot exist."""

from __future__ import annotations

import asyncio
import select
from pathlib import Path

import pytest
from attrs import evolve

from matrix import wire
from matrix.manager.interpreters import Interpreter
from matrix.manager.run import play_cells
from matrix.model.cell import Cell
from matrix.model.result import Outcome, Result
from tests import miniatures

CELL = Cell("mini", "tcp4", "abort-when-full", "client", "socket")
WORKS = """
def install():
    from twisted.internet import selectreactor
    selectreactor.install()
"""
RAISES_WHEN_BUILT = """
class Loop:
    def __init__(self):
        raise {error}

def install():
    Loop()
"""
RAISES_WHEN_RUN = """
from twisted.internet import main, selectreactor

class Loop(selectreactor.SelectReactor):
    def run(self, installSignalHandlers=True):
        raise RuntimeError("no loop today")

def install():
    main.installReactor(Loop())
"""


@pytest.fixture
def reactor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Registers a reactor ``mini`` whose module has the text that the test asks for."""
    texts = {"twisted.plugins.mini_plugin": miniatures.plugin("mini_loop")}
    if request.param is not None:
        texts["mini_loop"] = request.param
    miniatures.importable(tmp_path, monkeypatch, **texts)


def play() -> Result:
    """The result of one cell on the reactor ``mini`` of this interpreter."""
    (result,) = asyncio.run(play_cells((CELL,), Interpreter.this()))
    return result


@pytest.mark.usefixtures("reactor")
@pytest.mark.parametrize("reactor", [WORKS], indirect=True)
def test_found_by_its_plugin() -> None:
    """A reactor that is registered with Twisted, and is known nowhere in here, gets its cells."""
    assert play().verdict.outcome is Outcome.PASS


@pytest.mark.usefixtures("reactor")
@pytest.mark.parametrize(
    ("reactor", "code", "words"),
    [
        pytest.param(None, wire.NOT_INSTALLED, "mini_loop", id="no module"),
        pytest.param("import mini_c_library", wire.NOT_INSTALLED, "mini_c_library", id="no C"),
        pytest.param("1 / 0", wire.IMPORT_FAILED, "ZeroDivisionError", id="raises"),
        pytest.param("from os import no", wire.IMPORT_FAILED, "ImportError", id="misses a name"),
        pytest.param("import twisted.no", wire.IMPORT_FAILED, "twisted.no", id="other Twisted"),
    ],
    indirect=["reactor"],
)
def test_unsupported_says_why(code: str, words: str) -> None:
    """A reactor whose import fails is unsupported, with the code and the words for it."""
    verdict = play().verdict
    assert (verdict.outcome, verdict.code) == (Outcome.UNSUPPORTED, code)
    assert words in verdict.reasons[0]


@pytest.mark.usefixtures("reactor")
@pytest.mark.parametrize(
    ("reactor", "words"),
    [
        (RAISES_WHEN_BUILT.format(error="RuntimeError('no loop')"), "install raised builtins.Runt"),
        (RAISES_WHEN_BUILT.format(error="ModuleNotFoundError('x')"), "install raised builtins.Mod"),
        (RAISES_WHEN_BUILT.format(error="OSError('EMFILE')"), "install raised builtins.OSError"),
        (RAISES_WHEN_RUN, "run raised builtins.RuntimeError: no loop today"),
    ],
    indirect=["reactor"],
    ids=["built", "built, import", "built, system", "run"],
)
def test_what_raises_fails(words: str) -> None:
    """A reactor that can be imported, and raises when it is built or run, has failed."""
    verdict = play().verdict
    assert (verdict.outcome, verdict.broken) == (Outcome.FAIL, ("reactor-runs",))
    assert words in verdict.reasons[0]


@pytest.mark.usefixtures("reactor")
@pytest.mark.parametrize("reactor", ["import os; os.abort()"], indirect=True)
def test_dying_on_import_is_a_crash() -> None:
    """A reactor whose import kills the process is no unsupported one."""
    verdict = play().verdict
    assert (verdict.outcome, verdict.code) == (Outcome.CRASH, "SIGABRT")


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="the emulation needs epoll(7)")
def test_emulated_kqueue() -> None:
    """Twisted's own KQueueReactor plays over the emulation, in both orders, and is so labelled."""
    names = ("kqueue_emulated_rw", "kqueue_emulated_wr")
    cells = tuple(evolve(CELL, reactor=name) for name in names)
    for result in asyncio.run(play_cells(cells, Interpreter.this())):
        assert result.verdict.outcome is Outcome.PASS, result.verdict.reasons
        (installed,) = result.transcript.all(wire.REACTOR_INSTALLED)
        assert installed["module"] == "twisted.internet.kqreactor"
        assert (installed["class"], installed["realization"]) == ("KQueueReactor", wire.EMULATED)
