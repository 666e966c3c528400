"""What only Windows has, or Wine, which is Windows's interface over another system's kernel."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections import namedtuple
from functools import lru_cache
from typing import Any

IS_WINDOWS = os.name == "nt"


CPU_TICK = 15_625
"""Microseconds by which Windows counts CPU time: whoever is running at a tick gets all of it."""


class Wine(namedtuple("Wine", "version system release")):
    """Wine's own version, and name and release of the kernel that is under it."""

    __slots__ = ()

    def __str__(self):
        return f"Wine {self.version} ({self.system} TCP)"


_FIONREAD = 0x4004667F

LINGER = struct.pack("hh" if IS_WINDOWS else "ii", 1, 0)
"""The value of SO_LINGER that makes a close a reset; its two numbers are shorter on Windows."""


def _wine():
    """What Wine says of itself, or None on a real Windows and everywhere else."""
    if not IS_WINDOWS:
        return None
    import ctypes

    ntdll = ctypes.CDLL("ntdll")
    try:
        ask_version, ask_host = ntdll.wine_get_version, ntdll.wine_get_host_version
    except AttributeError:
        return None
    ask_version.restype = ctypes.c_char_p
    system, release = ctypes.c_char_p(), ctypes.c_char_p()
    ask_host(ctypes.byref(system), ctypes.byref(release))
    words = (ask_version(), system.value, release.value)
    return Wine(*((word or b"").decode("ascii", "replace") for word in words))


WINE: Any = None
"""The `Wine` that this process runs on, from `look` on; None elsewhere."""


def look(told=None):
    """Find out whether this is Wine, or take what another process on this machine has ``told``.

    To find out takes a library that loads a good deal of Windows. `platform` is kept from WMI under
    Wine: Wine 8 ends the process that asks it.
    """
    global WINE  # noqa: PLW0603 - a fact about the process, that is known once and for all
    WINE = _wine() if told is None else Wine(*told) if told else None
    if WINE is not None:
        sys.modules.setdefault("_wmi", None)  # type: ignore[arg-type]


def receive_queue(handle):
    """Bytes that wait to be read from a socket, or None where it is closed."""
    import ctypes

    size = ctypes.c_ulong()
    return None if _ioctlsocket()(handle, _FIONREAD, ctypes.byref(size)) else size.value


@lru_cache(maxsize=None)
def _ioctlsocket():
    import ctypes

    found = ctypes.CDLL("ws2_32").ioctlsocket
    found.argtypes = (ctypes.c_size_t, ctypes.c_long, ctypes.c_void_p)
    return found


def hears_resets():
    """Whether whoever reads is told of a reset as of one; Wine 8 tells it as an orderly end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = socket.create_connection(listener.getsockname())
        with reader, listener.accept()[0] as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)
            other.close()
            try:
                return bool(reader.recv(1))
            except ConnectionResetError:
                return True


def addresses(handle):
    """Both addresses of a connected socket, or None where there is none of that number."""
    try:
        sock = socket.socket(fileno=handle)
    except OSError:
        return None
    try:
        return sock.getsockname(), sock.getpeername()
    except OSError:
        return None
    finally:
        sock.detach()
