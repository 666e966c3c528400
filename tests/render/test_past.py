"""Earlier runs on the page: a mark for each, and what they say together."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from matrix import history
from matrix.errors import HistoryError
from matrix.model.report import Footer, Report
from matrix.model.result import Outcome
from matrix.render.html.past import Past, cell_series, series
from matrix.trend import Trend
from matrix.workflow import past_of
from tests import synthetic
from tests.render.hostile import HOSTILE
from tests.test_trend import point, trend


def run(day: int, twisted: str = "26.10.0", **spoilt: int) -> Report:
    """A run of ten cells on a day, the same of which are spoilt whenever as many are."""
    outcomes = {Outcome[name.upper()]: number for name, number in spoilt.items()}
    report = synthetic.report(10, outcomes)
    (host,) = report.hosts
    footer = Footer(f"2026-01-{day:02}T04:10:00+00:00", 6.5)
    host = evolve(host, provenance={**host.provenance, "twisted": twisted})
    return evolve(report, footer=footer, hosts=(host,))


def past(*trends: Trend) -> Past:
    """The trends of cells that differ in their reactor."""
    cells = (evolve(each.cell, reactor=f"r{n}") for n, each in enumerate(trends))
    return Past({("linux", cell): each for cell, each in zip(cells, trends, strict=True)})


def test_each_run_has_a_mark() -> None:
    """A mark has the outcome of its run, says when it was and how often it was not accepted."""
    shown = cell_series(trend("PfF"))
    assert shown is not None
    assert [(m.outcome, m.is_known) for m in shown.marks] == [
        (Outcome.PASS, False),
        (Outcome.FAIL, True),
        (Outcome.FAIL, False),
    ]
    assert shown.marks[2].tip == "day 2, Twisted 26.4.0: fail, 5 of 10 not accepted"
    assert shown.label == "Over 3 runs, day 0 to day 2"
    assert shown.words == (
        "not accepted in 3 runs: 5 of 30: between 7% and 34% with 95%",
        "bad since day 2 (Twisted 26.4.0); last accepted day 1 (Twisted 26.4.0)",
    )
    assert cell_series(trend("")) is None


def test_another_version_is_a_turn() -> None:
    """Where the version changed between two runs, the strip says so."""
    points = (point(0, "P"), point(1, "P"), evolve(point(2, "F"), twisted="26.10.0"))
    shown = cell_series(evolve(trend(""), points=points))
    together = series(past(evolve(trend(""), points=points)))
    assert shown is not None
    assert together is not None
    assert [mark.is_turn for mark in shown.marks] == [False, False, True]
    assert [mark.is_turn for mark in together.marks] == [False, False, True]


def test_all_cells_together() -> None:
    """A run is as its worst cell that nobody expected, with the number of those."""
    shown = series(past(trend("PFF"), trend("PPN"), trend("fff")))
    assert shown is not None
    assert [(m.outcome, m.is_known, m.note) for m in shown.marks] == [
        (Outcome.FAIL, True, ""),
        (Outcome.FAIL, False, "1"),
        (Outcome.FAIL, False, "2"),
    ]
    assert shown.marks[1].tip == "day 1, Twisted 26.4.0: 1 of 3 cells not accepted"
    assert shown.words == (
        "2 cells not accepted now: 1 since day 2, 1 since day 1.",
        "1 cell accepted in some attempts, and not in others.",
    )
    assert series(Past()) is None


def test_what_is_bad_for_long_is_counted_together() -> None:
    """Of many days since when cells are bad, the last ones are named."""
    shown = series(past(*(trend("P" * n + "F" * (6 - n)) for n in range(6))))
    assert shown is not None
    assert shown.words[0] == (
        "6 cells not accepted now: 1 since day 5, 1 since day 4, 1 since day 3, 3 for longer."
    )


def test_a_history_gives_the_cells_of_the_report(tmp_path: Path) -> None:
    """Of a history, the page has the report's own cells and hosts, under whatever name."""
    path = tmp_path / "history.db"
    for day, twisted, bad in ((1, "26.4.0", 0), (2, "26.10.0", 10), (3, "26.10.0", 10)):
        history.add(path, run(day, twisted, fail=bad), {"linux": "nightly"})
    shown = run(3, fail=10)
    with pytest.raises(HistoryError, match=r"has no run of linux.* --as .*: nightly\."):
        past_of(shown, path, 30)
    found = past_of(shown, path, 30, "nightly").trends
    assert set(found) == {("linux", cell.cell) for cell in shown.cells()}
    assert {each.letters for each in found.values()} == {"PFF"}
    assert {each.letters for each in past_of(shown, path, 2, "nightly").trends.values()} == {"FF"}
    fewer = evolve(shown, plan=evolve(shown.plan, hosts=synthetic.report(4).plan.hosts))
    assert len(past_of(fewer, path, 30, "nightly").trends) == 4
    two = synthetic.report(4, hosts=("linux", "bsd"))
    with pytest.raises(HistoryError, match="names one host"):
        past_of(two, path, 30, "nightly")


def test_hostile_text_is_only_text() -> None:
    """What a history says is shown as it is."""
    odd = evolve(point(0, "F"), started=HOSTILE, twisted=HOSTILE)
    shown = cell_series(evolve(trend(""), points=(odd, odd)))
    together = series(past(evolve(trend(""), points=(odd, odd))))
    assert shown is not None
    assert together is not None
    texts = (*shown.words, shown.label, shown.marks[0].tip, *together.words, together.marks[0].tip)
    assert not any(char in text for text in texts for char in "\x1b\u202e\ud800")
