"""Halving over releases: the right one is named, what can't be tested is not held against it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matrix.bisection import MOST, Answer, bisect, find_change
from matrix.errors import SearchError
from matrix.model.candidate import Candidate, Tried
from matrix.model.result import Outcome
from tests.attempts import attempt, candidate, tried

BAD = attempt(reason_aborted="it was ConnectionLost")


def named(number: int) -> tuple[Candidate, ...]:
    """That many releases, in their order."""
    return tuple(candidate(f"{n + 1}.0") for n in range(number))


@given(st.data())
def test_the_change_is_between_the_two_that_are_named(data: st.DataObject) -> None:
    """Whatever can't be told, all up to the one are old, from the other on new, between untold."""
    candidates = named(data.draw(st.integers(2, 40)))
    change = data.draw(st.integers(1, len(candidates) - 1))
    untold = data.draw(st.sets(st.integers(1, max(1, len(candidates) - 2))))
    asked: list[int] = []

    def ask(each: Candidate) -> bool | None:
        asked.append(candidates.index(each))
        return None if asked[-1] in untold else asked[-1] >= change

    found = bisect(candidates, ask)
    low, high = candidates.index(found.before), candidates.index(found.after)
    assert low < change <= high
    assert set(range(low + 1, high)) <= untold
    assert [candidates.index(each) for each in found.between] == list(range(low + 1, high))
    assert len(asked) == len(set(asked))
    if not untold:
        assert len(asked) <= (len(candidates) - 1).bit_length()


def search(
    seen: dict[str, Tried | float], rule: str | None = None, *, backwards: bool = False
) -> tuple[Answer, list[tuple[str, int]]]:
    """Search releases of which attempts fail with that probability, or are as they are given."""
    dice, asked = random.Random(1), []
    ends = named(len(seen))
    assert [each.name for each in ends] == list(seen)

    def test(each: Candidate, number: int) -> Tried:
        asked.append((each.name, number))
        found = seen[each.name]
        if isinstance(found, Tried):
            return found
        return tried(
            each.name, *(BAD if dice.random() < found else attempt() for _ in range(number))
        )

    good, bad = (ends[-1], ends[0]) if backwards else (ends[0], ends[-1])
    return find_change(ends, good, bad, rule, test, 10), asked


def test_the_first_bad_release() -> None:
    """Where good ones are followed by bad ones, the first bad one is named; ends come first."""
    answer, asked = search({"1.0": 0, "2.0": 0, "3.0": 0, "4.0": 1, "5.0": 1, "6.0": 1})
    assert (answer.found.before.name, answer.found.after.name) == ("3.0", "4.0")
    assert answer.is_exact
    assert not answer.is_mended
    assert {name for name, _ in asked[:2]} == {"1.0", "6.0"}
    assert len(asked) <= 5


def test_the_first_good_release() -> None:
    """A defect that went is looked for in the same way, from the other side."""
    answer, _ = search({"1.0": 1, "2.0": 1, "3.0": 0}, backwards=True)
    assert answer.found.after.name == "3.0"
    assert answer.is_mended


def test_a_flake_takes_more_attempts() -> None:
    """Where ten attempts leave a doubt, more are made, and a rate of a third is found."""
    answer, asked = search({"1.0": 0, "2.0": 0, "3.0": 0.33, "4.0": 0.33})
    assert answer.found.after.name == "3.0"
    assert sum(number for name, number in asked if name == "4.0") > 10


def test_skipped() -> None:
    """What cannot be installed is skipped, and stands beside the answer if it may be the one."""
    lost = tried("3.0", why="cannot be installed: no wheel")
    answer, _ = search({"1.0": 0, "2.0": 0, "3.0": lost, "4.0": 1, "5.0": 1})
    assert (answer.found.before.name, answer.found.after.name) == ("2.0", "4.0")
    assert [each.name for each in answer.found.between] == ["3.0"]
    assert not answer.is_exact


def test_what_tests_nothing_is_skipped() -> None:
    """An inconclusive release is neither good nor bad."""
    nothing = tried("2.0", *[attempt(Outcome.INCONCLUSIVE)] * 10)
    answer, _ = search({"1.0": 0, "2.0": nothing, "3.0": 1})
    assert [each.name for each in answer.found.between] == ["2.0"]


def test_another_way_to_fail() -> None:
    """A cell that fails all along is told by the rule, and then by what was seen."""
    other, third = attempt(prompt="late"), attempt(reason_aborted="it was Error, 3 of 7")
    found: dict[str, Tried | float] = {"1.0": 1, "2.0": tried("2.0", *[other] * 10)}
    assert str(search(found)[0].trait) == "the cell breaks prompt"
    found = {"1.0": 1, "2.0": tried("2.0", *[third] * 10)}
    assert str(search(found)[0].trait) == "the cell says “reason-aborted: it was Error, … of …”"


@pytest.mark.parametrize(
    ("seen", "rule", "why"),
    [
        ({"1.0": 0, "2.0": 0}, None, "do not differ: 1.0 has 10 pass, and 2.0 has 10 pass"),
        ({"1.0": 1, "2.0": 1}, None, "10 fail (breaks reason-aborted)"),
        ({"1.0": 1, "2.0": 0}, None, "Exchange --good and --bad"),
        ({"1.0": 0, "2.0": 1}, "prompt", "do not differ by the rule prompt"),
        ({"1.0": 0, "2.0": tried("2.0", why="cannot be installed: x")}, None, "Choose another end"),
    ],
)
def test_refused(seen: dict[str, Tried | float], rule: str | None, why: str) -> None:
    """Where there is nothing to look for between the ends, a sentence says why."""
    with pytest.raises(SearchError) as refused:
        search(seen, rule)
    assert why in str(refused.value)


def test_a_doubt_has_an_end() -> None:
    """Two ends that hardly differ are given up after a number of attempts."""
    with pytest.raises(SearchError, match="do not differ"):
        search({"1.0": 0.5, "2.0": 0.55})
    assert MOST == 200
