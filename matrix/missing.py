"""A host that ought to be in a report and is not: what it owes, and nothing of it. Pure.

An interpreter that isn't installed, a release that can't be built for it, a machine that never
answered: without a word of it, a page would have one host less and look as green as before.
"""

from __future__ import annotations

import re

from matrix.errors import SelectionError
from matrix.model.report import Footer, Host, Plan, Planned, Report
from matrix.plan import digest

_NAME = re.compile(r"[\w.+-]+")


def check_host(name: str) -> None:
    """Raise `SelectionError` for a name that could not stand beside a cell's id."""
    if not _NAME.fullmatch(name):
        raise SelectionError(
            f"{name!r} is no name for a host: it has letters, digits and any of “_.+-”."
        )


def missing(host: str, why: str, like: Report, started: str) -> Report:
    """The report of a host of which nothing came: it owes what the first host of ``like`` does.

    ``why`` is a phrase for people; ``started`` says when that was found, as in a `Footer`.
    """
    check_host(host)
    planned = (Planned(host, like.plan.hosts[0].cells),)
    return Report(
        hosts=(Host(host, (), {"missing": why}, ()),),
        plan=Plan(digest(planned), planned, like.plan.repeat),
        footer=Footer(started, 0.0, f"{host} is missing: {why}"),
        version=like.version,
    )
