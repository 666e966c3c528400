"""Report → one self-contained page that a person can read.

``summary``   the first screen: verdict, validity, limits
``grid``      the matrix: scenarios by family, reactors with their transports
``absent``    what cannot exist, and why
``cells``     one cell: facts, rules, events, the command to run it again
``timeline``  the plot of one cell
``strip``     how long its connections took to be lost
``past``      the same cell, and all of them, in earlier runs
``hosts``     the same cell on several hosts, and what these are
``releases``  these hosts in the order of their releases
``clauses``   the rules, for people to read
``changes``   what is different since an earlier report
``troubles``  what did not pass, grouped
``evidence``  controls and deliberate defects
``scripts``   a script of each cell that did not pass
``pack``      the data behind every cell, for the page's script
``looks``     glyph, letter and words of each outcome
``words``     values, counts and times as words

In the page's one script, ``data.js`` unpacks, ``plot.js`` and ``cell.js`` write a cell,
``matrix.js`` draws and filters the matrix, ``page.js`` ties them to the page and its address.
The page fetches nothing, and its policy forbids it to; what matters reads without JavaScript.
"""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from matrix import wire
from matrix.model.report import CellReport, Report, provenance_lines
from matrix.model.result import SEVERITY, Control, Outcome
from matrix.model.scenarios import find
from matrix.render.html import evidence, pack, troubles
from matrix.render.html.absent import absences
from matrix.render.html.cells import Detail, detail
from matrix.render.html.changes import Changes
from matrix.render.html.clauses import clause
from matrix.render.html.grid import grid
from matrix.render.html.hosts import VERSIONS, SideBySide, realizations
from matrix.render.html.looks import LOOKS
from matrix.render.html.past import Past, series
from matrix.render.html.scripts import scripts
from matrix.render.html.strip import scale, speeds
from matrix.render.html.summary import summarise
from matrix.render.html.words import links, milliseconds, number, percent, word
from matrix.render.plain import visible

SCRIPTS = ("data.js", "plot.js", "cell.js", "matrix.js", "page.js")
"""In this order they are one script."""


def render(report: Report, changes: Changes | None = None, past: Past | None = None) -> str:
    """The whole page, of ``report``, of what changed since an earlier one, and of earlier runs."""
    cells = report.cells()
    controls = evidence.placed(report.controls)
    past = past or Past()
    details = _details(report, cells, controls, changes, past)
    groups = troubles.groups(cells, details)
    sizes = Counter(trouble.detail is None for group in groups for trouble in group.troubles)
    css, js = _asset("page.css"), Markup("\n").join(map(_asset, SCRIPTS))
    real = realizations(report.hosts, cells)
    alone = scripts(cells)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            policy=_policy(css, js),
            css=css,
            js=js,
            summary=summarise(report, cells, changes),
            changes=changes,
            past=series(past),
            counts=_counts(cells),
            known=sum(cell.is_accepted and not cell.outcome.is_accepted for cell in cells),
            grid=grid(cells, real),
            absences=absences(report, cells),
            groups=groups,
            speeds=speeds(cells),
            full=sizes[False],
            brief=sizes[True],
            controls=[evidence.table(host.id, controls) for host in report.hosts],
            faults=evidence.faults(report),
            several=len(report.hosts) > 1,
            index=pack.index(cells, report.hosts, real, changes, alone),
            scripts=pack.deflated([alone.lines, alone.texts]),
            chunks=pack.chunks(map(details, cells)),
        )
    )


def _details(
    report: Report,
    cells: Sequence[CellReport],
    controls: Mapping[evidence.Place, Sequence[Control]],
    changes: Changes | None,
    past: Past,
) -> Callable[[CellReport], Detail]:
    hosts = {host.id: host for host in report.hosts}
    beside = SideBySide(report.hosts, cells)
    changed = changes.cells if changes else {}

    def of(cell: CellReport) -> Detail:
        of_cell, ending = cell.cell, find(cell.cell.scenario).ending
        place = (cell.host, of_cell.transport, of_cell.side, ending)
        change = changed.get((cell.host, cell.cell), "")
        seen = controls.get(place, ())
        trend = past.trends.get((cell.host, cell.cell))
        host = hosts[cell.host]
        return detail(cell, host, seen, beside(cell.cell), beside.strips, change, trend)

    return of


def _counts(cells: Sequence[CellReport]) -> list[tuple[Outcome, int]]:
    known = (cell.is_accepted and not cell.outcome.is_accepted for cell in cells)
    counts = Counter(c.outcome for c, is_known in zip(cells, known, strict=True) if not is_known)
    return [(outcome, counts[outcome]) for outcome in SEVERITY if counts[outcome]]


def _asset(name: str) -> Markup:
    return Markup(files(__name__).joinpath(name).read_text("utf-8"))


def _policy(css: str, js: str) -> str:
    """Nothing may run, style or load but what this file was written with."""
    return (
        f"default-src 'none'; script-src '{_digest(js)}'; style-src '{_digest(css)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _shown(value: Any) -> Any:
    """Every text that a template writes passes here."""
    return visible(value) if type(value) is str else value


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__name__),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "looks": LOOKS,
        "passes": Outcome.PASS,
        "unsupported": Outcome.UNSUPPORTED,
        "sides": (wire.ABORTER, wire.PEER, wire.BYSTANDER, wire.PROCESS),
        "clause": clause,
        "provenance": provenance_lines,
        "milliseconds": milliseconds,
        "number": number,
        "percent": percent,
        "scale": tuple(scale()),
        "word": word,
        "links": links,
        "versions": [label for label, _ in VERSIONS],
        "zip": zip,
    }
    return environment
