"""Which reactors there are, whether they can exist here, and how one gets installed.

Twisted's plugins name them, so third-party reactors are found and not listed.
The few that register no plugin, or that are another realization of one that
does, are in `_MORE`.
"""

from __future__ import annotations

import importlib
import os
import select
import sys
from collections import namedtuple
from functools import partial
from types import SimpleNamespace

from matrix import wire
from matrix.agent import windows

Known = namedtuple("Known", "name description module install realization")
"""``module`` may be None for a plugin that does not say what it imports.

``install()`` installs it, and may return the name of the event loop that is under it.
``realization`` is one of `matrix.wire`.
"""

Trouble = namedtuple("Trouble", "code detail")

_NEEDS = {
    "iocp": (lambda: os.name == "nt", "Windows"),
    "win32": (lambda: os.name == "nt", "Windows"),
    "cf": (lambda: sys.platform == "darwin", "macOS"),
    "epoll": (lambda: hasattr(select, "epoll"), "epoll(7), which is Linux's"),
    "kqueue": (lambda: hasattr(select, "kqueue"), "kqueue(2), which is BSD's and macOS's"),
    "kqueue_emulated_rw": (lambda: hasattr(select, "epoll"), "epoll(7), to emulate kevent(2) with"),
    "kqueue_emulated_wr": (
        lambda: hasattr(select, "epoll"),
        "epoll(7), to emulate kevent(2) with",
    ),
    "poll": (lambda: hasattr(select, "poll"), "poll(2)"),
}


def _install_uvloop():
    import uvloop
    from twisted.internet import asyncioreactor

    loop = uvloop.new_event_loop()
    asyncioreactor.install(loop)
    return f"{type(loop).__module__}.{type(loop).__qualname__} {uvloop.__version__}"


def _install_asyncio_on_windows():
    """With a loop that has readers and writers, which the default one there has not."""
    import asyncio

    from twisted.internet import asyncioreactor

    loop = asyncio.SelectorEventLoop()
    asyncioreactor.install(loop)
    return f"{type(loop).__module__}.{type(loop).__qualname__}"


def _install_qt():
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import qreactor

    qreactor.install()


def _install_kqueue(queue):
    """KQueueReactor, unmodified, over the emulation."""
    from matrix.agent import kevent

    with kevent.on_select():
        from twisted.internet import kqreactor
    from twisted.internet.main import installReactor

    offered = SimpleNamespace(kqueue=getattr(kevent, queue), kevent=kevent.kevent)
    installReactor(kqreactor.KQueueReactor(_kqueueImpl=offered))


_KQUEUE = "KQueueReactor over an emulated kevent(2); TCP is Linux's; {} first"
_MORE = (
    Known(
        "uvloop", "asyncio reactor over uvloop's event loop", "uvloop", _install_uvloop, wire.NATIVE
    ),
    Known("qt", "Qt event loop, by qt-reactor", "qreactor", _install_qt, wire.NATIVE),
    Known(
        "kqueue_emulated_rw",
        _KQUEUE.format("READ"),
        "matrix.agent.kevent",
        partial(_install_kqueue, "kqueue"),
        wire.EMULATED,
    ),
    Known(
        "kqueue_emulated_wr",
        _KQUEUE.format("WRITE"),
        "matrix.agent.kevent",
        partial(_install_kqueue, "WriteFirst"),
        wire.EMULATED,
    ),
)


def catalogue(places=None):
    """Every reactor that this interpreter knows of: name → `Known`. Imports none of them.

    ``places`` are the `places` of the plugins, where another process has found them.
    """
    found = {known.name: known for known in _MORE}
    for plugin in _plugins() if places is None else map(_plugin_at, places):
        if plugin.shortName != "default":  # an alias
            module = getattr(plugin, "moduleName", None)
            found[plugin.shortName] = Known(
                plugin.shortName, plugin.description, module, plugin.install, wire.NATIVE
            )
    return {name: _as_here(known) for name, known in sorted(found.items())}


def _plugins():
    from twisted.application.reactors import getReactorTypes

    return list(getReactorTypes())


def places():
    """What another process needs to know of the plugins. To look for them takes many a file.

    Of one that is nothing but Twisted's own `Reactor` that is all that it says: ``(shortName,
    description, moduleName)``. Of any other it is where it is: ``(module, name)``.
    """
    from twisted.application.reactors import Reactor

    plugins = _plugins()
    wanted = {id(plugin) for plugin in plugins if type(plugin) is not Reactor}
    modules = [
        (name, module)
        for name, module in list(sys.modules.items())
        if name.startswith("twisted.plugins.")
    ]
    return [
        (plugin.shortName, plugin.description, plugin.moduleName)
        for plugin in plugins
        if type(plugin) is Reactor
    ] + [
        (module_name, name)
        for module_name, module in modules
        for name, value in vars(module).items()
        if id(value) in wanted
    ]


class _Said(namedtuple("_Said", "shortName description moduleName")):
    """A plugin that says where its ``install`` is: the plugin system itself is not needed."""

    __slots__ = ()

    def install(self):
        """Do what such a plugin does."""
        importlib.import_module(self.moduleName).install()


def _plugin_at(place):
    if len(place) == len(_Said._fields):
        return _Said(*place)
    module, name = place
    return getattr(importlib.import_module(module), name)


def _as_here(known):
    """What a reactor of Windows runs on under Wine, said wherever it appears."""
    if windows.IS_WINDOWS and known.name == "asyncio":
        known = known._replace(install=_install_asyncio_on_windows)
    if windows.WINE is None:
        return known
    description = f"{known.description.rstrip('.')}; on {windows.WINE}"
    return known._replace(description=description, realization=wire.WINE)


def trouble(known):
    """Why this reactor cannot exist here, as `Trouble`, or None. Imports its module."""
    is_here, need = _NEEDS.get(known.name, (lambda: True, ""))
    if not is_here():
        return Trouble(wire.WRONG_PLATFORM, f"needs {need}")
    if known.module is None:
        return None
    try:
        importlib.import_module(known.module)
    except Exception as error:
        missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
        if missing and missing.split(".")[0] != "twisted":
            return Trouble(wire.NOT_INSTALLED, f"needs the module {missing}")
        return Trouble(wire.IMPORT_FAILED, f"{type(error).__name__}: {error}")
    return None


def installed(known):
    """Install the reactor in this process; the fields of a `matrix.wire.REACTOR_INSTALLED` event.

    Raises whatever the installation raises.
    """
    loop = known.install()
    from twisted.internet import reactor

    kind = type(reactor)
    return {
        "class": kind.__qualname__,
        "module": kind.__module__,
        "realization": known.realization,
        "loop": loop,
    }
