"""Events of one process, written one JSON line each, at once, so that they outlive a crash."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import traceback
import warnings
from functools import lru_cache

from matrix import wire

MOST_COMPLAINTS = 100
"""Complaints of a process that are recorded: a reactor that complains in every turn of its loop
must not bury what else there is to see.
"""


class Recorder:
    """Writes events to a descriptor; ``t`` counts from the recorder's making. Thread-safe."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._origin = time.perf_counter()

    def now(self):
        """Seconds since this recorder was made."""
        return time.perf_counter() - self._origin

    def record(self, side, event, **data):
        """Write one event. A line shorter than PIPE_BUF crosses a pipe in one piece."""
        line = json.dumps({"t": round(self.now(), 6), "side": side, "event": event, **data})
        view = memoryview(line.encode("ascii") + b"\n")
        while view:
            view = view[os.write(self._descriptor, view) :]


def describe(exception):
    """What an event says of an exception: ``type``, ``mro``, ``message``, ``traceback``."""
    kind = type(exception)
    return {
        "type": _qualified(kind),
        "mro": [_qualified(base) for base in kind.__mro__],
        "message": _text(exception),
        "traceback": _traceback(exception),
    }


def _traceback(exception):
    """The lines that Python prints, or none for an exception that was never raised."""
    if not (exception.__traceback__ or exception.__cause__ or exception.__context__):
        return ""
    kind = type(exception)
    return "".join(traceback.format_exception(kind, exception, exception.__traceback__))


def describe_reason(reason):
    """What an event says of the `Failure` that ``connectionLost`` was given, whatever it was."""
    exception = getattr(reason, "value", None)
    if not isinstance(exception, BaseException):
        return {"type": _qualified(type(reason)), "mro": [], "message": _text(reason)}
    return describe(exception)


def _qualified(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


def _text(value):
    try:
        return str(value)
    except Exception as error:
        return f"<{_qualified(type(value))} whose str() raises {error!r}>"


@lru_cache(maxsize=None)
def begin_logging():
    """Let Twisted's log keep nothing back: what it remembers for later observers, it keeps alive.

    This is so for good, and for children too. There are no observers yet, nor is anything printed.
    """
    from twisted.logger import globalLogBeginner

    globalLogBeginner.beginLoggingTo((), redirectStandardIO=False)


def watch_complaints(recorder):
    """Record whatever is logged as an error, warned about, or raised where nobody can catch it.

    Twisted's own log, the standard library's, ``ResourceWarning``, ``RuntimeWarning``,
    `sys.unraisablehook`, `threading.excepthook`.
    """
    from twisted.python import log

    left = [MOST_COMPLAINTS]

    def complain(kind, text):
        if left[0]:
            left[0] -= 1
            recorder.record(wire.PROCESS, wire.LOGGED, kind=kind, text=text)

    def observe(event):
        if event.get("isError"):
            complain("log", log.textFromEventDict(event) or repr(event))

    begin_logging()
    log.addObserver(observe)
    warnings.simplefilter("always", ResourceWarning)
    warnings.showwarning = _only_leaks(complain)
    sys.unraisablehook = lambda args: complain(
        "unraisable", f"{args.err_msg or 'in'} {args.object!r}: {args.exc_value!r}"
    )
    threading.excepthook = lambda args: complain("thread", f"{args.exc_value!r}")
    logging.getLogger().addHandler(_Complaints(complain))


def _only_leaks(complain):
    """A ``warnings.showwarning`` that reports leaks and lost coroutines, and prints the rest.

    A deprecation is between Twisted and its dependencies: it says nothing about a connection.
    """
    show = warnings.showwarning

    def showwarning(message, category, filename, lineno, *rest):
        if issubclass(category, (ResourceWarning, RuntimeWarning)):
            complain("warning", warnings.formatwarning(message, category, filename, lineno))
        else:
            show(message, category, filename, lineno, *rest)

    return showwarning


class _Complaints(logging.Handler):
    """Standard library logging from ERROR on (asyncio reports its callbacks' failures there)."""

    def __init__(self, complain):
        super().__init__(logging.ERROR)
        self._complain = complain

    def emit(self, record):
        self._complain("logging", self.format(record))
