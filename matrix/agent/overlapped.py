"""What of a transport's overlapped sends is still under way, as its reactor's completion port says.

A reactor over I/O completion ports hands bytes over and is told later that they were taken. Until
then they are the transport's, and nobody else can say how many the kernel has of them.
"""

from __future__ import annotations

_ERROR_IO_PENDING = 997


class Sends:
    """Counts the bytes of every send that was begun and of which no completion has come."""

    def __init__(self, transport):
        self.pending = 0
        self._send = transport.writeToHandle
        transport.writeToHandle = self._begin

    def _begin(self, buffer, event):
        size, callback = len(buffer), event.callback

        def completed(code, count, event):
            self.pending -= size
            callback(code, count, event)

        event.callback = completed
        self.pending += size
        code, count = self._send(buffer, event)
        if code not in (0, _ERROR_IO_PENDING):
            self.pending -= size  # it never began, and nothing will complete
        return code, count


def watch(transport):
    """The `Sends` of a transport from now on, or None where it has no overlapped ones."""
    return Sends(transport) if _is_overlapped(transport) else None


def reads_after_made(transport):
    """Whether the transport begins to read when ``connectionMade`` returns, paused or not."""
    return _is_overlapped(transport)


def _is_overlapped(transport):
    return hasattr(transport, "writeToHandle")
