"""What tells attempts apart: the plainest thing, never what differs from run to run."""

from __future__ import annotations

import pytest

from matrix.model.result import Outcome
from matrix.traits import Trait, describe, said, telling
from tests.attempts import attempt

PASS, TIMEOUT = attempt(), attempt(Outcome.TIMEOUT)


def test_the_plainest_comes_first() -> None:
    """That the cell fails is plainer than which rule it breaks, and that than what was seen."""
    lost, error = attempt(reason_aborted="ConnectionLost"), attempt(reason_aborted="Error")
    late = attempt(prompt="late")
    assert telling([PASS] * 9, [lost] * 9) == Trait()
    assert telling([late] * 9, [lost] * 9) == Trait("reason-aborted")
    assert telling([error] * 9, [lost] * 9) == Trait(
        "reason-aborted", "reason-aborted: ConnectionLost"
    )
    assert telling([lost] * 9, [lost] * 9) is None


def test_a_difference_of_chance_tells_nothing() -> None:
    """Three of three against none of three may be chance."""
    assert telling([PASS] * 3, [attempt(prompt="late")] * 3) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("after 3.25 s, not 1", "after 4 s, not 1.5"),
        ("<Server at 0x7f3a>", "<Server at 0xbeef>"),
        (
            "warning: /tmp/a1/agent.zip/x.py:7: unclosed",
            "warning: /tmp/b/agent.zip/x.py:9: unclosed",
        ),
    ],
)
def test_what_differs_from_run_to_run_counts_for_nothing(one: str, other: str) -> None:
    """Numbers, addresses and folders do not make two attempts different."""
    assert said(attempt(prompt=one), "prompt") == said(attempt(prompt=other), "prompt")


def test_a_rule_that_had_no_say() -> None:
    """A timeout says nothing of a rule, and that the cell fails."""
    assert Trait("prompt").rate([TIMEOUT]) is None
    assert Trait("prompt").rate([TIMEOUT, PASS]) == Trait().rate([PASS])
    assert Trait().on([TIMEOUT, PASS]) == "the cell fails in 1 of 2 attempts"


def test_what_tests_nothing_is_no_pass() -> None:
    """Inconclusive attempts have no rate."""
    assert Trait().rate([attempt(Outcome.INCONCLUSIVE), attempt(Outcome.UNSUPPORTED)]) is None


def test_described() -> None:
    """Attempts are described by how many came out how."""
    assert describe([PASS, PASS, attempt(prompt="late")]) == "2 pass, 1 fail (breaks prompt)"


def test_what_cannot_exist_there() -> None:
    """That a cell is unsupported is no failure, and still tells one release from another."""
    absent = [attempt(Outcome.UNSUPPORTED)] * 9
    trait = telling([PASS] * 9, absent)
    assert trait == Trait(is_unsupported=True)
    assert trait.on(absent) == "the cell is unsupported in 9 of 9 attempts"
    assert telling([PASS] * 9, absent, "prompt") is None
