"""The table of Pythons and Twisteds: what counts as a change, and what is said of it."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from matrix.model.report import Report
from matrix.model.result import Outcome, Standing, Verdict
from matrix.store import write
from tests import synthetic
from tests.benchmarks import versions
from tests.benchmarks.versions import Stack, compare, page

FAILED = Verdict(Outcome.FAIL, rules={"prompt": Standing.FAIL}, reasons=("prompt: it was not",))


def failing(report: Report, count: int, expected: str | None) -> Report:
    """The report with its first results failing."""
    results = [evolve(each, verdict=FAILED, expected=expected) for each in report.results[:count]]
    return evolve(report, results=(*results, *report.results[count:]))


def test_changes_are_those_of_outcomes() -> None:
    """Cells with the same outcome are no change; the others are, with what was expected of them."""
    reference = synthetic.report(40)
    assert compare(reference, reference).changes == {}
    compared = compare(reference, failing(reference, 3, "it is old (a ticket)"))
    ((change, cells),) = compared.changes.items()
    assert (change.before, change.after) == ("pass", "fail `prompt`")
    assert change.why == "it is old (a ticket)"
    assert (len(cells), compared.changed, compared.cells) == (3, 3, 40)


def test_what_is_mended_is_explained_by_what_was_broken() -> None:
    """A cell that fails on the reference alone has the reference's explanation."""
    reference = synthetic.report(40)
    compared = compare(failing(reference, 1, "new (a ticket)"), reference)
    (change,) = compared.changes
    assert (change.after, change.why) == ("pass", "new (a ticket)")


def test_what_is_mended_in_part_is_explained_by_what_was_broken() -> None:
    """Where both fail, the one that breaks more is explained."""
    report = failing(synthetic.report(40), 1, "of both")
    worse = evolve(FAILED, rules={**FAILED.rules, "released": Standing.FAIL})
    first = evolve(report.results[0], verdict=worse, expected="of the worse one")
    reference = evolve(report, results=(first, *report.results[1:]))
    (change,) = compare(reference, report).changes
    assert change.why == "of the worse one"
    (change,) = compare(report, reference).changes
    assert change.why == "of the worse one"


def test_what_nothing_explains_is_marked() -> None:
    """A failure that nobody expects stands out."""
    reference = synthetic.report(40)
    (change,) = compare(reference, failing(reference, 1, None)).changes
    assert change.why == "**not explained**"


def test_page(tmp_path: Path) -> None:
    """The page has a stack that ran, one that could not be made, and what changed."""
    newest, old, never = (Stack("python3.13", "newest", tmp_path), *stacks(tmp_path))
    told = {"platform": "Linux-6", "python": "CPython 3.13.0", "twisted": "26.10.0"}
    reference = synthetic.report(40)
    reference = evolve(reference, hosts=(evolve(reference.hosts[0], provenance=told),))
    for stack, report in ((newest, reference), (old, failing(reference, 2, "old (a ticket)"))):
        stack.results.parent.mkdir(parents=True)
        write(report, stack.results)
    never.trouble.parent.mkdir()
    never.trouble.write_text("error: no wheel\n")
    every = [Stack(p, t, tmp_path) for t in versions.TWISTEDS for p in versions.PYTHONS]
    text = page(every, ())
    assert "2 of 40" in text
    assert "| pass | fail `prompt` | old (a ticket) |" in text
    assert "* 20.3.0 on python3.13: `error: no wheel`" in text


def stacks(folder: Path) -> tuple[Stack, Stack]:
    """Two stacks besides the reference."""
    return Stack("python3.12", "23.8.0", folder), Stack("python3.13", "20.3.0", folder)
