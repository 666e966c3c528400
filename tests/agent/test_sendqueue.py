"""The send queue of a connection by its addresses: Linux says the same of it as to its owner."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from typing import Any

import pytest

from matrix.agent import probes, sendqueue

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has these counts")

families = pytest.mark.parametrize(
    ("family", "host"),
    [
        (socket.AF_INET, "127.0.0.1"),
        pytest.param(
            socket.AF_INET6, "::1", marks=pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
        ),
    ],
)


def fill(sender: socket.socket) -> None:
    """Fill a socket that nobody reads from."""
    sender.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            sender.send(b"x" * 65536)


@families
def test_a_full_connection_has_what_its_owner_is_told(
    family: int, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for by its addresses, and looked up in the table, it has the bytes of the ioctl."""
    ask: Any = sendqueue.send_queue
    with socket.create_server((host, 0), family=family) as listener:
        sender = socket.create_connection(listener.getsockname()[:2])
        with sender, listener.accept()[0]:
            fill(sender)
            queued: Any = probes.send_queue
            ends = sender.getsockname(), sender.getpeername()
            assert ask(*ends) == queued(sender) > 0
            monkeypatch.setattr(sendqueue, "_asked", lambda *ends: None)
            assert ask(*ends) == queued(sender)


def test_a_connection_that_is_not_there_has_none() -> None:
    """Neither the kernel nor its table knows it."""
    ask: Any = sendqueue.send_queue
    assert ask(("127.0.0.1", 1), ("127.0.0.1", 2)) is None
