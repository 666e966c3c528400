"""Where a protocol raises that is given bytes by the IOCP reactor, its connection may never end.

Rule: connection-lost-once. Sentence: IProtocol.connectionLost, “Called when the connection is shut
down.” Every other reactor shuts it down at once, with the exception as the reason. Suspected:
twisted.internet.iocpreactor.reactor, IOCPReactor._callEventCallback calls loseConnection, which
waits for the producer to be done, and reads no more.

    python iocp_exception_in_read.py [REACTOR]        exits 1 where the defect is there
"""

import sys

from twisted.application.reactors import installReactor
from twisted.internet import protocol
from twisted.python import log

reactor = installReactor((sys.argv[1:] or ["iocp"])[0])


class Victim(protocol.Protocol):
    def connectionMade(self):
        self.resumeProducing = self.stopProducing = lambda: None
        self.transport.registerProducer(self, False)

    def dataReceived(self, data):
        reactor.callLater(1, finish)
        raise RuntimeError("deliberate")

    def connectionLost(self, reason):
        seen.append("connectionLost")


class Peer(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"?")


def finish():
    told.append(seen[0] if seen else "nothing")  # what comes after it is the reactor's shutdown
    reactor.stop()


seen, told = [], []
log.startLoggingWithObserver(lambda _: None, setStdout=False)
port = reactor.listenTCP(0, protocol.Factory.forProtocol(Victim)).getHost().port
reactor.connectTCP("127.0.0.1", port, protocol.ClientFactory.forProtocol(Peer))
reactor.run()
print(f"after the exception: expected connectionLost, seen {told[0]}")
sys.exit(told != ["connectionLost"])
