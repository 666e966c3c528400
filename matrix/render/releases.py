"""Cells over releases, and where one of them changed: for the terminal, as Markdown, as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from matrix.bisection import Answer
from matrix.course import Course, Step
from matrix.model.candidate import Tried
from matrix.render.html.hosts import passed
from matrix.render.markdown import escape
from matrix.render.plain import clip, one_line
from matrix.traits import describe

LIMIT = 20
"""Cells that are shown one by one."""
WORDS = 160
"""Characters of what was seen."""
HEADS = ("release", "outcome", "passed", "breaks", "changed")


def terminal(courses: Sequence[Course]) -> RenderableType:
    """A table for each cell that changed, or for the only one that there is."""
    return Group(*map(_table, _shown(courses)), Text(_sentence(courses), "bold"))


def markdown(courses: Sequence[Course]) -> str:
    """The same for a comment or a page of documentation."""
    parts = ["\n".join(_lines(course)) for course in _shown(courses)]
    return "\n\n".join([*parts, escape(_sentence(courses))]) + "\n"


def as_json(courses: Sequence[Course]) -> str:
    """Every cell on every release, for programs."""
    return (
        json.dumps({c.cell.id: [_raw(step) for step in c.steps] for c in courses}, indent=1) + "\n"
    )


FORMATS: dict[str, Callable[[Sequence[Course]], Any]] = {
    "text": terminal,
    "markdown": markdown,
    "json": as_json,
}
"""What each format is made by."""


def tried(each: Tried) -> Text:
    """What came of a release, in a line."""
    attempts = each.attempts()
    counts = Counter(attempt.verdict.outcome.value for attempt in attempts)
    several = len({attempt.cell for attempt in attempts}) > 1
    told = ", ".join(f"{number} {outcome}" for outcome, number in counts.most_common())
    said = each.why or (told if several else describe(attempts))
    return Text(one_line(f"{each.candidate.package} {each.candidate}: {said}"))


def answer(found: Answer) -> RenderableType:
    """Where it changed, how that is known, and what else is different there."""
    before, after = found.found.before, found.found.after
    known = {each.candidate: each for each in found.tried}
    seen = [f"{found.trait.on(known[c].attempts())} on {c}" for c in (before, after)]
    lines = [f"{after.package}: {', and '.join(seen)}."]
    untold = [f"{each} {known[each].why or 'says neither'}" for each in found.found.between]
    lines += [f"Could not be told: {each}." for each in untold]
    moved = [f"{name} {old} → {new}" for name, old, new in found.moved()]
    if moved:
        lines.append(f"Not the same on these two, either: {', '.join(moved)}.")
    which = "good release again" if found.is_mended else "bad release"
    if found.trait.words is not None:  # the cell may be as bad as before, in another way
        which = "release on which that is different"
    named = " or ".join(map(str, (*found.found.between, after)))
    lines.append(f"The first {which}: {after.package} {named}.")
    return Group(*(Text(one_line(line)) for line in lines[:-1]), Text(lines[-1], "bold"))


def _shown(courses: Sequence[Course]) -> list[Course]:
    return [each for each in courses if each.has_changed or len(courses) == 1][:LIMIT]


def _sentence(courses: Sequence[Course]) -> str:
    changed = sum(course.has_changed for course in courses)
    more = f", of which {LIMIT} are shown" if changed > LIMIT else ""
    cells = f"{len(courses):,} cell{'' if len(courses) == 1 else 's'}"
    return f"{changed:,} of {cells} changed{more}."


def _table(course: Course) -> Table:
    table = Table(*HEADS, title=one_line(course.cell.id), title_justify="left", show_lines=True)
    for step in course.steps:
        style = "bold" if step.has_changed else "dim" if step.cell is None else ""
        table.add_row(*(Text(one_line(text)) for text in _row(step)), style=style)
    return table


def _lines(course: Course) -> Iterator[str]:
    yield f"### {escape(course.cell.id)}\n"
    yield f"| {' | '.join(HEADS)} |"
    yield f"|{' --- |' * len(HEADS)}"
    for step in course.steps:
        yield f"| {' | '.join(map(escape, _row(step)))} |"


def _row(step: Step) -> tuple[str, ...]:
    if step.cell is None:
        return step.release, "–", "", "", step.why
    words = [f"+ {each}" for each in step.gained] + [f"− {each}" for each in step.lost]
    changed = "; ".join(clip(each, WORDS) for each in words)
    outcome = step.cell.outcome.value + (" (flaky)" if step.cell.is_flaky else "")
    return step.release, outcome, passed(step.cell), ", ".join(step.broken), changed


def _raw(step: Step) -> dict[str, Any]:
    found = step.cell
    return {
        "release": step.release,
        "outcome": found.outcome.value if found else None,
        "attempts": [each.verdict.outcome.value for each in found.attempts] if found else [],
        "breaks": step.broken,
        "gained": step.gained,
        "lost": step.lost,
        "why": step.why,
    }
