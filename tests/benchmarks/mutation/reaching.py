"""Which lines of the mutated modules the two judges execute: elsewhere a mutant cannot be seen."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from attrs import frozen
from coverage import Coverage

from tests.benchmarks.mutation.applying import Mutant, environment, file_of
from tests.benchmarks.mutation.judging import Sight, by_matrix, by_trial, cells, tls_material
from tests.benchmarks.mutation.targets import Target


@frozen
class Reach:
    """The executed lines of each module, and what both judges say of Twisted as it is."""

    lines: dict[str, list[int]]
    matrix: Sight
    trial: Sight

    def covers(self, mutant: Mutant) -> bool:
        """Whether the mutant changes a line that somebody executes."""
        changed = range(mutant.line, mutant.line + mutant.before.count("\n") + 1)
        return not set(changed).isdisjoint(self.lines.get(mutant.module, ()))


async def reach(targets: Iterable[Target], folder: Path) -> Reach:
    """Run both judges once, on every reactor, with nothing mutated, and measure coverage."""
    targets = tuple(targets)
    files = {target.module: file_of(target.module) for target in targets}
    reactors = sorted({name for target in targets for name in target.reactors})
    settings = folder / "coverage.ini"
    # Forked cells end with os._exit().
    included = "\n    ".join(map(str, files.values()))
    text = f"[run]\nparallel = true\npatch = _exit\ndata_file = {folder}/data\n"
    settings.write_text(f"{text}include =\n    {included}\n", encoding="utf-8")
    measured = {**environment(None, folder), "COVERAGE_PROCESS_START": str(settings)}
    owed = [cell for reactor in reactors for cell in cells([reactor])]
    matrix = await by_matrix(measured, owed, tls_material())
    trial = await by_trial(measured, reactors, folder)
    coverage = Coverage(data_file=str(folder / "data"))
    coverage.combine([str(folder)])
    data = coverage.get_data()
    lines = {module: sorted(data.lines(str(file)) or ()) for module, file in files.items()}
    return Reach(lines, matrix, trial)
