"""The cases: each a short list of steps on a `matrix.agent.stage.Stage`."""

from __future__ import annotations

from collections import namedtuple

Scenario = namedtuple("Scenario", "steps exchange")
"""``steps(stage)`` yields waits; ``exchange`` bytes cross both ways first."""


def abort_when_full(stage):
    """A push producer writes until it is paused; the state is proved; abort."""
    yield from stage.connect()
    yield from stage.fill()
    yield from stage.prove()
    stage.abort()
    yield from stage.see_both_ends_down()


def abort_when_full_after_exchange(stage):
    """The same, after bytes have crossed both ways."""
    yield from stage.connect()
    yield from stage.exchange_bytes()
    yield from stage.fill()
    yield from stage.prove()
    stage.abort()
    yield from stage.see_both_ends_down()


SCENARIOS = {
    "abort-when-full": Scenario(abort_when_full, exchange=0),
    "abort-when-full-after-exchange": Scenario(abort_when_full_after_exchange, exchange=1000),
}
