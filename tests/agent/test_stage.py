"""When a connection is ready to be filled."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from matrix.agent.stage import LAST_WORDS, QUIET_TURNS, Stage

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """The aborter's end of a connection, and its peer's."""
    ends = socket.socketpair()
    yield ends
    for end in ends:
        end.close()


def turns_until_filled(aborter: socket.socket, read_in: int | None = None) -> int:
    """How many turns pass, where the aborter reads a byte in that one of them."""
    passed: list[str] = []

    def turns(count: int) -> Iterator[str]:
        assert count == 1
        if len(passed) == read_in:
            aborter.recv(1)
        passed.append("turn")
        yield "turn"

    number = aborter.fileno()
    ends: dict[str, Any] = {"aborter": SimpleNamespace(socket_number=number), "peer": None}
    made: Any = Stage
    for _ in made.see_peer_still(SimpleNamespace(**ends, turns=turns)):
        pass
    return len(passed)


def test_what_a_peer_still_has_to_send_is_waited_for(pair: Pair) -> None:
    """What it sends after it has said that it reads no more comes in a few turns."""
    assert turns_until_filled(pair[0]) == LAST_WORDS


def test_a_connection_is_filled_when_nothing_waits_to_be_read(pair: Pair) -> None:
    """With unread bytes a UNIX socket would reset the other end when it is closed."""
    pair[1].send(b"?")
    assert turns_until_filled(pair[0], read_in=LAST_WORDS + 3) == LAST_WORDS + 4


def test_an_aborter_that_does_not_read_is_filled_all_the_same(pair: Pair) -> None:
    """It may have paused itself."""
    pair[1].send(b"?")
    assert turns_until_filled(pair[0]) == QUIET_TURNS
