"""The page in a real browser: opened from a file, as its readers open it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import field, frozen
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, sync_playwright
from playwright.sync_api import Page as Tab

from matrix.model.report import Report
from matrix.model.result import Outcome
from matrix.render.html import render
from matrix.render.html.cells import key
from tests.render.hostile import hostile
from tests.synthetic import EVERY_OUTCOME, report

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.violatedDirective} ${event.sample}`));
"""
SAME = """
async (id) => {
  const plain = (node) => node.nodeType === Node.TEXT_NODE
    ? node.data.replace(/\\s+/g, " ").trim()
    : [node.localName, [...node.attributes].map((a) => `${a.name}=${a.value}`).sort(),
       [...node.childNodes].filter((n) => n.nodeType !== Node.COMMENT_NODE).map(plain)
         .filter((n) => n !== "")];
  const index = await listed;
  const cell = index.cells.find((each) => keyOf(each) === id);
  const made = article(cell, await detailOf(cell), index);
  made.normalize();
  return [plain($(id)), plain(made)];
}
"""


@frozen
class Opened:
    """A page in a browser, and what it did that no page of ours may do."""

    tab: Tab
    url: str
    asked: list[str] = field(factory=list)
    complaints: list[str] = field(factory=list)

    def go(self, fragment: str = "") -> Opened:
        """Open the page at a fragment, and wait until its script has followed it."""
        self.tab.goto("about:blank")
        self.tab.goto(self.url + (f"#{fragment}" if fragment else ""))
        self.tab.wait_for_selector("html[data-ready]")
        return self

    def find(self, identity: str) -> Locator:
        """The element of that id, whatever characters it has."""
        return self.tab.locator(f'[id="{identity}"]')

    def unfold(self, selector: str, count: int) -> None:
        """Open the first so many of the details that match."""
        for each in self.tab.locator(selector).all()[:count]:
            each.evaluate("(details) => { details.open = true; }")

    def behaved(self) -> bool:
        """Nothing but the file was asked for, and nothing was complained about."""
        assert not self.complaints
        assert {url.partition("#")[0] for url in self.asked} <= {self.url, "about:blank", "data:,"}
        return True


Opener = Callable[..., Opened]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; without one there is a written reason here, and a failure in CI."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no browser found: install one of {', '.join(NAMES)}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def opener(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens a report's page; keywords are the browser context's."""
    with ExitStack() as stack:

        def opened(shown: Report, **context: Any) -> Opened:
            path = tmp_path / "index.html"
            path.write_text(render(shown), "utf-8")
            own = stack.enter_context(browser.new_context(**context))
            page = Opened(own.new_page(), path.as_uri())
            page.tab.on("request", lambda request: page.asked.append(request.url))
            page.tab.on("console", lambda message: page.complaints.append(message.text))
            page.tab.on("pageerror", lambda error: page.complaints.append(str(error)))
            if context.get("java_script_enabled", True):
                own.add_init_script(WATCH)
            return page

        yield opened


@pytest.fixture(scope="module")
def troubled() -> Report:
    """Two hosts, every outcome, flaky cells, and a defect that went uncaught."""
    hosts = ("linux", "wine 8.0/é")
    few = dict.fromkeys(EVERY_OUTCOME, 1) | {Outcome.FAIL: 3}
    return report(60, few, hosts=hosts, repeat=3, flaky=2, uncaught=1)


def _keys(shown: Report, *, accepted: bool) -> list[str]:
    return [key(c.host, c.cell) for c in shown.cells() if c.outcome.is_accepted is accepted]


def _violations(page: Opened) -> list[str]:
    """What axe finds of serious or critical weight, in words."""
    found = Axe().run(page.tab).response["violations"]
    heavy = [each for each in found if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {node['html'][:200]}" for each in heavy for node in each["nodes"]]


def test_the_page_asks_for_nothing(opener: Opener, troubled: Report) -> None:
    """Opening the page and cells in it makes no request, and nothing appears on the console."""
    page = opener(troubled).go()
    for fragment in (_keys(troubled, accepted=True)[7], _keys(troubled, accepted=False)[3]):
        page.go(fragment)
    assert page.behaved()


def test_hostile_text_does_nothing(opener: Opener) -> None:
    """With hostile text in every field the policy is not even tried, and all of it stays text."""
    shown = hostile()
    page = opener(shown).go()
    passing = _keys(shown, accepted=True)[0]
    page.go(passing)
    assert page.find(passing).is_visible()
    for link in page.tab.locator(".matrix a[data-key]").all():
        link.click()
    assert "reactor-matrix" in page.tab.title()
    assert page.tab.locator("img, body script:not([id]) ~ script").count() == 0
    assert page.behaved()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious(
    opener: Opener, troubled: Report, scheme: str, width: int
) -> None:
    """No serious or critical barrier, light and dark, wide and narrow, folded and unfolded."""
    size = {"width": width, "height": 800}
    page = opener(troubled, color_scheme=scheme, viewport=size).go()
    assert _violations(page) == []
    page.unfold("section > details", 9)
    page.unfold(".cell article > details", 2)
    assert _violations(page) == []
    page.go(_keys(troubled, accepted=True)[0])
    page.unfold("#opened details", 2)
    assert _violations(page) == []
    page.tab.get_by_role("link", name="All cells of").click()
    page.tab.get_by_role("heading", name="cells of").wait_for()
    assert _violations(page) == []


def test_all_cells_passed_is_free_of_barriers_too(opener: Opener) -> None:
    """The page of a run in which nothing failed has no serious or critical barrier either."""
    assert _violations(opener(report(200)).go()) == []


@pytest.mark.parametrize("shown", [report(200, EVERY_OUTCOME), hostile()], ids=["plain", "hostile"])
def test_nothing_is_wider_than_a_phone(opener: Opener, shown: Report) -> None:
    """At 390 pixels the page does not scroll sideways; wide tables scroll in themselves."""
    page = opener(shown, viewport={"width": 390, "height": 800}).go()
    for each in ("", _keys(shown, accepted=True)[0]):
        page.go(each)
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_javascript_what_matters_reads(opener: Opener, troubled: Report) -> None:
    """Without script, the matrix and every cell that did not pass can be read, by its link too."""
    page = opener(troubled, java_script_enabled=False)
    page.tab.goto(page.url)
    assert page.tab.locator(".matrix tbody tr").count() == 4
    assert page.tab.locator(".matrix tbody tr").first.is_visible()
    for each in _keys(troubled, accepted=False):
        page.tab.goto(f"{page.url}#{each}")
        assert page.find(each).is_visible()
    page.tab.goto(page.url)
    page.tab.locator(".matrix td.fail a").first.click()
    assert page.tab.locator("article:visible").count() >= 1
    assert page.behaved()


def test_a_deep_link_opens_its_cell(opener: Opener, troubled: Report) -> None:
    """Each cell has a fragment that opens it, whether it passed or not, on any host."""
    page = opener(troubled)
    every = _keys(troubled, accepted=True), _keys(troubled, accepted=False)
    for fragment in (keys[place] for keys in every for place in (0, -1)):
        assert page.go(fragment).find(fragment).is_visible()
        assert page.find(fragment).locator("svg.timeline, .seen").first.is_visible()
    assert page.behaved()


def test_a_link_to_a_cell_that_is_not_there_says_so(opener: Opener) -> None:
    """A fragment from another run, or a mangled one, is answered in words."""
    page = opener(report(20))
    for fragment in ("cell=linux:gone/tcp4/x/client/socket", "cell=%E0%A4%A"):
        page.go(fragment)
        assert page.tab.get_by_role("heading", name="No such cell").is_visible()
    assert page.behaved()


def test_two_clicks_from_the_matrix_to_any_cell(opener: Opener) -> None:
    """A square lists its cells, and each of them opens; going back leads back."""
    page = opener(report(200)).go()
    page.tab.locator(".matrix a[data-key]").nth(12).click()
    page.tab.get_by_role("heading", name="8 cells of epoll over unix").wait_for()
    name = "epoll/unix/abort-when-full/client/socket"
    page.tab.get_by_role("link", name=name + ":").click()
    page.tab.get_by_role("heading", name=name).wait_for()
    assert page.tab.locator("#opened svg.timeline").is_visible()
    page.tab.go_back()
    page.tab.get_by_role("heading", name="8 cells of epoll over unix").wait_for()


def test_the_script_writes_what_the_template_writes(opener: Opener, troubled: Report) -> None:
    """A cell opened from the data is, element by element, what the template makes of it."""
    for shown in (troubled, hostile()):
        page = opener(shown).go()
        for each in _keys(shown, accepted=False):
            if "article" in page.find(each).evaluate("(element) => element.localName"):
                written, made = page.tab.evaluate(SAME, each)
                assert made == written


def test_a_cell_past_the_limit_opens_in_full(opener: Opener) -> None:
    """A failing cell that the HTML shows in short is shown in full by the script."""
    shown = report(200, {Outcome.FAIL: 90})
    page = opener(shown).go()
    page.tab.locator(".brief a").first.click()
    page.tab.locator("#opened svg.timeline").wait_for()
    assert page.tab.locator("#opened .rule").first.is_visible()
    assert page.behaved()


def test_print_shows_what_failed(opener: Opener) -> None:
    """On paper the cells that did not pass are there without being opened."""
    page = opener(report(200, {Outcome.FAIL: 4})).go()
    page.tab.emulate_media(media="print")
    plots = page.tab.locator("#troubles svg.timeline")
    assert [plot.is_visible() for plot in plots.all()] == [True] * 4


def test_five_thousand_cells_open(opener: Opener) -> None:
    """A page of 5,000 cells opens, and so does its last cell."""
    shown = report(5000, EVERY_OUTCOME)
    last = _keys(shown, accepted=True)[-1]
    page = opener(shown).go(last)
    assert page.find(last).is_visible()
    assert page.behaved()
