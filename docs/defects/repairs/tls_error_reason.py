"""Import this, and ../tls_error_reason.py exits 0: after the handshake all errors are alike.

That it does shows the cause. It is no proposal of how Twisted should be changed.
"""

from twisted.internet.error import ConnectionLost
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

shutdown_finished = TLSMemoryBIOProtocol._tlsShutdownFinished


def repaired(self, reason):
    """As Twisted's, but any error after the handshake is kept as a ConnectionLost."""
    shutdown_finished(self, reason)
    if self._handshakeDone and self._reason is not None:
        self._reason = Failure(ConnectionLost())


TLSMemoryBIOProtocol._tlsShutdownFinished = repaired
