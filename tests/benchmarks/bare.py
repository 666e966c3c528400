"""A cell with nothing but Twisted in it: what is left of a proved cell without any harness.

COUNT children, IN_FLIGHT at once, are forked from a process that has Twisted imported. Each
installs the epoll reactor, connects it to a peer that reads nothing, produces until the kernel
proves that the connection is not writeable, aborts it, and exits when it is told of the loss: no
witness, no bystander, no events, no look at what is left behind. `cells.py` runs this as a program
of its own, beside `floor.py`, which has the proof and no Twisted.
"""

from __future__ import annotations

import socket
import sys
from typing import Any

from twisted.internet import epollreactor, error, interfaces, protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.benchmarks import floor


@implementer(interfaces.IPushProducer)
class Aborter(protocol.Protocol):  # type: ignore[misc]
    """Produces until it is paused, looks until the proof is there, and aborts."""

    reactor: Any
    is_paused = is_aborted = False

    def connectionMade(self) -> None:
        """Make the buffer small and fill it."""
        handle = self.transport.getHandle()
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, floor.BUFFER)
        self.transport.registerProducer(self, True)
        self.resumeProducing()
        self.reactor.callLater(floor.PACE, self.look)

    def resumeProducing(self) -> None:
        """Write until the transport has enough."""
        self.is_paused = False
        while not self.is_paused:
            self.transport.write(floor.CHUNK)

    def pauseProducing(self) -> None:
        """The transport has enough."""
        self.is_paused = True

    def stopProducing(self) -> None:
        """The connection is gone."""

    def look(self) -> None:
        """Abort if the state is proved, else look again."""
        if floor.is_proved(self.transport.getHandle()):
            self.transport.abortConnection()
        else:
            self.reactor.callLater(floor.PACE, self.look)

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        """The end, which only the abort may bring about."""
        Aborter.is_aborted = bool(reason.check(error.ConnectionAborted))
        self.reactor.stop()


def play() -> bool:
    """One cell; whether the proof came in time, and the abort after it."""
    epollreactor.install()
    from twisted.internet import reactor

    running: Any = reactor
    Aborter.reactor = running
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, floor.BUFFER)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        factory = protocol.ClientFactory.forProtocol(Aborter)
        running.connectTCP(*listener.getsockname(), factory)
        running.callLater(floor.LIMIT, running.stop)
        running.run()
    return Aborter.is_aborted


if __name__ == "__main__":
    unproved = floor.main(int(sys.argv[1]), int(sys.argv[2]), play)
    if unproved:
        sys.exit(f"{unproved} of {sys.argv[1]} were not proved")
