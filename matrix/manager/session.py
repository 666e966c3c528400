"""An interpreter in which jobs get done, whatever happens to the agents that do them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from attrs import define, field

from matrix import wire
from matrix.errors import AgentError
from matrix.manager.conversation import Conversation, Hello
from matrix.manager.interpreters import Interpreter
from matrix.model.transcript import Ending, How, Transcript

DEADLINE = 60.0
"""Seconds after which a cell's process is killed, as often as its scenario has patience."""


@define
class Session:
    """Hands jobs to an agent, and starts another one when it dies.

    That is tried once: a host that does not answer, or that has gone silent, is given up, so that
    each of the cells that it owes is not a wait of its own. ``hello`` is what the last agent said
    of itself, None before there was one.
    """

    interpreter: Interpreter
    _agent: bytes
    _configuration: Mapping[str, Any]
    deadline: float = DEADLINE
    hello: Hello | None = None
    _conversation: Conversation | None = None
    _given_up: AgentError | None = None
    _lock: asyncio.Lock = field(factory=asyncio.Lock)

    @property
    def preload(self) -> tuple[str, ...]:
        """The modules that are imported in each cell's process."""
        return tuple(self._configuration["preload"])

    async def start(self) -> None:
        """Start an agent, if none is running; `AgentError` where that can't be done."""
        async with self._lock:
            if self._conversation is not None and self._conversation.is_open:
                return
            if self._conversation is not None and self._conversation.is_silent:
                why = f"{self.interpreter} is given up: {self._conversation.why}."
                self._given_up = AgentError(why)
            if self._given_up is not None:
                raise self._given_up
            try:
                begun = await Conversation.begin(self.interpreter, self._agent)
            except AgentError as error:
                self._given_up = error
                raise
            self._conversation, self.hello = begun
            self._conversation.say({"do": wire.CONFIGURE, **self._configuration})

    async def do(self, job: Mapping[str, Any], patience: int = 1) -> Transcript:
        """Have a job done, in so many times the deadline.

        It is never done twice: with its agent, its result is lost.
        """
        try:
            await self.start()
        except AgentError as error:
            return Transcript((), Ending(How.LOST, detail=str(error)))
        assert self._conversation is not None
        return await self._conversation.do(job, self.deadline * patience)

    async def end(self) -> None:
        """End the agent."""
        if self._conversation is not None:
            await self._conversation.end()


@asynccontextmanager
async def session(
    interpreter: Interpreter,
    agent: bytes,
    tls: Mapping[str, str],
    preload: tuple[str, ...] = (),
    deadline: float = DEADLINE,
) -> AsyncIterator[Session]:
    """A session whose agent has said hello; no process of it is left at the end."""
    opened = Session(interpreter, agent, {"tls": tls, "preload": preload}, deadline)
    try:
        await opened.start()
        yield opened
    finally:
        await opened.end()
