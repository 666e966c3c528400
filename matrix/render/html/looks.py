"""How an outcome looks: always a glyph, a letter and a word, so that colour only repeats them."""

from __future__ import annotations

from attrs import frozen

from matrix.model.result import Outcome


@frozen
class Look:
    """The marks of one outcome, and what it means."""

    glyph: str
    letter: str
    meaning: str


LOOKS = {
    Outcome.PASS: Look("✓", "P", "proved, and no rule broken"),
    Outcome.FAIL: Look("✗", "F", "a rule was broken"),
    Outcome.CRASH: Look("↯", "C", "the process died"),
    Outcome.TIMEOUT: Look("◔", "T", "killed by the deadline"),
    Outcome.ERROR: Look("!", "E", "the harness itself failed"),
    Outcome.INCONCLUSIVE: Look("?", "I", "not-writeable never proved, nothing tested"),
    Outcome.NO_RESULT: Look("∅", "N", "planned, and nothing came back"),
    Outcome.UNSUPPORTED: Look("–", "U", "cannot exist here"),
}
