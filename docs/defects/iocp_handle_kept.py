"""A TLS connection that never ends is also kept by the IOCP reactor, among what is in use.

Rules: reactor-clean, released. Sentence: ITransport.loseConnection, “Close my connection, after
writing all pending data.” All is written, both ends have said goodbye, and nobody reads or writes.
Suspected: as in tls_close_while_paused; and twisted.internet.iocpreactor.abstract, whose FileHandle
leaves the reactor's handles in connectionLost alone, which never comes. Other reactors hold nothing
that neither reads nor writes.

    python iocp_handle_kept.py        exits 1 where the defect is there; needs Windows, or Wine
"""

import sys

from twisted.application.reactors import installReactor
from twisted.internet import protocol, ssl
from twisted.test.ssl_helpers import certPath

reactor = installReactor("iocp")


class Sender(protocol.Protocol):
    def dataReceived(self, data):
        for call in ("pauseProducing", "resumeProducing", "stopProducing"):
            setattr(self, call, lambda: None)
        self.transport.registerProducer(self, True)
        self.transport.write(bytes(1 << 22))


class Receiver(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"?")

    def dataReceived(self, data):
        self.transport.loseConnection()


def finish():
    seen.extend(type(each).__name__ for each in reactor.handles if each is not listening)
    reactor.stop()


seen = []
Receiver.connectionLost = lambda *_: reactor.callLater(1, finish)
options = ssl.DefaultOpenSSLContextFactory(certPath, certPath)  # Twisted's own, for its tests
listening = reactor.listenSSL(0, protocol.Factory.forProtocol(Sender), options)
connect = protocol.ClientFactory.forProtocol(Receiver)
reactor.connectSSL("127.0.0.1", listening.getHost().port, connect, ssl.CertificateOptions())
reactor.run()
print(f"connections in use at the end: expected none, seen {', '.join(seen) or 'none'}")
sys.exit(bool(seen))
