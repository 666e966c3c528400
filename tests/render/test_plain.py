"""Hostile text becomes a picture of itself."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matrix.render.plain import clip, one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain, ünïcödé ✓ 漢字", "plain, ünïcödé ✓ 漢字"),
        ("\x1b]8;;http://example.invalid\x07", "␛]8;;http://example.invalid␇"),
        ("a\x00b\x7f\x9b", "a␀b⟨U+007F⟩⟨U+009B⟩"),
        ("\u202egpj.exe", "⟨U+202E⟩gpj.exe"),
        ("\u2066\u200b\ufeff\u2028", "⟨U+2066⟩⟨U+200B⟩⟨U+FEFF⟩⟨U+2028⟩"),
        ("\ud800", "⟨U+D800⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        ("a\r\nb\tc", "a␍\nb\tc"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    """What acts is shown as a picture, and what is merely text stays."""
    assert visible(text) == shown


@settings(deadline=None)
@given(st.text(st.characters()))
def test_nothing_is_left_that_acts(text: str) -> None:
    """No text keeps a control, format, unassigned or surrogate character."""
    categories = {unicodedata.category(char) for char in one_line(text)}
    assert categories.isdisjoint({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
    assert visible(visible(text)) == visible(text)


def test_one_line_has_no_line_end() -> None:
    """Line ends and tabs are shown where a line cannot end."""
    assert one_line("a\n\tb") == "a␊␉b"


def test_clip_keeps_both_ends() -> None:
    """Long text says how much of it is missing."""
    assert clip("a" * 10, 10) == "a" * 10
    assert clip("a" * 6 + "b" * 2_006, 12) == "aaaaaa … 2,000 characters left out … bbbbbb"
