"""Judging again: whatever a file holds, its events give the same verdicts before and after."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from matrix.model.report import Report
from matrix.model.result import Outcome
from matrix.store import read, write
from matrix.workflow import differences, judge_again
from tests import synthetic
from tests.strategies import reports


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(reports())
def test_judging_what_was_stored_changes_nothing(report: Report) -> None:
    """Verdicts derived from a file are those derived from the report in memory."""
    judged = judge_again(report)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        write(judged, path)
        again = judge_again(read(path))
        assert again == judged
        assert differences(judged, again) == []


def test_usual_report(tmp_path: Path) -> None:
    """The same of a report as runs make them, with every outcome, and of a shard of it."""
    for shard in (None, "2/3"):
        report = synthetic.report(90, synthetic.EVERY_OUTCOME, repeat=2, shard=shard)
        judged = judge_again(report)
        path = tmp_path / "results.jsonl"
        write(judged, path)
        assert judge_again(read(path)) == judged
        outcomes = {cell.outcome for cell in judged.cells()}
        assert {Outcome.PASS, Outcome.CRASH, Outcome.TIMEOUT, Outcome.NO_RESULT} <= outcomes
