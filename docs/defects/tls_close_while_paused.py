"""A TLS peer says goodbye while the producer is paused, and the connection never ends.

Rules: connection-lost-once, producer-stopped-once, descriptor-closed, nothing-logged. Sentence:
IProtocol.connectionLost, “Called when the connection is shut down.” Suspected: twisted.protocols.
tls, TLSMemoryBIOProtocol._tlsShutdownFinished: its transport.loseConnection() waits until the
producer is unregistered, and nobody asks the producer for that. Once the peer has read all, it is
even resumed, into a TLS connection that drops what is written. Bytes that are no TLS do the same.

    python tls_close_while_paused.py [REACTOR]  exits 1 where the defect is there
"""

import sys

from twisted.application.reactors import installReactor
from twisted.internet import protocol, ssl
from twisted.test.ssl_helpers import certPath

reactor = installReactor((sys.argv[1:] or ["default"])[0])


class Sender(protocol.Protocol):
    def dataReceived(self, data):
        for call in ("pauseProducing", "resumeProducing", "stopProducing", "connectionLost"):
            setattr(self, call, lambda *_, call=call: seen.append(call))
        self.transport.registerProducer(self, True)
        self.transport.write(bytes(1 << 22))


class Receiver(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"?")

    def dataReceived(self, data):
        self.transport.loseConnection()

    def connectionLost(self, reason):
        reactor.callLater(1, reactor.stop)


seen = []
options = ssl.DefaultOpenSSLContextFactory(certPath, certPath)  # Twisted's own, for its tests
accept = protocol.Factory.forProtocol(Sender)
port = reactor.listenSSL(0, accept, options, interface="127.0.0.1").getHost().port
connect = protocol.ClientFactory.forProtocol(Receiver)
reactor.connectSSL("127.0.0.1", port, connect, ssl.CertificateOptions())
reactor.run()
print(f"last calls: expected stopProducing, connectionLost; seen {seen[-2]}, {seen[-1]}")
sys.exit(seen[-2:] != ["stopProducing", "connectionLost"])
