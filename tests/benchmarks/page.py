"""How large is the page, and how soon can it be used, beside two others of the same results?

    python tests/benchmarks/page.py [--cells N]...

Made-up reports of so many cells, with the events of real ones, are written as this project's page,
as pytest-html's (a test for each cell, which prints the cell's events and fails with its reasons)
and as junit2html's (from this project's JUnit XML, which has no events of cells that passed). Each
is opened in Chromium from its file, ours a few times, the others once, and the medians are printed:
until it can be used (for ours, until the script has drawn the matrix), and from the first click on
a square until its cell has been painted. Needs the extras ``test`` and ``benchmark``, and a
Chromium on PATH; the others' pages of 20,000 cells take some minutes and some gigabytes.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from attrs import frozen
from playwright.sync_api import Browser, Error, sync_playwright
from playwright.sync_api import Page as Tab

from matrix.lines import entry_line
from matrix.model.report import Report
from matrix.render import html, junit
from tests.synthetic import EVERY_OUTCOME, report

ROUNDS = 5
"""Our page is opened so often."""
LIMITS = {5_000: (2.5, 1.0), 20_000: (9.0, 3.0)}
"""Cells → megabytes and seconds that the page may take. A click may take a tenth of a second."""
PATIENCE = 300_000
"""Milliseconds in which a page must have opened."""

OURS = "html[data-ready]"
WATCH = """
addEventListener("load", () => requestAnimationFrame(() => setTimeout(() => {
  window.loadedAfter = performance.now();
})));
new MutationObserver((_, observer) => {
  if (document.documentElement?.dataset.ready === undefined) return;
  window.readyAfter = performance.now();
  observer.disconnect();
}).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-ready"] });
"""
CLICK = """
() => new Promise((resolve) => {
  const square = document.querySelector(".matrix td.fail");
  const start = performance.now();
  new MutationObserver((_, observer) => {
    if (!document.querySelector("#opened article")) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
  }).observe(document.querySelector("#opened"), { childList: true });
  square.click();
})
"""
TESTS = r"""
import json
import pytest

with open({path!r}) as lines:
    CASES = [json.loads(line) for line in lines]

@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_cell(case):
    print("\n".join(map(json.dumps, case["events"])))
    assert case["outcome"] == "pass", case["reasons"]
"""


@frozen
class Opened:
    """What one page took: seconds, and for ours milliseconds of the first click too.

    ``usable`` is None where the page did not open.
    """

    usable: float | None
    click: float | None = None


def main() -> None:
    """Write the pages, open them, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, action="append", metavar="N")
    sizes = parser.parse_args().cells or list(LIMITS)
    print(f"{'cells':>7}  {'page':<12} {'MB':>7} {'written':>9} {'usable':>9} {'first click':>12}")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for size in sizes:
            for name, page, wrote in _pages(report(size, EVERY_OUTCOME), Path(folder)):
                _tell(size, name, page, wrote, _opened(browser, page, name == "this one"))
        browser.close()
    for size, (megabytes, seconds) in LIMITS.items():
        print(f"ours at {size:,} cells: at most {megabytes} MB, {seconds} s, click 100 ms")


def _pages(shown: Report, folder: Path) -> Iterator[tuple[str, Path, float]]:
    """Name, file and seconds of writing of each page, written when it is asked for."""
    start, page = monotonic(), folder / "ours.html"
    page.write_text(html.render(shown), "utf-8")
    yield "this one", page, monotonic() - start
    yield "pytest-html", *_pytest_html(shown, folder)
    yield "junit2html", *_junit2html(shown, folder)


def _pytest_html(shown: Report, folder: Path) -> tuple[Path, float]:
    page, cases, tests = folder / "theirs.html", folder / "cases.jsonl", folder / "test_cells.py"
    results = (result for result in shown.results if result.fault is None)
    cases.write_text("".join(map(entry_line, results)), "utf-8")
    tests.write_text(TESTS.format(path=str(cases)), "utf-8")
    options = ["-q", "--no-header", "-p", "no:cacheprovider", "--self-contained-html"]
    words = [sys.executable, "-m", "pytest", *options, f"--html={page}", str(tests)]
    return page, _run(words, folder, {0, 1})


def _junit2html(shown: Report, folder: Path) -> tuple[Path, float]:
    page, results = folder / "junit.html", folder / "junit.xml"
    results.write_text(junit.render(shown), "utf-8")
    words = [sys.executable, "-m", "junit2htmlreport", str(results), str(page)]
    return page, _run(words, folder, {0})


def _run(words: list[str], folder: Path, statuses: set[int]) -> float:
    start = monotonic()
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in statuses:
        raise SystemExit(f"{words[2]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return monotonic() - start


def _opened(browser: Browser, page: Path, is_ours: bool) -> Opened:
    if not is_ours:
        return Opened(_others(browser, page))
    usable, clicks = zip(*(_ours(browser, page) for _ in range(ROUNDS)), strict=True)
    return Opened(statistics.median(usable), statistics.median(clicks))


def _ours(browser: Browser, page: Path) -> tuple[float, float]:
    with _tab(browser) as tab:
        tab.goto(page.as_uri())
        tab.wait_for_selector(OURS, state="attached")
        return tab.evaluate("() => window.readyAfter") / 1000, tab.evaluate(CLICK)


def _others(browser: Browser, page: Path) -> float | None:
    with _tab(browser) as tab:
        try:
            tab.goto(page.as_uri())
            seconds: float = tab.evaluate("() => window.loadedAfter ?? performance.now()") / 1000
        except Error:  # it took too long, or Chromium gave it up
            return None
        return seconds


@contextmanager
def _tab(browser: Browser) -> Iterator[Tab]:
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.set_default_timeout(PATIENCE)
    tab.add_init_script(WATCH)
    try:
        yield tab
    finally:
        tab.close()


def _tell(size: int, name: str, page: Path, wrote: float, opened: Opened) -> None:
    click = "" if opened.click is None else f"{opened.click:.0f} ms"
    megabytes = page.stat().st_size / 1e6
    usable = "never" if opened.usable is None else f"{opened.usable:.2f} s"
    times = f"{wrote:>7.1f} s {usable:>9} {click:>12}"
    print(f"{size:>7,}  {name:<12} {megabytes:>7.2f} {times}", flush=True)


if __name__ == "__main__":
    main()
