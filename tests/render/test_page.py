"""The page in a real browser: opened from a file, as its readers open it."""

from __future__ import annotations

import re

import pytest
from attrs import evolve
from playwright.sync_api import Locator, expect

from matrix.model.report import Report
from matrix.model.result import Outcome
from matrix.render.html.cells import key
from matrix.render.html.changes import Changes
from tests.render.browser import Opened, Opener, keys
from tests.render.hostile import HOSTILE, hostile, hostile_changes, hostile_past
from tests.synthetic import EVERY_OUTCOME, report

SAME = """
async (id) => {
  const plain = (node) => node.nodeType === Node.TEXT_NODE
    ? node.data.replace(/\\s+/g, " ").trim()
    : [node.localName,
       [...node.attributes].filter((a) => !["id", "data-key"].includes(a.name))
         .map((a) => `${a.name}=${a.value}`).sort(),
       [...node.childNodes].filter((n) => n.nodeType !== Node.COMMENT_NODE).map(plain)
         .filter((n) => n !== "")];
  const index = await listed;
  const cell = index.cells.find((each) => keyOf(each) === id);
  const made = article(cell, await detailOf(cell), index);
  for (const each of made.querySelectorAll(".scripted")) each.remove();
  made.normalize();
  return [plain(document.querySelector(`[data-key="${CSS.escape(id)}"]`)), plain(made)];
}
"""


@pytest.fixture(scope="module")
def troubled() -> Report:
    """Two hosts, every outcome, flaky cells, and a defect that went uncaught."""
    hosts = ("linux", "wine 8.0/é")
    few = dict.fromkeys(EVERY_OUTCOME, 1) | {Outcome.FAIL: 3}
    return report(30, few, hosts=hosts, repeat=3, flaky=2, uncaught=1)


def test_the_page_asks_for_nothing(opener: Opener, troubled: Report) -> None:
    """Opening the page and cells in it makes no request, and nothing appears on the console."""
    page = opener(troubled).go()
    for fragment in (keys(troubled, accepted=True)[7], keys(troubled, accepted=False)[3]):
        page.go(fragment)
    assert page.behaved()


def test_hostile_text_does_nothing(opener: Opener) -> None:
    """With hostile text in every field the policy is not even tried, and all of it stays text."""
    shown = hostile()
    page = opener(shown, hostile_changes(shown), hostile_past(shown)).go()
    passing = keys(shown, accepted=True)[0]
    page.go(passing)
    assert page.find(passing).is_visible()
    for square in page.tab.locator(".matrix td[tabindex]").all()[:12]:
        square.click()
    page.tab.locator("#query").fill(HOSTILE)
    for button in page.tab.locator("[data-word]:enabled").all():
        button.click()
    assert "reactor-matrix" in page.tab.title()
    assert page.tab.locator("img, b b, body script:not([id]) ~ script").count() == 0
    assert page.behaved()


def test_links_lead_to_pages_only(opener: Opener) -> None:
    """Whatever texts say, a link leads into the page itself, or to an address of the web."""
    shown = hostile()
    page = opener(shown, hostile_changes(shown), hostile_past(shown)).go()
    known = next(key(c.host, c.cell) for c in shown.cells() if c.outcome is Outcome.CRASH)
    page.go(known)
    page.tab.locator("#opened .defect a").wait_for()
    links = page.tab.locator("a").evaluate_all("(all) => all.map((a) => a.getAttribute('href'))")
    assert {link for link in links if not link.startswith("#")} == {
        "https://example.invalid/javascript"
    }
    assert page.behaved()


@pytest.mark.parametrize("shown", [report(200, EVERY_OUTCOME), hostile()], ids=["plain", "hostile"])
def test_nothing_is_wider_than_a_phone(opener: Opener, shown: Report) -> None:
    """At 390 pixels the page does not scroll sideways; wide tables scroll in themselves."""
    page = opener(shown, viewport={"width": 390, "height": 800}).go()
    for each in ("", keys(shown, accepted=True)[0]):
        page.go(each)
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_javascript_what_matters_reads(opener: Opener, troubled: Report) -> None:
    """Without script, the matrix and every cell that did not pass can be read, by its link too."""
    page = opener(troubled, java_script_enabled=False)
    page.tab.goto(page.url)
    assert page.tab.locator(".matrix tbody tr").count() == 3
    assert page.tab.locator(".matrix tbody td.fail").first.is_visible()
    assert not page.tab.locator("#tools").is_visible()
    for each in keys(troubled, accepted=False):
        page.tab.goto(f"{page.url}#{each}")
        assert page.find(each).is_visible()
    page.tab.goto(page.url)
    page.tab.locator(".matrix td.fail a").first.click()
    assert page.tab.locator("article:visible").count() >= 1
    assert page.behaved()


def test_a_deep_link_opens_its_cell(opener: Opener, troubled: Report) -> None:
    """Each cell has a fragment that opens it, whether it passed or not, on any host."""
    page = opener(troubled)
    every = keys(troubled, accepted=True), keys(troubled, accepted=False)
    for fragment in (found[place] for found in every for place in (0, -1)):
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


def test_one_click_from_the_matrix_to_a_cell(opener: Opener) -> None:
    """A square opens the worst of its cells, beside which the others are; going back leads back."""
    page = opener(report(200, {Outcome.FAIL: 1})).go()
    page.tab.locator(".matrix td.fail").click()
    panel = page.tab.locator("#opened")
    panel.locator(".rule").first.wait_for()
    links = panel.get_by_role("navigation").get_by_role("link")
    assert links.count() == 4
    links.filter(has_text="P").first.click()
    panel.locator(".rule").wait_for(state="detached")
    page.tab.go_back()
    panel.locator(".rule").first.wait_for()
    page.tab.go_back()
    panel.wait_for(state="hidden")


def test_the_script_writes_what_the_template_writes(opener: Opener, troubled: Report) -> None:
    """A cell opened from the data is, element by element, what the template makes of it."""
    for shown in (troubled, hostile()):
        page = opener(shown, hostile_changes(shown), hostile_past(shown)).go()
        for each in keys(shown, accepted=False):
            if page.tab.locator(f'article[data-key="{each}"]').count():
                written, made = page.tab.evaluate(SAME, each)
                assert made == written


def test_a_cell_past_the_limit_opens_in_full(opener: Opener) -> None:
    """A failing cell that the HTML shows in short is shown in full by the script."""
    shown = report(200, {Outcome.FAIL: 90})
    page = opener(shown).go()
    page.unfold("details.more", 1)
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
    last = keys(shown, accepted=True)[-1]
    page = opener(shown).go(last)
    assert page.find(last).is_visible()
    assert page.behaved()


def _texts(page: Opened) -> list[list[str]]:
    """What stands in the rows of the matrix, without the marks of what folds."""
    rows = page.tab.locator(".matrix tr").all()
    return [[text.strip() for text in row.locator("th, td").all_inner_texts()] for row in rows]


def test_the_matrix_is_the_same_without_javascript(opener: Opener) -> None:
    """Where nothing is asked for, the script draws what is in the HTML, folded in the same way."""
    several = report(200, EVERY_OUTCOME, hosts=("linux", "wine"), repeat=2, flaky=2)
    for shown in (several, report(200), report(2000, {Outcome.CRASH: 1})):
        drawn = _texts(opener(shown).go())
        plain = opener(shown, java_script_enabled=False)
        plain.tab.goto(plain.url)
        assert _texts(plain) == drawn


def test_presets_narrow_the_matrix_down(opener: Opener, troubled: Report) -> None:
    """A preset writes its words into the query and its count is that of the cells it leaves."""
    page = opener(troubled).go()
    for button in page.tab.locator("[data-word]:enabled").all():
        (count,) = button.locator("small").all_inner_texts()
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")
        assert page.tab.locator("#found").inner_text() == f"{count} of 60 cells"
        button.click()
        expect(button).to_have_attribute("aria-pressed", "false")
        assert page.tab.locator("#found").inner_text() == "60 of 60 cells"
    assert page.tab.locator('[data-word="is:known"]').count() == 0
    assert page.behaved()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("epoll", 40),
        ("reactor:epoll,poll", 80),
        ("reactor:*poll -side:client", 40),
        ("transport:tls* peer:socket", 40),
        ("outcome:fail", 9),
        ("is:failing -outcome:fail", 10),
        ("EPOLL/tcp4", 8),
        ("family:producers", 200),
        ("is:nonsense", 0),
        ("nonsense:epoll", 0),
        ("[(", 0),
    ],
)
def test_queries(opener: Opener, query: str, count: int) -> None:
    """All words of a query must hold: axes with patterns, kinds, plain text, and their denial."""
    page = opener(report(200, EVERY_OUTCOME)).go()
    page.tab.locator("#query").fill(query)
    page.tab.get_by_role("status").get_by_text(f"{count} of 200 cells", exact=True).wait_for()
    assert page.behaved()


def test_the_odd_one_out_is_found(opener: Opener) -> None:
    """Of cells that all reactors pass but one, that one is shown alone."""
    page = opener(report(320, {Outcome.CRASH: 1})).go("q=is:odd")
    assert page.tab.locator("#found").inner_text() == "1 of 320 cells"
    assert page.tab.locator(".matrix td[tabindex]").all_inner_texts() == ["↯C"]


def test_what_a_reader_chose_is_in_the_address(opener: Opener) -> None:
    """Query, axes, folding and cell survive in another tab that is given the address."""
    shown = report(200, {Outcome.FAIL: 3})
    page = opener(shown).go()
    page.tab.locator("#query").fill("is:failing")
    page.tab.get_by_role("button", name="Swap axes").click()
    page.tab.locator("button[data-flip]").first.click()
    page.tab.locator(".matrix td[tabindex]").first.click()
    page.tab.locator("#opened article").wait_for()
    here, seen = page.tab.url.partition("#")[2], _texts(page)
    other = opener(shown).go(here)
    assert _texts(other) == seen
    assert other.tab.locator("#query").input_value() == "is:failing"
    assert (
        other.tab.locator("#opened h3").inner_text() == page.tab.locator("#opened h3").inner_text()
    )


def test_folding_a_reactor_keeps_its_counts(opener: Opener) -> None:
    """A folded reactor is one column, with its worst outcome and how many cells came to it."""
    shown = report(200, {Outcome.FAIL: 9, Outcome.TIMEOUT: 3})
    page = opener(shown).go()
    page.tab.get_by_role("button", name="select", exact=True).click()
    page.tab.locator(".matrix tr.turned th").first.get_by_text("all 5").wait_for()
    failing = [
        cell
        for cell in shown.cells()
        if cell.cell.reactor == "select" and cell.outcome is Outcome.FAIL
    ]
    said = page.tab.locator(".matrix td[tabindex]:nth-child(2)").all_inner_texts()
    assert sum(int(text[2:]) for text in said if text.startswith("✗F")) == len(failing)


def test_arrow_keys_walk_the_matrix(opener: Opener) -> None:
    """One square is in the tab order; arrows lead on, Enter opens, Escape leads back to it."""
    page = opener(report(200, {Outcome.FAIL: 9})).go()
    active = "document.activeElement"
    page.tab.locator('.matrix td[tabindex="0"]').focus()
    row, column = page.tab.evaluate(f"[{active}.parentElement.rowIndex, {active}.cellIndex]")
    for arrow in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"):
        page.tab.keyboard.press(arrow)
    assert page.tab.evaluate(f"[{active}.parentElement.rowIndex, {active}.cellIndex]") == [
        row + 1,
        column + 1,
    ]
    assert page.tab.locator('.matrix td[tabindex="0"]').count() == 1
    label = page.tab.evaluate(f"{active}.getAttribute('aria-label')")
    assert label.startswith("producers abort-when-full-after-exchange, select tcp6: ")
    page.tab.keyboard.press("End")
    assert page.tab.evaluate(f"{active}.nextSibling") is None
    page.tab.keyboard.press("Enter")
    page.tab.locator("#opened article").wait_for()
    expect(page.tab.locator("#opened")).to_be_focused()
    page.tab.keyboard.press("Escape")
    expect(page.tab.locator('.matrix td[tabindex="0"]')).to_be_focused()
    assert page.behaved()


def test_the_timeline_can_be_narrowed_down(opener: Opener) -> None:
    """Around the abort, hundredths of milliseconds can be told apart, by button and by dragging."""
    page = opener(report(20))
    page.go(keys(report(20), accepted=True)[0])
    plot = page.tab.locator("#opened svg.timeline")
    whole = plot.locator("text").all_text_contents()
    page.tab.get_by_role("button", name="Around the abort").click()
    near = plot.locator("text").all_text_contents()
    assert near != whole
    assert any(text.startswith("abort at") for text in near)
    for _ in range(2):
        page.tab.get_by_role("button", name="Closer").click()
    ticks = [t for t in plot.locator("text").all_text_contents() if re.fullmatch(r"\d+\.\d0 ms", t)]
    assert len(ticks) >= 2
    page.tab.get_by_role("button", name="Whole").click()
    assert plot.locator("text").all_text_contents() == whole
    box = plot.bounding_box()
    assert box is not None
    page.tab.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 60)
    page.tab.mouse.down()
    page.tab.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 60, steps=3)
    page.tab.mouse.up()
    assert plot.locator("text").all_text_contents() != whole
    assert page.behaved()


def test_what_a_process_left_behind_is_shown(opener: Opener) -> None:
    """A timeout has the stack that it was killed in, a crash what was printed, in a cell."""
    shown = report(40, {Outcome.TIMEOUT: 1, Outcome.CRASH: 1})
    page = opener(shown)
    for cell in shown.cells():
        if not cell.is_accepted:
            page.go(key(cell.host, cell.cell))
            (attempt,) = cell.attempts
            printed = page.tab.locator("#opened pre:not(.command):not(details > pre)")
            assert printed.inner_text().strip() == attempt.transcript.stderr.strip()
    assert page.behaved()


def test_commands_can_be_copied(opener: Opener) -> None:
    """Buttons put the commands, and the address of the cell, into the clipboard."""
    shown = report(20)
    page = opener(shown, permissions=["clipboard-read", "clipboard-write"])
    page.go(keys(shown, accepted=True)[0])
    for button, command in zip(
        page.tab.locator("#opened .label .copy").all(),
        page.tab.locator("#opened .command").all_inner_texts(),
        strict=True,
    ):
        button.click()
        expect(button).to_have_text("Copied")
        assert page.tab.evaluate("navigator.clipboard.readText()") == command
    page.tab.get_by_role("button", name="Copy link").click()
    expect(page.tab.locator("#opened .title .copy")).to_have_text("Copied")
    assert page.tab.evaluate("navigator.clipboard.readText()") == page.tab.url


def test_hosts_are_side_by_side(opener: Opener) -> None:
    """A cell that several hosts have says what each of them is, and what it came to there."""
    shown = report(60, {Outcome.FAIL: 6}, hosts=("linux", "wine"))
    page = opener(shown).go("q=is:differs")
    page.tab.locator(".matrix td.fail").first.click()
    rows = page.tab.locator("#opened").get_by_role("group", name="Hosts").locator("tbody tr")
    rows.first.wait_for()
    marks = rows.locator(".mark").all_inner_texts()
    assert sorted(marks) == ["✓ P", "✗ F"]
    assert "26.10.0" in rows.first.inner_text()


def test_releases_are_a_strip(opener: Opener) -> None:
    """A cell of hosts with several releases says what it came to on each, in their order."""
    shown = report(60, {Outcome.FAIL: 6}, hosts=("new", "old"))
    new, old = shown.hosts
    old = evolve(old, provenance={**old.provenance, "twisted": "9.0.0"})
    page = opener(evolve(shown, hosts=(new, old))).go("q=is:differs")
    page.tab.locator(".matrix td.fail").first.click()
    strip = page.tab.locator("#opened").get_by_role("group", name="Releases")
    strip.locator(".mark").first.wait_for()
    assert strip.locator("thead th").all_inner_texts() == ["with", "9.0.0", "26.10.0"]
    assert len(strip.locator("tbody tr").all()) == 1
    assert sorted(strip.locator(".mark").all_inner_texts()) == ["✓ P", "✗ F"]


def test_a_reactor_that_is_not_native_says_so(opener: Opener) -> None:
    """What is emulated is named beside its reactor, with and without script, and in each cell."""
    plain = report(20)
    (only,) = plain.hosts
    wine = evolve(only, provenance={**only.provenance, "realization": "wine"})
    page = opener(evolve(plain, hosts=(wine,))).go()
    assert page.tab.locator(".matrix th.unreal small").inner_text() == "wine"
    assert page.tab.locator(".matrix td.unreal").count() == 1
    assert page.tab.locator(".legend u").is_visible()


def test_changes_since_a_baseline_are_shown(opener: Opener) -> None:
    """A comparison gives a line on the first screen, a preset, and a fact in each changed cell."""
    shown = report(40, {Outcome.FAIL: 1})
    bad = next(cell for cell in shown.cells() if not cell.is_accepted)
    changes = Changes("v1", "1 cell fails that passed.", {(bad.host, bad.cell): "passed before"})
    page = opener(shown, changes=changes).go()
    assert page.tab.locator(".changes").inner_text() == "Since v1: 1 cell fails that passed."
    page.tab.locator('[data-word="is:changed"]').click()
    page.tab.locator(".matrix td.fail").click()
    assert page.tab.locator("#opened").get_by_text("passed before").is_visible()


def test_folding_keeps_the_place_of_the_keyboard(opener: Opener) -> None:
    """What was folded or unfolded by a key still has the focus, and can be turned back."""
    page = opener(report(200, {Outcome.FAIL: 3})).go()
    button = page.tab.get_by_role("button", name="producers", exact=True)
    for expanded in ("false", "true"):
        button.press("Enter")
        expect(button).to_have_attribute("aria-expanded", expanded)
        expect(button).to_be_focused()


def test_what_passes_everywhere_unfolds(opener: Opener) -> None:
    """The line of scenarios that pass everywhere opens into their rows, and folds again."""
    page = opener(report(40, {Outcome.FAIL: 1})).go()
    rest = page.tab.get_by_role("button", name="1 passes everywhere")
    rows = page.tab.locator(".matrix tbody tr")
    before = rows.all_inner_texts()
    rest.click()
    expect(rest).to_have_count(0)
    assert len(page.tab.locator(".matrix tbody td[tabindex]").all()) == 10
    page.tab.get_by_role("button", name="fold what passes everywhere").click()
    rest.wait_for()
    assert rows.all_inner_texts() == before


def test_heads_stay_in_sight(opener: Opener) -> None:
    """However far the matrix is scrolled, the heads of rows and columns are where they were."""
    small = {"width": 500, "height": 300}
    page = opener(report(2000, {Outcome.FAIL: 99}), viewport=small).go()
    grid, row = page.tab.locator("#grid"), page.tab.locator(".matrix tbody tr:last-child th").last
    column = page.tab.locator(".matrix thead tr").first
    before = _corner(column)[1], _corner(row)[0]
    grid.evaluate("(element) => element.scrollTo(200, 50)")
    assert grid.evaluate("(element) => [element.scrollLeft, element.scrollTop]") == [200, 50]
    assert (_corner(column)[1], _corner(row)[0]) == before


def _corner(element: Locator) -> tuple[float, float]:
    box = element.bounding_box()
    assert box is not None
    return box["x"], box["y"]


def test_row_and_column_of_a_square_stand_out(opener: Opener) -> None:
    """Under the pointer, a square's row and column are marked, and their heads with them."""
    page = opener(report(200, {Outcome.FAIL: 9})).go()
    square = page.tab.locator(".matrix td.fail").first
    square.hover()
    lit = page.tab.locator(".matrix th.lit, .matrix tr.lit > th").all_inner_texts()
    said = str(square.get_attribute("title"))
    assert len(lit) == 2
    assert all(text in said for text in lit)
