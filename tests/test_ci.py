"""What CI does: the workflow calls scripts, they say what is missing, a rehearsal plays both."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import evolve

from matrix.lines import dump_lines
from matrix.model.report import Footer
from matrix.model.result import Outcome
from matrix.store import read, write
from tests import synthetic
from tests.test_packaging import ROOT

CI = ROOT / "ci"
WORKFLOW = ROOT / ".github" / "workflows" / "matrix.yml"
JOBS = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]


def ci(
    name: str, *words: str | Path, cwd: Path = ROOT, **env: str
) -> subprocess.CompletedProcess[str]:
    """What a script ends with, called in the root of the project, as if not on GitHub."""
    outside = {k: v for k, v in os.environ.items() if not k.startswith("GITHUB_")}
    is_python = "python" in (CI / name).read_text(encoding="utf-8").split("\n")[0]
    command = [*([sys.executable] if is_python else []), CI / name, *words]
    return subprocess.run(
        command, cwd=cwd, env=outside | env, capture_output=True, text=True, timeout=60
    )


@pytest.fixture(scope="module")
def rehearse() -> Any:
    """The rehearsal, as a module."""
    loader = SourceFileLoader("rehearse", str(CI / "rehearse"))
    module = module_from_spec(spec_from_loader("rehearse", loader))  # type: ignore[arg-type]
    loader.exec_module(module)
    return module


# The workflow -------------------------------------------------------------------------------------


def test_every_step_is_a_script() -> None:
    """What the workflow runs itself are scripts of ci/, which are there and can be run."""
    commands = [step["run"] for step in STEPS if "run" in step]
    scripts = [command.split()[0] for command in commands if not command.startswith("test ")]
    assert {"ci/plan", "ci/shard", "ci/merge", "ci/compare", "ci/issue"} <= set(scripts)
    assert [name for name in scripts if not os.access(ROOT / name, os.X_OK)] == []


def test_actions_are_pinned() -> None:
    """Every action is pinned by a commit, with the release beside it."""
    uses = re.findall(r"uses: (.+)", WORKFLOW.read_text(encoding="utf-8"))
    assert len(uses) == sum("uses" in step for step in STEPS)
    assert [line for line in uses if not re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", line)] == []


def test_every_job_has_limits() -> None:
    """No job runs without a limit on its time, or with permissions that it does not name."""
    assert all(job["timeout-minutes"] <= 60 and "permissions" in job for job in JOBS.values())


# The scripts --------------------------------------------------------------------------------------


def test_a_lost_shard_is_named(tmp_path: Path) -> None:
    """Where a job of the plan left no results, merge fails and names it."""
    job = {"name": "ubuntu, shard 2 of 2", "results": "ubuntu-2-of-2"}
    plan = tmp_path / "plan" / "plan.json"
    plan.parent.mkdir()
    plan.write_text(json.dumps({"include": [job], "not-yet": {}}))
    ended = ci("merge", tmp_path, tmp_path / "site")
    assert ended.returncode == 1
    assert "no results of ubuntu, shard 2 of 2" in ended.stderr
    assert not (tmp_path / "site").exists()


def test_what_tox_could_not_make_is_in_the_page(tmp_path: Path) -> None:
    """Of tox's environments the one without results is missing in the page, and not green."""
    for name in ("py312", "py399"):
        (tmp_path / name).mkdir()
    write(synthetic.report(4, hosts=("py312",)), tmp_path / "py312" / "results.jsonl")
    assert ci("collect", tmp_path).returncode == 1
    merged = read(tmp_path / "report" / "results.jsonl")
    assert merged.counts() == {Outcome.PASS: 4, Outcome.NO_RESULT: 4}
    assert "py399 is missing" in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")


def test_what_tox_has_not_ended_is_in_the_page(tmp_path: Path) -> None:
    """A killed environment has what it wrote, not what an earlier run did; or it is missing."""
    for name, size in (("py311", -3), ("py312", 0)):
        (tmp_path / name).mkdir()
        report = synthetic.report(4, hosts=(name,))
        write(report, tmp_path / name / "results.jsonl")
        lines = list(dump_lines(report))[:size]
        (tmp_path / name / "results.jsonl.part").write_text("".join(lines) + '{"type":')
    assert ci("collect", tmp_path).returncode == 1
    merged = read(tmp_path / "report" / "results.jsonl")
    assert merged.counts() == {Outcome.PASS: 4, Outcome.NO_RESULT: 4}
    assert len(merged.results) == len(report.results) - 2
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "cut off" in page
    assert "py312 is missing" in page


def test_no_environment_of_tox_was_run(tmp_path: Path) -> None:
    """Where there is nothing to put together, that is said."""
    ended = ci("collect", tmp_path)
    assert ended.returncode == 1
    assert "run some environments first" in ended.stderr


def test_nothing_to_compare_with(tmp_path: Path) -> None:
    """Before the first green run nothing has regressed, and the site says why."""
    output = tmp_path / "output"
    assert ci("previous", tmp_path / "old").returncode == 0
    ended = ci("compare", tmp_path / "old", tmp_path, GITHUB_OUTPUT=str(output))
    assert ended.returncode == 0
    assert output.read_text() == "regressed=false\n"
    assert "no green run" in (tmp_path / "changes.md").read_text()


def test_the_trend_goes_on(tmp_path: Path) -> None:
    """What is published has the history of all runs, and their trend; a first run begins one."""
    program = tmp_path / ".venv" / "bin" / "reactor-matrix"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m matrix "$@"\n')
    program.chmod(0o755)
    report = synthetic.report(4, {Outcome.FAIL: 1})
    for name, day in (("one", "2026-01-05"), ("two", "2026-01-06")):
        site = tmp_path / name
        site.mkdir()
        (site / "changes.md").touch()
        write(evolve(report, footer=Footer(f"{day}T04:10:00+00:00", 1.0)), site / "results.jsonl")
    path = {"PYTHONPATH": str(ROOT)}
    for words in (("one",), ("two", "one")):
        ended = ci("publish", *words, cwd=tmp_path, **path)
        assert ended.returncode == 0, ended.stderr
    assert "FF  " in (tmp_path / "two" / "trend.txt").read_text(encoding="utf-8")
    assert (tmp_path / "two" / "index.html").exists()


def test_what_cannot_run_yet_can_be_asked_for() -> None:
    """A system that cannot run yet has its jobs all the same: SYSTEMS may name it."""
    loader = SourceFileLoader("plan", str(CI / "plan"))
    plan = module_from_spec(spec_from_loader("plan", loader))  # type: ignore[arg-type]
    loader.exec_module(plan)
    assert plan.NOT_YET.keys() <= plan.SYSTEMS.keys()


def test_the_issue_is_shown(tmp_path: Path) -> None:
    """Away from GitHub a regression's issue is shown with its text, and otherwise closed."""
    (tmp_path / "changes.md").write_text("epoll/tcp4 broke")
    opened, closed = ci("issue", tmp_path, "true"), ci("issue", tmp_path, "false")
    assert "would have opened" in opened.stdout
    assert "epoll/tcp4 broke" in opened.stdout
    assert "would have closed" in closed.stdout
    assert "epoll/tcp4 broke" not in closed.stdout


# The rehearsal ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("${{ github.event_name }}", "schedule"),
        ("at ${{ github.event_name }}/${{ matrix.name }}", "at schedule/x"),
        ("${{ github.event_name == 'pull_request' && 'quick' || inputs.depth || 'full' }}", "full"),
        ("${{ !cancelled() && github.event_name != 'pull_request' }}", True),
        ("${{ fromJSON(needs.plan.outputs.plan).include }}", [{"name": "x"}]),
        ("${{ needs.judge.outputs.regressed != '' }}", False),
        ("${{ steps.skipped.outputs.x }}", ""),
    ],
)
def test_expressions(rehearse: Any, text: str, expected: object) -> None:
    """The rehearsal reads the workflow's expressions as they are meant."""
    outputs = rehearse.Context(plan='{"include": [{"name": "x"}]}')
    needs = rehearse.Context(
        plan=rehearse.Context(outputs=outputs),
        judge=rehearse.Context(outputs=rehearse.Context()),
    )
    matrix = rehearse.Context(name="x")
    context = rehearse.Context(github=rehearse.GITHUB, matrix=matrix, needs=needs)
    assert rehearse.value(text, context) == expected


@pytest.mark.parametrize(
    ("condition", "so_far", "expected"),
    [
        ("", True, True),
        ("", False, False),
        ("${{ !cancelled() }}", False, True),
        ("${{ github.event_name == 'schedule' }}", False, False),
        ("${{ github.event_name == 'pull_request' }}", True, False),
    ],
)
def test_what_runs(rehearse: Any, condition: str, so_far: bool, expected: bool) -> None:
    """After a failure only that runs which says so."""
    assert rehearse.runs(condition, so_far, rehearse.Context(github=rehearse.GITHUB)) is expected
