"""A page of ours in a browser, opened from a file, as its readers open it."""

from __future__ import annotations

from collections.abc import Callable

from attrs import field, frozen
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator
from playwright.sync_api import Page as Tab

from matrix.model.report import Report
from matrix.render.html.cells import key

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
"""Opens a report's page; keywords are what else is on it, and the browser context's."""


def keys(shown: Report, *, accepted: bool) -> list[str]:
    """The fragments of all cells whose outcome is accepted, or is not."""
    return [key(c.host, c.cell) for c in shown.cells() if c.outcome.is_accepted is accepted]


def violations(page: Opened, within: str | None = None) -> list[str]:
    """What axe finds, of whatever weight, in words: in all of the page, or in a part of it."""
    found = Axe().run(page.tab, context=within).response["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]
