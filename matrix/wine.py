"""A private Windows Python under Wine: where it is, what it is made of, how it is started.

It lives in a folder of its own, with its own Wine prefix, and touches neither the user's prefix
nor any menu. `matrix.wine_install` makes it. Where there is none, asking for it looks for one file.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import platformdirs

from matrix.manager.interpreters import Interpreter

REACTORS = ("asyncio", "iocp", "select", "threadedselect", "win32")
"""Reactors that can be of use there; what else is selected, needs no Wine."""

PACKAGE = "wine"
"""The Debian package that has it."""


def home() -> Path:
    """The folder of the private Python, whether or not it is there."""
    return Path(platformdirs.user_data_dir("reactor-matrix", appauthor=False)) / "wine"


def starter(folder: Path) -> Path:
    """The script in that folder that starts its Python: the last thing that an install writes."""
    return folder / "python"


def is_installed() -> bool:
    """Whether the private Python is there."""
    return starter(home()).is_file()


def has_wine() -> bool:
    """Whether Wine itself is."""
    return shutil.which("wine") is not None


def interpreter() -> Interpreter | None:
    """How the private Python is started, or None where it was not installed."""
    return Interpreter((str(starter(home())),)) if is_installed() else None


def is_wanted(patterns: Iterable[str]) -> bool:
    """Whether patterns of reactors (none: all) name one that Wine is of use for."""
    wanted = tuple(patterns)
    return not wanted or any(fnmatchcase(name, each) for name in REACTORS for each in wanted)


def advice() -> str:
    """What gets the reactors of Windows to run here."""
    install = "reactor-matrix wine install"
    return install if has_wine() else f"apt-get install {PACKAGE}, and {install}"
