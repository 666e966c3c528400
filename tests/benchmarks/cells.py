"""What does a proved cell cost, beside Twisted's own abort tests, and beside the floor?

    python tests/benchmarks/cells.py [--cells N] [--rounds N]

Whole programs are measured, each with all its descendants: the command ``run`` with its manager,
agent, probes, controls, faults and pages; trial; the programs `floor.py` and `bare.py`, the latter
with Twisted and without a harness. Nothing is subtracted.
A run with many has a third of the main job's cells, so that what a run costs once weighs on each
cell about as it does there.
The marginal cost stands beside that: what one more cell (or test) adds, from a run with many and
one with few. All of them take turns in every round, so that a machine that is busy with something
else disturbs them alike. Read CPU and ratios: the wall clock of a run counts the seconds in which
some faults wait in vain, and whatever else the machine does. ``capacity/s`` is what all cores
could do at the marginal cost, if they never waited.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from attrs import frozen

ROOT = Path(__file__).parents[2]
IN_FLIGHT = 16
"""Processes at once, of cells and of the floor."""

SCENARIOS = ("abort-when-full", "abort-when-full-after-exchange")
"""The seed's own cases: what Twisted's tests, which run beside them, are about."""

KINDS = len(SCENARIOS) * 2 * 2
"""Cells of one reactor and one transport: scenarios × sides × peers."""

CORES = len(os.sched_getaffinity(0))
"""Cores that the programs may use."""

TARGET = 14.0
"""CPU milliseconds for a TCP cell, everything included, on 2 cores."""

TRIAL = {
    "TCP": "twisted.internet.test.test_tcp.AbortConnectionTests_{}ReactorTests",
    "TLS": "twisted.internet.test.test_tls.AbortSSLConnectionTests_{}ReactorTests",
}
TRIAL_REACTORS = ("Select", "Poll", "EPoll", "AsyncioSelector")
ONE_TEST = "test_fullWriteBufferAfterByteExchange"


@frozen
class Usage:
    """What a program used, in seconds: wall clock, and CPU with that of all its descendants."""

    wall: float
    user: float
    sys: float


@frozen
class Sample:
    """One measurement: the usage of a program that did ``count`` units of work.

    ``extra`` says what else it started, in words.
    """

    usage: Usage
    count: int
    extra: str = ""


@frozen
class Subject:
    """A program to measure, with few and with many units of its work."""

    name: str
    unit: str
    few: Callable[[], Sample]
    many: Callable[[], Sample]


@frozen
class Round:
    """One subject's measurements of one round."""

    few: Sample
    many: Sample

    def figures(self) -> dict[str, float]:
        """What is reported: units per second, CPU milliseconds per unit whole and marginal."""
        usage, count = self.many.usage, self.many.count
        more = count - self.few.count
        user, system = usage.user - self.few.usage.user, usage.sys - self.few.usage.sys
        return {
            "per second": count / usage.wall,
            "CPU ms": 1000 * (usage.user + usage.sys) / count,
            "  user": 1000 * usage.user / count,
            "  sys": 1000 * usage.sys / count,
            "marginal CPU ms": 1000 * (user + system) / more,
            "  capacity/s": CORES * more / (user + system),
            "  user, marginal": 1000 * user / more,
            "  sys, marginal": 1000 * system / more,
        }


def measured(command: Sequence[str], accepted: Iterable[int] = (0,)) -> tuple[Usage, str]:
    """Run a program to its end; what it used, and what it printed."""
    with tempfile.TemporaryFile() as output:
        began = monotonic()
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        wall = monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    if process.returncode not in accepted:
        sys.exit(f"{' '.join(command)}\n{printed}\nended with status {process.returncode}")
    return Usage(wall, used.ru_utime, used.ru_stime), printed


def run_cells(transport: str, repeat: int) -> Sample:
    """The whole command ``run`` on one reactor and one transport."""
    with tempfile.TemporaryDirectory() as folder:
        words = f"-r epoll -t {transport} --repeat {repeat} -j {IN_FLIGHT}".split()
        words += [word for name in SCENARIOS for word in ("-s", name)] + ["-o"]
        # What the cells and faults came to is no matter here, as long as each cell is proved.
        command = [sys.executable, "-m", "matrix", "run", *words, folder]
        usage, printed = measured(command, accepted=(0, 1, 3))
        results = Path(folder, "results.jsonl")
        if not results.exists():
            sys.exit(printed)
        with results.open() as file:
            lines = [json.loads(line) for line in file]
    return Sample(usage, len(_proved(lines)), _processes(lines))


def _proved(lines: list[dict[str, object]]) -> list[dict[str, object]]:
    cells = [line for line in lines if line["type"] == "result" and not line["fault"]]
    proved = [cell for cell in cells if '"event": "proved"' in json.dumps(cell["events"])]
    if len(proved) < len(cells):
        sys.exit(f"{len(cells) - len(proved)} of {len(cells)} cells were not proved: no figures")
    return proved


def _processes(lines: list[dict[str, object]]) -> str:
    """Every process of a run that is no cell, in words."""
    host = lines[0]["host"]
    assert isinstance(host, dict)
    probes = len(host["reactors"])
    controls = sum(line["type"] == "control" and line["attempt"] == 1 for line in lines)
    faults = sum(line["type"] == "result" and bool(line["fault"]) for line in lines)
    total = probes + controls + faults + 2
    return (
        f"and {total} other processes: manager, agent, "
        f"{probes} probes, {controls} controls, {faults} faults"
    )


def run_trial(names: Sequence[str]) -> Sample:
    """Twisted's own abort tests, in one process."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", "twisted.trial", "--temp-directory", str(Path(folder, "trial"))]
        usage, printed = measured([sys.executable, *words, *names])
    ran = re.search(r"Ran (\d+) tests? .*\nPASSED \(successes=\1\)", printed.replace("\n\n", "\n"))
    if ran is None:
        sys.exit(f"{printed}\nNot every test of trial passed.")
    return Sample(usage, int(ran[1]))


def run_floor(count: int) -> Sample:
    """The same proof without Twisted, a witness or events."""
    # Isolated and without site: as small a process as this Python can be.
    return _run_alone(count, "-I", "-S", str(Path(__file__).with_name("floor.py")))


def run_bare(count: int) -> Sample:
    """The same proof and abort with Twisted, without a witness or events."""
    return _run_alone(count, "-m", "tests.benchmarks.bare")


def _run_alone(count: int, *program: str) -> Sample:
    usage, _ = measured([sys.executable, *program, str(count), str(IN_FLIGHT)])
    return Sample(usage, count)


def subjects(cells: int) -> list[Subject]:
    """All that is measured; the floor comes first."""
    repeat = -(-cells // KINDS)
    measure = [
        Subject("floor", "proof", lambda: run_floor(KINDS), lambda: run_floor(cells)),
        Subject("Twisted alone", "proof", lambda: run_bare(KINDS), lambda: run_bare(cells)),
    ]
    for family, transport in (("TCP", "tcp4"), ("TLS", "tls1.3")):
        measure += [_cells(family, transport, repeat), _trial(family)]
    return measure


def _cells(family: str, transport: str, repeat: int) -> Subject:
    return Subject(
        f"proved {family} cells ({transport})",
        "cell",
        lambda: run_cells(transport, 1),
        lambda: run_cells(transport, repeat),
    )


def _trial(family: str) -> Subject:
    names = [TRIAL[family].format(reactor) for reactor in TRIAL_REACTORS]
    return Subject(
        f"Twisted's {family} abort tests, nothing proved",
        "test",
        lambda: run_trial([f"{names[0]}.{ONE_TEST}"]),
        lambda: run_trial(names),
    )


def take_turns(measure: list[Subject], rounds: int) -> list[list[Round]]:
    """Measure every subject once in each round, every other round backwards."""
    taken: list[list[Round]] = [[] for _ in measure]
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        turns = list(zip(measure, taken, strict=True))
        for subject, own in turns if number % 2 == 0 else reversed(turns):
            own.append(Round(subject.few(), subject.many()))
    return taken


def table(subject: Subject, taken: list[Round], floor: list[Round]) -> str:
    """One subject's figures with their spread over the rounds, and their ratio to the floor."""
    last, few = taken[-1].many, taken[-1].few
    rows = [each.figures() for each in taken]
    base = [each.figures() for each in floor]
    lines = [f"\n{subject.name}: {last.count} {subject.unit}s (few: {few.count}) {last.extra}"]
    lines.append(f"  {'':20}{'min':>8}{'median':>8}{'max':>8}     ÷ floor")
    for name in rows[0]:
        values, floors = [row[name] for row in rows], [row[name] for row in base]
        # Where few proofs took as much as many did, there is nothing to divide by.
        ratios = [own / low for own, low in zip(values, floors, strict=True) if low > 0]
        lines.append(f"  {name:20}{_spread(values, '8.1f')}    {_spread(ratios, '6.2f')}")
    return "\n".join(line.rstrip() for line in lines)


def _spread(values: Sequence[float], form: str) -> str:
    if not values:
        return ""
    three = (min(values), statistics.median(values), max(values))
    return "".join(format(value, form) for value in three)


def machine() -> str:
    """What the figures were taken on."""
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{CORES} cores, load average {load}, {platform.platform()}, {python}"


def verdict(name: str, taken: list[Round]) -> str:
    """How the TCP cells stand to the target."""
    median = statistics.median(each.figures()["CPU ms"] for each in taken)
    return (
        f"\nOf {name}, each takes {median:.1f} ms of CPU, everything included: "
        f"{median / TARGET:.2f} of the {TARGET:g} ms that it may take on 2 cores."
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, default=2000, help="cells of a run with many")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every subject")
    options = parser.parse_args()
    if options.cells <= KINDS or options.rounds < 1:
        parser.error(f"there must be more than {KINDS} cells, and a round")
    if find_spec("hamcrest") is None:
        parser.error("Twisted's own tests need hamcrest: pip install pyhamcrest")
    before, measure = machine(), subjects(options.cells)
    taken = take_turns(measure, options.rounds)
    print(f"before: {before}\nafter:  {machine()}")
    for subject, own in zip(measure, taken, strict=True):
        print(table(subject, own, taken[0]))
    tcp = next(number for number, subject in enumerate(measure) if subject.unit == "cell")
    print(verdict(measure[tcp].name, taken[tcp]))


if __name__ == "__main__":
    main()
