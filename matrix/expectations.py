"""Known failures: which attempts were to be expected, on which hosts, why, and until when.

A file of expectations is TOML, a table for each known defect; a TOML comment may say more:

    [uvloop_reset_unread]
    cells = ["uvloop/tcp*/*/*/reactor"]     # patterns of cell ids, as of fnmatch
    when = { uvloop = ">=0.14" }            # left out: on every host
    outcome = "fail"
    rules = ["peer-lost-once"]              # of a fail: the rules that may be broken
    said = 'connectionLost came 0 times'    # if it matters: what they say, a regular expression
    reason = "uvloop drops the reader of a socket that was reset"
    link = "https://github.com/MagicStack/uvloop/issues/552"
    expires = 2027-11-30                    # the last day on which it is expected

A condition names what a host says of itself. For `VERSIONS` it is a version specifier (PEP 440),
for `TEXTS` a pattern (fnmatch); all of an entry's have to hold. Where one of several is enough,
each has an entry of its own.

That is what a marker of PEP 508 says (``twisted >= "24.3" and python_version < "3.12"``), in a
table. It is no marker, since those have a closed set of names: `packaging` reads none with the
version of Twisted, OpenSSL or uvloop in it, and these are what nearly every condition is about. In
a table a name that is misspelt can be refused, with those that there are.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any

from attrs import evolve, frozen
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from matrix.errors import ExpectationsError
from matrix.model.cell import Cell
from matrix.model.report import Report
from matrix.model.result import Outcome, Result, Verdict
from matrix.rules import RULES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VERSIONS = (
    "python",
    "openssl",
    "twisted",
    "pyopenssl",
    "cryptography",
    "service-identity",
    "uvloop",
    "pygobject",
    "qt-reactor",
    "shiboken6",
    "twisted-iocpsupport",
)
"""What a host tells the version of."""

TEXTS = ("platform", "machine")
"""What a host tells of itself in words."""

OUTCOMES = (Outcome.FAIL, Outcome.TIMEOUT, Outcome.CRASH)
"""What can be expected. After any other outcome that is not accepted, nothing was tested."""


PLACEHOLDER = "TODO"
"""What a reason and a link begin with that a person has yet to write."""


@frozen
class Expectation:
    """A known failure: these cells, on hosts of which ``when`` holds, may end with ``outcome``.

    ``rules`` are the ones that may be broken then, for a fail; ``link`` leads to a ticket, or is
    the path of a reproduction. After the day ``expires`` nothing of it is expected any more.
    ``said`` is a regular expression: of what such a rule says was seen, each part is so.
    """

    name: str
    cells: tuple[str, ...]
    when: Mapping[str, str]
    outcome: Outcome
    rules: frozenset[str]
    reason: str
    link: str
    expires: date
    said: str = ".*"

    def speaks_of(self, provenance: Mapping[str, str], cell: Cell) -> bool:
        """Whether it is about this cell on a host of that provenance, at whatever date."""
        is_meant = any(fnmatchcase(cell.id, pattern) for pattern in self.cells)
        return is_meant and self.holds_on(provenance)

    def fits(self, verdict: Verdict) -> bool:
        """Whether the verdict is of the outcome that it announces, by one of its rules at least."""
        return self.outcome is verdict.outcome and bool(
            self.explained(verdict) or not verdict.broken
        )

    def explained(self, verdict: Verdict) -> frozenset[str]:
        """The broken rules of a verdict that it explains."""
        broken = self.rules.intersection(verdict.broken)
        return frozenset(rule for rule in broken if self._has_said(rule, verdict))

    def _has_said(self, rule: str, verdict: Verdict) -> bool:
        begun = f"{rule}: "
        texts = [each[len(begun) :] for each in verdict.reasons if each.startswith(begun)]
        parts = [part for text in texts or [""] for part in text.split("; ")]
        return all(re.fullmatch(self.said, part, re.DOTALL) for part in parts)

    def holds_on(self, provenance: Mapping[str, str]) -> bool:
        """Whether every condition holds on a host; what the host does not tell holds nothing."""
        return all(
            name in provenance and _holds(name, condition, provenance[name])
            for name, condition in self.when.items()
        )


def expected(
    expectations: Iterable[Expectation],
    provenance: Mapping[str, str],
    cell: Cell,
    verdict: Verdict,
    today: date,
) -> str | None:
    """Why this very verdict was to be expected, with links; None where it was not.

    It was if at least one expectation explains it, and all of them together explain every rule
    that is broken: one defect must not hide another.
    """
    broken = frozenset(verdict.broken)
    fitting = [
        each
        for each in expectations
        if each.fits(verdict) and today <= each.expires and each.speaks_of(provenance, cell)
    ]
    if broken.difference(*(each.explained(verdict) for each in fitting)):
        return None
    return "; ".join(f"{each.reason} ({each.link})" for each in fitting) or None


def explain(report: Report, expectations: Iterable[Expectation], today: date) -> Report:
    """The same report, in which an attempt is expected if these expectations expect it."""
    known, told = tuple(expectations), {host.id: host.provenance for host in report.hosts}

    def explained(result: Result) -> Result:
        if result.fault is not None or result.verdict.outcome.is_accepted:
            return result if result.expected is None else evolve(result, expected=None)
        why = expected(known, told[result.host], result.cell, result.verdict, today)
        return result if why == result.expected else evolve(result, expected=why)

    return evolve(report, results=tuple(map(explained, report.results)))


def shipped() -> tuple[Expectation, ...]:
    """What today's Twisted, and what runs under it, is known to get wrong."""
    source = resources.files("matrix") / "expectations.toml"
    return parse(source.read_text(encoding="utf-8"), source.name)


def load(path: Path) -> tuple[Expectation, ...]:
    """The expectations in a file; `ExpectationsError` says what about it is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ExpectationsError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ExpectationsError(f"Cannot read {path}: save it as UTF-8.") from error
    found = parse(text, str(path))
    for each in found:
        for field, value in (("reason", each.reason), ("link", each.link)):
            if value.startswith(PLACEHOLDER):
                raise ExpectationsError(
                    f"Expectation {each.name} in {path}: its {field} is still the placeholder; "
                    "find out what is broken and say it there, or take the entry out."
                )
    return found


def parse(text: str, source: str) -> tuple[Expectation, ...]:
    """The expectations in a text; ``source`` is what `ExpectationsError` calls it."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ExpectationsError(f"Cannot read {source}: it is not TOML: {error}.") from error
    return tuple(_entry(source, name, table) for name, table in tables.items())


def _holds(name: str, condition: str, told: str) -> bool:
    if name in TEXTS:
        return fnmatchcase(told, condition)
    version = version_of(told)
    return version is not None and SpecifierSet(condition).contains(version, prereleases=True)


def version_of(told: str) -> Version | None:
    """The version in ``CPython 3.11.7`` or ``OpenSSL 1.1.1w  11 Sep 2023``, or None."""
    found = re.search(r"(\d+(?:\.\d+)*)\S*", told)
    if found is None:
        return None
    try:
        return Version(found[0])
    except InvalidVersion:
        return Version(found[1])


def _entry(source: str, name: str, table: object) -> Expectation:
    try:
        if not isinstance(table, dict):
            raise ValueError("it stands outside of any table; write [a-name] above it")
        return _expectation(name, table)
    except ValueError as error:
        raise ExpectationsError(f"Expectation {name} in {source}: {error}.") from error


def _expectation(name: str, table: dict[str, Any]) -> Expectation:
    _among("field", table, _FIELDS)
    raw = {"rules": [], "when": {}, "said": ".*", **table}
    for key, (is_good, example) in _FIELDS.items():
        if not is_good(raw.get(key)):
            raise ValueError(f"{key} is missing or amiss; write, for instance, {key} = {example}")
    _among("rule", raw["rules"], [rule.name for rule in RULES])
    outcome = _outcome(raw["outcome"])
    if bool(raw["rules"]) is not (outcome is Outcome.FAIL):
        raise ValueError("a fail, and nothing else, breaks rules; name them in its rules")
    rules, cells = frozenset(raw["rules"]), tuple(raw["cells"])
    when = {key: _condition(key, text) for key, text in raw["when"].items()}
    told = (raw["reason"], raw["link"], raw["expires"], _pattern(raw["said"]))
    return Expectation(name, cells, when, outcome, rules, *told)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"said = {text!r} is no regular expression: {error}") from error
    return text


def _outcome(text: str) -> Outcome:
    _among("outcome to expect", [text], [outcome.value for outcome in OUTCOMES])
    return Outcome(text)


def _condition(name: str, text: str) -> str:
    _among("condition", [name], (*VERSIONS, *TEXTS))
    try:
        if name in VERSIONS:
            SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError(f'{name} = "{text}" specifies no versions; write, say, ">=24.3"') from None
    return text


def _among(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = tuple(known)
    for name in names:
        if name not in known:
            raise ValueError(f"there is no {what} {name!r}; write one of {', '.join(known)}")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_conditions(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_day(value: object) -> bool:
    return type(value) is date  # a time of day is a date too, but none that TOML can compare


_FIELDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "cells": (lambda value: _are_texts(value) and bool(value), '["uvloop/tcp*/*/*/reactor"]'),
    "when": (_are_conditions, '{ twisted = ">=24.3" }'),
    "outcome": (_is_text, '"fail"'),
    "rules": (_are_texts, '["peer-lost-once"]'),
    "said": (_is_text, "'connectionLost came [02] times'"),
    "reason": (_is_text, '"what is broken, and where"'),
    "link": (_is_text, '"https://github.com/twisted/twisted/issues/9462"'),
    "expires": (_is_day, "2027-11-30"),
}
