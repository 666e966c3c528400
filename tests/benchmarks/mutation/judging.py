"""Who notices a mutant: cells of the matrix, or Twisted's own abort tests; the first is enough."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

import trustme
from attrs import asdict, frozen

from matrix import wire
from matrix.errors import AgentError
from matrix.expectations import Expectation, expected, shipped
from matrix.judge import judge
from matrix.manager.conversation import clock
from matrix.manager.interpreters import Interpreter, pack_agent
from matrix.manager.session import Session, session
from matrix.model.cell import Cell
from matrix.model.result import Outcome, Verdict
from matrix.model.scenarios import SCENARIOS, find, why_left_out
from tests.benchmarks.mutation.applying import REPAIRS

TRANSPORTS = ("tcp4", "tls1.3", "unix", "tcp6")
DEADLINE = 30.0
"""Seconds for one connection's cell: many times what the slowest takes."""

LOAD_DEADLINE = 120.0
"""Seconds for a crowd or a storm, which coverage and a busy machine can make that slow."""

IN_FLIGHT = 4
"""Cells at once, of one mutant."""

TRIAL = (
    "twisted.internet.test.test_tcp.AbortConnectionTests_{}ReactorTests",
    "twisted.internet.test.test_tls.AbortSSLConnectionTests_{}ReactorTests",
)
TRIAL_REACTORS = {
    "select": "Select",
    "epoll": "EPoll",
    "poll": "Poll",
    "asyncio": "AsyncioSelector",
}
"""Those for which Twisted's own tests have a class."""

TRIAL_LIMIT = 30.0
"""Seconds for all of Twisted's tests together; unmutated they take two or three."""

AS_THEY_ARE, REPAIRED = "as they are", "repaired"


@frozen
class Sight:
    """What a judge saw of a mutant. ``how`` is None where it saw nothing; ``seconds`` it took.

    ``defects``: what the known ones were when it did, `AS_THEY_ARE` or `REPAIRED`.
    """

    how: str | None
    detail: str
    seconds: float
    defects: str = AS_THEY_ARE


def cells(reactors: Sequence[str], tls_first: bool = False) -> list[Cell]:
    """What a mutant is shown to, until one notices it: most cells of the first reactor, and of the
    others those on plain TCP. Of IPv6 the first case is enough, of crowds and storms one side,
    without UNIX sockets.
    """
    found = [
        Cell(reactor, transport, scenario.name, side, peer)
        for reactor in reactors
        for scenario in SCENARIOS
        for transport in TRANSPORTS
        for side in wire.SIDES
        for peer in wire.PEERS
    ]
    owed = [cell for cell in found if why_left_out(cell) is None and _is_owed(cell, reactors[0])]
    return sorted(owed, key=lambda cell: _place(cell, reactors, tls_first))


def _is_owed(cell: Cell, first: str) -> bool:
    if cell.transport == "tcp6":
        return cell.reactor == first and cell.scenario == "abort-when-full"
    if _is_load(cell):
        return cell.reactor == first and not cell.is_unix and cell.side == "client"
    return cell.reactor == first or cell.transport == TRANSPORTS[0]


def _is_load(cell: Cell) -> bool:
    return find(cell.scenario).family == "load"


def _place(cell: Cell, reactors: Sequence[str], tls_first: bool) -> tuple[object, ...]:
    is_late = cell.is_tls is not tls_first
    return _is_load(cell), cell.is_unix, reactors.index(cell.reactor), is_late


def tls_material() -> dict[str, str]:
    """One authority and certificate for all mutants, as PEM texts."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    return {
        "ca": authority.cert_pem.bytes().decode(),
        "certificate": issued.cert_chain_pems[0].bytes().decode(),
        "key": issued.private_key_pem.bytes().decode(),
    }


async def by_matrix(
    environment: Mapping[str, str], owed: Sequence[Cell], tls: dict[str, str]
) -> Sight:
    """Play the cells until one is not accepted, known defects allowed for. After that, as in
    ``ci/repaired``, with these repaired: cells in which they are expected, and nothing is then.
    """
    began = clock()
    assignments = [f"{name}={value}" for name, value in environment.items()]
    interpreter = Interpreter(("env", *assignments, sys.executable))
    agent = pack_agent()
    known, seen, defects = shipped(), None, AS_THEY_ARE
    try:
        async with session(interpreter, agent, tls, deadline=DEADLINE) as opened:
            seen = await _first(opened, owed, known)
            hidden = [cell for cell in owed if _is_known(opened, cell, known)]
        if seen is None and hidden:
            defects = REPAIRED
            async with session(interpreter, agent, tls, repairs(), DEADLINE) as opened:
                seen = await _first(opened, hidden, ())
    except AgentError as error:
        seen = ("no agent", str(error))
    how, detail = seen or (None, "")
    return Sight(how, detail, round(clock() - began, 1), defects)


def repairs() -> tuple[str, ...]:
    """The modules that repair the known defects; `environment` makes them importable."""
    return tuple(path.stem for path in sorted(REPAIRS.glob("*.py")))


def _is_known(opened: Session, cell: Cell, known: Sequence[Expectation]) -> bool:
    """Whether a known defect is expected in a cell, on this host."""
    told = opened.hello.provenance if opened.hello is not None else {}
    return any(each.speaks_of(told, cell) for each in known)


async def _first(
    opened: Session, cells: Iterable[Cell], known: Sequence[Expectation]
) -> tuple[str, str] | None:
    owed = iter(cells)
    found: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        for cell in owed:
            opened.deadline = LOAD_DEADLINE if _is_load(cell) else DEADLINE
            transcript = await opened.do({"do": wire.PLAY, "cell": asdict(cell), "fault": None})
            verdict = judge(cell, transcript)
            if not found.done() and not _is_accepted(opened, cell, verdict, known):
                found.set_result((_how(verdict), f"{cell.id}: {'; '.join(verdict.reasons)}"[:500]))

    async def work_all() -> None:
        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))

    everything = asyncio.create_task(work_all())
    try:
        await asyncio.wait((everything, found), return_when=asyncio.FIRST_COMPLETED)
        if found.done():
            return found.result()
        everything.result()  # raises what a worker raised
        return None
    finally:
        everything.cancel()
        with suppress(asyncio.CancelledError):
            await everything


def _is_accepted(
    opened: Session, cell: Cell, verdict: Verdict, known: Sequence[Expectation]
) -> bool:
    """As in a run; but these reactors and transports are supported where nothing is mutated."""
    if verdict.outcome is Outcome.PASS:
        return True
    if verdict.outcome is Outcome.UNSUPPORTED or opened.hello is None:
        return False
    today = date.today()  # noqa: DTZ011
    return expected(known, opened.hello.provenance, cell, verdict, today) is not None


def _how(verdict: Verdict) -> str:
    return verdict.broken[0] if verdict.broken else str(verdict.outcome.value)


async def by_trial(environment: Mapping[str, str], reactors: Sequence[str], folder: Path) -> Sight:
    """Run Twisted's abort tests until one does not pass, or too much time has passed."""
    began = clock()
    known = [TRIAL_REACTORS[reactor] for reactor in reactors if reactor in TRIAL_REACTORS]
    names = [name.format(reactor) for reactor in known for name in TRIAL]
    words = ["-m", "twisted.trial", "--exitfirst", "--temp-directory", str(folder / "trial")]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        *names,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), TRIAL_LIMIT)
        how, detail = _told(process.returncode, output.decode(errors="replace"))
    except asyncio.TimeoutError:
        how, detail = "timeout", f"killed after {TRIAL_LIMIT:g} s"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    return Sight(how, detail, round(clock() - began, 1))


def _told(status: int | None, output: str) -> tuple[str | None, str]:
    """How trial's tests came out; None if every test passed."""
    passed = re.search(r"^PASSED \((.*)\)$", output, re.MULTILINE)
    if status == 0 and passed:  # also where every test was skipped: that is what trial calls it
        return None, passed[1]
    if status is not None and status < 0:
        return "crash", signal.Signals(-status).name
    failed = re.search(r"^(\[FAIL\]|\[ERROR\])$", output, re.MULTILINE)
    names = re.findall(r"^twisted\.\S+\.(\w+ReactorTests\.\w+)$", output, re.MULTILINE)
    last = (output.strip().splitlines() or [""])[-1]
    return (failed[1].strip("[]").lower() if failed else "broken"), f"{' '.join(names)} {last}"
