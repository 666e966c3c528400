"""What can run on a host, what cannot, why, and what to install."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from matrix import wine, wire
from matrix.model.report import Host, Reactor, provenance_lines
from matrix.render.plain import visible

_ADVICE = {
    "uvloop": "pip install uvloop",
    "gi": "pip install 'PyGObject<3.51' (needs the headers of GObject-Introspection and cairo)",
    "gtk3": "pip install 'PyGObject<3.51' (needs the headers of GObject-Introspection and cairo)",
    "qt": "pip install qt-reactor PySide6-Essentials",
    "wx": "pip install wxPython",
    "kqueue": "run it on macOS or a BSD",
    "cf": "run it on macOS",
    "glib2": "nothing: PyGObject 2 exists for Python 2 alone",
    "gtk2": "nothing: PyGTK exists for Python 2 alone",
}


_OF_WINDOWS = ("iocp", "win32")


def _under_wine() -> str:
    if wine.is_installed():
        return "nothing: the host under Wine has it"
    return (
        f"run it on Windows, or: {wine.advice()}"
        if sys.platform == "linux"
        else "run it on Windows"
    )


def report(hosts: Iterable[Host]) -> RenderableType:
    """What each host says of itself, and of every reactor."""
    return Group(*(part for host in hosts for part in _host(host)))


def _host(host: Host) -> Iterator[RenderableType]:
    yield Text(host.id, style="bold")
    for name, value in provenance_lines(host):
        yield Text(f"  {name}: {visible(str(value))}")
    table = Table("reactor", "runs here", "why not", "what to do", box=None, pad_edge=False)
    for reactor in host.reactors:
        table.add_row(*_row(reactor))
    yield table


def _row(reactor: Reactor) -> tuple[Text, ...]:
    if reactor.is_supported:
        return Text(reactor.name), Text("yes"), Text(""), Text("")
    why = f"{reactor.code}: {visible(reactor.detail)}"
    advice = _ADVICE.get(reactor.name, "")
    if reactor.name in _OF_WINDOWS and reactor.code == wire.WRONG_PLATFORM:
        advice = _under_wine()
    if reactor.code == wire.IMPORT_FAILED:
        advice = "mend the installation: its module is there, and its import fails"
    return Text(reactor.name), Text("no"), Text(why), Text(advice)
