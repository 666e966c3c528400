"""The commands for results of several runs: parse, call, exit code; nothing else."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from matrix import history, workflow
from matrix.compare import compare
from matrix.render import comparison, terminal, trends
from matrix.store import read

_FILE = click.Path(path_type=Path)


@click.command("merge")
@click.argument("results", nargs=-1, required=True, type=_FILE)
@click.option("-o", "output", type=_FILE, required=True, metavar="FILE", help="Write it.")
def merge_command(results: tuple[Path, ...], output: Path) -> None:
    """Put shards and hosts together; a cell of which there is no result is shown as missing."""
    merged = workflow.merge_files(results, output)
    console = Console()
    console.print(terminal.summary(merged))
    for line in workflow.missing_shards(merged):
        console.print(line, soft_wrap=True, markup=False)
    sys.exit(workflow.exit_code(merged))


@click.command("missing")
@click.argument("host")
@click.option("--why", required=True, metavar="TEXT", help="What the page says of it.")
@click.option("--like", type=_FILE, required=True, metavar="RESULTS", help="Whose cells it owes.")
@click.option("-o", "output", type=_FILE, required=True, metavar="FILE", help="Write it.")
def missing_command(host: str, why: str, like: Path, output: Path) -> None:
    """Write a host that ought to be there and is not: it owes what the host of RESULTS did."""
    workflow.leave_word(host, why, like, output)


@click.command("compare")
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--format", "form", type=click.Choice(["text", "markdown"]), default="text")
def compare_command(old: Path, new: Path, form: str) -> None:
    """What changed from one results file to another; ends with 1 where something got worse."""
    changes = compare(read(old), read(new))
    if form == "markdown":
        click.echo(comparison.markdown(changes), nl=False)
    else:
        Console().print(comparison.terminal(changes))
    sys.exit(workflow.FAILED if changes.has_regressed else workflow.PASSED)


@click.group("expect")
def expect_group() -> None:
    """Known defects of your own."""


@expect_group.command("update")
@click.argument("results", type=_FILE)
@click.option("-o", "output", type=_FILE, required=True, metavar="FILE")
def expect_update_command(results: Path, output: Path) -> None:
    """Add the failures that nobody expected to a file, for you to say what is broken."""
    number = workflow.draft_expectations(results, output)
    if not number:
        click.echo("There is no failure that nobody expects; nothing was written.")
    else:
        click.echo(
            f"{number} added to {output}; write their reasons and links before you use the file."
        )


@click.group("history")
def history_group() -> None:
    """The outcome of every cell over time, in one file."""


@history_group.command("add")
@click.argument("file", type=_FILE)
@click.argument("results", type=_FILE)
@click.option("--as", "name", help="What the report's only host is called over time.")
def history_add_command(file: Path, results: Path, name: str | None) -> None:
    """Add a run to FILE, which is made where there is none.

    The name of a host has the versions of Python and Twisted in it. With --as, what ran on one
    version and what ran on the next are in one line.
    """
    report = read(results)
    is_new = history.add(file, report, workflow.history_names(report, name))
    click.echo(f"{'Added to' if is_new else 'This run is already in'} {file}.")


@history_group.command("show")
@click.argument("file", type=_FILE)
@click.argument("pattern", default="*")
@click.option("--last", type=click.IntRange(1), default=30, show_default=True, metavar="N")
def history_show_command(file: Path, pattern: str, last: int) -> None:
    """The cells that match PATTERN and were not always accepted in the last N runs."""
    Console().print(trends.terminal(history.trends(file, pattern, last)))


@history_group.command("prune")
@click.argument("file", type=_FILE)
@click.option("--keep", type=click.IntRange(1), required=True, metavar="N", help="Runs to keep.")
def history_prune_command(file: Path, keep: int) -> None:
    """Forget all but the last N runs."""
    click.echo(f"{history.prune(file, keep)} runs forgotten.")


COMMANDS: tuple[click.Command, ...] = (
    merge_command,
    missing_command,
    compare_command,
    expect_group,
    history_group,
)
"""All of these."""
