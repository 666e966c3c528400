"""A defect to rehearse with, by ``ci/rehearse --preload ci.regression``: an abort logs an error."""

from __future__ import annotations

from twisted.internet import abstract, tcp
from twisted.python import log

_abort = tcp._AbortingMixin.abortConnection


def _noisily(self: abstract.FileDescriptor) -> None:
    log.err(RuntimeError("a regression, for the rehearsal"))
    _abort(self)


tcp._AbortingMixin.abortConnection = _noisily
