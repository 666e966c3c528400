"""Import this, and ../iocp_accept_socket.py exits 0: a port that is closed closes that socket.

That it does shows the cause. It is no proposal of how Twisted should be changed. Where there is no
IOCP, there is nothing to repair.
"""

try:
    from twisted.internet.iocpreactor.tcp import Port
except ImportError:
    pass
else:
    handle_accept = Port.handleAccept

    def repaired(self, rc, evt):
        """As Twisted's, but the socket that was made ahead and will not be used is closed."""
        if self.disconnecting or self.disconnected:
            evt.newskt.close()
            return False
        return handle_accept(self, rc, evt)

    Port.handleAccept = repaired
