"""What is still there: readers, writers, delayed calls, threads, descriptors, objects."""

from __future__ import annotations

import gc
import os
import threading
import weakref

from matrix.agent import windows

_DESCRIPTORS = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"


def held_by(reactor):
    """The fields of a `matrix.wire.LEFTOVERS` event, each a sorted list of texts, or None."""
    return {
        "readers": _texts(readers(reactor)),
        "writers": _texts(_of(reactor, "getWriters")),
        "delayed_calls": _texts(_of(reactor, "getDelayedCalls")),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "descriptors": _open_descriptors(),
    }


def readers(reactor):
    """What the reactor reads from, or None. Over completion ports: what is in use at all."""
    found = _of(reactor, "getReaders")
    return getattr(reactor, "handles", None) if found is None else found


def _of(reactor, method):
    try:
        return getattr(reactor, method)()
    except (AttributeError, NotImplementedError):
        return None


def _texts(found):
    return None if found is None else sorted(map(repr, found))


def _open_descriptors():
    """``number: what it is`` of every open descriptor."""
    if windows.IS_WINDOWS or not os.path.isdir(_DESCRIPTORS):
        return None
    found = []
    for number in os.listdir(_DESCRIPTORS):
        try:
            found.append(f"{number}: {os.readlink(os.path.join(_DESCRIPTORS, number))}")
        except OSError:  # the one that listed the folder is gone
            if _is_open(int(number)):
                found.append(number)
    return sorted(found)


def _is_open(number):
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def identity(number):
    """Which open file a descriptor is: device and inode, or None where it is closed.

    Of Windows's sockets, which are no files, both addresses.
    """
    if windows.IS_WINDOWS:
        return windows.addresses(number)
    try:
        status = os.fstat(number)
    except OSError:
        return None
    return status.st_dev, status.st_ino


class References:
    """Weak references to a protocol and its transport, to see whether they can be collected."""

    def __init__(self, protocol, transport):
        self._kept = {"protocol": weakref.ref(protocol), "transport": weakref.ref(transport)}

    def are_kept(self):
        """Whether one of them is still alive; no collection takes place."""
        return any(reference() is not None for reference in self._kept.values())

    def released(self):
        """The fields of a `matrix.wire.RELEASED` event, after a collection."""
        gc.collect()
        alive = {name: reference() for name, reference in self._kept.items()}
        return {
            "protocol": alive["protocol"] is None,
            "transport": alive["transport"] is None,
            "held_by": sorted(
                type(holder).__name__
                for target in alive.values()
                if target is not None
                for holder in gc.get_referrers(target)
                if holder is not alive
            ),
        }
