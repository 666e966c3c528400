"""Import this, and ../tls_abort_after_loss.py exits 0: what is lost is not aborted.

That it does shows the cause. It is no proposal of how Twisted should be changed.
"""

from twisted.protocols.tls import TLSMemoryBIOProtocol

abort_connection = TLSMemoryBIOProtocol.abortConnection


def repaired(self):
    """As Twisted's, but without a TLS connection there is nothing to shut down."""
    if self._tlsConnection is not None:
        abort_connection(self)


TLSMemoryBIOProtocol.abortConnection = repaired
