"""Results files: exact there and back, and clear words about everything that can go wrong."""

from __future__ import annotations

import json
import os
import resource
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from matrix.errors import OutputError, ResultsError, ResumeError
from matrix.lines import SCHEMA, dump_lines, parse_lines
from matrix.model.cell import Cell
from matrix.model.report import Footer, Host, Plan, Planned, Reactor, Report
from matrix.model.result import Control, Outcome, Result, Standing, Verdict
from matrix.model.transcript import Ending, Event, How, Transcript
from matrix.store import Writer, read, write, write_atomically
from tests import synthetic
from tests.strategies import jsons, reports

CELLS = (
    Cell("epoll", "tls1.3", "abort-when-full", "client", "socket"),
    Cell("poll", "tcp4", "abort-when-full", "server", "reactor"),
)
EVENTS = (Event(0.5, "process", "started", {"pid": 7}), Event(1, "process", "finished"))
TRANSCRIPT = Transcript(EVENTS, Ending(How.EXITED, 0), "warning\n")
FAILED = Verdict(Outcome.FAIL, {"prompt": Standing.FAIL}, ("prompt: late",))
FAULT = ("here", "is-late", CELLS[0].id)
PLANNED_THERE = Planned("there", CELLS, ("1/1",), {"no meaning": 3})
REPORT = Report(
    hosts=(
        Host("here", ("python3",), {"python": "3.11"}, (Reactor("epoll", "the epoll reactor"),)),
        Host("there", ("ssh", "there", "python3"), {}, (), {"is-late": "prompt"}),
    ),
    plan=Plan("digest", (Planned("here", CELLS, ("1/1",)), PLANNED_THERE), 2, "1/1", (FAULT,)),
    controls=(Control("here", "tcp4", "client", "reset", TRANSCRIPT, shard="1/1"),),
    results=(
        Result("here", CELLS[0], Verdict(Outcome.PASS), TRANSCRIPT, 0.25, shard="1/1"),
        Result("there", CELLS[1], FAILED, TRANSCRIPT, 0.5, attempt=2, shard="1/1"),
        Result("here", CELLS[0], FAILED, TRANSCRIPT, 0.5, fault="is-late", shard="1/1"),
    ),
    footer=Footer("2026-01-05T04:10:00+00:00", 1.5),
    version="0.1.0",
)
STARTED = "2026-01-05T04:10:00.000+00:00"
PLAN = json.loads(next(dump_lines(REPORT)))["plan"]
VALIDATOR = Draft202012Validator(
    json.loads(files("matrix").joinpath("schema/results.schema.json").read_text())
)


# There and back -----------------------------------------------------------------------------------


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_lines_give_the_same_report_back(report: Report) -> None:
    """Nothing of a report is lost or changed, whatever texts and numbers it is made of."""
    assert parse_lines(line.encode("ascii") for line in dump_lines(report)) == report


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_lines_are_valid(report: Report) -> None:
    """Every line is what the schema says."""
    for line in dump_lines(report):
        VALIDATOR.validate(json.loads(line))


def test_file_gives_the_same_report_back(tmp_path: Path) -> None:
    """A report that was written to a file is read from it again."""
    write(REPORT, tmp_path / "results.jsonl")
    assert read(tmp_path / "results.jsonl") == REPORT


def test_usual_report_comes_back(tmp_path: Path) -> None:
    """A report as runs make them, with all outcomes, comes back and is valid line by line."""
    report = synthetic.report(80, synthetic.EVERY_OUTCOME, hosts=("linux", "bsd"), repeat=2)
    path = written(tmp_path, report)
    assert read(path) == report
    for line in path.read_text().splitlines():
        VALIDATOR.validate(json.loads(line))


def test_schema_is_valid() -> None:
    """The schema is a schema, and of the version that is written."""
    Draft202012Validator.check_schema(VALIDATOR.schema)
    header = VALIDATOR.schema["$defs"]["header"]
    assert header["properties"]["schema"]["const"] == SCHEMA


def test_numbers_that_json_does_not_have_become_texts() -> None:
    """An infinite number in an event's data does not cost the run its file."""
    event = Event(0, "process", "started", {"held": float("inf"), "list": [float("nan")]})
    result = evolve(REPORT.results[0], transcript=evolve(TRANSCRIPT, events=(event,)))
    lines = dump_lines(evolve(REPORT, results=(result,)))
    (back,) = parse_lines(line.encode() for line in lines).results
    assert back.transcript.events[0].data == {"held": "inf", "list": ["nan"]}


@pytest.mark.parametrize("key", ["t", "side", "event"])
def test_event_that_cannot_be_told_apart_is_refused(key: str) -> None:
    """Data called as one of an event's own fields is an error, and not lost in silence."""
    event = Event(0, "process", "started", {key: 1})
    result = evolve(REPORT.results[0], transcript=evolve(TRANSCRIPT, events=(event,)))
    with pytest.raises(ValueError, match="started"):
        list(dump_lines(evolve(REPORT, results=(result,))))


# Where transcripts stay ---------------------------------------------------------------------------


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_file_gives_any_report_back(report: Report) -> None:
    """With its transcripts left in the file, a report is the same, and writes the same file."""
    with tempfile.TemporaryDirectory() as folder:
        path, copy = Path(folder, "results.jsonl"), Path(folder, "copy.jsonl")
        write(report, path)
        found = read(path)
        assert found == report
        assert [r.glance for r in found.results] == [r.glance for r in report.results]
        write(found, copy)
        assert copy.read_bytes() == path.read_bytes()


def test_glance_is_known_without_the_transcript(tmp_path: Path) -> None:
    """What is asked of every attempt is said without going to the file again."""
    report = synthetic.report(40, {Outcome.INCONCLUSIVE: 3}, repeat=2)
    found = read(written(tmp_path, report))
    (tmp_path / "results.jsonl").unlink()
    assert [r.glance for r in found.results] == [r.glance for r in report.results]
    assert {r.glance.latency is None for r in found.results} == {True, False}


def test_changed_results_are_written_as_they_are(tmp_path: Path) -> None:
    """A result that is no longer what its line says is written anew, with its transcript."""
    found = read(written(tmp_path))
    changed = tuple(evolve(r, duration=9.5, verdict=FAILED) for r in found.results)
    write(evolve(found, results=changed, footer=None), tmp_path / "changed.jsonl")
    again = read(tmp_path / "changed.jsonl").results
    assert again == changed
    assert [r.transcript for r in again] == [r.transcript for r in REPORT.results]


@pytest.mark.parametrize("change", ["other", "gone"])
def test_file_that_changes_while_it_is_in_use(tmp_path: Path, change: str) -> None:
    """A transcript is never taken from another file than the report."""
    path = written(tmp_path)
    found = read(path)
    path.unlink()
    if change == "other":
        written(tmp_path, evolve(REPORT, version="0.2.0"))
    with pytest.raises(ResultsError, match=r"in the meantime|does not exist"):
        _ = found.results[0].transcript


def test_pipe_is_read_once(tmp_path: Path) -> None:
    """A pipe, which cannot be read again, gives a report with all its transcripts."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=("".join(dump_lines(REPORT)),))
    writer.start()
    assert read(path) == REPORT
    writer.join()


# Line by line -------------------------------------------------------------------------------------


def entries(folder: Path) -> list[str]:
    """The names of everything in a folder."""
    return [path.name for path in folder.iterdir()]


def without_parts(path: Path) -> str:
    """What a file has but for the lines that say when its run began, and went on."""
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith('{"type":"part"'))


def written(folder: Path, report: Report = REPORT) -> Path:
    """The file that a run with this report leaves behind."""
    with Writer(folder, report.hosts, report.plan, report.version, STARTED) as writer:
        for control in report.controls:
            writer.append(control)
        for result in report.results:
            writer.append(result)
        assert report.footer is not None
        return writer.finish(report.footer)


def test_writer_makes_the_same_file(tmp_path: Path) -> None:
    """A file that grew during a run is as one written at once, and says when the run began."""
    path = written(tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / "results.jsonl"
    assert without_parts(path) == "".join(dump_lines(REPORT))
    assert path.read_text().count(STARTED) == 1
    assert entries(path.parent) == ["results.jsonl"]


def test_every_attempt_is_on_disk_at_once(tmp_path: Path) -> None:
    """After each line the unfinished file can be read, and says that it is unfinished."""
    part = tmp_path / "results.jsonl.part"
    with Writer(tmp_path, REPORT.hosts, REPORT.plan, REPORT.version, STARTED) as writer:
        assert read(part) == evolve(REPORT, controls=(), results=(), footer=None)
        writer.append(REPORT.results[0])
        assert read(part).results == REPORT.results[:1]
    assert read(part).footer is None


def test_good_file_stays_until_the_run_is_over(tmp_path: Path) -> None:
    """A run that breaks off leaves its own lines, and the file of the run before."""
    good = written(tmp_path).read_text()
    with Writer(tmp_path, REPORT.hosts, REPORT.plan, "0.2.0", STARTED) as writer:
        writer.append(REPORT.results[0])
    assert (tmp_path / "results.jsonl").read_text() == good
    assert read(tmp_path / "results.jsonl.part").version == "0.2.0"


# Going on -----------------------------------------------------------------------------------------


def test_what_was_cut_off_anywhere_goes_on(tmp_path: Path) -> None:
    """Whatever byte the file of a killed run ends at, whole lines stay and the rest is written."""
    whole = written(tmp_path).read_bytes()
    part = tmp_path / "results.jsonl.part"
    ends = [at for at, byte in enumerate(whole) if byte == ord("\n")]
    sizes = {*range(0, len(whole), 97), *(at + by for at in ends for by in (-1, 0, 1))}
    entries: tuple[Control | Result, ...] = (*REPORT.controls, *REPORT.results)
    for size in sorted(sizes - {len(whole)}):
        part.write_bytes(whole[:size])
        with going_on(tmp_path) as writer:
            kept = () if writer.kept is None else (*writer.kept.controls, *writer.kept.results)
            assert kept == entries[: len(kept)]
            assert len(kept) >= whole[:size].count(b"\n") - len(REPORT.hosts) - 1
            for entry in entries[len(kept) :]:
                writer.append(entry)
            assert REPORT.footer is not None
            assert without_parts(writer.finish(REPORT.footer)) == "".join(dump_lines(REPORT))


def going_on(folder: Path, started: str = STARTED) -> Writer:
    """Goes on with what is there."""
    return Writer(folder, REPORT.hosts, REPORT.plan, REPORT.version, started, resume=True)


def test_time_of_all_parts(tmp_path: Path) -> None:
    """A killed part took until it last wrote, an interrupted one what it says; pauses are none."""
    part, began = tmp_path / "results.jsonl.part", datetime.fromisoformat(STARTED)
    moments = [began + timedelta(hours=hours) for hours in range(4)]
    for seconds, moment in enumerate(moments[:2], 5):
        with going_on(tmp_path, moment.isoformat()) as writer:
            writer.append(REPORT.results[0])
        os.utime(part, (0, moment.timestamp() + seconds))
    with going_on(tmp_path, moments[2].isoformat()) as writer:
        assert [each.spent for each in writer.parts] == [0, 5, 5 + 6]
        writer.finish(Footer(STARTED, 5 + 6 + 7.5, "SIGINT"))
    with going_on(tmp_path, moments[3].isoformat()) as writer:
        assert [datetime.fromisoformat(each.started) for each in writer.parts] == moments
        assert writer.parts[-1].spent == 5 + 6 + 7.5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "0.2.0"}, "written by reactor-matrix 0.1.0"),
        ({"plan": evolve(REPORT.plan, repeat=3)}, "its cells, repeats or shard are others"),
        ({"hosts": REPORT.hosts[:1]}, "it has 2 hosts, and this run 1"),
        ({"hosts": (evolve(REPORT.hosts[0], provenance={}), REPORT.hosts[1])}, "(python)"),
    ],
)
def test_what_is_of_another_run_stays(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    """A run does not go on with what is of another one, and leaves it as it is."""
    part = tmp_path / "results.jsonl.part"
    part.write_text("".join(list(dump_lines(REPORT))[:4]))
    new = evolve(REPORT, **change)
    with pytest.raises(ResumeError) as refused:
        Writer(tmp_path, new.hosts, new.plan, new.version, STARTED, resume=True)
    assert words in str(refused.value)
    assert part.read_text() == "".join(list(dump_lines(REPORT))[:4])


# What can be wrong with a file --------------------------------------------------------------------


def refusal(path: Path) -> str:
    """The sentence with which reading that file is refused, which must be a sentence."""
    with pytest.raises(ResultsError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message
    assert message.endswith(".")
    assert "\n" not in message
    return message


def damaged(folder: Path, number: int, **changes: Any) -> Path:
    """A results file with other values in its line of that number, which counts from 1."""
    lines = list(dump_lines(REPORT))
    lines[number - 1] = json.dumps(json.loads(lines[number - 1]) | changes) + "\n"
    path = folder / "damaged.jsonl"
    path.write_text("".join(lines))
    return path


def test_file_that_was_cut_off_anywhere_can_be_read(tmp_path: Path) -> None:
    """Whatever byte a file ends at, all whole lines of it count, and nothing else."""
    whole = "".join(dump_lines(REPORT)).encode()
    opening = len("".join(list(dump_lines(REPORT))[:2]))
    path = tmp_path / "cut.jsonl"
    for size in range(opening, len(whole) - 1):
        path.write_bytes(whole[:size])
        found = read(path)
        assert found.footer is None
        lines = whole[:size].count(b"\n") + whole[size:].startswith(b"\n")
        assert len(found.controls) + len(found.results) == lines - 2


@pytest.mark.parametrize("size", [0, 1, 50])
def test_file_without_a_whole_header_is_refused(tmp_path: Path, size: int) -> None:
    """Without a header nobody knows what was planned."""
    path = tmp_path / "cut.jsonl"
    path.write_text("".join(dump_lines(REPORT))[:size])
    assert "header" in refusal(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x00" * 4096, "header"),
        (b"\n", "line 1"),
        (b'{"type":"header"\n', "JSON"),
        (b"\xff\xfe\x7b\x00\n", "UTF-8"),
        (b"[1,2]\n", "object"),
        (b"[" * 100_000 + b"\n", "line 1"),
        (b'{"type":"result"}\n', "header"),
        (b'{"type":"header"}\n', "field schema is missing"),
        (b"<html>\n", "JSON"),
        (b"1" * 5000 + b"\n", "line 1"),
    ],
)
def test_what_is_no_results_file_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """Other files get a sentence that names the line and what is wrong with it."""
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    assert words in refusal(path)


@pytest.mark.parametrize(
    ("number", "changes", "words"),
    [
        (1, {"schema": "1"}, "schema"),
        (1, {"schema": 0}, "schema"),
        (1, {"version": None}, "None is not a text"),
        (1, {"host": {}}, "field command is missing"),
        (1, {"host": "here"}, "'here' is not an object"),
        (1, {"plan": {"digest": ""}}, "field faults is missing"),
        (2, {"type": "header"}, "header"),
        (2, {"type": "guest"}, "'guest'"),
        (2, {"type": ["host"]}, "['host']"),
        (2, {"host": json.loads(next(dump_lines(REPORT)))["host"]}, "twice"),
        (3, {"host": "elsewhere"}, "'elsewhere'"),
        (3, {"signal": 3}, "3 is not a text, in signal"),
        (4, {"host": "elsewhere"}, "'elsewhere'"),
        (4, {"id": CELLS[1].id}, CELLS[1].id),
        (4, {"cell": {}}, "field peer is missing"),
        (4, {"outcome": "passed"}, "'passed'"),
        (4, {"outcome": None}, "outcome"),
        (4, {"rules": {"prompt": "maybe"}}, "'maybe'"),
        (4, {"rules": []}, "rules"),
        (4, {"reasons": "late"}, "'late' is not a list"),
        (4, {"duration": "0.1"}, "'0.1' is not a number, in duration"),
        (4, {"duration": True}, "True is not a number"),
        (4, {"attempt": 1.5}, "1.5 is not a whole number"),
        (4, {"ending": {"how": "left", "number": 0, "detail": ""}}, "'left'"),
        (4, {"events": {}}, "{} is not a list"),
        (4, {"events": [1]}, "1 is no event"),
        (4, {"events": [{"t": 1, "side": "peer"}]}, "no event"),
        (4, {"events": [{"t": "1", "side": "peer", "event": "told"}]}, "event"),
        (4, {"events": [{"t": True, "side": "peer", "event": "told"}]}, "event"),
        (1, {"plan": {**PLAN, "shard": "2/1"}}, "a shard reads K/N"),
        (1, {"plan": {**PLAN, "hosts": [{**PLAN["hosts"][0], "shards": ["0/1"]}]}}, "'0/1'"),
        (3, {"shard": "1/2"}, "shard '1/2' of host 'here' is not in the header's plan"),
        (4, {"shard": "1/2"}, "shard '1/2' of host 'here' is not in the header's plan"),
        (6, {"fault": "is-early"}, "plan"),
        (7, {"type": "host"}, "field host is missing"),
        (7, {"duration": None}, "None is not a number"),
        (7, {"counts": {"pass": "1"}}, "'1' is not a whole number"),
        (7, {"counts": {"pass": 4}}, "counts"),
        (7, {"counts": {}}, "counts"),
    ],
)
def test_line_that_makes_no_sense_is_named(
    tmp_path: Path, number: int, changes: dict[str, Any], words: str
) -> None:
    """One wrong line makes a file unreadable, and the message says which and why."""
    message = refusal(damaged(tmp_path, number, **changes))
    assert f"line {number}:" in message
    assert words in message


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7])
def test_every_field_is_needed(tmp_path: Path, number: int) -> None:
    """A line without one of its fields is refused by the reader as it is by the schema."""
    lines = list(dump_lines(REPORT))
    for name in json.loads(lines[number - 1]):
        raw = json.loads(lines[number - 1])
        del raw[name]
        assert not VALIDATOR.is_valid(raw)
        path = tmp_path / "damaged.jsonl"
        path.write_text("".join((*lines[: number - 1], json.dumps(raw) + "\n", *lines[number:])))
        refusal(path)


@settings(deadline=None)
@given(st.integers(1, 7), st.randoms(use_true_random=False), st.data())
def test_reader_takes_nothing_that_the_schema_refuses(number: int, random: Any, draws: Any) -> None:
    """With any value anywhere in a line, the reader is at least as strict as the schema."""
    lines = list(dump_lines(REPORT))
    raw = json.loads(lines[number - 1])
    spot: Any = raw
    while True:
        key = random.choice(list(spot) if isinstance(spot, dict) else range(len(spot)))
        if not spot[key] or not isinstance(spot[key], (dict, list)) or random.random() < 0.3:
            break
        spot = spot[key]
    spot[key] = draws.draw(jsons)
    if not VALIDATOR.is_valid(raw):
        lines[number - 1] = json.dumps(raw) + "\n"
        for keep in (None, lambda offset, size: Nowhere()):
            with pytest.raises(ValueError, match=r"."):
                parse_lines((line.encode() for line in lines), keep)


class Nowhere:
    """Where transcripts are kept that nobody asks for."""

    def line(self) -> str:
        raise NotImplementedError

    def transcript(self) -> Transcript:
        raise NotImplementedError


def test_newer_format_says_which_version_is_needed(tmp_path: Path) -> None:
    """A file of a later reactor-matrix names the version that can read it."""
    message = refusal(damaged(tmp_path, 1, schema=SCHEMA + 1, version="9.4", plan=None))
    assert "9.4 or later is needed" in message


def test_line_after_the_footer_is_refused(tmp_path: Path) -> None:
    """Two files in one are not a results file."""
    path = written(tmp_path)
    whole = path.read_text()
    for more in (whole, list(dump_lines(REPORT))[3], "\n", '{"type":'):
        path.write_text(whole + more)
        assert "footer" in refusal(path)


def test_lost_line_is_noticed(tmp_path: Path) -> None:
    """A result that is missing from the middle of a finished file is no mere missing cell."""
    lines = list(dump_lines(REPORT))
    path = tmp_path / "lost.jsonl"
    path.write_text("".join(lines[:4] + lines[5:]))
    assert "counts" in refusal(path)


def test_plan_for_an_undescribed_host_is_refused(tmp_path: Path) -> None:
    """The plan owes cells for described hosts only."""
    lines = list(dump_lines(evolve(REPORT, results=(), controls=(), footer=None)))
    path = tmp_path / "results.jsonl"
    path.write_text(lines[0])
    assert "'there'" in refusal(path)


def test_folder_in_place_of_a_file(tmp_path: Path) -> None:
    """A folder is refused with the name of the file that is meant."""
    assert str(tmp_path / "results.jsonl") in refusal(tmp_path)


def test_missing_file(tmp_path: Path) -> None:
    """A missing file comes with what to do, also when its run is still going on."""
    assert "run -o" in refusal(tmp_path / "results.jsonl")
    with Writer(tmp_path, REPORT.hosts, REPORT.plan, "", STARTED):
        assert "results.jsonl.part" in refusal(tmp_path / "results.jsonl")


def test_file_that_may_not_be_read(tmp_path: Path) -> None:
    """No permission is a sentence too."""
    path = written(tmp_path)
    path.chmod(0)
    with powerless():
        assert "Permission denied" in refusal(path)


# What can be wrong with a disk --------------------------------------------------------------------


@contextmanager
def powerless() -> Iterator[None]:
    """Permissions count, even if this process belongs to root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can grow past that many bytes: what a full disk looks like to a program."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_full_disk_leaves_the_good_file(tmp_path: Path) -> None:
    """A file that does not fit is not there at all, and the one before it still is."""
    path = tmp_path / "page.html"
    write_atomically(path, "good")
    with room_for(10_000), pytest.raises(OutputError, match="ulimit -f"):
        write_atomically(path, "x" * 10_001)
    assert path.read_text() == "good"
    assert entries(tmp_path) == ["page.html"]


def test_full_disk_costs_one_line(tmp_path: Path) -> None:
    """What does not fit is taken back, so that all the lines before it and after can be read."""
    long = evolve(REPORT.results[1], transcript=evolve(TRANSCRIPT, stderr="x" * 10_000))
    with Writer(tmp_path, REPORT.hosts, REPORT.plan, "", STARTED) as writer:
        writer.append(REPORT.results[0])
        with room_for(8_000), pytest.raises(OutputError, match=r"results\.jsonl\.part"):
            writer.append(long)
        assert REPORT.footer is not None
        assert read(writer.finish(REPORT.footer)).results == REPORT.results[:1]


def test_disk_that_is_full_from_the_start(tmp_path: Path) -> None:
    """A run that cannot even write its header says so before it begins."""
    with room_for(10), pytest.raises(OutputError, match=r"results\.jsonl\.part"):
        Writer(tmp_path, REPORT.hosts, REPORT.plan, "", STARTED)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_device_without_space(tmp_path: Path) -> None:
    """ENOSPC asks for space."""
    # By a link, so that a defect replaces the link and not the machine's own device.
    link = tmp_path / "full"
    link.symlink_to("/dev/full")
    with pytest.raises(OutputError, match="free some space"):
        write_atomically(link, "text")
    assert link.is_symlink()


def test_folder_that_may_not_be_written(tmp_path: Path) -> None:
    """No permission is a sentence, and nothing is left behind."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    with powerless():
        with pytest.raises(OutputError, match="choose another place"):
            write_atomically(folder / "page.html", "text")
        with pytest.raises(OutputError, match="choose another place"):
            Writer(folder, REPORT.hosts, REPORT.plan, "", STARTED)
    assert entries(folder) == []


def test_file_in_place_of_a_folder(tmp_path: Path) -> None:
    """An output folder that is a file is refused."""
    (tmp_path / "file").write_text("precious")
    with pytest.raises(OutputError, match="file cannot be written"):
        Writer(tmp_path / "file", REPORT.hosts, REPORT.plan, "", STARTED)
    with pytest.raises(OutputError, match="Not a directory"):
        write_atomically(tmp_path / "file" / "page.html", "text")
    assert (tmp_path / "file").read_text() == "precious"


def test_folder_in_place_of_an_output_file(tmp_path: Path) -> None:
    """A folder is never replaced by a file."""
    with pytest.raises(OutputError, match="name a file in it"):
        write_atomically(tmp_path, "text")


def test_missing_output_folder(tmp_path: Path) -> None:
    """A single file asks for its folder."""
    with pytest.raises(OutputError, match="make the folder first"):
        write_atomically(tmp_path / "new" / "page.html", "text")


def test_error_in_mid_text_leaves_nothing_behind(tmp_path: Path) -> None:
    """Text that fails while it is made leaves the file as it was."""

    def text() -> Iterator[str]:
        yield "half"
        raise ZeroDivisionError

    path = tmp_path / "page.html"
    path.write_text("good")
    with pytest.raises(ZeroDivisionError):
        write_atomically(path, text())
    assert path.read_text() == "good"
    assert entries(tmp_path) == ["page.html"]


def test_pipe_is_written_to(tmp_path: Path) -> None:
    """What is no regular file, such as a shell's pipe, gets the text and stays what it is."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.append(path.read_text()))
    reader.start()
    write_atomically(path, "text")
    reader.join()
    assert seen == ["text"]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_new_file_has_usual_permissions(tmp_path: Path) -> None:
    """Other people may read what they could read of any new file."""
    write_atomically(tmp_path / "page.html", "text")
    (tmp_path / "usual").touch()
    assert (tmp_path / "page.html").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_text_is_utf_8_with_plain_newlines(tmp_path: Path) -> None:
    """The bytes of a file are the same on every system, and a lone surrogate breaks none."""
    write_atomically(tmp_path / "page.html", "ü\n\ud800")
    assert (tmp_path / "page.html").read_bytes() == b"\xc3\xbc\n\\ud800"
