"""What the manager configures once: before the first child is forked, or for one process."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

from matrix import wire
from matrix.agent import probes, reactors, recorder, transports
from matrix.agent.transports import Unsupported

_ALREADY = ("select", "poll", "epoll", "asyncio", "iocp", "win32")
"""Reactors whose modules a child finds imported, or in its image, if they can be here."""


class Settings:
    """TLS contexts, or why there are none; modules to preload; where the witness is played."""

    def __init__(self, places=None):
        self._places = places
        self._reactors: Any = None
        self.contexts = {}
        self.preload: tuple[str, ...] = ()
        self.outpost: Any = None
        self._no_tls = Unsupported(wire.INTERFACE_MISSING, "TLS was not configured")

    @property
    def reactors(self):
        """The `reactors.catalogue`, made when it is first asked for."""
        if self._reactors is None:
            self._reactors = reactors.catalogue(self._places)
        return self._reactors

    def configure(self, command, versions=("tls1.2", "tls1.3"), has_reactor=True):
        """Take the manager's ``configure`` command; TLS contexts are made of those versions.

        Where there will be no reactor they are the standard library's alone.
        """
        self.preload = tuple(command["preload"])
        self.outpost = command.get("outpost")
        if self.outpost is not None:
            from matrix.agent.outpost import Host

            probes.host = Host(self.outpost)
        if self.preload:
            sys.path.append(os.getcwd())
        if not versions:
            return
        try:
            from matrix.agent import tls

            prepare = tls.prepare if has_reactor else tls.without_reactor
            self.contexts = prepare(command["tls"], versions)
        except ModuleNotFoundError as error:
            self._no_tls = Unsupported(wire.NOT_INSTALLED, f"TLS needs the module {error.name}")
        except Exception as error:
            detail = f"no TLS here: {type(error).__name__}: {error}"
            self._no_tls = Unsupported(wire.IMPORT_FAILED, detail)

    def check_tls(self, transport):
        """Raise `Unsupported` where the transport needs TLS and there is none."""
        if transport.tls and transport.tls not in self.contexts:
            raise self._no_tls

    def warm_up(self, names=_ALREADY):
        """Import and prepare, without installing anything, what children would one by one."""
        from zope.interface import implementedBy

        from matrix.agent import bystander, control, ends, faults, scenarios, stage  # noqa: F401

        recorder.begin_logging()
        for kind in (bystander.Echo, ends.OneOf, ends.Aborter, ends.ReactorPeer):
            implementedBy(kind)
        for family in (socket.AF_INET, socket.AF_INET6):
            transports.without_loopback(family)
        for name in names:
            if name in self.reactors:
                reactors.trouble(self.reactors[name])
