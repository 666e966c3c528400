"""What cells cost, from a results file; and how even shards come out by what was measured.

python tests/benchmarks/costs.py RESULTS
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from statistics import mean

from matrix.model.cell import Cell
from matrix.model.costs import cost, kind
from matrix.model.report import Report
from matrix.model.result import Outcome
from matrix.model.shard import Shard
from matrix.store import read

KINDS = ("tcp", "unix", "tls")


def durations(report: Report) -> dict[tuple[str, Cell], float]:
    """Seconds of every cell that ran: one that cannot exist costs none."""
    return {
        (result.host, result.cell): result.duration
        for result in report.results
        if result.fault is None and result.verdict.outcome is not Outcome.UNSUPPORTED
    }


def print_costs(measured: dict[tuple[str, Cell], float]) -> None:
    """Mean seconds per scenario and kind of transport, beside those of the table."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for (_, cell), seconds in measured.items():
        found[cell.scenario, kind(cell)].append((seconds, cost(cell)))
    print(f"{len(measured)} cells; seconds measured (in the table):")
    for scenario in dict.fromkeys(name for name, _ in found):
        columns = (found.get((scenario, each)) for each in KINDS)
        cells = (
            f"{mean(s for s, _ in c):6.2f} ({c[0][1]:.2f})" if c else " " * 13 for c in columns
        )
        print(f"{scenario:32}", *cells)


def print_balance(report: Report, measured: dict[tuple[str, Cell], float]) -> None:
    """For some numbers of shards, the costliest and the cheapest against their mean."""
    for count in (2, 3, 4, 6, 8, 12, 16):
        sums = [
            sum(measured.get((planned.host, cell), 0) for cell in shard.part(planned.cells))
            for shard in (Shard(number, count) for number in range(1, count + 1))
            for planned in report.plan.hosts
        ]
        least, most = min(sums) / mean(sums) - 1, max(sums) / mean(sums) - 1
        print(f"{count:2} shards: {mean(sums):7.0f} s each, {least:+.1%} to {most:+.1%}")


if __name__ == "__main__":
    whole = read(Path(sys.argv[1]))
    print_costs(durations(whole))
    print_balance(whole, durations(whole))
