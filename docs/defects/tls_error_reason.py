"""A TLS connection that broke is lost with an OpenSSL error, where it ought to be ConnectionLost.

Rule: reason-fits. Sentence: IProtocol.connectionLost, “The reason Failure wraps a ConnectionDone or
ConnectionLost instance (or a subclass of one of those)”. TLSMemoryBIOProtocol says so too, of its
_handshakeDone: “If it has completed, any unexpected OpenSSL.SSL.Error will be turned into a
ConnectionLost”. Suspected: twisted.protocols.tls, TLSMemoryBIOProtocol._tlsShutdownFinished, which
does so with an end of file alone. No full buffer is needed.

    python tls_error_reason.py [REACTOR]        exits 1 where the defect is there
"""

import sys

from twisted.application.reactors import installReactor
from twisted.internet import protocol, ssl
from twisted.test.ssl_helpers import certPath

reactor = installReactor((sys.argv[1:] or ["default"])[0])


class Peer(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.transport.write(b"This is no TLS record.")


class Victim(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"?")

    def connectionLost(self, reason):
        seen.append(reason.type.__name__)
        reactor.stop()


seen = []
options = ssl.DefaultOpenSSLContextFactory(certPath, certPath)  # Twisted's own, for its tests
accept = protocol.Factory.forProtocol(Peer)
port = reactor.listenSSL(0, accept, options, interface="127.0.0.1").getHost().port
connect = protocol.ClientFactory.forProtocol(Victim)
reactor.connectSSL("127.0.0.1", port, connect, ssl.CertificateOptions())
reactor.run()
print(f"reason of connectionLost: expected ConnectionLost, seen {seen[0]}")
sys.exit(seen != ["ConnectionLost"])
