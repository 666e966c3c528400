"""A line that was skimmed says what it says to those who read all of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from matrix import wire
from matrix.lines import entry_line, parse_transcript
from matrix.model.report import Report
from matrix.skim import skim
from tests.strategies import reports
from tests.synthetic import EVERY_OUTCOME, report

LINE = b'{"type": "result", "events": [{"t": 1, "side": "peer", "event": "told", "data": %s}]}'


def lines(shown: Report) -> list[str]:
    """The lines of all results."""
    return [entry_line(result) for result in shown.results]


@given(reports())
def test_what_is_skimmed_is_what_json_reads(shown: Report) -> None:
    """Whatever a line holds, skimming it gives what `json` gives, or leaves it to `json`."""
    for line in lines(shown):
        skimmed = skim(line.encode())
        if skimmed is not None:
            raw, seen = skimmed
            assert raw == {**json.loads(line), "events": []}
            assert seen == parse_transcript(line).glance


def test_usual_lines_are_skimmed() -> None:
    """No line of a usual run is left to `json`, and its glance is that of the transcript."""
    shown = report(40, EVERY_OUTCOME)
    skimmed = [skim(line.encode()) for line in lines(shown)]
    assert [each and each[1] for each in skimmed] == [r.transcript.glance for r in shown.results]
    assert {r.glance.proof for r in shown.results} == {None, wire.TCP_INFO}


@pytest.mark.parametrize(
    "data",
    [
        b'"\\ud800"',
        b'"\xff"',
        b'"\x01"',
        b'"\\x"',
        b'"',
        b"NaN",
        b"-Infinity",
        b"01",
        b"1.",
        b"[1,]",
        b'{"a" 1}',
        b"[[]",
        b"",
        b"\xc2\xa01",
    ],
)
def test_what_is_odd_is_left_to_json(data: bytes) -> None:
    """Nothing slips through in the part of a line that is only looked through."""
    assert skim(LINE % b"1") is not None
    assert skim(LINE % data) is None


@pytest.mark.parametrize(
    "events",
    [b"[[]]", b'[{"t": 1, "side": "a"}]', b'[{"t": true, "side": "a", "event": "b"}]', b"{}"],
)
def test_events_are_checked(events: bytes) -> None:
    """What is no event is left to those who say what is wrong about it."""
    assert skim(b'{"type": "result", "events": %s}' % events) is None


@pytest.mark.parametrize("line", [b'{"type": "control", "events": []}', b"[]", b"{}", b"1"])
def test_other_lines_are_left_alone(line: bytes) -> None:
    """Only the lines of results are skimmed: no others have so many events."""
    assert skim(line) is None
