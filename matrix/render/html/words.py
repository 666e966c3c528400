"""Values of events, counts and times as words: each is written alike here and in `page.js`."""

from __future__ import annotations

import re
from datetime import datetime
from math import isfinite
from typing import Any, TypeAlias

from matrix.render.plain import clip, visible

Datum: TypeAlias = int | str | None
"""A value that Python and the page's script write in the same way (a bool is an int)."""

_ADDRESS = re.compile(r"(https://[\w./#?=&%~+-]+)", re.ASCII)
EXACT = 2**53
"""Past this, the script's numbers are not exact."""
LIMIT = 2_000
"""Characters shown of one value."""
DEPTH = 4
"""Levels shown of a nested one."""


def datum(value: Any, depth: int = DEPTH) -> Datum:
    """A field of an event as a value that is safe to show; what is nested becomes text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < EXACT:
        return value
    return visible(clip(_text(value, depth), LIMIT))


def word(value: Datum) -> str:
    """A datum for people to read."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else value


def milliseconds(microseconds: int) -> str:
    """For instance ``61.24 ms``."""
    return f"{microseconds // 1000:,}.{microseconds % 1000 // 10:02d} ms"


def links(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is an address that a reader may follow."""
    return [(piece, n % 2 == 1) for n, piece in enumerate(_ADDRESS.split(text)) if piece]


def percent(thousandths: int) -> str:
    """A place along an axis as SVG writes it."""
    return f"{thousandths // 10}.{thousandths % 10}%"


def number(count: int, noun: str) -> str:
    """A count with its noun: ``1 cell``, ``2,000 cells``."""
    return f"{count:,} {noun if count == 1 else noun + 's'}"


def moment(stamp: str) -> str:
    """An ISO date and time for people to read; any other text as it is."""
    return _written(stamp, "%d %B %Y, %H:%M %Z").strip(", ")


def day(stamp: str) -> str:
    """The date alone."""
    return _written(stamp, "%d %B %Y")


def _written(stamp: str, form: str) -> str:
    try:
        return datetime.fromisoformat(stamp).strftime(form).lstrip("0")
    except ValueError:
        return stamp


def _text(value: Any, depth: int) -> str:
    if not depth:
        return "…"
    if isinstance(value, float):
        return f"{value:.6g}" if isfinite(value) else "not a number"
    if isinstance(value, dict) and {"type", "message"} <= value.keys():
        return f"{value['type']}: {value['message']}"
    if isinstance(value, dict):
        value = [f"{key} {word(datum(each, depth - 1))}" for key, each in value.items()]
    if isinstance(value, list | tuple):
        return ", ".join(word(datum(each, depth - 1)) for each in value) or "none"
    return str(value)
