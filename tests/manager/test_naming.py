"""Hosts by name: which command a name stands for, and what is wrong with a table."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from matrix.errors import SettingsError
from matrix.manager.interpreters import Interpreter
from matrix.manager.naming import hosts, interpreters
from matrix.store import read
from tests import commands

HEAD = "[tool.reactor-matrix.hosts]\n"


def test_names_and_commands(tmp_path: Path) -> None:
    """A name stands for its command, and the host is called by it; anything else is a command."""
    (tmp_path / "pyproject.toml").write_text(f'{HEAD}far = "ssh far python3"\n')
    (tmp_path / "reactor-matrix.toml").write_text(f"{HEAD}old = \"'/a b/python' -I\"\n")
    assert interpreters(("old", "python3.12", "far"), tmp_path) == (
        Interpreter(("/a b/python", "-I"), "old"),
        Interpreter(("python3.12",)),
        Interpreter(("ssh", "far", "python3"), "far"),
    )


@pytest.mark.parametrize("text", ["", "[tool.other]\nx = 1\n", "[tool.reactor-matrix]\n", HEAD])
def test_no_names(text: str, tmp_path: Path) -> None:
    """A folder without such a file, and a file without such a table, name no host."""
    assert hosts(tmp_path) == {}
    (tmp_path / "pyproject.toml").write_text(text)
    assert hosts(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[tool", "it is not TOML"),
        ("tool = 1", "tool is no table; write [tool.reactor-matrix.hosts]"),
        ("[tool]\nreactor-matrix = 1", "reactor-matrix is no table"),
        ("[tool.reactor-matrix]\nhosts = []", "hosts is no table"),
        ("[tool.reactor-matrix]\nhost = 'x'", "has hosts, and no host"),
        (HEAD + "old = 1", 'old is no text; write, say, old = "ssh old python3"'),
        (HEAD + "old = ['python']", "old is no text"),
        (HEAD + 'old = ""', "old needs a command that starts a Python"),
        (HEAD + 'old = "\'"', 'old "\'" is no command: No closing quotation'),
        (HEAD + "'o ld' = 'x'", "'o ld' is no name for a host"),
        (HEAD + "a = 'x'\na = 'y'", "it is not TOML"),
    ],
)
def test_bad_tables(text: str, words: str, tmp_path: Path) -> None:
    """A table that does not say which command each name stands for is refused, whole."""
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        hosts(tmp_path)
    assert words in str(caught.value)
    assert str(tmp_path / "pyproject.toml") in str(caught.value)


def test_name_in_both_files(tmp_path: Path) -> None:
    """A name that stands in both files is refused, since neither comes first."""
    for name in ("pyproject.toml", "reactor-matrix.toml"):
        (tmp_path / name).write_text(HEAD + "old = 'python'\n")
    with pytest.raises(SettingsError, match=r"The host old stands in reactor-matrix\.toml and"):
        hosts(tmp_path)


def test_not_utf_8(tmp_path: Path) -> None:
    """A file in another encoding is refused."""
    (tmp_path / "pyproject.toml").write_bytes(b"# \xff")
    with pytest.raises(SettingsError, match="save it as UTF-8"):
        hosts(tmp_path)


def test_hosts_side_by_side(tmp_path: Path) -> None:
    """Two named hosts are probed, and stand in one report under their names."""
    table = f"one = '{sys.executable}'\ntwo = '{sys.executable} -I'\n"
    (tmp_path / "reactor-matrix.toml").write_text(HEAD + table)
    words = ("-r", "select", "-t", "tcp4", "-s", "abort-when-full", "--side", "client")
    where = ("--python", "one", "--python", "two", "-o", "out")
    ended = commands.run("run", *words, *where, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    report = read(tmp_path / "out/results.jsonl")
    assert [(host.id, host.command) for host in report.hosts] == [
        ("one", (sys.executable,)),
        ("two", (sys.executable, "-I")),
    ]
    assert {cell.host for cell in report.cells()} == {"one", "two"}
    assert all("twisted" in host.provenance for host in report.hosts)


def test_table_is_not_read_in_vain(tmp_path: Path) -> None:
    """A table that is amiss concerns only those who ask for a host."""
    (tmp_path / "pyproject.toml").write_text("[tool")
    selection = ("plan", "-r", "select", "-t", "tcp4")
    assert commands.run(*selection, cwd=tmp_path).returncode == 0
    sentence = commands.refused(*selection, "--python", sys.executable, cwd=tmp_path)
    assert "it is not TOML" in sentence
