"""Who imports whom: Twisted stays with the agent, and no module imports from a layer above it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import matrix

ROOT = Path(matrix.__file__).parent
LAYERS = (
    {"wire"},
    {"errors", "model"},
    {
        "bisection",
        "checks",
        "compare",
        "course",
        "evidence",
        "expectations",
        "judge",
        "merge",
        "missing",
        "plan",
        "proof",
        "resume",
        "rules",
        "skim",
        "stacks",
        "statistics",
        "structure",
        "surprises",
        "traits",
        "trend",
    },
    {"candidates", "environments", "generate", "history", "lines", "manager", "render", "store"},
    {"wine", "wine_libraries"},
    {"doctor", "over_releases", "suite", "trying", "wine_install", "workflow"},
    {"cli", "cli_over_releases", "cli_over_time", "cli_wine"},
    {"__main__"},
)
"""Top-level modules and packages, from the ground up; none imports from a later set."""

FROM_OUTSIDE = {"OpenSSL", "service_identity", "twisted", "zope"}
"""What the agent may import beside the standard library."""
UNDER_TEST = {"matrix/agent/reactors.py": {"qreactor", "uvloop"}}
"""Reactors that register no plugin of their own."""

MODULES = sorted(path.relative_to(ROOT.parent).as_posix() for path in ROOT.rglob("*.py"))
AGENT = [name for name in MODULES if name.startswith("matrix/agent/")]
REST = [name for name in MODULES if name not in AGENT]


def imported(name: str) -> Iterator[str]:
    """Full names of the modules that a module imports, anywhere in its text."""
    for node in ast.walk(ast.parse((ROOT.parent / name).read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            assert node.level == 0
            if node.module == "matrix":
                yield from (f"matrix.{alias.name}" for alias in node.names)
            else:
                yield node.module


def part(module: str) -> str:
    """The module or package right below ``matrix`` to which a module belongs."""
    return module.split(".")[1]


def layer(part: str) -> int:
    """How far above the ground a part of the package is."""
    (found,) = (number for number, parts in enumerate(LAYERS) if part in parts)
    return found


@pytest.mark.parametrize("name", REST)
def test_twisted_is_the_agents_alone(name: str) -> None:
    """Outside of the agent nothing of Twisted's is imported, nor the agent itself."""
    for module in imported(name):
        assert module.split(".")[0] not in {"OpenSSL", "twisted"}
        assert not module.startswith("matrix.agent")


@pytest.mark.parametrize("name", [name for name in REST if name != "matrix/__init__.py"])
def test_layers(name: str) -> None:
    """A module imports from its own layer or from those below, and every module is in one."""
    own = layer(part(name.removesuffix(".py").replace("/", ".")))
    for module in imported(name):
        if module.startswith("matrix.") and module != "matrix.__version__":
            assert layer(part(module)) <= own, module


@pytest.mark.parametrize("name", AGENT)
def test_agent_stands_alone(name: str) -> None:
    """The agent imports the standard library, Twisted with what it needs, and `matrix.wire`."""
    allowed = sys.stdlib_module_names | FROM_OUTSIDE | UNDER_TEST.get(name, set())
    for module in imported(name):
        if module.split(".")[0] == "matrix":
            assert module == "matrix.wire" or module.startswith("matrix.agent")
        else:
            assert module.split(".")[0] in allowed


@pytest.mark.parametrize("name", [*AGENT, "matrix/wire.py"])
def test_agent_is_written_for_old_pythons(name: str) -> None:
    """What travels to other interpreters can be parsed by Python 3.8."""
    ast.parse((ROOT.parent / name).read_bytes(), feature_version=(3, 8))


def test_command_line_loads_no_twisted() -> None:
    """Importing all that the commands need loads nothing of Twisted, TLS included."""
    code = "import sys, matrix.cli; print(*sys.modules, sep='\\n')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"OpenSSL", "twisted", "matrix.agent"} & set(ended.stdout.split())
