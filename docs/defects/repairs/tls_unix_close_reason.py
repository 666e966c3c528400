"""Import this, and ../tls_unix_close_reason.py exits 0: who has nothing left to send is done.

That it does shows the cause. It is no proposal of how Twisted should be changed.
"""

from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.posixbase import _DisconnectSelectableMixin

disconnect = _DisconnectSelectableMixin._disconnectSelectable


def repaired(self, selectable, why, is_read):
    """As Twisted's, but an orderly close that has sent all of its buffer was none in vain."""
    if why is CONNECTION_LOST and selectable.disconnecting and not selectable.dataBuffer:
        why = CONNECTION_DONE
    disconnect(self, selectable, why, is_read)


_DisconnectSelectableMixin._disconnectSelectable = repaired
