"""Import this, and ../tls_unregister_after_abort.py exits 0: what is lost consumes nothing.

That it does shows the cause. It is no proposal of how Twisted should be changed.
"""

from twisted.internet.tcp import Connection
from twisted.protocols.tls import TLSMemoryBIOProtocol


def unless_lost(method):
    """As Twisted's, but nothing where the connection is lost; after startTLS it is TCP's."""

    def repaired(self):
        if self.connected:
            method(self)

    return repaired


TLSMemoryBIOProtocol.unregisterProducer = unless_lost(TLSMemoryBIOProtocol.unregisterProducer)
Connection.unregisterProducer = unless_lost(Connection.unregisterProducer)
