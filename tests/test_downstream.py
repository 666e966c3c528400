"""A project of somebody else's, with a reactor of its own, runs the matrix from its tox.ini."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
from pathlib import Path

from matrix.model.cell import Cell
from matrix.model.result import Outcome
from matrix.store import read
from tests import commands

ROOT = Path(__file__).parent / "downstream"


def test_its_reactor_is_found_and_run(tmp_path: Path) -> None:
    """The command of its tox.ini plays its reactor's cells, and no others; each passes."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    line = tox["testenv:reactor-matrix"]["commands"]
    line = line.replace("{env_tmp_dir}{/}matrix", str(tmp_path / "matrix")).replace(
        "{posargs}", "-t tcp4"
    )
    program, *words = shlex.split(line)
    assert program == "reactor-matrix"
    installed = shutil.copytree(ROOT, tmp_path / "installed")  # Twisted writes a cache there
    path = os.pathsep.join((str(ROOT.parent.parent), str(installed)))
    ended = commands.run(*words, env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = read(tmp_path / "matrix" / "results.jsonl")
    cells = [cell for _, cell in report.plan.cells()]
    assert {cell.reactor for cell in cells} == {"downstream"}
    assert Cell("downstream", "tcp4", "abort-when-full", "client", "socket") in cells
    assert report.counts() == {Outcome.PASS: len(cells)}
