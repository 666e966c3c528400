"""Import this, and ../uvloop_reset_unread.py exits 0: a reader is added anew after each call.

That it does shows the cause: the loop had dropped the reader. It is no proposal for a change.
"""

from twisted.internet.asyncioreactor import AsyncioSelectorReactor

read_or_write = AsyncioSelectorReactor._readOrWrite


def repaired(self, selectable, read):
    """As Twisted's, but a reader that is still wanted is taken off the loop and put back."""
    read_or_write(self, selectable, read)
    if read and selectable in self._readers:
        self.removeReader(selectable)
        self.addReader(selectable)


AsyncioSelectorReactor._readOrWrite = repaired
