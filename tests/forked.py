"""Scripts, each in a process of its own, forked from one that has imported what they need.

    python tests/forked.py [-j N] [--before FILE]... < scripts.jsonl

A line of the input is ``[name, script]``, a line of the output ``[name, status, output]``; a
status below zero is a signal's. No reactor is installed in the process that forks, and nothing of
reactor-matrix is imported. A file given with ``--before`` is run first, in each of them.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import runpy
import selectors
import sys
import tempfile
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

IMPORTED = (
    "faulthandler",
    "ssl",
    "tempfile",
    "OpenSSL.SSL",
    "twisted.application.reactors",
    "twisted.internet.defer",
    "twisted.internet.epollreactor",
    "twisted.internet.pollreactor",
    "twisted.internet.selectreactor",
    "twisted.internet.asyncioreactor",
    "twisted.internet.ssl",
    "twisted.internet.task",
    "twisted.protocols.policies",
    "twisted.protocols.tls",
    "twisted.test.ssl_helpers",
)


def play(script: Path, before: list[str], output: int) -> NoReturn:
    """In a child: run the script as Python runs a file, with its output on a descriptor."""
    status = 70
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        sys.argv = [str(script)]
        for file in before:
            runpy.run_path(file)
        runpy.run_path(str(script), run_name="__main__")
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 71
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


class Crowd:
    """Children that run scripts, as many as there may be at once."""

    def __init__(self, at_once: int, before: list[str], folder: str) -> None:
        self._at_once, self._before, self._folder = at_once, before, Path(folder)
        self._numbers = itertools.count()
        self._selector = selectors.DefaultSelector()

    def start(self, name: str, text: str) -> None:
        """Start a script; wait until there is room for it."""
        while len(self._selector.get_map()) >= self._at_once:
            self.take()
        script = self._folder / f"{next(self._numbers)}.py"
        script.write_text(text, encoding="utf-8")
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            play(script, self._before, writing)
        os.close(writing)
        self._selector.register(reading, selectors.EVENT_READ, (name, child, script, bytearray()))

    def take(self) -> None:
        """Take what children say, and tell of those that have ended; one at least has spoken."""
        for key, _ in self._selector.select():
            name, child, script, said = key.data
            piece = os.read(key.fd, 1 << 16)
            said += piece
            if not piece:
                self._selector.unregister(key.fd)
                os.close(key.fd)
                status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                script.unlink()
                line = json.dumps([name, status, said.decode(errors="replace")])
                print(line, flush=True)  # noqa: T201

    def finish(self) -> None:
        """Wait for all of them."""
        while self._selector.get_map():
            self.take()


def main() -> None:
    """Run the scripts of the standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-j", type=int, default=8 * (os.cpu_count() or 1))
    parser.add_argument("--before", action="append", default=[])
    options: Any = parser.parse_args()
    for module in IMPORTED:
        import_module(module)
    assert "twisted.internet.reactor" not in sys.modules
    warnings.simplefilter("ignore", DeprecationWarning)
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        crowd = Crowd(options.j, options.before, folder)
        for line in sys.stdin:
            crowd.start(*json.loads(line))
        crowd.finish()


if __name__ == "__main__":
    main()
