"""One case of the matrix."""

from __future__ import annotations

import sys

from attrs import frozen

AXES = ("reactor", "transport", "scenario", "side", "peer")
"""The fields of a cell, in the order of its id."""


@frozen(order=True)
class Cell:
    """reactor × transport × scenario × side × peer.

    ``side`` is the end that aborts, ``peer`` who plays the other one: ``reactor``
    (a second protocol on the same reactor) or ``socket`` (the independent witness).
    """

    reactor: str
    transport: str
    scenario: str
    side: str
    peer: str

    @property
    def id(self) -> str:
        """For instance ``epoll/tls1.3/abort-when-full/client/socket``; stable for ever."""
        return f"{self.reactor}/{self.transport}/{self.scenario}/{self.side}/{self.peer}"

    @property
    def parts(self) -> tuple[str, str, str, str, str]:
        """The values on all axes, in the order of the id."""
        return self.reactor, self.transport, self.scenario, self.side, self.peer

    @classmethod
    def parse(cls, text: str) -> Cell:
        """Read an id back; `ValueError` says what is wrong with it."""
        parts = text.split("/")
        if len(parts) != len(AXES) or not all(parts):
            raise ValueError(f"{text!r} is no cell id; one reads {'/'.join(AXES).upper()}")
        return cls(*map(sys.intern, parts))  # a plan has thousands of the same few words

    @property
    def is_tls(self) -> bool:
        """Whether the bytes of this cell cross inside TLS."""
        return self.transport.startswith("tls")

    @property
    def is_unix(self) -> bool:
        """Whether the kernel's connection under this cell is an AF_UNIX socket."""
        return "unix" in self.transport
