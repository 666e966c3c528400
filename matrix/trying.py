"""Some cells on a release: installed, run and judged.

Each release gets an environment, and in it a run like any other: with its controls, with the
faults that must be caught, into a folder of its own. What can't be installed on this Python, or
can't be tested there, is said to be so, and is no failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, frozen
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from matrix import plan, stacks
from matrix.environments import CannotBeInstalled, Python, environment
from matrix.errors import AgentError, SearchError, SelectionError
from matrix.manager.run import Rounds
from matrix.model.candidate import Candidate, Tried
from matrix.model.cell import Cell
from matrix.model.report import Host, Plan, Reactor
from matrix.model.result import Result
from matrix.workflow import Order, Progress, run

LOG = "install.log"
"""Where a folder has what the installer said."""


@frozen
class Asked:
    """What to run on each candidate: the cells, under which Python, beside which packages.

    ``others`` are requirements as pip takes them, ``repeat`` the attempts at each cell.
    """

    selection: plan.Selection
    python: Python
    others: tuple[str, ...]
    repeat: int
    folder: Path

    @classmethod
    def of(
        cls,
        text: str,
        python: Python,
        others: Sequence[str],
        repeat: int,
        folder: Path,
        *,
        alone: bool = False,
    ) -> Asked:
        """The cells whose id matches the text, or the only one; `SelectionError` where none can."""
        try:
            cell = Cell.parse(text)
        except ValueError as error:
            raise SelectionError(f"{error}.") from error
        for each in others:
            _check_requirement(each)
        selection = plan.Selection(*((part,) for part in cell.parts))
        if alone and set("*?[") & set(text):
            raise SelectionError(f"{text!r} is a pattern: name one cell.")
        plan.make([Host("any", (), {}, (Reactor(cell.reactor, ""),))], selection)
        return cls(selection, python, tuple(others), repeat, folder)

    def requirements(self, candidate: Candidate) -> tuple[str, ...]:
        """All that an environment gets; what was asked for goes before what is known."""
        named = {canonicalize_name(Requirement(each).name) for each in self.others}
        known = stacks.mates(candidate.package, candidate.release) if candidate.release else ()
        mates = (each for each in known if Requirement(each).name not in named)
        _, *rest = stacks.stack((candidate.package, *self.others, *mates), self.selection.reactor)
        return candidate.requirement, *rest


def _check_requirement(text: str) -> None:
    try:
        Requirement(text)
    except InvalidRequirement as error:
        raise SelectionError(
            f"--with {text!r} is no requirement; one reads pyopenssl==22.1.0."
        ) from error


def attempt(asked: Asked, candidate: Candidate, folder: Path) -> Tried:
    """Install a candidate and run the cells; `SearchError` where the user ends the run."""
    try:
        with environment(asked.python, asked.requirements(candidate)) as made:
            installed = tuple(sorted(made.installed.items()))
            interpreter = evolve(made.interpreter, host=candidate.host)
            order = Order(asked.selection, (interpreter,), Rounds(asked.repeat))
            report = run(order, folder, _unseen)
    except CannotBeInstalled as error:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOG).write_text(error.output, encoding="utf-8")
        return Tried(candidate, why=f"cannot be installed: {error}")
    except (AgentError, SelectionError) as error:
        return Tried(candidate, why=f"cannot be tested: {error}", installed=installed)
    if report.footer is not None and report.footer.interrupted is not None:
        raise SearchError(
            f"Interrupted by {report.footer.interrupted}; {asked.folder} has what was run."
        )
    if missed := report.missed_faults():
        why = f"its run is not valid: {missed[0]}"
        return Tried(candidate, why=why, installed=installed, is_invalid=True)
    return Tried(candidate, (report,), installed=installed)


class _Unseen:
    """A progress that nobody looks at."""

    def add(self, result: Result) -> None:
        """Do nothing with it."""


@contextmanager
def _unseen(_: Plan) -> Iterator[Progress]:
    yield _Unseen()
