"""A mutant, and the environment in which programs are started so that it is in force there.

Nothing that is installed is touched.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[3]
HOOK = Path(__file__).with_name("hook")
REPAIRS = ROOT / "docs" / "defects" / "repairs"


@frozen
class Mutant:
    """One change. ``before`` and ``after`` are the lines that differ; the first one is ``line``.

    ``above`` is what stands in the line above it.

    ``source`` is the whole module's text with the change in it.
    """

    module: str
    function: str
    operator: str
    occurrence: int
    line: int
    above: str
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """For instance ``tcp:_AbortingMixin.abortConnection:DeleteStatement:1``."""
        module = self.module.rpartition(".")[2]
        return f"{module}:{self.function}:{self.operator}:{self.occurrence}"


def file_of(module: str) -> Path:
    """Where a module is installed; only its parent packages are imported."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{module} is not installed")
    return Path(spec.origin)


def environment(mutant: Mutant | None, folder: Path) -> dict[str, str]:
    """What a program's environment has to say beside its own, for the mutant to be in force.

    ``folder`` is where its text is put. With no mutant, everything else is the same.
    """
    path = os.pathsep.join(map(str, (HOOK, ROOT, REPAIRS)))
    if mutant is None:
        return {"PYTHONPATH": path}
    source = folder / "mutant.py"
    source.write_text(mutant.source, encoding="utf-8")
    return {"PYTHONPATH": path, "MUTANT_MODULE": mutant.module, "MUTANT_SOURCE": str(source)}
