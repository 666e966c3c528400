"""The sentence of verdict is honest."""

from __future__ import annotations

import pytest
from attrs import evolve

from matrix.model.report import Footer, Plan, Report
from matrix.model.result import Outcome
from matrix.render.sentence import verdict_sentence
from tests import synthetic


def test_all_passed() -> None:
    """A good run is said in three words."""
    assert verdict_sentence(synthetic.report(40)) == "All 40 cells passed."
    assert verdict_sentence(synthetic.report(1)) == "The only cell passed."


def test_every_outcome_is_named() -> None:
    """Nothing that happened is left out, and the worst comes first."""
    assert verdict_sentence(synthetic.report(40, synthetic.EVERY_OUTCOME)) == (
        "Of 36 cells 9 failed, 2 crashed, 3 timed out, 1 met an error of the harness, "
        "2 are inconclusive, 2 have no result and 17 passed; 4 cells cannot exist here."
    )


@pytest.mark.parametrize("outcome", [o for o in Outcome if not o.is_accepted])
def test_one_bad_cell_is_enough(outcome: Outcome) -> None:
    """Whatever is wrong with a single cell, nobody reads that all passed."""
    sentence = verdict_sentence(synthetic.report(40, {outcome: 1}))
    assert sentence.startswith("Of 40 cells 1 ")
    assert sentence.endswith(" and 39 passed.")


def test_flaky_cells_are_counted() -> None:
    """A cell that failed once of two times failed, and is called flaky."""
    report = synthetic.report(40, {Outcome.FAIL: 2}, repeat=2, flaky=1)
    assert verdict_sentence(report) == "Of 40 cells 2 failed and 38 passed; 1 cell is flaky."


def known(report: Report, number: int) -> Report:
    """The same report with that many of its failures expected."""
    failed = [r for r in report.results if r.fault is None and r.verdict.broken][:number]
    results = (evolve(r, expected="bug #1") if r in failed else r for r in report.results)
    return evolve(report, results=tuple(results))


def test_known_defects_are_not_passes() -> None:
    """A failure that was expected is no trouble, and no pass either."""
    report = synthetic.report(40, {Outcome.FAIL: 3, Outcome.CRASH: 1})
    assert verdict_sentence(known(report, 2)) == (
        "Of 40 cells 1 failed, 1 crashed, 2 have known defects and 36 passed."
    )
    only = known(synthetic.report(40, {Outcome.FAIL: 1}), 1)
    assert verdict_sentence(only) == "Of 40 cells 1 has a known defect and 39 passed."


def test_uncaught_fault_comes_first() -> None:
    """A pass is worth nothing where the rules did not catch a deliberate fault."""
    report = synthetic.report(40, uncaught=2)
    owed = len(report.plan.faults)
    assert verdict_sentence(report) == (
        f"Not valid, since 2 of {owed} deliberate faults went uncaught; all 40 cells passed."
    )


def test_end_of_the_run_is_told() -> None:
    """An interrupted run and a file that was cut off are no complete runs."""
    report = synthetic.report(40)
    stopped = evolve(report, footer=Footer("", 1.0, "Ctrl-C\x1b"))
    assert verdict_sentence(stopped) == "Interrupted (Ctrl-C␛); all 40 cells passed."
    cut = evolve(report, footer=None)
    assert verdict_sentence(cut) == "Cut off before its end; all 40 cells passed."


def test_nothing_tested() -> None:
    """Cells that cannot exist are not a success."""
    none = synthetic.report(4, {Outcome.UNSUPPORTED: 4})
    assert verdict_sentence(none) == "No cell was tested; 4 cells cannot exist here."
    empty = evolve(none, plan=Plan("", ()), results=())
    assert verdict_sentence(empty) == "No cell was tested."
