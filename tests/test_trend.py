"""A cell over time: since when it is bad, and how often it was, of how many attempts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matrix.model.cell import Cell
from matrix.model.result import Outcome
from matrix.statistics import Rate
from matrix.trend import Point, Trend

CELL = Cell("epoll", "tcp4", "abort-when-full", "client", "socket")
LETTERS = {"P": Outcome.PASS, "F": Outcome.FAIL, "f": Outcome.FAIL, "N": Outcome.NO_RESULT}


def trend(letters: str) -> Trend:
    """A trend with a run of ten attempts for each letter, half of them bad where it is bad."""
    return Trend("linux", CELL, tuple(point(n, letter) for n, letter in enumerate(letters)))


def point(number: int, letter: str) -> Point:
    """One run; a small letter stands for a known defect."""
    is_accepted = letter not in "FN"
    attempts = 0 if letter == "N" else 10
    bad = 0 if is_accepted else attempts // 2
    return Point(f"day {number}", "26.4.0", LETTERS[letter], is_accepted, bad, attempts)


@pytest.mark.parametrize(
    ("letters", "first_bad", "last_good"),
    [
        ("", None, None),
        ("PPP", None, 2),
        ("PFP", None, 2),
        ("PPFF", 2, 1),
        ("FPFNF", 2, 1),
        ("FF", 0, None),
        ("PPf", None, 2),
        ("PN", 1, 0),
    ],
)
def test_since_when(letters: str, first_bad: int | None, last_good: int | None) -> None:
    """The first bad run is the one after the last good one; there is none where it is good."""
    found = trend(letters)
    names = [None if p is None else p.started for p in (found.first_bad, found.last_good)]
    assert names == [None if n is None else f"day {n}" for n in (first_bad, last_good)]
    assert found.is_accepted is (first_bad is None)


def test_rate_has_its_denominator() -> None:
    """Attempts of all runs are added up."""
    found = trend("FPNF")
    assert found.rate == Rate(10, 30)
    assert trend("N").rate is None
    assert found.is_flaky
    assert not trend("PPP").is_flaky
    assert not trend("N").is_flaky


@given(st.text("PFfN", max_size=20))
def test_letters(letters: str) -> None:
    """There is a letter for every run, small for a known defect."""
    assert trend(letters).letters == letters
