"""Reports of shards and of hosts → one report, closed over the plan. Pure.

A host that comes from several reports is one host, with the parts of its plan put together; hosts
that differ stand side by side. What no report brought stays in the plan, and so has no result. In
which order the reports come, and whether some of them were merged before, makes no difference.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

from attrs import evolve

from matrix.errors import MergeError
from matrix.model.report import Footer, Host, Plan, Planned, Report
from matrix.model.result import Control, Result
from matrix.model.shard import Shard
from matrix.plan import digest
from matrix.structure import to_json

CUT_OFF = "cut off"
"""What interrupted a report that has no footer."""

_EXECUTABLE = "executable"
"""Where an interpreter stands, in a host's provenance."""
_MARK = 6
"""Digits that tell hosts of the same name apart."""

_Entry = TypeVar("_Entry", Control, Result)


def merge(reports: Mapping[str, Report]) -> Report:
    """One report of them all; their names are for `MergeError`, which says why they do not fit."""
    _agree(reports, "reactor-matrix", lambda report: report.version)
    _agree(reports, "--repeat", lambda report: report.plan.repeat)
    told = dict(zip(reports, _told_apart(list(reports.values())), strict=True))
    every = (host for report in told.values() for host in report.hosts)
    hosts = {host.id: host for host in sorted(every, key=_stand, reverse=True)}
    planned = tuple(_planned(host, told) for host in sorted(hosts))
    (repeat,) = {report.plan.repeat for report in told.values()}
    (version,) = {report.version for report in told.values()}
    faults = sorted(chain.from_iterable(report.plan.faults for report in told.values()))
    return Report(
        hosts=tuple(hosts[host] for host in sorted(hosts)),
        plan=Plan(digest(planned), planned, repeat, None, tuple(faults)),
        controls=_joined(report.controls for report in told.values()),
        results=_joined(report.results for report in told.values()),
        footer=_footer([report.footer for report in told.values()]),
        version=version,
    )


def _agree(reports: Mapping[str, Report], what: str, ask: Callable[[Report], object]) -> None:
    (first, one), *others = reports.items()
    for name, other in others:
        if ask(one) != ask(other):
            raise MergeError(
                f"{first} and {name} cannot be merged: they were made with {what} {ask(one)} and "
                f"with {what} {ask(other)}. Run all parts in the same way."
            )


# Hosts --------------------------------------------------------------------------------------------


def _told_apart(reports: Sequence[Report]) -> list[Report]:
    """The reports with hosts that have the same name only where they are the same.

    Where hosts of one name differ, in their versions or in anything else that they say of
    themselves but for where they stand, each is marked by a digest of what it says.
    """
    every = [host for report in reports for host in report.hosts]
    marks: dict[str, set[str]] = {}
    for host in every:
        marks.setdefault(_name(host), set()).add(_mark(host))

    def name(host: Host) -> str:
        own = _name(host)
        return own if len(marks[own]) == 1 else f"{own}~{_mark(host)}"

    return [_renamed(report, {host.id: name(host) for host in report.hosts}) for report in reports]


def _name(host: Host) -> str:
    """What the host was called before it was told apart from others."""
    return host.id.removesuffix(f"~{_mark(host)}")


def _mark(host: Host) -> str:
    what = {key: told for key, told in host.provenance.items() if key != _EXECUTABLE}
    alike = evolve(host, id="", command=(), provenance=what)
    said = json.dumps(to_json(alike), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:_MARK]


def _stand(host: Host) -> tuple[tuple[str, ...], str]:
    """Where a host's interpreter stands; of several places a merged report has the first."""
    return host.command, host.provenance.get(_EXECUTABLE, "")


def _renamed(report: Report, names: Mapping[str, str]) -> Report:
    """The report with other names for its hosts, and its shard in everything that is of it."""
    shard = report.plan.shard

    def own(entry: _Entry) -> _Entry:
        if names[entry.host] == entry.host and (shard is None or entry.shard == shard):
            return entry
        return evolve(entry, host=names[entry.host], shard=entry.shard or shard)

    plan = evolve(
        report.plan,
        hosts=tuple(evolve(p, host=names[p.host]) for p in report.plan.hosts),
        faults=tuple((names[host], fault, cell) for host, fault, cell in report.plan.faults),
    )
    return evolve(
        report,
        hosts=tuple(evolve(host, id=names[host.id]) for host in report.hosts),
        plan=plan,
        controls=tuple(map(own, report.controls)),
        results=tuple(map(own, report.results)),
    )


# Plans --------------------------------------------------------------------------------------------


def _planned(host: str, reports: Mapping[str, Report]) -> Planned:
    """The plan of a host with all the parts of it that the reports have."""
    parts = [(n, planned) for n, r in reports.items() for planned in r.plan.hosts]
    own = [(name, planned) for name, planned in parts if planned.host == host]
    first, whole = own[0] if own else ("", Planned(host, ()))
    taken = dict.fromkeys(whole.shards, first)
    for name, planned in own[1:]:
        if evolve(planned, shards=()) != evolve(whole, shards=()):
            digests = " and ".join(reports[each].plan.digest[:12] for each in (first, name))
            why = f"their plans for host {host} differ ({digests}). Merge shards of one plan."
            raise MergeError(f"{first} and {name} cannot be merged: {why}")
        _check_shards(name, planned, taken, first)
        taken |= dict.fromkeys(planned.shards, name)
    return evolve(whole, shards=tuple(sorted(taken, key=Shard.parse)))


def _check_shards(name: str, planned: Planned, taken: Mapping[str, str], first: str) -> None:
    """Raise `MergeError` where these shards are no further ones. ``taken`` says who has which."""
    host = planned.host
    if not (taken and planned.shards):
        raise MergeError(
            f"{first} and {name} cannot be merged: at least one of them has the whole plan of host "
            f"{host}. Leave one out; “reactor-matrix compare” shows what changed between runs."
        )
    counts = sorted({Shard.parse(shard).count for shard in (*taken, *planned.shards)})
    if len(counts) > 1:
        raise MergeError(
            f"{first} and {name} cannot be merged: the plan of host {host} is cut into "
            f"{counts[0]} shards in one of them and into {counts[1]} in the other. Merge shards of "
            "one cut."
        )
    for shard in filter(taken.__contains__, planned.shards):
        raise MergeError(
            f"{taken[shard]} and {name} cannot be merged: both have shard {shard} of host {host}. "
            "Leave one of them out."
        )


# Entries ------------------------------------------------------------------------------------------


def _joined(parts: Iterable[Iterable[_Entry]]) -> tuple[_Entry, ...]:
    """All entries by host and shard, those of one run in the order in which they ended."""
    return tuple(sorted(chain.from_iterable(parts), key=_place))


def _place(entry: Control | Result) -> Any:
    shard = Shard(0, 0) if entry.shard is None else Shard.parse(entry.shard)
    return entry.host, shard


def _footer(footers: Sequence[Footer | None]) -> Footer | None:
    """When the first of the runs began, how long the longest took, and what cut them short."""
    ended = [footer for footer in footers if footer is not None]
    if not ended:
        return None
    why = {part for f in ended if f.interrupted is not None for part in f.interrupted.split("; ")}
    if len(ended) < len(footers):
        why.add(CUT_OFF)
    return Footer(
        started=min(footer.started for footer in ended),
        duration=max(footer.duration for footer in ended),
        interrupted="; ".join(sorted(why)) if why else None,
    )
