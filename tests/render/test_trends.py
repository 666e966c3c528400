"""Trends in the terminal: what is bad now first, with since when and how often."""

from __future__ import annotations

from attrs import evolve
from rich.console import Console

from matrix.render import trends
from matrix.trend import Trend
from tests.render.hostile import HOSTILE
from tests.test_trend import trend


def shown(*found: Trend) -> list[str]:
    """The lines that the terminal shows."""
    console = Console(width=4000)
    with console.capture() as capture:
        console.print(trends.terminal(found))
    return capture.get().splitlines()


def test_trouble_comes_first() -> None:
    """A cell that is bad now stands before one that was, and one that never was is left out."""
    lines = shown(trend("PPP"), trend("PFP"), trend("PFF"))
    assert lines == [
        "PFF  epoll/tcp4/abort-when-full/client/socket on linux",
        "  not accepted in 3 runs: 10 of 30: between 19% and 51% with 95%",
        "  bad since day 1 (Twisted 26.4.0); last accepted day 0 (Twisted 26.4.0)",
        "PFP  epoll/tcp4/abort-when-full/client/socket on linux",
        "  not accepted in 3 runs: 5 of 30: between 7% and 34% with 95%",
        "2 cells with something to tell.",
    ]


def test_missing_cell_is_trouble() -> None:
    """A cell that has no result any more is bad since then."""
    assert "  bad since day 1 (Twisted 26.4.0); last accepted day 0 (Twisted 26.4.0)" in shown(
        trend("PN")
    )


def test_hostile_text_is_only_text() -> None:
    """Nothing that a host says of itself acts on the terminal."""
    text = "".join(shown(evolve(trend("F"), host=HOSTILE)))
    assert "\x1b" not in text
    assert "\u202e" not in text
