"""Hands out a mutant's source in place of one module's; measures coverage where that is asked for.

Python's ``site`` imports this first where its folder stands in PYTHONPATH: what is installed
stays as it is. ``MUTANT_MODULE`` names the module, ``MUTANT_SOURCE`` the file with its text.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

MEMORY = 1 << 32
"""Bytes of address space: some mutants write without end."""


class Mutated(SourceFileLoader):
    """Compiles the mutant's text, every time, under the name of the module's own file."""

    def get_code(self, fullname: str) -> CodeType:
        """The mutant's code; nothing is cached."""
        data = Path(os.environ["MUTANT_SOURCE"]).read_bytes()
        code: CodeType = self.source_to_code(data, self.path)
        return code


class Finder:
    """Finds the one module that is mutated, where it always was."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec, with another loader; None for every other module."""
        if fullname != os.environ["MUTANT_MODULE"]:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = Mutated(fullname, spec.origin)
        return spec


if "MUTANT_MODULE" in os.environ:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.meta_path.insert(0, Finder)
if "COVERAGE_PROCESS_START" in os.environ:
    import coverage

    coverage.process_startup()
