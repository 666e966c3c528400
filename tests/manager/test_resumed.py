"""Runs that were cut short and are gone on with: what is done is kept, and nothing comes twice."""

from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from matrix.model.report import Report
from matrix.store import read
from tests import commands, miniatures
from tests.manager.test_interrupted import FILES, running

NAME = "waits_from_the_fiftieth_on"
WORDS = ("run", "-r", "select", "-t", "tcp4", "--side", "client", "--peer", "socket")
PATIENCE = 600
"""Seconds that the rest of a run may take: it has faults that wait in vain."""


@pytest.fixture
def cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that was killed in its middle, with many cells under way."""
    with running(tmp_path, monkeypatch, NAME, WORDS) as process:
        process.kill()
        assert process.wait(commands.PATIENCE) == -signal.SIGKILL
    return ended(tmp_path, monkeypatch)


def ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of its results, after nothing hangs any more."""
    miniatures.importable(folder, monkeypatch, **{NAME: ""})
    return folder / "out"


def resumed(folder: Path, *more: str) -> Report:
    """The report of the run that goes on."""
    words: tuple[str | Path, ...] = (*WORDS, *more, "--preload", NAME, "-o", folder, "--resume")
    process = commands.run(*words, patience=PATIENCE)
    assert process.returncode == 0, process.stdout + process.stderr
    assert sorted(path.name for path in folder.iterdir()) == FILES
    return read(folder / "results.jsonl")


def assert_whole(report: Report) -> None:
    """Everything that was planned is there once, and nothing else."""
    assert report.footer is not None
    assert report.footer.interrupted is None
    assert {len(cell.attempts) for cell in report.cells()} == {1}
    assert not report.missed_faults()
    played = Counter((each.host, each.fault, each.cell.id) for each in report.faults())
    assert played == Counter(report.plan.faults)
    assert len(report.results) == len(report.cells()) + len(report.plan.faults)
    kinds = Counter((each.kind, each.attempt) for each in report.controls)
    assert set(kinds.values()) == {1}


def test_killed(cut: Path) -> None:
    """What a killed run had written stays, line by line, the rest is run, and both took time."""
    before = (cut / "results.jsonl.part").read_bytes()
    assert len(read(cut / "results.jsonl.part").results) > 0
    report = resumed(cut)
    whole = (cut / "results.jsonl").read_bytes()
    assert whole.startswith(before)
    assert_whole(report)
    parts = [line for line in whole.splitlines() if line.startswith(b'{"type":"part"')]
    first, second = map(json.loads, parts)
    assert report.footer is not None
    assert report.footer.started == first["started"]
    assert report.footer.duration > second["spent"] > first["spent"] == 0


def test_killed_in_the_middle_of_a_line(cut: Path) -> None:
    """An attempt of which half a line was written is run again, and half a line stays nowhere."""
    part = cut / "results.jsonl.part"
    before = part.read_bytes()[:-40]
    part.write_bytes(before)
    report = resumed(cut)
    whole = before[: before.rindex(b"\n") + 1]
    assert (cut / "results.jsonl").read_bytes().startswith(whole)
    assert_whole(report)


def test_killed_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed shard lacks in what is merged, goes on as what it is, and is then there once."""
    one, two = (("--shard", f"{number}/2") for number in (1, 2))
    with running(tmp_path, monkeypatch, NAME, (*WORDS, *one)) as process:
        process.kill()
    folder = ended(tmp_path, monkeypatch)
    resumed(tmp_path / "two", *two)
    whole, other = folder / "results.jsonl", tmp_path / "two" / "results.jsonl"
    before = tmp_path / "before.jsonl"
    shutil.copy(folder / "results.jsonl.part", before)
    merged = tmp_path / "merged.jsonl"
    lacking = commands.run("merge", before, other, "-o", merged)
    assert lacking.returncode == 1
    assert "no-result" in lacking.stdout
    assert "cut off" in lacking.stdout
    here = ("--preload", NAME, "-o", folder, "--resume")
    assert "shard are others" in commands.refused(*WORDS, *two, *here)
    report = resumed(folder, *one)
    assert_whole(report)
    assert {control.shard for control in report.controls} == {"1/2"}
    assert {result.shard for result in report.results} == {"1/2"}
    assert whole.read_bytes().startswith(before.read_bytes())
    again = commands.refused("merge", before, whole, other, "-o", merged)
    assert "both have shard 1/2" in again
    assert commands.run("merge", whole, other, "-o", merged).returncode == 0
    assert_each_shard_once(read(merged))


def assert_each_shard_once(report: Report) -> None:
    """Every cell of the whole plan is there once, and every fault that a shard of it owed."""
    assert report.footer is not None
    assert report.footer.interrupted is None
    assert {len(cell.attempts) for cell in report.cells()} == {1}
    assert len(report.results) == len(report.cells()) + len(report.plan.faults)
    assert not report.missed_faults()


def test_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was interrupted has a footer; it goes on all the same, and gets another one."""
    with running(tmp_path, monkeypatch, NAME, WORDS) as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(commands.PATIENCE) == 1
    folder = ended(tmp_path, monkeypatch)
    assert read(folder / "results.jsonl").footer is not None
    assert_whole(resumed(folder))


def test_another_run_is_refused(cut: Path) -> None:
    """Other cells, or other conditions, are no part of the run; what is there stays as it is."""
    before = (cut / "results.jsonl.part").read_bytes()
    here = ("-o", cut, "--resume")
    other = commands.refused(*WORDS, "-s", "abort-twice", "--preload", NAME, *here)
    assert "its cells, repeats or shard are others" in other
    assert "(preload)" in commands.refused(*WORDS, *here)
    assert (cut / "results.jsonl.part").read_bytes() == before


def test_nothing_to_go_on_with(tmp_path: Path) -> None:
    """Where there is nothing, the run begins; where it is whole, it stays as it is."""
    words = (*WORDS, "-s", "abort-when-full", "-o", str(tmp_path), "--resume")
    assert commands.run(*words, patience=PATIENCE).returncode == 0
    before = (tmp_path / "results.jsonl").stat()
    assert commands.run(*words, patience=PATIENCE).returncode == 0
    assert (tmp_path / "results.jsonl").stat().st_mtime_ns == before.st_mtime_ns
    assert "are others" in commands.refused(*words, "--repeat", "2")


def test_no_end_in_sight(tmp_path: Path) -> None:
    """What runs until something happens has no rest that could be run."""
    assert "--until-fail" in commands.refused(*WORDS, "--until-fail", "--resume", "-o", tmp_path)
