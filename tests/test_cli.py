"""The commands as a user runs them: what they print, write and end with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from attrs import evolve

from matrix import wire
from matrix.judge import judge
from matrix.lines import dump_lines
from matrix.model.cell import Cell
from matrix.model.report import Footer, Report
from matrix.model.result import Outcome
from matrix.model.scenarios import SCENARIOS
from matrix.model.transcript import Event
from matrix.store import read
from matrix.structure import to_json
from tests import commands, miniatures, synthetic

ONE = ("-t", "tcp4", "-s", "abort-when-full", "--side", "client", "--peer", "socket")
CELL = Cell("select", "tcp4", "abort-when-full", "client", "socket")
FILES = ("index.html", "junit.xml", "results.jsonl", "summary.md")
OFF_LINE = """
import sys

def refuse(event, arguments):
    module = str(arguments[0]).split(".")[0] if event == "import" else ""
    if event.startswith("socket.") or module in ("twisted", "OpenSSL"):
        raise RuntimeError(f"{event} {arguments}")

sys.addaudithook(refuse)
from matrix.cli import main
main()
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a real run of one cell left its files."""
    folder = tmp_path_factory.mktemp("real")
    ended = commands.run("run", "-r", "select", *ONE, "-o", folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


def story(folder: Path, monkeypatch: pytest.MonkeyPatch, *more: Event) -> str:
    """A ``--python`` that tells of every job that all went well, and then something more."""
    *events, last = synthetic.transcript(CELL, Random(1)).events
    lines = [json.dumps(to_json(event)) + "\n" for event in (*events, *more, last)]
    (folder / "story").write_text("".join(lines))
    monkeypatch.setenv("MINIATURE_STORY", str(folder / "story"))
    return str(miniatures.agent("tells_a_story", folder))


# run ----------------------------------------------------------------------------------------------


def test_run_leaves_four_files(real: Path) -> None:
    """A run that ends with 0 leaves its results and three pages, and no draft of any."""
    assert sorted(path.name for path in real.iterdir()) == list(FILES)
    report = read(real / "results.jsonl")
    assert report.counts() == {Outcome.PASS: 1}
    assert report.footer is not None
    assert report.footer.interrupted is None
    assert all(CELL.transport in (real / name).read_text() for name in FILES)


def test_run_says_where_the_page_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of a run names the page."""
    ended = commands.run("run", "--python", story(tmp_path, monkeypatch), *ONE, "-o", tmp_path)
    assert ended.stdout.splitlines()[-1] == f"The page: {tmp_path / 'index.html'}"


def test_status_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in which a rule is broken ends with 1."""
    logged = Event(1, wire.PROCESS, wire.LOGGED, {"kind": "log", "text": "oops"})
    python = story(tmp_path, monkeypatch, logged)
    ended = commands.run("run", "--python", python, *ONE, "-o", tmp_path)
    assert ended.returncode == 1
    assert "nothing-logged: log: oops" in ended.stdout


def test_expected_failure_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user's own file expects leaves the status at 0; what of it did not come is named."""
    logged = Event(1, wire.PROCESS, wire.LOGGED, {"kind": "log", "text": "oops"})
    python, mine = story(tmp_path, monkeypatch, logged), tmp_path / "mine.toml"
    known = 'cells = ["*"]\noutcome = "fail"\nreason = "r"\nlink = "l"\nexpires = 2999-01-01\n'
    mine.write_text(
        f'[noisy]\nrules = ["nothing-logged"]\n{known}[late]\nrules = ["prompt"]\n{known}'
    )
    words = ("run", "--python", python, *ONE, "-o", tmp_path, "--expectations", mine)
    ended = commands.run(*words)
    assert ended.returncode == 0, ended.stdout
    (cell,) = read(tmp_path / "results.jsonl").cells()
    assert (cell.outcome, cell.expected) == (Outcome.FAIL, "r (l)")
    shown = " ".join(ended.stdout.split())
    assert "expectation late: none of the 1 cell it is about fails as it says" in shown
    assert "expectation noisy" not in shown


def test_status_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in which a planted fault goes uncaught ends with 3, and so does judging it again."""
    monkeypatch.setenv("MINIATURE_FAULTS", json.dumps({"never-late": "prompt"}))
    python = story(tmp_path, monkeypatch)
    ended = commands.run("run", "--python", python, *ONE, "-o", tmp_path)
    assert ended.returncode == 3
    assert "never-late" in ended.stdout
    assert commands.run("judge", tmp_path / "results.jsonl").returncode == 3


# judge --------------------------------------------------------------------------------------------


def test_judge_gives_the_same_verdicts(real: Path) -> None:
    """The events of a real run give its stored verdicts again."""
    ended = commands.run("judge", real / "results.jsonl")
    assert ended.returncode == 0
    assert " verdicts derived again, 0 differ from the stored." in ended.stdout


def test_judge_needs_neither_twisted_nor_network(real: Path) -> None:
    """A results file can be judged where Twisted cannot be imported, nor a socket be made."""
    words = [sys.executable, "-c", OFF_LINE, "judge", str(real / "results.jsonl")]
    ended = subprocess.run(words, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "0 differ from the stored." in ended.stdout


def test_judge_tells_what_differs(real: Path, tmp_path: Path) -> None:
    """A stored verdict that the events do not bear out is shown, and the status is 1."""
    edited = tmp_path / "edited.jsonl"
    lines = (real / "results.jsonl").read_text().splitlines()
    spoilt = [edit(line) for line in lines]
    edited.write_text("\n".join([*spoilt, ""]))
    ended = commands.run("judge", edited)
    assert ended.returncode == 1
    assert f"{CELL.id} attempt 1" in ended.stdout
    assert "stored pass [], the events say inconclusive" in ended.stdout


def edit(line: str) -> str:
    """The same line; the cell's own loses its samples."""
    entry = json.loads(line)
    if entry["type"] == "result" and entry["fault"] is None:
        entry["events"] = [e for e in entry["events"] if e["event"] != wire.SAMPLE]
    return json.dumps(entry)


def test_judge_misses_a_fault_that_was_taken_out(real: Path, tmp_path: Path) -> None:
    """Where the negative controls are not in the file, the run that it tells of is not valid."""
    edited = tmp_path / "edited.jsonl"
    lines = (real / "results.jsonl").read_text().splitlines(keepends=True)
    edited.write_text("".join(line for line in lines if json.loads(line).get("fault") is None))
    ended = commands.run("judge", edited)
    assert ended.returncode == 3
    assert "was not played" in ended.stdout


# merge --------------------------------------------------------------------------------------------


def test_shards_of_real_runs_make_the_whole(tmp_path: Path) -> None:
    """Two machines' shards are one report; without one of them its cells are missing: status 1."""
    two = ("-r", "select", "-t", "tcp4", "-s", "abort-when-full", "--side", "client")
    files = []
    for shard in ("1/2", "2/2"):
        folder = tmp_path / shard.replace("/", "-of-")
        assert commands.run("run", *two, "--shard", shard, "-o", folder).returncode == 0
        files.append(folder / "results.jsonl")
    whole, part = tmp_path / "whole.jsonl", tmp_path / "part.jsonl"
    ended = commands.run("merge", *files, "-o", whole)
    assert ended.returncode == 0, ended.stdout
    assert "All 2 cells passed." in ended.stdout
    assert {cell.cell.peer for cell in read(whole).cells()} == {"reactor", "socket"}
    assert commands.run("judge", whole).returncode == 0
    ended = commands.run("merge", files[0], "-o", part)
    assert ended.returncode == 1
    assert "no results of shard 2/2" in ended.stdout
    assert commands.run("judge", part).returncode == 1


# compare ------------------------------------------------------------------------------------------


def test_compare_ends_with_1_on_a_regression(tmp_path: Path) -> None:
    """What got worse is printed, also as Markdown; what got better is no reason to fail."""
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text("".join(dump_lines(synthetic.report(20))))
    bad.write_text("".join(dump_lines(synthetic.report(20, {Outcome.CRASH: 1}))))
    worse = commands.run("compare", good, bad)
    assert worse.returncode == 1
    assert "Regression: 1 new failure; 20 cells compared." in worse.stdout
    better = commands.run("compare", bad, good, "--format", "markdown")
    assert better.returncode == 0
    assert "### Fixed (1)" in better.stdout
    assert commands.run("compare", bad, bad).returncode == 0


# history ------------------------------------------------------------------------------------------


def test_history_of_some_runs(tmp_path: Path) -> None:
    """Runs are added once, shown as a line per cell with trouble, and forgotten in their turn."""
    path, results = tmp_path / "history.db", tmp_path / "results.jsonl"
    for day, spoilt in ((1, {}), (2, {Outcome.CRASH: 1})):
        report = synthetic.report(8, spoilt)
        footer = Footer(f"2026-01-{day:02}T04:10:00+00:00", 6.5)
        results.write_text("".join(dump_lines(evolve(report, footer=footer))))
        ended = commands.run("history", "add", path, results, "--as", "nightly")
        assert (ended.returncode, ended.stdout) == (0, f"Added to {path}.\n")
    ended = commands.run("history", "add", path, results, "--as", "nightly")
    assert (ended.returncode, ended.stdout) == (0, f"This run is already in {path}.\n")
    ended = commands.run("history", "show", path)
    assert ended.returncode == 0
    assert "bad since 2026-01-02" in ended.stdout
    assert "1 cell with something to tell." in ended.stdout
    assert "0 cells with" in commands.run("history", "show", path, "nosuch/*").stdout
    page = tmp_path / "page.html"
    ended = commands.run(
        "report", results, "--html", page, "--history", path, "--as", "nightly", "--last", "1"
    )
    assert ended.returncode == 0, ended.stderr
    assert "Over 1 run, 2 January 2026" in page.read_text("utf-8")
    missing = commands.run("report", results, "--html", page, "--history", tmp_path / "none.db")
    assert missing.returncode == 2
    assert "none.db" in missing.stderr
    assert commands.run("history", "prune", path, "--keep", "1").stdout == "1 runs forgotten.\n"


# expectations -------------------------------------------------------------------------------------


def test_drafted_expectations_are_used_when_they_are_complete(tmp_path: Path) -> None:
    """What failed is drafted, refused as long as nobody said why, and expected from then on."""
    results, mine = tmp_path / "results.jsonl", tmp_path / "mine.toml"
    report = real_failure(synthetic.report(4, seed=2))
    results.write_text("".join(dump_lines(report)))
    ended = commands.run("expect", "update", results, "-o", mine)
    assert ended.returncode == 0
    assert f"1 added to {mine}" in ended.stdout
    assert "its reason is still the placeholder" in commands.refused(
        "judge", results, "--expectations", mine
    )
    mine.write_text(mine.read_text().replace('"TODO: ', '"'))
    ended = commands.run("judge", results, "--expectations", mine)
    assert "1 known failure" in " ".join(ended.stdout.split())
    ended = commands.run("expect", "update", results, "-o", mine)
    assert "nothing was written" in ended.stdout


def real_failure(report: Report) -> Report:
    """The report, in which the events of the first cell say that a write after the loss raised."""
    first, *others = report.results
    raised = {"type": "OSError", "mro": ["OSError"], "message": "late", "traceback": ""}
    events = tuple(
        evolve(e, data={"raised": raised}) if e.name == wire.LATE_WRITE else e
        for e in first.transcript.events
    )
    transcript = evolve(first.transcript, events=events)
    bar = next(c.signal for c in report.controls if c.transport == first.cell.transport)
    verdict = judge(first.cell, transcript, bar)
    assert verdict.outcome is Outcome.FAIL
    results = (evolve(first, transcript=transcript, verdict=verdict), *others)
    return evolve(report, results=results)


# plan, doctor, report, show -----------------------------------------------------------------------


def test_plan_lists_the_cells() -> None:
    """The plan has a line for each cell that a run with the same selection would owe."""
    one = ("-s", "abort-when-full*", "--peer", "socket", "--side", "client")
    ended = commands.run("plan", "-r", "select", "-t", "tcp?", *one)
    cells = [Cell.parse(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == 0
    families = [s for s in SCENARIOS if s.name.startswith("abort-when-full")]
    assert len(cells) == 2 * len(families)
    assert {cell.transport for cell in cells} == {"tcp4", "tcp6"}


def test_plan_as_json() -> None:
    """Shards of one plan share its digest, and share out its cells."""
    words = ("plan", "-r", "poll", "-t", "tcp4", "--format", "json")
    whole, *parts = (
        json.loads(commands.run(*words, *shard).stdout)
        for shard in ([], ["--shard", "1/2"], ["--shard", "2/2"])
    )
    assert {part["digest"] for part in parts} == {whole["digest"]}
    listed = [cell["id"] for part in parts for cell in part["cells"]]
    assert sorted(listed) == sorted(cell["id"] for cell in whole["cells"])


def test_doctor_has_every_reactor() -> None:
    """The doctor says what runs here, and why the rest does not."""
    ended = commands.run("doctor", env={**os.environ, "COLUMNS": "200"})
    assert ended.returncode == 0
    assert "twisted: " in ended.stdout
    rows = [line.split(maxsplit=2) for line in ended.stdout.splitlines()]
    assert ["select", "yes"] in rows
    assert ["asyncio", "yes"] in rows
    assert any(row[:2] == ["iocp", "no"] and "needs Windows" in row[2] for row in rows)


def test_no_control_for_what_cannot_run(tmp_path: Path) -> None:
    """A host where none of the selected reactors can run is asked for no control."""
    words = ("-r", "win32", "-s", "abort-when-full", "--python", sys.executable, "-o", tmp_path)
    ended = commands.run("run", *words)
    assert ended.returncode == 0, ended.stderr
    found = read(tmp_path / "results.jsonl")
    assert found.results
    assert found.controls == ()


def test_report_writes_the_pages_again(real: Path, tmp_path: Path) -> None:
    """The pages of a results file are those that its run left."""
    wanted = {"--html": "index.html", "--junit": "junit.xml", "--markdown": "summary.md"}
    options = [word for option, name in wanted.items() for word in (option, str(tmp_path / name))]
    ended = commands.run("report", real / "results.jsonl", *options)
    assert (ended.returncode, ended.stdout) == (0, "")
    for name in wanted.values():
        assert (tmp_path / name).read_bytes() == (real / name).read_bytes()


def test_page_says_what_changed_since_a_baseline(real: Path, tmp_path: Path) -> None:
    """With an earlier results file the page begins with what is different since then."""
    results, page = real / "results.jsonl", tmp_path / "index.html"
    ended = commands.run("report", results, "--html", page, "--baseline", results)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "No regression: nothing changed" in page.read_text(encoding="utf-8")


def test_report_without_options_is_a_summary(real: Path) -> None:
    """Without a file to write, the summary is printed."""
    ended = commands.run("report", real / "results.jsonl")
    assert ended.returncode == 0
    assert "1 pass" in ended.stdout


def test_show_tells_the_story_of_a_cell(real: Path) -> None:
    """One cell's timeline has its events in their order."""
    ended = commands.run("show", real / "results.jsonl", CELL.id)
    assert ended.returncode == 0
    told = (wire.STARTED, wire.PROVED, wire.ABORT_CALLED, wire.LEFTOVERS, wire.FINISHED)
    words = [word for word in ended.stdout.split() if word in told]
    assert words == list(told)


def test_many_cells_can_be_reported(tmp_path: Path) -> None:
    """A report says of thousands of cells what it says of one."""
    path = tmp_path / "results.jsonl"
    path.write_text("".join(dump_lines(synthetic.report(2000, {Outcome.FAIL: 3}))))
    ended = commands.run("report", path)
    assert ended.returncode == 0
    assert ended.stdout.count("fail") >= 3
