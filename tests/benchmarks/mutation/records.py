"""What came of each mutant: kept in a file line by line, counted, printed as a table."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from matrix.structure import from_json, to_json
from tests.benchmarks.mutation.applying import Mutant
from tests.benchmarks.mutation.judging import REPAIRED, Sight

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EQUIVALENT = Path(__file__).with_name("equivalent.toml")

Key = tuple[str, ...]
"""Module, function, the line above, the lines before and after: what a mutant is recognized by in
another version of Twisted, where its line and its number may be others.
"""

_KEY = ("module", "function", "above", "before", "after")


@frozen
class Record:
    """What both judges saw of a mutant."""

    name: str
    module: str
    function: str
    line: int
    above: str
    before: str
    after: str
    matrix: Sight
    trial: Sight

    @classmethod
    def of(cls, mutant: Mutant, matrix: Sight, trial: Sight) -> Record:
        """The mutant, without its text."""
        change = (mutant.line, mutant.above, mutant.before, mutant.after)
        return cls(mutant.name, mutant.module, mutant.function, *change, matrix, trial)

    @property
    def key(self) -> Key:
        """What an entry of ``equivalent.toml`` is about."""
        return tuple(getattr(self, name) for name in _KEY)


def explained(path: Path = EQUIVALENT) -> dict[Key, str]:
    """The survivors that were read, and what was said of each."""
    found: dict[Key, str] = {}
    for entry in _entries(path):
        key = _key(entry)
        if key in found:
            raise ValueError(f"{path.name} has {key} twice")
        found[key] = entry["why"]
    return found


def equivalents(path: Path = EQUIVALENT) -> dict[Key, str]:
    """Those of them of which nothing observable changes: the others count as survivors."""
    observable = {_key(entry) for entry in _entries(path) if entry.get("observable")}
    return {key: why for key, why in explained(path).items() if key not in observable}


def _entries(path: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8")).get("survivor", [])
    return entries


def _key(entry: Mapping[str, Any]) -> Key:
    return tuple(entry[name] for name in _KEY)


def load(path: Path) -> list[Record]:
    """The last record of each mutant in a file; none where there is no file yet."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    every = (from_json(json.loads(line), Record) for line in lines)
    return list({record.name: record for record in every}.values())


def append(path: Path, record: Record) -> None:
    """Add a record to a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(to_json(record)) + "\n")


def table(records: Sequence[Record], why: Mapping[Key, str]) -> str:
    """One row for each module, and one for all of them."""
    head = ("module", "mutants", "equivalent", "matrix kills", "", "Twisted kills", "")
    modules = dict.fromkeys(record.module for record in records)
    rows = [_row(name, [r for r in records if r.module == name], why) for name in modules]
    rows.append(_row("all", records, why))
    form = "{:<36}{:>8}{:>11}{:>14}{:>8}{:>15}{:>8}"
    return "\n".join(form.format(*row).rstrip() for row in (head, *rows))


def _row(name: str, records: Iterable[Record], why: Mapping[Key, str]) -> tuple[object, ...]:
    records = list(records)
    judged = [record for record in records if record.key not in why]
    ours = sum(record.matrix.how is not None for record in judged)
    theirs = sum(record.trial.how is not None for record in judged)
    left_out = len(records) - len(judged)
    return (
        name,
        len(records),
        left_out,
        ours,
        _share(ours, len(judged)),
        theirs,
        _share(theirs, len(judged)),
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


def ways(records: Iterable[Record], judge: str) -> str:
    """By what a judge noticed mutants, the most frequent first."""
    sights = [getattr(record, judge) for record in records]
    counts = Counter(sight.how or "survived" for sight in sights)
    told = [f"{how} {count}" for how, count in counts.most_common()]
    late = sum(sight.how is not None and sight.defects == REPAIRED for sight in sights)
    return ", ".join(told) + (f"; {late} of them with the known defects repaired" if late else "")


def contradictions(records: Iterable[Record], why: Mapping[Key, str]) -> list[str]:
    """Mutants that are said to be equivalent, and that the matrix noticed all the same."""
    return [
        f"{record.name}: {record.matrix.detail}"
        for record in records
        if record.key in why and record.matrix.how is not None
    ]


def survivor(record: Record, why: Mapping[Key, str]) -> str:
    """A survivor of the matrix: what was changed, whether Twisted's tests see it, what was said."""
    before = "\n".join(f"  - {line}" for line in record.before.splitlines())
    after = "\n".join(f"  + {line}" for line in record.after.splitlines())
    seen = f"Twisted's tests: {record.trial.how or 'survived'} {record.trial.detail}"
    said = why.get(record.key, "not explained")
    return f"{record.name} (line {record.line})\n{before}\n{after}\n  {seen}\n  {said}"
