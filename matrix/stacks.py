"""Which releases go together under one Python: for the environments that are made, and for tox.

``toxfile.py`` imports this module into tox's own interpreter: it needs `packaging`, and no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

PACKAGES = ("twisted", "pyopenssl", "service-identity")
"""What every interpreter under test has; TLS needs the last two."""

OF_REACTOR: Mapping[str, tuple[str, ...]] = {
    "gi": ("pygobject>=3.42,<3.51",),
    "gtk3": ("pygobject>=3.42,<3.51",),
    "iocp": ("twisted-iocpsupport",),
    "qt": ("pyside6-essentials>=6.5", "qt-reactor>=0.6.1"),
    "uvloop": ('uvloop>=0.19; platform_system != "Windows"',),
}
"""What a reactor needs beside Twisted."""

_MATES = (
    ("pyopenssl", "<22", "cryptography<38"),
    ("pyopenssl", "==22.0.*", "cryptography<39"),
)
"""What releases need and do not say: (package, releases of it, what goes with them).

From there on cryptography lacks names that they import: tried with each minor release.
"""

_FACTORS = {"tw": "twisted", "ossl": "pyopenssl"}
_FACTOR = re.compile("(tw|ossl)([0-9]{2})([0-9]{1,2})")


def of_factor(factor: str) -> str | None:
    """The requirement that a factor of tox spells: ``tw2411`` is ``twisted==24.11.0``.

    Two digits for the year, one or two for the month; None for any other factor.
    """
    found = _FACTOR.fullmatch(factor)
    return f"{_FACTORS[found[1]]}=={found[2]}.{found[3]}.0" if found else None


def mates(package: str, release: str) -> tuple[str, ...]:
    """What has to go with a release for it to work."""
    own = canonicalize_name(package)
    return tuple(
        needed
        for name, which, needed in _MATES
        if name == own and SpecifierSet(which).contains(release, prereleases=True)
    )


def stack(wanted: Iterable[str], reactors: Iterable[str] = ()) -> tuple[str, ...]:
    """All that an environment gets: what is wanted, what these reactors need, and `PACKAGES`.

    What is wanted of a package (by requirements as pip takes them) goes before all else.
    """
    needed = [each for reactor in reactors for each in OF_REACTOR.get(reactor, ())]
    asked = list(wanted)
    named = {canonicalize_name(Requirement(each).name) for each in asked}
    more = (each for each in (*needed, *PACKAGES) if Requirement(each).name not in named)
    return tuple(dict.fromkeys((*asked, *more)))


def of_name(name: str) -> tuple[str, ...]:
    """All that the environment of tox with that name gets; the latest, if it says nothing else."""
    factors = name.split("-")
    pinned = [requirement for each in factors if (requirement := of_factor(each))]
    more = [each for text in pinned for each in mates(*text.split("=="))]
    return stack((*pinned, *more), (*factors, *(["uvloop"] if name == "matrix" else [])))
