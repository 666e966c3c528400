"""Environments for interpreters under test: made once, kept in the user's cache, used again.

There is one for each Python and set of requirements. It is made aside and then renamed into its
place, so that one that is there is whole, whoever else makes the same one at that time. It is
locked for as long as it is used, and pruned only when it is not.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import platformdirs
from attrs import frozen

try:
    import fcntl
except ImportError:  # Windows, where a file that is used cannot be deleted
    fcntl = None  # type: ignore[assignment]

from matrix.errors import EnvironmentsError
from matrix.manager.interpreters import Interpreter
from matrix.render.plain import clip, one_line

_MADE = "made.json"
"""What an environment says of itself; it is touched whenever the environment is used."""
_PART = ".part"
"""How the name of an environment ends that is not whole yet, or not any more."""
_DAY = 86400.0
_LIMIT = 200
"""Characters of a reason."""

_ASK_PYTHON = "import json, sys; print(json.dumps([sys.executable, sys.version]))"
_ASK_PACKAGES = """\
import json
from importlib.metadata import distributions
print(json.dumps({d.metadata["Name"].lower(): d.version for d in distributions()}))
"""


class CannotBeInstalled(Exception):
    """This Python cannot have these requirements: a phrase that says why, and all that was said."""

    def __init__(self, why: str, output: str, *, by_its_python: bool) -> None:
        super().__init__(why)
        self.output = output
        self.by_its_python = by_its_python
        """Whether it is this Python's version that is in the way."""


@frozen
class Python:
    """A Python to make environments of: where it is, and what it says of its version."""

    executable: str
    version: str

    @classmethod
    def behind(cls, interpreter: Interpreter) -> Python:
        """The Python that a command starts; `EnvironmentsError` where it starts none."""
        try:
            ended = _run([*interpreter.command, "-c", _ASK_PYTHON])
            executable, version = json.loads(ended.stdout)
        except (OSError, ValueError) as error:
            raise EnvironmentsError(
                f"{interpreter} does not start a Python; give --python a command that does."
            ) from error
        return cls(str(executable), str(version))


@frozen
class Environment:
    """A folder with an interpreter in it, and ``installed``: name → version of its packages."""

    folder: Path
    installed: Mapping[str, str]

    @property
    def interpreter(self) -> Interpreter:
        """The Python of this environment."""
        return Interpreter((str(_python(self.folder)),))


def cache() -> Path:
    """The folder of all environments: ``REACTOR_MATRIX_CACHE``, or one in the user's cache."""
    chosen = os.environ.get("REACTOR_MATRIX_CACHE")
    root = Path(chosen) if chosen else platformdirs.user_cache_path("reactor-matrix")
    return root.absolute() / "environments"


@contextmanager
def environment(python: Python, requirements: Sequence[str]) -> Iterator[Environment]:
    """The environment with these requirements, which is made if there is none yet.

    `CannotBeInstalled` where this Python cannot have them, `EnvironmentsError` where environments
    cannot be made at all. It is not pruned before the block ends.
    """
    folder = cache() / _key(python, requirements)
    while True:
        with suppress(FileNotFoundError, NotADirectoryError), (folder / _MADE).open("rb") as made:
            _lock(made, alone=False)
            if (folder / _MADE).exists():  # it may have been pruned before it was locked
                os.utime(folder / _MADE)
                yield Environment(folder, json.load(made)["installed"])
                return
        _make(folder, python, requirements)


def offered(python: Python, package: str) -> list[str]:
    """Every release that the package index has for some Python; `EnvironmentsError` if none."""
    with environment(python, ("pip",)) as tool:
        words = [*tool.interpreter.command, "-m", "pip", "index", "versions"]
        ended = _run([*words, "--ignore-requires-python", package])
    found = re.search("^Available versions: (.+)$", ended.stdout, re.MULTILINE)
    if found is None:
        why = _said(ended.stderr)
        raise EnvironmentsError(
            f"The package index has no release of {package!r} to offer ({why}). Check the name and "
            "the network, or name the releases yourself."
        )
    return found[1].split(", ")


def prune(days: float) -> list[Path]:
    """Remove the environments that were not used for so many days; returns them."""
    gone = []
    for folder in _there():
        with suppress(OSError), (folder / _MADE).open("rb") as made:
            old = time.time() - os.fstat(made.fileno()).st_mtime >= days * _DAY
            if old and _lock(made, alone=True):
                aside = folder.with_name(f"{folder.name}.{os.getpid()}{_PART}")
                folder.rename(aside)
                gone.append(folder)
    for part in cache().glob(f"*{_PART}"):  # of this moment, or of a maker that died
        if time.time() - part.stat().st_mtime >= min(days, 1) * _DAY:
            shutil.rmtree(part, ignore_errors=True)
    return gone


def listed() -> list[tuple[Path, Mapping[str, Any]]]:
    """Every environment with what it says of itself, the one that was used last at the end."""
    found = []
    for folder in _there():
        with suppress(OSError, ValueError):
            made = folder / _MADE
            found.append((made.stat().st_mtime, folder, json.loads(made.read_text("utf-8"))))
    return [(folder, said) for _, folder, said in sorted(found, key=lambda each: each[:2])]


def _there() -> list[Path]:
    return sorted(path for path in cache().glob("*") if path.suffix != _PART)


def _key(python: Python, requirements: Sequence[str]) -> str:
    text = json.dumps([python.executable, python.version, sorted(requirements)])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _lock(made: IO[bytes], *, alone: bool) -> bool:
    """Share the lock of an environment, or try to have it alone."""
    if fcntl is not None:
        try:
            fcntl.flock(made, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
        except BlockingIOError:
            return False
    return True


# Making one ---------------------------------------------------------------------------------------


def _make(folder: Path, python: Python, requirements: Sequence[str]) -> None:
    """Make an environment aside, and give it its place unless another one has taken it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(suffix=_PART, prefix=f"{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise EnvironmentsError(
            f"{folder.parent} cannot be written ({error.strerror}); let REACTOR_MATRIX_CACHE name "
            "another folder."
        ) from error
    try:
        _install(part, python, requirements)
        ended = _run([str(_python(part)), "-c", _ASK_PACKAGES])
        said = {"python": python.executable, "version": python.version}
        made = {**said, "requirements": list(requirements), "installed": json.loads(ended.stdout)}
        (part / _MADE).write_text(json.dumps(made, indent=1), encoding="utf-8")
        with suppress(OSError):  # where there is one now, it is as good
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _install(part: Path, python: Python, requirements: Sequence[str]) -> None:
    """Install by uv where there is one, and by pip where there is none.

    uv does not take source distributions that are packed as they were years ago; pip does.
    """
    uv = shutil.which("uv")
    try:
        if uv is not None:
            making = [uv, "venv", "--quiet", "--python", python.executable, str(part)]
            adding = [uv, "pip", "install", "--quiet", "--python", str(_python(part))]
            return _by(making, [*adding, *requirements], requirements)
    except CannotBeInstalled as error:
        if error.by_its_python:
            raise
    making = [python.executable, "-m", "venv", "--clear", str(part)]
    adding = [str(_python(part)), "-m", "pip", "install", "--quiet"]
    return _by(making, [*adding, *requirements], requirements)


def _by(making: Sequence[str], adding: Sequence[str], requirements: Sequence[str]) -> None:
    made = _run(making)
    if made.returncode:
        why = _said(made.stderr or made.stdout)
        raise EnvironmentsError(
            f"“{shlex.join(making)}” made no virtual environment ({why}). Install the venv module "
            "of that Python, or uv."
        )
    added = _run(adding)
    if added.returncode:
        output = added.stdout + added.stderr
        asked = _asked_python(output, requirements)
        why = f"it asks for Python {asked}" if asked else _said(output)
        raise CannotBeInstalled(why, output, by_its_python=bool(asked))


def _python(folder: Path) -> Path:
    windows = sys.platform == "win32"
    return folder / "Scripts" / "python.exe" if windows else folder / "bin" / "python"


def _run(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a program that must not see the packages of the one who calls it."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    env = {name: text for name, text in os.environ.items() if name not in hidden}
    return subprocess.run(words, capture_output=True, text=True, check=False, env=env)


_ASKS = (
    r"\b{release} Requires-Python ([^;\s]+)",  # pip, of an index
    r"requires a different Python: \S+ not in '([^']+)'",  # pip, of a file
    r"does not satisfy Python(\S+)",  # uv, of an index
    r"requires Python (\S+)",  # uv, of a file
)
"""How installers say which Python a release asks for."""


def _asked_python(output: str, requirements: Sequence[str]) -> str | None:
    """Which Python one of the requirements asks for and does not get."""
    releases = [re.escape(each.partition("==")[2]) for each in requirements if "==" in each]
    wanted = "|".join(releases) or "$^"
    found = (re.search(each.replace("{release}", f"(?:{wanted})"), output) for each in _ASKS)
    return next((each[1] for each in found if each), None)


def _said(output: str) -> str:
    """What an installer gives as its error, in a phrase."""
    named = re.search("Because .*|^.*fatal error: .*$", output, re.MULTILINE)
    telling = re.compile(r"(?i)\berror\b(?!: Ignored the)(?!.*\(from versions: )")
    lines = [line for line in output.splitlines() if telling.search(line)]
    said = [named[0]] if named else lines or output.split("\n")
    words = re.sub(r"^\W*(error: )?", "", said[0], flags=re.IGNORECASE)
    return clip(one_line(words.rstrip(". ")), _LIMIT)
