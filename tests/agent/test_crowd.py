"""When the connections of a crowd are looked at."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest

from matrix import wire
from matrix.agent import crowd

FULL = {"recvq": 5, "sendq": 9, "held": 9, "writeable": False, "tcp": None}


class Pair:
    """Both ends of a connection, of which a sample is always the same; samples are counted."""

    def __init__(self, *about: Any) -> None:
        self.sample, self.samples = FULL, 0
        self.aborter = SimpleNamespace(
            lost=0, written=1, socket_family=socket.AF_INET, fill=lambda: None
        )
        self.aborter.probe = SimpleNamespace(sample=self._sampled)
        self.peer = None

    def connect(self) -> None:
        """There is nothing to connect."""

    def _sampled(self, written: int, peer: object) -> dict[str, Any]:
        self.samples += 1
        return self.sample


def test_a_crowd_that_stands_still_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is looked at between the last one's standstill and the time when that is a proof."""
    monkeypatch.setattr(crowd, "Wiring", Pair)
    clock = SimpleNamespace(now=0.0)
    stage: Any = SimpleNamespace(recorder=SimpleNamespace(now=lambda: clock.now))
    for name in ("reactor", "transport", "scenario", "is_client", "tls_options"):
        setattr(stage, name, None)
    make: Any = crowd.Crowd
    made = make(stage, {}, {}, 2)
    made.fill()
    first, late = made._wirings
    late.sample = {**FULL, "writeable": True}
    for clock.now in (0.1, 0.2):
        assert not made.is_proved()
    late.sample = FULL
    assert not made.is_proved()
    counted = first.samples, late.samples
    due = made._due
    assert due > clock.now + wire.SETTLING_TIME / 2
    clock.now = due - 0.001
    assert not made.is_proved()
    assert (first.samples, late.samples) == counted
    clock.now = due
    assert made.is_proved()
