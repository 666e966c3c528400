"""Whole agents that misbehave: a run ends by itself, and says what it knows, which is little."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from matrix.errors import AgentError
from matrix.manager import conversation
from matrix.manager.interpreters import Interpreter
from matrix.manager.run import play_cells
from matrix.model.cell import Cell
from matrix.model.result import Outcome, Result
from tests import miniatures

pytestmark = pytest.mark.usefixtures("no_folder_is_left")

CELLS = (
    Cell("mini", "tcp4", "abort-when-full", "client", "socket"),
    Cell("mini", "tcp4", "abort-when-full", "server", "socket"),
)


def play(interpreter: Interpreter, deadline: float = 30) -> list[Result]:
    """The results of two cells that are handed to that agent, one after the other."""
    return asyncio.run(play_cells(CELLS, interpreter, (), deadline, in_flight=1))


# No hello -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("dies_at_hello", "cannot play: out of order."),
        ("greets_in_garbage", "cannot play: it printed nothing."),
        ("greets_with_a_list", "does not speak as an agent of this version does"),
        ("greets_with_too_little", "field faults is missing"),
        ("greets_from_the_future", "its protocol is 2, not 1"),
        ("greets_without_end", "cannot play: it printed nothing."),
    ],
)
def test_no_hello(name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent without a proper hello is one sentence about its interpreter, and it is ended."""
    monkeypatch.setattr(conversation, "LINE_LIMIT", 1 << 20)
    with pytest.raises(AgentError) as caught:
        play(miniatures.agent(name, tmp_path))
    assert words in str(caught.value)
    assert f"{name}.py" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_hello_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that says nothing is given up, and ended."""
    monkeypatch.setattr(conversation, "HELLO_LIMIT", 0.2)
    with pytest.raises(AgentError, match=r"said nothing for 0\.2 s\. Is it a Python\?"):
        play(miniatures.agent("says_nothing", tmp_path))


def test_no_twisted() -> None:
    """For a Python without Twisted the sentence says how to install it there."""
    isolated = Interpreter((sys.executable, "-S"))
    with pytest.raises(AgentError, match=r"No module named 'twisted'.*-S -m pip install twisted"):
        play(isolated)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("cat",), "cat cannot play: Try 'cat --help' for more information."),
        (("no-such-python",), "no-such-python could not be started: No such file or directory."),
        ((os.devnull,), "could not be started: Permission denied."),
    ],
)
def test_no_python(command: tuple[str, ...], words: str) -> None:
    """What is no Python, or is not there, is one sentence that says so."""
    with pytest.raises(AgentError) as caught:
        play(Interpreter(command))
    assert words in str(caught.value)


# No answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "answers_in_garbage",
        "answers_with_a_list",
        "answers_nested",
        "answers_with_numbers",
        "answers_with_words_for_status",
        "answers_for_others",
        "answers_without_end",
    ],
)
def test_no_answers(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that answers nonsense is ended, what it was doing has no result, the run goes on."""
    monkeypatch.setattr(conversation, "LINE_LIMIT", 1 << 20)
    results = play(miniatures.agent(name, tmp_path))
    assert [result.verdict.outcome for result in results] == [Outcome.NO_RESULT] * 2
    assert "the agent wrote what is no answer" in results[0].verdict.reasons[0]


def test_silent_agent_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that gives no sign of life is lost, and no other is waited for in its place."""
    monkeypatch.setattr(conversation, "BEAT", 0.1)
    monkeypatch.setattr(conversation, "SILENCE_LIMIT", 0.2)
    results = play(miniatures.agent("answers_nothing", tmp_path))
    assert [result.verdict.outcome for result in results] == [Outcome.NO_RESULT] * 2
    assert "is given up: the agent said nothing for 0.2 s" in results[0].verdict.reasons[0]


def test_job_without_end_has_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that gives signs of life, and does not end its processes, is ended itself."""
    monkeypatch.setattr(conversation, "ANSWER_LIMIT", 0.2)
    monkeypatch.setattr(conversation, "BEAT", 0.1)
    results = play(miniatures.agent("answers_signs_of_life_alone", tmp_path), deadline=0.1)
    assert [result.verdict.outcome for result in results] == [Outcome.NO_RESULT] * 2
    assert "did not end a process within 0.2 s of its deadline" in results[0].verdict.reasons[0]


def test_agent_that_dies_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an agent dies another is started, and what the first was doing is not done again."""
    monkeypatch.setenv("MINIATURE_MARKER", str(tmp_path / "marker"))
    first, second = play(miniatures.agent("does_a_cell_and_dies", tmp_path))
    assert first.verdict.outcome is Outcome.NO_RESULT
    assert second.verdict.outcome is Outcome.INCONCLUSIVE


# Answers that are not true ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("says_nothing_of_it", Outcome.CRASH),
        ("claims_all_is_well", Outcome.INCONCLUSIVE),
        ("claims_a_proof", Outcome.INCONCLUSIVE),
    ],
)
def test_claims_are_no_pass(name: str, outcome: Outcome, tmp_path: Path) -> None:
    """An agent that says that all went well, and has nothing to show for it, gets no pass."""
    results = play(miniatures.agent(name, tmp_path))
    assert [result.verdict.outcome for result in results] == [outcome] * 2
