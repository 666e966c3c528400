"""One cell as a script of its own, which needs Twisted alone (and pyOpenSSL for TLS).

It is composed of the parts in ``templates`` that the cell needs, and what it imports is read off
it. It plays the scenario as `matrix.agent` does, in as few lines as that takes, and says of each
rule whether it holds, what was expected and what was seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from symtable import SymbolTable, symtable
from textwrap import fill

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined

from matrix import expectations, wire
from matrix.model.cell import Cell
from matrix.model.scenarios import NEVER_FULL, SCENARIOS, Scenario, find, why_left_out
from matrix.render.reproduction.observations import (
    CLOSES,
    Observation,
    has_producer,
    observations,
)
from matrix.rules import rule

WIDTH = 96
"""Columns of a script's docstring."""

RESETS = ("abort-after-loss", "peer-resets-while-full", "peer-vanishes-while-full")
"""Scenarios after which the peer is no more."""

HALF_CLOSES = ("unregister-then-lose", "abort-while-half-closed", "peer-resets-while-full")
"""Scenarios in which the aborter knows half-closes."""

PAUSES = ("abort-while-paused", "abort-after-loss")
"""Scenarios in which the aborter's own reading is paused."""

_STDLIB = (
    "contextlib",
    "ctypes",
    "faulthandler",
    "fcntl",
    "gc",
    "os",
    "select",
    "socket",
    "struct",
    "sys",
    "tempfile",
    "termios",
    "threading",
    "warnings",
    "weakref",
)
_FROM = {
    "OpenSSL": ("SSL",),
    "twisted.application.reactors": ("installReactor",),
    "twisted.internet": ("asyncioreactor", "defer", "error", "interfaces", "ssl", "task"),
    "twisted.internet.protocol": ("ClientFactory", "Protocol"),
    "twisted.protocols": ("policies",),
    "twisted.protocols.tls": ("TLSMemoryBIOFactory",),
    "twisted.python": ("log",),
    "twisted.test.ssl_helpers": ("certPath",),
    "zope.interface": ("implementer",),
}
"""Where a script gets a name from that it uses."""


@frozen
class _Transport:
    """What a script has to know of a transport. ``tls`` is a version, or empty."""

    family: str
    host: str
    tls: str

    @property
    def is_unix(self) -> bool:
        return self.family == "AF_UNIX"


_TRANSPORTS = {
    "tcp4": _Transport("AF_INET", "127.0.0.1", ""),
    "tcp6": _Transport("AF_INET6", "::1", ""),
    "unix": _Transport("AF_UNIX", "", ""),
    "tls1.2": _Transport("AF_INET", "127.0.0.1", "1.2"),
    "tls1.3": _Transport("AF_INET", "127.0.0.1", "1.3"),
    "tls-unix": _Transport("AF_UNIX", "", "1.3"),
}

_PARTS = Environment(
    loader=PackageLoader("matrix.render.reproduction"),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # this is Python, and no page
    auto_reload=False,
)


_SCENARIOS = frozenset(scenario.name for scenario in SCENARIOS)
_PLAIN = re.compile(r"[\w.-]+", re.ASCII)


def has_script(cell: Cell) -> bool:
    """Whether `script` can write one: of a cell that a results file has, this version may not know.

    Nor can a reactor's name be just any text, for a file may come from anywhere.
    """
    return (
        cell.scenario in _SCENARIOS
        and cell.transport in _TRANSPORTS
        and cell.side in wire.SIDES
        and cell.peer in wire.PEERS
        and _PLAIN.fullmatch(cell.reactor) is not None
        and why_left_out(cell) is None
    )


def script(cell: Cell) -> str:
    """The text of a script that plays the cell by itself.

    It exits 1 where it sees a rule broken, 0 where it sees none, and 2 where the case did not come
    about. The cell must be one of the matrix (`matrix.plan.one`, `has_script`).
    """
    scenario = find(cell.scenario)
    looked_at = observations(cell)
    body = _PARTS.get_template("script.py.j2").render(
        cell=cell,
        reactor=json.dumps(cell.reactor),
        name=cell.scenario,
        scenario=scenario,
        transport=_TRANSPORTS[cell.transport],
        observations=looked_at,
        rules=[each.rule for each in looked_at],
        never_full=scenario.state == NEVER_FULL,
        produces=has_producer(scenario),
        small_buffers=scenario.name != "abort-when-full-default-buffers",
        is_load=scenario.family == "load",
        starts_tls=scenario.name == "start-tls-then-abort",
        at_once=scenario.name == "abort-when-full-at-once",
        answered=scenario.name != "abort-in-handshake",
        closes=scenario.name in CLOSES,
        half_closes=scenario.name in HALF_CLOSES,
        pauses=scenario.name in PAUSES,
        sleeps=scenario.name in ("abort-from-thread", "abort-after-timeout"),
        resets=scenario.name in RESETS,
    )
    imports = _imports(body.replace(json.dumps(cell.reactor), '""'))
    return f'"""{_head(cell, scenario, looked_at)}"""\n\n{imports}\n\n{body.strip()}\n'


def _head(cell: Cell, scenario: Scenario, looked_at: tuple[Observation, ...]) -> str:
    peer = "a plain socket" if cell.peer == "socket" else "a protocol on the same reactor"
    needs = "Twisted and pyOpenSSL" if cell.is_tls else "Twisted"
    side = f"The {cell.side} aborts" if scenario.aborts else f"It is the {cell.side} that is told"
    parts = [
        f"{cell.id}, with {needs} alone.",
        f"{scenario.does} {side}; its peer is {peer}. By {scenario.source}",
        *_known(cell, looked_at),
        "Exits 1 where a rule is broken, 0 where none is, 2 where it did not come to that.",
    ]
    text = "\n\n".join(fill(part, WIDTH, break_on_hyphens=False) for part in parts) + "\n"
    return text.replace("\\", "\\\\").replace('"', '\\"')


_shipped = cache(expectations.shipped)


def _known(cell: Cell, looked_at: tuple[Observation, ...]) -> Iterator[str]:
    """The rules that such a cell is known to break somewhere, with the sentences behind them."""
    entries = [
        entry
        for entry in _shipped()
        if any(fnmatchcase(cell.id, pattern) for pattern in entry.cells)
    ]
    for each in looked_at:
        links = [entry.link for entry in entries if each.rule in entry.rules]
        clause = rule(each.rule)
        if links and clause is not None:
            yield f"{clause.name}: {clause.expects} By {clause.source} Known: {', '.join(links)}"


@cache  # a page has the scripts of many cells, and often it is the reactor alone that differs
def _imports(body: str) -> str:
    """The import statements for all that a script uses."""
    used = set(_globals(symtable(body, "script", "exec")))
    stdlib = [f"import {name}" for name in _STDLIB if name in used]
    if "stdlib_ssl" in used:
        stdlib.append("import ssl as stdlib_ssl")
    others = [f"import {name}" for name in ("qreactor", "uvloop") if name in used]
    for module, names in _FROM.items():
        if wanted := [name for name in names if name in used]:
            others.append(f"from {module} import {', '.join(wanted)}")
    return "\n".join([*sorted(stdlib, key=lambda line: line.split()[1]), "", *others])


def _globals(table: SymbolTable) -> Iterator[str]:
    """The global names that a text refers to."""
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module"):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals(child)
