"""uvloop without Twisted: a reader is called once on a socket that was reset, and then never again.

What is under `uvloop_reset_unread.py`, with nothing but a loop and two sockets. Sentence: asyncio's
loop.add_reader, “Start monitoring the fd file descriptor for read availability and invoke callback
with the specified arguments once fd is available for reading”; the reset is still to be read.

    python uvloop_reader_dropped.py [uvloop|asyncio]    exits 1 where the defect is there
"""

import importlib
import socket
import struct
import sys

loop = importlib.import_module((sys.argv[1:] or ["uvloop"])[0]).new_event_loop()


def read():
    try:
        seen.append(ours.recv(100).decode())
    except ConnectionResetError:
        seen.append("reset")
        loop.stop()


seen = []
listening = socket.create_server(("127.0.0.1", 0))
other = socket.create_connection(listening.getsockname())
ours, _address = listening.accept()
ours.setblocking(False)
other.sendall(b"bytes")
other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
other.close()  # with a reset
loop.add_reader(ours, read)
loop.call_later(1, loop.stop)
loop.run_forever()
print(f"what the reader read: expected bytes, reset; seen {', '.join(seen)}")
sys.exit(seen != ["bytes", "reset"])
