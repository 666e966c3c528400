"""How an agent gets started: in this Python, or in any other that a command starts."""

from __future__ import annotations

import shlex
import sys
import zipfile
from importlib import resources
from pathlib import Path

from attrs import frozen

from matrix.errors import AgentError

_MAIN = "from matrix.agent.serve import main\nmain()\n"


@frozen
class Interpreter:
    """A command that starts a Python; ``agent`` is appended to it, and runs.

    ``host`` is what the host behind it is to be called; None: by what it says of itself.
    """

    command: tuple[str, ...]
    host: str | None = None

    @classmethod
    def this(cls) -> Interpreter:
        """The interpreter that runs the manager."""
        return cls((sys.executable,))

    @classmethod
    def parse(cls, text: str) -> Interpreter:
        """A command as a shell would split it; `AgentError` where it is none."""
        try:
            command = tuple(shlex.split(text))
        except ValueError as error:
            raise AgentError(f"--python {text!r} is no command: {error}.") from error
        if not command:
            raise AgentError("--python needs a command that starts a Python, such as python3.12.")
        return cls(command)

    def __str__(self) -> str:
        return shlex.join(self.command)


def pack_agent(path: Path) -> Path:
    """Write the zip that travels to an interpreter: `matrix.wire` and `matrix.agent`, no more."""
    root = resources.files("matrix")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", _MAIN)
        archive.writestr("matrix/__init__.py", "")
        archive.writestr("matrix/wire.py", root.joinpath("wire.py").read_bytes())
        for module in root.joinpath("agent").iterdir():
            if module.name.endswith(".py"):
                archive.writestr(f"matrix/agent/{module.name}", module.read_bytes())
    return path
