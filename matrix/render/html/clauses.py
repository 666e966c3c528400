"""The rules as the page's readers see them."""

from __future__ import annotations

from functools import cache

from attrs import frozen

from matrix import rules


@frozen
class Clause:
    """A rule for people to read; ``axis`` is empty where the rule is unknown here."""

    name: str
    axis: str
    expects: str
    source: str


@cache
def clause(name: str) -> Clause:
    """The rule of that name, also where it is a name from another version's file."""
    known = rules.rule(name)
    if known is None:
        return Clause(name, "", "A rule that this version does not know.", "")
    return Clause(name, known.axis, known.expects, known.source)
