"""A reactor of somebody else's: poll(2), with a count of its turns."""

from __future__ import annotations

from twisted.internet.main import installReactor
from twisted.internet.pollreactor import PollReactor


class CountingReactor(PollReactor):
    """A PollReactor that counts how often it looked for events."""

    turns = 0

    def doIteration(self, delay: float) -> None:
        """Look for events once."""
        self.turns += 1
        super().doIteration(delay)


def install() -> None:
    """Make it the reactor of this process."""
    installReactor(CountingReactor())
