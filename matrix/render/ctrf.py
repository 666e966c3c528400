"""A report in the Common Test Report Format (https://github.com/ctrf-io/ctrf), version 1.0.

A cell is a test. CTRF knows five statuses, so the outcome itself is its ``rawStatus``: what broke a
rule, timed out, crashed or was an error has ``failed``; what proves nothing, because it is
inconclusive or did not come back, is ``other``; only what cannot exist is ``skipped``; a known
defect is ``other`` too, for it is neither a pass nor anything to act upon. All attempts are there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid5

from matrix.model.report import CellReport, Host, Report, provenance_lines
from matrix.model.result import Outcome, Result
from matrix.render.plain import clip, visible
from matrix.render.sentence import verdict_sentence

TOOL = "reactor-matrix"
SPECIFICATION = "1.0.0"
"""The version of the format."""
STATUSES = ("passed", "failed", "skipped", "pending", "other")

_STATUS = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.TIMEOUT: "failed",
    Outcome.CRASH: "failed",
    Outcome.ERROR: "failed",
    Outcome.INCONCLUSIVE: "other",
    Outcome.UNSUPPORTED: "skipped",
    Outcome.NO_RESULT: "other",
}
_NAMESPACE = UUID("0c6f5d1e-6a0b-5f0c-9d53-3b9b0b2a7c11")
"""In which a cell on a host has its identity, for ever the same."""
_TEXT_LIMIT = 20_000


def render(report: Report) -> str:
    """The whole document, as JSON with a test on each line."""
    counts, tests = Counter[str](), []
    for test in _tests(report):
        counts[test["status"]] += 1
        counts["flaky"] += test.get("flaky", False)
        tests.append(json.dumps(test))  # thousands of tests as values would take all the memory
    opening = {"reportFormat": "CTRF", "specVersion": SPECIFICATION, "generatedBy": TOOL}
    results = {
        "tool": {"name": TOOL, "version": _shown(report.version)},
        "summary": _summary(report, counts, len(tests)),
        "environment": {"extra": {"hosts": {_shown(h.id): _host(h) for h in report.hosts}}},
        "extra": {"plan": _shown(report.plan.digest), "repeat": report.plan.repeat},
    }
    lines = ",\n".join(tests)
    return (
        f'{json.dumps(opening).removesuffix("}")}, "results": '
        f'{json.dumps(results).removesuffix("}")}, "tests": [\n{lines}\n]}}}}\n'
    )


def _tests(report: Report) -> Iterator[dict[str, Any]]:
    yield from map(_test, report.cells())
    yield from _validity(report)


def _summary(report: Report, counts: Counter[str], tests: int) -> dict[str, Any]:
    start, stop = _times(report)
    return {
        "tests": tests,
        **{status: counts[status] for status in STATUSES},
        "flaky": counts["flaky"],
        "start": start,
        "stop": stop,
        "extra": {"verdict": verdict_sentence(report)},
    }


def _times(report: Report) -> tuple[int, int]:
    """When the run began and ended, in milliseconds since 1970; 0 where nobody knows."""
    if report.footer is None:
        return 0, 0
    try:
        start = datetime.fromisoformat(report.footer.started)
        start = start if start.tzinfo else start.replace(tzinfo=timezone.utc)
        stop = start + timedelta(seconds=report.footer.duration)
    except (ValueError, OverflowError):
        return 0, 0
    return _milliseconds(start.timestamp()), _milliseconds(stop.timestamp())


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _host(host: Host) -> dict[str, Any]:
    absent = {r.name: f"{r.code}: {r.detail}" for r in host.reactors if not r.is_supported}
    said = {name: str(value) for name, value in provenance_lines(host)}
    return {"provenance": _texts(said), "cannotExist": _texts(absent)}


def _texts(texts: dict[str, str]) -> dict[str, str]:
    return {_shown(name): _shown(text) for name, text in texts.items()}


def _test(cell: CellReport) -> dict[str, Any]:
    axes, worst = cell.cell, cell.worst
    status = _status(cell.outcome, cell.is_accepted)
    test: dict[str, Any] = {
        "id": str(uuid5(_NAMESPACE, visible(f"{cell.host} {axes.id}"))),
        "name": _shown(axes.id),
        "status": status,
        "rawStatus": cell.outcome.value,
        "duration": _milliseconds(sum(attempt.duration for attempt in cell.attempts)),
        "suite": [_shown(cell.host), _shown(axes.reactor), _shown(axes.transport)],
        "flaky": cell.is_flaky,
        "retries": max(0, len(cell.attempts) - 1),
        "extra": _extra(cell),
    }
    if status != "passed":
        test["message"] = _message(cell)
    if worst is not None and status != "passed" and (printed := worst.transcript.stderr):
        test["stderr"] = _shown(printed).splitlines()
    if len(cell.attempts) > 1:
        test["retryAttempts"] = [*map(_attempt, cell.attempts)]
    return test


def _status(outcome: Outcome, is_accepted: bool) -> str:
    is_known = is_accepted and not outcome.is_accepted
    return "other" if is_known else _STATUS[outcome]


def _message(cell: CellReport) -> str:
    worst = cell.worst
    why = "; ".join(worst.verdict.reasons) if worst else "planned, and nothing came back"
    return _shown(f"expected: {cell.expected}: {why}" if cell.expected else why)


def _extra(cell: CellReport) -> dict[str, Any]:
    extra: dict[str, Any] = {"host": _shown(cell.host), "owed": cell.owed}
    worst = cell.worst
    if worst is not None:
        extra["rules"] = {_shown(n): s.value for n, s in worst.verdict.rules.items()}
        extra["code"] = None if worst.verdict.code is None else _shown(worst.verdict.code)
        extra["expected"] = None if worst.expected is None else _shown(worst.expected)
    return extra


def _attempt(attempt: Result) -> dict[str, Any]:
    """One attempt. CTRF counts from 1, as attempts do."""
    told: dict[str, Any] = {
        "attempt": max(1, attempt.attempt),
        "status": _status(attempt.verdict.outcome, attempt.is_accepted),
        "duration": _milliseconds(attempt.duration),
        "extra": {"rawStatus": attempt.verdict.outcome.value},
    }
    if attempt.verdict.reasons:
        told["message"] = _shown("; ".join(attempt.verdict.reasons))
    return told


def _validity(report: Report) -> Iterator[dict[str, Any]]:
    """What must hold for the other tests to mean anything."""
    why = "the results file was cut off"
    if report.footer is not None:
        why = report.footer.interrupted or ""
    yield _check("the run came to its end", [why] if why else [])
    for (host, fault, cell), missed in report.faults_owed().items():
        yield _check(f"fault {fault} is caught on {cell} ({host})", list(missed))
    for (host, fault, cell), why in report.absent_faults().items():
        yield _check(f"fault {fault} is caught on {cell} ({host})", [why], "skipped")


def _check(name: str, said: list[str], otherwise: str = "failed") -> dict[str, Any]:
    status = otherwise if said else "passed"
    check = {"name": _shown(name), "status": status, "duration": 0, "suite": ["validity"]}
    return {**check, "message": _shown("; ".join(said))} if said else check


def _shown(text: str) -> str:
    return visible(clip(text, _TEXT_LIMIT))
