"""Made-up reports of any size, for tests of what reads a report.

Everything is drawn from a seed: the same call gives the same report. The events
have the shape and the jitter of real ones, so that sizes measured on them hold:
the judge itself passes a passing transcript.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import ceil
from random import Random
from typing import Any

from attrs import evolve

from matrix import wire
from matrix.model.cell import Cell
from matrix.model.report import Footer, Host, Plan, Planned, Reactor, Report
from matrix.model.result import Control, Outcome, Result, Standing, Verdict
from matrix.model.scenarios import SCENARIOS
from matrix.model.shard import Shard
from matrix.model.transcript import Ending, Event, How, Transcript
from matrix.rules import RULES

REACTORS = ("select", "poll", "epoll", "asyncio", "uvloop", "gi", "qt", "threadedselect")
ABSENT = (
    Reactor("kqueue", "kqueue(2)-based reactor", wire.WRONG_PLATFORM, "no select.kqueue on Linux"),
    Reactor("iocp", "I/O completion ports", wire.WRONG_PLATFORM, "only on Windows"),
    Reactor("gtk3", "GTK 3 reactor", wire.NOT_INSTALLED, "No module named 'gi'"),
)
SIGNATURES = (
    ("peer-told",),
    ("writes-after-abort-dropped", "released"),
    ("prompt",),
    ("connection-lost-once", "not-reentrant", "reason-aborted"),
)
EVERY_OUTCOME: Mapping[Outcome, int] = {
    Outcome.FAIL: 9,
    Outcome.CRASH: 2,
    Outcome.TIMEOUT: 3,
    Outcome.ERROR: 1,
    Outcome.INCONCLUSIVE: 2,
    Outcome.NO_RESULT: 2,
    Outcome.UNSUPPORTED: 4,
}


def report(
    size: int = 200,
    spoilt: Mapping[Outcome, int] | None = None,
    *,
    hosts: Sequence[str] = ("linux",),
    repeat: int = 1,
    flaky: int = 0,
    uncaught: int = 0,
    shard: str | None = None,
    seed: int = 1,
) -> Report:
    """A report of ``size`` cells on each host, all passing but for the ``spoilt`` ones.

    The first ``flaky`` failing cells fail in their last attempt only; ``uncaught`` negative
    controls are not caught by their rule. With ``shard`` it is of that part of the cells.
    """
    rng = Random(seed)
    shards = () if shard is None else (shard,)
    planned = tuple(Planned(name, cells(size), shards) for name in hosts)
    faults = tuple((hosts[0], f"breaks-{rule.name}", planned[0].cells[0].id) for rule in RULES)
    results: list[Result] = []
    for plan in planned:
        own = plan.cells if shard is None else Shard.parse(shard).part(plan.cells)
        results += _results(plan.host, own, spoilt or {}, repeat, flaky, rng)
    results += [_fault(key, n >= uncaught, rng) for n, key in enumerate(faults)]
    controls = [control for name in hosts for control in _controls(name, rng)]
    return Report(
        hosts=tuple(host(name) for name in hosts),
        plan=Plan("3f9a61c2d7e8", planned, repeat, shard, faults),
        controls=tuple(evolve(control, shard=shard) for control in controls),
        results=tuple(evolve(result, shard=shard) for result in results),
        footer=Footer("2026-01-05T04:10:00+00:00", 6.84),
        version="0.1.0",
    )


TRANSPORTS = ("tcp4", "tcp6", "unix", "tls1.2", "tls1.3")


def cells(size: int) -> tuple[Cell, ...]:
    """That many different cells, in the order of a plan."""
    scenarios = tuple(s.name for s in SCENARIOS[: 2 if size <= 1000 else 10])
    per_reactor = len(TRANSPORTS) * len(scenarios) * len(wire.SIDES) * len(wire.PEERS)
    extra = ceil(size / per_reactor) - len(REACTORS)
    reactors = REACTORS + tuple(f"loop-{n}" for n in range(1, extra + 1))
    every = product(reactors, TRANSPORTS, scenarios, wire.SIDES, wire.PEERS)
    return tuple(Cell(*axes) for axes, _ in zip(every, range(size), strict=False))


def host(name: str) -> Host:
    """A host with the provenance of a usual Linux machine."""
    provenance = {
        "os": "Linux",
        "kernel": "6.18.0",
        "machine": "x86_64",
        "python": "3.11.2 (CPython)",
        "twisted": "26.10.0",
        "pyopenssl": "26.4.0",
        "openssl": "OpenSSL 4.0.3",
        "uvloop": "0.23.0",
    }
    reactors = tuple(Reactor(r, f"the {r} reactor") for r in REACTORS) + ABSENT
    faults = {f"breaks-{rule.name}": rule.name for rule in RULES}
    return Host(name, ("python3",), provenance, reactors, faults)


def transcript(cell: Cell, rng: Random, outcome: Outcome = Outcome.PASS) -> Transcript:
    """What an attempt at ``cell`` with that outcome may leave behind, about 40 events long."""
    events = tuple(_events(cell, rng))
    if outcome is Outcome.TIMEOUT:
        stack = 'Thread 0x00007f:\n  File "tcp.py", line 251 in doWrite\n  File "base.py", line 9\n'
        return Transcript(events[:-9], Ending(How.DEADLINE, 30.0), stderr=stack)
    if outcome is Outcome.CRASH:
        return Transcript(events[:-11], Ending(How.SIGNALLED, 11), stderr="Fatal Python error\n")
    if outcome is Outcome.INCONCLUSIVE:
        missed = _event(10.1, wire.ABORTER, wire.PROOF_MISSED, waited=10.0, missing="a zero window")
        return Transcript((*events[:12], missed), Ending(How.EXITED))
    if outcome is Outcome.ERROR:
        return Transcript(events[:3], Ending(How.EXITED, 1), garbage="not an event\n")
    if outcome is Outcome.UNSUPPORTED:
        return Transcript(events[:1], Ending(How.EXITED))
    return Transcript(events, Ending(How.EXITED))


def _results(
    host: str,
    cells: Sequence[Cell],
    spoilt: Mapping[Outcome, int],
    repeat: int,
    flaky: int,
    rng: Random,
) -> Iterator[Result]:
    outcomes = [outcome for outcome, count in spoilt.items() for _ in range(count)]
    chosen = rng.sample(range(len(cells)), len(outcomes))
    bad = dict(zip(chosen, outcomes, strict=True))
    fickle = set([n for n in chosen if bad[n] is Outcome.FAIL][:flaky])
    for number, cell in enumerate(cells):
        outcome = bad.get(number, Outcome.PASS)
        if outcome is Outcome.NO_RESULT:
            continue
        for attempt in range(1, repeat + 1):
            passes = number in fickle and attempt < repeat
            now = Outcome.PASS if passes else outcome
            verdict = _verdict(now, SIGNATURES[number % len(SIGNATURES)])
            seen = transcript(cell, rng, now)
            yield Result(host, cell, verdict, seen, rng.uniform(0.06, 0.12), attempt)


def _verdict(outcome: Outcome, broken: Sequence[str] = ()) -> Verdict:
    standings = {rule.name: Standing.PASS for rule in RULES}
    if outcome is Outcome.PASS:
        return Verdict(outcome, {**standings, "peer-lost-once": Standing.NOT_APPLICABLE})
    if outcome is Outcome.FAIL:
        standings |= dict.fromkeys(broken, Standing.FAIL)
        return Verdict(outcome, standings, tuple(f"{name}: seen twice" for name in broken))
    reasons = {
        Outcome.CRASH: ("the process died by signal 11 (SIGSEGV)", "SIGSEGV"),
        Outcome.TIMEOUT: ("killed after 30 s; the last event is producer-paused", None),
        Outcome.ERROR: ("the agent wrote something that is no event", None),
        Outcome.INCONCLUSIVE: ("not-writeable was not proved: a zero window is missing", None),
        Outcome.UNSUPPORTED: ("this reactor has no listenUNIX", wire.INTERFACE_MISSING),
    }
    reason, code = reasons[outcome]
    return Verdict(outcome, {}, (reason,), code)


def _fault(key: tuple[str, str, str], caught: bool, rng: Random) -> Result:
    host, fault, cell_id = key
    cell = Cell.parse(cell_id)
    rule = fault.removeprefix("breaks-")
    verdict = _verdict(Outcome.FAIL, (rule,)) if caught else _verdict(Outcome.PASS)
    return Result(host, cell, verdict, transcript(cell, rng), 0.08, fault=fault)


def _controls(host: str, rng: Random) -> Iterator[Control]:
    for transport, side in product(TRANSPORTS, wire.SIDES):
        signal = wire.FIN if transport == "unix" else wire.RESET
        cell = Cell("none", transport, "control", side, "socket")
        yield Control(host, transport, side, signal, transcript(cell, rng))


def _event(t: float, side: str, name: str, **data: Any) -> Event:
    return Event(round(t, 6), side, name, data)


def _exception(name: str, message: str, *bases: str) -> dict[str, Any]:
    mro = [f"twisted.internet.error.{each}" for each in (name, *bases)]
    return {"type": mro[0], "mro": mro, "message": message, "traceback": f"{mro[0]}: {message}\n"}


def _events(cell: Cell, rng: Random) -> Iterator[Event]:
    start = rng.uniform(0.004, 0.012)
    yield _event(0.0001, wire.PROCESS, wire.STARTED, job={"do": "cell", "cell": cell.id})
    loop = {"class": "EPollReactor", "module": "twisted.internet.epollreactor"}
    yield _event(start / 2, wire.PROCESS, wire.REACTOR_INSTALLED, realization="native", **loop)
    yield _event(start * 0.9, wire.PROCESS, wire.BASELINE, **_LEFT)
    ends = {"local": f"127.0.0.1:{rng.randrange(32000, 60000)}", "remote": "127.0.0.1:40000"}
    for side in (wire.ABORTER, wire.PEER):
        start += rng.uniform(0, 0.001)
        yield _event(start, side, wire.CONNECTED, **ends)
    for side in (wire.ABORTER, wire.PEER) if cell.is_tls else ():
        start += rng.uniform(0.001, 0.002)
        version = cell.transport.replace("-unix", "1.3").replace("tls", "TLSv")
        tls = {"version": version, "cipher": "TLS_AES_256_GCM_SHA384"}
        yield _event(start, side, wire.HANDSHAKE, verified="service-identity", **tls)
    for side in (wire.ABORTER, wire.PEER) if "exchange" in cell.scenario else ():
        start += rng.uniform(0.0005, 0.001)
        yield _event(start, side, wire.EXCHANGED, sent=4096, received=4096)
    yield _event(start + 0.003, wire.PEER, wire.READING_STOPPED)
    yield _event(start + 0.0031, wire.ABORTER, wire.PRODUCER_REGISTERED, streaming=True)
    yield from _fill(cell, start + 0.004, rng)


def _fill(cell: Cell, t: float, rng: Random) -> Iterator[Event]:
    read = 4096 if "exchange" in cell.scenario else 0
    written = read
    paused = rng.randrange(2, 5)
    samples = rng.randrange(16, 24)
    for n in range(samples):
        t += rng.uniform(0.0019, 0.0034)
        written += 65536 if n < paused else 0
        if n == paused:
            yield _event(t - 0.0002, wire.ABORTER, wire.PRODUCER_PAUSED, written=written)
        if n == samples - 1:
            yield _event(t - 0.0001, wire.ABORTER, wire.PROVED, proof=wire.TCP_INFO)
        kernel = 12288 if n == samples - 1 else 512 * rng.randrange(n, samples)
        yield _sample(cell, t, written, read, kernel, n == samples - 1, rng)
    yield from _abort(cell, t + 0.0001, written, read, rng)


def _sample(
    cell: Cell, t: float, written: int, read: int, kernel: int, is_full: bool, rng: Random
) -> Event:
    shut = {"unacked": 0, "notsent": 8192, "snd_wnd": 0}
    words = {name: rng.randrange(16) * 512 for name in shut}
    queue = min(kernel, 8192)
    return _event(
        t,
        wire.ABORTER,
        wire.SAMPLE,
        written=written,
        read=read,
        sendq=queue,
        recvq=kernel if cell.is_unix else kernel - queue,
        kernel=kernel,
        held=max(written - kernel - read, 0),
        writeable=not is_full and rng.random() < 0.2,
        tcp=None if cell.is_unix else shut if is_full else words,
    )


def _abort(cell: Cell, t: float, written: int, read: int, rng: Random) -> Iterator[Event]:
    lost = t + rng.uniform(0.0002, 0.0005)
    why = _exception("ConnectionAborted", "Connection was aborted locally.", "ConnectionLost")
    yield _event(t, wire.ABORTER, wire.ABORT_CALLED, written=written)
    yield _event(t + 0.0001, wire.ABORTER, wire.PRODUCER_STOPPED)
    yield _event(t + 0.00015, wire.ABORTER, wire.ABORT_RETURNED, raised=None)
    yield _event(lost, wire.ABORTER, wire.CONNECTION_LOST, reason=why, turns=1)
    if cell.side == "client":
        yield _event(lost, wire.ABORTER, wire.FACTORY_TOLD)
    yield _event(lost + 0.0001, wire.ABORTER, wire.LATE_WRITE, raised=None)
    yield _event(lost + 0.0001, wire.ABORTER, wire.LATE_CALL, call="loseConnection", raised=None)
    yield _event(lost + 0.0002, wire.ABORTER, wire.LATE_ABORT, raised=None)
    t = lost + rng.choice((0.002, 0.003, 0.004, 5.0))
    seen = {"bytes": read + 4096, "matches": True, "first_difference": None}
    yield _event(t + 0.0005, wire.PEER, wire.RECEIVED, **seen)
    yield from _told(cell, t + 0.001)
    yield _event(t + 0.0015, wire.PROCESS, wire.SCENARIO_OVER, written=written)
    served = {"asked": 31, "answered": 31, "answered_since_abort": 12}
    served["answered_after_late_calls"] = True
    yield _event(t + 0.002, wire.BYSTANDER, wire.SERVED, **served)
    yield _event(t + 0.0025, wire.PROCESS, wire.DESCRIPTOR, closed=True)
    yield _event(t + 0.005, wire.ABORTER, wire.RELEASED, transport=True, protocol=True, held_by=[])
    yield _event(t + 0.0051, wire.PROCESS, wire.LEFTOVERS, **_LEFT)
    yield _event(t + 0.0052, wire.PROCESS, wire.FINISHED)


def _told(cell: Cell, t: float) -> Iterator[Event]:
    if cell.peer == "reactor":
        why = _exception("ConnectionLost", "Connection to the other side was lost.")
        yield _event(t, wire.PEER, wire.CONNECTION_LOST, reason=why, turns=None)
        if cell.side == "server":
            yield _event(t, wire.PEER, wire.FACTORY_TOLD)
        return
    signal, errno = (wire.FIN, None) if cell.is_unix else (wire.RESET, "ECONNRESET")
    yield _event(t - 0.0007, wire.PEER, wire.TOLD, poll=["POLLERR", "POLLHUP"])
    yield _event(t, wire.PEER, wire.WIRE, signal=signal, errno=errno)


_LEFT: Mapping[str, Any] = {
    "readers": ["<_SIGCHLDWaker>"],
    "writers": [],
    "delayed_calls": [],
    "threads": ["MainThread"],
    "descriptors": ["3: pipe", "4: eventpoll", "5: socket", "6: socket"],
}
