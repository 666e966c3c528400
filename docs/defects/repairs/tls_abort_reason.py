"""Import this, and ../tls_abort_reason.py exits 0: an aborted connection reads no end of file.

That it does shows the cause. It is no proposal of how Twisted should be changed.
"""

from twisted.internet.error import ConnectionAborted
from twisted.protocols.tls import TLSMemoryBIOProtocol

connection_lost = TLSMemoryBIOProtocol.connectionLost


def repaired(self, reason):
    """As Twisted's, but after an abort the read BIO is left alone."""
    if reason.check(ConnectionAborted):
        self._lostTLSConnection = True
    connection_lost(self, reason)


TLSMemoryBIOProtocol.connectionLost = repaired
