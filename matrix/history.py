"""The outcome of every cell over time, in one SQLite file that a scheduled job carries along.

A row of ``points`` for each cell, host and run. Adding is all or nothing, and adding the same run
again changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

from matrix.errors import HistoryError
from matrix.model.cell import Cell
from matrix.model.report import CellReport, Host, Report
from matrix.model.result import Outcome
from matrix.structure import to_json
from matrix.trend import Point, Trend

VERSION = 1
"""Version of the tables below."""

_OURS = 0x72_6D_74_78
"""What SQLite calls an application id: ``rmtx``."""

_TABLES = f"""
PRAGMA application_id = {_OURS};
PRAGMA user_version = {VERSION};
CREATE TABLE runs (id INTEGER PRIMARY KEY, key TEXT UNIQUE, started TEXT, version TEXT);
CREATE TABLE hosts (run INTEGER REFERENCES runs, host TEXT, twisted TEXT, provenance TEXT);
CREATE TABLE cells (id INTEGER PRIMARY KEY, host TEXT, cell TEXT, UNIQUE (host, cell));
CREATE TABLE points (
    cell INTEGER REFERENCES cells, run INTEGER REFERENCES runs,
    outcome TEXT, accepted INTEGER, bad INTEGER, attempts INTEGER, latency REAL,
    PRIMARY KEY (cell, run)
) WITHOUT ROWID;
"""

_POINTS = """
WITH recent AS (
    SELECT hosts.run, hosts.host, hosts.twisted, runs.started, row_number() OVER (
        PARTITION BY hosts.host ORDER BY runs.started DESC, runs.id DESC
    ) AS age FROM hosts JOIN runs ON runs.id = hosts.run
)
SELECT cells.host, cells.cell, recent.started, recent.twisted,
       points.outcome, points.accepted, points.bad, points.attempts, points.latency
FROM points JOIN cells ON cells.id = points.cell
     JOIN recent ON recent.run = points.run AND recent.host = cells.host
WHERE recent.age <= ?
ORDER BY cells.host, cells.cell, recent.started, recent.run
"""


def add(path: Path, report: Report, names: Mapping[str, str] | None = None) -> bool:
    """Add a run; False if it is there already. ``names`` are other names of hosts over time.

    The file is made where there is none. `HistoryError` where the run says nothing: it was cut
    off before its time was written down, or its faults were not caught.
    """
    started = _started(report)
    if missed := report.missed_faults():
        raise HistoryError(f"This run is not valid and proves nothing: {missed[0]}. Run it again.")
    names = {host.id: _storable((names or {}).get(host.id, host.id)) for host in report.hosts}
    if len(set(names.values())) < len(names):
        raise HistoryError("Two hosts cannot have one name over time; give each its own.")
    with _opened(path, create=True) as database:
        return _added(database, report, names, started)


def trends(path: Path, pattern: str = "*", last: int = sys.maxsize) -> tuple[Trend, ...]:
    """The trend of each cell whose id matches the pattern (`fnmatch`), on each host.

    It has the points of the host's ``last`` so many runs.
    """
    with _opened(path) as database:
        found = database.execute(_POINTS, (last,))
        rows = (row for row in found if fnmatchcase(row[1], pattern))
        return tuple(
            Trend(host, Cell.parse(cell), tuple(_point(*row[2:]) for row in group))
            for (host, cell), group in groupby(rows, lambda row: (row[0], row[1]))
        )


def prune(path: Path, keep: int) -> int:
    """Forget all but the last ``keep`` runs; returns how many were forgotten."""
    with _opened(path) as database:
        old = "SELECT id FROM runs ORDER BY started DESC, id DESC LIMIT -1 OFFSET ?"
        gone = [(run,) for (run,) in database.execute(old, (keep,))]
        for table, column in (("points", "run"), ("hosts", "run"), ("runs", "id")):
            database.executemany(f"DELETE FROM {table} WHERE {column} = ?", gone)
        database.execute("DELETE FROM cells WHERE id NOT IN (SELECT cell FROM points)")
        database.commit()
        database.execute("VACUUM")
    return len(gone)


def _started(report: Report) -> str:
    if report.footer is None:
        raise HistoryError("This run was cut off and does not say when it was; run it again.")
    try:
        when = datetime.fromisoformat(report.footer.started)
    except ValueError:
        raise HistoryError(
            f"This run says that it started at {report.footer.started!r}, which is no time."
        ) from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    return when.astimezone(timezone.utc).isoformat(timespec="seconds")


# The file -----------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """The file, sure to be ours; all errors of SQLite are `HistoryError`."""
    if not create and not path.exists():
        raise HistoryError(f"{path} does not exist; “reactor-matrix history add” makes one.")
    try:
        with closing(sqlite3.connect(path)) as database:
            _check(path, database)
            yield database
    except (sqlite3.Error, ValueError) as error:  # or a row holds what none of ours does
        raise HistoryError(
            f"{path} cannot be used as a history ({error}); check where it lies, or name another."
        ) from error


def _check(path: Path, database: sqlite3.Connection) -> None:
    ((ours,),) = database.execute("PRAGMA application_id")
    ((version,),) = database.execute("PRAGMA user_version")
    ((tables,),) = database.execute("SELECT count(*) FROM sqlite_master")
    if not tables and ours in (0, _OURS):
        database.executescript(f"BEGIN; {_TABLES} COMMIT;")
    elif ours != _OURS:
        raise HistoryError(f"{path} is a database of another program; name another file.")
    elif version != VERSION:
        raise HistoryError(
            f"{path} has version {version} of a history, and this reactor-matrix reads {VERSION}; "
            "use the one that wrote it, or begin a new file."
        )


def _added(
    database: sqlite3.Connection, report: Report, names: Mapping[str, str], started: str
) -> bool:
    """Everything of a run, in one transaction."""
    run = (_key(report, names), started, _storable(report.version))
    insert = "INSERT OR IGNORE INTO runs (key, started, version) VALUES (?, ?, ?)"
    cursor = database.execute(insert, run)
    if not cursor.rowcount:
        return False
    number, cells = cursor.lastrowid, report.cells()
    database.executemany(
        "INSERT INTO hosts VALUES (?, ?, ?, ?)",
        [(number, names[host.id], *_said(host)) for host in report.hosts],
    )
    database.executemany(
        "INSERT OR IGNORE INTO cells (host, cell) VALUES (?, ?)",
        [(names[cell.host], _storable(cell.cell.id)) for cell in cells],
    )
    ids = {(h, c): n for n, h, c in database.execute("SELECT id, host, cell FROM cells")}
    database.executemany(
        "INSERT INTO points VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(ids[names[c.host], _storable(c.cell.id)], number, *_row(c)) for c in cells],
    )
    database.commit()
    return True


def _key(report: Report, names: Mapping[str, str]) -> str:
    """The same for the same run under the same names, whenever it is added."""
    said = [to_json(host) for host in report.hosts]
    text = json.dumps([to_json(report.plan), said, dict(names), str(report.footer)])
    return hashlib.sha256(text.encode()).hexdigest()


def _said(host: Host) -> tuple[str, str]:
    return _storable(host.provenance.get("twisted", "")), json.dumps(dict(host.provenance))


def _storable(text: str) -> str:
    """The text as SQLite takes it: a lone surrogate is written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _row(cell: CellReport) -> tuple[Any, ...]:
    seen = [
        attempt.glance.latency for attempt in cell.attempts if attempt.glance.latency is not None
    ]
    bad = sum(not attempt.is_accepted for attempt in cell.attempts)
    latency = median(seen) if seen else None
    return cell.outcome.value, cell.is_accepted, bad, len(cell.attempts), latency


def _point(
    started: str,
    twisted: str,
    outcome: str,
    accepted: int,
    bad: int,
    attempts: int,
    latency: float | None,
) -> Point:
    return Point(started, twisted, Outcome(outcome), bool(accepted), bad, attempts, latency)
