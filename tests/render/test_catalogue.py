"""The catalogue and the contract, as the terminal and the documentation show them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from matrix.model.scenarios import SCENARIOS
from matrix.render import catalogue
from matrix.rules import RULES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("scenarios.md", catalogue.scenarios_markdown),
        ("rules.md", catalogue.rules_markdown),
    ],
)
def test_documentation_is_made_from_the_data(page: str, text: Callable[[], str]) -> None:
    """The pages of the documentation say what the commands print."""
    assert (DOCS / page).read_text(encoding="utf-8") == text()


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        (catalogue.scenarios(), [scenario.name for scenario in SCENARIOS]),
        (catalogue.rules(), [rule.name for rule in RULES]),
    ],
)
def test_everything_is_listed(shown: RenderableType, names: list[str]) -> None:
    """No scenario and no rule is left out."""
    console = Console(file=io.StringIO(), width=120)
    console.print(shown)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert [name for name in names if name not in printed] == []
