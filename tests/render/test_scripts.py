"""The script of a cell that did not pass, in the page: the very text that is printed elsewhere."""

from __future__ import annotations

import pytest
from attrs import evolve
from playwright.sync_api import expect

from matrix.model.cell import Cell
from matrix.model.report import CellReport, Planned, Report
from matrix.model.result import Outcome
from matrix.render.html.cells import key
from matrix.render.html.scripts import ID, REACTOR, scripts
from matrix.render.reproduction import has_script, script
from tests import commands
from tests.render.browser import Opener, keys
from tests.render.hostile import HOSTILE
from tests.synthetic import EVERY_OUTCOME, report

EVERY = """
async () => Promise.all((await listed).cells.map(async (cell) => [cell.id, await scriptOf(cell)]))
"""


@pytest.fixture(scope="module")
def failing() -> Report:
    """Every cell of two reactors fails: all transports, both sides, both peers."""
    return report(80, {Outcome.FAIL: 80})


def renamed(shown: Report, reactor: str) -> Report:
    """The same report of a reactor of another name."""

    def of(cell: Cell) -> Cell:
        return evolve(cell, reactor=reactor)

    planned = tuple(Planned(p.host, tuple(map(of, p.cells))) for p in shown.plan.hosts)
    results = tuple(evolve(result, cell=of(result.cell)) for result in shown.results)
    return evolve(shown, plan=evolve(shown.plan, hosts=planned), results=results)


def text(cell: CellReport) -> str:
    """What `scripts` has of a cell, put together."""
    packed = scripts([cell])
    joined = "\n".join(packed.lines[n] for n in packed.texts[packed.numbers[cell.cell]])
    return joined.replace(ID, cell.cell.id).replace(REACTOR, f'"{cell.cell.reactor}"')


def test_what_did_not_pass_has_its_script() -> None:
    """Cells that failed in whatever way have a script, those that passed or cannot exist none."""
    cells = report(320, EVERY_OUTCOME).cells()
    packed = scripts(cells)
    assert packed.numbers.keys() == {c.cell for c in cells if not c.outcome.is_accepted}
    for cell in cells:
        if cell.cell in packed.numbers:
            assert text(cell) == script(cell.cell)


def test_reactors_share_their_scripts(failing: Report) -> None:
    """A second reactor adds no text and no line, if all that it changes is its name."""
    packed = scripts(failing.cells())
    assert len(packed.texts) == len(packed.numbers) / 2
    assert len(packed.lines) < 2 * max(map(len, packed.texts))


def test_the_page_has_the_very_scripts(opener: Opener, failing: Report) -> None:
    """What the page puts together for each cell is its script, byte for byte."""
    page = opener(failing).go()
    made = page.tab.evaluate(EVERY)
    assert dict(made) == {cell.cell.id: script(cell.cell) for cell in failing.cells()}
    assert page.behaved()


@pytest.mark.parametrize("place", [0, 23, 41, 79])
def test_a_script_is_shown_and_copied(opener: Opener, failing: Report, place: int) -> None:
    """The panel shows, and copies, what `reactor-matrix reproduce` prints; nothing is fetched."""
    cell = failing.cells()[place]
    printed = commands.run("reproduce", cell.cell.id).stdout
    page = opener(failing, permissions=["clipboard-read", "clipboard-write"])
    page.go(key(cell.host, cell.cell))
    block = page.tab.locator("#opened .script")
    block.get_by_text("Show", exact=True).click()
    expect(block.locator("pre")).to_contain_text("installReactor")
    assert block.locator("pre").text_content() == printed
    block.get_by_role("button", name="Copy script").click()
    expect(block.get_by_role("button")).to_have_text("Copied")
    assert page.tab.evaluate("navigator.clipboard.readText()") == printed
    assert page.behaved()


def test_a_cell_that_passed_has_the_command_alone(opener: Opener) -> None:
    """Of a cell that passed there is the command that prints its script, and no script."""
    shown = report(20)
    page = opener(shown).go(keys(shown, accepted=True)[0])
    page.tab.locator("#opened").get_by_text("reactor-matrix reproduce").wait_for()
    assert page.tab.locator("#opened .script").count() == 0


def test_without_javascript_there_is_the_command(opener: Opener, failing: Report) -> None:
    """Without script the command that prints a cell's script can be read."""
    page = opener(failing, java_script_enabled=False)
    page.tab.goto(page.url)
    first = page.tab.locator("article").first
    assert first.get_by_text("reactor-matrix reproduce select/").is_visible()


@pytest.mark.parametrize("name", [HOSTILE, '"); import os  # ', "se\nlect", "a/b", ""])
def test_no_script_is_written_for_just_any_name(opener: Opener, name: str) -> None:
    """A reactor whose name a script cannot be trusted with has none; all else is as it was."""
    shown = renamed(report(8, {Outcome.FAIL: 8}), name)
    assert not any(has_script(cell.cell) for cell in shown.cells())
    page = opener(shown).go(keys(shown, accepted=False)[0])
    assert page.tab.locator("#opened article").is_visible()
    assert page.tab.locator("#opened .script").count() == 0
    assert page.behaved()


@pytest.mark.parametrize("axis", ["transport", "scenario", "side", "peer"])
def test_no_script_is_written_of_a_cell_of_another_version(axis: str) -> None:
    """What this version does not know it writes no script of."""
    cell = Cell("select", "tcp4", "abort-when-full", "client", "socket")
    assert has_script(cell)
    assert not has_script(evolve(cell, **{axis: "unheard-of"}))
