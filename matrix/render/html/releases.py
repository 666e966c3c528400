"""Hosts in the order of their releases, as a strip: where did the same cell change?

One package's releases go across. Hosts that differ in anything else have a strip each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from attrs import frozen
from packaging.version import InvalidVersion, Version

from matrix.model.report import Host
from matrix.render.plain import visible

ACROSS = (("Twisted", "twisted"), ("pyOpenSSL", "pyopenssl"), ("Python", "python"))
"""What may go across, and where a host's provenance has it: the first that has two releases."""
BESIDE = (("", "python"), ("Twisted ", "twisted"), ("pyOpenSSL ", "pyopenssl"), ("", "platform"))
"""What tells strips apart, each with the word before it."""


@frozen
class Strips:
    """``package`` goes across in its ``releases``; each row has a name and a host for each of them.

    There is None where no host of the row has that release.
    """

    package: str
    releases: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str | None, ...]], ...]


def strips(hosts: Sequence[Host]) -> Strips | None:
    """The strips of these hosts; None where no package has two releases among them."""
    for package, name in ACROSS:
        known = [host for host in hosts if host.provenance.get(name)]
        releases = sorted({_said(host, name) for host in known}, key=_order)
        if len(releases) > 1:
            return Strips(package, tuple(map(visible, releases)), _rows(known, name, releases))
    return None


def _rows(
    hosts: Iterable[Host], name: str, releases: Sequence[str]
) -> tuple[tuple[str, tuple[str | None, ...]], ...]:
    rows: dict[str, dict[str, str]] = {}
    for host in hosts:
        rest = ((word, _said(host, key)) for word, key in BESIDE if key != name)
        row = ", ".join(f"{word}{said}" for word, said in rest if said)
        release = _said(host, name)
        if release in rows.get(row, {}):  # alike in all this, and another host nevertheless
            row = f"{row}, {host.id}"
        rows.setdefault(row, {})[release] = visible(host.id)
    return tuple(
        (visible(row), tuple(found.get(release) for release in releases))
        for row, found in rows.items()
    )


def _said(host: Host, name: str) -> str:
    return str(host.provenance.get(name, ""))


def _order(release: str) -> tuple[bool, Version, str]:
    """Releases as such, ``CPython 3.9.18`` by its number, and what is no release behind them."""
    number = re.search(r"\d\S*", release)
    try:
        return False, Version(number[0] if number else ""), release
    except InvalidVersion:
        return True, Version("0"), release
