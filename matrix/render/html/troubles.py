"""Every cell that neither passed nor is unsupported, those with the same trouble together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import evolve, frozen

from matrix.model.cell import AXES, Cell
from matrix.model.report import CellReport
from matrix.model.result import SEVERITY, Outcome
from matrix.render.html.cells import Detail, broken, key, missing, notes
from matrix.render.html.clauses import Clause, clause
from matrix.render.html.timeline import Timeline, draw

FULL = 20
"""Cells shown with plot and events without any script; the rest with what was seen only."""
AXIS_LIMIT = 6
"""Values of an axis that are named one by one."""

Signature = tuple[str, Outcome, tuple[str, ...], str]
"""Why it was expected, outcome, broken rules, code; the texts are empty where there is none."""


@frozen
class Trouble:
    """One cell that needs to be looked at. ``detail`` is None past the limit."""

    key: str
    host: str
    cell: Cell
    is_flaky: bool
    passed: int
    owed: int
    seen: tuple[str, ...]
    detail: Detail | None = None
    timeline: Timeline | None = None


@frozen
class Group:
    """Cells with the same outcome and the same broken rules; ``expected`` says why, if they were.

    ``seen`` is what was seen in most of them, ``alike`` in how many.
    ``pattern`` says what the group's cells have in common: an axis and its values.
    """

    outcome: Outcome
    code: str
    expected: str
    clauses: tuple[Clause, ...]
    pattern: tuple[tuple[str, str], ...]
    seen: tuple[str, ...]
    alike: int
    troubles: tuple[Trouble, ...]

    @property
    def has_full(self) -> bool:
        """Whether any of its cells is shown in full."""
        return any(trouble.detail for trouble in self.troubles)


def groups(
    cells: Sequence[CellReport], details: Callable[[CellReport], Detail]
) -> tuple[Group, ...]:
    """The troubles among the cells, the most severe first, those with a known defect last."""
    found: dict[Signature, list[CellReport]] = {}
    for cell in cells:
        if not cell.outcome.is_accepted:
            found.setdefault(_signature(cell), []).append(cell)
    ordered = sorted(found, key=lambda s: (s[0] != "", SEVERITY.index(s[1]), -len(found[s])))
    full = _first_of_each([found[signature] for signature in ordered], FULL)
    every = _values([c.cell for c in cells if c.outcome is not Outcome.UNSUPPORTED])
    return tuple(_group(s, found[s], every, full, details) for s in ordered)


def _signature(cell: CellReport) -> Signature:
    worst = cell.worst
    if worst is None:
        return ("", cell.outcome, (), "")
    expected = worst.expected if worst.expected and cell.is_accepted else ""
    return (expected, cell.outcome, worst.verdict.broken, worst.verdict.code or "")


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
    expected, outcome, names, code = signature
    troubles = tuple(_trouble(cell, full, details) for cell in cells)
    ((seen, alike),) = Counter(trouble.seen for trouble in troubles).most_common(1)
    return Group(
        outcome=outcome,
        code=code,
        expected=expected,
        clauses=tuple(map(clause, names)),
        pattern=tuple(_pattern(_values([cell.cell for cell in cells]), every)),
        seen=seen,
        alike=alike,
        troubles=troubles,
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
        owed=max(cell.owed, len(outcomes)),
        seen=tuple(_seen(cell)),
    )
    if trouble.key not in full:
        return trouble
    detail = details(cell)
    return evolve(trouble, detail=detail, timeline=draw(detail.rows))


def _seen(cell: CellReport) -> Iterator[str]:
    if cell.worst is None:
        yield missing(cell)
    else:
        yield from (f"{name}: {text}" for name, text in broken(cell.worst.verdict))
        yield from notes(cell.worst.verdict)


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
