"""Hosts by name: a table in a project's own files says which command starts each.

    [tool.reactor-matrix.hosts]
    old = "/opt/old/bin/python"
    freebsd = "ssh build@freebsd.example python3.11"

It is looked for in `FILES`, in the folder that the command was given in, and only if a host is
asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from attrs import evolve

from matrix.errors import MatrixError, SettingsError
from matrix.manager.interpreters import Interpreter
from matrix.missing import check_host

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILES = ("reactor-matrix.toml", "pyproject.toml")
"""Both may have the table, in which case they are one."""

_TABLE = "tool.reactor-matrix"


def interpreters(texts: tuple[str, ...], folder: Path) -> tuple[Interpreter, ...]:
    """An interpreter for each text, which is the name of a host or a command.

    `MatrixError` where one is neither, or where the folder's tables cannot be understood.
    """
    known = hosts(folder) if texts else {}
    return tuple(known.get(text) or Interpreter.parse(text) for text in texts)


def hosts(folder: Path) -> dict[str, Interpreter]:
    """Every host that is named in the folder: name → interpreter."""
    found: dict[str, Interpreter] = {}
    for file in FILES:
        for name, interpreter in _named(folder / file):
            if name in found:
                both = " and ".join(FILES)
                raise SettingsError(f"The host {name} stands in {both}; take it out of one.")
            found[name] = interpreter
    return found


def _named(path: Path) -> Iterator[tuple[str, Interpreter]]:
    """The hosts in one file, which need not be there."""
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        for name in _TABLE.split("."):
            settings = _table(settings, name)
        commands = _table(settings, "hosts")
        unknown = sorted(settings.keys() - {"hosts"})
        if unknown:
            raise ValueError(f"[{_TABLE}] has hosts, and no {unknown[0]}")
        yield from [(name, _interpreter(name, command)) for name, command in commands.items()]
    except FileNotFoundError:
        return
    except OSError as error:
        raise SettingsError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"Cannot read {path}: save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"Cannot read {path}: it is not TOML: {error}.") from error
    except (ValueError, MatrixError) as error:
        raise SettingsError(f"The hosts in {path}: {str(error).rstrip('.')}.") from error


def _table(settings: dict[str, Any], name: str) -> dict[str, Any]:
    found = settings.get(name, {})
    if not isinstance(found, dict):
        raise ValueError(
            f'{name} is no table; write [{_TABLE}.hosts], and below it name = "COMMAND"'
        )
    return found


def _interpreter(name: str, command: object) -> Interpreter:
    check_host(name)
    if not isinstance(command, str):
        raise ValueError(f'{name} is no text; write, say, {name} = "ssh {name} python3"')
    return evolve(Interpreter.parse(command, name), host=name)
