"""What it takes to merge, compare and render very many results.

    python tests/benchmarks/results.py [--results N] [--folder DIR]

Makes shards of made-up runs on four hosts, ten attempts at each cell: an old state and a new one.
Then it runs the commands as a user would, each a process of its own, and prints its seconds (by the
clock, and on the processor) and its peak memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from matrix.model.result import Outcome
from matrix.store import write
from tests import synthetic

HOSTS = ("linux", "bsd", "darwin", "windows")
REPEAT = 10
SHARDS = 10
SPOILT = {Outcome.FAIL: 3, Outcome.CRASH: 1, Outcome.TIMEOUT: 1}
"""Cells of each shard that did not pass."""
OTHERS = ("--markdown", "--junit", "--ctrf", "--badge-json")
"""What a report can be written as, beside the page."""
LIMITS = (60, 500)
"""Seconds that it may take to merge, compare and render the page; megabytes at any time."""


def main() -> None:
    """Make the files, run the commands, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="keep the files there, and use them again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        size = options.results // REPEAT // len(HOSTS)
        old, new = (list(made(folder, name, size)) for name in ("old", "new"))
        measured("merge, the old ones", ["merge", *old, "-o", folder / "old.jsonl"])
        print(f"{options.results:,} results, {(folder / 'old.jsonl').stat().st_size / 1e6:.0f} MB")
        total = [
            measured("merge", ["merge", *new, "-o", folder / "new.jsonl"]),
            measured("compare", ["compare", folder / "old.jsonl", folder / "new.jsonl"]),
            measured("report --html", ["report", folder / "new.jsonl", *pages(folder, ["--html"])]),
        ]
        print(f"{'all three':20} {sum(total):6.1f} s; at most {LIMITS[0]} s and {LIMITS[1]} MB")
        measured("report, the others", ["report", folder / "new.jsonl", *pages(folder, OTHERS)])
        add = ["history", "add", folder / "history.db", folder / "new.jsonl"]
        show = ["report", folder / "new.jsonl", "--history", folder / "history.db"]
        measured("history add", add)
        measured("with --history", [*show, *pages(folder, ["--html"])])


def made(folder: Path, name: str, size: int) -> Iterator[Path]:
    """Files of all shards of all hosts, those that are there already as they are."""
    for host in HOSTS:
        for number in range(1, SHARDS + 1):
            path = folder / f"{name}-{host}-{number}.jsonl"
            if not path.exists():
                shard, seed = f"{number}/{SHARDS}", 2 * number + (name == "new")
                hosts = (host,)
                report = synthetic.report(
                    size, SPOILT, hosts=hosts, repeat=REPEAT, flaky=1, shard=shard, seed=seed
                )
                write(report, path)
            yield path


def pages(folder: Path, options: Sequence[str]) -> list[str | Path]:
    """Each option with a file of its own."""
    return [word for option in options for word in (option, folder / option.strip("-"))]


def measured(what: str, words: Sequence[str | Path]) -> float:
    """Run a command and print what it took; returns its seconds by the clock."""
    began = time.monotonic()
    command = [sys.executable, "-m", "matrix", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - began
    print(
        f"{what:20} {took:6.1f} s, {used.ru_utime + used.ru_stime:6.1f} s on the processor, "
        f"{used.ru_maxrss / 1024:5.0f} MB at most, status {process.returncode}",
        flush=True,
    )
    if process.returncode not in (0, 1):  # made-up results fail, and got worse
        sys.exit(process.returncode)
    return took


if __name__ == "__main__":
    main()
