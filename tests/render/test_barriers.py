"""Axe finds no barrier, of whatever weight, in any state that a reader can bring the page into."""

from __future__ import annotations

import pytest
from attrs import evolve

from matrix.model.report import Report
from matrix.model.result import Outcome, Result
from matrix.render.html.cells import key
from matrix.render.html.changes import Changes
from matrix.render.html.past import Past
from matrix.trend import Point, Trend
from tests.render.browser import Opened, Opener, keys, violations
from tests.synthetic import EVERY_OUTCOME, report

KNOWN = "abortConnection() forgets it (https://twisted.org/)"
PRESETS = {
    "is:failing",
    "is:changed",
    "is:known",
    "is:flaky",
    "is:odd",
    "is:differs",
    "is:kernel",
    "transport:tls*",
}


def _judged(result: Result) -> Result:
    if result.verdict.outcome is Outcome.INCONCLUSIVE:
        return evolve(result, expected=KNOWN)
    if result.verdict.outcome is Outcome.TIMEOUT:
        return evolve(result, verdict=evolve(result.verdict, attributed=("peer-told: no reset",)))
    return result


@pytest.fixture(scope="module")
def all_sorts() -> Report:
    """Not valid; two hosts with two releases, every outcome, flaky cells, known defects."""
    hosts = ("linux", "wine 8.0/é")
    few = dict.fromkeys(EVERY_OUTCOME, 1) | {Outcome.FAIL: 3}
    plain = report(120, few, hosts=hosts, repeat=2, flaky=2, uncaught=1)
    new, old = plain.hosts
    old = evolve(old, provenance={**old.provenance, "twisted": "24.11.0", "realization": "wine"})
    return evolve(plain, hosts=(new, old), results=tuple(map(_judged, plain.results)))


def _opened(opener: Opener, shown: Report, **context: object) -> Opened:
    """Its page, with changes since a baseline, and with earlier runs."""
    every = [(cell.host, cell.cell) for cell in shown.cells()]
    changes = Changes("v1", "2 cells are new.", dict.fromkeys(every[:2], "new"), frozenset())
    days = [(f"2026-01-0{day}T04:10:00+00:00", outcome) for day, outcome in enumerate(Outcome, 1)]
    runs = tuple(Point(at, "26.10.0", each, each is Outcome.PASS, 1, 2) for at, each in days)
    past = Past({place: Trend(*place, runs) for place in every})
    return opener(shown, changes, past, **context)


def _unfold(page: Opened, place: str) -> None:
    page.unfold(f"{place} details", 9)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
class TestOfAnInvalidRun:
    """Light on a desk, and dark on a phone."""

    @pytest.fixture
    def page(self, opener: Opener, all_sorts: Report, scheme: str, width: int) -> Opened:
        """The page of all sorts."""
        size = {"width": width, "height": 800}
        return _opened(opener, all_sorts, color_scheme=scheme, viewport=size).go()

    def test_the_first_screen_and_all_below(self, page: Opened) -> None:
        """Greyed verdict, changes, earlier runs, matrix, and what did not pass: un- and folded."""
        assert page.tab.locator("header.invalid .past .series").is_visible()
        assert page.tab.locator("header .changes").is_visible()
        assert violations(page) == []
        page.unfold("section > details", 9)
        page.unfold(".cell article > details", 2)
        assert violations(page) == []

    def test_a_cell_that_passed(self, page: Opened, all_sorts: Report) -> None:
        """Timeline, rules, events, earlier runs, and the same cell on other hosts and releases."""
        page.go(keys(all_sorts, accepted=True)[0])
        _unfold(page, "#opened")
        for shown in ("svg.timeline", ".events", ".series", '[aria-label="Hosts"]'):
            assert page.tab.locator(f"#opened {shown}").is_visible()
        assert page.tab.locator('#opened [aria-label="Releases"]').is_visible()
        assert violations(page) == []
        page.tab.get_by_role("button", name="Around the abort").click()
        assert violations(page, "#opened") == []

    @pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.CRASH, Outcome.INCONCLUSIVE])
    def test_a_cell_that_did_not_pass(
        self, page: Opened, all_sorts: Report, outcome: Outcome
    ) -> None:
        """Broken rules, the script, what was printed, a known defect."""
        found = (key(c.host, c.cell) for c in all_sorts.cells() if c.outcome is outcome)
        page.go(next(found))
        _unfold(page, "#opened")
        page.tab.locator("#opened .script pre").get_by_text("installReactor").wait_for()
        assert violations(page, "#opened") == []

    def test_the_matrix_filtered_swapped_and_folded(self, page: Opened) -> None:
        """Every preset, the axes swapped, a host's reactor folded, and nothing found."""
        presets = page.tab.locator("[data-word]:enabled")
        assert set(presets.evaluate_all("(all) => all.map((b) => b.dataset.word)")) == PRESETS
        folded = ["q=tls&swap=1", "swap=1", "flip=linux%2Fselect,producers", "q=no-such-cell"]
        for view in [f"q={word}" for word in sorted(PRESETS)] + folded:
            page.go(view)
            assert violations(page, "#matrix") == [], view

    def test_a_cell_that_is_not_there(self, page: Opened) -> None:
        """The panel with which a link to another run's cell is answered."""
        assert violations(page.go("cell=linux:gone/tcp4/x/client/socket")) == []

    def test_on_paper(self, page: Opened, all_sorts: Report) -> None:
        """Print, with and without an opened cell."""
        page.tab.emulate_media(media="print")
        assert violations(page) == []
        page.go(keys(all_sorts, accepted=False)[0])
        assert violations(page) == []


def test_all_cells_passed(opener: Opener) -> None:
    """The page of a run in which nothing failed."""
    assert violations(opener(report(200)).go()) == []
