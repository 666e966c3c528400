"""Import this, and ../tcp_abort_then_raise.py exits 0: what was aborted is not closed in order.

That it does shows the cause. It is no proposal of how Twisted should be changed.
"""

from twisted.internet.tcp import Connection

close_socket = Connection._closeSocket


def repaired(self, orderly):
    """As Twisted's, but an abort is an abort, whatever the reason is by now."""
    close_socket(self, orderly and not self._aborting)


Connection._closeSocket = repaired
