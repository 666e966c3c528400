"""Many full connections on one reactor, both ends of each on it, counted and not told singly."""

from __future__ import annotations

import gc
from collections import Counter

from matrix import wire
from matrix.agent import leftovers, probes
from matrix.agent.wiring import Wiring


class _Member:
    """What the ends of one connection see of a stage: its settings, and a recorder that counts."""

    def __init__(self, stage):
        self.reactor = stage.reactor
        self.transport = stage.transport
        self.scenario = stage.scenario
        self.turns_since_abort = None
        self.is_client = stage.is_client
        self.tls_options = stage.tls_options
        self.recorder = self
        self.seen: Counter[tuple[str, ...]] = Counter()

    def record(self, side, event, **data):
        """Count the event; of a loss also its reason."""
        self.seen[side, event] += 1
        if event == wire.CONNECTION_LOST:
            self.seen[side, event, data["reason"]["type"]] += 1


class Crowd:
    """``size`` connections like the stage's own, which are filled, proved and aborted together."""

    def __init__(self, stage, cell, contexts, size):
        self._stage = stage
        self._members = [_Member(stage) for _ in range(size)]
        pair = {**cell, "peer": "reactor"}
        self._wirings = [Wiring(member, pair, contexts) for member in self._members]
        self._provers = []
        self._due = 0.0
        self._references = []
        for wiring in self._wirings:
            wiring.connect()

    def is_connected(self):
        """Whether both ends of every connection are there, and every peer holds still."""
        return all(w.aborter and w.aborter.up and w.peer and w.peer.still for w in self._wirings)

    def fill(self):
        """Every aborter produces until it is paused."""
        for wiring in self._wirings:
            wiring.aborter.fill()
            self._provers.append(probes.Prover(wiring.aborter.socket_family))

    def is_proved(self):
        """Whether every connection is proved not writeable, each by its own samples.

        Once none of them moves any more, they are not looked at before the last one may be proved.
        """
        now = self._stage.recorder.now()
        if now < self._due:
            return False
        looks = [self._look(*pair, now) for pair in zip(self._wirings, self._provers)]
        dues = [prover.due for prover in self._provers]
        self._due = max(dues) if all(dues) else 0.0
        return all(looks)  # every one has had its look

    @staticmethod
    def _look(wiring, prover, now):
        aborter, peer = wiring.aborter, wiring.peer
        if aborter.lost:
            return False
        sample = aborter.probe.sample(aborter.written, peer)
        return prover.look(sample, now) is not None

    def abort(self):
        """Abort them all in this turn of the reactor."""
        for wiring in self._wirings:
            wiring.aborter.transport.abortConnection()

    def drain(self):
        """Every peer reads."""
        for wiring in self._wirings:
            wiring.peer.drain()

    def is_down(self):
        """Whether every aborter has been told."""
        return all(wiring.aborter.lost for wiring in self._wirings)

    def is_over(self):
        """Whether every peer has been told as well."""
        return all(wiring.peer.over for wiring in self._wirings)

    def close(self):
        """Stop listening, and let go of the ends; some turns later `kept` may be asked."""
        for wiring in self._wirings:
            for port in wiring.ports:
                port.stopListening()
            self._references.append(leftovers.References(wiring.aborter, wiring.aborter.transport))
            wiring.aborter = wiring.peer = None

    def kept(self):
        """How many of the connections are still in memory, after a collection."""
        for wiring in self._wirings:
            wiring.remove_folder()
        self._wirings.clear()
        gc.collect()
        return sum(reference.are_kept() for reference in self._references)

    def counts(self):
        """The fields of a `matrix.wire.CROWD` event."""
        seen = sum((member.seen for member in self._members), Counter())
        reasons = {k[2]: n for k, n in seen.items() if len(k) == 3 and k[0] == wire.ABORTER}
        return {
            "size": len(self._members),
            "lost": seen[wire.ABORTER, wire.CONNECTION_LOST],
            "peers_lost": seen[wire.PEER, wire.CONNECTION_LOST],
            "producers_stopped": seen[wire.ABORTER, wire.PRODUCER_STOPPED],
            "reasons": reasons,
        }
