"""A TCP relay that is as bad a link as a test asks for: slow, stalled, cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from attrs import define, field

_CHUNK = 1 << 16


@define(eq=False)
class _Way:
    """One way through a relay: what has come in and is yet to go out, each with its time."""

    source: asyncio.StreamReader
    target: asyncio.StreamWriter
    is_back: bool
    waiting: asyncio.Queue[tuple[float, bytes]] = field(factory=asyncio.Queue)


@define
class Relay:
    """Passes on to ``target`` what comes in at ``port``, and back, each way ``delay`` s late."""

    target: int
    delay: float = 0.0
    port: int = 0
    _flows: asyncio.Event = field(factory=asyncio.Event)
    _came: asyncio.Event = field(factory=asyncio.Event)
    _ways: list[_Way] = field(factory=list)
    _tasks: list[asyncio.Task[None]] = field(factory=list)
    _server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen at a free port."""
        self._flows.set()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def stall(self) -> None:
        """Hold what comes in."""
        self._flows.clear()

    def go_on(self) -> None:
        """Pass on all that was held, in its order."""
        self._flows.set()

    async def holds_an_answer(self) -> None:
        """Wait until it stalls, and something has come from the target that it does not pass on."""
        while self._flows.is_set() or all(way.waiting.empty() for way in self._ways if way.is_back):
            self._came.clear()
            await self._came.wait()

    def cut(self, for_good: bool = False) -> None:
        """Reset every connection; ``for_good``: and let no other one be made."""
        if for_good and self._server is not None:
            self._server.close()
        for way in self._ways:
            way.target.transport.abort()
        self._ways.clear()

    async def close(self) -> None:
        """Cut it, for good."""
        self.cut(for_good=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, onward = await asyncio.open_connection("127.0.0.1", self.target)
        for way in (_Way(near, onward, is_back=False), _Way(far, back, is_back=True)):
            self._ways.append(way)
            self._tasks += [asyncio.create_task(work(way)) for work in (self._take, self._give)]

    async def _take(self, way: _Way) -> None:
        data, loop = b"x", asyncio.get_running_loop()
        while data:
            try:
                data = await way.source.read(_CHUNK)
            except OSError:
                data = b""
            way.waiting.put_nowait((loop.time() + self.delay, data))
            self._came.set()

    async def _give(self, way: _Way) -> None:
        loop, data = asyncio.get_running_loop(), b"x"
        with suppress(OSError):
            while data:
                due, data = await way.waiting.get()
                await asyncio.sleep(due - loop.time())
                await self._flows.wait()
                way.target.write(data)
                await way.target.drain()
        way.target.close()


@asynccontextmanager
async def relay(target: int, delay: float = 0.0) -> AsyncIterator[Relay]:
    """A relay to a port of this machine."""
    made = Relay(target, delay)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
