"""A cell over releases: where it came out as it never did on the one before."""

from __future__ import annotations

from matrix.course import Course, course
from matrix.model.report import CellReport
from matrix.model.result import Outcome, Result
from tests.attempts import CELL, attempt

PASS = attempt()
LOST = attempt(reason_aborted="ConnectionLost")
ERROR = attempt(reason_aborted="Error 7")


def over(*releases: tuple[Result, ...] | str) -> Course:
    """The course over these releases; a text is why one could not be tested."""
    return course(
        CELL,
        [
            (f"{n}.0", None, found)
            if isinstance(found, str)
            else (f"{n}.0", CellReport("linux", CELL, found), "")
            for n, found in enumerate(releases)
        ],
    )


def test_what_changed() -> None:
    """A release is marked on which nothing is as on the one before, with what came and went."""
    found = over((PASS,), (LOST,), (LOST,), (ERROR,))
    assert [step.has_changed for step in found.steps] == [False, True, False, True]
    assert found.steps[1].gained == ("reason-aborted: ConnectionLost",)
    assert found.steps[1].lost == ("pass",)
    assert found.steps[3].gained == ("reason-aborted: Error …",)
    assert found.steps[3].lost == ("reason-aborted: ConnectionLost",)
    assert found.steps[3].broken == ("reason-aborted",)


def test_a_flake_is_no_change() -> None:
    """As long as one attempt came out as one did before, chance may explain the others."""
    assert not over((PASS, LOST), (LOST,), (LOST, PASS)).has_changed


def test_what_could_not_be_tested_is_left_out() -> None:
    """A release without attempts is compared with nothing, the next one with the last before it."""
    found = over((PASS,), "cannot be installed", (LOST,))
    assert [step.has_changed for step in found.steps] == [False, False, True]
    assert found.steps[1].why == "cannot be installed"
    assert found.steps[1].broken == ()


def test_outcomes_without_a_rule() -> None:
    """A crash where there was a pass is a change."""
    assert over((PASS,), (attempt(Outcome.CRASH),)).steps[1].gained == ("crash",)
