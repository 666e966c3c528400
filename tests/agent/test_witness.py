"""The peer off the reactor's thread, asked at moments that hardly ever come by themselves."""

from __future__ import annotations

import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from matrix import wire
from matrix.agent import transports, witness

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no process can be given a socket")


def test_who_has_vanished_has_no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked while the process that was given its socket is being killed."""
    asked = []

    class Holder(subprocess.Popen[bytes]):
        def kill(self) -> None:
            super().kill()
            asked.append(peer.arrived())

    monkeypatch.setattr(subprocess, "Popen", Holder)
    make: Any = witness.Witness
    parse: Any = transports.parse
    quiet = SimpleNamespace(record=lambda *about, **data: None)
    peer = make(quiet, parse("tcp4"))
    with socket.create_connection(peer.listen(None), 30) as aborter:
        aborter.sendall(b"never read")
        peer.act(wire.VANISH)
        with pytest.raises(ConnectionResetError):
            aborter.recv(1)
        peer.stop()
    assert asked == [(None, 0)]
