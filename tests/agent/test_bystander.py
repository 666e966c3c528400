"""Which of the bystander's questions are asked, and which answers count."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from matrix.agent.bystander import PAUSE, Bystander


class Echo:
    """The other end of a bystander's connection, which answers when the test says so."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.now = 0.0
        host = SimpleNamespace(port=self._listener.getsockname()[1])
        port = SimpleNamespace(getHost=lambda: host)
        reactor = SimpleNamespace(listenTCP=lambda *given, **named: port)
        clock = SimpleNamespace(now=lambda: self.now)
        stage = SimpleNamespace(reactor=reactor, recorder=clock)
        self.bystander: Any = Bystander(stage)  # type: ignore[no-untyped-call]
        self._socket = self._listener.accept()[0]

    def answer(self) -> None:
        """Answer the question, and let the bystander see it."""
        self._socket.send(self._socket.recv(1))
        assert select.select([self.bystander._socket], [], [], 10)[0]
        self.bystander.look()

    def close(self) -> None:
        """End the connection."""
        for end in (self._socket, self._listener, self.bystander._socket):
            end.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    """A bystander that has asked its first question."""
    made = Echo()
    yield made
    made.close()


def test_pause(echo: Echo) -> None:
    """Where nobody waits for an answer, the next question comes after a pause, and not before."""
    echo.answer()
    assert (echo.bystander.asked, echo.bystander.answered) == (1, 1)
    echo.now = PAUSE
    echo.bystander.look()
    assert echo.bystander.asked == 2


def test_question_under_way_does_not_count(echo: Echo) -> None:
    """The answer to a question that was asked before says nothing of what comes after it."""
    echo.bystander.count_from_here()
    echo.answer()
    assert (echo.bystander.asked, echo.bystander.answered_since_abort) == (2, 0)
    echo.answer()
    assert echo.bystander.answered_since_abort == 1


def test_first_question_does_not_count(echo: Echo) -> None:
    """A read that was under way may take the first question; that there are more must show."""
    echo.answer()
    is_answered = echo.bystander.next_answer()
    echo.bystander.look()
    echo.answer()
    assert not is_answered()
    echo.answer()
    assert is_answered()
