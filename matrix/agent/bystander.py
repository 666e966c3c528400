"""Another connection on the same reactor, which must be served all the while."""

from __future__ import annotations

import socket

from twisted.internet.protocol import Protocol

from matrix.agent.ends import OneOf

PAUSE = 0.05
"""Seconds from one question to the next, where nobody waits for the answer."""


class Echo(Protocol):
    """The bystander's end on the reactor: sends back what it gets."""

    def __init__(self, stage):
        self.lost = False

    def dataReceived(self, data):
        """Send it back."""
        self.transport.write(data)

    def connectionLost(self, reason):
        """The connection is gone."""
        self.lost = True


class Bystander:
    """Asks the echo for one byte at a time, from a standard library socket that never blocks.

    ``asked`` and ``answered`` count questions; ``answered_since_abort`` those that were asked and
    answered after `count_from_here`, but for the first. Each takes three turns of the reactor,
    where a look at a state takes one: hence the `PAUSE`.
    """

    def __init__(self, stage):
        self.asked = self.answered = 0
        self._clock = stage.recorder
        self._mark = None
        self._awaited = 0
        self._echo = None
        factory = OneOf(Echo, stage, lambda echo: setattr(self, "_echo", echo))
        self._port = stage.reactor.listenTCP(0, factory, interface="127.0.0.1")
        # The kernel completes this without the reactor, which accepts it later.
        self._socket = socket.socket()
        self._socket.connect(("127.0.0.1", self._port.getHost().port))
        self._socket.setblocking(False)
        self._ask()

    def _ask(self):
        self._socket.send(b"?")
        self.asked += 1
        self._next_at = self._clock.now() + PAUSE

    def look(self):
        """Take an answer if there is one, and ask again when it is time to."""
        try:
            self.answered += len(self._socket.recv(1))
        except (BlockingIOError, ConnectionError):
            pass
        is_due = self.answered < self._awaited or self._clock.now() >= self._next_at
        if is_due and self.answered == self.asked:
            self._ask()

    def count_from_here(self):
        """The abort is about to be called: what was asked before does not count from here on."""
        self._mark = self._set_mark()

    def _set_mark(self):
        """The number of the last question whose answer says nothing of what comes from here on.

        That is one which is under way, or else the next one: over completion ports the read that
        will take it has begun already, and the echo's transport is not asked again.
        """
        mark = max(self.asked, self.answered + 1)
        self._awaited = mark + 1
        return mark

    @property
    def answered_since_abort(self):
        """Answers since the abort to questions that count."""
        return 0 if self._mark is None else max(0, self.answered - self._mark)

    def next_answer(self):
        """Whether what is asked from here on is answered: a function that tells."""
        mark = self._set_mark()
        return lambda: self.answered > mark

    def served(self):
        """The fields of a `matrix.wire.SERVED` event."""
        return {
            "asked": self.asked,
            "answered": self.answered,
            "answered_since_abort": self.answered_since_abort,
        }

    @property
    def is_gone(self):
        """Whether the echo has seen the end of its connection."""
        return self._echo is not None and self._echo.lost

    def close(self):
        """Close this end; returns the port, which is still to be stopped."""
        self._socket.close()
        return self._port
