"""CTRF: what its readers are promised holds, and no outcome is lost in five statuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from jsonschema import Draft7Validator

from matrix.model.report import Footer, Report
from matrix.model.result import Outcome
from matrix.render import ctrf
from tests import synthetic
from tests.render.hostile import hostile

EVERY = synthetic.report(40, synthetic.EVERY_OUTCOME, repeat=2, flaky=1)
TEXT, COUNT, OBJECT = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "object"}
TEXTS = {"type": "array", "items": TEXT}
STATUS = {"enum": ["passed", "failed", "skipped", "pending", "other"]}


def closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object with these fields and no other."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


ATTEMPT = closed(
    {"attempt": {"type": "integer", "minimum": 1}, "status": STATUS},
    duration=COUNT,
    message=TEXT,
    extra=OBJECT,
)
TEST = closed(
    {"name": {"type": "string", "minLength": 1}, "status": STATUS, "duration": COUNT},
    id={"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
    rawStatus=TEXT,
    suite={**TEXTS, "minItems": 1},
    message=TEXT,
    flaky={"type": "boolean"},
    retries=COUNT,
    retryAttempts={"type": "array", "items": ATTEMPT},
    stderr=TEXTS,
    extra=OBJECT,
)
SUMMARY = closed(
    dict.fromkeys(["tests", *STATUS["enum"], "start", "stop"], COUNT), flaky=COUNT, extra=OBJECT
)
RESULTS = closed(
    {
        "tool": closed({"name": TEXT}, version=TEXT),
        "summary": SUMMARY,
        "tests": {"type": "array", "items": TEST},
    },
    environment=closed({}, extra=OBJECT),
    extra=OBJECT,
)
VALIDATOR = Draft7Validator(
    closed(
        {
            "reportFormat": {"const": "CTRF"},
            "specVersion": {"type": "string", "pattern": r"^1\.\d+\.\d+$"},
            "results": RESULTS,
        },
        generatedBy=TEXT,
    )
)
"""What CTRF 1 says of the fields that are used here."""


def results(report: Report) -> dict[str, Any]:
    """What is rendered, as a reader has it, once it is sure to be valid."""
    document = json.loads(ctrf.render(report))
    VALIDATOR.validate(document)
    found: dict[str, Any] = document["results"]
    return found


def of_cells(report: Report) -> dict[str, dict[str, Any]]:
    """The tests of cells, by the cell's id."""
    found = results(report)["tests"]
    return {test["name"]: test for test in found if test["suite"] != ["validity"]}


@pytest.mark.parametrize(
    "report",
    [EVERY, hostile(), evolve(EVERY, footer=None), synthetic.report(1)],
    ids=["every", "hostile", "cut off", "one"],
)
def test_any_report_is_valid(report: Report) -> None:
    """A document has the fields that CTRF asks for, and none that it does not know."""
    results(report)


def test_every_cell_is_a_test() -> None:
    """Each planned cell is there once, with its outcome as it is and a status that fits."""
    found = of_cells(EVERY)
    assert set(found) == {cell.cell.id for cell in EVERY.cells()}
    for cell in EVERY.cells():
        test = found[cell.cell.id]
        assert test["rawStatus"] == cell.outcome.value
        assert (test["status"] == "passed") is (cell.outcome is Outcome.PASS)
        assert (test["status"] == "skipped") is (cell.outcome is Outcome.UNSUPPORTED)
        assert test["suite"] == [cell.host, cell.cell.reactor, cell.cell.transport]


def test_nothing_unproved_is_passed_or_skipped() -> None:
    """A cell that says nothing, and one with a known defect, look like neither."""
    by_outcome = {test["rawStatus"]: test["status"] for test in of_cells(EVERY).values()}
    assert by_outcome["no-result"] == by_outcome["inconclusive"] == "other"
    known = evolve(synthetic.report(1, {Outcome.FAIL: 1}).results[0], expected="bug #1")
    (test,) = of_cells(evolve(synthetic.report(1), results=(known,))).values()
    assert (test["status"], test["rawStatus"]) == ("other", "fail")
    assert test["message"].startswith("expected: bug #1: ")


def test_summary_counts_the_tests() -> None:
    """The summary's numbers are those of the tests below it; the times are the run's."""
    found = results(EVERY)
    summary = found["summary"]
    for status in ctrf.STATUSES:
        assert summary[status] == sum(test["status"] == status for test in found["tests"])
    assert summary["tests"] == len(found["tests"])
    assert summary["flaky"] == 1
    assert summary["start"] == 1767586200000
    assert summary["stop"] - summary["start"] == 6840


def test_attempts_are_kept() -> None:
    """Each attempt is there with its own outcome, rules and reasons."""
    flaky = next(cell for cell in EVERY.cells() if cell.is_flaky)
    test = of_cells(EVERY)[flaky.cell.id]
    assert test["flaky"] is True
    assert [(a["attempt"], a["status"]) for a in test["retryAttempts"]] == [
        (1, "passed"),
        (2, "failed"),
    ]
    assert flaky.worst is not None
    assert test["message"] == "; ".join(flaky.worst.verdict.reasons)
    assert test["extra"]["rules"][flaky.worst.verdict.broken[0]] == "fail"


def test_a_cell_keeps_its_identity() -> None:
    """The id of a test is the cell's on that host, in every run, and no other's."""
    two = synthetic.report(40, hosts=("linux", "bsd"))
    ids = [test["id"] for test in results(two)["tests"] if "id" in test]
    assert len(set(ids)) == len(ids) == 80
    assert {test["id"] for test in of_cells(synthetic.report(40, seed=5)).values()} < set(ids)


@pytest.mark.parametrize(
    "report",
    [
        synthetic.report(4, uncaught=1),
        evolve(synthetic.report(4), footer=None),
        evolve(synthetic.report(4), footer=Footer("2026-01-05", 1.0, "SIGINT")),
    ],
    ids=["uncaught", "cut off", "interrupted"],
)
def test_run_in_doubt_fails(report: Report) -> None:
    """Where all cells passed and the run is in doubt, a test fails."""
    assert results(report)["summary"]["failed"] == 1
    assert results(synthetic.report(4))["summary"]["failed"] == 0
