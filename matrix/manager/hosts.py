"""What an interpreter can play: its provenance, its reactors, and why some cannot exist there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from attrs import evolve

from matrix import wire
from matrix.errors import AgentError
from matrix.judge import judge
from matrix.manager.conversation import Known
from matrix.manager.session import Session
from matrix.model.cell import Cell
from matrix.model.report import Host, Reactor
from matrix.model.result import Outcome
from matrix.model.transcript import Transcript


async def inspect(session: Session) -> tuple[Host, dict[str, Transcript]]:
    """The host behind a session, and the transcript of every reactor that cannot exist there.

    Another one may have the same id.
    """
    hello = session.hello
    assert hello is not None
    names = [reactor.name for reactor in hello.reactors]
    jobs = [session.do({"do": wire.PROBE, "reactor": name}) for name in names]
    probes = dict(zip(names, await asyncio.gather(*jobs), strict=True))
    _check_preload(session, probes.values())
    host = Host(
        id=session.interpreter.host or _name(hello.provenance),
        command=session.interpreter.command,
        provenance={**hello.provenance, **_preloaded(session)},
        reactors=tuple(_reactor(known, probes[known.name]) for known in hello.reactors),
        faults=hello.faults,
    )
    unsupported = {r.name: probes[r.name] for r in host.reactors if not r.is_supported}
    return host, unsupported


def _preloaded(session: Session) -> dict[str, str]:
    """What the user had imported there may change every result, as a version does."""
    return {"preload": ", ".join(session.preload)} if session.preload else {}


def _check_preload(session: Session, probes: Iterable[Transcript]) -> None:
    """What the user wants to have imported must be there: `AgentError` where it is not."""
    found = (event for probe in probes for event in probe.all(wire.REACTOR_RAISED))
    raised = next(found, None)
    if raised is not None:
        what = f"{raised['exception']['type']}: {raised['exception']['message']}"
        raise AgentError(
            f"{session.interpreter} cannot {raised['call']}, which --preload asks for: {what}. "
            "The module must be on that interpreter's path, or in the current folder."
        )


def _reactor(known: Known, probe: Transcript) -> Reactor:
    """What a probe tells; a probe that went wrong leaves it to the cells to show how."""
    verdict = judge(Cell(known.name, "tcp4", "", "", ""), probe)
    if verdict.outcome is not Outcome.UNSUPPORTED:
        return Reactor(known.name, known.description, realization=known.realization)
    code, _, detail = verdict.reasons[0].partition(": ")
    return Reactor(known.name, known.description, code, detail, known.realization)


def _name(provenance: Mapping[str, str]) -> str:
    """A short name that people recognize: interpreter, Twisted, system."""
    python = provenance.get("python", "unknown").lower().replace(" ", "-")
    system = provenance.get("platform", "unknown").split("-")[0].lower()
    return f"{python}+twisted-{provenance.get('twisted', 'unknown')}+{system}"


def told_apart(hosts: Iterable[Host]) -> list[Host]:
    """The same hosts, each with an id that no other one has."""
    taken: set[str] = set()
    return [evolve(host, id=_unique(host.id, taken)) for host in hosts]


def _unique(name: str, taken: set[str]) -> str:
    unique, number = name, 1
    while unique in taken:
        number += 1
        unique = f"{name}+{number}"
    taken.add(unique)
    return unique
