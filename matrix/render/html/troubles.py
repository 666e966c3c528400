"""Every cell that neither passed nor is unsupported, those with the same trouble together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from matrix import rules
from matrix.model.cell import AXES, Cell
from matrix.model.report import CellReport
from matrix.model.result import SEVERITY, Outcome, Result
from matrix.render.html.cells import Detail, broken, key, notes
from matrix.render.html.timeline import Timeline, draw

FULL = 60
"""Cells shown with plot and events without any script; the rest with what was seen only."""
AXIS_LIMIT = 6
"""Values of an axis that are named one by one."""

Signature = tuple[Outcome, tuple[str, ...], str | None]


@frozen
class Clause:
    """A rule for people to read; ``axis`` is empty where the rule is unknown here."""

    name: str
    axis: str
    expects: str
    source: str


@frozen
class Trouble:
    """One cell that needs to be looked at. ``detail`` is None past the limit."""

    key: str
    host: str
    cell: Cell
    is_flaky: bool
    passed: int
    attempts: int
    seen: tuple[str, ...]
    detail: Detail | None = None
    timeline: Timeline | None = None


@frozen
class Group:
    """Cells with the same outcome and the same broken rules.

    ``pattern`` says what the group's cells have in common: an axis and its values.
    """

    outcome: Outcome
    code: str | None
    clauses: tuple[Clause, ...]
    pattern: tuple[tuple[str, str], ...]
    troubles: tuple[Trouble, ...]


def clause(name: str) -> Clause:
    """The rule of that name, also where it is a name from another version's file."""
    known = rules.rule(name)
    if known is None:
        return Clause(name, "", "A rule that this version does not know.", "")
    return Clause(name, known.axis, known.expects, known.source)


def groups(
    cells: Sequence[CellReport], details: Callable[[CellReport], Detail]
) -> tuple[Group, ...]:
    """The troubles among the cells, the most severe first."""
    found: dict[Signature, list[CellReport]] = {}
    for cell in cells:
        if not cell.outcome.is_accepted:
            found.setdefault(_signature(cell), []).append(cell)
    ordered = sorted(found, key=lambda s: (SEVERITY.index(s[0]), -len(found[s])))
    full = _first_of_each([found[signature] for signature in ordered], FULL)
    every = _values([cell.cell for cell in cells])
    return tuple(_group(s, found[s], every, full, details) for s in ordered)


def _signature(cell: CellReport) -> Signature:
    worst = cell.worst
    if worst is None:
        return (cell.outcome, (), None)
    return (cell.outcome, worst.verdict.broken, worst.verdict.code)


def _first_of_each(found: Sequence[Sequence[CellReport]], limit: int) -> frozenset[str]:
    """Keys of the cells to show in full: the first of each group, then the second of each."""
    rounds = max(map(len, found), default=0)
    turns = (cells[n] for n in range(min(rounds, limit)) for cells in found if n < len(cells))
    return frozenset(key(c.host, c.cell) for c, _ in zip(turns, range(limit), strict=False))


def _group(
    signature: Signature,
    cells: Sequence[CellReport],
    every: Mapping[str, Sequence[str]],
    full: frozenset[str],
    details: Callable[[CellReport], Detail],
) -> Group:
    outcome, names, code = signature
    return Group(
        outcome=outcome,
        code=code,
        clauses=tuple(map(clause, names)),
        pattern=tuple(_pattern(_values([cell.cell for cell in cells]), every)),
        troubles=tuple(_trouble(cell, full, details) for cell in cells),
    )


def _trouble(
    cell: CellReport, full: frozenset[str], details: Callable[[CellReport], Detail]
) -> Trouble:
    outcomes = [attempt.verdict.outcome for attempt in cell.attempts]
    trouble = Trouble(
        key=key(cell.host, cell.cell),
        host=cell.host,
        cell=cell.cell,
        is_flaky=cell.is_flaky,
        passed=outcomes.count(Outcome.PASS),
        attempts=len(outcomes),
        seen=_seen(cell.worst),
    )
    if trouble.key not in full:
        return trouble
    detail = details(cell)
    return evolve(trouble, detail=detail, timeline=draw(detail.rows))


def _seen(worst: Result | None) -> tuple[str, ...]:
    if worst is None:
        return ("Planned, and nothing came back.",)
    texts = tuple(f"{name}: {text}" for name, text in broken(worst.verdict))
    return texts + notes(worst.verdict)


def _values(cells: Sequence[Cell]) -> dict[str, tuple[str, ...]]:
    return {axis: tuple(dict.fromkeys(getattr(c, axis) for c in cells)) for axis in AXES}


def _pattern(
    own: Mapping[str, Sequence[str]], every: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str]]:
    for axis, values in own.items():
        if len(values) == len(every[axis]) > 1:
            yield axis, "every one"
        elif len(values) <= AXIS_LIMIT:
            yield axis, ", ".join(values)
        else:
            yield axis, f"{', '.join(values[:AXIS_LIMIT])} and {len(values) - AXIS_LIMIT} more"
