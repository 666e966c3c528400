"""On uvloop a protocol that resumes reading after a reset gets the bytes, but no connectionLost.

Rules: peer-lost-once, reactor-clean. Sentence: IProtocol.connectionLost, “Called when the
connection is shut down.” Suspected: libuv's uv__poll_io makes POLLERR into UV_EBADF and stops the
handle; to that, uvloop's UVPoll._fatal_error (handles/poll.pyx) runs the reader once, which reads
what came before the reset, and closes the handle: for the reset nobody calls the reader again.

    python uvloop_reset_unread.py [uvloop|asyncio]      exits 1 where the defect is there
"""

import importlib
import socket
import struct
import sys

from twisted.internet import asyncioreactor, protocol

asyncioreactor.install(importlib.import_module((sys.argv[1:] or ["uvloop"])[0]).new_event_loop())
from twisted.internet import reactor  # noqa: E402


class Peer(protocol.Protocol):
    def connectionMade(self):
        self.transport.pauseProducing()
        other.sendall(b"unread")
        other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        other.close()  # with a reset
        reactor.callLater(0.1, self.transport.resumeProducing)

    def connectionLost(self, reason):
        seen.append(reason.type.__name__)


seen = []
port = reactor.listenTCP(0, protocol.Factory.forProtocol(Peer), interface="127.0.0.1")
other = socket.create_connection(("127.0.0.1", port.getHost().port))
reactor.callLater(1, seen.append, "no call within 0.9 s")
reactor.callLater(1, reactor.stop)
reactor.run()
print(f"connectionLost after the reset: expected ConnectionLost, seen {seen[0]}")
sys.exit(seen[0] != "ConnectionLost")
