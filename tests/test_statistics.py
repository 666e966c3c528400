"""Rates and latencies, against figures that can be worked out by hand or are in the books."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matrix.statistics import Rate, apart, attempts_to_tell, failing, latency, median_interval
from tests import synthetic


@pytest.mark.parametrize(
    ("count", "attempts", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (1, 100, 0.0018, 0.0545)],
)
def test_wilson(count: int, attempts: int, low: float, high: float) -> None:
    """The interval is Wilson's, as tables give it."""
    assert Rate(count, attempts).interval == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_holds_the_rate(counted: tuple[int, int]) -> None:
    """The interval lies within 0 and 1 and holds the rate that was seen."""
    rate = Rate(*counted)
    low, high = rate.interval
    assert 0 <= low <= rate.count / rate.attempts + 1e-9
    assert rate.count / rate.attempts - 1e-9 <= high <= 1


def test_what_nothing_rules_out() -> None:
    """Fifty attempts without a failure rule out a flake of 6% or more, and say so."""
    rate = Rate(0, 50)
    assert rate.ruled_out == pytest.approx(0.0582, abs=1e-4)
    assert str(rate) == "0 of 50: a flake of 6% or more would have been seen with 95%"


def test_of_a_cell() -> None:
    """Attempts that were not accepted are counted, and their latencies are spread out."""
    report = synthetic.report(20, repeat=4)
    cell = report.cells()[0]
    assert failing(cell) == Rate(0, 4)
    spread = latency(cell.attempts)
    assert spread is not None
    assert 0 < spread.low <= spread.median <= spread.p99 <= spread.high


def test_of_nothing() -> None:
    """Where nothing came back there is neither a rate nor a latency."""
    assert latency(()) is None


@pytest.mark.parametrize(
    ("n", "low", "high"), [(6, 0, 5), (10, 1, 8), (25, 7, 17), (100, 39, 60), (1000, 469, 530)]
)
def test_interval_of_the_median(n: int, low: int, high: int) -> None:
    """The ranks are those of the sign test, as tables give them, counted from 0."""
    found = median_interval(range(n))
    assert found is not None
    assert found == pytest.approx((low, high), abs=1 if n > 200 else 0)


def test_five_values_do_not_bound_the_median() -> None:
    """The smallest and the largest of five hold the median with 93.75% only."""
    assert median_interval(range(5)) is None
    assert median_interval([]) is None


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_attempts_to_tell(one: int, other: int, data: st.DataObject) -> None:
    """At the same rates, so many more attempts on each side part the intervals."""
    first = Rate(data.draw(st.integers(0, one)), one)
    second = Rate(data.draw(st.integers(0, other)), other)
    more = attempts_to_tell(first, second)
    if first.share == second.share:
        assert more is None
    elif more is not None:
        k = one * other  # a number of attempts at which both counts are whole
        n = k * -(-(min(one, other) + more) // k)
        assert apart(Rate(first.count * n // one, n), Rate(second.count * n // other, n))
