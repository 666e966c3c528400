"""The catalogue of scenarios and the table of rules, for the terminal and for the docs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from matrix.model.scenarios import NEVER_FULL, SCENARIOS, WAS_FULL, Scenario
from matrix.rules import RULES, Rule

_STATES = {
    WAS_FULL: "The state is proved first; the peer then drains.",
    NEVER_FULL: "Not about a full connection.",
}


def scenarios() -> RenderableType:
    """Every scenario by family, for the terminal."""
    parts: list[RenderableType] = []
    for family, members in groupby(SCENARIOS, key=lambda scenario: scenario.family):
        parts.append(Text(f"\n{family}", style="bold"))
        for scenario in members:
            parts += [Text(f"  {scenario.name}"), *(_indented(line) for line in _facts(scenario))]
    return Group(*parts)


def _facts(scenario: Scenario) -> Iterator[str]:
    yield scenario.does
    yield f"Stands for: {scenario.situation}"
    yield f"Source: {scenario.source}"
    if scenario.state in _STATES:
        yield _STATES[scenario.state]
    for only in scenario.only:
        on = f"On {only.reactor} only" if only.reactor else "Only"
        yield f"{on} {only.axis} {', '.join(only.values)}: {only.why}."


def _indented(line: str) -> RenderableType:
    return Padding(Text(line, style="dim"), (0, 0, 0, 6))


def rules() -> RenderableType:
    """Every rule, for the terminal."""
    parts: list[RenderableType] = []
    for rule in RULES:
        parts.append(Text(f"{rule.name} ({_about(rule)})", style="bold"))
        parts += [_indented(rule.expects), _indented(rule.source)]
    return Group(*parts)


def _about(rule: Rule) -> str:
    return rule.axis if rule.peer is None else f"{rule.axis}, peer {rule.peer} only"


def scenarios_markdown() -> str:
    """The same as a page of the documentation."""
    lines = ["# Scenarios", "", "This page is printed by `reactor-matrix scenarios`.", ""]
    for family, members in groupby(SCENARIOS, key=lambda scenario: scenario.family):
        lines += [f"## {family.capitalize()}", ""]
        for scenario in members:
            lines += [f"### `{scenario.name}`", ""]
            lines += [line + "\n" for line in _facts(scenario)]
    return "\n".join(lines)


def rules_markdown() -> str:
    """The contract as a page of the documentation."""
    lines = ["# Rules", "", "This page is printed by `reactor-matrix rules`.", ""]
    for rule in RULES:
        lines += [f"## `{rule.name}`", "", f"Axis: {_about(rule)}.", ""]
        lines += [rule.expects, "", f"Source: {rule.source}", ""]
    return "\n".join(lines)
