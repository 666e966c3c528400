"""A browser for the tests that look at the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from matrix.model.report import Report
from matrix.render.html import render
from matrix.render.html.changes import Changes
from matrix.render.html.past import Past
from tests.render.browser import NAMES, QUIET, WATCH, Opened, Opener


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

        def opened(
            shown: Report,
            changes: Changes | None = None,
            past: Past | None = None,
            **context: Any,
        ) -> Opened:
            path = tmp_path / "index.html"
            path.write_text(render(shown, changes, past), "utf-8")
            own = stack.enter_context(browser.new_context(**context))
            page = Opened(own.new_page(), path.as_uri())
            page.tab.on("request", lambda request: page.asked.append(request.url))
            page.tab.on("console", lambda message: page.complaints.append(message.text))
            page.tab.on("pageerror", lambda error: page.complaints.append(str(error)))
            if context.get("java_script_enabled", True):
                own.add_init_script(WATCH)
            return page

        yield opened
