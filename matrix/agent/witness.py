"""The peer outside Twisted: a standard library socket, off the reactor's thread.

It connects or accepts, shakes hands, exchanges bytes where the scenario asks
for it, and then holds still: it reads nothing until the kernel itself says that
the connection is over, or until it is told to drain. What it then sees is what
the wire said. TLS is over memory buffers, and what is read is the plain socket, since
on Python 3.11 ``SSLSocket.recv`` reports a reset as a clean end of file.
"""

from __future__ import annotations

import errno
import select
import socket
import subprocess
import sys
import threading

from matrix import wire
from matrix.agent import probes, stream, transports, windows
from matrix.agent.recorder import describe
from matrix.agent.sessions import READ_SIZE, Encrypted, Plain, Unanswered

_LIMIT = 10.0
"""Seconds in which the other end must answer while a connection is set up."""


_DRAIN, _STOP, _SAY, _START_TLS, _CATCH_UP = b"d", b"s", b"!", b"t", b"c"
_ACTS = {
    wire.FINISH: b"f",
    wire.RESET_IT: b"r",
    wire.RUBBISH: b"g",
    wire.TRUNCATE: b"u",
    wire.VANISH: b"v",
    wire.SAY: _SAY + b"?",
}


class Witness:
    """One end of a connection, played by a thread of its own.

    ``still`` turns true when it is set up and holds still, ``finished`` when it has said that it
    writes no more, ``over`` when it has seen the end; ``read`` counts the application's bytes.
    """

    def __init__(
        self,
        recorder,
        transport,
        context=None,
        exchange=0,
        small_buffers=True,
        starts_tls=False,
        answers=True,
    ):
        self._recorder = recorder
        self._transport = transport
        self._context = context
        self._exchange = exchange
        self._small_buffers = small_buffers
        self._starts_tls = starts_tls
        self._answers = answers
        self._reading = stream.Reading()
        self._commands = socket.socketpair()
        self._lock = threading.Lock()
        self._socket = self._session = self._thread = None
        self.still = self.over = self.finished = False
        self._wanted = 0
        self._has_socket = threading.Event()
        self._is_stopped = self._is_polite = self._is_rude = False

    @property
    def read(self):
        """Bytes of the application that were read so far."""
        return self._reading.bytes

    def listen(self, folder):
        """Listen for the aborter, and return the address to which it must connect."""
        listener = transports.stdlib_listener(self._transport, folder, self._small_buffers)
        self._begin(self._accept, listener)
        return listener.getsockname()

    def connect(self, address):
        """Connect to the aborter's listening port."""
        self._begin(transports.stdlib_connection, self._transport, address, self._small_buffers)

    def await_socket(self):
        """Block until this end has its socket, or has failed to get one."""
        self._has_socket.wait(_LIMIT)

    def drain(self):
        """Read from now on, whatever the kernel says."""
        self._command(_DRAIN)

    def start_tls(self):
        """Begin TLS on the connection."""
        self._command(_START_TLS)

    def act(self, act):
        """Do what ends the connection: `matrix.wire.FINISH` or what follows it."""
        self._command(_ACTS[act])

    def say(self, data):
        """Send one byte to the aborter, twice: over TLS, two records that come in together."""
        self._command(_SAY + data)

    def catch_up(self, count):
        """Read until ``count`` bytes of the application have come in all, and hold still again."""
        self.still, self._wanted = False, count
        self._command(_CATCH_UP)

    def drain_politely(self):
        """Read from now on, and answer the other end's close_notify, if one comes."""
        self._is_polite = True
        self.drain()

    def stop(self):
        """End the thread; an end of the connection that was not seen by now is `wire.SILENCE`."""
        self._command(_STOP)
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

    def arrived(self):
        """Its ``receive_queue()`` and then what it has ``read``."""
        return self.receive_queue(), self.read

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
            self._has_socket.set()
            sock.settimeout(_LIMIT)
            self._record(wire.CONNECTED, local=sock.getsockname(), remote=sock.getpeername())
            self._play(sock, self._first_session(sock))
        except OSError as error:  # the other end's doing; ssl.SSLError is one too
            self._record(wire.GAVE_UP, waiting_for="the other end", exception=describe(error))
        except Exception as error:
            self._record(wire.HARNESS_RAISED, exception=describe(error))
        finally:
            self._close()
            self._record(wire.RECEIVED, **self._reading.seen())
            self._has_socket.set()
            self.over = True

    def _close(self):
        """Whoever asks for this end's queue meanwhile has it open, or not at all."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = self._session = None

    def _accept(self, listener):
        with listener:
            if not _wait_readable(listener, self._commands[1]):
                raise ConnectionError("told to stop before anybody connected")
            return listener.accept()[0]

    def _play(self, sock, session):
        self._begin_session(sock, session)
        if self._exchange:
            self._swap(session)
        if self._starts_tls:
            self._commands[1].recv(1)
            session = Encrypted(sock, self._context)
            self._begin_session(sock, session)
        self._record(wire.READING_STOPPED)
        self.still = True
        if self._hold_still(sock, session):
            self._see_the_end(sock, session)

    def _first_session(self, sock):
        if self._context is None or self._starts_tls:
            return Plain(sock)
        return Encrypted(sock, self._context) if self._answers else Unanswered(sock, self._context)

    def _begin_session(self, sock, session):
        with self._lock:
            self._socket, self._session = sock, session
        session.shake_hands()
        if session.is_encrypted:
            self._record(wire.HANDSHAKE, **session.facts())

    def _swap(self, session):
        self._read_up_to(self._exchange, session)
        session.send(stream.expected(0, self._exchange))
        self._record(wire.EXCHANGED, sent=self._exchange, received=self.read)

    def _read_up_to(self, count, session):
        while self.read < count:
            self._reading.add(session.receive(count - self.read))

    def _hold_still(self, sock, session):
        """Read nothing, and do as told, until the time has come to read.

        The kernel or a command says so. POLLIN is not asked for: hang-up, error and reset are all
        that the kernel may report. False where this end has reset the connection itself.
        """
        while True:
            flags = _told(sock, self._commands[1])
            if flags:
                self._record(wire.TOLD, poll=_flag_names(flags))
                return True
            command = self._commands[1].recv(1)
            if command in (_DRAIN, _STOP):
                self._is_stopped = command == _STOP
                return True
            if command == _ACTS[wire.RESET_IT]:
                self._reset(sock)
                return False
            if command == _ACTS[wire.VANISH]:
                self._vanish(sock)
                return False
            self._do(command, sock, session)

    def _do(self, command, sock, session):
        if command == _SAY:
            byte = self._commands[1].recv(1)
            sock.sendall(session.encrypt(byte) + session.encrypt(byte))
        elif command == _CATCH_UP:
            self._read_up_to(self._wanted, session)
            self._record(wire.READING_STOPPED)
            self.still = True
        elif command == _ACTS[wire.RUBBISH]:
            self._is_rude = True
            sock.sendall(b"This is no TLS record." * 10)
        elif command == _ACTS[wire.FINISH]:
            session.finish()
            self.finished = True
        elif command == _ACTS[wire.TRUNCATE]:
            session.truncate()

    def _reset(self, sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, windows.LINGER)
        self._close()

    def _vanish(self, sock):
        """Give this end to a process that does nothing with it, and kill that process."""
        command = [sys.executable, "-I", "-S", "-c", "import signal; signal.pause()"]
        holder = subprocess.Popen(command, pass_fds=[sock.fileno()])
        self._close()
        holder.kill()
        holder.wait()

    def _see_the_end(self, sock, session):
        signal, number = self._drain(sock, session)
        code = None if number is None else errno.errorcode.get(number, str(number))
        self._record(wire.WIRE, signal=signal, errno=code)

    def _drain(self, sock, session):
        """Read to the end; return what kind of end that was, and its error number.

        Who speaks no TLS does not understand it either: an alert is no reason to go away.
        """
        while True:
            if self._is_stopped or not _wait_readable(sock, self._commands[1]):
                return wire.SILENCE, None
            try:
                data = self._read_some(sock, session)
            except OSError as error:
                return (wire.RESET if error.errno == errno.ECONNRESET else wire.CUT), error.errno
            if not data:
                return session.kind_of_end(), None
            if self._is_polite and session.has_close_notify:
                self._is_polite = False
                number = _answer(session)
                if number == errno.ECONNRESET:  # which is told once, and was
                    return wire.RESET, number

    def _read_some(self, sock, session):
        """What the descriptor gives, taken in; nobody sees it when it is in neither place."""
        with self._lock:
            data = sock.recv(READ_SIZE)
            if data and not self._is_rude:
                self._reading.add(session.decrypt(data))
            return data

    def _record(self, event, **data):
        self._recorder.record(wire.PEER, event, **data)


class Maker:
    """Makes the witnesses of one process: here, or in the outpost where there is one."""

    def __init__(self, recorder, contexts, outpost=None):
        self._recorder, self._contexts, self._outpost = recorder, contexts, outpost

    def make(self, transport, is_client, **settings):
        """A witness on that end of a connection; ``settings`` are `Witness`'s own."""
        if self._outpost is not None:
            from matrix.agent.outpost import Distant

            return Distant(self._outpost, self._recorder, transport, is_client, **settings)
        context = None
        if transport.tls:
            pair = self._contexts[transport.tls]
            context = pair.stdlib_client if is_client else pair.stdlib_server
        return Witness(self._recorder, transport, context, **settings)


def _answer(session):
    """Say goodbye too; the number of the error where the connection is gone, else None.

    The TLS connection is over then, and it is up to the other end to close the one below it.
    """
    try:
        session.say_goodbye()
    except OSError as error:
        return error.errno
    return None


def _told(sock, commands):
    """Wait for the kernel's word on a socket that nobody reads, its poll flags; 0: a command."""
    if not hasattr(select, "poll"):
        select.select([commands], [], [])
        return 0
    poll = select.poll()
    poll.register(sock, getattr(select, "POLLRDHUP", 0))
    poll.register(commands, select.POLLIN)
    return dict(poll.poll()).get(sock.fileno(), 0)


def _wait_readable(sock, commands):
    """Wait for the socket; False when told to stop instead (a command to drain is passed over)."""
    while True:
        ready = _readable(sock, commands)
        if sock in ready:
            return True
        if commands.recv(1) == _STOP:
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
