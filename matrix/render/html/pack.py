"""The data from which the page's script shows a cell: small in the file, quick to open.

Cells are packed by the hundred, so that opening one unpacks no more than it must. A pack
is JSON, deflated and in base64; `data.js` says what it expects at the same places.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import astuple

from matrix.model.report import CellReport, Host
from matrix.model.result import SEVERITY, Outcome
from matrix.model.scenarios import find
from matrix.render.html.cells import Detail, Row
from matrix.render.html.changes import Changes
from matrix.render.html.clauses import clause
from matrix.render.html.hosts import VERSIONS, Real, versions
from matrix.render.html.looks import LOOKS
from matrix.render.html.past import Mark, Series
from matrix.render.html.releases import strips
from matrix.render.html.scripts import Scripts
from matrix.render.html.strip import scale
from matrix.render.plain import visible

CHUNK = 100
"""Cells of a pack."""


def index(
    cells: Sequence[CellReport],
    hosts: Sequence[Host],
    realizations: Mapping[tuple[str, str], Real],
    changes: Changes | None,
    scripts: Scripts,
) -> str:
    """What the script needs to find, filter and draw cells, and the rules' clauses."""
    words: dict[str, int] = {}
    changed = changes.cells if changes else {}
    rules = dict.fromkeys(n for c in cells if c.worst for n in c.worst.verdict.rules)
    scenarios = dict.fromkeys(c.cell.scenario for c in cells)
    listed = [
        [*_listed(cell, words, (cell.host, cell.cell) in changed), *_script(cell, scripts)]
        for cell in cells
    ]
    return deflated(
        {
            "chunk": CHUNK,
            "words": list(words),
            "looks": [[o.value, LOOKS[o].glyph, LOOKS[o].letter] for o in SEVERITY],
            "rules": {visible(name): _clause(name) for name in rules},
            "families": {visible(name): visible(find(name).family) for name in scenarios},
            "hosts": {visible(host.id): versions(host) for host in hosts},
            "versions": [label for label, _ in VERSIONS],
            "strips": astuple(found) if (found := strips(hosts)) else None,
            "realizations": [
                [*map(visible, (*at, real.note)), real.is_native]
                for at, real in realizations.items()
            ],
            "scale": list(scale()),
            "cells": listed,
        }
    )


def chunks(details: Iterable[Detail]) -> Iterator[str]:
    """The details of all cells, in the order of the index."""
    waiting: list[Detail] = []
    for detail in details:
        waiting.append(detail)
        if len(waiting) == CHUNK:
            yield _chunk(waiting)
            waiting = []
    if waiting:
        yield _chunk(waiting)


def deflated(value: Any) -> str:
    """The value as JSON, compressed, as text that means nothing in HTML."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return b64encode(zlib.compress(text.encode(), 9)).decode()


def _listed(cell: CellReport, words: dict[str, int], is_changed: bool) -> list[int]:
    axes = cell.cell
    texts = (cell.host, axes.reactor, axes.transport, axes.scenario, axes.side, axes.peer)
    places = [words.setdefault(visible(text), len(words)) for text in texts]
    is_known = cell.is_accepted and not cell.outcome.is_accepted
    flags = (cell.is_flaky, is_known, is_the_kernels(cell), is_changed)
    bits = sum(flag << n for n, flag in enumerate(flags))
    passed = sum(attempt.verdict.outcome is Outcome.PASS for attempt in cell.attempts)
    tried = max(cell.owed, len(cell.attempts))
    return [*places, SEVERITY.index(cell.outcome), bits, passed, tried]


def _script(cell: CellReport, scripts: Scripts) -> Iterator[int]:
    """The number of its script, where it has one; that is the last number that is listed."""
    if cell.cell in scripts.numbers:
        yield scripts.numbers[cell.cell]


def is_the_kernels(cell: CellReport) -> bool:
    """Whether anything fell short that falls short without a reactor, too."""
    return any(attempt.verdict.attributed for attempt in cell.attempts)


def _clause(name: str) -> list[str]:
    found = clause(name)
    return [visible(found.axis), visible(found.expects), visible(found.source)]


Shapes = dict[tuple[str, str, tuple[str, ...]], int]
"""Side, name and fields of events, by the number that stands for them in a pack."""

Columns = list[list[list[Any]]]
"""Of each shape, in the order of its events: microseconds since the event before, and each value.

What is of one kind is told together, because it compresses better.
"""

Marks = dict[Mark, int]
"""Marks of earlier runs, by the number that stands for them in a pack."""


def _chunk(details: Sequence[Detail]) -> str:
    shapes: Shapes = {}
    columns: Columns = []
    marks: Marks = {}
    packed = [
        _detail(detail, list(_rows(detail.rows, shapes, columns)), marks) for detail in details
    ]
    told = [[SEVERITY.index(m.outcome), m.is_known, m.tip, m.note, m.is_turn] for m in marks]
    return deflated({"shapes": list(shapes), "columns": columns, "marks": told, "cells": packed})


def _detail(detail: Detail, rows: list[int], marks: Marks) -> list[Any]:
    return [
        detail.facts,
        detail.strip and [detail.strip.places, detail.strip.words],
        detail.broken,
        detail.notes,
        detail.held,
        detail.not_applicable,
        rows,
        detail.left_out,
        detail.texts,
        detail.known,
        detail.commands,
        detail.past and _series(detail.past, marks),
    ]


def _series(past: Series, marks: Marks) -> list[Any]:
    return [past.label, [marks.setdefault(m, len(marks)) for m in past.marks], past.words]


def _rows(rows: Sequence[Row], shapes: Shapes, columns: Columns) -> Iterator[int]:
    """The shapes of these events; what each of them says goes to the end of its columns."""
    before = 0
    for row in rows:
        shape = shapes.setdefault((row.side, row.name, row.keys), len(shapes))
        if shape == len(columns):
            columns.append([[] for _ in range(1 + len(row.keys))])
        for column, value in zip(columns[shape], (row.t - before, *row.values), strict=True):
            column.append(value)
        before = row.t
        yield shape
