"""A draft of expectations: exactly what failed, in few patterns, and not to be used unread."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from matrix.errors import ExpectationsError
from matrix.expectations import PLACEHOLDER, explain, load, parse
from matrix.model.cell import Cell
from matrix.model.report import Report
from matrix.model.result import Outcome
from matrix.render.expectations import draft, patterns
from tests import synthetic
from tests.render.hostile import hostile

TODAY = date(2026, 11, 1)
EVERY = synthetic.report(200, synthetic.EVERY_OUTCOME, hosts=("linux", "bsd"), repeat=2, flaky=2)
words = st.sampled_from(["a", "b", "*", "[c]", "!d"])
cells = st.builds(Cell, words, words, words, words, words)


@given(st.sets(cells, min_size=1, max_size=12), st.sets(cells, max_size=20))
def test_patterns_match_the_cells_and_no_other(wanted: set[Cell], others: set[Cell]) -> None:
    """Every cell is matched, and none of the tested ones that is not meant."""
    found = patterns(wanted, others | wanted)
    assert len(found) <= len(wanted)
    for cell in wanted | others:
        matches = any(fnmatchcase(cell.id, pattern) for pattern in found)
        assert matches is (cell in wanted)


def test_patterns_are_few() -> None:
    """What fails everywhere on one axis takes one pattern."""
    tested = synthetic.cells(320)
    assert patterns([c for c in tested if c.transport == "unix"], tested) == ["*/unix/*/*/*"]
    one = [c for c in tested if c.reactor == "gi" and c.side == "client"]
    assert patterns(one, tested) == ["gi/*/*/client/*"]


def test_draft_explains_every_failure() -> None:
    """Taken as it is written, a draft makes every fail, crash and timeout expected."""
    text = draft(EVERY, (), TODAY)
    explained = explain(EVERY, parse(text, "here"), TODAY)
    left = {cell.outcome for cell in explained.cells() if not cell.is_accepted}
    assert left == {Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NO_RESULT}
    assert draft(explained, (), TODAY) == ""


def test_draft_explains_nothing_more() -> None:
    """A cell that passed is not expected to fail by a draft."""
    drafted = parse(draft(EVERY, (), TODAY), "here")
    good = [cell.cell for cell in EVERY.cells() if cell.outcome is Outcome.PASS]
    bad = {cell.cell for cell in EVERY.cells() if not cell.outcome.is_accepted}
    told = EVERY.hosts[0].provenance
    assert not any(e.speaks_of(told, cell) for e in drafted for cell in good if cell not in bad)


def test_draft_has_names_of_its_own() -> None:
    """Names that are taken are left alone."""
    names = [each.name for each in parse(draft(EVERY, (), TODAY), "here")]
    more = [each.name for each in parse(draft(EVERY, names, TODAY), "here")]
    assert names
    assert not set(names) & set(more)


def test_draft_cannot_be_used_unread(tmp_path: Path) -> None:
    """A file in which a reason or a link is still the placeholder is refused."""
    path = tmp_path / "mine.toml"
    text = draft(EVERY, (), TODAY)
    path.write_text(text)
    with pytest.raises(ExpectationsError, match=r"its reason is still the placeholder; .*\.$"):
        load(path)
    path.write_text(text.replace(f'reason = "{PLACEHOLDER}', 'reason = "It'))
    with pytest.raises(ExpectationsError, match=r"its link is still the placeholder"):
        load(path)
    path.write_text(text.replace(f'"{PLACEHOLDER}', '"It'))
    assert load(path)


@pytest.mark.parametrize("report", [hostile(), evolve(EVERY, results=())], ids=["hostile", "empty"])
def test_any_draft_is_toml(report: Report) -> None:
    """Whatever cells and reasons are called, a draft can be read back."""
    text = draft(report, (), TODAY)
    parse(text, "here")
    assert text.replace("\n", "").isprintable()
