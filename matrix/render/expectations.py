"""Unexpected failures → a draft of expectations, for a person to read and to complete.

The patterns match the cells that failed alike, and no tested cell that did not. What is broken,
and where it is told, a program cannot know: `matrix.expectations` refuses a file in which that is
still the placeholder.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from fnmatch import fnmatchcase
from itertools import count

from attrs import frozen

from matrix.expectations import OUTCOMES, PLACEHOLDER, version_of
from matrix.model.cell import AXES, Cell
from matrix.model.report import CellReport, Host, Report
from matrix.model.result import Outcome, Result
from matrix.render.plain import clip, one_line
from matrix.rules import rule

DAYS = 90
"""For how long a new expectation holds."""

_REASON_LIMIT = 200
_AXES = tuple(reversed(range(len(AXES))))
"""In this order axes are given up in a pattern: a reactor's name is the last to go."""


@frozen
class _Alike:
    """What failures have in common that one expectation can explain."""

    when: tuple[tuple[str, str], ...]
    outcome: Outcome
    rules: tuple[str, ...]


def draft(report: Report, taken: Collection[str], today: date) -> str:
    """A table for each group of failures that were not expected; ``taken`` names are not used.

    Empty where there is nothing that could be expected.
    """
    found: dict[_Alike, dict[Cell, Result]] = {}
    for attempt in _unexpected(report):
        group = found.setdefault(_alike(report.host(attempt.host), attempt), {})
        group.setdefault(attempt.cell, attempt)
    tested = {cell.cell for cell in report.cells() if _is_tested(cell)}
    names, parts = set(taken), []
    for alike, cells in found.items():
        names.add(name := _name(alike, names))
        parts.append("\n".join(_table(name, alike, cells, tested, today)))
    return "\n".join(parts)


def patterns(cells: Iterable[Cell], tested: Iterable[Cell]) -> list[str]:
    """Few patterns that match all of ``cells``, and nothing else that was tested."""
    left = sorted(cells)
    others = [cell.id for cell in frozenset(tested).difference(left)]
    found = []
    while left:
        pattern = _widest(left[0], others)
        found.append(pattern)
        left = [cell for cell in left[1:] if not fnmatchcase(cell.id, pattern)]
    return found


def _widest(cell: Cell, others: list[str]) -> str:
    parts = [_literally(part) for part in cell.id.split("/")]
    for axis in _AXES:
        wider = [*parts[:axis], "*", *parts[axis + 1 :]]
        if not any(fnmatchcase(other, "/".join(wider)) for other in others):
            parts = wider
    return "/".join(parts)


def _literally(text: str) -> str:
    """A pattern of just that text, in which any character may stand for an unprintable one."""
    shown = (char if char.isprintable() else "?" for char in text)
    return "".join(f"[{char}]" if char in "*[" else char for char in shown)


def _is_tested(cell: CellReport) -> bool:
    return bool(cell.attempts) and cell.outcome is not Outcome.UNSUPPORTED


def _unexpected(report: Report) -> Iterator[Result]:
    for cell in report.cells():
        for attempt in cell.attempts:
            is_known = all(map(rule, attempt.verdict.broken))  # not by another version's rule
            if not attempt.is_accepted and attempt.verdict.outcome in OUTCOMES and is_known:
                yield attempt


def _alike(host: Host, attempt: Result) -> _Alike:
    verdict = attempt.verdict
    return _Alike(tuple(_when(host.provenance)), verdict.outcome, verdict.broken)


def _when(told: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Twisted's version, Python's minor one, the system: what mostly makes the difference."""
    if (twisted := version_of(told.get("twisted", ""))) is not None:
        yield "twisted", f"=={twisted}"
    if (python := version_of(told.get("python", ""))) is not None:
        yield "python", f"=={python.major}.{python.minor}.*"
    if system := told.get("platform", "").partition("-")[0]:
        yield "platform", f"{_literally(system)}-*"


def _name(alike: _Alike, taken: Collection[str]) -> str:
    words = [alike.outcome.value, *alike.rules[:1]]
    names = (f"{'_'.join(words)}_{number}".replace("-", "_") for number in count(1))
    return next(name for name in names if name not in taken)


def _table(
    name: str, alike: _Alike, cells: Mapping[Cell, Result], tested: Iterable[Cell], today: date
) -> Iterator[str]:
    seen = next(iter(cells.values())).verdict.reasons
    yield f"[{name}]"
    yield f"# {len(cells):,} cells, for instance: {one_line(clip('; '.join(seen), _REASON_LIMIT))}"
    yield "cells = ["
    yield from (f"    {_text(pattern)}," for pattern in patterns(cells, tested))
    yield "]"
    conditions = ", ".join(f"{key} = {_text(value)}" for key, value in alike.when)
    if conditions:
        yield f"when = {{ {conditions} }}"
    yield f"outcome = {_text(alike.outcome.value)}"
    if alike.rules:
        yield f"rules = [{', '.join(map(_text, alike.rules))}]"
    yield f'reason = "{PLACEHOLDER}: what is broken, and where"'
    yield f'link = "{PLACEHOLDER}: a ticket, or the path of a reproduction"'
    yield f"expires = {today + timedelta(days=DAYS)}"
    yield ""


def _text(text: str) -> str:
    """A TOML string; of printable characters it is the same as a JSON string."""
    return json.dumps(text, ensure_ascii=False)
