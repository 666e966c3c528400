"""The agent plays what the catalogue describes; every rule catches what was made to break it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from matrix.manager.interpreters import Interpreter
from matrix.manager.session import DEADLINE
from matrix.model.report import Plan, Report
from matrix.model.result import Result
from matrix.model.scenarios import SCENARIOS
from matrix.plan import Selection
from matrix.proof import why_unproved
from matrix.rules import RULES
from matrix.workflow import Order, Progress, run


class Blind:
    """A progress that nobody watches."""

    def add(self, result: Result) -> None:
        """Look away."""


@contextmanager
def unwatched(plan: Plan) -> Iterator[Progress]:
    """No progress is shown."""
    yield Blind()


def played(folder: Path, selection: Selection) -> Report:
    """The report of a run in this interpreter."""
    return run(Order(selection, (Interpreter.this(),), deadline=DEADLINE), folder, unwatched)


@pytest.mark.parametrize("reactor", ["select", "epoll", "asyncio"])
def test_every_fault_is_caught(reactor: str, tmp_path: Path) -> None:
    """On this reactor, plain and with TLS, each fault is named by the rule that is meant for it."""
    one = Selection((reactor,), ("tcp4", "tls1.3"), ("abort-twice",), ("client",), ("socket",))
    report = played(tmp_path, one)
    (host,) = report.hosts
    assert set(host.faults.values()) == {rule.name for rule in RULES}
    assert len(report.faults()) == 2 * len(host.faults)
    assert report.missed_faults() == ()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Every scenario of the catalogue, on one reactor, plain and with TLS."""
    return played(tmp_path_factory.mktemp("whole"), Selection(("epoll",), ("unix", "tls1.3")))


def test_every_scenario_is_played(whole: Report) -> None:
    """Every scenario of the catalogue has cells, and each of them came back."""
    cells = whole.cells()
    assert {cell.cell.scenario for cell in cells} == {scenario.name for scenario in SCENARIOS}
    assert [cell.cell.id for cell in cells if not cell.attempts] == []


def test_every_cell_holds_its_proof(whole: Report) -> None:
    """No cell ran without the state that its scenario asks for."""
    unproved = {r.cell.id: why_unproved(r.cell, r.transcript) for r in whole.results}
    assert {cell: why for cell, why in unproved.items() if why} == {}


def test_today_s_twisted_has_known_defects_alone(whole: Report) -> None:
    """What does not pass is expected, by an entry that gives the cause."""
    assert [
        (cell.cell.id, cell.worst and cell.worst.verdict.reasons)
        for cell in whole.cells()
        if not cell.is_accepted
    ] == []
