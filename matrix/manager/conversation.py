"""One agent's process, and what is said to it and by it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from matrix import wire
from matrix.errors import AgentError
from matrix.manager.interpreters import Interpreter
from matrix.manager.listening import listen
from matrix.model.transcript import Ending, How, Transcript
from matrix.structure import from_json

LINE_LIMIT = 1 << 27
"""Bytes in one line of an agent: the longest that `wire.MAX_OUTPUT` allows, with its escapes."""

HELLO_LIMIT = 60.0
"""Seconds that an interpreter has to start, import Twisted and say hello."""

EXPIRE_LIMIT = 10.0
"""Seconds that an agent has to dump and kill a process before it is killed itself."""

_STDERR_TAIL = 4000


@frozen
class Known:
    """A reactor that an agent knows of; whether it can exist there is another question."""

    name: str
    description: str
    realization: str


@frozen
class Hello:
    """What an agent says of itself: the fields of `matrix.wire.HELLO`."""

    protocol: int
    provenance: Mapping[str, str]
    reactors: tuple[Known, ...]
    faults: Mapping[str, str]
    needs: tuple[str, ...] = ()


@define
class _Pending:
    """A job that was handed over: where its answer goes, and the process that does it."""

    answer: asyncio.Future[Transcript]
    pid: int | None = None


@define
class Conversation:
    """A running agent."""

    interpreter: Interpreter
    _process: asyncio.subprocess.Process
    _pending: dict[int, _Pending] = field(factory=dict)
    _tasks: list[asyncio.Task[None]] = field(factory=list)
    _stderr: bytearray = field(factory=bytearray)
    _count: int = 0
    is_open: bool = True

    @classmethod
    async def begin(cls, interpreter: Interpreter, agent: Path) -> tuple[Conversation, Hello]:
        """Start an agent and hear its hello; `AgentError` says why there is none."""
        try:
            process = await asyncio.create_subprocess_exec(
                *interpreter.command,
                str(agent),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LINE_LIMIT,
                start_new_session=True,  # the terminal's Ctrl-C is the manager's
                env={**os.environ, "TMPDIR": str(agent.parent)},  # what killed cells leave in it
            )
        except OSError as error:
            raise AgentError(
                f"{interpreter} could not be started: {error.strerror}. "
                "Give --python a command that starts a Python."
            ) from error
        conversation = cls(interpreter, process)
        conversation._tasks.append(asyncio.create_task(conversation._keep_stderr()))
        try:
            hello = await conversation._hear_hello()
        except BaseException:
            await conversation.end()
            raise
        conversation._tasks.append(asyncio.create_task(conversation._hear()))
        return conversation, hello

    async def _hear_hello(self) -> Hello:
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), HELLO_LIMIT)
            message = json.loads(line)
        except asyncio.TimeoutError as error:
            why = f"said nothing for {HELLO_LIMIT:g} s"
            raise AgentError(f"{self.interpreter} {why}. Is it a Python?") from error
        except (ValueError, RecursionError) as error:
            await self._gone()
            raise AgentError(self._no_agent()) from error
        try:
            hello = from_json(message, Hello)
            if hello.protocol != wire.PROTOCOL:
                raise ValueError(f"its protocol is {hello.protocol}, not {wire.PROTOCOL}")
        except ValueError as error:
            why = f"does not speak as an agent of this version does: {error}"
            raise AgentError(f"{self.interpreter} {why}. Is it a Python?") from error
        return hello

    def _no_agent(self) -> str:
        """Why there is no hello, in words, from what the interpreter printed."""
        stderr = self._stderr.decode("utf-8", "backslashreplace").strip()
        last = stderr.splitlines()[-1] if stderr else "it printed nothing"
        advice = "See that it is a Python that has Twisted (reactor-matrix doctor tells more)"
        if "No module named 'twisted'" in last:
            advice = f"Install it there: {self.interpreter} -m pip install twisted pyopenssl"
        return f"{self.interpreter} cannot play: {last}. {advice}."

    def say(self, message: Mapping[str, Any]) -> None:
        """Send one message."""
        if self.is_open and self._process.stdin is not None:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def do(self, job: Mapping[str, Any], deadline: float) -> Transcript:
        """Have a job done; past the deadline (seconds) its process is made to tell, and killed."""
        self._count += 1
        number = self._count
        pending = _Pending(asyncio.get_running_loop().create_future())
        self._pending[number] = pending
        self.say({**job, "job": number, "deadline": deadline})
        if not self.is_open:
            self._lose("the agent had ended")
        with suppress(asyncio.TimeoutError):
            return await asyncio.wait_for(asyncio.shield(pending.answer), deadline)
        self.say({"do": wire.EXPIRE, "job": number})
        try:
            late = await asyncio.wait_for(asyncio.shield(pending.answer), EXPIRE_LIMIT)
        except asyncio.TimeoutError:
            self.kill()
            late = await pending.answer
        ending = Ending(How.DEADLINE, deadline, f"ended then: {late.ending.how.value}")
        return Transcript(late.events, ending, late.stderr, late.garbage)

    async def _hear(self) -> None:
        assert self._process.stdout is not None
        reason = "the agent ended"
        try:
            while line := await self._process.stdout.readline():
                self._take(json.loads(line))
        except Exception as error:  # noqa: BLE001 - or its jobs would be waited for in vain
            reason = f"the agent wrote what is no answer ({type(error).__name__}: {error})"
        self.kill()
        code = await self._process.wait()
        self._lose(f"{reason}; its process ended with {_words(code)}")

    def _take(self, message: Mapping[str, Any]) -> None:
        pending = self._pending[message["job"]]
        if message["type"] == wire.BEGAN:
            pending.pid = message["pid"]
        elif message["type"] == wire.ENDED:
            transcript = listen(message["events"], message["stderr"], message["status"])
            del self._pending[message["job"]]
            if not pending.answer.done():
                pending.answer.set_result(transcript)

    def _lose(self, why: str) -> None:
        """Whatever was still under way gets no answer any more."""
        self.is_open = False
        pending, self._pending = self._pending, {}
        for each in pending.values():
            if each.pid is not None and self._is_ours(each.pid):
                _kill_group(each.pid)
            if not each.answer.done():
                each.answer.set_result(Transcript((), Ending(How.LOST, detail=why)))

    def _is_ours(self, pid: int) -> bool:
        """Whether the process belongs to this agent's session, whatever the agent said of it."""
        try:
            return os.getsid(pid) == self._process.pid
        except (OSError, TypeError, OverflowError):
            return False

    async def _keep_stderr(self) -> None:
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(1 << 16):
            self._stderr += data
            del self._stderr[:-_STDERR_TAIL]

    def kill(self) -> None:
        """Kill the agent; its jobs' processes are killed when its end is noticed."""
        self.is_open = False
        _kill_group(self._process.pid)

    async def _gone(self) -> None:
        """Kill the agent and wait until it and its stderr are at their end."""
        self.kill()
        await self._process.wait()
        await asyncio.wait(self._tasks[:1], timeout=1)

    async def end(self) -> None:
        """End the conversation and the agent; what was under way is lost."""
        self._lose("the run ended")
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._gone()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _words(code: int) -> str:
    return f"status {code}" if code >= 0 else signal.Signals(-code).name


def clock() -> float:
    """The manager's clock, in seconds."""
    return time.monotonic()
