"""A host of which nothing came is in the page, and nothing of it looks green."""

from __future__ import annotations

from pathlib import Path

import pytest

from matrix.errors import SelectionError
from matrix.merge import merge
from matrix.missing import missing
from matrix.model.result import Outcome
from matrix.render import html, markdown
from matrix.store import read, write
from matrix.workflow import exit_code
from tests import commands, synthetic

STARTED = "2026-01-05T05:00:00+00:00"
HERE = synthetic.report(20, hosts=("py312",))


def test_it_owes_what_another_did() -> None:
    """Merged with the host that it is to be like, it has each of that one's cells, as no-result."""
    merged = merge({"here": HERE, "gone": missing("py39", "not installed", HERE, STARTED)})
    assert merged.counts() == {Outcome.PASS: 20, Outcome.NO_RESULT: 20}
    outcomes = {(cell.host, cell.outcome) for cell in merged.cells()}
    assert outcomes == {("py312", Outcome.PASS), ("py39", Outcome.NO_RESULT)}
    assert exit_code(HERE) == 0
    assert exit_code(merged) == 1


def test_pages_say_why() -> None:
    """The pages name the host that is missing, and the reason."""
    merged = merge({"here": HERE, "gone": missing("py39", "no such <Python>", HERE, STARTED)})
    assert "py39 is missing: no such &lt;Python&gt;" in html.render(merged)
    assert "py39 is missing" in markdown.render(merged)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a\n", "a~1"])
def test_no_name(name: str) -> None:
    """A name that could not be read back beside a cell's id is refused."""
    with pytest.raises(SelectionError, match="is no name for a host"):
        missing(name, "why", HERE, STARTED)


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    """What the command leaves can be read and merged."""
    here, gone = tmp_path / "here.jsonl", tmp_path / "gone.jsonl"
    write(HERE, here)
    ended = commands.run("missing", "py39", "--why", "not there", "--like", here, "-o", gone)
    assert ended.returncode == 0, ended.stderr
    assert read(gone).plan.hosts[0].cells == HERE.plan.hosts[0].cells
    assert read(gone).footer is not None


def test_a_name_is_for_one_host() -> None:
    """A name is for one host, and must be one that can be read back."""
    assert "one --python" in commands.refused(
        "run", "--host", "x", "--python", "a", "--python", "b"
    )
    assert "is no name" in commands.refused("run", "--host", "a b")
