"""Runs over time: what was added comes back, once, and a file that is none is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from matrix.errors import HistoryError
from matrix.history import add, prune, trends
from matrix.model.report import Footer, Report
from matrix.model.result import Outcome, Result
from tests import synthetic
from tests.render.hostile import hostile


def run(day: int, seed: int = 1, repeat: int = 3, **spoilt: int) -> Report:
    """A run of ten cells on a day of a month."""
    outcomes = {Outcome[name.upper()]: number for name, number in spoilt.items()}
    report = synthetic.report(10, outcomes, repeat=repeat, seed=seed)
    return evolve(report, footer=Footer(f"2026-01-{day:02}T04:10:00+00:00", 6.5))


def letters(path: Path) -> set[str]:
    """The trends of all cells as letters."""
    return {trend.letters for trend in trends(path)}


def refusal(path: Path, report: Report | None = None) -> str:
    """The sentence with which a run, or a file, is refused."""
    with pytest.raises(HistoryError) as caught:
        trends(path) if report is None else add(path, report)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_what_was_added_comes_back(tmp_path: Path) -> None:
    """Each cell of each run is a point, with its outcome, attempts and median latency."""
    path, report = tmp_path / "history.db", run(1, fail=2, no_result=1)
    assert add(path, report)
    found = {trend.cell: trend for trend in trends(path)}
    assert set(found) == {cell.cell for cell in report.cells()}
    for cell in report.cells():
        (point,) = found[cell.cell].points
        assert point.outcome is cell.outcome
        assert point.is_accepted is cell.is_accepted
        assert (point.started, point.twisted) == ("2026-01-01T04:10:00+00:00", "26.10.0")
        assert point.attempts == len(cell.attempts)
        assert point.bad == sum(not a.is_accepted for a in cell.attempts)
        assert (point.latency is None) is (not cell.attempts)


def test_runs_are_in_the_order_of_their_time(tmp_path: Path) -> None:
    """In whatever order runs are added, points are in the order in which they were made."""
    path = tmp_path / "history.db"
    for day, bad in ((3, 10), (1, 0), (2, 10)):
        add(path, run(day, fail=bad))
    assert letters(path) == {"PFF"}
    assert {t.first_bad.started[:10] for t in trends(path) if t.first_bad} == {"2026-01-02"}


def test_adding_again_changes_nothing(tmp_path: Path) -> None:
    """A job that is run again does not count twice."""
    path = tmp_path / "history.db"
    assert add(path, run(1))
    before = path.read_bytes()
    assert not add(path, run(1))
    assert path.read_bytes() == before
    assert add(path, run(1), {"linux": "nightly"})


def test_other_zones_are_told_in_one(tmp_path: Path) -> None:
    """Times are compared and kept in UTC."""
    path = tmp_path / "history.db"
    add(path, run(2))
    add(path, evolve(run(1, crash=10), footer=Footer("2026-01-02T05:00:00+02:00", 1)))
    assert letters(path) == {"CP"}


def test_a_name_over_time(tmp_path: Path) -> None:
    """A host whose versions change can keep one name, and its points say the version."""
    path = tmp_path / "history.db"
    for day, twisted in ((1, "26.4.0"), (2, "26.10.0")):
        report = run(day)
        host = evolve(report.hosts[0], provenance={"twisted": twisted})
        add(path, evolve(report, hosts=(host,)), {"linux": "nightly"})
    (versions,) = {tuple(p.twisted for p in trend.points) for trend in trends(path)}
    assert versions == ("26.4.0", "26.10.0")
    two = synthetic.report(4, hosts=("linux", "bsd"))
    with pytest.raises(HistoryError, match="cannot have one name"):
        add(path, two, {"linux": "x", "bsd": "x"})


def test_pattern(tmp_path: Path) -> None:
    """Only the cells that match are read."""
    path = tmp_path / "history.db"
    add(path, run(1))
    some = trends(path, "select/tcp4/*/client/*")
    assert {(t.cell.transport, t.cell.side) for t in some} == {("tcp4", "client")}
    assert trends(path, "nosuch") == ()


def test_the_last_runs_are_those_of_each_host(tmp_path: Path) -> None:
    """Where hosts were added one by one, each has its own last runs."""
    path = tmp_path / "history.db"
    for day, name in ((1, "linux"), (2, "bsd"), (3, "linux"), (4, "linux")):
        add(path, run(day, fail=10 * (day == 1)), {"linux": name})
    found = {(t.host, t.letters) for t in trends(path, last=2)}
    assert found == {("linux", "PP"), ("bsd", "P")}
    assert {t.letters for t in trends(path) if t.host == "linux"} == {"FPP"}


def test_prune_forgets_the_oldest(tmp_path: Path) -> None:
    """The last N runs stay, whenever they were added, and cells of others are gone."""
    path = tmp_path / "history.db"
    for day, bad in ((2, 10), (1, 0), (3, 0)):
        add(path, run(day, fail=bad))
    assert prune(path, 5) == 0
    assert prune(path, 2) == 1
    assert letters(path) == {"FP"}
    assert add(path, run(1))
    assert letters(path) == {"PFP"}


def test_hostile_report(tmp_path: Path) -> None:
    """Any texts can be kept."""
    report = evolve(hostile(), footer=run(1).footer)
    played = tuple(evolve(r, verdict=run(1, fail=10).results[0].verdict) for r in report.results)
    caught = evolve(report, results=played, plan=evolve(report.plan, faults=()))
    assert add(tmp_path / "history.db", caught)
    with pytest.raises(HistoryError):  # its ids have slashes in them, which none of ours has
        trends(tmp_path / "history.db")


# What is refused ----------------------------------------------------------------------------------


def test_run_that_says_nothing(tmp_path: Path) -> None:
    """A run that was cut off, or is not valid, is refused, and no file is made for it."""
    path = tmp_path / "history.db"
    assert "was cut off" in refusal(path, evolve(run(1), footer=None))
    assert "'soon', which is no time" in refusal(path, evolve(run(1), footer=Footer("soon", 1)))

    def passed(result: Result) -> Result:
        return evolve(result, verdict=run(1).results[0].verdict) if result.fault else result

    uncaught = tuple(map(passed, run(1).results))
    assert "not valid" in refusal(path, evolve(run(1), results=uncaught))
    assert not path.exists()


def test_missing_file(tmp_path: Path) -> None:
    """Where there is no file, the command that makes one is named."""
    assert "history add" in refusal(tmp_path / "history.db")
    assert not (tmp_path / "history.db").exists()


def test_other_files(tmp_path: Path) -> None:
    """What is no database, another program's or a later version's, is left as it is."""
    text, foreign, later = (tmp_path / name for name in ("text", "foreign", "later"))
    text.write_text("hello, world, this is no database at all")
    with closing(sqlite3.connect(foreign)) as database:
        database.execute("CREATE TABLE theirs (x)")
        database.commit()
    add(later, run(1))
    with closing(sqlite3.connect(later)) as database:
        database.execute("PRAGMA user_version = 2")
    for path, words in (
        (text, "cannot be used as a history"),
        (foreign, "of another program"),
        (later, "has version 2 of a history"),
        (tmp_path, "cannot be used as a history"),
    ):
        before = path.read_bytes() if path.is_file() else b""
        assert words in refusal(path)
        assert words in refusal(path, run(1))
        assert (path.read_bytes() if path.is_file() else b"") == before


def test_failed_addition_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is in the file as a whole or not at all."""
    path = tmp_path / "history.db"
    add(path, run(1))

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr("matrix.history._row", fail)
        assert "disk I/O error" in refusal(path, run(2))
    assert letters(path) == {"P"}
    assert add(path, run(2))
