"""After a write that came too late, the reason of an abort over TLS is an error of OpenSSL.

The other face of `tls_abort_reason.py`, with the same rule, sentence and line. abortConnection()
shuts TLS down. While a producer is registered, what is written now, or was not flushed before, is
encrypted none the less; OpenSSL says “protocol is shutdown”; _tlsShutdownFinished keeps that in
_reason, and it wins over the reason that connectionLost was given.

    python tls_abort_error.py [REACTOR]         exits 1 where the defect is there
"""

import sys

from twisted.application.reactors import installReactor
from twisted.internet import protocol, ssl
from twisted.test.ssl_helpers import certPath

reactor = installReactor((sys.argv[1:] or ["default"])[0])


class Aborter(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.registerProducer(self, True)
        self.transport.abortConnection()
        self.transport.write(b"too late")

    def stopProducing(self):
        pass

    def connectionLost(self, reason):
        seen.append(reason.type.__name__)
        reactor.stop()


class Peer(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"?")


seen = []
options = ssl.DefaultOpenSSLContextFactory(certPath, certPath)  # Twisted's own, for its tests
accept = protocol.Factory.forProtocol(Aborter)
port = reactor.listenSSL(0, accept, options, interface="127.0.0.1").getHost().port
connect = protocol.ClientFactory.forProtocol(Peer)
reactor.connectSSL("127.0.0.1", port, connect, ssl.CertificateOptions())
reactor.run()
print(f"reason of connectionLost: expected ConnectionAborted, seen {seen[0]}")
sys.exit(seen != ["ConnectionAborted"])
