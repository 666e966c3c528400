"""One cell as the page shows it, in the HTML and, packed, in the data for its script."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from math import isfinite
from urllib.parse import quote

from attrs import frozen

from matrix import wire
from matrix.model.cell import Cell
from matrix.model.report import CellReport, Host
from matrix.model.result import Control, Outcome, Result, Standing, Verdict
from matrix.model.transcript import Ending, Event, How, Transcript
from matrix.render.html.clauses import clause
from matrix.render.html.hosts import Beside, passed, ran_on
from matrix.render.html.looks import LOOKS
from matrix.render.html.past import Series, cell_series
from matrix.render.html.releases import Strips
from matrix.render.html.strip import Strip, strip
from matrix.render.html.words import Datum, datum, milliseconds
from matrix.render.plain import clip, visible
from matrix.statistics import failing
from matrix.trend import Trend

EVENT_LIMIT = 400
"""Events shown of one attempt; past that, the first and last halves of so many."""
ATTEMPT_LIMIT = 60
"""Attempts whose letters are shown one by one."""
UNQUOTED = "!*'()"
"""What `encodeURIComponent` leaves as it is, beside what Python leaves."""
TEXT_LIMIT = 20_000
"""Characters shown of what a process printed."""

Pairs = tuple[tuple[str, str], ...]


@frozen
class Row:
    """One event to be shown; ``t`` in microseconds."""

    t: int
    side: str
    name: str
    keys: tuple[str, ...]
    values: tuple[Datum, ...]

    def number(self, key: str) -> int | None:
        """The field ``key`` if it is a count, else None."""
        value = self.values[self.keys.index(key)] if key in self.keys else None
        usable = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return value if usable else None  # type: ignore[return-value]


@frozen
class Detail:
    """All that is shown of one cell; every text in it is safe to show.

    ``strip`` has the latencies of all attempts, ``broken`` pairs the names of broken rules with
    what was seen, ``texts`` names what the process printed, ``left_out`` counts events that are
    not shown. ``known`` is the known defect that explains the cell, ``commands`` are command lines
    and what each is for, ``beside`` has the same cell on every host where there are several,
    ``past`` in earlier runs,
    ``strips`` what order of releases these hosts have.
    """

    key: str
    facts: Pairs
    strip: Strip | None
    broken: Pairs
    notes: tuple[str, ...]
    held: tuple[str, ...]
    not_applicable: tuple[str, ...]
    rows: tuple[Row, ...]
    left_out: int
    texts: Pairs
    known: str
    commands: Pairs
    beside: tuple[Beside, ...]
    strips: Strips | None
    past: Series | None

    def on(self, host: str | None) -> Beside | None:
        """The same cell on that host, if it has it."""
        return next((each for each in self.beside if visible(each.host) == host), None)


def key(host: str, cell: Cell) -> str:
    """The fragment that opens the cell, for ever the same: ``cell=HOST:ID``."""
    return fragment("cell", host, cell.id)


def fragment(kind: str, host: str, rest: str) -> str:
    """A fragment that is a valid id too."""
    place = quote(visible(rest), safe=f"/{UNQUOTED}")
    return f"{kind}={quote(visible(host), safe=UNQUOTED)}:{place}"


def detail(
    cell: CellReport,
    host: Host,
    controls: Sequence[Control],
    beside: tuple[Beside, ...] = (),
    strips: Strips | None = None,
    change: str = "",
    trend: Trend | None = None,
) -> Detail:
    """What is shown of a cell: its first attempt with the worst outcome."""
    result = cell.worst
    verdict = result.verdict if result else Verdict(Outcome.NO_RESULT, reasons=(missing(cell),))
    seen = result.transcript if result else Transcript((), Ending(How.LOST))
    shown = shorten(seen.events)
    facts = (*_facts(cell, result, controls, change), ("ran on", ran_on(host)))
    return Detail(
        key=key(cell.host, cell.cell),
        facts=tuple((name, visible(text)) for name, text in facts),
        strip=strip(cell.attempts),
        broken=broken(verdict),
        notes=notes(verdict),
        held=_standing(verdict, Standing.PASS),
        not_applicable=_standing(verdict, Standing.NOT_APPLICABLE),
        rows=tuple(map(_row, shown)),
        left_out=len(seen.events) - len(shown),
        texts=_texts(seen),
        known=visible(cell.expected or ""),
        commands=tuple((name, visible(text)) for name, text in _commands(host, cell.cell)),
        beside=beside,
        strips=strips if beside else None,
        past=None if trend is None else cell_series(trend),
    )


def missing(cell: CellReport) -> str:
    """What to say of a cell whose worst is that not all of its attempts came back."""
    came = len(cell.attempts)
    if not came:
        return "It was planned, and nothing came back."
    return f"Of {cell.owed} planned attempts only {came} came back."


def command(host: Host, cell: Cell, here: tuple[str, ...] = (sys.executable,)) -> str:
    """The command line that runs this cell alone, on this host's interpreter."""
    words = ["reactor-matrix", "run", "-r", cell.reactor, "-t", cell.transport]
    words += ["-s", cell.scenario, "--side", cell.side, "--peer", cell.peer]
    if host.command != here:
        words += ["--python", shlex.join(host.command)]
    return shlex.join(words)


def _commands(host: Host, cell: Cell) -> Iterator[tuple[str, str]]:
    """What a reader may want to type, and what for."""
    yield "Run it again", command(host, cell)
    yield "A script of it that needs Twisted alone", f"reactor-matrix reproduce {cell.id}"


def broken(verdict: Verdict) -> Pairs:
    """The broken rules, each with what was seen."""
    return tuple((visible(rule), visible(_seen(verdict, rule))) for rule in verdict.broken)


def notes(verdict: Verdict) -> tuple[str, ...]:
    """The reasons that belong to no broken rule, and what is the kernel's doing."""
    starts = tuple(f"{rule}: " for rule in verdict.broken)
    own = [reason for reason in verdict.reasons if not (starts and reason.startswith(starts))]
    own += [f"the kernel's doing: {words}" for words in verdict.attributed]
    return tuple(map(visible, own))


def shorten(events: Sequence[Event]) -> Sequence[Event]:
    """The first and the last events, where there are too many to show."""
    if len(events) <= EVENT_LIMIT:
        return events
    half = EVENT_LIMIT // 2
    return (*events[:half], *events[-half:])


def attempts(cell: CellReport) -> str:
    """How many attempts passed, and what came of each: ``4 of 5 passed: P P F P P``."""
    outcomes = [a.verdict.outcome for a in cell.attempts]
    text = f"{passed(cell)} passed"
    if not cell.is_flaky or len(outcomes) > ATTEMPT_LIMIT:
        return text
    return f"{text}: {' '.join(LOOKS[outcome].letter for outcome in outcomes)}"


def signals(controls: Sequence[Control]) -> str:
    """What the wire showed without a reactor: ``reset (2 of 2)``."""
    seen = Counter(
        control.signal or ("cannot exist" if control.cannot_exist else "nothing")
        for control in controls
    )
    return ", ".join(f"{signal} ({n} of {len(controls)})" for signal, n in seen.items())


def _seen(verdict: Verdict, rule: str) -> str:
    texts = (r.removeprefix(f"{rule}: ") for r in verdict.reasons if r.startswith(f"{rule}: "))
    return next(texts, "not recorded")


def _standing(verdict: Verdict, standing: Standing) -> tuple[str, ...]:
    return tuple(visible(name) for name, found in verdict.rules.items() if found is standing)


def _facts(
    cell: CellReport, result: Result | None, controls: Sequence[Control], change: str
) -> Iterator[tuple[str, str]]:
    if change:
        yield "since the baseline", change
    yield "attempts", attempts(cell)
    if len(cell.attempts) > 1:
        yield "not accepted", str(failing(cell))
    if result is not None:
        if len(cell.attempts) > 1:
            which = ", the first with the worst outcome" if cell.is_flaky else ""
            yield "shown", f"attempt {result.attempt} of {len(cell.attempts)}{which}"
        yield from _axes(result.verdict)
        if result.verdict.code:
            yield "code", result.verdict.code
        yield "process", f"{ended(result.transcript.ending)} after {result.duration:.2f} s"
        yield from _measured(result.transcript)
    if controls:
        yield "without a reactor", signals(controls)


def _axes(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Both axes on their own: the kernel may fail the peer where the reactor did not."""
    axes = {name: clause(name).axis for name in verdict.rules}
    for axis in dict.fromkeys(filter(None, axes.values())):
        counts = Counter(each for name, each in verdict.rules.items() if axes[name] == axis)
        said = [f"{counts[Standing.FAIL]} broken"] if counts[Standing.FAIL] else []
        yield f"rules, {axis}", ", ".join([*said, f"{counts[Standing.PASS]} held"])


def _measured(seen: Transcript) -> Iterator[tuple[str, str]]:
    installed = seen.first(wire.REACTOR_INSTALLED)
    if installed is not None and installed.get("realization") not in (None, "native"):
        yield "realization", str(installed.get("realization"))
    proved = seen.first(wire.PROVED)
    if proved is not None:
        yield "proof", str(proved.get("proof"))
    aborted = seen.first(wire.ABORT_CALLED, wire.ABORTER)
    lost = seen.first(wire.CONNECTION_LOST, wire.ABORTER)
    if aborted is not None and lost is not None:
        yield "lost after", milliseconds(max(0, _microseconds(lost) - _microseconds(aborted)))
    shake = seen.first(wire.HANDSHAKE, wire.ABORTER)
    if shake is not None:
        yield "TLS", f"{shake.get('version')}, {shake.get('cipher')}"


def ended(ending: Ending) -> str:
    """How a process ended, in words."""
    words = {
        How.EXITED: f"exited with status {ending.number:g}",
        How.SIGNALLED: f"died by signal {ending.number:g}",
        How.DEADLINE: f"killed by the deadline of {ending.number:g} s",
        How.LOST: "lost with its agent",
    }
    return f"{words[ending.how]} ({ending.detail})" if ending.detail else words[ending.how]


def _texts(seen: Transcript) -> Pairs:
    named = [
        *_tracebacks(seen),
        ("printed to stderr", seen.stderr),
        ("garbage on the event pipe", seen.garbage),
    ]
    return tuple((visible(name), visible(clip(text, TEXT_LIMIT))) for name, text in named if text)


def _tracebacks(seen: Transcript) -> Iterator[tuple[str, str]]:
    """Of exceptions raised where none ought to be; the reason of a loss is none of them."""
    for event in islice(seen.events, EVENT_LIMIT):
        raised = event.get("exception") or event.get("raised")
        if isinstance(raised, Mapping) and isinstance(raised.get("traceback"), str):
            yield f"{event.name} at {milliseconds(_microseconds(event))}", raised["traceback"]


def _microseconds(event: Event) -> int:
    return max(0, round(event.t * 1_000_000)) if isfinite(event.t) else 0


def _row(event: Event) -> Row:
    side, name, keys = _shape(event.side, event.name, tuple(event.data))
    values = tuple(map(datum, event.data.values()))
    return Row(_microseconds(event), side, name, keys, values)


@lru_cache(maxsize=1024)
def _shape(side: str, name: str, keys: tuple[str, ...]) -> tuple[str, str, tuple[str, ...]]:
    return visible(side), visible(name), tuple(map(visible, keys))
