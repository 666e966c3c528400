"""A producer's last small write is lost over TLS, when its connection is to be closed after it.

Rule: close-delivers. Sentence: ITransport.loseConnection, “Close my connection, after writing all
pending data. Note that if there is a registered producer on a transport it will not be closed until
the producer has been unregistered.” Suspected: twisted.protocols.tls, BufferingTLSTransport: small
writes wait for the next turn of the reactor. loseConnection flushes them first; unregisterProducer,
which is what closes here (TLSMemoryBIOProtocol.unregisterProducer, _shutdownTLS), does not.

    python tls_unflushed_write.py [REACTOR]  exits 1 where the defect is there
"""

import sys

from twisted.application.reactors import installReactor
from twisted.internet import protocol, ssl
from twisted.test.ssl_helpers import certPath

reactor = installReactor((sys.argv[1:] or ["default"])[0])


class Sender(protocol.Protocol):
    def dataReceived(self, data):
        self.pauseProducing = self.resumeProducing = self.stopProducing = lambda: None
        self.transport.registerProducer(self, True)
        self.transport.loseConnection()
        self.transport.write(b"the end")
        self.transport.unregisterProducer()


class Receiver(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"?")

    def dataReceived(self, data):
        seen.append(data)

    def connectionLost(self, reason):
        reactor.stop()


seen = []
options = ssl.DefaultOpenSSLContextFactory(certPath, certPath)  # Twisted's own, for its tests
accept = protocol.Factory.forProtocol(Sender)
port = reactor.listenSSL(0, accept, options, interface="127.0.0.1").getHost().port
connect = protocol.ClientFactory.forProtocol(Receiver)
reactor.connectSSL("127.0.0.1", port, connect, ssl.CertificateOptions())
reactor.run()
print(f"received: expected b'the end', seen {b''.join(seen)!r}")
sys.exit(b"".join(seen) != b"the end")
