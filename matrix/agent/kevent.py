"""kevent(2) over epoll(7): enough of it to run Twisted's KQueueReactor, unmodified, on Linux.

It offers what the standard library's `select` module offers on a BSD: the types
`kqueue` and `kevent`, and the ``KQ_*`` constants. Filters ``READ`` and
``WRITE`` are there, with ``ADD``, ``DELETE``, ``ENABLE``, ``DISABLE``,
``ONESHOT`` and ``DISPATCH``. `WriteFirst` reports a descriptor's ``WRITE``
before its ``READ``, as some systems do; `kqueue` the other way round.

As on a BSD, a knote goes away with its descriptor, also if another descriptor
of the same open file stays; deleting what is not there is ``ENOENT``, and
a closed descriptor ``EBADF``; a queue does not outlive a fork.

Known divergences from kqueue(2) of FreeBSD and macOS:

* ``EV_CLEAR``, ``NOTE_LOWAT`` and all other filters are refused with ``EINVAL``.
* With ``EV_EOF``, ``fflags`` should be the socket's error. Linux tells that
  there is one, and which one only to somebody who thereby takes it away
  (``SO_ERROR``). So it is always ``ECONNRESET`` here, also of a connection that was
  refused.
* ``data`` of ``WRITE`` is 0 for a socket that can send no more, and 1 for what is
  no socket. Of a listening socket, ``data`` of ``READ`` is 1 and not the number
  of connections that wait.
* Buffers, and when there is space in them, are Linux's: a socket is writeable
  when a third of its send buffer is free.
* A regular file is ready to be read unless it is read to its end, and so are
  devices that epoll knows nothing of; but a queue that is itself waited for
  (with poll or select) is not ready because of them.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import stat
import time
import weakref
from contextlib import contextmanager, suppress
from functools import total_ordering
from itertools import count

from matrix.agent import probes

KQ_FILTER_READ, KQ_FILTER_WRITE = -1, -2
KQ_EV_ADD, KQ_EV_DELETE, KQ_EV_ENABLE, KQ_EV_DISABLE = 0x1, 0x2, 0x4, 0x8
KQ_EV_ONESHOT, KQ_EV_CLEAR, KQ_EV_DISPATCH = 0x10, 0x20, 0x80
KQ_EV_ERROR, KQ_EV_EOF = 0x4000, 0x8000

_CONSTANTS = {name: value for name, value in list(globals().items()) if name.startswith("KQ_")}

_IN = getattr(select, "EPOLLIN", 0) | getattr(select, "EPOLLRDHUP", 0)
_OUT = getattr(select, "EPOLLOUT", 0)
_OVER = getattr(select, "EPOLLERR", 0) | getattr(select, "EPOLLHUP", 0)
_MASKS = {KQ_FILTER_READ: _IN, KQ_FILTER_WRITE: _OUT}


@contextmanager
def on_select():
    """For a moment, `select` has the constants: KQueueReactor's module asks while it is imported.

    `selectors.DefaultSelector` would change under everybody if they stayed.
    """
    added = [name for name in _CONSTANTS if not hasattr(select, name)]
    for name in added:
        setattr(select, name, _CONSTANTS[name])
    try:
        yield
    finally:
        for name in added:
            delattr(select, name)


@total_ordering
class kevent:  # noqa: N801 - the standard library's own name
    """One entry of a change list or an event list, with the fields of ``struct kevent``."""

    def __init__(
        self,
        ident,
        filter=KQ_FILTER_READ,  # noqa: A002 - the name that kevent(2) has for it
        flags=KQ_EV_ADD,
        fflags=0,
        data=0,
        udata=0,
    ):
        self.ident = ident if isinstance(ident, int) else ident.fileno()
        self.filter, self.flags, self.fflags = filter, flags, fflags
        self.data, self.udata = data, udata

    def _fields(self):
        return self.ident, self.filter, self.flags, self.fflags, self.data, self.udata

    def __eq__(self, other):
        return self._fields() == other._fields() if isinstance(other, kevent) else NotImplemented

    def __lt__(self, other):
        return self._fields() < other._fields() if isinstance(other, kevent) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self):
        names = ("ident", "filter", "flags", "fflags", "data", "udata")
        fields = (f"{name}={value:#x}" for name, value in zip(names, self._fields()))
        return f"<kevent {' '.join(fields)}>"


class _Knote:
    """What is asked of a descriptor: by which flags, with which of the user's data.

    ``reported`` counts up from report to report: who has waited longest comes first.
    """

    def __init__(self):
        self.flags = self.udata = self.reported = 0
        self.is_enabled = True

    def change(self, wanted):
        """Take over what a change asks for."""
        self.udata = wanted.udata
        self.flags = wanted.flags & (KQ_EV_ONESHOT | KQ_EV_DISPATCH)
        if wanted.flags & (KQ_EV_ENABLE | KQ_EV_DISABLE):
            self.is_enabled = bool(wanted.flags & KQ_EV_ENABLE)


class _Watched:
    """A descriptor of a queue: which open file its number means, and its knotes by filter."""

    def __init__(self, number, status):
        self.number, self.identity = number, _identity(status)
        self.is_socket, self.is_file = stat.S_ISSOCK(status.st_mode), stat.S_ISREG(status.st_mode)
        self.is_polled = True
        self.knotes = {}

    @property
    def mask(self):
        """What epoll is asked for: the conditions of every knote that is enabled."""
        return sum(_MASKS[which] for which, note in self.knotes.items() if note.is_enabled)

    @property
    def is_there(self):
        """Whether the number still means the same open file."""
        try:
            return _identity(os.fstat(self.number)) == self.identity
        except OSError:
            return False

    def readable(self, flags):
        """``flags``, ``fflags`` and ``data`` of an event of the READ filter, or None."""
        if not self.is_polled:
            left = self._left_of_file()
            return None if left == 0 else (0, 0, left)
        if not flags & (_IN | _OVER):
            return None
        queued = probes.receive_queue(self.number)
        is_over = flags & (_IN | _OVER) & ~select.EPOLLIN
        return (*self._end(flags if is_over else 0), 1 if queued is None else queued)

    def writeable(self, flags):
        """The same of the WRITE filter."""
        if not self.is_polled:
            return 0, 0, 1
        if flags & _OVER:
            return (*self._end(flags), 0 if self.is_socket else 1)
        return (0, 0, self._space()) if flags & _OUT else None

    def _end(self, flags):
        if not flags:
            return 0, 0
        is_broken = self.is_socket and flags & select.EPOLLERR
        return KQ_EV_EOF, errno.ECONNRESET if is_broken else 0

    def _left_of_file(self):
        if not self.is_file:
            return 1
        return os.fstat(self.number).st_size - os.lseek(self.number, 0, os.SEEK_CUR)

    def _space(self):
        if not self.is_socket:
            return 1
        with probes.borrowed(self.number) as sock:
            size = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            return max(1, size - (probes.send_queue(sock) or 0))


class _Queue:
    """What a kernel holds of a queue; several `kqueue` objects may stand for the same one."""

    def __init__(self):
        self.epoll = select.epoll()
        self._watched = {}
        self._reports = count(1)
        _QUEUES[self.epoll.fileno()] = self

    def change(self, wanted):
        """Apply one change; `OSError` with the number that kevent(2) gives."""
        if wanted.filter not in _MASKS or wanted.flags & KQ_EV_CLEAR or wanted.fflags:
            raise _error(errno.EINVAL)
        watched = self._find(wanted.ident)
        note = watched.knotes.get(wanted.filter)
        if note is None and not wanted.flags & KQ_EV_ADD:
            raise _error(errno.ENOENT)
        if wanted.flags & KQ_EV_DELETE:
            watched.knotes.pop(wanted.filter, None)
        else:
            watched.knotes.setdefault(wanted.filter, _Knote()).change(wanted)
        self._update(watched)

    def _find(self, number):
        """The descriptor, if it is open; what its number meant before is forgotten."""
        watched = self._watched.get(number)
        if watched is not None and not watched.is_there:
            self._forget(watched)
            watched = None
        return watched or _Watched(number, os.fstat(number))

    def _forget(self, watched):
        """The descriptor was closed, and its knotes with it.

        epoll goes by the open file. Where that stays open under another number, it would be
        reported for ever, and cannot be named any more: all others move to a new epoll.
        """
        del self._watched[watched.number]
        with select.epoll() as new:
            os.dup2(new.fileno(), self.epoll.fileno(), inheritable=False)
        for other in self._watched.values():
            with suppress(OSError):  # closed as well: it will be noticed
                self._register(other)

    def _update(self, watched):
        if watched.number in self._watched and watched.is_polled:
            with suppress(FileNotFoundError):  # it had nothing enabled
                self.epoll.unregister(watched.number)
        if watched.knotes:
            self._register(watched)
            self._watched[watched.number] = watched
        else:
            self._watched.pop(watched.number, None)

    def _register(self, watched):
        """Without anything that is enabled not at all: epoll reports an end even unasked."""
        if watched.mask and watched.is_polled:
            try:
                self.epoll.register(watched.number, watched.mask)
            except PermissionError:  # of a regular file, and some devices
                watched.is_polled = False

    def wait(self, limit, timeout, order):
        """Up to ``limit`` events, as soon as there is one, or none after ``timeout`` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            patience = None if end is None else max(0, end - time.monotonic())
            chosen = self._fair(self._ready(patience, order), limit)
            events = [self._report(*each) for each in chosen]
            if events or (end is not None and time.monotonic() >= end):
                return events

    def _ready(self, patience, order):
        """Every knote whose condition holds, as watched descriptor, filter and what to say."""
        unasked = {w.number: 0 for w in self._watched.values() if not w.is_polled and w.mask}
        if any(self._watched[number].readable(0) for number in unasked):
            patience = 0
        flags = {**unasked, **dict(self.epoll.poll(patience))}
        for watched in [self._watched[number] for number in flags if number in self._watched]:
            if not watched.is_there:
                self._forget(watched)
                continue
            for which in order:
                note = watched.knotes.get(which)
                say = watched.readable if which == KQ_FILTER_READ else watched.writeable
                said = note and note.is_enabled and say(flags[watched.number])
                if said:
                    yield watched, which, said

    @staticmethod
    def _fair(ready, limit):
        """If not all fit, those that were reported longest ago; in their own order."""
        ready = list(ready)
        chosen = sorted(ready, key=lambda each: each[0].knotes[each[1]].reported)[:limit]
        return [each for each in ready if each in chosen]

    def _report(self, watched, which, said):
        flags, fflags, data = said
        note = watched.knotes[which]
        note.reported = next(self._reports)
        if note.flags & KQ_EV_ONESHOT:
            del watched.knotes[which]
        elif note.flags & KQ_EV_DISPATCH:
            note.is_enabled = False
        if note.flags:
            self._update(watched)
        return kevent(watched.number, which, note.flags | flags, fflags, data, note.udata)


_QUEUES: weakref.WeakValueDictionary[int, _Queue] = weakref.WeakValueDictionary()


class kqueue:  # noqa: N801 - the standard library's own name
    """A queue that reports a descriptor's READ before its WRITE."""

    _order = (KQ_FILTER_READ, KQ_FILTER_WRITE)

    def __init__(self):
        self._queue = _Queue()

    @classmethod
    def fromfd(cls, number):
        """Another object for the queue that has this descriptor; `OSError` where there is none."""
        if number not in _QUEUES:
            raise _error(errno.EBADF)
        self = cls.__new__(cls)
        self._queue = _QUEUES[number]
        return self

    @property
    def closed(self):
        """Whether the queue was closed, here or by a fork."""
        return self._queue.epoll.closed

    def close(self):
        """Close it; again does nothing."""
        self._queue.epoll.close()

    def fileno(self):
        """The queue's own descriptor; `ValueError` once it is closed."""
        self._check_open()
        return self._queue.epoll.fileno()

    def control(self, changelist, max_events, timeout=None):
        """Apply the changes; then, with room for events, wait for the first of them.

        A change that fails becomes an event with ``EV_ERROR`` if there is room, else an `OSError`.
        """
        self._check_open()
        if max_events < 0 or (timeout is not None and timeout < 0):
            raise ValueError("there can be no fewer than 0 events, and no wait shorter than 0 s")
        failed: list[kevent] = []
        for wanted in changelist or ():
            try:
                self._queue.change(wanted)
            except OSError as error:
                if len(failed) == max_events:
                    raise
                failed.append(_failed(wanted, error))
        if failed or not max_events:
            return failed
        return self._queue.wait(max_events, timeout, self._order)

    def _check_open(self):
        if self.closed:
            raise ValueError("I/O operation on closed kqueue object")


class WriteFirst(kqueue):
    """A queue that reports a descriptor's WRITE before its READ."""

    _order = (KQ_FILTER_WRITE, KQ_FILTER_READ)


def _failed(wanted, error):
    fields = (wanted.ident, wanted.filter, KQ_EV_ERROR, wanted.fflags, error.errno, wanted.udata)
    return kevent(*fields)


def _identity(status):
    return status.st_dev, status.st_ino


def _error(number):
    return OSError(number, os.strerror(number))


def _close_all():
    for queue in list(_QUEUES.values()):
        queue.epoll.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_all)
