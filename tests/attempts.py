"""Attempts with a given verdict, for tests of what is derived from verdicts alone."""

from __future__ import annotations

from matrix.model.candidate import Candidate, Tried
from matrix.model.cell import Cell
from matrix.model.report import Plan, Planned, Report
from matrix.model.result import Outcome, Result, Standing, Verdict
from matrix.model.transcript import Ending, How, Transcript

CELL = Cell("epoll", "tcp4", "abort-when-full", "client", "socket")
RULES = ("reason-aborted", "prompt")


def attempt(outcome: Outcome = Outcome.PASS, **reasons: str) -> Result:
    """An attempt with that outcome; or that fails, and breaks rules for these reasons."""
    broken = {name.replace("_", "-"): why for name, why in reasons.items()}
    rules = {n: Standing.FAIL if n in broken else Standing.PASS for n in {*RULES, *broken}}
    words = tuple(f"{name}: {why}" for name, why in broken.items())
    verdict = Verdict(
        Outcome.FAIL if broken else outcome, rules if broken or passed(outcome) else {}, words
    )
    return Result("linux", CELL, verdict, Transcript((), Ending(How.EXITED)), 0.1)


def passed(outcome: Outcome) -> bool:
    """Whether rules had a say in an attempt without reasons."""
    return outcome is Outcome.PASS


def candidate(name: str) -> Candidate:
    """A release of Twisted."""
    return Candidate("twisted", name, f"twisted=={name}", name)


def tried(name: str, *found: Result, why: str = "") -> Tried:
    """What came of a release: these attempts, or none and why."""
    plan = Plan("", (Planned("linux", (CELL,)),))
    reports = () if why else (Report((), plan, results=found),)
    return Tried(candidate(name), reports, why)
