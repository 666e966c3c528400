"""What the commands do, step by step: run, judge again, report."""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Protocol

from attrs import evolve, field, frozen

from matrix import __version__, history, plan
from matrix.compare import compare
from matrix.errors import HistoryError, MergeError, OutputError, ResultsError, SelectionError
from matrix.expectations import Expectation, explain, load, parse, shipped
from matrix.judge import bar, judge, signal_of
from matrix.manager.conversation import clock
from matrix.manager.interpreters import Interpreter
from matrix.manager.run import IN_FLIGHT, Rounds, Run, Stand, stands
from matrix.manager.session import DEADLINE
from matrix.merge import merge
from matrix.missing import check_host, missing
from matrix.model.report import Footer, Host, Part, Plan, Report
from matrix.model.result import Control, Result
from matrix.render import html, junit, markdown
from matrix.render.expectations import draft
from matrix.render.html.changes import Changes, since
from matrix.render.html.past import Past
from matrix.resume import check_same
from matrix.store import RESULTS, Writer, finished, read, write, write_atomically

PASSED, FAILED, UNUSABLE, INVALID = range(4)
"""Exit codes: every cell accepted; one was not; the command failed; the run is not valid."""


@frozen
class Order:
    """What to run, where, and how often."""

    selection: plan.Selection
    interpreters: tuple[Interpreter, ...]
    rounds: Rounds = field(factory=Rounds)
    shard: str | None = None
    in_flight: int = IN_FLIGHT
    preload: tuple[str, ...] = ()
    deadline: float = DEADLINE
    expectations: tuple[Expectation, ...] = field(factory=shipped)
    resume: bool = False

    def __attrs_post_init__(self) -> None:
        if self.resume and (self.rounds.until_fail or self.rounds.duration is not None):
            raise SelectionError(
                "--resume completes a number of attempts; leave --until-fail and --duration out."
            )


class Progress(Protocol):
    """Something that is shown every result as it comes."""

    def add(self, result: Result) -> None:
        """An attempt has ended."""


Watch = Callable[[Plan], AbstractContextManager[Progress]]
"""Opens the progress of a plan."""


def run(order: Order, folder: Path, watch: Watch) -> Report:
    """Play the order, and leave a results file in the folder, also when interrupted."""
    return asyncio.run(_run(order, folder, watch))


async def _run(order: Order, folder: Path, watch: Watch) -> Report:
    began, started = clock(), datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    async with stands(order.interpreters, order.preload, order.deadline) as ready:
        made = _plan(order, ready)
        hosts = tuple(stand.host for stand in ready)
        if order.resume and (ended := finished(folder)) is not None:
            check_same(ended, Report(hosts, made, version=__version__), str(folder / RESULTS))
            return ended
        with Writer(folder, hosts, made, __version__, started, resume=order.resume) as writer:
            with watch(made) as progress:
                emit, done = _emitter(writer, progress), _kept(writer, progress)
                interrupted = await _play(
                    Run(made, ready, emit, order.in_flight, order.expectations, order.rounds, done)
                )
            path = writer.finish(_footer(writer.parts, clock() - began, interrupted))
    return read(path)


def _footer(parts: Sequence[Part], took: float, interrupted: str | None) -> Footer:
    """How a run ended of which these were the parts, and the last one took so many seconds."""
    duration = round(parts[-1].spent + took, 3)
    return Footer(parts[0].started, duration, interrupted)


def _kept(writer: Writer, progress: Progress) -> tuple[Control | Result, ...]:
    """What an earlier part of the run has, which is shown as if it came now."""
    if writer.kept is None:
        return ()
    for result in writer.kept.results:
        progress.add(result)
    return (*writer.kept.controls, *writer.kept.results)


def _plan(order: Order, ready: Sequence[Stand]) -> Plan:
    hosts = [stand.host for stand in ready]
    return plan.make(hosts, order.selection, order.rounds.owed, order.shard)


def _emitter(writer: Writer, progress: Progress) -> Callable[[Control | Result], None]:
    def emit(entry: Control | Result) -> None:
        writer.append(entry)
        if isinstance(entry, Result):
            progress.add(entry)

    return emit


async def _play(playing: Run) -> str | None:
    """Play to the end, or to the first SIGINT or SIGTERM; the signal's name if there was one.

    Both are ignored from then on. tox passes on a Ctrl-C that the terminal has sent already, and
    the second one must not cost the results and the page.
    """
    loop, task = asyncio.get_running_loop(), asyncio.create_task(playing.play())
    received: list[str] = []

    def interrupt(number: signal.Signals) -> None:
        if not received:
            task.cancel()
        received.append(number.name)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt, number)
    try:
        await task
    except asyncio.CancelledError:
        if not received:
            raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
            if received:
                signal.signal(number, signal.SIG_IGN)
    return received[0] if received else None


def called(host: str, interpreters: Sequence[Interpreter]) -> tuple[Interpreter, ...]:
    """The one interpreter with a name for its host; `SelectionError` where that can't be."""
    if len(interpreters) > 1:
        raise SelectionError("--host is the name of one host; give one --python with it.")
    check_host(host)
    return (evolve(interpreters[0], host=host),)


def inspect(interpreters: Sequence[Interpreter]) -> list[Host]:
    """What each interpreter can play."""

    async def look() -> list[Host]:
        async with stands(interpreters) as ready:
            return [stand.host for stand in ready]

    return asyncio.run(look())


def write_pages(report: Report, folder: Path) -> None:
    """Put ``index.html``, ``junit.xml`` and ``summary.md`` beside the results."""
    write_atomically(folder / "index.html", html.render(report))
    write_atomically(folder / "junit.xml", junit.render(report))
    write_atomically(folder / "summary.md", markdown.render(report))


def merge_files(paths: Sequence[Path], output: Path) -> Report:
    """Put the reports of several results files into one file, and return it."""
    if len(set(paths)) < len(paths):
        raise MergeError("A results file is named twice; name each once.")
    if output.exists() and any(output.samefile(path) for path in paths if path.exists()):
        raise OutputError(f"{output} is one of the files to merge; name another one with -o.")
    merged = merge({str(path): read(path) for path in paths})
    write(merged, output)
    return merged


def changes_since(baseline: Path, report: Report) -> Changes:
    """What the page says of the difference to an earlier results file."""
    return since(str(baseline), compare(read(baseline), report))


def past_of(report: Report, path: Path, last: int, name: str | None = None) -> Past:
    """What the page says of the ``last`` runs in a history. ``name`` is what it calls the host.

    `HistoryError` where the history knows none of the report's hosts.
    """
    names = {told: host for host, told in history_names(report, name).items()}
    found = history.trends(path, last=last)
    trends = {(names[t.host], t.cell): t for t in found if t.host in names}
    if not trends:
        known = ", ".join(sorted({trend.host for trend in found})) or "none"
        raise HistoryError(
            f"{path} has no run of {', '.join(names)}. Add the report with “reactor-matrix history "
            f"add”, or say with --as which of the hosts there it is: {known}."
        )
    return Past({key: trends[key] for key in report.plan.cells() if key in trends})


def history_names(report: Report, name: str | None) -> dict[str, str]:
    """What a history calls each host of a report; `HistoryError` where one name is for several."""
    if name is None:
        return {host.id: host.id for host in report.hosts}
    if len(report.hosts) != 1:
        raise HistoryError("--as names one host, and this report has several; leave it out.")
    return {report.hosts[0].id: name}


def leave_word(host: str, why: str, like: Path, output: Path) -> None:
    """Write the results of a host that is missing: it owes what the first host of a file does."""
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    write(missing(host, why, read(like), started), output)


def missing_shards(report: Report) -> list[str]:
    """A sentence for every host of which not all shards are there."""
    missing = {planned.host: planned.missing() for planned in report.plan.hosts}
    return [
        f"{host}: no results of shard {', '.join(map(str, shards))}"
        for host, shards in missing.items()
        if shards
    ]


def expectations(path: Path | None) -> tuple[Expectation, ...]:
    """What is known: what is shipped, and what a user's file has besides."""
    return (*shipped(), *(load(path) if path is not None else ()))


def today() -> date:
    """The day by which expectations are held to their date."""
    return datetime.now(timezone.utc).date()


def draft_expectations(results: Path, path: Path) -> int:
    """Add to a file of expectations what a report has and nobody expects; returns how many."""
    known = load(path) if path.exists() else ()
    report = explain(read(results), (*shipped(), *known), today())
    text = draft(report, {each.name for each in known}, today())
    if text:
        before = path.read_text(encoding="utf-8").rstrip("\n") + "\n\n" if path.exists() else ""
        write_atomically(path, before + text)
    return len(parse(text, str(path)))


def judge_again(report: Report) -> Report:
    """The same report with every verdict derived anew from its events."""
    controls = tuple(evolve(c, signal=signal_of(c.transcript)) for c in report.controls)

    # In a merged report each shard is held to what its own run saw, as when it was played.
    own: dict[tuple[str | None, ...], list[Control]] = defaultdict(list)
    for each in controls:
        own[each.host, each.shard, each.transport, each.side].append(each)

    def judged(result: Result) -> Result:
        cell = result.cell
        there = own[result.host, result.shard, cell.transport, cell.side]
        verdict = judge(cell, result.transcript, bar(there, cell))
        expected = result.expected if verdict == result.verdict else None
        return evolve(result, verdict=verdict, expected=expected)

    return evolve(report, controls=controls, results=tuple(map(judged, report.results)))


def differences(stored: Report, derived: Report) -> list[str]:
    """A sentence for every stored verdict or control that the events do not give again."""
    found = [
        f"{old.cell.id} attempt {old.attempt}{f' with fault {old.fault}' if old.fault else ''} "
        f"({old.host}): stored {old.verdict.outcome.value} {list(old.verdict.reasons)}, "
        f"the events say {new.verdict.outcome.value} {list(new.verdict.reasons)}"
        for old, new in zip(stored.results, derived.results, strict=True)
        if old.verdict != new.verdict
    ]
    found += [
        f"control {old.transport}/{old.side}/{old.kind} attempt {old.attempt} ({old.host}): stored "
        f"{old.signal}, the events say {new.signal}"
        for old, new in zip(stored.controls, derived.controls, strict=True)
        if old.signal != new.signal
    ]
    return found


def exit_code(report: Report) -> int:
    """What a command that ran or judged these cells ends with."""
    if report.footer is None or report.footer.interrupted is not None:
        return FAILED  # negative controls that were never played prove nothing either way
    if report.missed_faults():
        return INVALID
    accepted = all(cell.is_accepted for cell in report.cells())
    return PASSED if accepted else FAILED


def result_of(report: Report, text: str) -> list[Result]:
    """Every attempt at the cell of that id, also those with faults; `ResultsError` if none."""
    found = [result for result in report.results if result.cell.id == text]
    if not found:
        raise ResultsError(
            f"There is no result of {text!r} in this file. "
            "A cell's id reads REACTOR/TRANSPORT/SCENARIO/SIDE/PEER; the page and "
            "“reactor-matrix plan” list them."
        )
    return found
