"""A badge is green only where all is well, and both kinds of it say the same."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from attrs import evolve

from matrix.model.report import Footer, Report
from matrix.model.result import Outcome
from matrix.render import badge
from tests import synthetic
from tests.render.hostile import hostile

GOOD = synthetic.report(20)
GREEN = "#1a6b3c"


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (GOOD, "20 passed"),
        (synthetic.report(20, {Outcome.FAIL: 2}), "2 not accepted, 18 passed"),
        (synthetic.report(20, {Outcome.NO_RESULT: 1}), "1 not accepted, 19 passed"),
        (synthetic.report(20, {Outcome.UNSUPPORTED: 20}), "nothing ran"),
        (synthetic.report(20, uncaught=1), "not valid"),
        (evolve(GOOD, footer=None), "did not come to its end"),
        (evolve(GOOD, footer=Footer("", 0, "SIGINT")), "did not come to its end"),
    ],
)
def test_words_and_colour(report: Report, words: str) -> None:
    """Picture and endpoint have the same words, and are green where every cell was accepted."""
    picture, endpoint = badge.render(report), json.loads(badge.render_json(report))
    assert ET.fromstring(picture).get("aria-label") == f"reactor-matrix: {words}"
    assert (endpoint["schemaVersion"], endpoint["label"]) == (1, "reactor-matrix")
    assert endpoint["message"] == words
    assert (GREEN in picture) is (f"#{endpoint['color']}" == GREEN) is (report is GOOD)


def test_hostile_report() -> None:
    """No text of a report gets into a badge."""
    assert "script" not in badge.render(hostile()) + badge.render_json(hostile())
