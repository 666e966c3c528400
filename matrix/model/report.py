"""A whole run: hosts, plan, controls, results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from matrix import wire
from matrix.model.cell import Cell
from matrix.model.result import SEVERITY, Control, Outcome, Result
from matrix.model.shard import Shard

Fault = tuple[str, str, str]
"""A negative control that is owed: (host, fault, cell id)."""

_EXCUSES = frozenset(wire.UNSUPPORTED_CODES) - {wire.IMPORT_FAILED}
"""Why a fault need not be caught. What is installed and cannot be imported may be broken itself."""


@frozen
class Reactor:
    """Whether one reactor can exist on a host; ``code`` and ``detail`` say why not.

    ``realization`` says what it runs on: `matrix.wire.NATIVE`, ``EMULATED`` or ``WINE``.
    """

    name: str
    description: str
    code: str | None = None
    detail: str = ""
    realization: str = wire.NATIVE

    @property
    def is_supported(self) -> bool:
        """Whether cells of this reactor can run."""
        return self.code is None


@frozen
class Host:
    """One interpreter on one machine.

    ``provenance`` maps what was asked (``python``, ``twisted``, ``openssl``, ``kernel`` …) to
    what the interpreter answered. ``command`` starts the interpreter.
    """

    id: str
    command: tuple[str, ...]
    provenance: Mapping[str, str]
    reactors: tuple[Reactor, ...]
    faults: Mapping[str, str] = field(factory=dict)
    """Deliberate defects that the agent there can play: name → rule that must catch it."""


@frozen
class Planned:
    """The whole plan of one host, whatever part of it a report is about.

    ``shards`` (each ``K/N``) are the parts of it that were brought together in the report; there
    are none where the plan was never parted.
    """

    host: str
    cells: tuple[Cell, ...]
    shards: tuple[str, ...] = ()
    left_out: Mapping[str, int] = field(factory=dict)
    """Why combinations have no meaning → how many of the selected ones that concerns."""

    def missing(self) -> tuple[Shard, ...]:
        """The parts of the plan that are not in the report."""
        here = {Shard.parse(text) for text in self.shards}
        counts = {shard.count for shard in here}
        every = (Shard(number, count) for count in counts for number in range(1, count + 1))
        return tuple(sorted(shard for shard in every if shard not in here))


@frozen
class Plan:
    """Every cell of a run; ``digest`` is the same for the same whole plan, whatever the shard.

    ``faults`` are the negative controls that the run owes, each as often as it is owed, ``repeat``
    the attempts per cell. ``shard`` is the only part (``K/N``) that is owed; None: the whole plan.
    """

    digest: str
    hosts: tuple[Planned, ...]
    repeat: int = 1
    shard: str | None = None
    faults: tuple[Fault, ...] = ()

    def cells(self) -> Iterator[tuple[str, Cell]]:
        """Every (host, cell) that is owed."""
        shard = None if self.shard is None else Shard.parse(self.shard)
        for planned in self.hosts:
            for cell in planned.cells if shard is None else shard.part(planned.cells):
                yield planned.host, cell


@frozen
class Part:
    """A stretch of a run that was cut short and gone on with; one that was not has only one.

    ``spent``: the seconds that the parts before it took.
    """

    started: str
    spent: float = 0.0


@frozen
class Footer:
    """How a run ended. ``interrupted`` says by what; None for a run that came to its end.

    ``started`` is when the first of its parts began, ``duration`` the seconds that they took
    together, without the time in between.
    """

    started: str
    duration: float
    interrupted: str | None = None


@frozen
class CellReport:
    """One planned cell on one host with all attempts at it, of the number that is ``owed``."""

    host: str
    cell: Cell
    attempts: tuple[Result, ...]
    owed: int = 1

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of all attempts; one that is owed and missing is ``no-result``."""
        outcomes = [a.verdict.outcome for a in self.attempts]
        if len(outcomes) < self.owed:
            outcomes.append(Outcome.NO_RESULT)
        return min(outcomes, key=SEVERITY.index, default=Outcome.NO_RESULT)

    @property
    def worst(self) -> Result | None:
        """The first attempt that has the worst outcome."""
        worst = self.outcome
        return next((a for a in self.attempts if a.verdict.outcome is worst), None)

    @property
    def is_accepted(self) -> bool:
        """Whether every attempt passed, is unsupported, or failed as it was expected to."""
        is_whole = len(self.attempts) >= self.owed
        return is_whole and all(attempt.is_accepted for attempt in self.attempts)

    @property
    def expected(self) -> str | None:
        """Why the worst outcome was to be expected, or None."""
        return None if self.worst is None else self.worst.expected

    @property
    def is_flaky(self) -> bool:
        """Whether attempts at this cell differ in their outcome."""
        return len({a.verdict.outcome for a in self.attempts}) > 1


@frozen
class Report:
    """Everything that a results file says. ``footer`` is None for a file that was cut off."""

    hosts: tuple[Host, ...]
    plan: Plan
    controls: tuple[Control, ...] = ()
    results: tuple[Result, ...] = ()
    footer: Footer | None = None
    version: str = ""

    def host(self, host: str) -> Host:
        """The host of that id."""
        return next(h for h in self.hosts if h.id == host)

    def cells(self) -> tuple[CellReport, ...]:
        """Every planned cell, in the plan's order, whether or not anything came back."""
        attempts: dict[tuple[str, Cell], list[Result]] = {key: [] for key in self.plan.cells()}
        for result in self.results:
            if result.fault is None:
                attempts.setdefault((result.host, result.cell), []).append(result)
        owed = self.plan.repeat
        return tuple(CellReport(h, c, tuple(found), owed) for (h, c), found in attempts.items())

    def faults(self) -> tuple[Result, ...]:
        """The negative controls: attempts with a deliberate defect."""
        return tuple(r for r in self.results if r.fault is not None)

    def counts(self) -> Counter[Outcome]:
        """How many planned cells have which outcome."""
        return Counter(cell.outcome for cell in self.cells())

    def missed_faults(self) -> tuple[str, ...]:
        """A sentence for every negative control that its rule did not catch, or that is missing.

        A run that was cut short may owe some; it is not valid for that, but incomplete.
        """
        return tuple(sentence for missed in self.faults_owed().values() for sentence in missed)

    def faults_owed(self) -> dict[Fault, tuple[str, ...]]:
        """Every negative control that can exist, a sentence for each time it went uncaught."""
        played, absent = self._faults_played(), self.absent_faults()
        return {
            key: tuple(self._missed(key, played.get(key, []), owed))
            for key, owed in Counter(self.plan.faults).items()
            if key not in absent
        }

    def absent_faults(self) -> dict[Fault, str]:
        """The negative controls that cannot exist on their host, each with the reason.

        Such a run says nothing of what they are a control of: where a cell of the same reactor,
        transport and scenario was tested there, the control is owed.
        """
        tested = {
            (result.host, *result.cell.parts[:3])
            for result in self.results
            if result.fault is None and result.verdict.outcome is not Outcome.UNSUPPORTED
        }
        return {
            key: "; ".join(attempts[0].verdict.reasons)
            for key, attempts in self._faults_played().items()
            if all(attempt.verdict.code in _EXCUSES for attempt in attempts)
            if not any((key[0], *attempt.cell.parts[:3]) in tested for attempt in attempts)
        }

    def _faults_played(self) -> dict[Fault, list[Result]]:
        played: dict[Fault, list[Result]] = {}
        for result in self.faults():
            key = (result.host, str(result.fault), result.cell.id)
            played.setdefault(key, []).append(result)
        return played

    def _missed(self, key: Fault, played: list[Result], owed: int) -> Iterator[str]:
        host, fault, cell = key
        rule = self.host(host).faults.get(fault, "")
        is_whole = self.footer is not None and self.footer.interrupted is None
        if is_whole and len(played) < owed:
            yield f"fault {fault} was not played on {cell} ({host})"
        for result in played:
            if rule not in result.verdict.broken:
                outcome, why = result.verdict.outcome, "; ".join(result.verdict.reasons)
                yield (
                    f"fault {fault} on {cell} ({host}) ought to break {rule}, "
                    f"but the outcome is {outcome.value}{why and f' ({why})'}"
                )


def provenance_lines(host: Host) -> list[tuple[str, Any]]:
    """What the host's interpreter said of itself, for people to read."""
    return [("command", " ".join(host.command)), *host.provenance.items()]
