"""What a standard library socket speaks: the application's bytes as they are, or inside TLS.

Both leave the descriptor in its owner's hands, who can so see a reset as a reset.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress

from matrix import wire

READ_SIZE = 1 << 16
"""Bytes that one read takes at most."""


class Plain:
    """A connection whose bytes are the application's."""

    is_encrypted = has_close_notify = False
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

    def say_goodbye(self):
        """Say that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    finish = truncate = say_goodbye

    def kind_of_end(self):
        """What an end of file means."""
        return wire.FIN


class Encrypted:
    """A TLS connection over memory buffers, so that the descriptor stays in our hands.

    ``pending`` counts the bytes that were read from the descriptor since the handshake, less those
    that the application has got: never less than what waits in here, and TLS's own besides.
    """

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
        self.has_close_notify = False
        self.pending = 0

    def shake_hands(self):
        """Complete the handshake; the client's end verifies the certificate and the name."""
        self._pump(self._tls.do_handshake)
        self.pending = self._incoming.pending

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
        data = self._pump(self._tls.read, size)
        self.pending -= len(data)
        return data

    def encrypt(self, data):
        """What the descriptor must be given for the application's bytes."""
        self._tls.write(data)
        return self._outgoing.read()

    def decrypt(self, data):
        """The application's bytes in what the descriptor gave."""
        self._take(data)
        plain = bytearray()
        try:
            while not self.has_close_notify:
                chunk = self._tls.read(READ_SIZE)
                self.has_close_notify = not chunk
                plain += chunk
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.has_close_notify = True
        self.pending -= len(plain)
        return bytes(plain)

    def say_goodbye(self):
        """Say that nothing more will be sent: close_notify, and no FIN."""
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        self._flush()

    def finish(self):
        """The same, and then the FIN."""
        self.say_goodbye()
        self.truncate()

    def truncate(self):
        """The FIN, and nothing before it."""
        self._socket.shutdown(socket.SHUT_WR)

    def kind_of_end(self):
        """What an end of file means: a goodbye, or a connection that was cut."""
        return wire.CLOSE_NOTIFY if self.has_close_notify else wire.CUT

    def _pump(self, step, *arguments):
        """Repeat ``step`` until TLS has what it needs from the other end."""
        while True:
            try:
                result = step(*arguments)
            except ssl.SSLWantReadError:
                self._flush()
                self._take(_some(self._socket, READ_SIZE))
            else:
                self._flush()
                return result

    def _take(self, data):
        self.pending += len(data)
        self._incoming.write(data)

    def _flush(self):
        if self._outgoing.pending:
            self._socket.sendall(self._outgoing.read())


class Unanswered(Plain):
    """The first flight of a TLS client, or none of a server, and not a word after it."""

    def __init__(self, sock, context):
        super().__init__(sock)
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            ssl.MemoryBIO(),
            self._outgoing,
            server_side=context.verify_mode != ssl.CERT_REQUIRED,
            server_hostname="localhost" if context.verify_mode == ssl.CERT_REQUIRED else None,
        )

    def shake_hands(self):
        """Say what comes first, and do not wait for an answer."""
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        self._socket.sendall(self._outgoing.read())

    def decrypt(self, data):
        """Nothing of what comes is the application's."""
        return b""

    def kind_of_end(self):
        """What an end of file means: nobody can have said goodbye."""
        return wire.CUT


def _some(sock, size):
    data = sock.recv(size)
    if not data:
        raise ConnectionError("the other end closed the connection before it was set up")
    return data
