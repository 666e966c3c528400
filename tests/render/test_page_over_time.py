"""The page in a browser, with what happened before the run that it shows."""

from __future__ import annotations

import pytest
from attrs import evolve
from playwright.sync_api import expect

from matrix.model.report import Report
from matrix.model.result import Outcome
from matrix.render.html.changes import Changes
from matrix.render.html.past import Past
from matrix.trend import Point, Trend
from tests.render.browser import Opener, keys, violations
from tests.synthetic import report

SHOWN = report(40, {Outcome.FAIL: 2, Outcome.TIMEOUT: 1})


def past(shown: Report) -> Past:
    """Three runs: all passed, then on another version the same as now, and again."""
    trends = {}
    for cell in shown.cells():
        bad = 0 if cell.is_accepted else 1
        now = [
            Point(f"2026-01-0{day}T04:10:00+00:00", "26.10.0", cell.outcome, not bad, bad, 1)
            for day in (2, 3)
        ]
        good = Point("2026-01-01T04:10:00+00:00", "26.4.0", Outcome.PASS, True, 0, 1)
        trends[cell.host, cell.cell] = Trend(cell.host, cell.cell, (good, *now))
    return Past(trends)


@pytest.mark.parametrize("script", [True, False])
def test_the_first_screen_has_earlier_runs(opener: Opener, script: bool) -> None:
    """A mark for each run, with the number of bad cells, and since when they are bad."""
    page = opener(SHOWN, past=past(SHOWN), java_script_enabled=script)
    page.tab.goto(page.url)
    strip = page.tab.locator("header .series li")
    assert strip.all_inner_texts() == ["✓P", "✗F3", "✗F3"]
    assert [each.get_attribute("class") for each in strip.all()] == [None, "turn", None]
    tip = strip.nth(1).locator("span").get_attribute("title")
    assert tip == "2 January 2026, 04:10 UTC, Twisted 26.10.0: 3 of 40 cells not accepted"
    said = page.tab.locator("header .past").inner_text()
    assert "3 cells not accepted now: 3 since 2 January 2026." in said
    assert page.tab.locator("#troubles article .series").count() == 3
    assert page.behaved()


def test_a_cell_has_its_earlier_runs(opener: Opener) -> None:
    """An opened cell has its own strip, with how often it was bad of how many attempts."""
    page = opener(SHOWN, past=past(SHOWN)).go(keys(SHOWN, accepted=True)[0])
    strip = page.tab.locator("#opened .series li")
    assert strip.all_inner_texts() == ["✓P"] * 3
    assert page.tab.locator("#opened").get_by_text("not accepted in 3 runs: 0 of 3").is_visible()
    page.go(keys(SHOWN, accepted=False)[0])
    assert strip.all_inner_texts()[0] == "✓P"
    assert page.tab.locator("#opened").get_by_text("bad since 2026-01-02").is_visible()
    assert page.behaved()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_earlier_runs_are_free_of_barriers(opener: Opener, scheme: str) -> None:
    """Strips have no serious barrier, on the first screen, in a cell, and on a phone."""
    size = {"width": 390, "height": 800}
    page = opener(SHOWN, past=past(SHOWN), color_scheme=scheme, viewport=size).go()
    assert violations(page) == []
    page.go(keys(SHOWN, accepted=False)[0])
    assert violations(page) == []
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_history_there_is_no_strip(opener: Opener) -> None:
    """Where no history was given, or it knows none of the cells, nothing is said of it."""
    strange = {
        ("elsewhere", cell.cell): past(SHOWN).trends[cell.host, cell.cell] for cell in SHOWN.cells()
    }
    for none in (None, Past()):
        page = opener(SHOWN, past=none).go(keys(SHOWN, accepted=True)[0])
        assert page.tab.locator(".series").count() == 0
    page = opener(SHOWN, past=Past(strange)).go(keys(SHOWN, accepted=True)[0])
    assert page.tab.locator("#opened .series").count() == 0


def test_the_headline_says_what_is_new(opener: Opener) -> None:
    """With a baseline the sentence parts new failures from older ones, and a preset finds them."""
    bad = [(cell.host, cell.cell) for cell in SHOWN.cells() if not cell.is_accepted]
    words = dict.fromkeys(bad[:1], "new failure: it passed")
    page = opener(SHOWN, Changes("v1", "1 new failure.", words, frozenset(bad[:1]))).go()
    headline = page.tab.locator("h1")
    expect(headline).to_contain_text("1 new failure and 2 older (2 failed, 1 timed out)")
    expect(headline).to_contain_text("40 of 40 planned cells accounted for")
    page.tab.locator('[data-word="is:changed"]').click()
    expect(page.tab.locator("#found")).to_have_text("1 of 40 cells")
    page.tab.locator("header .changed a").click()
    expect(page.tab.locator("#opened .facts")).to_contain_text("new failure: it passed")


def test_several_hosts_have_one_strip(opener: Opener) -> None:
    """The first screen's strip is of all hosts; each cell's is of its own."""
    shown = report(20, {Outcome.FAIL: 1}, hosts=("linux", "wine"))
    trends = past(shown).trends
    only = {place: trend for place, trend in trends.items() if place[0] == "linux"}
    extra = {
        place: evolve(t, points=t.points[1:]) for place, t in trends.items() if place[0] == "wine"
    }
    page = opener(shown, past=Past({**only, **extra})).go()
    assert page.tab.locator("header .series li").count() == 3
    bad = keys(shown, accepted=False)
    for fragment, count in zip(bad, (3, 2), strict=True):
        page.go(fragment)
        assert page.tab.locator("#opened .series li").count() == count
