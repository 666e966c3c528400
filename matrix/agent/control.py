"""The case with no reactor in it: a raw socket, or the standard library's TLS, and the witness.

It shows what this host's kernel can do at all: how the other end gets told of a
connection that is reset while it is not writeable, or that its peer ends.
"""

from __future__ import annotations

import errno
import shutil
import socket
import tempfile
import time
from contextlib import suppress

from matrix import wire
from matrix.agent import probes, stream, transports, windows
from matrix.agent.sessions import READ_SIZE, Encrypted, Plain

CHUNK = 1 << 17
"""Bytes that are written, more than any kernel takes with small buffers."""

SMALL = 1000
"""Bytes that every kernel takes, of an abort after delivery."""

_PACE = 0.004
"""Seconds between two looks at a state that is new."""

_LIMIT = 5.0


class ControlFailed(Exception):
    """The control could not be played to its end."""


def play(recorder, transport, side, kind, contexts, witnesses):
    """Bring a connection to the same state as a cell, and to its end in that way."""
    folder = tempfile.mkdtemp(prefix="")
    pair = contexts.get(transport.tls)
    is_client = side == "client"
    ours = pair and (pair.stdlib_client if is_client else pair.stdlib_server)
    witness = witnesses.make(transport, not is_client)
    try:
        sock = _connect(transport, witness, is_client, folder)
        session = Encrypted(sock, ours) if ours else Plain(sock)
        session.shake_hands()
        _until(lambda: witness.still or witness.over, "a peer that holds still", _LIMIT)
        if kind == wire.ABORT_DELIVERED:
            _deliver(recorder, sock, session, witness)
        else:
            _prove(recorder, sock, session, witness)
        if kind in (wire.ABORT, wire.ABORT_DELIVERED):
            _reset(recorder, sock)
            witness.drain()
        else:
            _be_told(recorder, sock, session, witness, kind)
        _until(lambda: witness.over, "the witness's end", _LIMIT)
    finally:
        witness.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _connect(transport, witness, is_client, folder):
    if is_client:
        sock = transports.stdlib_connection(transport, witness.listen(folder))
    else:
        with transports.stdlib_listener(transport, folder) as listener:
            listener.settimeout(_LIMIT)
            witness.connect(listener.getsockname())
            sock = listener.accept()[0]
    sock.settimeout(_LIMIT)
    transports.shrink(sock, socket.SO_SNDBUF)
    return sock


class _Filler:
    """Gives a socket as much of one chunk as the kernel takes, again and again."""

    def __init__(self, sock, session):
        self._socket, self._session = sock, session
        self._rest = memoryview(session.encrypt(stream.expected(0, CHUNK)))

    def pour(self):
        """Give the kernel all that it takes for now."""
        _take_in(self._socket, self._session)
        try:
            while self._rest:
                self._rest = self._rest[self._socket.send(self._rest) :]
        except BlockingIOError:
            pass


def _take_in(sock, session):
    """Read what has come in, as a reactor reads it.

    AF_UNIX makes a close a reset where bytes were left unread, for instance TLS 1.3's session
    tickets.
    """
    sock.setblocking(False)
    with suppress(BlockingIOError):
        session.decrypt(sock.recv(READ_SIZE))


def _prove(recorder, sock, session, witness):
    filler = _Filler(sock, session)
    probe, prover = probes.Probe(sock.fileno(), sock.family), probes.Prover(sock.family)

    def is_proved():
        filler.pour()
        sample = probe.sample(CHUNK, witness)
        recorder.record(wire.ABORTER, wire.SAMPLE, **sample)
        proof = prover.look(sample, recorder.now())
        if proof is not None:
            recorder.record(wire.ABORTER, wire.PROVED, proof=proof)
        return proof is not None

    _until(is_proved, "proof", wire.PROOF_LIMIT)


def _deliver(recorder, sock, session, witness):
    data = session.encrypt(stream.expected(0, SMALL))
    sock.sendall(data)
    _take_in(sock, session)
    _until(lambda: (witness.receive_queue() or 0) >= len(data), "delivery", _LIMIT)
    recorder.record(wire.ABORTER, wire.DELIVERED, bytes=SMALL)


def _be_told(recorder, sock, session, witness, kind):
    """The peer ends the connection; what does this end see of it?"""
    recorder.record(wire.ABORTER, wire.PEER_ACTED, act=kind)
    witness.act(kind)
    if kind == wire.FINISH:
        witness.drain()
    sock.settimeout(_LIMIT)
    with sock:
        signal, number = _end_of(sock, session)
    code = None if number is None else errno.errorcode.get(number, str(number))
    recorder.record(wire.ABORTER, wire.WIRE, signal=signal, errno=code)


def _end_of(sock, session):
    while True:
        try:
            data = sock.recv(READ_SIZE)
        except socket.timeout:
            return wire.SILENCE, None
        except OSError as error:
            return (wire.RESET if error.errno == errno.ECONNRESET else wire.CUT), error.errno
        if not data:
            return session.kind_of_end(), None
        session.decrypt(data)


def _reset(recorder, sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, windows.LINGER)
    recorder.record(wire.ABORTER, wire.ABORT_CALLED, written=CHUNK)
    sock.close()
    recorder.record(wire.ABORTER, wire.ABORT_RETURNED, raised=None)


def _until(holds, what, limit):
    """Look at the state until it is there; `ControlFailed` when it does not come in time."""
    began = time.perf_counter()
    while not holds():
        waited = time.perf_counter() - began
        if waited > limit:
            raise ControlFailed(f"{what} did not come in {limit} s")
        time.sleep(probes.until_next_look(_PACE, waited))
