"""What the terminal shows, in colour or without, and never what a tested program makes it do."""

from __future__ import annotations

import io
import re
import unicodedata
from typing import Literal

import pytest
from attrs import evolve
from rich.cells import cell_len
from rich.console import Console, RenderableType

from matrix.model.report import Footer, Plan, Planned
from matrix.model.result import Outcome, Result
from matrix.model.transcript import Event
from matrix.render import terminal
from matrix.render.sentence import verdict_sentence
from tests import synthetic
from tests.render.hostile import hostile

EVERY = synthetic.report(40, synthetic.EVERY_OUTCOME, repeat=2, flaky=1)
FAILED = next(r for r in EVERY.results if r.verdict.broken)
PASSED = next(r for r in EVERY.results if r.verdict.outcome is Outcome.PASS)


def printed(shown: RenderableType, *, is_terminal: bool = False, width: int = 80) -> str:
    """What arrives at a terminal, or at a pipe, of that width."""
    file = io.StringIO()
    colours: Literal["truecolor", "auto"] = "truecolor" if is_terminal else "auto"
    console = Console(file=file, width=width, force_terminal=is_terminal, color_system=colours)
    console.print(shown)
    return file.getvalue()


def words(shown: RenderableType) -> str:
    """The same without line breaks."""
    return " ".join(printed(shown, width=200).split())


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests are run in must not decide how things look."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


# Summary ------------------------------------------------------------------------------------------


def test_summary_ends_with_the_verdict() -> None:
    """The last thing on the screen is the sentence of verdict."""
    assert words(terminal.summary(EVERY)).endswith(verdict_sentence(EVERY))


def test_summary_says_every_outcome_in_words() -> None:
    """Without any colour, all outcomes and all reasons can be read."""
    found = words(terminal.summary(EVERY))
    for cell in EVERY.cells():
        assert cell.outcome.value in found
        assert (f"{cell.cell.id} on linux" in found) is not cell.outcome.is_accepted
    assert "kqueue (wrong-platform)" in found
    assert "killed after 30 s" in found


def test_long_lists_are_cut() -> None:
    """Thousands of failures leave the verdict in sight."""
    report = synthetic.report(2_000, {Outcome.FAIL: 2_000})
    found = printed(terminal.summary(report))
    assert "… and 1,980 more" in found
    assert found.count("\n") < 1_000


def test_known_defects_are_told_apart() -> None:
    """What failed as expected comes with the reason for it."""
    known = evolve(FAILED, expected="bug #1")
    plan = Plan("", (Planned("linux", (known.cell,)),))
    found = words(terminal.summary(evolve(EVERY, plan=plan, results=(known,))))
    assert f"fail as expected {known.cell.id} on linux bug #1" in found
    assert "expected: bug #1" in words(terminal.timeline(known))


def test_run_says_how_quick_it_was() -> None:
    """A run ends with its seconds and cells per second; what is read or merged was not timed."""
    report = synthetic.report(100, {Outcome.UNSUPPORTED: 20})
    assert report.footer is not None
    timed = evolve(report, footer=evolve(report.footer, duration=16.0))
    said = "80 attempts in 16.0 s: 5.0 cells/s, with"
    assert said in words(terminal.summary(timed, is_run=True))
    assert said not in words(terminal.summary(timed))


def test_known_defects_are_told_once() -> None:
    """Of the cells that fail for the same reason one is named and the others are counted."""
    cells = [evolve(FAILED.cell, reactor=name) for name in ("epoll", "poll", "select")]
    results = tuple(evolve(FAILED, cell=cell, expected="bug #1") for cell in cells)
    plan = Plan("", (Planned("linux", tuple(cells)),))
    found = words(terminal.summary(evolve(EVERY, plan=plan, results=results)))
    assert f"fail as expected {cells[0].id} on linux and 2 more bug #1" in found
    assert found.count("bug #1") == 1


def test_uncaught_faults_are_shown() -> None:
    """What makes the run invalid is told in full."""
    report = synthetic.report(40, uncaught=1)
    assert report.missed_faults()[0] in words(terminal.summary(report))


# Progress -----------------------------------------------------------------------------------------


def test_progress_grows() -> None:
    """The matrix has all squares from the start, and each counts up to what its plan owes."""
    shown = terminal.Progress(EVERY.plan)
    start = printed(shown)
    assert start.count("0/16") == 5
    assert "0 of 80 attempts" in start
    for result in EVERY.results:
        shown.add(result)
    end = " ".join(printed(shown).split())
    assert f"{len(EVERY.results) - len(EVERY.faults())} of 80 attempts" in end
    assert f"{len(EVERY.faults())} of {len(EVERY.faults())} deliberate faults played" in end
    assert "fail" in end


def test_progress_of_a_finished_square() -> None:
    """A square whose cells all passed says so in two words."""
    report = synthetic.report(40)
    shown = terminal.Progress(report.plan)
    for result in report.results:
        shown.add(result)
    assert printed(shown).count("8 pass") == 5


def test_progress_bears_what_was_not_planned() -> None:
    """A result that the plan does not owe changes nothing."""
    shown = terminal.Progress(EVERY.plan)
    before = printed(shown)
    shown.add(evolve(FAILED, host="elsewhere"))
    assert printed(shown) == before


def test_live_progress_on_a_terminal() -> None:
    """The matrix is there while results come in, and gone from the screen afterwards."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, height=40)
    with terminal.progress(EVERY.plan, console) as shown:
        shown.add(FAILED)
    assert "tls1.3" in file.getvalue()
    assert "\x1b[2K" in file.getvalue()


def test_no_live_progress_in_a_pipe() -> None:
    """Logs are not filled with copies of a table."""
    file = io.StringIO()
    with terminal.progress(EVERY.plan, Console(file=file)) as shown:
        shown.add(FAILED)
    assert file.getvalue() == ""


# One attempt --------------------------------------------------------------------------------------


def test_timeline_explains_a_failure() -> None:
    """Outcome, broken rule, what was expected by which sentence and what was seen, and events."""
    found = words(terminal.timeline(FAILED))
    name = FAILED.verdict.broken[0]
    for part in (FAILED.cell.id, f"{name} is broken", "expected: ", "by: ", "seen: seen twice"):
        assert part in found
    for event in FAILED.transcript.events:
        assert event.name in found


def test_timeline_names_the_kernel() -> None:
    """What is the kernel's doing is said in words, and is no broken rule."""
    verdict = evolve(PASSED.verdict, attributed=("peer-told: the witness saw fin",))
    found = words(terminal.timeline(evolve(PASSED, verdict=verdict)))
    assert "the kernel's doing: peer-told: the witness saw fin" in found


def test_timeline_of_every_outcome() -> None:
    """Whatever an attempt came to, its reason, ending and output are shown."""
    for result in EVERY.results:
        found = words(terminal.timeline(result))
        assert result.verdict.outcome.value in found
        assert result.transcript.ending.how.value in found
        for reason in result.verdict.reasons:
            assert reason.partition(": ")[2] in found
        for output in (result.transcript.stderr, result.transcript.garbage):
            assert " ".join(output.split()) in found


def test_same_events_in_a_row_are_folded() -> None:
    """Twenty looks at the same full connection are one line, with first and last time."""
    sample = Event(0.001, "aborter", "sample", {"held": 5, "tcp": {"snd_wnd": 0}})
    events = tuple(evolve(sample, t=0.001 * n) for n in range(1, 21))
    result = evolve(FAILED, transcript=evolve(FAILED.transcript, events=events))
    found = words(terminal.timeline(result))
    assert found.count("sample") == 1
    assert "held 5, tcp (snd_wnd 0); the same 19 times more, until 20.000 ms" in found


def test_fault_is_named() -> None:
    """A negative control is not mistaken for a result of its cell."""
    played = EVERY.faults()[0]
    assert f"with the deliberate fault {played.fault}" in words(terminal.timeline(played))


# Any terminal, any text ---------------------------------------------------------------------------


def _everything(is_hostile: bool) -> list[RenderableType]:
    report = hostile() if is_hostile else EVERY
    shown = terminal.Progress(report.plan)
    for result in report.results:
        shown.add(result)
    worst: list[Result] = [r for r in report.results if not r.verdict.outcome.is_accepted]
    return [terminal.summary(report), shown, *map(terminal.timeline, worst)]


@pytest.mark.parametrize("is_hostile", [False, True])
def test_80_columns_are_enough(is_hostile: bool) -> None:
    """No line is longer than the terminal is wide."""
    for shown in _everything(is_hostile):
        assert max(map(cell_len, printed(shown).splitlines())) <= 80


def test_no_colour_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR and pipes get the same words without a single colour."""
    for shown in _everything(is_hostile=False):
        coloured = printed(shown, is_terminal=True)
        piped = printed(shown)
        monkeypatch.setenv("NO_COLOR", "1")
        plain = printed(shown, is_terminal=True)
        monkeypatch.delenv("NO_COLOR")
        assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == piped
        assert "\x1b" not in piped
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", plain)


def test_hostile_text_does_nothing() -> None:
    """Of what a tested program wrote, not one control character reaches the terminal."""
    for shown in _everything(is_hostile=True):
        seen = re.sub(r"\x1b\[[0-9;]*m", "", printed(shown, is_terminal=True)).replace("\n", "")
        kept = {unicodedata.category(char) for char in seen}
        assert kept.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})


def test_markup_is_not_obeyed() -> None:
    """Square brackets are text, not rich's markup or an emoji code."""
    report = evolve(EVERY, footer=Footer("", 1.0, "[bold]loud[/bold] :bomb: [/]"))
    assert "[bold]loud[/bold] :bomb: [/]" in words(terminal.summary(report))
