"""Run the matrix again and again, and say which cells did not come out the same every time.

    python tests/benchmarks/stability.py [--runs N] [--busy] [-- SELECTION...]

``--busy`` keeps every core busy with another program meanwhile. The exit status is 1 where a cell's
outcome or broken rules differ between runs, or a cell is inconclusive.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matrix.model.result import Outcome
from matrix.store import RESULTS, read

Seen = dict[str, Counter[str]]


def main() -> int:
    """Run, compare, tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--busy", action="store_true")
    parser.add_argument("selection", nargs="*", help="what reactor-matrix run is given")
    options = parser.parse_args()
    seen: Seen = {}
    with busy_cores(os.cpu_count() or 1 if options.busy else 0):
        for number in range(1, options.runs + 1):
            began = time.monotonic()
            status = one_run(options.selection, seen)
            took = time.monotonic() - began
            print(f"run {number}: {len(seen)} cells, status {status}, {took:.1f} s", flush=True)
    return tell(seen, options.runs)


@contextmanager
def busy_cores(count: int) -> Iterator[None]:
    """So many processes that do nothing but use a core."""
    command = [sys.executable, "-c", "while True: pass"]
    spinning = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def one_run(selection: list[str], seen: Seen) -> int:
    """One run of the matrix; what came of each cell is added to what was seen."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "matrix", "run", *selection, "-o", folder]
        status = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
        report = read(Path(folder) / RESULTS)
        for sentence in report.missed_faults():
            print(sentence)
        for cell in report.cells():
            broken = cell.worst.verdict.broken if cell.worst else ()
            what = f"{cell.outcome.value} {' '.join(broken)}".strip()
            seen.setdefault(f"{cell.host} {cell.cell.id}", Counter())[what] += 1
    return status


def tell(seen: Seen, runs: int) -> int:
    """Print what differs; the exit status."""
    unsteady = {cell: whats for cell, whats in seen.items() if len(whats) > 1}
    untested = [cell for cell, whats in seen.items() if Outcome.INCONCLUSIVE.value in whats]
    for cell, whats in unsteady.items():
        print(f"{cell}: " + ", ".join(f"{number} × {what}" for what, number in whats.items()))
    attempts = sum(sum(whats.values()) for whats in seen.values())
    print(
        f"{attempts} attempts at {len(seen)} cells in {runs} runs: "
        f"{len(unsteady)} cells differ, {len(untested)} were inconclusive"
    )
    return 1 if unsteady or untested else 0


if __name__ == "__main__":
    sys.exit(main())
