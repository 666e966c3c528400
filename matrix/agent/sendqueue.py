"""Bytes in the send queue of a TCP connection that belongs to another process of this Linux."""

from __future__ import annotations

import errno
import socket
import struct

_TABLES = {socket.AF_INET: "/proc/net/tcp", socket.AF_INET6: "/proc/net/tcp6"}

# <linux/netlink.h>, <linux/sock_diag.h> and <linux/inet_diag.h>; see sock_diag(7)
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST = 4, 20, 1
_HEADER = "=IHHII"
_REQUEST = "=BBBxI"
_ANY_STATE, _ANY_INTERFACE, _NO_COOKIE = 0xFFFFFFFF, 0, 0xFFFFFFFFFFFFFFFF
_WQUEUE = 76
"""Offset of ``idiag_wqueue`` in an answer."""


def send_queue(local, remote):
    """Bytes in the send queue of the connection between these addresses, or None.

    The kernel is asked for that connection alone. One that cannot be asked has a table of all.
    """
    family = socket.AF_INET6 if ":" in local[0] else socket.AF_INET
    try:
        found = _asked(family, local, remote)
        return _in_table(family, local, remote) if found is None else found
    except OSError:
        return None


def _asked(family, local, remote):
    hosts = (socket.inet_pton(family, host).ljust(16, b"\0") for host, *_ in (local, remote))
    ports = struct.pack("!HH", local[1], remote[1])
    identity = ports + b"".join(hosts) + struct.pack("=IQ", _ANY_INTERFACE, _NO_COOKIE)
    request = struct.pack(_REQUEST, family, socket.IPPROTO_TCP, 0, _ANY_STATE) + identity
    size = struct.calcsize(_HEADER) + len(request)
    header = struct.pack(_HEADER, size, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as kernel:
            kernel.send(header + request)
            answer = kernel.recv(1 << 13)
    except OSError as error:
        if error.errno == errno.EPROTONOSUPPORT:
            return None
        raise
    kind = struct.unpack_from(_HEADER, answer)[1]
    return struct.unpack_from("=I", answer, _WQUEUE)[0] if kind == _SOCK_DIAG_BY_FAMILY else None


def _in_table(family, local, remote):
    """What proc(5) says: addresses are words in the processor's byte order.

    The fifth field is ``tx_queue:rx_queue``.
    """
    ends = [_as_in_table(family, *end[:2]) for end in (local, remote)]
    with open(_TABLES[family], "rb") as table:
        rows = (line.split(None, 5) for line in table)
        return next((int(row[4][:8], 16) for row in rows if row[1:3] == ends), None)


def _as_in_table(family, host, port):
    packed = socket.inet_pton(family, host)
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "{}:{:04X}".format("".join(f"{word:08X}" for word in words), port).encode("ascii")
