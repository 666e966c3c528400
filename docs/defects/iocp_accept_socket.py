"""A listening port of the IOCP reactor leaves a socket to the garbage collector when it is stopped.

Rule: nothing-logged. Sentence: IListeningPort.stopListening, “Stop listening on this port. If it
does not complete immediately, will return Deferred that fires upon completion.” Suspected:
twisted.internet.iocpreactor.tcp, Port.doAccept makes the socket of the next connection ahead, and
Port.handleAccept returns without closing it where the port is being closed. It takes no connection.

    python iocp_accept_socket.py        exits 1 where the defect is there; needs Windows, or Wine
"""

import gc
import sys
import warnings

from twisted.internet import iocpreactor

iocpreactor.install()

from twisted.internet import protocol, reactor  # noqa: E402

seen = []
warnings.simplefilter("always", ResourceWarning)
warnings.showwarning = lambda *warned: seen.append(warned[1].__name__)


def stop():
    port.stopListening().addCallback(lambda _: reactor.callLater(0.1, reactor.stop))


port = reactor.listenTCP(0, protocol.Factory(), interface="127.0.0.1")
reactor.callWhenRunning(stop)
reactor.run()
gc.collect()
print(f"warnings of a port that was stopped: expected none, seen {', '.join(seen) or 'none'}")
sys.exit(bool(seen))
