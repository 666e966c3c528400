"""Witnesses in another process, for agents that cannot quite trust their own sockets.

Under Wine a socket may read a reset as an orderly end. So the witness of a cell there is played by
a native process, which the manager starts; the cell speaks to it over a loopback connection of its
own, one JSON line each way, and waits for each answer. Every answer brings the events that have
happened there since the last one. They become the cell's own; ``outpost_t`` is their time on the
outpost's clock, which is set against the cell's when they meet.
"""

from __future__ import annotations

import hmac
import json
import platform
import socket
import sys
import threading
import time
from typing import Any

from matrix import wire
from matrix.agent import sendqueue, tls, transports
from matrix.agent.recorder import describe
from matrix.agent.witness import Witness

_LIMIT = 30.0
"""Seconds in which an answer must come."""

_CALLS = (
    "listen",
    "connect",
    "await_socket",
    "drain",
    "start_tls",
    "act",
    "say",
    "catch_up",
    "drain_politely",
    "stop",
    "look",
)


class OutpostFailed(Exception):
    """The other process could not do what was asked of it."""


class _Line:
    """One connection to the other process."""

    def __init__(self, outpost):
        address = ("127.0.0.1", outpost["port"])
        self._socket = socket.create_connection(address, _LIMIT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")

    def ask(self, question):
        """Ask, and wait for the answer."""
        self._socket.sendall(json.dumps(question).encode("ascii") + b"\n")
        line = self._answers.readline()
        if not line:
            raise OutpostFailed("the process that plays the witness is gone")
        return json.loads(line)

    def close(self):
        """Ask no more."""
        self._answers.close()
        self._socket.close()


class Host:
    """The machine under Wine, which tells what Windows does not."""

    def __init__(self, outpost):
        self._outpost = outpost
        self._line: Any = None
        self._queues: dict[Any, tuple[float, Any]] = {}

    def send_queue(self, sock):
        """Bytes in the send queue of a socket, or None; it may be `_AGE` old."""
        try:
            ends = sock.getsockname(), sock.getpeername()
        except OSError:
            return None
        asked_at, queue = self._queues.get(ends, (-_AGE, None))
        if time.perf_counter() - asked_at > _AGE:
            queue = self._ask(ends)
            self._queues[ends] = time.perf_counter(), queue
        return queue

    def close(self):
        """Ask no more."""
        if self._line is not None:
            self._line.close()

    def _ask(self, ends):
        if self._line is None:
            self._line = _Line(self._outpost)
        answer = self._line.ask({"token": self._outpost["token"], "ends": ends})
        if "raised" in answer:
            raise OutpostFailed(f"{answer['raised']['type']}: {answer['raised']['message']}")
        return answer["result"]


_AGE = 0.1
"""Seconds for which one answer is good: a crowd of connections is looked at again and again. It is
well below `wire.SETTLING_TIME`.
"""


class Distant:
    """A `Witness` that another process plays; it is used like one that is here."""

    def __init__(self, outpost, recorder, transport, is_client, **settings):
        self._recorder = recorder
        self._line = _Line(outpost)
        asked = recorder.now()
        told = self._ask(
            token=outpost["token"], transport=transport.name, is_client=is_client, **settings
        )
        within = (recorder.now() - asked) / 2
        recorder.record(wire.PEER, wire.OUTPOST, within=round(within, 6), **told)

    @property
    def still(self):
        """Whether it is set up and holds still."""
        return self._ask(call="look")["still"]

    @property
    def over(self):
        """Whether it has seen the end."""
        return self._ask(call="look")["over"]

    @property
    def finished(self):
        """Whether it has said that it writes no more."""
        return self._ask(call="look")["finished"]

    @property
    def read(self):
        """Bytes of the application that were read so far."""
        return self._ask(call="look")["read"]

    def receive_queue(self):
        """Bytes that came to that end and that its application has not read, or None."""
        return self._ask(call="look")["queue"]

    def arrived(self):
        """Its ``receive_queue()`` and then what it has ``read``, by one question."""
        seen = self._ask(call="look")
        return seen["queue"], seen["read"]

    def listen(self, folder):
        """Listen for the aborter, and return the address to which it must connect."""
        return tuple(self._ask(call="listen", argument=folder))

    def connect(self, address):
        """Connect to the aborter's listening port."""
        self._ask(call="connect", argument=address)

    def drain(self):
        """Read from now on, whatever the kernel says."""
        self._ask(call="drain")

    def await_socket(self):
        """Block until that end has its socket, or has failed to get one."""
        self._ask(call="await_socket")

    def catch_up(self, count):
        """Read until ``count`` bytes of the application have come in all, and hold still again."""
        self._ask(call="catch_up", argument=count)

    def drain_politely(self):
        """Read from now on, and answer the other end's close_notify, if one comes."""
        self._ask(call="drain_politely")

    def start_tls(self):
        """Begin TLS on the connection."""
        self._ask(call="start_tls")

    def act(self, act):
        """Do what ends the connection."""
        self._ask(call="act", argument=act)

    def say(self, data):
        """Send one byte to the aborter, twice."""
        self._ask(call="say", argument=data.decode("latin-1"))

    def stop(self):
        """End it, and hear its last events."""
        self._ask(call="stop")
        self._line.close()

    def _ask(self, **question):
        answer = self._line.ask(question)
        for t, side, event, data in answer["events"]:
            self._recorder.record(side, event, outpost_t=t, **data)
        if "raised" in answer:
            raise OutpostFailed(f"{answer['raised']['type']}: {answer['raised']['message']}")
        return answer["result"]


class _Events:
    """Takes events like a `Recorder`, until somebody asks for them."""

    def __init__(self):
        self._lock = threading.Lock()
        self._kept = []

    def record(self, side, event, **data):
        """Keep one event."""
        with self._lock:
            self._kept.append((round(time.perf_counter(), 6), side, event, data))

    def take(self):
        """All that came since the last time."""
        with self._lock:
            kept, self._kept = self._kept, []
        return kept


class _Guest:
    """One cell's connection to the outpost, and the witness that is played for it."""

    def __init__(self, sock, token, contexts):
        self._socket, self._token, self._contexts = sock, token, contexts
        self._events = _Events()
        self._witness: Any = None
        self._is_done = False

    def serve(self):
        """Answer until the cell is done, or gone."""
        with self._socket, self._socket.makefile("rb") as questions:
            for line in questions:
                answer = self._answer(json.loads(line))
                answer["events"] = self._events.take()
                self._socket.sendall(json.dumps(answer).encode("ascii") + b"\n")
        if self._witness is not None and not self._is_done:
            self._witness.stop()

    def _answer(self, question):
        try:
            if "ends" in question:
                return {"result": self._send_queue(**question)}
            if self._witness is None:
                return {"result": self._begin(**question)}
            return {"result": self._do(**question)}
        except Exception as error:
            return {"raised": describe(error)}

    def _check(self, token):
        if not hmac.compare_digest(token, self._token):
            raise PermissionError("not a cell of this run")

    def _send_queue(self, token, ends):
        self._check(token)
        return sendqueue.send_queue(*ends)

    def _begin(self, token, transport, is_client, **settings):
        self._check(token)
        parsed = transports.parse(transport)
        context = self._contexts[parsed.tls][is_client] if parsed.tls else None
        self._witness = Witness(self._events, parsed, context, **settings)
        return {"platform": platform.platform(), "clock": round(time.perf_counter(), 6)}

    def _do(self, call, argument=None):
        witness = self._witness
        if call not in _CALLS:
            raise ValueError(f"{call!r} is nothing that a witness does")
        if call == "look":
            queue = witness.receive_queue()
            return {
                "still": witness.still,
                "over": witness.over,
                "finished": witness.finished,
                "read": witness.read,
                "queue": queue,
            }
        if call == "stop":
            self._is_done = True
            self._witness.stop()
            return None
        arguments = {"say": lambda: argument.encode("latin-1"), "connect": lambda: tuple(argument)}
        taking = ("listen", "connect", "act", "say", "catch_up")
        given = (arguments.get(call, lambda: argument)(),) if call in taking else ()
        return getattr(witness, call)(*given)


def main():
    """Play witnesses until standard input ends: its one line is the configuration."""
    configuration = json.loads(sys.stdin.readline())
    material = configuration["tls"]
    contexts = {version: tls.stdlib_contexts(version, material) for version in tls.VERSIONS}
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        sys.stdout.write(json.dumps({"port": listener.getsockname()[1]}) + "\n")
        sys.stdout.flush()
        taking = (listener, configuration["token"], contexts)
        threading.Thread(target=_take_guests, args=taking, daemon=True).start()
        sys.stdin.read()


def _take_guests(listener, token, contexts):
    while True:
        guest = _Guest(listener.accept()[0], token, contexts)
        threading.Thread(target=guest.serve, daemon=True).start()


if __name__ == "__main__":
    main()
