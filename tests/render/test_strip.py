"""The strip of latencies: one scale for all of them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from matrix.model.result import Outcome
from matrix.render.html import render
from matrix.render.html.strip import place, scale, short, speeds, strip
from tests.synthetic import report


@pytest.mark.parametrize(
    ("seconds", "at"),
    [(0, 0), (-1, 0), (float("nan"), 0), (1e-5, 0), (1e-2, 500), (10, 1000), (float("inf"), 1000)],
)
def test_places_lie_on_a_logarithmic_scale(seconds: float, at: int) -> None:
    """Each decade is as wide as any other, and nothing lies outside."""
    assert place(seconds) == at


def test_the_scale_names_the_decades() -> None:
    """The scale's own marks are round and evenly apart."""
    places, names = zip(*scale(), strict=True)
    assert names == ("0.10 ms", "1 ms", "10 ms", "100 ms", "1 s")
    marks = [float(text.rstrip("%")) for text in places]
    assert {round(second - first) for first, second in pairwise(marks)} == {17}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.000312, "0.31 ms"), (0.0612, "61 ms"), (1.234, "1.23 s"), (33, "33 s")],
)
def test_a_latency_in_few_digits(seconds: float, words: str) -> None:
    """Latencies are written with three digits at most."""
    assert short(seconds) == words


def test_a_strip_has_its_four_figures_in_order() -> None:
    """Min, median, p99 and max lie one after another, and are named."""
    cell = report(1, repeat=30).cells()[0]
    found = strip(cell.attempts)
    assert found is not None
    assert list(found.places) == sorted(found.places)
    assert found.words.startswith("min 0.2")
    assert strip(()) is None


def test_the_page_says_how_sure_and_how_fast() -> None:
    """A cell with repeats has its rate with the interval, and its latencies are drawn."""
    spoilt = render(report(40, {Outcome.FAIL: 1}, repeat=3, flaky=1))
    assert "1 of 3: between 6% and 79% with 95%" in spoilt
    assert 'class="strip"' in spoilt


def test_speeds_have_every_reactor_over_every_transport() -> None:
    """Each reactor has a strip for each transport that it aborted on, and none for any other."""
    shown = report(60)
    found = speeds(shown.cells())
    assert [(line[0], line[1]) for line in found.lines] == [("linux", "select"), ("linux", "poll")]
    assert found.transports == ("tcp4", "tcp6", "unix", "tls1.2", "tls1.3")
    assert [each is not None for each in found.lines[1][2]] == [True, True, True, False, False]
    assert 'aria-label="Latencies"' in render(shown)
