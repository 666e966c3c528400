"""What the manager configures once, before the first child is forked."""

from __future__ import annotations

import os
import sys

from matrix import wire
from matrix.agent import reactors
from matrix.agent.transports import Unsupported

_ALREADY = ("select", "poll", "epoll", "asyncio")
"""Reactors whose modules a child finds imported: they need nothing but the standard library."""


class Settings:
    """TLS contexts, or why there are none, and the modules to preload in every child."""

    def __init__(self):
        self.reactors = reactors.catalogue()
        self.contexts = {}
        self.preload: tuple[str, ...] = ()
        self._no_tls = Unsupported(wire.INTERFACE_MISSING, "TLS was not configured")

    def configure(self, command):
        """Take the manager's ``configure`` command, and import what every child needs."""
        self.preload = tuple(command["preload"])
        if self.preload:
            sys.path.append(os.getcwd())
        self._warm_up()
        try:
            from matrix.agent import tls

            self.contexts = tls.prepare(command["tls"])
        except ModuleNotFoundError as error:
            self._no_tls = Unsupported(wire.NOT_INSTALLED, f"TLS needs the module {error.name}")
        except Exception as error:
            detail = f"no TLS here: {type(error).__name__}: {error}"
            self._no_tls = Unsupported(wire.IMPORT_FAILED, detail)

    def check_tls(self, transport):
        """Raise `Unsupported` where the transport needs TLS and there is none."""
        if transport.tls and transport.tls not in self.contexts:
            raise self._no_tls

    def _warm_up(self):
        """Import, without installing anything, what children would import one by one."""
        from matrix.agent import control, faults, scenarios, stage  # noqa: F401

        for name in _ALREADY:
            if name in self.reactors:
                reactors.trouble(self.reactors[name])
