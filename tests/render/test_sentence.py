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
    """Nothing that happened is left out, and what nobody expected comes first."""
    assert verdict_sentence(synthetic.report(40, synthetic.EVERY_OUTCOME)) == (
        "17 unexpected failures (9 failed, 2 crashed, 3 timed out, 1 met an error of the harness, "
        "2 inconclusive), 2 without a result; 38 of 40 planned cells accounted for; "
        "4 cells cannot exist here."
    )


@pytest.mark.parametrize("outcome", [o for o in Outcome if not o.is_accepted])
def test_one_bad_cell_is_enough(outcome: Outcome) -> None:
    """Whatever is wrong with a single cell, nobody reads that all passed, or that all is well."""
    sentence = verdict_sentence(synthetic.report(40, {outcome: 1}))
    assert sentence.startswith("1 ")
    assert "passed" not in sentence
    assert "no " not in sentence.lower().split(";")[0]
    here = 39 if outcome is Outcome.NO_RESULT else 40
    assert sentence.endswith(f"; {here} of 40 planned cells accounted for.")


def test_flaky_cells_are_counted() -> None:
    """A cell that failed once of two times failed, and is called flaky."""
    report = synthetic.report(40, {Outcome.FAIL: 2}, repeat=2, flaky=1)
    assert verdict_sentence(report) == (
        "2 unexpected failures, 1 flaky; 40 of 40 planned cells accounted for."
    )


def test_since_an_earlier_report_failures_are_new_or_older() -> None:
    """With a baseline, what failed then already is told from what is new."""
    report = synthetic.report(40, {Outcome.FAIL: 3, Outcome.TIMEOUT: 1})
    bad = [(cell.host, cell.cell) for cell in report.cells() if not cell.is_accepted]
    how, all_here = " (3 failed, 1 timed out)", "; 40 of 40 planned cells accounted for."
    assert verdict_sentence(report, bad) == f"4 new failures{how}{all_here}"
    assert verdict_sentence(report, bad[:1]) == f"1 new failure and 3 older{how}{all_here}"
    assert verdict_sentence(report, ()) == f"0 new failures and 4 older{how}{all_here}"
    good = known(synthetic.report(40, {Outcome.FAIL: 3}), 3)
    assert verdict_sentence(good, ()) == f"No new failure, 3 known failures{all_here}"


def known(report: Report, number: int) -> Report:
    """The same report with that many of its failures expected."""
    failed = [r for r in report.results if r.fault is None and r.verdict.broken][:number]
    results = (evolve(r, expected="bug #1") if r in failed else r for r in report.results)
    return evolve(report, results=tuple(results))


def test_known_defects_are_not_passes() -> None:
    """A failure that was expected is no trouble, and no pass either."""
    report = synthetic.report(40, {Outcome.FAIL: 3, Outcome.CRASH: 1})
    assert verdict_sentence(known(report, 2)) == (
        "2 unexpected failures (1 failed, 1 crashed), 2 known failures; "
        "40 of 40 planned cells accounted for."
    )
    only = known(synthetic.report(40, {Outcome.FAIL: 1}), 1)
    assert verdict_sentence(only) == (
        "No unexpected failure, 1 known failure; 40 of 40 planned cells accounted for."
    )


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
