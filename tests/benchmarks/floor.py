"""The floor under a proved cell: what no harness that gives each cell a process can go below.

A small process forks COUNT children, IN_FLIGHT at once. Each connects a loopback TCP pair with
small buffers, fills it until the kernel proves that it is not writeable, resets it, and exits:
no Twisted, no witness, no events. `cells.py` runs this as a program of its own.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
import time
from collections.abc import Callable

BUFFER = 4096
"""SO_SNDBUF and SO_RCVBUF, in bytes, as in a cell."""

CHUNK = bytes(1 << 17)
"""What is written: more than the kernel takes."""

PACE = 0.005
"""Seconds between two looks, as in a cell."""

LIMIT = 20.0
"""Seconds in which the state must be proved, as in a cell."""

_UNACKED, _NOTSENT, _SND_WND = 24, 144, 228
_TCP_INFO_SIZE = 232


def connected() -> tuple[socket.socket, socket.socket]:
    """A client and the server's end of its connection, both with small buffers."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        client = socket.socket()
        client.connect(listener.getsockname())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        client.setblocking(False)
        return client, listener.accept()[0]


def pour(sock: socket.socket) -> None:
    """Give the kernel all that it takes for now."""
    try:
        while True:
            sock.send(CHUNK)
    except BlockingIOError:
        pass


def is_proved(sock: socket.socket) -> bool:
    """Whether the kernel says that the window is shut, and then that the socket is full."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
    if len(info) < _TCP_INFO_SIZE:
        raise OSError("this kernel's TCP_INFO does not tell the peer's window (Linux 5.4 does)")
    unacked, notsent, window = (
        struct.unpack_from("=I", info, at)[0] for at in (_UNACKED, _NOTSENT, _SND_WND)
    )
    if unacked or not notsent or window:
        return False
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    return not poll.poll(0)


def play() -> bool:
    """Fill a connection to the proof and reset it; whether the proof came in time."""
    client, server = connected()
    end = time.monotonic() + LIMIT
    pour(client)
    while not (proved := is_proved(client)) and time.monotonic() < end:
        time.sleep(PACE)
        pour(client)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    server.close()
    return proved


def fork(play: Callable[[], bool]) -> None:
    """Start a child that plays once; its exit status says whether it came to its proof."""
    if os.fork():
        return
    status = 1
    try:
        status = 0 if play() else 1
    finally:
        os._exit(status)


def main(count: int, in_flight: int, play: Callable[[], bool] = play) -> int:
    """Play that many times, a process each; returns how many proofs are missing."""
    missing = 0
    for number in range(count + in_flight):
        if number >= in_flight:
            missing += os.wait()[1] != 0
        if number < count:
            fork(play)
    return missing


if __name__ == "__main__":
    unproved = main(int(sys.argv[1]), int(sys.argv[2]))
    if unproved:
        sys.exit(f"{unproved} of {sys.argv[1]} were not proved")
