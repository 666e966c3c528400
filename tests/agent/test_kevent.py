"""The emulated kevent(2): what CPython asks of the real one, and what KQueueReactor relies on."""

from __future__ import annotations

import errno
import os
import select
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("twisted", reason="the emulation is part of the agent")
if not hasattr(select, "epoll"):
    pytest.skip("the emulation needs epoll(7)", allow_module_level=True)

from matrix.agent import kevent
from matrix.agent.kevent import (
    KQ_EV_ADD,
    KQ_EV_CLEAR,
    KQ_EV_DELETE,
    KQ_EV_DISABLE,
    KQ_EV_DISPATCH,
    KQ_EV_ENABLE,
    KQ_EV_EOF,
    KQ_EV_ERROR,
    KQ_EV_ONESHOT,
    KQ_FILTER_READ,
    KQ_FILTER_WRITE,
)

CPYTHON = """
import select, sys, unittest
from matrix.agent import kevent
with kevent.on_select():
    select.kqueue, select.kevent = getattr(kevent, sys.argv[1]), kevent.kevent
    import test.test_kqueue
    suite = unittest.defaultTestLoader.loadTestsFromModule(test.test_kqueue)
    result = unittest.TextTestRunner().run(suite)
sys.exit(not result.wasSuccessful() or not result.testsRun)
"""

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two ends of a TCP connection on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with client, server:
        yield client, server


@pytest.fixture
def queue() -> Iterator[kevent.kqueue]:
    """A queue, closed at the end."""
    made = kevent.kqueue()
    yield made
    made.close()


def change(
    queue: kevent.kqueue, end: socket.socket | int, which: int, flags: int = KQ_EV_ADD
) -> None:
    """Apply one change."""
    queue.control([kevent.kevent(end, which, flags)], 0, 0)


def found(queue: kevent.kqueue, limit: int = 9, timeout: float = 0) -> list[tuple[int, int]]:
    """What is reported, as descriptor and filter."""
    return [(event.ident, event.filter) for event in queue.control([], limit, timeout)]


@pytest.mark.parametrize("order", ["kqueue", "WriteFirst"])
@pytest.mark.skipif(find_spec("test.test_kqueue") is None, reason="this Python has no test package")
def test_cpython_s_own_tests(order: str) -> None:
    """CPython's tests of select.kqueue pass on the emulation."""
    command = [sys.executable, "-c", CPYTHON, order]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "OK" in done.stderr


def test_order_of_events(pair: Pair) -> None:
    """READ comes before WRITE on one kind of queue, and after it on the other."""
    client, server = pair
    server.sendall(b"?")
    for kind, order in (
        (kevent.kqueue, [KQ_FILTER_READ, KQ_FILTER_WRITE]),
        (kevent.WriteFirst, [KQ_FILTER_WRITE, KQ_FILTER_READ]),
    ):
        queue = kind()
        for which in (KQ_FILTER_READ, KQ_FILTER_WRITE):
            change(queue, client, which)
        select.select([client], [], [])
        assert found(queue) == [(client.fileno(), which) for which in order]
        queue.close()


def test_data(pair: Pair, queue: kevent.kqueue) -> None:
    """READ tells the bytes that wait, WRITE the room in the send buffer."""
    client, server = pair
    server.sendall(b"hello")
    change(queue, client, KQ_FILTER_READ)
    change(queue, client, KQ_FILTER_WRITE)
    select.select([client], [], [])
    read, write = queue.control([], 9, 1)
    assert (read.data, read.flags & KQ_EV_EOF) == (5, 0)
    assert write.data > 1


def test_orderly_end(pair: Pair, queue: kevent.kqueue) -> None:
    """The peer's FIN is an end for READ, without an error, and none for WRITE."""
    client, server = pair
    change(queue, client, KQ_FILTER_READ)
    change(queue, client, KQ_FILTER_WRITE)
    server.shutdown(socket.SHUT_WR)
    select.select([client], [], [])
    read, write = queue.control([], 9, 1)
    assert (bool(read.flags & KQ_EV_EOF), read.fflags, read.data) == (True, 0, 0)
    assert not write.flags & KQ_EV_EOF


def test_reset(pair: Pair, queue: kevent.kqueue) -> None:
    """A reset is an end for both, with an error, which is left to be read by its owner."""
    client, server = pair
    change(queue, client, KQ_FILTER_READ)
    change(queue, client, KQ_FILTER_WRITE)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.close()
    select.select([client], [], [])
    events = queue.control([], 9, 1)
    assert [(e.filter, e.fflags) for e in events if e.flags & KQ_EV_EOF] == [
        (KQ_FILTER_READ, errno.ECONNRESET),
        (KQ_FILTER_WRITE, errno.ECONNRESET),
    ]
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET


def test_closed_descriptor_takes_its_knotes_along(pair: Pair, queue: kevent.kqueue) -> None:
    """Also where another descriptor of the same open file stays, nothing is reported any more."""
    client, server = pair
    change(queue, client, KQ_FILTER_WRITE)
    change(queue, server, KQ_FILTER_WRITE)
    number = client.fileno()
    with client.dup():
        client.close()
        assert found(queue) == [(server.fileno(), KQ_FILTER_WRITE)]
        with pytest.raises(OSError, match="Bad file descriptor"):
            change(queue, number, KQ_FILTER_WRITE, KQ_EV_DELETE)


def test_reused_number_is_another_file(pair: Pair, queue: kevent.kqueue) -> None:
    """A number that came to mean another file has no knotes."""
    client, server = pair
    change(queue, client, KQ_FILTER_WRITE)
    os.dup2(server.fileno(), client.fileno())
    with pytest.raises(FileNotFoundError):
        change(queue, client, KQ_FILTER_WRITE, KQ_EV_DELETE)
    assert found(queue) == []


@pytest.mark.parametrize("flags", [KQ_EV_DELETE, KQ_EV_ENABLE, KQ_EV_DISABLE])
def test_changing_what_is_not_there(pair: Pair, queue: kevent.kqueue, flags: int) -> None:
    """A filter that was not added can't be changed: an error, or an event that says so."""
    change(queue, pair[0], KQ_FILTER_READ)
    wanted = kevent.kevent(pair[0], KQ_FILTER_WRITE, flags)
    with pytest.raises(FileNotFoundError):
        queue.control([wanted], 0)
    (event,) = queue.control([wanted], 1)
    assert (event.flags, event.data) == (KQ_EV_ERROR, errno.ENOENT)


@pytest.mark.parametrize(("which", "flags"), [(-7, KQ_EV_ADD), (-1, KQ_EV_ADD | KQ_EV_CLEAR)])
def test_refused(pair: Pair, queue: kevent.kqueue, which: int, flags: int) -> None:
    """What is not emulated is refused, not passed over."""
    with pytest.raises(OSError, match="Invalid"):
        change(queue, pair[0], which, flags)


def test_once_and_not_again(pair: Pair, queue: kevent.kqueue) -> None:
    """ONESHOT goes away when it was reported, DISPATCH sleeps until it is enabled."""
    number = pair[0].fileno()
    change(queue, pair[0], KQ_FILTER_WRITE, KQ_EV_ADD | KQ_EV_ONESHOT)
    assert [found(queue), found(queue)] == [[(number, KQ_FILTER_WRITE)], []]
    change(queue, pair[0], KQ_FILTER_WRITE, KQ_EV_ADD | KQ_EV_DISPATCH)
    assert [found(queue), found(queue)] == [[(number, KQ_FILTER_WRITE)], []]
    change(queue, pair[0], KQ_FILTER_WRITE, KQ_EV_ENABLE)
    assert found(queue) == [(number, KQ_FILTER_WRITE)]
    change(queue, pair[0], KQ_FILTER_WRITE, KQ_EV_DISABLE)
    assert found(queue) == []


def test_end_of_what_is_disabled_wakes_nobody(pair: Pair, queue: kevent.kqueue) -> None:
    """A connection that is reset while its knote is disabled is not reported."""
    client, server = pair
    change(queue, client, KQ_FILTER_READ)
    change(queue, client, KQ_FILTER_READ, KQ_EV_DISABLE)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    server.close()
    select.select([client], [], [])
    assert found(queue) == []


def test_no_knote_starves(pair: Pair, queue: kevent.kqueue) -> None:
    """With room for one event, those that are ready take turns."""
    client, server = pair
    server.sendall(b"?")
    change(queue, client, KQ_FILTER_READ)
    change(queue, client, KQ_FILTER_WRITE)
    select.select([client], [], [])
    assert sorted(found(queue, limit=1) + found(queue, limit=1)) == [
        (client.fileno(), KQ_FILTER_WRITE),
        (client.fileno(), KQ_FILTER_READ),
    ]


def test_regular_file(tmp_path: Path, queue: kevent.kqueue) -> None:
    """A file, of which epoll wants to know nothing, is ready until it is read to its end."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    number = os.open(path, os.O_RDONLY)
    change(queue, number, KQ_FILTER_READ)
    (event,) = queue.control([], 9)
    assert event.data == 5
    os.read(number, 5)
    assert found(queue) == []
    os.close(number)


def test_writer_of_a_pipe_is_told_of_its_end(queue: kevent.kqueue) -> None:
    """A pipe that nobody reads any more has come to its end, also for who waits to read from it."""
    reader, writer = os.pipe()
    change(queue, writer, KQ_FILTER_READ)
    assert found(queue) == []
    os.close(reader)
    (event,) = queue.control([], 9, 1)
    assert event.flags & KQ_EV_EOF
    os.close(writer)


def test_constants_go_away_again() -> None:
    """`select` has the constants for a moment, and `selectors` never changes."""
    default = selectors.DefaultSelector
    with kevent.on_select():
        assert getattr(select, "KQ_EV_ADD") == KQ_EV_ADD  # noqa: B009 - mypy knows no such name
    assert not hasattr(select, "KQ_EV_ADD")
    assert selectors.DefaultSelector is default


def test_no_queue_of_that_number() -> None:
    """Only a queue's own descriptor leads to a queue."""
    with pytest.raises(OSError, match="Bad file descriptor"):
        kevent.kqueue.fromfd(0)


@pytest.mark.parametrize(("limit", "timeout"), [(-1, 0.0), (1, -1.0)])
def test_nonsense(queue: kevent.kqueue, limit: int, timeout: float) -> None:
    """No event list has fewer than no events, and no wait ends before it begins."""
    with pytest.raises(ValueError, match="fewer than 0 events"):
        queue.control([], limit, timeout)


def test_words(pair: Pair) -> None:
    """An entry shows its fields."""
    assert repr(kevent.kevent(3, KQ_FILTER_WRITE)).startswith("<kevent ident=0x3 filter=-0x2")
