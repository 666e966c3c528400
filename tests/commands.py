"""The command line as a user has it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 120
"""Seconds after which a command that does not end is a failure."""


def command(*words: str | Path) -> list[str]:
    """The words that start ``reactor-matrix`` in this interpreter."""
    return [sys.executable, "-m", "matrix", *map(str, words)]


def run(
    *words: str | Path,
    limit: Callable[[], None] | None = None,
    patience: float = PATIENCE,
    **more: Any,
) -> subprocess.CompletedProcess[str]:
    """What came of a command. ``limit`` is called in its process before it starts.

    A process that may write little is not measured: coverage's own file would be the first to go.
    """
    if limit is not None:
        more["env"] = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    return subprocess.run(
        command(*words), capture_output=True, text=True, timeout=patience, preexec_fn=limit, **more
    )


def refused(*words: str | Path, limit: Callable[[], None] | None = None, **more: Any) -> str:
    """The one sentence with which a command says that it cannot be carried out."""
    ended = run(*words, limit=limit, **more)
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    start, sentence = ended.stderr.strip().split(": ", 1)
    assert start == "reactor-matrix"
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence
