"""Releases: the strip of the page, the tables of ``versions``, the words of ``bisect``."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from attrs import evolve
from rich.console import Console, RenderableType

from matrix.bisection import Answer, Found
from matrix.course import course
from matrix.model.report import CellReport, Host
from matrix.model.result import Result
from matrix.render import releases as tables
from matrix.render.html import render
from matrix.render.html.releases import strips
from matrix.traits import Trait
from tests.attempts import CELL, attempt, candidate, tried
from tests.render.hostile import HOSTILE
from tests.synthetic import report

PASS, FAIL = attempt(), attempt(prompt="late")


def host(name: str, **provenance: str) -> Host:
    """A host that says this of itself."""
    return Host(name, (), provenance, ())


def shown(what: RenderableType) -> str:
    """What the terminal shows, without its line ends."""
    console = Console(width=400)
    with console.capture() as capture:
        console.print(what)
    return " ".join(capture.get().split())


# The strip ----------------------------------------------------------------------------------------


def test_releases_stand_in_their_order() -> None:
    """Releases are ordered as versions, hosts that differ in anything else have a strip each."""
    found = strips(
        [
            host("a", twisted="23.10.0", python="CPython 3.9.18"),
            host("b", twisted="23.8.0", python="CPython 3.9.18"),
            host("c", twisted="23.8.0", python="CPython 3.12.1"),
            host("d", missing="no such Python"),
        ]
    )
    assert found is not None
    assert (found.package, found.releases) == ("Twisted", ("23.8.0", "23.10.0"))
    assert found.rows == (("CPython 3.9.18", ("b", "a")), ("CPython 3.12.1", ("c", None)))


@pytest.mark.parametrize(
    ("one", "other", "package"),
    [
        (
            {"twisted": "1.0", "pyopenssl": "9.0"},
            {"twisted": "1.0", "pyopenssl": "10.0"},
            "pyOpenSSL",
        ),
        ({"python": "CPython 3.9.1"}, {"python": "CPython 3.10.2"}, "Python"),
        ({"twisted": "1.0"}, {"twisted": "1.0"}, None),
        ({"twisted": "1.0"}, {}, None),
    ],
)
def test_what_goes_across(
    one: Mapping[str, str], other: Mapping[str, str], package: str | None
) -> None:
    """Across goes the first package of which there are two releases; without any, nothing."""
    found = strips([host("a", **one), host("b", **other)])
    assert (found and found.package) == package
    assert found is None or [h for _, hosts in found.rows for h in hosts] == ["a", "b"]


def test_hosts_that_are_alike_hide_nobody() -> None:
    """Two hosts with all the same versions stand in two strips."""
    same = {"twisted": "1.0", "python": "3.9"}
    found = strips([host("a", **same), host("b", **same), host("c", twisted="2.0", python="3.9")])
    assert found is not None
    assert found.rows == (("3.9", ("a", "c")), ("3.9, b", ("b", None)))


def test_the_page_has_the_strip() -> None:
    """A cell in the page says what it came to on each release."""
    merged = report(8, hosts=("old", "new"))
    old, new = merged.hosts
    old = evolve(old, provenance={**old.provenance, "twisted": "20.3.0"})
    page = render(evolve(merged, hosts=(old, new)))
    assert "Over releases of Twisted" not in page  # all pass: no cell is written out
    spoilt = tuple(
        evolve(each, verdict=FAIL.verdict) if each.host == "new" and not each.fault else each
        for each in merged.results
    )
    page = render(evolve(merged, hosts=(old, new), results=spoilt, footer=None))
    assert '<th scope="col">20.3.0</th><th scope="col">26.10.0</th>' in page
    assert "Over releases of Twisted" in page


# The tables ---------------------------------------------------------------------------------------


def over(*releases: tuple[Result, ...] | str) -> str:
    """Everything that is shown of a cell over these releases, in one text."""
    found = course(
        CELL,
        [
            (f"{n}.0", None, each)
            if isinstance(each, str)
            else (f"{n}.0", CellReport("linux", CELL, each), "")
            for n, each in enumerate(releases)
        ],
    )
    raw = json.loads(tables.as_json([found]))
    assert [step["release"] for step in raw[CELL.id]] == [s.release for s in found.steps]
    assert tables.markdown([found]).count("\n| ") == len(releases) + 2
    return shown(tables.terminal([found]))


def test_table() -> None:
    """The table has a row for each release, with what was new there, and a sentence."""
    text = over((PASS, PASS), "cannot be installed: no wheel", (FAIL, FAIL))
    assert "│ 0.0 │ pass │ 2 of 2 │" in text
    assert "cannot be installed: no wheel" in text
    assert "│ 2.0 │ fail │ 0 of 2 │ prompt │ + prompt: late; − pass │" in text
    assert text.endswith("1 of 1 cell changed.")


def test_what_is_seen_is_mere_text() -> None:
    """Nothing that a tested program says acts on the terminal or on Markdown."""
    hostile = attempt(prompt=HOSTILE)
    text = over((PASS,), (hostile,))
    assert "\x1b" not in text


def test_only_what_changed_is_shown() -> None:
    """Of several cells those that are the same everywhere are counted."""
    same = course(CELL, [("1.0", CellReport("linux", CELL, (PASS,)), "")])
    assert shown(tables.terminal([same, same])) == "0 of 2 cells changed."


# The answer ---------------------------------------------------------------------------------------


def test_answer() -> None:
    """The answer says how often before and after, what else moved, and which release it was."""
    before = evolve(tried("1.0", *[PASS] * 10), installed=(("idna", "3.1"), ("twisted", "1.0")))
    after = evolve(tried("3.0", *[FAIL] * 10), installed=(("idna", "3.2"), ("twisted", "3.0")))
    lost = tried("2.0", why="cannot be installed: no wheel")
    found = Found(candidate("1.0"), candidate("3.0"), (candidate("2.0"),))
    text = shown(tables.answer(Answer(Trait(), found, (before, lost, after))))
    assert "the cell fails in 0 of 10 attempts on 1.0, and the cell fails in 10 of 10" in text
    assert "Could not be told: 2.0 cannot be installed: no wheel." in text
    assert "Not the same on these two, either: idna 3.1 → 3.2." in text
    assert text.endswith("The first bad release: twisted 2.0 or 3.0.")


def test_answer_where_it_was_mended() -> None:
    """What was mended has a first good release; where only words differ, a first other one."""
    ends = (tried("1.0", *[FAIL] * 10), tried("2.0", *[PASS] * 10))
    found = Found(candidate("1.0"), candidate("2.0"))
    mended = Answer(Trait(), found, ends, is_mended=True)
    assert shown(tables.answer(mended)).endswith("The first good release again: twisted 2.0.")
    words = Answer(Trait("prompt", "prompt: late"), found, ends, is_mended=True)
    assert "release on which that is different: twisted 2.0." in shown(tables.answer(words))
