"""A report ↔ the lines of a results file, purely: no file is touched here.

Every line is one JSON object whose ``type`` says what it holds: first the ``header`` (one host
and the plan), a ``host`` for every further one, then ``control`` and ``result`` lines in the order
in which they ended, and last the ``footer``. A run's own file has a ``part`` where the run began,
and where it was gone on with. ``schema/results.schema.json`` describes them.

Lines are pure ASCII. JSON cannot tell two escaped surrogates in a row from the one character that
they make, so such a pair comes back as that character; a lone surrogate comes back as it was. JSON
has no infinities and no NaN either: in an event's data they become the texts ``inf``, ``-inf`` and
``nan``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from attrs import evolve

from matrix.model.cell import Cell
from matrix.model.report import Footer, Host, Part, Plan, Report
from matrix.model.result import Control, Outcome, Result, Verdict
from matrix.model.shard import Shard
from matrix.model.transcript import Glance, Source, Stored, Transcript
from matrix.skim import skim
from matrix.structure import from_json, shown, to_json

SCHEMA = 1
"""Version of the file format that this module writes and reads."""
PART, FOOTER = "part", "footer"
"""Types of the lines that say when a run began, and how it ended."""


class LineError(ValueError):
    """A line does not say what a line of a results file says; ``number`` counts from 1."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(what)
        self.number = number


def dump_lines(report: Report) -> Iterator[str]:
    """Every line of the file that says what ``report`` says, each with its newline."""
    yield from opening_lines(report.hosts, report.plan, report.version)
    yield from map(entry_line, report.controls)
    yield from map(entry_line, report.results)
    if report.footer is not None:
        yield footer_line(report.footer, report.counts())


def opening_lines(hosts: tuple[Host, ...], plan: Plan, version: str) -> Iterator[str]:
    """The header with the first host, and a line for every further one."""
    first, *others = (to_json(host) for host in hosts)
    header = {"type": "header", "schema": SCHEMA, "version": version, "host": first}
    yield _line({**header, "plan": to_json(plan)})
    for host in others:
        yield _line({"type": "host", "host": host})


def part_line(part: Part) -> str:
    """The line with which a run begins, and goes on."""
    return _line({"type": PART, **to_json(part)})


def parse_part(line: str | bytes) -> Part:
    """The part of a run that begins with that line."""
    return from_json(json.loads(line), Part)


def entry_line(entry: Control | Result) -> str:
    """The line of one attempt.

    `ValueError` if an event's data uses the name of one of its other fields, which the file
    could not keep apart.
    """
    if isinstance(entry, Control):
        raw = {"type": "control", **to_json(entry)}
    else:
        raw = {"type": "result", "id": entry.cell.id, **to_json(entry)}
        if (kept := _kept_line(entry, raw)) is not None:
            return kept
    return _line({**raw, **to_json(entry.transcript)})


def _kept_line(result: Result, raw: Mapping[str, Any]) -> str | None:
    """The line that a result was read from, if it would be written just like that again."""
    if result.source is None:
        return None
    line, opening = result.source.line(), _line(raw).removesuffix("}\n") + ","
    return line if line.startswith(opening) and line.isascii() and line.endswith("\n") else None


def footer_line(footer: Footer, counts: Mapping[Outcome, int]) -> str:
    """The last line: how the run ended, and how many planned cells have which outcome."""
    numbers = {outcome.value: counts[outcome] for outcome in Outcome if counts.get(outcome)}
    return _line({"type": FOOTER, **to_json(footer), "counts": numbers})


Keep = Callable[[int, int], Source]
"""Keeps so many bytes at that place of a file."""


def parse_lines(lines: Iterable[bytes], keep: Keep | None = None) -> Report:
    """The report that these lines make; `LineError` names the first line that is wrong.

    A last line that was cut off in its middle is left out, so the report has no footer. Every
    transcript is looked through; with ``keep`` it is not held, but kept where it is.
    """
    draft, number, offset = _Draft(), 0, 0
    for number, line in enumerate(lines, 1):
        try:
            skimmed = None if keep is None else skim(line)
            raw, seen = skimmed or (_object(line), None)
            if raw is None and draft.footer is None:
                break
            draft.take(raw, None if keep is None else partial(keep, offset, len(line)), seen)
            offset += len(line)
        except (ValueError, RecursionError) as error:
            raise LineError(number, str(error)) from error
    try:
        return draft.report()
    except ValueError as error:
        raise LineError(max(number, 1), str(error)) from error


def parse_transcript(line: str) -> Transcript:
    """The transcript on the line of an attempt."""
    return from_json(json.loads(line), Transcript)


def _line(raw: Mapping[str, Any]) -> str:
    try:
        return json.dumps(raw, separators=(",", ":"), allow_nan=False) + "\n"
    except ValueError:
        return json.dumps(_finite(raw), separators=(",", ":"), allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    """The same value with texts for the numbers that JSON does not have."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value


def _object(line: bytes) -> dict[str, Any] | None:
    """The JSON object on this line; None if the line was cut off."""
    try:
        raw = json.loads(line.decode())
    except ValueError as error:
        if not line.endswith(b"\n"):
            return None
        kind = "UTF-8" if isinstance(error, UnicodeDecodeError) else "JSON"
        raise ValueError(f"it is not {kind} ({error})") from error
    if not isinstance(raw, dict):
        raise ValueError("it is no JSON object")
    return raw


def _field(raw: Mapping[str, Any], name: str) -> Any:
    if name not in raw:
        raise ValueError(f"field {name} is missing")
    return raw[name]


class _Draft:
    """A report while its lines come in. Results share the values in which they are alike."""

    def __init__(self) -> None:
        self.hosts: dict[str, Host] = {}
        self.plan: Plan | None = None
        self.planned: frozenset[tuple[str, str | None, str]] = frozenset()
        self.shards: frozenset[tuple[str, str]] = frozenset()
        self.cells: dict[str, Cell] = {}
        self.verdicts: dict[object, Verdict] = {}
        self.version = ""
        self.controls: list[Control] = []
        self.results: list[Result] = []
        self.footer: Footer | None = None
        self.counts: dict[str, int] = {}

    def take(
        self,
        raw: dict[str, Any] | None,
        keep: Callable[[], Source] | None = None,
        seen: Glance | None = None,
    ) -> None:
        """Add what one line says; `ValueError` if it makes no sense.

        ``keep`` is for a transcript that is not to be held; ``seen`` is a glance at the events,
        where the line has been skimmed.
        """
        if self.footer is not None or raw is None:
            raise ValueError("nothing may follow the footer")
        kind = raw.get("type")
        if (self.plan is None) is not (kind == "header"):
            raise ValueError("the header must be the first line, and the only one of its kind")
        takers: dict[object, Callable[[dict[str, Any]], None]] = {
            "header": self._header,
            "host": self._host,
            PART: self._part,
            "control": self._control,
            "result": partial(self._result, keep, seen),
            FOOTER: self._footer,
        }
        if not isinstance(kind, str) or kind not in takers:
            raise ValueError(f"its type is {shown(kind)}, which is none")
        takers[kind](raw)

    def report(self) -> Report:
        """The report that was taken in; `ValueError` if its parts contradict each other."""
        if self.plan is None:
            raise ValueError("there is no header")
        for planned in self.plan.hosts:
            self._known(planned.host)
        report = Report(
            tuple(self.hosts.values()),
            self.plan,
            tuple(self.controls),
            tuple(self.results),
            self.footer,
            self.version,
        )
        counted = {outcome.value: n for outcome, n in report.counts().items()}
        if self.footer is not None and self.counts != counted:
            raise ValueError(f"the footer counts {self.counts}, but the lines above it {counted}")
        return report

    def _header(self, raw: dict[str, Any]) -> None:
        schema, self.version = _field(raw, "schema"), from_json(_field(raw, "version"), str)
        if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
            raise ValueError(f"its schema is {shown(schema)}, which is no version of the format")
        if schema > SCHEMA:
            raise ValueError(
                f"it has version {schema} of the format, written by reactor-matrix {self.version}, "
                f"and this one reads version {SCHEMA} at most; {self.version} or later is needed"
            )
        self._host(raw)
        self.plan = from_json(_field(raw, "plan"), Plan)
        owed = [(host, cell.id, cell) for host, cell in self.plan.cells()]
        self.planned = frozenset((*((h, None, name) for h, name, _ in owed), *self.plan.faults))
        self.cells = {name: cell for _, name, cell in owed}
        self.shards = frozenset(
            (planned.host, str(Shard.parse(text)))
            for planned in self.plan.hosts
            for text in planned.shards
        )

    def _host(self, raw: dict[str, Any]) -> None:
        host = from_json(_field(raw, "host"), Host)
        if host.id in self.hosts:
            raise ValueError(f"host {host.id!r} is described twice")
        self.hosts[host.id] = host

    def _part(self, raw: dict[str, Any]) -> None:
        from_json(raw, Part)  # the footer has what they come to

    def _control(self, raw: dict[str, Any]) -> None:
        control = from_json(raw, Control)
        self._known(control.host, control.shard)
        self.controls.append(control)

    def _result(
        self, keep: Callable[[], Source] | None, seen: Glance | None, raw: dict[str, Any]
    ) -> None:
        cell_id, result = _field(raw, "id"), from_json(raw, Result)
        self._known(result.host, result.shard)
        if cell_id != result.cell.id:
            raise ValueError(f"its id is {shown(cell_id)}, and that of its cell {result.cell.id}")
        if (result.host, result.fault, cell_id) not in self.planned:
            raise ValueError(f"{result.cell.id} on {result.host!r} is not in the header's plan")
        kept: dict[str, Any] = {}
        if keep is not None:
            kept = {"transcript": Stored(keep(), seen or result.glance)}
        cell, verdict = self.cells.get(cell_id, result.cell), self._shared(result.verdict)
        self.results.append(evolve(result, cell=cell, verdict=verdict, **kept))

    def _shared(self, verdict: Verdict) -> Verdict:
        rules = id(verdict.rules)  # which the first verdict of its kind keeps alive
        key = (verdict.outcome, rules, verdict.reasons, verdict.code)
        return self.verdicts.setdefault(key, verdict)

    def _footer(self, raw: dict[str, Any]) -> None:
        self.footer = from_json(raw, Footer)
        self.counts = from_json(_field(raw, "counts"), dict[str, int])

    def _known(self, host: str, shard: str | None = None) -> None:
        if host not in self.hosts:
            raise ValueError(f"no line above describes host {host!r}")
        if shard is not None and (host, shard) not in self.shards:
            raise ValueError(f"shard {shard!r} of host {host!r} is not in the header's plan")
