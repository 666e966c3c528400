"""Over TLS, unregisterProducer() raises where the connection was aborted and is lost.

Rule: late-calls-ignored. Sentence: IConsumer.unregisterProducer, “Stop consuming data from a
producer, without disconnecting”: no exception is documented, and over TCP nothing happens.
Suspected: twisted.protocols.tls, TLSMemoryBIOProtocol.unregisterProducer, which ends TLS for a
transport that is disconnecting, with a TLS connection that connectionLost has set to None. No full
buffer is needed.

    python tls_unregister_after_abort.py [REACTOR]        exits 1 where the defect is there
"""

import sys

from twisted.application.reactors import installReactor
from twisted.internet import protocol, ssl
from twisted.test.ssl_helpers import certPath

reactor = installReactor((sys.argv[1:] or ["default"])[0])


class Aborts(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.registerProducer(self, True)
        self.transport.abortConnection()

    def stopProducing(self):
        reactor.callLater(0.1, self.clean_up)

    def clean_up(self):
        try:
            self.transport.unregisterProducer()
        except AttributeError as error:
            seen.append(repr(error))
        reactor.stop()


class Greets(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"?")


seen = []
options = ssl.DefaultOpenSSLContextFactory(certPath, certPath)  # Twisted's own, for its tests
accept = protocol.Factory.forProtocol(Greets)
port = reactor.listenSSL(0, accept, options, interface="127.0.0.1").getHost().port
connect = protocol.ClientFactory.forProtocol(Aborts)
reactor.connectSSL("127.0.0.1", port, connect, ssl.CertificateOptions())
reactor.run()
print(f"unregisterProducer() after an abort: expected nothing, seen {(seen or ['nothing'])[0]}")
sys.exit(bool(seen))
