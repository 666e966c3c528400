"""How an agent gets started: in this Python, or in any other that a command starts."""

from __future__ import annotations

import base64
import io
import shlex
import sys
import zipfile
from importlib import resources

from attrs import frozen

from matrix.errors import AgentError

START = ("-c", "f'={exec(input())}'")
"""What is appended to a command: it has the Python run the first line of its standard input.

The words of a command may get there as they are, or by way of a shell, as those after ``ssh HOST``
do, and nobody can tell by looking at the command. So this is right both ways. As it is, it is a
string whose braces are evaluated. A shell takes the quotes away; what is left names a set ``f``.
"""


@frozen
class Interpreter:
    """A command that starts a Python, here or on another machine; `START` is appended to it.

    ``host`` is what the host behind it is to be called; None: by what it says of itself.
    """

    command: tuple[str, ...]
    host: str | None = None

    @classmethod
    def this(cls) -> Interpreter:
        """The interpreter that runs the manager."""
        return cls((sys.executable,))

    @classmethod
    def parse(cls, text: str, source: str = "--python") -> Interpreter:
        """A command as a shell would split it; `AgentError`, by its source, where it is none."""
        try:
            command = tuple(shlex.split(text))
        except ValueError as error:
            raise AgentError(f"{source} {text!r} is no command: {error}.") from error
        if not command:
            raise AgentError(f"{source} needs a command that starts a Python, such as python3.12.")
        return cls(command)

    def __str__(self) -> str:
        return shlex.join(self.command)


def pack_agent() -> bytes:
    """The line that makes an agent of a Python: a zip of `matrix.wire` and `matrix.agent`.

    Nothing of it is written to a disk, neither here nor there.
    """
    carried = resources.files("matrix").joinpath("agent/carried.py").read_text("utf-8")
    archive = base64.b85encode(_zipped())
    begin = f"begin(__import__('base64').b85decode({archive!r}))"
    return f"exec({carried!a}); {begin}\n".encode("ascii")


def _zipped() -> bytes:
    root, packed = resources.files("matrix"), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("matrix/__init__.py", "")
        archive.writestr("matrix/wire.py", root.joinpath("wire.py").read_bytes())
        for module in root.joinpath("agent").iterdir():
            if module.name.endswith(".py"):
                archive.writestr(f"matrix/agent/{module.name}", module.read_bytes())
    return packed.getvalue()
