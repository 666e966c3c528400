"""The summary reads as it is meant to, whatever the report holds."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from matrix.model.report import Report
from matrix.model.result import Outcome
from matrix.render import markdown
from matrix.render.plain import one_line
from matrix.render.sentence import verdict_sentence
from tests import synthetic
from tests.render.hostile import HOSTILE, hostile

EVERY = synthetic.report(40, synthetic.EVERY_OUTCOME, repeat=2, flaky=1)
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def tokens(report: Report) -> list[Token]:
    """What a Markdown reader makes of the rendered report."""
    return PARSER.parse(markdown.render(report))


def lines(report: Report) -> list[str]:
    """The text of each paragraph, heading, table cell and list item, without any markup."""
    return [_plain(token) for token in tokens(report) if token.type == "inline"]


def _plain(token: Token) -> str:
    return "".join(child.content for child in token.children or ())


def _kinds(report: Report) -> Iterator[str]:
    for token in tokens(report):
        yield token.type
        yield from (child.type for child in token.children or ())


def test_verdict_comes_first() -> None:
    """The sentence of verdict stands right below the title."""
    assert lines(EVERY)[:2] == ["reactor-matrix", verdict_sentence(EVERY)]


def test_matrix_is_a_table() -> None:
    """Reactor × transport, with counts in words and the worst first."""
    found = lines(synthetic.report(80, {Outcome.FAIL: 1}))
    start = found.index("reactor")
    assert found[start : start + 7] == [
        *("reactor", "tcp4", "tcp6", "unix", "tls1.2", "tls1.3"),
        "select",
    ]
    squares = found[start + 7 : start + 12] + found[start + 13 : start + 18]
    assert sorted(squares) == ["1 fail, 7 pass", *["8 pass"] * 9]


def test_every_bad_cell_is_listed() -> None:
    """Each cell that is not accepted is there with its outcome and the reasons."""
    found = "\n".join(lines(EVERY))
    for cell in EVERY.cells():
        listed = f"{cell.cell.id} on linux" in found
        assert listed is not cell.outcome.is_accepted
    assert "planned, and nothing came back" in found
    assert "1 of 2 attempts" in found
    assert "crash (SIGSEGV)" in found


def test_good_run_lists_nothing() -> None:
    """There is no empty section."""
    titles = [line for line in lines(synthetic.report(40)) if line in ("Not passed", "Hosts")]
    assert titles == ["Hosts"]


def test_absent_reactors_and_uncaught_faults_are_told() -> None:
    """Neither what cannot exist nor what makes a run invalid is left out."""
    report = synthetic.report(40, uncaught=1)
    found = "\n".join(lines(report))
    assert "gtk3 (not-installed)" in found
    assert report.missed_faults()[0] in found


def test_known_defects_are_listed_apart() -> None:
    """What failed as expected is told with the reason, and not among what is new."""
    report = synthetic.report(1, {Outcome.FAIL: 1})
    results = tuple(evolve(r, expected="bug #1") for r in report.results if r.fault is None)
    found = lines(evolve(report, results=results))
    assert "Not passed" not in found
    (item,) = found[found.index("Known defects") + 1 : -2]
    assert item.endswith(" – expected: bug #1")


def test_realization_is_told() -> None:
    """An emulated reactor is not shown as the real one."""
    report = synthetic.report(1)
    (result,) = [r for r in report.results if r.fault is None]
    events = tuple(
        evolve(e, data={**e.data, "realization": "emulated"})
        if e.name == "reactor-installed"
        else e
        for e in result.transcript.events
    )
    emulated = evolve(result, transcript=evolve(result.transcript, events=events))
    assert "select (emulated)" in lines(evolve(report, results=(emulated,)))


def test_long_lists_are_cut() -> None:
    """Ten thousand failures do not make a summary that CI refuses, and are still counted."""
    report = synthetic.report(10_000, {Outcome.FAIL: 10_000})
    text = markdown.render(report)
    assert len(text) < 100_000
    assert "… and 9,950 more" in text


def test_hostile_text_is_only_text() -> None:
    """No text makes a link, an image, HTML, another list or another table."""
    plain = synthetic.report(
        40, synthetic.EVERY_OUTCOME, hosts=("h",), repeat=2, flaky=2, uncaught=1
    )
    allowed = set(_kinds(plain)) | {"text_special"}
    assert set(_kinds(hostile())) <= allowed
    assert one_line(HOSTILE) in lines(hostile())


@settings(deadline=None)
@given(
    st.text(st.characters(), min_size=1, max_size=60)
    | st.text("\\`*_[]()<>&|~#!-+.1 \n", max_size=20)
)
def test_any_text_is_shown_as_it_is(text: str) -> None:
    """Whatever a reason says, its reader sees just that."""
    report = synthetic.report(1, {Outcome.FAIL: 1})
    (result,) = [r for r in report.results if r.fault is None]
    odd = evolve(result, verdict=evolve(result.verdict, reasons=(f"[{text}]",)))
    (item,) = [t for t in lines(evolve(report, results=(odd,))) if t.startswith("fail select/")]
    assert item.endswith(f": [{one_line(text)}]")
