"""The commands that run a cell on several releases: parse, call, exit code; nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from matrix import candidates, environments, over_releases, workflow
from matrix.environments import Python
from matrix.errors import SearchError
from matrix.manager.interpreters import Interpreter
from matrix.model.candidate import Tried
from matrix.render import releases as tables
from matrix.rules import rule as find_rule
from matrix.store import RESULTS, read
from matrix.trying import Asked

_Command = TypeVar("_Command", bound=Callable[..., Any])

PACKAGES = ("twisted", "pyopenssl", "cryptography")
"""What cells are known to notice: whatever has releases would do."""

_OPTIONS = (
    click.option(
        "--package", type=click.Choice(PACKAGES), default=PACKAGES[0], help="Whose releases."
    ),
    click.option(
        "--python", "command", metavar="CMD", help="The Python to install into. Default: this one."
    ),
    click.option(
        "--with",
        "others",
        multiple=True,
        metavar="REQUIREMENT",
        help="Install this beside it, as pip takes it (pyopenssl==22.1.0); repeatable.",
    ),
)


def _installing(command: _Command) -> _Command:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _folder(default: str) -> Callable[[_Command], _Command]:
    return click.option(
        "-o",
        "folder",
        type=click.Path(path_type=Path),
        default=Path(default),
        show_default=True,
        help="Where the results of all runs go.",
    )


def _python(command: str | None) -> Python:
    return Python.behind(Interpreter.parse(command) if command else Interpreter.this())


def _tell(tried: Tried) -> None:
    """A line for each release as it was tried; what is asked for goes to stdout."""
    Console(stderr=True).print(tables.tried(tried), soft_wrap=True)


@click.command("versions")
@click.argument("cell")
@click.argument("releases", nargs=-1)
@_installing
@click.option("--from", "first", metavar="RELEASE", help="The first one, of the package index.")
@click.option("--to", "last", metavar="RELEASE", help="The last one. Default: the newest.")
@click.option("--repeat", type=click.IntRange(1), default=5, show_default=True)
@click.option("--format", "form", type=click.Choice(list(tables.FORMATS)), default="text")
@_folder("reactor-matrix-versions")
def versions_command(  # noqa: PLR0913 - each is an option
    cell: str,
    releases: tuple[str, ...],
    package: str,
    command: str | None,
    others: tuple[str, ...],
    first: str | None,
    last: str | None,
    repeat: int,
    form: str,
    folder: Path,
) -> None:
    """One CELL on several RELEASES of a package; of several cells, what changed.

    Without RELEASES on all that the package index has from the one to the other. CELL may be a
    pattern, such as 'epoll/tls1.3/*/client/socket'. What cannot be installed on this Python is
    shown as that, and is no failure.
    """
    if bool(releases) == bool(first or last):
        raise SearchError("Name the releases, or a range of them with --from and --to.")
    python = _python(command)
    asked = Asked.of(cell, python, others, repeat, folder)
    chosen = tuple(candidates.release(package, each) for each in releases)
    chosen = chosen or candidates.releases(python, package, first, last)
    tried = over_releases.versions(asked, chosen, _tell)
    report = read(folder / RESULTS)
    workflow.write_pages(report, folder)
    text = tables.FORMATS[form](over_releases.courses(tried))
    if isinstance(text, str):
        click.echo(text, nl=False)
    else:
        Console().print(text)
    click.echo(f"The page: {folder / 'index.html'}", err=True)
    sys.exit(over_releases.exit_code(tried))


@click.command("bisect")
@click.argument("cell")
@_installing
@click.option("--good", required=True, metavar="RELEASE", help="Where the cell is as it should be.")
@click.option("--bad", required=True, metavar="RELEASE", help="Where it is not; older, or newer.")
@click.option(
    "--checkout",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="PATH",
    help="A clone of the package: --good and --bad are revisions in it.",
)
@click.option("--rule", metavar="RULE", help="Bad is what breaks this rule, whatever else fails.")
@click.option("--repeat", type=click.IntRange(1), default=10, show_default=True)
@_folder("reactor-matrix-bisect")
def bisect_command(  # noqa: PLR0913 - each is an option
    cell: str,
    package: str,
    command: str | None,
    others: tuple[str, ...],
    good: str,
    bad: str,
    checkout: Path | None,
    rule: str | None,
    repeat: int,
    folder: Path,
) -> None:
    """The release of a package on which CELL changed.

    The two ends come first: the plainest thing is taken in which they differ beyond doubt. Then the
    releases between them are halved. Where a cell was mended, --good is the newer end. Ends with 0
    where one release is named, with 1 where others that can't be tested stand beside it, and with 2
    where the two ends do not differ.
    """
    if rule is not None and find_rule(rule) is None:
        raise SearchError(f"There is no rule {rule!r}; “reactor-matrix rules” has all of them.")
    python = _python(command)
    asked = Asked.of(cell, python, others, repeat, folder, alone=True)
    well, ill, between = candidates.ends(python, package, good, bad, checkout)
    answer = over_releases.find_change(asked, between, well, ill, rule, _tell)
    Console().print(tables.answer(answer))
    sys.exit(workflow.PASSED if answer.is_exact else workflow.FAILED)


@click.group("environments")
def environments_group() -> None:
    """The environments that versions and bisect have made, in the user's cache."""


@environments_group.command("show")
def environments_show_command() -> None:
    """Every environment, the one that was used last at the end."""
    for folder, said in environments.listed():
        click.echo(f"{folder}: {said['version'].split()[0]}, {' '.join(said['requirements'])}")


@environments_group.command("prune")
@click.option("--days", type=click.FloatRange(min=0), default=30, show_default=True)
def environments_prune_command(days: float) -> None:
    """Remove what was not used for so many days, and is not used now."""
    click.echo(f"{len(environments.prune(days))} environments removed.")


COMMANDS: tuple[click.Command, ...] = (versions_command, bisect_command, environments_group)
"""All of these."""
