"""How the two ends get connected, by a reactor or by the standard library."""

from __future__ import annotations

import os
import socket
from collections import namedtuple
from functools import lru_cache

from matrix import wire
from matrix.agent.probes import borrowed

Transport = namedtuple("Transport", "name family tls")
"""``family`` is an address family, ``tls`` the TLS version over it or None."""

_LOOPBACK = {"tcp4": "127.0.0.1", "tcp6": "::1"}
_HOSTS = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
UNIX = getattr(socket, "AF_UNIX", None)
_FAMILIES = {"tcp4": socket.AF_INET, "tcp6": socket.AF_INET6, "unix": UNIX}


class Unsupported(Exception):
    """This transport cannot exist here: a reason code of `matrix.wire`, and words."""

    def __init__(self, code, detail):
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def parse(name):
    """The `Transport` of that name; TLS is wrapped over tcp4, tls-unix is TLS 1.3 over UNIX."""
    if name == "tls-unix":
        return Transport(name, UNIX, "tls1.3")
    is_tls = name.startswith("tls")
    return Transport(name, _FAMILIES["tcp4" if is_tls else name], name if is_tls else None)


def check_host(transport):
    """Raise `Unsupported` where this machine has no such socket."""
    if transport.family is None:
        raise Unsupported(wire.WRONG_PLATFORM, "this platform has no UNIX sockets")
    trouble = None if transport.family == UNIX else without_loopback(transport.family)
    if trouble is not None:
        detail = f"this machine has no loopback address for {transport.name}: {trouble}"
        raise Unsupported(wire.WRONG_PLATFORM, detail)


@lru_cache(maxsize=None)
def without_loopback(family):
    """Why nothing can listen on this machine's loopback address of that family, or None."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.bind((_HOSTS[family], 0))
    except OSError as error:
        return str(error)
    return None


def check_reactor(transport, reactor):
    """Raise `Unsupported` where this reactor does not offer the transport's interface."""
    from twisted.internet import interfaces

    name = "IReactorUNIX" if transport.family == UNIX else "IReactorTCP"
    if not getattr(interfaces, name).providedBy(reactor):
        raise Unsupported(wire.INTERFACE_MISSING, f"this reactor does not provide {name}")


def reactor_listener(reactor, transport, factory, folder, small_buffers):
    """A listening port of the reactor, and the address to which a peer connects.

    What it accepts inherits a small receive buffer, if it is to have one.
    """
    if transport.family == UNIX:
        path = _path(folder)
        return reactor.listenUNIX(path, factory), path
    port = reactor.listenTCP(0, factory, interface=_HOSTS[transport.family])
    number = _number(port)
    if small_buffers and number != -1:
        shrink_descriptor(number, transport.family, socket.SO_RCVBUF)
    return port, (_HOSTS[transport.family], port.getHost().port)


def _number(owner):
    """The number of a port's or a transport's socket, or -1.

    Over completion ports there is no ``fileno``, for nobody may select them.
    """
    own = owner if hasattr(owner, "fileno") else getattr(owner, "socket", None)
    return -1 if own is None else own.fileno()


def reactor_connection(reactor, transport, factory, address, small_buffers):
    """Begin to connect the reactor to the address, with a small receive buffer if it can have one.

    Twisted's clients have a socket at once, and connect it in a later turn. One that is connected
    already keeps its buffer: shrunk under a window that was offered, it never takes some segments.
    """
    if transport.family == UNIX:
        reactor.connectUNIX(address, factory)
        return
    connector = reactor.connectTCP(address[0], address[1], factory)
    number = _number(getattr(connector, "transport", None))
    if small_buffers and number != -1 and not _is_connected(number, transport.family):
        shrink_descriptor(number, transport.family, socket.SO_RCVBUF)


def _is_connected(number, family):
    with borrowed(number, family, socket.SOCK_STREAM) as sock:
        try:
            sock.getpeername()
        except OSError:
            return False
    return True


def stdlib_listener(transport, folder, small_buffers=True):
    """A listening socket whose connections have small receive buffers, or the system's."""
    sock = socket.socket(transport.family, socket.SOCK_STREAM)
    if small_buffers:
        shrink(sock, socket.SO_RCVBUF)
    sock.bind(_path(folder) if transport.family == UNIX else (_HOSTS[transport.family], 0))
    sock.listen(1)
    return sock


def stdlib_connection(transport, address, small_buffers=True):
    """A connected socket with a small receive buffer, set before it connects, or the system's."""
    sock = socket.socket(transport.family, socket.SOCK_STREAM)
    if small_buffers:
        shrink(sock, socket.SO_RCVBUF)
    sock.connect(address)
    return sock


def shrink(sock, option):
    """Make one of the socket's buffers small, so that it fills at once."""
    sock.setsockopt(socket.SOL_SOCKET, option, wire.SMALL_BUFFER)


def shrink_descriptor(number, family, option):
    """The same for a socket that is known by its number and owned by somebody else."""
    with borrowed(number, family, socket.SOCK_STREAM) as sock:
        shrink(sock, option)


def _path(folder):
    return os.path.join(folder, "socket")
