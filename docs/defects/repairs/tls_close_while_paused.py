"""Import this, and ../tls_close_while_paused.py exits 0: no producer outlives its TLS.

That it does shows the cause. It is no proposal of how Twisted should be changed.
"""

from twisted.protocols.tls import TLSMemoryBIOProtocol

shutdown_finished = TLSMemoryBIOProtocol._tlsShutdownFinished


def repaired(self, reason):
    """As Twisted's, but first the producer of a connection that is still up is told to stop."""
    producer = self.transport.producer
    if producer is not None:
        self.unregisterProducer()
        producer.stopProducing()
    shutdown_finished(self, reason)


TLSMemoryBIOProtocol._tlsShutdownFinished = repaired
