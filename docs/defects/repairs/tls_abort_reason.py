"""Import this, and ../tls_abort_reason.py exits 0: after an abort TLS gives no reason of its own.

That it does shows the cause. It is no proposal of how Twisted should be changed.
"""

from twisted.protocols.tls import TLSMemoryBIOProtocol

shutdown_finished = TLSMemoryBIOProtocol._tlsShutdownFinished


def repaired(self, reason):
    """As Twisted's, but what comes after the abort of the transport is not kept as the reason."""
    shutdown_finished(self, None if self.transport._aborting else reason)


TLSMemoryBIOProtocol._tlsShutdownFinished = repaired
