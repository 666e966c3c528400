"""The bytes that are written: known by position, so that any shift, gap or repeat shows."""

from __future__ import annotations

from array import array

_WORD = 8


def expected(position, size):
    """``size`` bytes of the stream from ``position`` on: 8-byte words that count from 0."""
    if position + size <= len(_BEGINNING):
        return _BEGINNING[position : position + size]
    return _words(position, size)


def _words(position, size):
    first = position // _WORD
    last = -(-(position + size) // _WORD)
    start = position - first * _WORD
    return array("Q", range(first, last)).tobytes()[start : start + size]


_BEGINNING = _words(0, 1 << 18)
"""Most connections never see more; made once, before the first fork."""


class Reading:
    """How much of the stream has been read, and where it first differed from what was written."""

    def __init__(self):
        self.bytes = 0
        self.first_difference = None

    def add(self, data):
        """Take the next bytes and compare them with the stream."""
        if self.first_difference is None:
            self.first_difference = self._difference(bytes(data))
        self.bytes += len(data)

    def _difference(self, data):
        wanted = expected(self.bytes, len(data))
        if data == wanted:
            return None
        return self.bytes + next(i for i, (a, b) in enumerate(zip(data, wanted)) if a != b)

    def seen(self):
        """The fields of a `matrix.wire.RECEIVED` event."""
        return {
            "bytes": self.bytes,
            "matches": self.first_difference is None,
            "first_difference": self.first_difference,
        }
