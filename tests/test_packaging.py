"""What is shipped: versions, extras, files, the change log, and the words that stand in them."""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import subprocess
import sys
import zipfile
from importlib.metadata import metadata, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import matrix

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "matrix"
AGENT = [PACKAGE / "wire.py", *sorted((PACKAGE / "agent").rglob("*.py"))]
COMMANDS = (
    *("doctor", "plan", "run", "judge", "report", "show", "reproduce"),
    *("merge", "compare", "history", "expect"),
    *("versions", "bisect", "environments"),
)

MAY_BE_LINKED = {
    "docs.astral.sh",
    "docs.python.org",
    "docs.twisted.org",
    "example.org",
    "github.com",
    "json-schema.org",
    "semver.org",
    "shields.io",
    "twisted.org",
    "www.w3.org",
}
"""The places that a link in a file of the project may lead to, besides ones that cannot exist."""

LINK = re.compile(r"https?://([\w.-]+)")
SOMEBODYS_MACHINE = re.compile(r"(?<![\w.*}~/-])/(?:home|root|Users|work)/\w")


def project_files() -> list[Path]:
    """Every text file that belongs to the project, whether or not git is there to list them."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        found = [ROOT / name for name in listing.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = [path for path in PACKAGE.rglob("*") if "__pycache__" not in path.parts]
    return [path for path in found if path.is_file() and path.suffix != ".png"]


def extras() -> dict[str, set[str]]:
    """The packages that each extra of the distribution asks for."""
    wanted = [Requirement(text) for text in requires("reactor-matrix") or ()]
    return {
        extra: {r.name for r in wanted if r.marker and r.marker.evaluate({"extra": extra})}
        - {r.name for r in wanted if not r.marker}
        for extra in metadata("reactor-matrix").get_all("Provides-Extra") or ()
    }


@pytest.mark.parametrize("path", AGENT, ids=lambda path: path.name)
def test_agent_is_python_3_8(path: Path) -> None:
    """What travels to the interpreter under test has no syntax that Python 3.8 lacks."""
    ast.parse(path.read_text(encoding="utf-8"), path.name, feature_version=(3, 8))


def test_version_is_the_package_s() -> None:
    """The distribution's version is written once, in the package."""
    assert version("reactor-matrix") == matrix.__version__


def test_extras_add_reactors() -> None:
    """Each extra brings what its reactors need, and ``all`` is all of them."""
    found = extras()
    assert {"pygobject"} <= found["gi"]
    assert {"pyside6-essentials", "qt-reactor"} <= found["qt"]
    assert found["all"] == found["gi"] | found["qt"] | found["uvloop"]


def test_wheel_has_every_file(tmp_path: Path) -> None:
    """A wheel holds each file of the package: code, templates, styles and schemas."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if name.startswith("matrix/")}
    here = (p for p in PACKAGE.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    assert shipped == {path.relative_to(ROOT).as_posix() for path in here}


def test_change_log_builds() -> None:
    """Every file in ``changes/`` is named so that it gets into the next release's entry."""
    draft = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONUTF8": "1"},
        encoding="utf-8",
    ).stdout
    assert f"## {matrix.__version__} (" in draft
    for path in (ROOT / "changes").glob("*.*.md"):
        first_words = path.read_text(encoding="utf-8").split("\n")[0]
        assert first_words in draft, f"{path.name} is not in the entry"


def test_readme_has_its_commands() -> None:
    """The README's set-up commands can be read by CI, and it names every command there is."""
    for name, end in (("matrix", "-o reactor-matrix-results"), ("tests", ".venv/bin/pytest")):
        command = subprocess.run(
            [sys.executable, ROOT / "ci" / "readme", name],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        assert command.startswith("python3 -m venv .venv && ")
        assert command.endswith(end)
        assert "\n" not in command
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [c for c in COMMANDS if f"`reactor-matrix {c}" not in readme] == []


def test_tox_has_an_environment_per_reactor() -> None:
    """Each reactor that Twisted or this project names can be run alone by tox."""
    code = "from matrix.agent.reactors import catalogue; print(*catalogue())"
    listed = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    factors = re.findall(r"^(\w+): -r (\w+) ", tox["testenv"]["commands"], re.MULTILINE)
    assert set(listed) <= {reactor for reactor, _ in factors}
    assert all(factor == reactor for factor, reactor in factors)


def test_no_path_of_a_machine_and_no_stray_link() -> None:
    """No file names a folder of the machine it was written on, or leads to an unknown place."""
    stray = []
    for path in project_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            hosts = {h for h in LINK.findall(line) if not h.endswith(".invalid")}
            if SOMEBODYS_MACHINE.search(line) or hosts - MAY_BE_LINKED:
                stray.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert stray == []


RUN = """
import json, pathlib, sys
folder, last, status = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
folder.mkdir()
for name in ("index.html", "junit.xml", "summary.md"):
    (folder / name).write_text("a page")
(folder / "results.jsonl").write_text(last)
sys.exit(status)
"""


def footer(**counts: int) -> str:
    """The footer of a run that came to its end with so many cells of each outcome."""
    return json.dumps({"type": "footer", "interrupted": None, "counts": counts}) + "\n"


@pytest.mark.parametrize(
    ("last", "status", "complaint"),
    [
        (footer(**{"pass": 2, "unsupported": 1}), 0, ""),
        (footer(**{"pass": 2, "fail": 1}), 1, ""),
        (footer(**{"pass": 2, "fail": 1}), 0, ""),
        (footer(**{"pass": 2}), 1, "no outcome says why"),
        (footer(**{"pass": 2, "error": 1}), 1, "1 cells are error"),
        (footer(**{"pass": 2, "no-result": 1}), 1, "1 cells are no-result"),
        (footer(unsupported=3), 0, "no cell passed"),
        (footer(**{"pass": 2}), 2, "status 2"),
        (footer(**{"pass": 2}), 3, "status 3"),
        (footer(**{"pass": 2})[:-20], 1, "footer of a finished run"),
        ("", 1, "missing or empty: results.jsonl"),
    ],
)
def test_ci_holds_a_run_to_its_word(tmp_path: Path, last: str, status: int, complaint: str) -> None:
    """CI takes a failing cell for a finding, and whatever else goes wrong for a failure."""
    folder = str(tmp_path / "results")
    run = [sys.executable, "-c", RUN, folder, last, str(status)]
    command = [sys.executable, str(ROOT / "ci" / "matrix"), folder, *run]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert complaint in ended.stderr
    assert bool(complaint) == bool(ended.returncode), ended.stderr
