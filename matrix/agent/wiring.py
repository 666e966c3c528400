"""How a cell's two ends are built and joined."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

from matrix.agent import ends, transports


class Wiring:
    """The aborter's and the peer's end of one cell's connection, as far as they are there.

    Everything in here that calls into the code under test may raise whatever that raises.
    """

    def __init__(self, stage, cell, contexts):
        self.aborter: Any = None
        self.peer: Any = None
        self.ports = []
        self._stage = stage
        self._aborter_is_client = cell["side"] == "client"
        self._has_witness = cell["peer"] == "socket"
        self._contexts = contexts.get(stage.transport.tls)
        self._folder = None
        if stage.transport.family == transports.UNIX:
            self._folder = tempfile.mkdtemp(prefix="")

    def connect(self):
        """Begin to connect; `aborter` and `peer` appear when their ends are there."""
        if not self._has_witness:
            address = self._listen()
        else:
            self.peer = self._witness(is_client=not self._aborter_is_client)
            if not self._aborter_is_client:
                self.peer.connect(self._listen())
                self._free_number_zero(self.peer.await_socket)
                return
            address = self.peer.listen(self._folder)
        if self._aborter_is_client:
            self._free_number_zero()
        self._dial(address)
        if not self._aborter_is_client:
            self._free_number_zero()

    def _free_number_zero(self, first=lambda: None):
        """If the aborter's socket is to be number 0: the next one in this process is, after it."""
        if self._stage.scenario.on_number_zero:
            first()
            os.close(0)

    def remove_folder(self):
        """Remove what a UNIX socket leaves in the file system."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _witness(self, is_client):
        stage = self._stage
        return stage.witnesses.make(
            stage.transport,
            is_client,
            exchange=stage.scenario.exchange,
            small_buffers=stage.scenario.small_buffers,
            starts_tls=stage.scenario.starts_tls,
            answers=stage.scenario.answered,
        )

    def _listen(self):
        stage = self._stage
        port, address = transports.reactor_listener(
            stage.reactor,
            stage.transport,
            self._factory(is_client=False),
            self._folder,
            stage.scenario.small_buffers,
        )
        self.ports.append(port)
        return address

    def _dial(self, address):
        stage, factory = self._stage, self._factory(is_client=True)
        small = stage.scenario.small_buffers
        transports.reactor_connection(stage.reactor, stage.transport, factory, address, small)

    def _factory(self, is_client):
        is_aborter = is_client == self._aborter_is_client
        role = "aborter" if is_aborter else "peer"
        factory = ends.OneOf(
            ends.Aborter if is_aborter else ends.ReactorPeer,
            self._stage,
            lambda protocol: setattr(self, role, protocol),
        )
        if self._contexts is None or self._stage.scenario.starts_tls:
            return factory
        from twisted.protocols.tls import TLSMemoryBIOFactory

        return TLSMemoryBIOFactory(self.tls_options(is_client), is_client, factory)

    def tls_options(self, is_client):
        """Twisted's TLS options for that end."""
        contexts = self._contexts
        if not self._stage.scenario.answered:
            return contexts.large_client if is_client else contexts.large_server
        return contexts.client if is_client else contexts.server
