"""A report as Markdown, for the summary of a CI step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from matrix.model.report import CellReport, Host, Report, provenance_lines
from matrix.model.result import Outcome
from matrix.render.counts import Row, Table, tables
from matrix.render.plain import clip, one_line
from matrix.render.sentence import verdict_sentence

CELLS = 50
"""Cells that are shown one by one."""
_REASONS = 3
_TEXT_LIMIT = 300
_ACTIVE = re.compile(r"[\\`*_\[\]~#$@!]")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"})


def render(report: Report) -> str:
    """The verdict, reactor × transport for each host, what was not accepted, and the hosts."""
    return "\n".join(
        (
            "## reactor-matrix",
            "",
            f"**{escape(verdict_sentence(report))}**",
            "",
            *(line for table in tables(report) for line in _matrix(table)),
            *_list("Deliberate faults that went uncaught", list(map(text, report.missed_faults()))),
            *_list("Not passed", [_cell(c) for c in report.cells() if not c.is_accepted]),
            *_list("Known defects", list(_known(report))),
            *_list("Hosts", [_host(host) for host in report.hosts]),
        )
    )


def _matrix(table: Table) -> Iterator[str]:
    yield f"### {text(table.host.id)}"
    yield ""
    yield _row(["reactor", *map(text, table.transports)])
    yield _row(["---"] * (len(table.transports) + 1))
    for row in table.rows:
        yield _row([_reactor(row), *map(_counts, row.counts)])
    yield ""
    absent = [r for r in table.host.reactors if not r.is_supported]
    if absent:
        yield "Cannot exist here: " + ", ".join(
            f"{text(reactor.name)} ({text(reactor.code or '')})" for reactor in absent
        )
        yield ""


def _row(fields: Sequence[str]) -> str:
    return f"| {' | '.join(fields)} |"


def _reactor(row: Row) -> str:
    return text(row.reactor) + (f" ({text(row.realization)})" if row.realization else "")


def _counts(counts: Mapping[Outcome, int]) -> str:
    return ", ".join(
        f"{n} {o.value}" if o.is_accepted else f"**{n} {o.value}**" for o, n in counts.items()
    )


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    """A section with that list; none where there is nothing to list."""
    if not items:
        return
    yield f"### {title}"
    yield ""
    for item in items[:CELLS]:
        yield f"- {item}"
    if len(items) > CELLS:
        yield f"- … and {len(items) - CELLS:,} more"
    yield ""


def _cell(cell: CellReport) -> str:
    worst = cell.worst
    code = f" ({text(worst.verdict.code)})" if worst and worst.verdict.code else ""
    where = f"**{cell.outcome.value}**{code} {text(cell.cell.id)} on {text(cell.host)}"
    same = sum(attempt.verdict.outcome is cell.outcome for attempt in cell.attempts)
    often = f", {same} of {len(cell.attempts)} attempts" if len(cell.attempts) > 1 else ""
    reasons = worst.verdict.reasons if worst else ("planned, and nothing came back",)
    shown = [text(reason) for reason in reasons[:_REASONS]]
    if len(reasons) > _REASONS:
        shown.append(f"and {len(reasons) - _REASONS:,} more")
    return f"{where}{often}: {'; '.join(shown)}"


def _known(report: Report) -> Iterator[str]:
    for cell in report.cells():
        if cell.is_accepted and cell.expected is not None:
            yield f"{_cell(cell)} – expected: {text(cell.expected)}"


def _host(host: Host) -> str:
    said = ", ".join(f"{text(k)} {text(str(v))}" for k, v in provenance_lines(host))
    return f"**{text(host.id)}**: {said}"


def text(raw: str) -> str:
    """Text from anywhere as Markdown that shows just that, on one line and of a bearable length."""
    return escape(clip(raw, _TEXT_LIMIT))


def escape(text: str) -> str:
    """Text that Markdown shows as it is. It never begins a line, so lists need no escape."""
    return _ACTIVE.sub(r"\\\g<0>", one_line(text)).translate(_ENTITIES)
