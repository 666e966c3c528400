"""The commands: parse, call, exit code; nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from matrix import (
    __version__,
    cli_over_releases,
    cli_over_time,
    cli_wine,
    doctor,
    plan,
    wine,
    workflow,
)
from matrix.errors import MatrixError
from matrix.expectations import explain
from matrix.manager import naming
from matrix.manager.interpreters import Interpreter
from matrix.manager.run import IN_FLIGHT, Rounds
from matrix.manager.session import DEADLINE
from matrix.model.cell import AXES
from matrix.model.report import Report
from matrix.render import (
    badge,
    catalogue,
    ctrf,
    html,
    jobs,
    junit,
    markdown,
    reproduction,
    terminal,
)
from matrix.store import read, write_atomically
from matrix.surprises import surprises

_Command = TypeVar("_Command", bound=Callable[..., Any])

_RESULTS = click.argument("results", type=click.Path(path_type=Path))
_PYTHON = click.option(
    "--python",
    "pythons",
    multiple=True,
    metavar="CMD|NAME",
    help="Test in the Python that this command starts, here or by ssh; repeatable. Or the name of "
    "a host in [tool.reactor-matrix.hosts] of pyproject.toml or reactor-matrix.toml. Default: this "
    "one, and the one that “wine install” made.",
)


def _selecting(command: _Command) -> _Command:
    """The options that select cells, one for each axis."""
    letters = {"reactor": "-r", "transport": "-t", "scenario": "-s"}
    for axis in reversed(AXES):
        names = [letters[axis]] if axis in letters else []
        command = click.option(
            *names,
            f"--{axis}",
            axis,
            multiple=True,
            metavar="PATTERN",
            help=f"Only cells whose {axis} matches; repeatable, with * and ?.",
        )(command)
    return command


_SHARD = click.option("--shard", metavar="K/N", help="Only the K-th of N parts.")
_HOST = click.option("--host", metavar="NAME", help="What to call the host: it has one --python.")
_EXPECTATIONS = click.option(
    "--expectations",
    "expected",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Known defects of your own, beside those that are shipped.",
)
_FORMAT = click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text")


def _print(content: Any, form: str) -> None:
    if form == "markdown":
        click.echo(content, nl=False)
    else:
        Console().print(content)


def _selection(axes: dict[str, Any]) -> plan.Selection:
    return plan.Selection(**{axis: axes[axis] for axis in AXES})


def _interpreters(pythons: tuple[str, ...], host: str | None = None) -> tuple[Interpreter, ...]:
    found = naming.interpreters(pythons, Path.cwd()) or (Interpreter.this(),)
    return found if host is None else workflow.called(host, found)


def _hosts(
    pythons: tuple[str, ...], reactors: tuple[str, ...] = (), host: str | None = None
) -> tuple[Interpreter, ...]:
    """What the user names; else this Python, and the one under Wine where it is of use."""
    found, private = _interpreters(pythons, host), wine.interpreter()
    is_asked = not pythons and host is None and wine.is_wanted(reactors)
    return (*found, private) if private is not None and is_asked else found


@click.group()
@click.version_option(__version__)
def commands() -> None:
    """Does abortConnection() work on a connection that is not writeable?

    Exit codes: 0 every planned cell passed, is unsupported or is expected to fail; 1 a cell
    failed, timed out, crashed, is inconclusive or missing; 2 the command could not be carried
    out; 3 the run is not valid, because a deliberate fault went uncaught.
    """


@commands.command("doctor")
@_PYTHON
def doctor_command(pythons: tuple[str, ...]) -> None:
    """What can run here, what cannot, why, and what to install."""
    hosts = workflow.inspect(_hosts(pythons))
    Console().print(doctor.report(hosts))


@commands.command("plan")
@_selecting
@_PYTHON
@_SHARD
@click.option(
    "--format", "form", type=click.Choice(["text", "json", *jobs.FORMATS]), default="text"
)
@click.option(
    "--shards",
    "count",
    type=click.IntRange(1),
    metavar="N",
    help="Jobs that a CI service is to run. Default: by what the cells cost.",
)
def plan_command(
    pythons: tuple[str, ...], shard: str | None, form: str, count: int | None, **axes: Any
) -> None:
    """Every cell that a run with the same selection would owe."""
    hosts = workflow.inspect(_hosts(pythons, axes["reactor"]))
    made = plan.make(hosts, _selection(axes), shard=shard)
    lines = [cell.id if len(hosts) == 1 else f"{host} {cell.id}" for host, cell in made.cells()]
    if form == "json":
        cells = [{"host": host, "id": cell.id} for host, cell in made.cells()]
        lines = [json.dumps({"digest": made.digest, "shard": shard, "cells": cells}, indent=1)]
    elif form in jobs.FORMATS:
        lines = [jobs.FORMATS[form](plan.shards(made, hosts, count))]
    click.echo("\n".join(lines))


@commands.command("scenarios")
@_FORMAT
def scenarios_command(form: str) -> None:
    """What each scenario does, what it stands for, and where it has a meaning."""
    _print(catalogue.scenarios_markdown() if form == "markdown" else catalogue.scenarios(), form)


@commands.command("rules")
@_FORMAT
def rules_command(form: str) -> None:
    """Every rule of the contract: what is expected, and by which sentence."""
    _print(catalogue.rules_markdown() if form == "markdown" else catalogue.rules(), form)


@commands.command("run")
@_selecting
@_PYTHON
@_HOST
@click.option("--repeat", type=click.IntRange(1), help="Attempts at each cell, round by round.")
@click.option("--until-fail", is_flag=True, help="Go round until a cell is not accepted.")
@click.option(
    "--duration", type=click.FloatRange(min=0), metavar="SECONDS", help="Go round for this long."
)
@_SHARD
@click.option("-j", "in_flight", type=click.IntRange(1), default=IN_FLIGHT, help="Cells at once.")
@click.option(
    "--preload",
    multiple=True,
    metavar="MODULE",
    help="Import this module in each cell's process before the reactor is chosen; repeatable.",
)
@click.option(
    "--deadline",
    type=click.FloatRange(min=1),
    default=DEADLINE,
    show_default=True,
    metavar="SECONDS",
    help="After this time a cell's process is killed: timeout. With many connections: 5 times it.",
)
@_EXPECTATIONS
@click.option("--resume", is_flag=True, help="Go on with the run that was cut short in the folder.")
@click.option(
    "-o",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("reactor-matrix-results"),
    show_default=True,
    help="Where results.jsonl, index.html, junit.xml and summary.md go.",
)
def run_command(  # noqa: PLR0913 - each is an option
    pythons: tuple[str, ...],
    host: str | None,
    repeat: int | None,
    until_fail: bool,
    duration: float | None,
    shard: str | None,
    in_flight: int,
    preload: tuple[str, ...],
    deadline: float,
    expected: Path | None,
    resume: bool,
    folder: Path,
    **axes: Any,
) -> None:
    """Run the cells, and write results and pages into a folder."""
    rounds, known = Rounds(repeat, duration, until_fail), workflow.expectations(expected)
    order = workflow.Order(
        _selection(axes),
        _hosts(pythons, axes["reactor"], host),
        rounds,
        shard,
        in_flight,
        preload,
        deadline,
        known,
        resume,
    )
    console = Console()
    report = workflow.run(order, folder, partial(terminal.progress, console=console))
    workflow.write_pages(report, folder)
    console.print(terminal.summary(report, is_run=True))
    console.print(terminal.surprises(surprises(report, known, workflow.today())))
    console.print(f"The page: {folder / 'index.html'}", soft_wrap=True, markup=False)
    sys.exit(workflow.exit_code(report))


@commands.command("judge")
@_RESULTS
@_EXPECTATIONS
def judge_command(results: Path, expected: Path | None) -> None:
    """Derive the verdicts of a results file again, from its events alone.

    With --expectations, what was to be expected is derived again too, as of today.
    """
    known, stored = workflow.expectations(expected), read(results)
    derived = workflow.judge_again(stored)
    if expected is not None:
        derived = explain(derived, known, workflow.today())
    differences = workflow.differences(stored, derived)
    for line in differences:
        click.echo(line)
    Console().print(terminal.summary(derived))
    Console().print(terminal.surprises(surprises(derived, known, workflow.today())))
    click.echo(
        f"{len(stored.results)} verdicts derived again, {len(differences)} differ from the stored."
    )
    sys.exit(workflow.FAILED if differences else workflow.exit_code(derived))


_PAGES: dict[str, Callable[[Report], str]] = {
    "html": html.render,
    "junit": junit.render,
    "ctrf": ctrf.render,
    "markdown": markdown.render,
    "badge": badge.render,
    "badge-json": badge.render_json,
}
"""Options of `report`, each with what it writes."""


def _pages(command: _Command) -> _Command:
    for name in reversed(_PAGES):
        path = click.Path(path_type=Path)
        command = click.option(f"--{name}", type=path, metavar="FILE")(command)
    return command


@commands.command("report")
@_RESULTS
@_pages
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="RESULTS",
    help="An earlier results file: the HTML page says what changed since then.",
)
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The HTML page says what each cell came to in earlier runs: see “history add”.",
)
@click.option("--as", "name", help="What the history calls the report's only host.")
@click.option(
    "--last",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    metavar="N",
    help="Earlier runs that the page shows.",
)
def report_command(
    results: Path,
    baseline: Path | None,
    history: Path | None,
    name: str | None,
    last: int,
    **pages: Path | None,
) -> None:
    """Write pages from a results file; without an option, print a summary."""
    report = read(results)
    changes = workflow.changes_since(baseline, report) if baseline is not None else None
    past = workflow.past_of(report, history, last, name) if history is not None else None
    to_html = partial(html.render, changes=changes, past=past)
    pages_of: dict[str, Callable[[Report], str]] = {**_PAGES, "html": to_html}
    named = {name.replace("_", "-"): path for name, path in pages.items()}
    wanted = [(path, pages_of[name](report)) for name, path in named.items() if path is not None]
    for path, text in wanted:
        write_atomically(path, text)
    if not wanted:
        Console().print(terminal.summary(report))


@commands.command("show")
@_RESULTS
@click.argument("cell")
def show_command(results: Path, cell: str) -> None:
    """One cell's timeline: its rules, its events, what was printed."""
    console, report = Console(), read(results)
    for result in workflow.result_of(report, cell):
        console.print(terminal.timeline(result))
    for tried in report.cells():
        if tried.cell.id == cell:
            console.print(terminal.rate(tried))


@commands.command("reproduce")
@click.argument("cell")
@click.option(
    "-o",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the script there, rather than print it.",
)
def reproduce_command(cell: str, path: Path | None) -> None:
    """A stand-alone script of one cell, which needs Twisted alone.

    Run it with any Python that has Twisted, and pyOpenSSL for TLS. It exits 1 where it sees a rule
    broken, and 0 where it sees none.
    """
    hosts = workflow.inspect((Interpreter.this(),))
    text = reproduction.script(plan.one(hosts, cell))
    if path is None:
        click.echo(text, nl=False)
    else:
        write_atomically(path, text)


for command in (*cli_over_time.COMMANDS, *cli_over_releases.COMMANDS, *cli_wine.COMMANDS):
    commands.add_command(command)


def main() -> None:
    """What the ``reactor-matrix`` command calls: errors that a user can mend are one sentence."""
    try:
        commands()
    except MatrixError as error:
        click.echo(f"reactor-matrix: {error}", err=True)
        sys.exit(workflow.UNUSABLE)
