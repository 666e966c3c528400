"""What the commands for several releases do, step by step: versions, bisect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timezone

from attrs import evolve

from matrix import bisection
from matrix.bisection import Answer
from matrix.course import Course, course
from matrix.errors import SearchError
from matrix.merge import merge
from matrix.missing import missing
from matrix.model.candidate import Candidate, Tried
from matrix.model.cell import Cell
from matrix.model.report import CellReport, Report
from matrix.store import RESULTS, write
from matrix.trying import Asked, attempt
from matrix.workflow import INVALID
from matrix.workflow import exit_code as run_code

Tell = Callable[[Tried], None]
"""Is told of each release that was tried."""


# Versions -----------------------------------------------------------------------------------------


def versions(asked: Asked, candidates: Sequence[Candidate], tell: Tell) -> list[Tried]:
    """Run the cells on every candidate, and write one results file of them all.

    Candidates without results are missing in it, each with the reason.
    """
    tried = []
    for candidate in candidates:
        tried.append(attempt(asked, candidate, asked.folder / candidate.host))
        tell(tried[-1])
    reports = {each.candidate.host: report for each in tried for report in each.reports}
    if not reports:
        raise SearchError(f"Nothing could be tested: {tried[0].candidate} {tried[0].why}.")
    like, started = next(iter(reports.values())), _now()
    for each in tried:
        if not each.reports:
            lost = missing(each.candidate.host, each.why, like, started)
            reports[each.candidate.host] = _of_release(lost, each.candidate)
    write(merge(reports), asked.folder / RESULTS)
    return tried


def courses(tried: Sequence[Tried]) -> list[Course]:
    """Every cell over these releases."""
    found = {each.candidate: _cells(each) for each in tried}
    cells = dict.fromkeys(cell for each in found.values() for cell in each)
    return [
        course(cell, [(t.candidate.name, found[t.candidate].get(cell), t.why) for t in tried])
        for cell in cells
    ]


def _cells(tried: Tried) -> dict[Cell, CellReport]:
    return {cell.cell: cell for report in tried.reports for cell in report.cells()}


def exit_code(tried: Sequence[Tried]) -> int:
    """The status of the command: by what could be tested, and 3 where a run was not valid."""
    codes = {run_code(report) for each in tried for report in each.reports}
    if any(each.is_invalid for each in tried):
        return INVALID
    return max(codes)


def _of_release(report: Report, candidate: Candidate) -> Report:
    """The report of a missing host that knows at least which release it is about."""
    (host,) = report.hosts
    said = {**host.provenance, candidate.package: candidate.name}
    return evolve(report, hosts=(evolve(host, provenance=said),))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


# Bisect -------------------------------------------------------------------------------------------


def find_change(
    asked: Asked,
    candidates: Sequence[Candidate],
    good: Candidate,
    bad: Candidate,
    rule: str | None,
    tell: Tell,
) -> Answer:
    """Find the candidate with which the cell changed, and keep the results of every run."""
    runs: Counter[Candidate] = Counter()

    def test(candidate: Candidate, number: int) -> Tried:
        runs[candidate] += 1
        folder = asked.folder / candidate.host / str(runs[candidate])
        tried = attempt(evolve(asked, repeat=number), candidate, folder)
        tell(tried)
        return tried

    return bisection.find_change(candidates, good, bad, rule, test, asked.repeat)
