"""The peer outside Twisted: a standard library socket, off the reactor's thread.

It connects or accepts, shakes hands, exchanges bytes where the scenario asks
for it, and then holds still: it reads nothing until the kernel itself says that
the connection is over, or until it is told to drain. What it then sees is what
the wire said. It reads the descriptor with `os.read`, since on Python 3.11
``SSLSocket.recv`` reports a reset as a clean end of file.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import threading

from matrix import wire
from matrix.agent import probes, stream, transports
from matrix.agent.recorder import describe

_READ_SIZE = 1 << 16
_LIMIT = 10.0
"""Seconds in which the other end must answer while a connection is set up."""


class Witness:
    """One end of a connection, played by a thread of its own.

    ``still`` turns true when it is set up and holds still, ``over`` when it has seen the end,
    ``read`` counts the application's bytes.
    """

    def __init__(self, recorder, transport, context=None, exchange=0):
        self._recorder = recorder
        self._transport = transport
        self._context = context
        self._exchange = exchange
        self._reading = stream.Reading()
        self._commands = socket.socketpair()
        self._is_draining = False
        self._lock = threading.Lock()
        self._socket = self._session = self._thread = None
        self.still = self.over = False

    @property
    def read(self):
        """Bytes of the application that were read so far."""
        return self._reading.bytes

    def listen(self, folder):
        """Listen for the aborter, and return the address to which it must connect."""
        listener = transports.stdlib_listener(self._transport, folder)
        self._begin(self._accept, listener)
        return listener.getsockname()

    def connect(self, address):
        """Connect to the aborter's listening port."""
        self._begin(transports.stdlib_connection, self._transport, address)

    def drain(self):
        """Read from now on, whatever the kernel says."""
        self._command(b"d")

    def stop(self):
        """End the thread; an end of the connection that was not seen by now is `wire.SILENCE`."""
        self._command(b"s")
        if self._thread is not None:
            self._thread.join(_LIMIT)
        for end in self._commands:
            end.close()

    def receive_queue(self):
        """Bytes that came to this end and that its application has not read, or None."""
        with self._lock:
            if self._socket is None or self._session is None:
                return None
            queued = probes.receive_queue(self._socket.fileno())
            return None if queued is None else queued + self._session.pending

    def _command(self, command):
        self._commands[0].send(command)

    def _begin(self, open_socket, *arguments):
        self._thread = threading.Thread(
            target=self._run, args=(open_socket, *arguments), name="witness", daemon=True
        )
        self._thread.start()

    def _run(self, open_socket, *arguments):
        try:
            sock = open_socket(*arguments)
            sock.settimeout(_LIMIT)
            session = Plain(sock) if self._context is None else Encrypted(sock, self._context)
            with self._lock:
                self._socket, self._session = sock, session
            self._record(wire.CONNECTED, local=sock.getsockname(), remote=sock.getpeername())
            self._play(sock, session)
        except OSError as error:  # the other end's doing; ssl.SSLError is one too
            self._record(wire.GAVE_UP, waiting_for="the other end", exception=describe(error))
        except Exception as error:
            self._record(wire.HARNESS_RAISED, exception=describe(error))
        finally:
            with self._lock:
                if self._socket is not None:
                    self._socket.close()
                self._socket = self._session = None
            self.over = True

    def _accept(self, listener):
        with listener:
            if not _wait_readable(listener, self._commands[1]):
                raise ConnectionError("told to stop before anybody connected")
            return listener.accept()[0]

    def _play(self, sock, session):
        session.shake_hands()
        if session.is_encrypted:
            self._record(wire.HANDSHAKE, **session.facts())
        if self._exchange:
            self._swap(session)
        self._record(wire.READING_STOPPED)
        self.still = True
        self._hold_still(sock)
        self._see_the_end(sock, session)

    def _swap(self, session):
        while self.read < self._exchange:
            self._reading.add(session.receive(self._exchange - self.read))
        session.send(stream.expected(0, self._exchange))
        self._record(wire.EXCHANGED, sent=self._exchange, received=self.read)

    def _hold_still(self, sock):
        """Return once the kernel or a command says that the time has come to read.

        POLLIN is not asked for: hang-up, error and reset are all that the kernel may report.
        """
        if not hasattr(select, "poll"):
            select.select([self._commands[1]], [], [])
            return
        poll = select.poll()
        poll.register(sock, getattr(select, "POLLRDHUP", 0))
        poll.register(self._commands[1], select.POLLIN)
        flags = dict(poll.poll())
        if sock.fileno() in flags:
            self._record(wire.TOLD, poll=_flag_names(flags[sock.fileno()]))

    def _see_the_end(self, sock, session):
        signal, number = self._drain(sock, session)
        self._record(wire.RECEIVED, **self._reading.seen())
        code = None if number is None else errno.errorcode.get(number, str(number))
        self._record(wire.WIRE, signal=signal, errno=code)

    def _drain(self, sock, session):
        """Read to the end; return what kind of end that was, and its error number."""
        while True:
            if not _wait_readable(sock, self._commands[1]):
                return wire.SILENCE, None
            try:
                data = os.read(sock.fileno(), _READ_SIZE)
            except OSError as error:
                return (wire.RESET if error.errno == errno.ECONNRESET else wire.CUT), error.errno
            if not data:
                return session.kind_of_end(), None
            self._reading.add(session.decrypt(data))

    def _record(self, event, **data):
        self._recorder.record(wire.PEER, event, **data)


def _wait_readable(sock, commands):
    """Wait for the socket; False when told to stop instead (a command to drain is passed over)."""
    while True:
        ready = _readable(sock, commands)
        if sock in ready:
            return True
        if commands.recv(1) == b"s":
            return False


def _readable(*sockets):
    if not hasattr(select, "poll"):
        return select.select(sockets, [], [])[0]
    poll = select.poll()
    for sock in sockets:
        poll.register(sock, select.POLLIN)
    ready = dict(poll.poll())
    return [sock for sock in sockets if sock.fileno() in ready]


def _flag_names(flags):
    names = ("POLLIN", "POLLPRI", "POLLERR", "POLLHUP", "POLLRDHUP", "POLLNVAL")
    return [name for name in names if flags & getattr(select, name, 0)]


class Plain:
    """A connection whose bytes are the application's."""

    is_encrypted = False
    pending = 0

    def __init__(self, sock):
        self._socket = sock

    def shake_hands(self):
        """Nothing to do."""

    def send(self, data):
        """Send all of it."""
        self._socket.sendall(data)

    def receive(self, size):
        """Between one and ``size`` bytes; `ConnectionError` where the other end is gone."""
        return _some(self._socket, size)

    def encrypt(self, data):
        """What the descriptor must be given for the application's bytes."""
        return data

    def decrypt(self, data):
        """The application's bytes in what the descriptor gave."""
        return data

    def kind_of_end(self):
        """What an end of file means."""
        return wire.FIN


class Encrypted:
    """A TLS connection over memory buffers, so that the descriptor stays in our hands."""

    is_encrypted = True

    def __init__(self, sock, context):
        self._socket = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._is_client = context.verify_mode == ssl.CERT_REQUIRED
        self._tls = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=not self._is_client,
            server_hostname="localhost" if self._is_client else None,
        )
        self._has_close_notify = False

    @property
    def pending(self):
        """Bytes that were read from the descriptor and are not decrypted yet."""
        return self._incoming.pending

    def shake_hands(self):
        """Complete the handshake; the client's end verifies the certificate and the name."""
        self._pump(self._tls.do_handshake)

    def facts(self):
        """The fields of a `matrix.wire.HANDSHAKE` event."""
        return {
            "version": self._tls.version(),
            "cipher": self._tls.cipher()[0],
            "verified": "ssl.match_hostname" if self._is_client else None,
        }

    def send(self, data):
        """Send all of it."""
        self._pump(self._tls.write, data)

    def receive(self, size):
        """Between one and ``size`` bytes of the application."""
        return self._pump(self._tls.read, size)

    def encrypt(self, data):
        """What the descriptor must be given for the application's bytes."""
        self._tls.write(data)
        return self._outgoing.read()

    def decrypt(self, data):
        """The application's bytes in what the descriptor gave."""
        self._incoming.write(data)
        plain = bytearray()
        try:
            while not self._has_close_notify:
                chunk = self._tls.read(_READ_SIZE)
                self._has_close_notify = not chunk
                plain += chunk
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self._has_close_notify = True
        return bytes(plain)

    def kind_of_end(self):
        """What an end of file means: a goodbye, or a connection that was cut."""
        return wire.CLOSE_NOTIFY if self._has_close_notify else wire.CUT

    def _pump(self, step, *arguments):
        """Repeat ``step`` until TLS has what it needs from the other end."""
        while True:
            try:
                result = step(*arguments)
            except ssl.SSLWantReadError:
                self._flush()
                self._incoming.write(_some(self._socket, _READ_SIZE))
            else:
                self._flush()
                return result

    def _flush(self):
        if self._outgoing.pending:
            self._socket.sendall(self._outgoing.read())


def _some(sock, size):
    data = sock.recv(size)
    if not data:
        raise ConnectionError("the other end closed the connection before it was set up")
    return data
