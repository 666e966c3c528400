"""One agent's process, and what is said to it and by it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

from attrs import define, evolve, field, frozen

from matrix import wire
from matrix.errors import AgentError
from matrix.manager.interpreters import START, Interpreter
from matrix.manager.listening import listen
from matrix.model.transcript import Ending, How, Transcript
from matrix.structure import from_json

LINE_LIMIT = 1 << 27
"""Bytes in one line of an agent: the longest that `wire.MAX_OUTPUT` allows, with its escapes."""

HELLO_LIMIT = 60.0
"""Seconds that an interpreter has to start, import Twisted and say hello."""

BEAT = 10.0
"""Seconds between one sign of life that is asked of an agent and the next."""

SILENCE_LIMIT = 60.0
"""Seconds without any word of an agent after which it is lost. A link may stall for as long."""

PATIENCE = 600.0
"""Seconds without any word of the manager after which an agent ends by itself."""

ANSWER_LIMIT = 2 * SILENCE_LIMIT
"""Seconds beyond its deadline in which an agent that does give signs of life must end a job."""

END_LIMIT = 5.0
"""Seconds that an agent has to clear up once it is told to end."""

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
    """A job that was handed over: where its answer goes, and after how many seconds it expires."""

    answer: asyncio.Future[Transcript]
    deadline: float


@define
class Conversation:
    """An agent: ``why`` it can be given no job any more; ``is_silent`` if that is its silence."""

    interpreter: Interpreter
    _process: asyncio.subprocess.Process
    _pending: dict[int, _Pending] = field(factory=dict)
    _tasks: list[asyncio.Task[None]] = field(factory=list)
    _stderr: bytearray = field(factory=bytearray)
    _count: int = 0
    _heard: int = 0
    why: str | None = None
    is_silent: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it can be given a job."""
        return self.why is None

    @classmethod
    async def begin(cls, interpreter: Interpreter, agent: bytes) -> tuple[Conversation, Hello]:
        """Start an agent and hear its hello; `AgentError` says why there is none."""
        try:
            process = await asyncio.create_subprocess_exec(
                *interpreter.command,
                *START,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LINE_LIMIT,
                start_new_session=True,  # the terminal's Ctrl-C is the manager's
            )
        except OSError as error:
            raise AgentError(
                f"{interpreter} could not be started: {error.strerror}. "
                "Give --python a command that starts a Python."
            ) from error
        conversation = cls(interpreter, process)
        conversation._do_meanwhile(conversation._keep_stderr())
        conversation._send(agent)
        try:
            hello = await conversation._hear_hello()
        except BaseException:
            await conversation._gone()
            raise
        conversation._do_meanwhile(conversation._hear())
        conversation._do_meanwhile(conversation._keep_alive())
        return conversation, hello

    def _do_meanwhile(self, doing: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(doing))

    async def _hear_hello(self) -> Hello:
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), HELLO_LIMIT)
            message = json.loads(line)
        except asyncio.TimeoutError as error:
            why = f"said nothing for {HELLO_LIMIT:g} s"
            raise AgentError(f"{self.interpreter} {why}. Is it a Python?") from error
        except (ValueError, RecursionError) as error:
            await self._ended()
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
        last = self._last_words().rstrip(".") or "it printed nothing"
        if last.startswith(wire.REFUSAL):
            return f"{self.interpreter} cannot play: {last[len(wire.REFUSAL) :]}."
        advice = "Give --python a command that starts a Python which has Twisted."
        if "No module named 'twisted'" in last:
            advice = f"Install it there: {self.interpreter} -m pip install twisted pyopenssl."
        return f"{self.interpreter} cannot play: {last}. {advice}"

    def say(self, message: Mapping[str, Any]) -> None:
        """Send one message."""
        if self.is_open:
            self._send(json.dumps(message).encode() + b"\n")

    def _send(self, line: bytes) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(line)

    async def do(self, job: Mapping[str, Any], deadline: float) -> Transcript:
        """Have a job done. The agent kills its process past the deadline: seconds on that host.

        The time that the link takes does not count, so the manager has limits of its own.
        """
        self._count += 1
        pending = _Pending(asyncio.get_running_loop().create_future(), deadline)
        self._pending[self._count] = pending
        self.say({**job, "job": self._count, "deadline": deadline})
        if not self.is_open:
            self._lose()
        with suppress(asyncio.TimeoutError):
            return await asyncio.wait_for(asyncio.shield(pending.answer), deadline + ANSWER_LIMIT)
        self.kill(f"the agent did not end a process within {ANSWER_LIMIT:g} s of its deadline")
        return await pending.answer

    async def _keep_alive(self) -> None:
        """Ask for signs of life, until there are none.

        Silence is counted in wakings: while the manager itself is suspended, no time passes.
        """
        silence = 0.0
        while self.is_open and silence < SILENCE_LIMIT:
            heard = self._heard
            self.say({"do": wire.BEAT, "patience": PATIENCE})
            await asyncio.sleep(BEAT)
            silence = 0 if self._heard > heard else silence + BEAT
        self.is_silent = self.is_open
        self.kill(f"the agent said nothing for {SILENCE_LIMIT:g} s")

    async def _hear(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                self._heard += 1
                self._take(json.loads(line))
            await self._let_end()
        except Exception as error:  # noqa: BLE001 - or its jobs would be waited for in vain
            self.kill(f"the agent wrote what is no answer ({type(error).__name__}: {error})")
        code = await self._ended()
        said = f": {last}" if (last := self._last_words()) else ""
        self._lose(f"; its process ended with {_words(code)}{said}")

    async def _let_end(self) -> None:
        """Let a process that says no more come to its own end: its status tells why it had to."""
        self.why = self.why or "the agent ended"
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._process.wait(), END_LIMIT)

    def _take(self, message: Mapping[str, Any]) -> None:
        if message["type"] == wire.ENDED:
            pending = self._pending[message["job"]]
            transcript = listen(message["events"], message["stderr"], message["status"])
            if message["expired"]:
                detail = f"ended then: {transcript.ending.how.value}"
                ending = Ending(How.DEADLINE, pending.deadline, detail)
                transcript = evolve(transcript, ending=ending)
            del self._pending[message["job"]]
            if not pending.answer.done():
                pending.answer.set_result(transcript)

    def _lose(self, how: str = "") -> None:
        """Whatever was still under way gets no answer any more."""
        pending, self._pending = self._pending, {}
        for each in pending.values():
            if not each.answer.done():
                ending = Ending(How.LOST, detail=f"{self.why}{how}")
                each.answer.set_result(Transcript((), ending))

    async def _keep_stderr(self) -> None:
        assert self._process.stderr is not None
        while data := await self._process.stderr.read(1 << 16):
            self._stderr += data
            del self._stderr[:-_STDERR_TAIL]

    def _last_words(self) -> str:
        """The last line that the interpreter printed, if any."""
        stderr = self._stderr.decode("utf-8", "backslashreplace").strip()
        return stderr.splitlines()[-1] if stderr else ""

    def kill(self, why: str) -> None:
        """Kill the agent, for the first reason that is given; its guard clears up after it."""
        self.why = self.why or why
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def _ended(self) -> int:
        """Kill the agent and wait until it and its guard are at their end; its exit status."""
        self.kill("the agent had ended")
        code = await self._process.wait()
        await asyncio.wait(self._tasks[:1], timeout=END_LIMIT)  # the guard has its stderr
        return code

    async def end(self) -> None:
        """End the conversation and the agent; what was under way is lost."""
        self.why = self.why or "the run ended"
        self._lose()
        if self._process.stdin is not None:
            self._process.stdin.close()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._process.wait(), END_LIMIT)
        await self._gone()

    async def _gone(self) -> None:
        await self._ended()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _words(code: int) -> str:
    return f"status {code}" if code >= 0 else signal.Signals(-code).name


def clock() -> float:
    """The manager's clock, in seconds."""
    return time.monotonic()
