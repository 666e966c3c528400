"""Packages to install without a network: what is installed here, packed again as wheels.

Installers take nothing else while `offline` is in force. A release may be altered, so that there is
something to find between two of them.
"""

from __future__ import annotations

import os
import re
import sysconfig
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

LEFT_OUT = {"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"}
"""What an installer writes beside what it was given."""


def closure(*names: str) -> list[Distribution]:
    """These distributions and all that they need here."""
    found: dict[str, Distribution] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower()
        if name in found:
            continue
        found[name] = distribution(name)
        for text in found[name].requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed.name)
    return list(found.values())


def pack(
    folder: Path,
    packed: Distribution,
    version: str | None = None,
    *,
    metadata: Iterable[str] = (),
    edits: Mapping[str, tuple[str, str]] | None = None,
) -> Path:
    """Write a wheel of what is installed, as ``version`` and with further lines of metadata.

    ``edits`` has texts of files with what is to stand there instead.
    """
    name = re.sub(r"[-_.]+", "_", packed.metadata["Name"])
    version = version or packed.version
    tag = re.findall("^Tag: (.+)$", packed.read_text("WHEEL") or "", re.MULTILINE)[-1]
    info = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file in packed.files or ():
            if {"..", "__pycache__", "test"} & set(file.parts) or file.name in LEFT_OUT:
                continue
            data = Path(str(packed.locate_file(file))).read_bytes()
            inside = file.as_posix()
            if file.parts[0].endswith(".dist-info"):
                inside = "/".join((info, *file.parts[1:]))
            if inside == f"{info}/METADATA":
                lines = "\n".join((f"Version: {version}", *metadata))
                data = re.sub(rb"(?m)^Version: .*$", lines.encode(), data, count=1)
            if edits and inside in edits:
                old, new = (text.encode() for text in edits[inside])
                assert data.count(old) == 1, inside
                data = data.replace(old, new)
            wheel.writestr(inside, data)
        wheel.writestr(f"{info}/RECORD", "".join(f"{each},,\n" for each in wheel.namelist()))
    return path


def offline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let installers know of the wheels in this folder alone, and of a cache beside it.

    The uv that is installed with the tests is found, as it is where their environment is activated.
    """
    paths = (sysconfig.get_path("scripts"), os.environ.get("PATH"))
    monkeypatch.setenv("PATH", os.pathsep.join(filter(None, paths)))
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_COMPILE", "1")
    monkeypatch.setenv("REACTOR_MATRIX_CACHE", str(folder.parent / "cache"))
