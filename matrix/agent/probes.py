"""What the kernel says of a socket that somebody else owns, and when that proves it not writeable.

Nothing here reads, writes, duplicates or closes the socket: a second descriptor
of it would keep the connection open over its owner's close.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
from collections import namedtuple
from contextlib import contextmanager
from typing import Any

from matrix import wire
from matrix.agent import windows

try:
    import fcntl
    import termios
except ImportError:  # Windows
    fcntl = termios = None  # type: ignore[assignment]

IS_LINUX = sys.platform == "linux"
IS_MACOS = sys.platform == "darwin"
_IS_PYPY = sys.implementation.name == "pypy"
_SO_NWRITE = 0x1024  # <sys/socket.h> of macOS: bytes in the send queue

# struct tcp_info of <linux/tcp.h>: offset of each field, stable since it was appended there.
_UNACKED, _NOTSENT, _SND_WND = 24, 144, 228
_TCP_INFO_SIZE = 232  # up to and including tcpi_snd_wnd (Linux 5.4)

Words = namedtuple("Words", "unacked notsent snd_wnd")


host: Any = None
"""Under Wine, the `matrix.agent.outpost.Host`: Windows has no count of a send queue."""


def tcp_info(sock):
    """The kernel's own word on a TCP socket as `Words`, or None where it gives none."""
    if not IS_LINUX or sock.family == getattr(socket, "AF_UNIX", None):
        return None
    try:
        raw = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
    except OSError:
        return None
    if len(raw) < _TCP_INFO_SIZE:
        return None
    return Words(*(struct.unpack_from("=I", raw, at)[0] for at in (_UNACKED, _NOTSENT, _SND_WND)))


def send_queue(sock):
    """Bytes in the socket's send queue, or None where the system does not tell."""
    if IS_MACOS:
        return sock.getsockopt(socket.SOL_SOCKET, _SO_NWRITE)
    if host is not None:
        return host.send_queue(sock)
    return _ask(sock.fileno(), "TIOCOUTQ") if IS_LINUX else None


def receive_queue(descriptor):
    """Bytes that wait to be read from a descriptor, or None where the system does not tell."""
    if windows.IS_WINDOWS:
        return windows.receive_queue(descriptor)
    return _ask(descriptor, "FIONREAD")


def _ask(descriptor, request):
    try:
        raw = fcntl.ioctl(descriptor, getattr(termios, request), b"\0" * 4)
    except (AttributeError, OSError):  # no fcntl on Windows, no such request elsewhere
        return None
    return struct.unpack("=i", raw)[0]


def writeable(descriptor):
    """Whether the kernel would tell a reactor that this descriptor is writeable."""
    if not hasattr(select, "poll"):
        return bool(select.select([], [descriptor], [], 0)[1])
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return any(flags & select.POLLOUT for _, flags in poll.poll(0))


def wait_for_both(descriptor, limit):
    """Block until there is something to read and room to write; False after ``limit`` seconds."""
    readable = select.select([descriptor], [], [], limit)[0]
    return bool(readable and select.select([], [descriptor], [], limit)[1])


@contextmanager
def borrowed(descriptor, family=-1, kind=-1):
    """A socket object on a descriptor that is somebody else's, and that is left as it was.

    To make one changes nothing on CPython; PyPy makes the descriptor a blocking one by that.
    """
    was_blocking = _IS_PYPY and os.get_blocking(descriptor)
    sock = socket.SocketType(family, kind, 0, descriptor)
    try:
        if _IS_PYPY:
            os.set_blocking(descriptor, was_blocking)
        yield sock
    finally:
        sock.detach()


RAREST = 0.1
"""Seconds between two looks at a state that has long been waited for."""


def until_next_look(first, waited):
    """Seconds until the next look at a state: ``first`` at first, and as long as it has taken."""
    return min(max(first, waited), RAREST)


class Probe:
    """Looks at the aborter's socket through its number, for as long as it is open.

    ``sends`` are the `matrix.agent.overlapped.Sends` of its transport, or None.
    """

    def __init__(self, descriptor, family, sends=None):
        self._descriptor = descriptor
        self._family = family
        self._sends = sends

    def sample(self, written, peer):
        """The fields of a `matrix.wire.SAMPLE` event.

        TCP_INFO is read first and writeability last: the other way round a window that
        opens between the two gives a false proof. Bytes that move on while this looks
        may be counted twice, and are never missed: it looks where they are going last.
        """
        with borrowed(self._descriptor, self._family, socket.SOCK_STREAM) as sock:
            words, sendq = tcp_info(sock), send_queue(sock)
        recvq, read = peer.arrived()
        kernel = self._in_kernel(sendq, recvq)
        overlapped = {} if self._sends is None else {"pending": self._sends.pending}
        return {
            **overlapped,
            "written": written,
            "read": read,
            "sendq": sendq,
            "recvq": recvq,
            "kernel": kernel,
            "held": None if kernel is None else max(0, written - read - kernel),
            "tcp": None if words is None else words._asdict(),
            "writeable": writeable(self._descriptor),
        }

    def _in_kernel(self, sendq, recvq):
        if self._family == getattr(socket, "AF_UNIX", None) and IS_LINUX:
            return recvq
        return None if sendq is None or recvq is None else sendq + recvq


class Prover:
    """Says when a row of samples proves that a connection is not writeable, and by which proof.

    Where the kernel says nothing of the window, a state that lasts for `wire.SETTLING_TIME` may yet
    change: a closed window is probed at intervals that double, and at an answer the kernel may
    enlarge a send buffer whose size is its own choice (tcp(7), tcp_wmem), if that was full. So one
    more answer has to come: it takes as long as the window had been closed before, and that may
    have been since the look before the first one that saw it closed.
    """

    def __init__(self, family):
        self._is_unix = family == getattr(socket, "AF_UNIX", None)
        self._still = None
        self._since = self._closed_at = 0.0
        self._looked_at: float | None = None
        self._full_at: float | None = None

    def look(self, sample, now):
        """The proof that the state holds with this sample, seen at ``now`` seconds, or None."""
        looked_at, self._looked_at, self.due = self._looked_at, now, 0.0
        if self._still is None or self._still["recvq"] != sample["recvq"]:
            self._closed_at, self._full_at = now if looked_at is None else looked_at, None
        if self._still != sample:
            self._still, self._since = sample, now
        if sample["writeable"] or not _waits(sample):
            return None
        if sample["tcp"] is not None:
            words = Words(**sample["tcp"])
            is_shut = words.unacked == 0 and words.notsent > 0 and words.snd_wnd == 0
            return wire.TCP_INFO if is_shut else None
        if self._is_unix and IS_LINUX:
            return wire.UNIX_QUEUE
        proof = wire.OVERLAPPED if sample.get("pending") else wire.SETTLED
        if self._full_at is None:
            self._full_at = now
        answered_at = self._full_at + (self._full_at - self._closed_at)
        self.due = max(self._since, answered_at) + wire.SETTLING_TIME
        return proof if now >= self.due else None


def _waits(sample):
    """Whether unsent bytes wait, the transport's and the kernel's.

    An overlapped send that is under way says it as well, where the kernel says nothing.
    """
    is_full = bool(sample["sendq"] and sample["held"])
    if sample.get("pending") is None:
        return is_full
    return sample["pending"] > 0 and (is_full or sample["sendq"] is None)
