"""A whole run: inspect the hosts, plan, play the controls, the cells and the faults."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timezone
from functools import partial
from itertools import chain, count, zip_longest
from typing import Any, TypeVar

import trustme
from attrs import asdict, define, field, frozen

from matrix import wire
from matrix.expectations import Expectation, expected, shipped
from matrix.judge import bar, judge, signal_of
from matrix.manager.conversation import clock
from matrix.manager.hosts import inspect, told_apart
from matrix.manager.interpreters import Interpreter, pack_agent
from matrix.manager.session import DEADLINE, Session, session
from matrix.model.cell import Cell
from matrix.model.costs import cost
from matrix.model.report import Host, Plan, Planned
from matrix.model.result import Control, Outcome, Result, Verdict
from matrix.model.scenarios import find
from matrix.model.transcript import Transcript

IN_FLIGHT = 16
"""Cells that run at once where the user does not say: most of a cell's life is waiting."""

CONTROL_ATTEMPTS = 3
"""A kernel that tells a peer of a reset most of the time must not be held against a reactor."""


Job = Callable[[], Awaitable[None]]
Key = tuple[Any, ...]
"""What tells everything that a run owes from all else: the arguments with which it is played."""
Owed = tuple[Key, Callable[..., Awaitable[None]]]
T = TypeVar("T")


@frozen
class Stand:
    """A host that is ready to play: its session, and why some of its reactors cannot exist."""

    host: Host
    session: Session
    unsupported: Mapping[str, Transcript]


@asynccontextmanager
async def stands(
    interpreters: Sequence[Interpreter],
    preload: tuple[str, ...] = (),
    deadline: float = DEADLINE,
) -> AsyncIterator[list[Stand]]:
    """Every interpreter, started and inspected; `AgentError` where one cannot play.

    Each takes seconds, and so they do it at the same time.
    """
    agent, tls = pack_agent(), _tls_material()
    async with AsyncExitStack() as stack:
        opened = [
            stack.enter_async_context(session(each, agent, tls, preload, deadline))
            for each in interpreters
        ]
        sessions = await _together(opened)
        seen = await _together(map(inspect, sessions))
        hosts = told_apart(host for host, _ in seen)
        unsupported = (transcripts for _, transcripts in seen)
        yield list(map(Stand, hosts, sessions, unsupported))


async def _together(awaited: Iterable[Awaitable[T]]) -> list[T]:
    """The results of all of them, in their order; where some raise, the first one's exception.

    That is raised when none of them goes on any more.
    """
    ended = await asyncio.gather(*awaited, return_exceptions=True)
    for each in ended:
        if isinstance(each, BaseException):
            raise each
    return ended  # type: ignore[return-value]


def _tls_material() -> dict[str, str]:
    """A fresh authority and a certificate for localhost, as PEM texts."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    return {
        "ca": authority.cert_pem.bytes().decode(),
        "certificate": issued.cert_chain_pems[0].bytes().decode(),
        "key": issued.private_key_pem.bytes().decode(),
    }


@frozen
class Rounds:
    """How often to go round the plan: ``repeat`` times, or for ``duration`` seconds at least once.

    ``until_fail``: not again once an attempt was not accepted; without ``repeat`` and ``duration``
    that is the only end.
    """

    repeat: int | None = None
    duration: float | None = None
    until_fail: bool = False

    @property
    def owed(self) -> int:
        """Attempts at each cell without which the run is not complete."""
        return 1 if self.repeat is None or self.until_fail or self.duration else self.repeat

    def goes_on(self, done: int, passed: float, has_failed: bool) -> bool:
        """Whether there is another round after ``done`` ones in ``passed`` seconds."""
        if done == 0:
            return True
        if self.until_fail and has_failed:
            return False
        if self.duration is not None and passed >= self.duration:
            return False
        endless = self.until_fail or self.duration is not None
        return done < self.repeat if self.repeat is not None else endless


@define
class Run:
    """Plays a plan. ``emit`` gets every control and result as it comes.

    ``done`` is what an earlier part of the same run has: it speaks for the rest, and is not played
    again.
    """

    plan: Plan
    stands: Sequence[Stand]
    emit: Callable[[Control | Result], None]
    in_flight: int = IN_FLIGHT
    expectations: Sequence[Expectation] = field(factory=shipped)
    rounds: Rounds = Rounds()
    done: Sequence[Control | Result] = ()
    _has_failed: bool = False
    _lacking: dict[tuple[str, str, str], Transcript] = field(factory=dict)
    _controls: dict[str, list[Control]] = field(factory=lambda: defaultdict(list))
    _controls_left: int = 0
    _has_controls: asyncio.Event = field(factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        for entry in self.done:
            if isinstance(entry, Control):
                self._controls[entry.host].append(entry)

    async def play(self) -> None:
        """Play everything that the plan owes: first the controls, which verdicts wait for.

        Negative controls come next, since some of them wait long in vain, and of the cells those
        that take longest: nothing else is left to do beside what comes last. What takes long waits
        most of that time, so each has something quick beside it. Repeats go round the whole plan,
        so that attempts at one cell lie far apart.
        """
        left = Counter(_key(entry) for entry in self.done if isinstance(entry, Result))
        jobs = _in_turn(self._fault_jobs(), self._cell_jobs())
        controls = list(self._control_jobs())
        self._controls_left = len(controls)
        self._end_controls()
        await _all(chain(controls, _undone(jobs, left)), self.in_flight)

    def _end_controls(self) -> None:
        if self._controls_left == 0:
            self._has_controls.set()

    def _stand(self, host: str) -> Stand:
        return next(stand for stand in self.stands if stand.host.id == host)

    def _control_jobs(self) -> Iterator[Job]:
        cells = [*self.plan.cells(), *((h, Cell.parse(cell)) for h, _, cell in self.plan.faults)]
        wanted = {
            (host, c.transport, c.side, find(c.scenario).ending, self._witness(host, c.peer))
            for host, c in cells
            if c.reactor not in self._stand(host).unsupported
        }
        had = Counter(_kind(entry) for entry in self.done if isinstance(entry, Control))
        # Those of one transport lie apart: the first shows whether there is anything to try.
        for control in sorted(wanted, key=lambda one: (one[0], one[2:], one[1])):
            attempts = range(had[control] + 1, CONTROL_ATTEMPTS + 1)
            if control[3] in wire.CONTROLLED and attempts:
                yield partial(self._control, *control, attempts)

    def _witness(self, host: str, peer: str) -> str:
        """What plays the peer in a control: elsewhere than under Wine one and the same."""
        hello = self._stand(host).session.hello
        return peer if hello is not None and wire.OUTPOST in hello.needs else "socket"

    def _cell_jobs(self) -> Iterator[Owed]:
        began = clock()
        cells = _from_both_ends(sorted(self.plan.cells(), key=lambda owed: -cost(owed[1])))
        for done in count():
            if not self.rounds.goes_on(done, clock() - began, self._has_failed):
                return
            for host, cell in cells:
                yield (host, cell, done + 1, None), self._cell

    def _fault_jobs(self) -> Iterator[Owed]:
        for host, fault, cell in self.plan.faults:
            yield (host, Cell.parse(cell), 1, fault), self._cell

    async def _control(self, *control: Any) -> None:
        await self._play_control(*control)
        self._controls_left -= 1
        self._end_controls()

    async def _play_control(
        self, host: str, transport: str, side: str, kind: str, peer: str, attempts: range
    ) -> None:
        if self._without(host, transport):
            return  # there is nothing to try
        job = {
            "do": wire.CONTROL,
            "transport": transport,
            "side": side,
            "kind": kind,
            "peer": peer,
            "attempts": len(attempts),
        }
        played = await self._stand(host).session.do(job, len(attempts))
        for attempt, transcript in zip(attempts, played.parted(len(attempts)), strict=True):
            control = Control(
                host, transport, side, signal_of(transcript), transcript, attempt, None, kind, peer
            )
            self._controls[host].append(control)
            self.emit(control)
            if control.cannot_exist:
                return  # nor can it the next time

    async def _cell(self, host: str, cell: Cell, attempt: int, fault: str | None) -> None:
        stand, began = self._stand(host), clock()
        transcript = self._absence(host, cell)
        if transcript is None:
            job = {"do": wire.PLAY, "cell": asdict(cell), "fault": fault}
            transcript = await stand.session.do(job, find(cell.scenario).patience)
        duration = round(clock() - began, 6)
        await self._has_controls.wait()
        verdict = judge(cell, transcript, bar(self._controls[host], cell))
        is_unsupported = verdict.outcome is Outcome.UNSUPPORTED
        if is_unsupported and transcript.first(wire.SCENARIO_UNSUPPORTED):
            self._lacking[host, cell.reactor, cell.scenario] = transcript
        known = None if fault else self._expected(stand.host, cell, verdict)
        result = Result(host, cell, verdict, transcript, duration, attempt, fault, known)
        self._has_failed = self._has_failed or not (fault or result.is_accepted)
        self.emit(result)

    def _absence(self, host: str, cell: Cell) -> Transcript | None:
        """What has shown that the cell cannot exist, so that it need not find out, or None."""
        return (
            self._stand(host).unsupported.get(cell.reactor)
            or self._without(host, cell.transport)
            or self._lacking.get((host, cell.reactor, cell.scenario))
        )

    def _without(self, host: str, transport: str) -> Transcript | None:
        """The control that has shown that a host has no such transport."""
        own = (each for each in self._controls[host] if each.transport == transport)
        return next((each.transcript for each in own if each.cannot_exist), None)

    def _expected(self, host: Host, cell: Cell, verdict: Verdict) -> str | None:
        today = datetime.now(timezone.utc).date()
        return expected(self.expectations, host.provenance, cell, verdict, today)


async def play_cells(
    cells: Sequence[Cell],
    interpreter: Interpreter,
    preload: tuple[str, ...] = (),
    deadline: float = DEADLINE,
    in_flight: int = IN_FLIGHT,
) -> list[Result]:
    """Play these cells alone, with their controls: each once, in an agent of their own."""
    entries: list[Control | Result] = []
    async with stands((interpreter,), preload, deadline) as (stand,):
        owed = Plan("", (Planned(stand.host.id, tuple(cells)),))
        await Run(owed, (stand,), entries.append, in_flight).play()
    return [entry for entry in entries if isinstance(entry, Result)]


def _kind(control: Control) -> Key:
    """What all attempts at one control have in common."""
    return control.host, control.transport, control.side, control.kind, control.peer


def _key(result: Result) -> Key:
    return result.host, result.cell, result.attempt, result.fault


def _in_turn(*sources: Iterator[T]) -> Iterator[T]:
    """One of each, for as long as it has any."""
    for several in zip_longest(*sources):
        yield from (each for each in several if each is not None)


def _from_both_ends(values: Sequence[T]) -> list[T]:
    """The first, the last, the second, the last but one, and so on."""
    return list(_in_turn(iter(values), reversed(values)))[: len(values)]


def _undone(owed: Iterator[Owed], done: Counter[Key]) -> Iterator[Job]:
    """A job for each that is owed, but for those that are done, each as often as it was."""
    for key, play in owed:
        if done[key]:
            done[key] -= 1
        else:
            yield partial(play, *key)


async def _all(jobs: Iterator[Job], limit: int) -> None:
    """Do the jobs in their order, ``limit`` at once; the first exception ends them all."""

    async def work() -> None:
        for job in jobs:
            await job()

    workers = [asyncio.create_task(work()) for _ in range(limit)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
