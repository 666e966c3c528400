"""Text from tested programs as mere text: nothing in it may act on a terminal, a file or a reader.

What acts instead of being seen is replaced by a picture of it: control characters (and with them
terminal escapes), bidi overrides, zero-width and unassigned characters, lone surrogates.
"""

from __future__ import annotations

from unicodedata import category

_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
_KEPT = "\n\t"


class _Pictures(dict[int, str]):
    """What each character is shown as; a table that grows with the characters that it meets."""

    def __missing__(self, code: int) -> str:
        self[code] = _picture(code)
        return self[code]


def _picture(code: int) -> str:
    char = chr(code)
    if char in _KEPT or category(char) not in _UNSEEN:
        return char
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"


_PICTURES = _Pictures()
_ONE_LINE = str.maketrans({"\n": "␊", "\t": "␉"})


def visible(text: str) -> str:
    r"""The text with a picture for every character that would act; lines and tabs stay.

    >>> visible("\x1b[31m\u202e")
    '␛[31m⟨U+202E⟩'
    """
    return text if text.isascii() and text.isprintable() else text.translate(_PICTURES)


def one_line(text: str) -> str:
    r"""`visible` for where a line cannot end: line ends and tabs become pictures too.

    >>> one_line("a\nb")
    'a␊b'
    """
    return visible(text).translate(_ONE_LINE)


def clip(text: str, limit: int) -> str:
    """The text, or about ``limit`` characters of its ends and how many are left out between."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]} … {len(text) - 2 * half:,} characters left out … {text[-half:]}"
