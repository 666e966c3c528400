"""What changed reads the same everywhere, and fits into a comment however much there is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from matrix.compare import Change, Comparison, Kind, Pair, compare
from matrix.model.cell import Cell
from matrix.model.result import Outcome
from matrix.render import comparison
from tests import synthetic
from tests.render.hostile import HOSTILE, hostile

OLD = synthetic.report(40, {Outcome.FAIL: 2}, seed=3)
NEW = synthetic.report(40, {Outcome.CRASH: 3, Outcome.NO_RESULT: 1})
MANY = Comparison(
    (Pair("linux", "linux+27", (("twisted", "26.4.0", "27.1.0"),)),),
    9_000,
    tuple(
        Change(kind, "linux", Cell("epoll", "tcp4", f"scenario-{n}", "client", "socket"), "x" * 90)
        for kind in (Kind.NEW_FAILURE, Kind.MISSING, Kind.FIXED)
        for n in range(3_000)
    ),
)


def shown(found: Comparison) -> str:
    """What the terminal shows."""
    console = Console(width=4000, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(comparison.terminal(found))
    return capture.get()


def inline(text: str) -> list[str]:
    """What a reader sees of Markdown, line by line."""
    tokens = MarkdownIt("commonmark").parse(text)
    return [
        "".join(child.content for child in token.children or ())
        for token in tokens
        if token.type == "inline"
    ]


def test_sentence() -> None:
    """One sentence says whether anything regressed, and how much of what."""
    found = comparison.sentence(compare(OLD, NEW))
    assert found.startswith("Regression: 3 new failures, 1 newly missing, ")
    assert found.endswith("; 40 cells compared.")
    assert comparison.sentence(compare(OLD, OLD)) == (
        "No regression: nothing changed; 40 cells compared."
    )


def test_every_change_is_shown() -> None:
    """Terminal and Markdown show each change with its cell and what changed, by kind."""
    found = compare(OLD, NEW)
    text, lines = shown(found), inline(comparison.markdown(found))
    assert lines[:2] == ["reactor-matrix: what changed", comparison.sentence(found)]
    for each in found.changes:
        line = f"{each.cell.id} on linux: {each.what}"
        assert line in text
        assert any(seen.startswith(line) for seen in lines)
    assert "New failure (3)" in lines
    assert "New failure (3)" in text


def test_hosts_are_told() -> None:
    """What stands for what, and in which versions they differ, is part of the comment."""
    assert "linux → linux+27: twisted 26.4.0 → 27.1.0" in inline(comparison.markdown(MANY))


def test_comment_fits() -> None:
    """Nine thousand changes fit into a comment: the gravest are shown, all are counted."""
    text = comparison.markdown(MANY)
    assert len(text.encode()) <= comparison.LIMIT
    assert len(text.encode()) > comparison.LIMIT - 200
    lines = inline(text)
    cells = sum("scenario-" in line for line in lines)
    assert f"… and {3_000 - cells:,} more" in lines
    assert lines.count("… and 3,000 more") == 2
    assert [line for line in lines if line.endswith("(3,000)")] == [
        "New failure (3,000)",
        "Newly missing (3,000)",
        "Fixed (3,000)",
    ]


@settings(max_examples=40)
@given(st.integers(600, 30_000), st.integers(0, 9_000))
def test_comment_fits_any_limit(limit: int, number: int) -> None:
    """However many changes there are, the text is no longer than it may be."""
    few = Comparison(MANY.hosts, MANY.cells, MANY.changes[:number])
    assert len(comparison.markdown(few, limit).encode()) <= limit


@pytest.mark.parametrize("text", [shown(compare(hostile(), OLD)), shown(compare(OLD, hostile()))])
def test_hostile_text_is_only_text(text: str) -> None:
    """Nothing that a tested program wrote acts on a terminal."""
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_hostile_text_is_only_text_in_markdown() -> None:
    """Nothing of it becomes markup either."""
    text = comparison.markdown(compare(OLD, hostile()))
    kinds = {token.type for token in MarkdownIt("commonmark").parse(text)}
    assert not kinds & {"html_block", "html_inline", "fence", "link_open"}
    assert HOSTILE not in text
