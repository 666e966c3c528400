"""A process that outlives the agent by as long as it takes to clear up after it.

However the agent ends, be it killed or cut off, the processes of its cells are
killed, and the folder that holds their temporary files is removed.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile

_READ_SIZE = 1 << 16
_BORN, _BURIED = b"+", b"-"

_LONGEST = 60
"""Bytes in the path of a folder for temporary files in which there is room for a UNIX socket.

Its path may have 103 on macOS (unix(4)), of which the agent's own folders take 40.
"""


class Guard:
    """Hears of every process that is born and buried, until the last word: the agent's end.

    Nobody tells of that. The system closes the pipe, whatever else goes wrong.
    """

    def __init__(self):
        folder = _folder()
        reading, self._writing = os.pipe()
        if os.fork() == 0:
            _stand_by(reading, folder)
        os.close(reading)
        tempfile.tempdir = os.environ["TMPDIR"] = folder

    def born(self):
        """This process, the leader of its group, is to end with the agent."""
        self._tell(_BORN, os.getpid())

    def buried(self, pid):
        """That process has ended, and its number may belong to another one."""
        self._tell(_BURIED, pid)

    def _tell(self, what, pid):
        os.write(self._writing, b"%s%d\n" % (what, pid))  # short: it crosses in one piece


def _folder():
    is_long = len(os.fsencode(tempfile.gettempdir())) > _LONGEST
    where = "/tmp" if is_long and os.access("/tmp", os.W_OK) else None
    return tempfile.mkdtemp(prefix="reactor-matrix-", dir=where)


def _stand_by(reading, folder):
    """Be the guard. Its stderr stays open, so that who reads the agent's hears when it is done."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    close_others({0, 1, 2, reading})
    try:
        for pid in _left(reading):
            _kill_group(pid)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os._exit(0)


def _left(reading):
    """The processes that are there when the agent is not."""
    told = b""
    alive = set()
    while data := os.read(reading, _READ_SIZE):
        *lines, told = (told + data).split(b"\n")
        for line in lines:
            pid = int(line[1:])
            if line.startswith(_BORN):
                alive.add(pid)
            else:
                alive.discard(pid)
    return alive


def close_others(kept):
    """Close every descriptor of this process but these."""
    for name in os.listdir("/dev/fd"):
        if int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                pass  # the descriptor that listed the folder


def _kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
