"""What cannot be carried out: one clear sentence, status 2, and nothing good is spoilt."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from matrix.lines import dump_lines
from tests import commands, synthetic

LINES = list(dump_lines(synthetic.report(8)))
SMALL = ("run", "-r", "select", "-t", "tcp4", "--side", "client", "--peer", "socket")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-r", "nosuch"), "No reactor matches 'nosuch'. There are: asyncio, "),
        (("-t", "tcp4", "-t", "x*"), "No transport matches 'x*'. There are: tcp4, tcp6, "),
        (("--side", "both"), "No side matches 'both'. There are: client, server."),
        (("--shard", "3/2"), "A shard reads K/N with 1 ≤ K ≤ N, for instance 2/4; not '3/2'."),
        (("--shard", "half"), "A shard reads K/N"),
        (("--shard", "99999/99999"), "Shard 99999/99999 is empty"),
        (("--python", sys.executable + " -S"), "No module named 'twisted'. Install it there: "),
        (("--python", "cat"), "cat cannot play: Try 'cat --help' for more information."),
        (("--python", "nosuch"), "nosuch could not be started: No such file or directory."),
        (("--python", "'"), "is no command: No closing quotation."),
        (("--python", " "), "--python needs a command that starts a Python"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "run"])
def test_what_to_run(command: str, words: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    """What makes no sense is refused before anything runs or is written."""
    more = ("-o", tmp_path / "out") if command == "run" else ()
    assert sentence in commands.refused(command, *words, *more)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("run", "-j", "0"),
        ("run", "--repeat", "0"),
        ("run", "--deadline", "x"),
        ("plan", "--format", "x"),
        ("judge",),
        ("nosuch",),
    ],
)
def test_usage(words: tuple[str, ...]) -> None:
    """Wrong usage ends with 2 and the usage."""
    ended = commands.run(*words)
    assert ended.returncode == 2
    assert ended.stderr.startswith("Usage: ")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "does not exist"),
        ("", "line 1: there is no header"),
        ("hello\n", "line 1: it is not JSON"),
        ("{}\n", "line 1: the header must be the first line"),
        ("[1]\n", "line 1: it is no JSON object"),
        (LINES[0] + "{}\n", "line 2: its type is None"),
        ("".join([LINES[0], LINES[1].replace('"how":"exited"', '"how":"x"')]), "line 2: "),
        ("".join([*LINES, LINES[-1]]), "nothing may follow the footer"),
        ("\0\xff", "line 1: "),
    ],
    ids=["none", "empty", "text", "foreign", "list", "no type", "no value", "two", "binary"],
)
@pytest.mark.parametrize("command", ["judge", "report", "show", "merge", "compare"])
def test_no_results(command: str, text: str | None, words: str, tmp_path: Path) -> None:
    """What is no results file is refused, with the line that makes no sense."""
    path = tmp_path / "results.jsonl"
    if text is not None:
        path.write_text(text, encoding="latin-1")
    more = {
        "show": ("a/b/c/d/e",),
        "merge": ("-o", tmp_path / "merged.jsonl"),
        "compare": (path,),
    }.get(command, ())
    sentence = commands.refused(command, path, *more)
    assert words in sentence
    assert str(path) in sentence


def shard(folder: Path, name: str, **changes: Any) -> Path:
    """A results file of a shard, with other values in its header."""
    made = synthetic.report(8, shard="1/2")
    plan = evolve(made.plan, **changes.pop("plan", {}))
    path = folder / name
    header, *_ = dump_lines(evolve(made, plan=plan, controls=(), results=(), footer=None))
    path.write_text(json.dumps({**json.loads(header), **changes}) + "\n")
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "both have shard 1/2 of host linux. Leave one of them out."),
        ({"plan": {"repeat": 3}}, "with --repeat 1 and with --repeat 3."),
        ({"version": "9"}, "with reactor-matrix 0.1.0 and with reactor-matrix 9."),
        ({"schema": 2}, "it has version 2 of the format, written by reactor-matrix 0.1.0"),
        ({"schema": "x"}, "line 1: its schema is 'x'"),
    ],
)
def test_what_cannot_be_merged(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    """Files that do not fit together are refused with their names, and nothing is written."""
    one, other = shard(tmp_path, "one.jsonl"), shard(tmp_path, "other.jsonl", **changes)
    sentence = commands.refused("merge", one, other, "-o", tmp_path / "merged.jsonl")
    assert words in sentence
    assert str(other) in sentence
    assert not (tmp_path / "merged.jsonl").exists()


def test_merging_a_file_with_itself(tmp_path: Path) -> None:
    """A file is neither merged twice nor overwritten by what it is a part of."""
    one = shard(tmp_path, "one.jsonl")
    assert "named twice" in commands.refused("merge", one, one, "-o", tmp_path / "merged.jsonl")
    assert "one of the files to merge" in commands.refused("merge", one, "-o", one)


def test_folder_is_no_results_file(tmp_path: Path) -> None:
    """A folder in place of a results file is refused with the name of the file in it."""
    assert str(tmp_path / "results.jsonl") in commands.refused("judge", tmp_path)


def test_no_such_cell(tmp_path: Path) -> None:
    """A cell that is not in the file is refused."""
    path = tmp_path / "results.jsonl"
    path.write_text("".join(LINES))
    assert "There is no result of 'a/b/c/d/e'" in commands.refused("show", path, "a/b/c/d/e")


@pytest.mark.parametrize("cut", [len(LINES[-1]), len(LINES[-1]) + len(LINES[-2]) // 2])
@pytest.mark.parametrize("command", ["judge", "report"])
def test_truncated_results(command: str, cut: int, tmp_path: Path) -> None:
    """A file that was cut off can be read, is called by that name, and is never judged with 0."""
    path = tmp_path / "results.jsonl"
    path.write_text("".join(LINES)[:-cut])
    ended = commands.run(command, path)
    assert "Traceback" not in ended.stderr
    assert ended.returncode == {"judge": 1, "report": 0}[command]
    assert "cut off before its end" in " ".join(ended.stdout.lower().split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "No such file"),
        ("[x", "it is not TOML"),
        ("[x]\ncells = 3", "Expectation x in "),
    ],
)
@pytest.mark.parametrize("command", ["run", "judge"])
def test_expectations(command: str, text: str | None, words: str, tmp_path: Path) -> None:
    """A file of expectations that makes no sense is refused before anything runs."""
    path, results = tmp_path / "mine.toml", tmp_path / "results.jsonl"
    results.write_text("".join(LINES))
    if text is not None:
        path.write_text(text)
    start = (*SMALL, "-o", tmp_path / "out") if command == "run" else ("judge", results)
    assert words in commands.refused(*start, "--expectations", path)
    assert not (tmp_path / "out").exists()


def test_history(tmp_path: Path) -> None:
    """What is no history, and a run that cannot become a part of one, are refused."""
    path, results = tmp_path / "history.db", tmp_path / "results.jsonl"
    results.write_text("".join(LINES[:-1]))
    assert "does not exist" in commands.refused("history", "show", path)
    assert "does not exist" in commands.refused("history", "prune", path, "--keep", "1")
    assert "was cut off" in commands.refused("history", "add", path, results)
    results.write_text("".join(dump_lines(synthetic.report(4, hosts=("linux", "bsd")))))
    assert "--as names one host" in commands.refused("history", "add", path, results, "--as", "x")
    path.write_text("hello, world, this is no database")
    assert "cannot be used as a history" in commands.refused("history", "add", path, results)
    assert path.read_text() == "hello, world, this is no database"


# Output -------------------------------------------------------------------------------------------


def at_most(size: int) -> Callable[[], None]:
    """A limit on the size of files, which is how a disk that is full can be had by anybody."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_unwritable_folder(tmp_path: Path) -> None:
    """A folder that cannot be made is refused before anything runs."""
    (tmp_path / "file").touch()
    sentence = commands.refused(*SMALL, "-o", tmp_path / "file" / "out")
    assert f"{tmp_path / 'file' / 'out'} cannot be written (Not a directory)" in sentence


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "No usable temporary directory found"),
        (100_000, "results.jsonl.part cannot be written (File too large)"),
    ],
)
def test_full_disk_in_a_run(size: int, words: str, tmp_path: Path) -> None:
    """A run that the disk has no room for says so, and leaves the last one's files alone."""
    old = {name: f"good {name}" for name in ("results.jsonl", "index.html", "junit.xml")}
    for name, text in old.items():
        (tmp_path / name).write_text(text)
    assert words in commands.refused(*SMALL, "-o", tmp_path, limit=at_most(size))
    assert {name: (tmp_path / name).read_text() for name in old} == old


def test_full_disk_in_a_report(tmp_path: Path) -> None:
    """A page that the disk has no room for does not take the place of the old one."""
    results, page = tmp_path / "results.jsonl", tmp_path / "index.html"
    results.write_text("".join(LINES))
    page.write_text("good")
    sentence = commands.refused("report", results, "--html", page, limit=at_most(10_000))
    assert f"{page} cannot be written (File too large)" in sentence
    assert page.read_text() == "good"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "results.jsonl"]


def test_no_space_left(tmp_path: Path) -> None:
    """No space on a device is said as it is."""
    results = tmp_path / "results.jsonl"
    results.write_text("".join(LINES))
    sentence = commands.refused("report", results, "--html", "/dev/full")
    assert "/dev/full cannot be written (No space left on device)" in sentence
