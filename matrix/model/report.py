"""A whole run: hosts, plan, controls, results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from matrix import wire
from matrix.model.cell import Cell
from matrix.model.result import SEVERITY, Control, Outcome, Result


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
    """Every cell that a run owes for one host."""

    host: str
    cells: tuple[Cell, ...]


@frozen
class Plan:
    """Every cell of a run; ``digest`` is the same for the same whole plan, whatever the shard.

    ``faults`` counts the negative controls that the run owes, ``repeat`` the attempts per cell.
    """

    digest: str
    hosts: tuple[Planned, ...]
    repeat: int = 1
    shard: str | None = None
    faults: tuple[tuple[str, str, str], ...] = ()
    """(host, fault, cell id) of each negative control."""
    left_out: Mapping[str, int] = field(factory=dict)
    """Why combinations have no meaning → how many of the selected ones that concerns."""

    def cells(self) -> Iterator[tuple[str, Cell]]:
        """Every (host, cell)."""
        return ((planned.host, cell) for planned in self.hosts for cell in planned.cells)


@frozen
class Footer:
    """How a run ended. ``interrupted`` says by what; None for a run that came to its end."""

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
        return next((a for a in self.attempts if a.verdict.outcome is self.outcome), None)

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
        played: dict[tuple[str, str, str], Result] = {
            (r.host, str(r.fault), r.cell.id): r for r in self.faults()
        }
        is_whole = self.footer is not None and self.footer.interrupted is None
        owed = [key for key in self.plan.faults if is_whole or key in played]
        return tuple(filter(None, (self._missed(key, played.get(key)) for key in owed)))

    def _missed(self, key: tuple[str, str, str], result: Result | None) -> str | None:
        host, fault, cell = key
        if result is None:
            return f"fault {fault} was not played on {cell} ({host})"
        rule = self.host(host).faults.get(fault, "")
        if rule in result.verdict.broken:
            return None
        return (
            f"fault {fault} on {cell} ({host}) ought to break {rule}, "
            f"but the outcome is {result.verdict.outcome.value}"
        )


def provenance_lines(host: Host) -> list[tuple[str, Any]]:
    """What the host's interpreter said of itself, for people to read."""
    return [("command", " ".join(host.command)), *host.provenance.items()]
