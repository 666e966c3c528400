"""What a cell costs, so that shards come out alike: seconds in one of the places of a run.

As many cells run at once as a run has places, so the seconds of its cells, divided by its places,
are the time that it takes. ``python tests/benchmarks/costs.py RESULTS`` measures them; these are
means over 8 reactors on Linux 6.18 with 2 cores, Python 3.11, Twisted 26.10.0, 16 places: 4,384
cells, 5 minutes. Seconds vary from machine to machine, their ratios much less.
"""

from __future__ import annotations

from matrix.model.cell import Cell

USUAL = {"tcp": 0.6, "unix": 0.3, "tls": 0.75}
"""Of most scenarios, by the kind of transport."""

COSTS = {
    "abort-many": {"tcp": 2.6, "unix": 1.4, "tls": 5.4},
    "abort-storm": {"tcp": 8.4, "unix": 7.2, "tls": 14.2},
    "lose-then-abort": {"tcp": 1.5, "unix": 1.3, "tls": 1.7},
    "peer-closes-while-full": {"tcp": 0.3, "unix": 0.3, "tls": 5.6},
    "peer-sends-rubbish-while-full": {"tls": 5.7},
}
"""Of the scenarios that differ from most: they have many connections, or wait for time to pass."""


def kind(cell: Cell) -> str:
    """The kind of a cell's transport that its cost depends on."""
    return "tls" if cell.is_tls else "unix" if cell.is_unix else "tcp"


def cost(cell: Cell) -> float:
    """Seconds that a cell takes in its place of a run, where its reactor can run at all."""
    of = kind(cell)
    return COSTS.get(cell.scenario, USUAL).get(of, USUAL[of])
