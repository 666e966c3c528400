"""Take the README's pictures of the page: ``python docs/screenshot.py RESULTS-FOLDER``.

The first is what a reader sees first. The second is where two clicks lead from there: on a square
of the matrix that did not pass, and on the button that draws near the moment of the abort.

Needs the ``test`` extra, and a Chromium on PATH.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SIZE = {"width": 1280, "height": 860}
SQUARE = ".matrix td.fail, .matrix td.crash, .matrix td.timeout"


def main(page: Path, first: Path, cell: Path) -> None:
    """Open the page as a reader does, keep its first screen, click twice, keep what is there."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport=SIZE)
        tab.goto(page.resolve().as_uri())
        tab.wait_for_selector("html[data-ready]", state="attached")
        tab.screenshot(path=first)
        tab.locator(SQUARE).first.click()
        tab.get_by_role("button", name="Around the abort").click()
        tab.locator("#opened svg.timeline").scroll_into_view_if_needed()
        tab.mouse.move(0, 0)
        tab.screenshot(path=cell)
        browser.close()


if __name__ == "__main__":
    names = ("screenshot.png", "screenshot-cell.png")
    main(Path(sys.argv[1]) / "index.html", *map(Path(__file__).with_name, names))
