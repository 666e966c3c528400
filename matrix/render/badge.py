"""A run's verdict as a badge for a README: a small SVG picture, or what shields.io makes one of."""

from __future__ import annotations

import json

from jinja2 import Environment

from matrix.model.report import Report
from matrix.model.result import Outcome

LABEL = "reactor-matrix"

_CHARACTER = 6.6
"""Width of one character of the picture's font, in pixels, near enough."""

_TEMPLATE = Environment(autoescape=True).from_string(
    """<svg xmlns="http://www.w3.org/2000/svg" width="{{ left + right }}" height="20" role="img" \
aria-label="{{ label }}: {{ words }}">
<title>{{ label }}: {{ words }}</title>
<rect width="{{ left }}" height="20" fill="#444"/>
<rect x="{{ left }}" width="{{ right }}" height="20" fill="{{ colour }}"/>
<g fill="#fff" text-anchor="middle" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11">
<text x="{{ left / 2 }}" y="14">{{ label }}</text>
<text x="{{ left + right / 2 }}" y="14">{{ words }}</text>
</g>
</svg>
"""
)


def render(report: Report) -> str:
    """The picture. It is green only where the run is valid and whole, and every cell accepted."""
    words, colour = _verdict(report)
    widths = {"left": _width(LABEL), "right": _width(words)}
    return _TEMPLATE.render(label=LABEL, words=words, colour=colour, **widths)


def render_json(report: Report) -> str:
    """The same as the answer of a shields.io endpoint (https://shields.io/badges/endpoint-badge)."""
    words, colour = _verdict(report)
    badge = {"schemaVersion": 1, "label": LABEL, "message": words, "color": colour.lstrip("#")}
    return json.dumps(badge) + "\n"


def _verdict(report: Report) -> tuple[str, str]:
    cells = report.cells()
    if report.missed_faults():
        return "not valid", "#6b6b6b"
    if report.footer is None or report.footer.interrupted is not None:
        return "did not come to its end", "#6b6b6b"
    bad = sum(not cell.is_accepted for cell in cells)
    passed = sum(cell.outcome is Outcome.PASS for cell in cells)
    if bad:
        return f"{bad} not accepted, {passed} passed", "#b3261e"
    return (f"{passed} passed", "#1a6b3c") if passed else ("nothing ran", "#6b6b6b")


def _width(text: str) -> int:
    return round(len(text) * _CHARACTER) + 12
