"""The cells under trial, pytest and unittest: one test each, and every outcome told as it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from matrix.generate import classes
from matrix.model.cell import Cell
from tests import synthetic

RUNNERS = {
    "unittest": ["-m", "unittest", "-v"],
    "trial": ["-m", "twisted.trial"],
    "pytest": ["-m", "pytest", "-v", "-p", "no:cacheprovider", "--pyargs"],
}
SUMMARIES = {
    "unittest": r"(\w[\w ]*)=(\d+)",
    "trial": r"(\w+)=(\d+)",
    "pytest": r"(\d+) (\w+)",
}
MADE_UP = """
from matrix.generate import classes
from tests.made_up import play, CELLS
globals().update(classes(CELLS, play, __name__))
"""


def run(runner: str, name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a runner says of the tests of that name, run from a folder that has no configuration."""
    words = [sys.executable, *RUNNERS[runner], name]
    path = os.pathsep.join([str(folder), str(Path(__file__).parent.parent)])
    return subprocess.run(
        words, capture_output=True, text=True, cwd=folder, env={**os.environ, "PYTHONPATH": path}
    )
