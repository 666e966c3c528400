"""A process that outlives the agent by as long as it takes to clear up after it.

However the agent ends, be it killed or cut off, the processes of its cells are
killed, and the folder that holds their temporary files is removed.
"""

from __future__ import annotations

import mmap
import os
import shutil
import signal
import tempfile

_ALIVE, _NOBODY = b"\1", b"\0"
_NUMBERS = 1 << 22
"""No process has this number or a higher one: PID_MAX_LIMIT of <linux/threads.h>, 4 * 1024 * 1024.
Elsewhere the limit is lower.
"""

_LONGEST = 60
"""Bytes in the path of a folder for temporary files in which there is room for a UNIX socket.

Its path may have 103 on macOS (unix(4)), of which the agent's own folders take 40.
"""


class Guard:
    """Shares a table of the processes that are alive with the agent and its children.

    Nobody tells it of the agent's end: a pipe is closed by the system, whatever else goes wrong.
    A child keeps that pipe open until it stands in the table.
    """

    def __init__(self):
        folder = _folder()
        self._table = mmap.mmap(-1, _NUMBERS)
        reading, self._writing = os.pipe()
        if os.fork() == 0:
            _stand_by(reading, self._writing, self._table, folder)
        os.close(reading)
        tempfile.tempdir = os.environ["TMPDIR"] = folder

    def born(self):
        """This process, the leader of its group, is to end with the agent."""
        self._mark(os.getpid(), _ALIVE)
        os.close(self._writing)

    def buried(self, pid):
        """That process has ended, and its number may belong to another one."""
        self._mark(pid, _NOBODY)

    def _mark(self, pid, state):
        self._table[pid : pid + 1] = state


def _folder():
    is_long = len(os.fsencode(tempfile.gettempdir())) > _LONGEST
    where = "/tmp" if is_long and os.access("/tmp", os.W_OK) else None
    return tempfile.mkdtemp(prefix="reactor-matrix-", dir=where)


def _stand_by(reading, writing, table, folder):
    """Be the guard. Its stderr stays open, so that who reads the agent's hears when it is done."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(writing)
    try:
        os.read(reading, 1)
        for pid in _left(table):
            _kill_group(pid)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os._exit(0)


def _left(table):
    """The processes that are there when the agent is not."""
    pid = table.find(_ALIVE)
    while pid != -1:
        yield pid
        pid = table.find(_ALIVE, pid + 1)


def _kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
