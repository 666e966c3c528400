"""What was expected and did not come: said once, with the cells, and of tested cells alone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from attrs import evolve

from matrix.expectations import Expectation, explain, parse
from matrix.model.report import Report
from matrix.model.result import Outcome, Result, Standing, Verdict
from matrix.rules import RULES
from matrix.surprises import Kind, surprises
from tests import synthetic

DAY = date(2026, 12, 31)
(EXPECTATION,) = parse(
    """
[late]
cells = ["select/tcp4/*"]
outcome = "fail"
rules = ["prompt"]
reason = "it is late"
link = "https://example.org/1"
expires = 2026-12-31
""",
    "here",
)
REPORT = synthetic.report(20)
IN, OUT = (
    [r for r in REPORT.results if r.fault is None and (r.cell.transport == "tcp4") is is_in]
    for is_in in (True, False)
)


def failed(*rules: str) -> Verdict:
    """A fail that breaks these rules."""
    standings = {r.name: Standing.FAIL if r.name in rules else Standing.PASS for r in RULES}
    return Verdict(Outcome.FAIL, standings)


def with_verdict(verdict: Verdict, *of: Result) -> Report:
    """The report, with another verdict on some of its results, explained by the expectation."""
    ids = [result.cell.id for result in of]
    results = (
        evolve(r, verdict=verdict) if r.fault is None and r.cell.id in ids else r
        for r in REPORT.results
    )
    return explain(evolve(REPORT, results=tuple(results)), [EXPECTATION], DAY)


def found(report: Report, *, today: date = DAY, of: Expectation = EXPECTATION) -> list[Kind]:
    """The kinds of all surprises."""
    return [surprise.kind for surprise in surprises(report, [of], today)]


def test_failure_as_expected_is_none() -> None:
    """Where one of the cells fails as it was announced, nothing is surprising."""
    report = with_verdict(failed("prompt"), IN[0])
    assert found(report) == []
    assert {cell.is_accepted for cell in report.cells()} == {True}


def test_pass_of_all_cells_is_one() -> None:
    """Where none of the cells fails any more, the expectation is named with their number."""
    (surprise,) = surprises(REPORT, [EXPECTATION], DAY)
    assert surprise.kind is Kind.PASSED
    assert len(surprise.cells) == len(IN)
    assert str(surprise) == (
        f"expectation late: none of the {len(IN)} cells it is about fails as it says"
    )


@pytest.mark.parametrize(
    "verdict", [failed("released"), Verdict(Outcome.CRASH), failed("prompt", "released")]
)
def test_failure_in_another_way_is_one(verdict: Verdict) -> None:
    """A cell that fails otherwise than announced is named, and is not accepted."""
    report = with_verdict(verdict, IN[0])
    assert Kind.DIFFERENT in found(report)
    different = next(s for s in surprises(report, [EXPECTATION], DAY) if s.kind is Kind.DIFFERENT)
    assert different.cells == (IN[0].cell.id,)
    assert "failed in another way: select/tcp4/" in str(different)
    assert not all(cell.is_accepted for cell in report.cells())


def test_expired_expectation_is_one() -> None:
    """Past its date an expectation explains nothing, and what it would explain is named."""
    later = DAY + timedelta(days=1)
    report = explain(with_verdict(failed("prompt"), IN[0], IN[1]), [EXPECTATION], later)
    assert found(report, today=later) == [Kind.EXPIRED]
    (surprise,) = surprises(report, [EXPECTATION], later)
    assert str(surprise).startswith("expectation late: expired on 2026-12-31, and 2 cells fail as")
    assert not all(cell.is_accepted for cell in report.cells())
    assert found(REPORT, today=later) == []


def test_other_cells_are_no_surprise() -> None:
    """Failures outside of its patterns are none of its business."""
    assert found(with_verdict(failed("prompt"), OUT[0])) == [Kind.PASSED]


def test_cells_that_were_not_tested_are_no_surprise() -> None:
    """Where its cells cannot exist, did not come back, or are on another host, nothing is said."""
    absent = with_verdict(Verdict(Outcome.UNSUPPORTED), *IN)
    assert found(absent) == []
    lost = tuple(r for r in REPORT.results if r.cell.transport != "tcp4")
    assert found(evolve(REPORT, results=lost)) == []
    elsewhere = evolve(EXPECTATION, when={"platform": "Windows-*"})
    assert found(REPORT, of=elsewhere) == []


def test_explaining_again_takes_back_what_is_not_expected() -> None:
    """What a report calls expected is what these expectations expect, and no more."""
    report = with_verdict(failed("prompt"), IN[0])
    assert explain(report, [EXPECTATION], DAY) == report
    assert all(r.expected is None for r in explain(report, [], DAY).results)


def test_defect_behind_another_is_none() -> None:
    """Where the cells fail by another known defect, nothing is known of the one behind it."""
    other = failed("released")
    unseen = evolve(other, rules={**other.rules, "prompt": Standing.NOT_APPLICABLE})
    for verdict, kinds in ((unseen, []), (other, [Kind.PASSED])):
        results = (
            evolve(r, verdict=verdict, expected="another defect") if r in IN else r
            for r in REPORT.results
        )
        assert found(evolve(REPORT, results=tuple(results))) == kinds
