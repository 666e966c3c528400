"""Make stacks of Pythons and Twisteds, run the matrix on each, and say what came out differently.

    python -m tests.benchmarks.versions FOLDER -o docs/versions.md [--only NAME]... [-- WORDS]

The Pythons (`PYTHONS`) are looked for on PATH. The environments and the results stay in the folder:
what is there already is neither made nor run again. WORDS go to ``reactor-matrix run``. Every stack
is held against the first one, the newest Twisted on the newest Python; why a cell fails is said by
what is expected of it, in ``matrix/expectations.toml``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import field, frozen

from matrix import __version__
from matrix.errors import ResultsError
from matrix.model.cell import Cell
from matrix.model.report import CellReport, Host, Report
from matrix.model.result import Outcome
from matrix.store import RESULTS, read

PYTHONS = (
    *("python3.13", "python3.12", "python3.11", "python3.10", "python3.9", "python3.8"),
    "pypy3",
)
TWISTEDS: Mapping[str, tuple[str, ...]] = {
    "newest": ("twisted", "pyopenssl"),
    "24.11.0": ("twisted==24.11.0", "pyopenssl"),
    "23.8.0": ("twisted==23.8.0", "pyopenssl==24.3.0", "cryptography<45"),
    "22.10.0": ("twisted==22.10.0", "pyopenssl==23.3.0", "cryptography<42"),
    "21.7.0": ("twisted==21.7.0", "pyopenssl==22.1.0", "cryptography<39"),
    "20.3.0": ("twisted==20.3.0", "pyopenssl==22.1.0", "cryptography<39"),
}
"""What is installed for each Twisted: pyOpenSSL and cryptography as they were in its day."""

WHOLE = (
    *("-r", "select", "-r", "epoll", "-r", "asyncio"),
    *("-t", "tcp4", "-t", "unix", "-t", "tls1.3"),
)
"""What runs of each Twisted on the newest Python that takes it."""

PART = (
    *("-r", "select", "-r", "asyncio", "-t", "tcp4", "-t", "tls1.3"),
    *("--side", "client", "--peer", "socket"),
)
"""What runs on the other Pythons."""

_ERROR = re.compile(r"fatal error: |\w: error: |\wError: |ERROR: No ")
"""A line in which a compiler, Python or pip says what went wrong first."""


@frozen
class Stack:
    """A Twisted on a Python, and what became of it."""

    python: str
    twisted: str
    folder: Path

    @property
    def name(self) -> str:
        """A name for its host."""
        return f"{self.python}-twisted-{self.twisted}"

    @property
    def interpreter(self) -> Path:
        """The Python of its environment."""
        return self.folder / self.name / "env/bin/python"

    @property
    def results(self) -> Path:
        """Where its results are, if it could be run."""
        return self.folder / self.name / "results" / RESULTS

    @property
    def made(self) -> Path:
        """A file that is there once its environment is whole."""
        return self.folder / self.name / "made"

    @property
    def trouble(self) -> Path:
        """A file that says why it could not be made, if it could not."""
        return self.folder / self.name / "trouble"


@frozen
class Change:
    """How cells came out on the reference and on another stack, and why it is not the same."""

    before: str
    after: str
    why: str


@frozen
class Compared:
    """A stack that was run, beside the reference: the cells that both have, and what changed."""

    host: Host
    cells: int
    changes: Mapping[Change, tuple[Cell, ...]] = field(factory=dict)

    @property
    def changed(self) -> int:
        """How many cells did not come out the same."""
        return sum(map(len, self.changes.values()))


def main() -> int:
    """Make, run, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", dest="page", type=Path)
    parser.add_argument("--only", action="append", metavar="NAME", help="make and run these alone")
    parser.add_argument("words", nargs="*", help="more for reactor-matrix run")
    options = parser.parse_args()
    stacks = [Stack(p, t, options.folder.absolute()) for t in TWISTEDS for p in PYTHONS]
    wanted = [each for each in stacks if options.only is None or each.name in options.only]
    for twisted in TWISTEDS:
        newest = next((each for each in stacks if each.twisted == twisted and make(each)), None)
        if newest in wanted:
            run(newest, (*WHOLE, *options.words))
    for stack in wanted:
        if make(stack):
            run(stack, (*PART, *options.words))
    if options.page is not None:
        try:
            options.page.write_text(page(stacks, options.words), encoding="utf-8")
        except ResultsError as error:
            parser.exit(2, f"{error}\n")
    return 0


def make(stack: Stack) -> bool:
    """Make the environment, or note in one line why it cannot be made, and return False."""
    if stack.made.exists() or stack.trouble.exists():
        return stack.made.exists()
    print(f"making {stack.name}", flush=True)
    python, (place, *_) = shutil.which(stack.python), stack.interpreter.parents[1:2]
    place.parent.mkdir(parents=True, exist_ok=True)
    pip = [str(stack.interpreter), "-m", "pip", "install", "-q", "--prefer-binary"]
    steps = (
        [str(python), "-m", "venv", str(place)],
        [*pip, "--only-binary=cryptography,cffi", *TWISTEDS[stack.twisted], "service-identity"],
        [str(stack.interpreter), "-c", "import twisted.internet.reactor"],
    )
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True)
        if done.returncode:
            said = (done.stderr.strip() or "it was not found").splitlines()
            errors = [line for line in said if _ERROR.search(line)] or said[-1:]
            stack.trouble.write_text(f"{errors[0].strip()}\n")
            return False
    stack.made.touch()
    return True


def run(stack: Stack, words: Iterable[str]) -> None:
    """Run the matrix there, unless it was."""
    if stack.results.exists():
        return
    print(f"running {stack.name}: {' '.join(words)}", flush=True)
    where = ["--python", str(stack.interpreter), "--host", stack.name]
    command = [sys.executable, "-m", "matrix", "run", *where, "-o", str(stack.results.parent)]
    subprocess.run([*command, *words], stdout=subprocess.DEVNULL)


# What came out of it ------------------------------------------------------------------------------


def compare(reference: Report, report: Report) -> Compared:
    """The report of a stack beside that of the reference."""
    known = {each.cell: each for each in reference.cells()}
    pairs = [(known[each.cell], each) for each in report.cells() if each.cell in known]
    changes: dict[Change, list[Cell]] = defaultdict(list)
    for old, new in pairs:
        if label(old) != label(new):
            changes[Change(label(old), label(new), why(old, new))].append(new.cell)
    frozen_changes = {change: tuple(cells) for change, cells in changes.items()}
    return Compared(report.hosts[0], len(pairs), frozen_changes)


def label(cell: CellReport) -> str:
    """An outcome, with the rules that were broken or the code of what is unsupported."""
    verdict = cell.worst.verdict if cell.worst is not None else None
    details = verdict.broken if verdict is not None else ()
    if verdict is not None and verdict.code is not None:
        details = (verdict.code,)
    return " ".join((cell.outcome.value, *(f"`{detail}`" for detail in details)))


def why(old: CellReport, new: CellReport) -> str:
    """What explains the difference: the expectation of the one that fails, or what is missing.

    Where both fail, the one that breaks more has to be explained; of two that break other rules,
    the one that is not the reference.
    """
    breaks_less = new.outcome is Outcome.FAIL and _broken(new) < _broken(old)
    cell = old if new.outcome is Outcome.PASS or breaks_less else new
    if cell.outcome is Outcome.UNSUPPORTED and cell.worst is not None:
        return "; ".join(cell.worst.verdict.reasons)
    return cell.expected or "**not explained**"


def _broken(cell: CellReport) -> set[str]:
    return set(cell.worst.verdict.broken) if cell.worst is not None else set()


def page(stacks: Iterable[Stack], words: Iterable[str]) -> str:
    """The whole page."""
    stacks = list(stacks)
    reference = read(stacks[0].results)
    compared = {each: compare(reference, read(each.results)) for each in stacks if is_run(each)}
    lines = [*_head(reference, words), *_grid(stacks, compared), *_changes(stacks, compared)]
    return "\n".join([*lines, *_absent(stacks)]) + "\n"


def is_run(stack: Stack) -> bool:
    """Whether there are results of it."""
    return stack.results.exists()


def _head(reference: Report, words: Iterable[str]) -> Iterator[str]:
    told = reference.hosts[0].provenance
    system = told["platform"].split("-")[0]
    more = " ".join(["", "--", *words]) if words else ""
    yield "# Versions of Python and Twisted"
    yield ""
    yield "What comes out differently on older stacks, and why. This page is written by"
    yield f"`python -m tests.benchmarks.versions FOLDER -o docs/versions.md{more}`; this one"
    yield f"with reactor-matrix {__version__} on {system}. On the newest Python that"
    yield f"takes a Twisted, `reactor-matrix run {' '.join(WHOLE)}` ran: the whole catalogue,"
    yield f"both sides, both peers. On the other Pythons, `reactor-matrix run {' '.join(PART)}`."
    yield f"Each cell ran once, and is held against Twisted {told['twisted']} on {told['python']}."
    yield ""


def _grid(stacks: Iterable[Stack], compared: Mapping[Stack, Compared]) -> Iterator[str]:
    """A row for each Python, a column for each Twisted."""
    by_place = {(each.python, each.twisted): each for each in stacks}
    yield "Cells that have another outcome or break other rules, of how many (and the Twisted that"
    yield "was there); – where it cannot be installed, empty where it was not run."
    yield ""
    yield "| | " + " | ".join(TWISTEDS) + " |"
    yield "|---|" + "---|" * len(TWISTEDS)
    for python in PYTHONS:
        row = (by_place[python, twisted] for twisted in TWISTEDS)
        yield f"| {python} | " + " | ".join(_count(each, compared) for each in row) + " |"
    yield ""


def _count(stack: Stack, compared: Mapping[Stack, Compared]) -> str:
    if stack not in compared:
        return "–" if stack.trouble.exists() else ""
    found = compared[stack]
    return f"{found.changed} of {found.cells} ({found.host.provenance['twisted']})"


def _changes(stacks: Iterable[Stack], compared: Mapping[Stack, Compared]) -> Iterator[str]:
    """What changed, each change with the stacks and the cells that have it."""
    for twisted in TWISTEDS:
        found: dict[Change, dict[str, tuple[Cell, ...]]] = defaultdict(dict)
        for stack in stacks:
            if stack.twisted == twisted and stack in compared:
                for change, cells in compared[stack].changes.items():
                    found[change][stack.python] = cells
        if found:
            yield f"## Twisted {twisted}"
            yield ""
            yield "| cells | Pythons | newest | here | why |"
            yield "|---|---|---|---|---|"
            for change, by_python in found.items():
                every = {cell for some in by_python.values() for cell in some}
                pythons = ", ".join(f"{name} ({len(some)})" for name, some in by_python.items())
                row = (_patterns(sorted(every)), pythons, change.before, change.after, change.why)
                yield "| " + " | ".join(row) + " |"
            yield ""


def _patterns(cells: Iterable[Cell]) -> str:
    """Cells by their scenario: on which reactors and transports."""
    by_scenario: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_scenario[cell.scenario].append(cell)
    return "; ".join(
        f"{scenario} ({_names(each.reactor for each in some)} over "
        f"{_names(each.transport for each in some)})"
        for scenario, some in by_scenario.items()
    )


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))


def _absent(stacks: Iterable[Stack]) -> Iterator[str]:
    """Why stacks could not be made."""
    found: dict[str, list[str]] = defaultdict(list)
    for stack in stacks:
        if stack.trouble.exists():
            found[stack.trouble.read_text().strip()].append(f"{stack.twisted} on {stack.python}")
    if found:
        yield "## What cannot be installed"
        yield ""
        for trouble, names in found.items():
            yield f"* {', '.join(names)}: `{trouble}`"


if __name__ == "__main__":
    sys.exit(main())
