"""What an outpost tells of its machine, to who belongs to its run."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import pytest

from matrix.agent import probes
from matrix.agent.outpost import Host, OutpostFailed
from matrix.manager.outpost import outpost
from matrix.manager.run import _tls_material
from tests.agent.test_sendqueue import fill

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these counts")


def meanwhile(do: Callable[[Mapping[str, Any]], None]) -> None:
    """Do something while an outpost runs."""

    async def run() -> None:
        async with outpost(_tls_material()) as running:
            do(running)

    asyncio.run(run())


def test_it_tells_a_send_queue_to_who_has_the_token() -> None:
    """The number is what the owner's own system call says; another run's cell is refused."""

    def ask(running: Mapping[str, Any]) -> None:
        make: Any = Host
        queued: Any = probes.send_queue
        with socket.create_server(("127.0.0.1", 0)) as listener:
            sender = socket.create_connection(listener.getsockname())
            with sender, listener.accept()[0]:
                fill(sender)
                with closing(make(running)) as host:
                    assert host.send_queue(sender) == queued(sender) > 0
                stranger = closing(make({**running, "token": "another"}))
                with stranger as host, pytest.raises(OutpostFailed, match="not a cell of this run"):
                    host.send_queue(sender)

    meanwhile(ask)


def test_a_closed_socket_has_no_send_queue() -> None:
    """Nobody is asked for it."""
    make: Any = Host
    sock = socket.socket()
    sock.close()
    assert make({}).send_queue(sock) is None
