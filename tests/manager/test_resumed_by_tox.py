"""Stacks of tox that were cut short: whatever was killed, `tox run -- --resume` goes on with it.

Environments are made without packages here: the stack and its harness have those of the tests.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen

from matrix.model.report import Report
from matrix.store import read
from tests import miniatures
from tests.manager.test_interrupted import FILES, hanging
from tests.manager.test_resumed import NAME, PATIENCE, assert_whole
from tests.test_packaging import ROOT

STACK = f"py3{sys.version_info.minor}-select"
WORDS = ("-t", "tcp4", "--side", "client", "--peer", "socket")
HARNESS = """\
#!/bin/sh
echo $$ > {pid}
exec {python} -m matrix "$@"
"""


@frozen
class Tox:
    """tox in the root of the project, with a work folder of its own."""

    folder: Path

    @property
    def results(self) -> Path:
        """Where the stack's results go."""
        return self.folder / "tox" / "results" / STACK

    @property
    def harness(self) -> int:
        """The process that ran the stack's matrix last."""
        return int((self.folder / "pid").read_text())

    def command(self, *words: str) -> list[str]:
        """The words that start tox."""
        tox = [sys.executable, "-m", "tox", *words[:1], "--workdir", str(self.folder / "tox")]
        packages = os.pathsep.join((str(self.folder), str(ROOT), sysconfig.get_path("purelib")))
        instead = {
            "testenv.deps": "",
            "testenv.set_env": f"PYTHONPATH={packages}",
            "testenv.pass_env": "MINIATURE_*,COVERAGE_*",
            "testenv:harness.package": "skip",
            "testenv:report.package": "skip",
            "harness.command": str(self.folder / "reactor-matrix"),
        }
        return tox + [w for pair in instead.items() for w in ("-x", "=".join(pair))] + [*words[1:]]

    def run(self, *more: str, env: str = STACK) -> subprocess.CompletedProcess[str]:
        """What came of running an environment."""
        words = [*(self.stack(*more) if env == STACK else self.command("run", "-e", env))]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)

    def stack(self, *more: str) -> list[str]:
        """The words that run the stack's matrix."""
        return self.command("run", "-e", STACK, "--", *WORDS, "--preload", NAME, *more)


@pytest.fixture
def tox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tox:
    """tox, which knows of no other one that runs these tests."""
    for name in [name for name in os.environ if name.startswith("TOX")]:
        monkeypatch.delenv(name)
    program = tmp_path / "reactor-matrix"
    program.write_text(HARNESS.format(pid=tmp_path / "pid", python=sys.executable))
    program.chmod(0o755)
    return Tox(tmp_path)


def kill_tox(process: subprocess.Popen[bytes], tox: Tox) -> None:
    """Kill tox alone: its harness lives on, and nobody else may write there until that ends."""
    process.kill()
    process.wait(PATIENCE)
    part = tox.results / "results.jsonl.part"
    before, orphan = part.read_bytes(), tox.harness
    for more in ((), ("--resume",)):
        refused = tox.run(*more)
        assert "Another run is writing" in refused.stderr
        assert refused.returncode == 2
    assert part.read_bytes().startswith(before)
    os.kill(orphan, signal.SIGKILL)


def terminate_tox(process: subprocess.Popen[bytes], tox: Tox) -> None:
    """End tox alone, and then what it leaves."""
    process.terminate()
    process.wait(PATIENCE)
    os.kill(tox.harness, signal.SIGTERM)


def interrupt_all(process: subprocess.Popen[bytes], tox: Tox) -> None:
    """Do what Ctrl-C does in a terminal: every process is told. tox waits for the page."""
    os.killpg(process.pid, signal.SIGINT)
    process.wait(PATIENCE)
    assert sorted(path.name for path in tox.results.iterdir()) == FILES


@pytest.mark.parametrize("cut", [kill_tox, terminate_tox, interrupt_all])
def test_cut_short(
    tox: Tox, cut: Callable[[subprocess.Popen[bytes], Tox], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a stack was cut short, its page says so, and --resume keeps all that was done."""
    with hanging(tox.folder, monkeypatch, NAME, tox.stack()) as process:
        cut(process, tox)
    miniatures.importable(tox.folder, monkeypatch, **{NAME: ""})
    before = attempts(tox)
    assert before
    assert tox.run(env="report").returncode == 1
    assert "ut off before its end" in page(tox) or "nterrupted" in page(tox)
    ended = tox.run("--resume")
    assert "OK" in ended.stdout, ended.stdout
    report = read(tox.results / "results.jsonl")
    assert attempts(tox)[: len(before)] == before
    assert_whole(report)
    assert tox.run(env="report").returncode == 0
    assert len(merged(tox).results) == len(report.results)


def attempts(tox: Tox) -> list[str]:
    """The lines of all attempts that a stack has so far."""
    (path,) = tox.results.glob("results.jsonl*")
    lines = path.read_text().splitlines(keepends=True)
    return [line for line in lines if line.startswith('{"type":"result"') and line[-1] == "\n"]


def merged(tox: Tox) -> Report:
    """What `tox run -e report` has made."""
    return read(tox.results.parent / "report" / "results.jsonl")


def page(tox: Tox) -> str:
    """The page of that."""
    return (tox.results.parent / "report" / "index.html").read_text(encoding="utf-8")
