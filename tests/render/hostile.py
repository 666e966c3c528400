"""A report in which every text does its worst."""

from __future__ import annotations

from attrs import evolve

from matrix import wire
from matrix.model.cell import Cell
from matrix.model.report import Footer, Host, Planned, Reactor, Report
from matrix.model.result import Outcome, Result, Standing
from matrix.model.transcript import Event
from matrix.render.html.changes import Changes
from matrix.render.html.past import Past
from matrix.trend import Point, Trend
from tests.synthetic import EVERY_OUTCOME, report

HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"
    "\"'&amp;<!--]]>{{ 7 * 7 }}\x1b[31mred\x1b]8;;http://example.invalid\x07"
    "\u202egpj.exe\u2066\u200b\x00\x9b31m\ud800/%zz #?:"
)
"""Markup, template syntax, terminal escapes, bidi overrides, a lone surrogate."""
LINKS = "javascript:alert(1) https://example.invalid/javascript:alert(1) data:text/html,<b>"
"""What is an address to a browser, of which one may be followed."""


def hostile() -> Report:
    """A small report in which every text that can be hostile is."""
    plain = report(40, EVERY_OUTCOME, hosts=(HOSTILE,), repeat=2, flaky=2, uncaught=1)
    results = tuple(_hostile_result(result) for result in plain.results)
    planned = tuple(Planned(p.host, tuple(map(_hostile_cell, p.cells))) for p in plain.plan.hosts)
    (only,) = plain.hosts
    return evolve(
        plain,
        hosts=(_hostile_host(only),),
        plan=evolve(plain.plan, hosts=planned, digest=HOSTILE),
        controls=tuple(evolve(c, transport=HOSTILE, signal=HOSTILE) for c in plain.controls),
        results=results,
        footer=Footer(HOSTILE, 1.0, HOSTILE),
        version=HOSTILE,
    )


def hostile_changes(shown: Report) -> Changes:
    """Everything changed, in hostile words."""
    every = [(cell.host, cell.cell) for cell in shown.cells()]
    return Changes(HOSTILE, HOSTILE + LINKS, dict.fromkeys(every, HOSTILE), frozenset(every[::2]))


def hostile_past(shown: Report) -> Past:
    """Every cell has runs of hostile versions at hostile times."""
    runs = [
        Point(started, HOSTILE, outcome, outcome is Outcome.PASS, 1, 2)
        for started in (HOSTILE, LINKS)
        for outcome in Outcome
    ]
    cells = ((cell.host, cell.cell) for cell in shown.cells())
    return Past({place: Trend(*place, tuple(runs)) for place in cells})


def _hostile_host(plain: Host) -> Host:
    return evolve(
        plain,
        command=(HOSTILE,),
        provenance={HOSTILE: HOSTILE},
        reactors=(Reactor(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        faults={HOSTILE: HOSTILE, **plain.faults},
    )


def _hostile_cell(cell: Cell) -> Cell:
    return evolve(cell, reactor=HOSTILE + cell.reactor, scenario=HOSTILE + cell.scenario)


def _hostile_result(result: Result) -> Result:
    seen = result.transcript
    strange = Event(0.05, HOSTILE, HOSTILE, {HOSTILE: HOSTILE, "list": [HOSTILE, {HOSTILE: 1.5}]})
    lies = {"held": HOSTILE, "kernel": -5, "read": float("nan"), "written": [[[[[[HOSTILE]]]]]]}
    lying = Event(0.051, wire.ABORTER, wire.SAMPLE, lies)
    verdict = evolve(
        result.verdict,
        rules={**result.verdict.rules, HOSTILE: Standing.FAIL},
        reasons=(*result.verdict.reasons, f"{HOSTILE}: {HOSTILE}", HOSTILE),
        code=HOSTILE,
    )
    known = f"{HOSTILE} ({LINKS})" if verdict.outcome is Outcome.CRASH else None
    return evolve(
        result,
        expected=known,
        cell=_hostile_cell(result.cell),
        verdict=verdict,
        transcript=evolve(
            seen,
            events=(*seen.events, strange, lying),
            ending=evolve(seen.ending, detail=HOSTILE),
            stderr=HOSTILE,
            garbage=HOSTILE,
        ),
    )
