"""The proof that a connection is not writeable: what was proved stays so."""

from __future__ import annotations

import os
import resource
import select
import socket
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import pytest
from attrs import define, field, frozen

from matrix import wire
from matrix.agent import probes

HOLD = 10
"""Seconds for which no proved socket may become writeable: the longest that was ever measured."""

PATIENCE = 60
"""Seconds in which all sockets have to be proved."""


@frozen
class Silent:
    """A peer, of whose socket only the number is known, that has read nothing."""

    number: int
    read: int = 0

    def receive_queue(self) -> int | None:
        """What waits in the kernel for it."""
        queued: Any = probes.receive_queue
        waits: int | None = queued(self.number)
        return waits

    def arrived(self) -> tuple[int | None, int]:
        """The same, and what it has read."""
        return self.receive_queue(), self.read


@frozen
class Kind:
    """A socket to fill: ``chunk`` bytes in one write; small buffers, or those of the system.

    Where both ends have talked before, the kernel delays its acknowledgements: only then does a
    socket that has no room any more get some of it back.
    """

    family: int
    small: bool
    chunk: int
    talks: bool


def kinds(count: int) -> Iterator[Kind]:
    """So many sockets of all kinds, most of them TCP with small buffers; always the same."""
    rng = Random(500)
    tcp, unix = (socket.AF_INET, socket.AF_INET6), (socket.AF_UNIX,)
    families = [(family, True) for family in tcp * 10] + [(family, False) for family in tcp]
    families += [(family, small) for family in unix for small in (True, False)]
    for number, (family, small) in enumerate(islice(cycle(families), count)):
        yield Kind(family, small, rng.choice([1 << n for n in range(10, 17)]), number % 3 != 0)


@define(eq=False)
class Filled:
    """One end of a connection that is written to, whose other end reads nothing."""

    kind: Kind
    sock: socket.socket
    peer: socket.socket
    sent: int = 0
    proof: str | None = None
    _probe: Any = field(init=False)
    _prover: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        make: Any = probes
        self._probe = make.Probe(self.sock.fileno(), self.kind.family)
        self._prover = make.Prover(self.kind.family)

    def pour(self) -> None:
        """Write what the kernel takes for now."""
        chunk = bytes(self.kind.chunk)
        while True:
            try:
                self.sent += self.sock.send(chunk)
            except BlockingIOError:
                break

    def look(self) -> None:
        """See whether what was written is all that the kernel takes."""
        held = self.sent + self.kind.chunk  # a transport would have the chunk that was refused
        sample = self._probe.sample(held, Silent(self.peer.fileno()))
        self.proof = self._prover.look(sample, monotonic())


@contextmanager
def filled(wanted: Iterable[Kind]) -> Iterator[list[Filled]]:
    """A connection of each kind, with nothing in it yet."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yield [connect(kind, folder / str(number), stack) for number, kind in enumerate(wanted)]


def connect(kind: Kind, path: Path, stack: ExitStack) -> Filled:
    """A connection over the loopback interface, or over a UNIX socket with that path."""
    hosts = {socket.AF_INET: ("127.0.0.1", 0), socket.AF_INET6: ("::1", 0)}
    sock = stack.enter_context(socket.socket(kind.family))
    with socket.socket(kind.family) as listener:
        if kind.small:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wire.SMALL_BUFFER)
        listener.bind(hosts.get(socket.AddressFamily(kind.family), str(path)))
        listener.listen(1)
        sock.connect(listener.getsockname())
        peer = stack.enter_context(listener.accept()[0])
    if kind.small:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, wire.SMALL_BUFFER)
    for sender, receiver in ((sock, peer), (peer, sock)) if kind.talks else ():
        sender.sendall(bytes(1000))
        receiver.recv(1000, socket.MSG_WAITALL)
    sock.setblocking(False)
    return Filled(kind, sock, peer)


def writeable(ends: Iterable[Filled], patience: float) -> set[int]:
    """Descriptors that are writeable, as soon as there is one, or after ``patience`` seconds."""
    poll = select.poll()
    for end in ends:
        poll.register(end.sock, select.POLLOUT)
    return {number for number, _ in poll.poll(patience * 1000)}


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Room for some thousand open descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("descriptors")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives its word for it")
def test_proved_sockets_stay_not_writeable() -> None:
    """Of 500 sockets that were proved not writeable, none is writeable within the next 10 s."""
    with filled(kinds(500)) as ends:
        pending, give_up = list(ends), monotonic() + PATIENCE
        while pending and monotonic() < give_up:
            room = writeable(pending, patience=0.01)
            for end in pending:
                if end.sock.fileno() in room:
                    end.pour()
                end.look()
            pending = [end for end in pending if end.proof is None]
        assert not pending
        proofs = {(end.kind.family == socket.AF_UNIX, end.proof) for end in ends}
        assert proofs == {(True, wire.UNIX_QUEUE), (False, wire.TCP_INFO)}
        assert not writeable(ends, patience=HOLD)


def test_writeable_socket_is_not_proved() -> None:
    """A socket that has room is no proof of anything, whatever waits in its queues."""
    with filled([Kind(socket.AF_INET, True, 1, False)]) as (end,):
        end.sock.send(b"x")
        probe: Any = probes.Probe
        prover: Any = probes.Prover
        peer = Silent(end.peer.fileno())
        sample = probe(end.sock.fileno(), socket.AF_INET).sample(1 << 20, peer)
        assert sample["writeable"]
        assert prover(socket.AF_INET).look(sample, 0.0) is None
        assert prover(socket.AF_INET).look(sample, 99.0) is None


def test_what_came_late_has_to_last_longer() -> None:
    """Where the kernel is silent, one more probe of the closed window has to be answered; it may
    have closed as soon as it was last seen open.
    """
    full = {"recvq": 5, "sendq": 9, "held": 9, "writeable": False, "tcp": None}
    reopened = {**full, "writeable": True}
    prover: Any = probes.Prover(socket.AF_INET)  # type: ignore[no-untyped-call]
    looks = [(0.0, {**full, "recvq": 0}), (1.0, reopened), (3.0, full), (3.5, reopened)]
    for at, sample in looks:
        assert prover.look(sample, at) is None
        assert (prover.due > at) is not sample["writeable"]
    end = 3.0 + (3.0 - 0.0) + wire.SETTLING_TIME
    assert prover.look(full, 3.6) is None
    assert prover.due == end
    assert prover.look(full, end - 0.001) is None
    assert prover.look(full, end) == wire.SETTLED


@pytest.mark.parametrize("is_blocking", [True, False])
def test_borrowed_socket_stays_as_it_was(is_blocking: bool) -> None:
    """To look at somebody's socket neither closes it nor makes it block, or not block."""
    ends = socket.socketpair()
    with ends[0], ends[1]:
        ends[0].setblocking(is_blocking)
        with probes.borrowed(ends[0].fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as borrowed:
            assert os.get_blocking(borrowed.fileno()) is is_blocking
        assert os.get_blocking(ends[0].fileno()) is is_blocking
        ends[0].sendall(b"still open")
