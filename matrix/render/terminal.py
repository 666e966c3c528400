"""A run in the terminal: the matrix as it grows, the summary at its end, one attempt in full.

Words carry everything and colour only repeats it. Texts go to rich as `Text`, never as markup.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from matrix import rules
from matrix.model.report import CellReport, Plan, Report
from matrix.model.result import SEVERITY, Outcome, Result, Standing, Verdict
from matrix.model.transcript import Event
from matrix.render import counts
from matrix.render.plain import clip, one_line, visible
from matrix.render.sentence import verdict_sentence
from matrix.statistics import failing, latency
from matrix.surprises import Surprise

CELLS = 20
"""Cells that the summary shows one by one."""
_VALUE_LIMIT = 500
_TEXT_LIMIT = 20_000
_STYLES = {
    Outcome.PASS: "green",
    Outcome.UNSUPPORTED: "dim",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.NO_RESULT: "yellow",
}
_BAD = "bold red"


# At the end of a run ------------------------------------------------------------------------------


def summary(report: Report, *, is_run: bool = False) -> RenderableType:
    """The matrix, what was not accepted, and at last, where the eye is, the verdict.

    What ``is_run`` in this very moment says how quick it was.
    """
    return Group(
        *(part for table in counts.tables(report) for part in (_matrix(table), Text())),
        *_absent(report),
        *_troubles([cell for cell in report.cells() if not cell.is_accepted]),
        *_known([cell for cell in report.cells() if cell.is_accepted and cell.expected]),
        *_missed(report.missed_faults()),
        *(_speed(report) if is_run else ()),
        _text(verdict_sentence(report), "bold"),
    )


def surprises(found: Sequence[Surprise]) -> RenderableType:
    """A line for every expectation that the report does not bear out."""
    lines = [_text(str(surprise)) for surprise in found[:CELLS]]
    return Group(*lines, *_more(len(found)))


def _speed(report: Report) -> Iterator[Text]:
    """How long all of it took, and how many cells came to their end in a second."""
    played = [r for r in report.results if r.verdict.outcome is not Outcome.UNSUPPORTED]
    tried = sum(result.fault is None for result in played)
    if report.footer is not None and report.footer.duration and tried:
        others = f"{len(played) - tried:,} faults and {len(report.controls):,} controls"
        took = report.footer.duration
        rate = f"{tried / took:.1f} cells/s, with {others}"
        yield _text(f"{tried:,} attempts in {took:,.1f} s: {rate}", "dim")


def _matrix(table: counts.Table) -> Table:
    shown = _table("reactor", *table.transports, title=table.host.id)
    for row in table.rows:
        name = row.reactor + (f" ({row.realization})" if row.realization else "")
        shown.add_row(_text(name), *map(_counts, row.counts))
    return shown


def _counts(found: Mapping[Outcome, int]) -> Text:
    return Text("\n").join(_text(f"{n} {o.value}", _style(o)) for o, n in found.items())


def _absent(report: Report) -> Iterator[Text]:
    for host in report.hosts:
        absent = [f"{r.name} ({r.code})" for r in host.reactors if not r.is_supported]
        if absent:
            yield _text(f"Cannot exist on {host.id}: {', '.join(absent)}", "dim")


def _missed(sentences: tuple[str, ...]) -> Iterator[Text]:
    for sentence in sentences[:CELLS]:
        yield _text(f"not caught: {sentence}", _BAD)
    yield from _more(len(sentences))


def _troubles(cells: list[CellReport]) -> Iterator[RenderableType]:
    for cell in cells[:CELLS]:
        yield _text(f"{cell.outcome.value} ", _style(cell.outcome)) + _text(
            f"{cell.cell.id} on {cell.host}{', flaky' if cell.is_flaky else ''}"
        )
        for reason in cell.worst.verdict.reasons if cell.worst else ():
            yield _indented(clip(reason, _VALUE_LIMIT))
    yield from _more(len(cells))


def _known(cells: list[CellReport]) -> Iterator[RenderableType]:
    alike: dict[tuple[Outcome, str], list[CellReport]] = {}
    for cell in cells:
        alike.setdefault((cell.outcome, cell.expected or ""), []).append(cell)
    for (outcome, reason), found in sorted(alike.items(), key=lambda each: -len(each[1]))[:CELLS]:
        first = f"{found[0].cell.id} on {found[0].host}"
        others = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
        yield _text(f"{outcome.value} as expected {first}{others}", "dim")
        yield _indented(clip(reason, _VALUE_LIMIT))
    yield from _more(len(alike))


def _more(number: int) -> Iterator[Text]:
    if number > CELLS:
        yield _text(f"… and {number - CELLS:,} more")


# While it runs ------------------------------------------------------------------------------------


class Progress:
    """Reactor × transport with the attempts that have ended, of those that a plan owes."""

    def __init__(self, plan: Plan) -> None:
        self._owed = Counter((h, c.reactor, c.transport) for h, c in plan.cells())
        self._repeat = plan.repeat
        self._faults = len(plan.faults)
        self._caught_or_not = 0
        self._ended = {square: Counter[Outcome]() for square in self._owed}

    def add(self, result: Result) -> None:
        """An attempt has ended; a plan need not owe it."""
        square = (result.host, result.cell.reactor, result.cell.transport)
        if result.fault is not None:
            self._caught_or_not += 1
        elif square in self._ended:
            self._ended[square][result.verdict.outcome] += 1

    def __rich__(self) -> RenderableType:
        hosts = dict.fromkeys(host for host, _, _ in self._owed)
        return Group(*map(self._matrix, hosts), Text(), self._totals())

    def _matrix(self, host: str) -> Table:
        transports = tuple(dict.fromkeys(t for h, _, t in self._owed if h == host))
        reactors = dict.fromkeys(r for h, r, _ in self._owed if h == host)
        shown = _table("reactor", *transports, title=host)
        for reactor in reactors:
            squares = ((host, reactor, transport) for transport in transports)
            shown.add_row(_text(reactor), *map(self._square, squares))
        return shown

    def _square(self, square: tuple[str, str, str]) -> Text:
        owed, ended = self._owed[square] * self._repeat, self._ended.get(square)
        if not owed or ended is None:
            return Text()
        done = sum(ended[outcome] for outcome in SEVERITY)
        worst = next((outcome for outcome in SEVERITY if ended[outcome]), None)
        if worst is None:
            return _text(f"0/{owed}", "dim")
        if done == owed == ended[worst]:
            return _text(f"{done} {worst.value}", _style(worst))
        bad = "" if worst.is_accepted else f" {ended[worst]} {worst.value}"
        return _text(f"{done}/{owed}{bad}", _style(worst) if bad else "")

    def _totals(self) -> Text:
        total = sum(self._ended.values(), Counter[Outcome]())
        parts = [f"{total.total():,} of {sum(self._owed.values()) * self._repeat:,} attempts"]
        parts += [f"{total[o]:,} {o.value}" for o in SEVERITY if total[o]]
        if self._faults:
            parts.append(f"{self._caught_or_not} of {self._faults} deliberate faults played")
        return _text(", ".join(parts))


@contextmanager
def progress(plan: Plan, console: Console) -> Iterator[Progress]:
    """Show a matrix that grows by what is added to it, as long as the context lasts.

    It leaves nothing behind, and shows nothing where the console is no terminal.
    """
    shown = Progress(plan)
    if not console.is_terminal:
        yield shown
        return
    with Live(shown, console=console, transient=True):
        yield shown


# One attempt --------------------------------------------------------------------------------------


def timeline(result: Result) -> RenderableType:
    """Everything that is known of one attempt, for a person who looks for the reason."""
    return Group(
        _head(result),
        *([_text(f"expected: {result.expected}")] if result.expected else []),
        *_unexplained(result.verdict),
        *_rules(result.verdict),
        *(_text(f"the kernel's doing: {words}") for words in result.verdict.attributed),
        *_alone(result),
        Text(),
        _events(result.transcript.events),
        *_section("stderr", result.transcript.stderr),
        *_section("garbage on the event pipe", result.transcript.garbage),
    )


def rate(cell: CellReport) -> RenderableType:
    """How often attempts at a cell were not accepted, what that rules out, and the latencies."""
    found, spread = failing(cell), latency(cell.attempts)
    parts = [f"on {cell.host}, not accepted: {found}"] if found else []
    if spread is not None:
        parts.append(
            f"abort to connectionLost: min {spread.low * 1000:.1f} ms, median "
            f"{spread.median * 1000:.1f} ms, p99 {spread.p99 * 1000:.1f} ms, max "
            f"{spread.high * 1000:.1f} ms"
        )
    return Group(*map(_text, parts))


def _head(result: Result) -> Text:
    verdict, ending = result.verdict, result.transcript.ending
    outcome = verdict.outcome.value + (f" ({verdict.code})" if verdict.code else "")
    fault = f" with the deliberate fault {result.fault}" if result.fault else ""
    ended = " ".join(filter(None, (ending.how.value, f"{ending.number:g}", ending.detail)))
    return Text("\n").join(
        (
            _text(f"{result.cell.id}{fault}", "bold"),
            _text(outcome, _style(verdict.outcome)),
            _text(
                f"attempt {result.attempt} on {result.host}, {result.duration * 1000:.1f} ms, "
                f"process ended: {ended}"
            ),
        )
    )


def _unexplained(verdict: Verdict) -> Iterator[Text]:
    """The reasons that belong to no broken rule."""
    for reason in verdict.reasons:
        if not reason.startswith(tuple(f"{name}: " for name in verdict.broken)):
            yield _text(reason)


def _alone(result: Result) -> Iterator[Text]:
    """The command that gives a script of what went wrong."""
    if result.verdict.outcome in (Outcome.FAIL, Outcome.TIMEOUT, Outcome.CRASH):
        yield Text()
        yield _text(f"With Twisted alone: reactor-matrix reproduce {result.cell.id}")


def _rules(verdict: Verdict) -> Iterator[RenderableType]:
    """Broken rules with what they expect and what was seen, and the names of all the others."""
    for name in verdict.broken:
        yield Text()
        yield _text(f"{name} is broken", _BAD)
        if rule := rules.rule(name):
            yield _indented(f"expected: {rule.expects}")
            yield _indented(f"by: {rule.source}")
        for reason in verdict.reasons:
            if reason.startswith(f"{name}: "):
                yield _indented(f"seen: {reason.removeprefix(f'{name}: ')}")
    for standing in (Standing.PASS, Standing.NOT_APPLICABLE):
        names = [name for name, stands in verdict.rules.items() if stands is standing]
        if names:
            yield _text(f"{standing.value}: {', '.join(names)}", "dim")


def _events(events: Iterable[Event]) -> Table:
    """A row for each event; a row for all of them where several in a row are the same."""
    shown = _table("ms", "side", "event", "fields")
    for (side, name, data), group in groupby(events, lambda e: (e.side, e.name, e.data)):
        first, *others = group
        fields = ", ".join(f"{name} {_value(value)}" for name, value in data.items())
        if others:
            fields += f"; the same {len(others)} times more, until {_ms(others[-1])} ms"
        shown.add_row(*map(_text, (f"{_ms(first):>9}", side, name, fields)))
    return shown


def _ms(event: Event) -> str:
    return f"{event.t * 1000:.3f}"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return f"({', '.join(f'{key} {_value(item)}' for key, item in value.items())})"
    return clip(value if isinstance(value, str) else json.dumps(value), _VALUE_LIMIT)


def _section(title: str, text: str) -> Iterator[Text]:
    if text:
        yield _text(f"{title}:", "bold")
        yield Text(visible(clip(text, _TEXT_LIMIT)))


# How it looks -------------------------------------------------------------------------------------


def _style(outcome: Outcome) -> str:
    return _STYLES.get(outcome, _BAD)


def _text(text: str, style: str = "") -> Text:
    return Text(one_line(text), style)


def _indented(text: str) -> Padding:
    return Padding(_text(text), (0, 0, 0, 2))


def _table(*columns: str, title: str | None = None) -> Table:
    heads = [Column(_text(column), overflow="fold") for column in columns]
    return Table(
        *heads,
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=title and _text(title, "bold"),
        title_justify="left",
    )
