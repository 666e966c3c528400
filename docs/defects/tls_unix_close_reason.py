"""After an orderly end of TLS on a UNIX socket, the end that closed is told that it was unclean.

Rule: reason-fits. Sentence: ITransport.loseConnection, “Close my connection, after writing all
pending data”; over TCP the same call ends with ConnectionDone. Suspected: once the other end has
answered and closed its socket, FileDescriptor.doWrite (twisted.internet.abstract) still writes the
empty buffer, which a UNIX socket refuses then; poll and epoll see a hang-up before that, of which
_PollLikeMixin._doReadOrWrite (twisted.internet.posixbase) makes a loss. No full buffer is needed.

    python tls_unix_close_reason.py [REACTOR]        exits 1 where the defect is there
"""

import sys
import tempfile

from twisted.application.reactors import installReactor
from twisted.internet import protocol, ssl
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.test.ssl_helpers import certPath

reactor = installReactor((sys.argv[1:] or ["default"])[0])


class Closes(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.loseConnection()

    def connectionLost(self, reason):
        seen.append(reason.type.__name__)
        reactor.stop()


class Greets(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"?")


def over_tls(kind, options, is_client):
    factory = protocol.ClientFactory.forProtocol(kind)
    return TLSMemoryBIOFactory(options, is_client, factory)


seen = []
server = ssl.DefaultOpenSSLContextFactory(certPath, certPath)  # Twisted's own, for its tests
with tempfile.TemporaryDirectory() as folder:
    reactor.listenUNIX(f"{folder}/socket", over_tls(Greets, server, False))
    reactor.connectUNIX(f"{folder}/socket", over_tls(Closes, ssl.CertificateOptions(), True))
    reactor.run()
print(f"reason of connectionLost: expected ConnectionDone, seen {seen[0]}")
sys.exit(seen != ["ConnectionDone"])
