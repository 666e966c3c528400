"""An exception right after abortConnection() makes an orderly end of it: the peer sees no reset.

Rules: peer-told, peer-reason. Sentence: ITCPTransport.abortConnection, “if possible, notifies the
other end of the unclean closure”. Suspected: twisted.internet.tcp, Connection.connectionLost. The
reactor calls it at once, with the exception that dataReceived raised, and it closes the socket in
good order for any reason but ConnectionAborted. No full buffer is needed: with one, the stream
ends in the middle, and looks complete.

    python tcp_abort_then_raise.py [REACTOR]    exits 1 where the defect is there
"""

import sys

from twisted.application.reactors import installReactor
from twisted.internet import protocol
from twisted.python import log

reactor = installReactor((sys.argv[1:] or ["default"])[0])


class Aborter(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.abortConnection()
        raise RuntimeError("right after the abort")


class Peer(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"?")

    def connectionLost(self, reason):
        seen.append(reason.type.__name__)
        reactor.stop()


seen = []
log.startLoggingWithObserver([].append, setStdout=False)  # the exception, rightly
accept = protocol.Factory.forProtocol(Aborter)
port = reactor.listenTCP(0, accept, interface="127.0.0.1").getHost().port
reactor.connectTCP("127.0.0.1", port, protocol.ClientFactory.forProtocol(Peer))
reactor.run()
print(f"reason of the peer's connectionLost: expected ConnectionLost, seen {seen[0]}")
sys.exit(seen != ["ConnectionLost"])
