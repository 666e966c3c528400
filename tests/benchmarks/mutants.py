"""How many mutants of the installed Twisted does the matrix notice, and how many do its own tests?

    python -m tests.benchmarks.mutants [--sample N] [--only NAME]... [--survivors]

Each mutant is one mechanical change of a function on the path of abort, write, close, producer,
TLS or dispatch, in a line that one of the two executes. It is put in force by an import hook, and
shown to cells of the matrix until one is not accepted, and to Twisted's abort tests until one does
not pass. The matrix sees it twice: known defects are expected at first, and then repaired. What
came of it is kept in a file: a run that was interrupted goes on where it was. A survivor of the
matrix that `mutation/equivalent.toml` shows to be equivalent counts for nobody; one that it says
to be observable, and why no case looks there, counts against the matrix. Needs the extra
``mutation``, and Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from matrix.structure import from_json, to_json
from tests.benchmarks.mutation import judging, making, records
from tests.benchmarks.mutation.applying import Mutant, environment
from tests.benchmarks.mutation.reaching import Reach, reach
from tests.benchmarks.mutation.records import Record
from tests.benchmarks.mutation.targets import TARGETS, Target

Owed = tuple[Target, Mutant]


async def shown(
    target: Target, mutant: Mutant | None, tls: dict[str, str]
) -> tuple[judging.Sight, judging.Sight]:
    """Show a mutant, or Twisted as it is, to both judges."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        changed = environment(mutant, folder)
        owed = judging.cells(target.reactors, tls_first="tls" in target.module)
        matrix = await judging.by_matrix(changed, owed, tls)
        return matrix, await judging.by_trial(changed, target.reactors, folder)


async def play(owed: Sequence[Owed], at_once: int, path: Path) -> None:
    """Show every mutant to both judges, and keep what came of it."""
    tls, rest = judging.tls_material(), iter(owed)
    done = 0

    async def work() -> None:
        nonlocal done
        for target, mutant in rest:
            record = Record.of(mutant, *await shown(target, mutant, tls))
            records.append(path, record)
            done += 1
            told = f"matrix: {record.matrix.how}, Twisted: {record.trial.how}"
            print(f"{done}/{len(owed)} {record.name}  {told}", file=sys.stderr)

    await asyncio.gather(*(work() for _ in range(at_once)))


def reached(path: Path) -> Reach:
    """What the two judges execute, measured once for a Twisted and kept in a file."""
    if path.exists():
        return from_json(json.loads(path.read_text(encoding="utf-8")), Reach)
    print("measuring what is executed, with nothing mutated", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        found = asyncio.run(reach(TARGETS, Path(folder)))
    for judge in (found.matrix, found.trial):
        if judge.how is not None:
            sys.exit(f"With nothing mutated, {judge.how}: {judge.detail}")
    path.write_text(json.dumps(to_json(found)), encoding="utf-8")
    return found


def every(found: Reach) -> Iterator[Owed]:
    """All mutants in lines that are executed."""
    for target in TARGETS:
        for mutant in making.mutants(target):
            if found.covers(mutant):
                yield target, mutant


def report(path: Path, survivors: bool) -> int:
    """Print what is kept; 1 if an entry of ``equivalent.toml`` is contradicted."""
    kept, why = records.load(path), records.equivalents()
    if survivors:
        lost = [record for record in kept if record.matrix.how is None]
        said = records.explained()
        print("\n\n".join(records.survivor(record, said) for record in lost), end="\n\n")
    print(f"Twisted {version('twisted')}; mutants in lines that one of the two executes")
    print(records.table(kept, why))
    print(f"the matrix, by: {records.ways(kept, 'matrix')}")
    print(f"Twisted's tests, by: {records.ways(kept, 'trial')}")
    wrong = records.contradictions(kept, why)
    for line in wrong:
        print(f"said to be equivalent, and is not: {line}")
    return bool(wrong)


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sample", type=int, help="so many mutants, drawn by --seed")
    parser.add_argument("--seed", type=int, default=78, help="of the sample")
    parser.add_argument("--only", action="append", help="this mutant, again if it was shown before")
    parser.add_argument("--again", action="store_true", help="show the matrix's survivors again")
    parser.add_argument("--survivors", action="store_true", help="print what is kept, and run none")
    parser.add_argument("-j", type=int, default=4, dest="at_once", help="mutants at once")
    parser.add_argument("--state", type=Path, default=Path("mutants"), help="folder of the records")
    return parser.parse_args()


def chosen(options: argparse.Namespace, owed: list[Owed], kept: list[Record]) -> list[Owed]:
    """The mutants that are to be shown now."""
    if options.only:
        return [each for each in owed if each[1].name in options.only]
    if options.again:
        lost = {record.name for record in kept if record.matrix.how is None}
        return [each for each in owed if each[1].name in lost]
    if options.sample:
        owed = sorted(owed, key=lambda each: drawn(options.seed, each[1]))[: options.sample]
    done = {record.name for record in kept}
    return [each for each in owed if each[1].name not in done]


def drawn(seed: int, mutant: Mutant) -> str:
    """Where a mutant stands in an order of chance, which others that come or go do not change."""
    return sha256(f"{seed} {mutant.name}".encode()).hexdigest()


def main() -> None:
    """Choose, show, print."""
    options = parsed()
    path = options.state / f"twisted-{version('twisted')}.jsonl"
    if not options.survivors:
        options.state.mkdir(exist_ok=True)
        found = reached(path.with_suffix(".reach.json"))
        owed = chosen(options, list(every(found)), records.load(path))
        asyncio.run(play(owed, options.at_once, path))
    sys.exit(report(path, options.survivors))


if __name__ == "__main__":
    main()
