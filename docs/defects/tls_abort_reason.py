"""After abortConnection() over TLS the reason is ConnectionLost, where it ought to be the abort.

Rule: reason-aborted. Sentence: twisted.internet.error.ConnectionAborted, “Connection was aborted
locally, using ITCPTransport.abortConnection”; over plain TCP that is the reason. Suspected:
twisted.protocols.tls, TLSMemoryBIOProtocol.connectionLost: it shuts the read BIO down and reads
on; _flushReceiveBIO takes that for the peer's end of file, and what _tlsShutdownFinished then
keeps in _reason wins over the reason that connectionLost was given. No full buffer is needed.

    python tls_abort_reason.py [REACTOR]        exits 1 where the defect is there
"""

import datetime as dt
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL.crypto import X509, PKey
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
key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
now = dt.datetime.now(dt.timezone.utc)
builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
builder = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=1))
cert = builder.public_key(key.public_key()).sign(key, hashes.SHA256())
options = ssl.CertificateOptions(PKey.from_cryptography_key(key), X509.from_cryptography(cert))
accept = protocol.Factory.forProtocol(protocol.Protocol)
port = reactor.listenSSL(0, accept, options, interface="127.0.0.1").getHost().port
connect = protocol.ClientFactory.forProtocol(Aborter)
reactor.connectSSL("127.0.0.1", port, connect, ssl.CertificateOptions())
reactor.run()
print(f"reason of connectionLost: expected ConnectionAborted, seen {seen[0]}")
sys.exit(seen != ["ConnectionAborted"])
