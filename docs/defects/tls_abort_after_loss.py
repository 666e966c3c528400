"""abortConnection() of a TLS transport raises AttributeError once the connection is lost.

Rule: abort-idempotent. Sentence: ITCPTransport.abortConnection, “Close the connection abruptly”: it
documents no exception, and over plain TCP a call after the loss does nothing. Suspected:
twisted.protocols.tls, TLSMemoryBIOProtocol.connectionLost sets _tlsConnection to None, and
abortConnection calls _shutdownTLS, which calls its shutdown(). It does not matter how the
connection was lost, nor how far it ever got.

    python tls_abort_after_loss.py [REACTOR]    exits 1 where the defect is there
"""

import sys

from twisted.application.reactors import installReactor
from twisted.internet import protocol, ssl, task

reactor = installReactor((sys.argv[1:] or ["default"])[0])


class Aborter(protocol.Protocol):
    def connectionMade(self):
        self.transport.abortConnection()

    def connectionLost(self, reason):
        again = task.deferLater(reactor, 0, self.transport.abortConnection)
        again.addBoth(seen.append).addBoth(lambda _: reactor.stop())


seen = []
accept = protocol.Factory.forProtocol(protocol.Protocol)
port = reactor.listenTCP(0, accept, interface="127.0.0.1").getHost().port
connect = protocol.ClientFactory.forProtocol(Aborter)
reactor.connectSSL("127.0.0.1", port, connect, ssl.CertificateOptions())
reactor.run()
raised = "nothing" if seen == [None] else repr(seen[0].value)
print(f"abortConnection() after connectionLost raised: expected nothing, seen {raised}")
sys.exit(seen != [None])
