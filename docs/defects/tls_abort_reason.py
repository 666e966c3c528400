"""After abortConnection() over TLS the reason is ConnectionLost, where it ought to be the abort.

Rule: reason-aborted. Sentence: twisted.internet.error.ConnectionAborted, “Connection was aborted
locally, using ITCPTransport.abortConnection”; over plain TCP that is the reason. Suspected:
twisted.protocols.tls, TLSMemoryBIOProtocol.connectionLost: it shuts the read BIO down and reads
on; _flushReceiveBIO takes that for the peer's end of file, and what _tlsShutdownFinished then
keeps in _reason wins over the reason that connectionLost was given. No full buffer is needed.

    python tls_abort_reason.py [REACTOR]        exits 1 where the defect is there
"""

import sys

from twisted.application.reactors import installReactor
from twisted.internet import interfaces, protocol, ssl
from zope.interface import implementer

reactor = installReactor((sys.argv[1:] or ["default"])[0])


@implementer(interfaces.IHandshakeListener)
class Aborter(protocol.Protocol):
    def handshakeCompleted(self):
        reactor.callLater(0, self.transport.abortConnection)

    def connectionLost(self, reason):
        seen.append(reason.type.__name__)
        reactor.stop()


seen = []
certificate = ssl.KeyPair.generate(size=2048).selfSignedCert(1, CN="localhost")
accept = protocol.Factory.forProtocol(protocol.Protocol)
port = reactor.listenSSL(0, accept, certificate.options(), interface="127.0.0.1").getHost().port
connect = protocol.ClientFactory.forProtocol(Aborter)
reactor.connectSSL("127.0.0.1", port, connect, ssl.CertificateOptions())
reactor.run()
print(f"reason of connectionLost: expected ConnectionAborted, seen {seen[0]}")
sys.exit(seen != ["ConnectionAborted"])
