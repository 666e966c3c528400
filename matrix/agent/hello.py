"""What an interpreter says of itself before anything runs in it."""

from __future__ import annotations

import platform
import sys
import time

from matrix import wire
from matrix.agent import windows
from matrix.agent.faults import playable
from matrix.agent.scenarios import SCENARIOS

now = time.perf_counter

_DISTRIBUTIONS = (
    "twisted",
    "pyopenssl",
    "cryptography",
    "service-identity",
    "uvloop",
    "PyGObject",
    "qt-reactor",
    "shiboken6",
    "twisted-iocpsupport",
)


def facts(known):
    """The fields of a `matrix.wire.HELLO` message, of an agent that has these reactors.

    Where there is no loopback interface nothing can be played: then the agent ends, and says so.
    """
    try:
        faults = playable()
    except OSError as error:
        sys.exit(
            f"{wire.REFUSAL}127.0.0.1 cannot be reached ({error.strerror}), and every cell is "
            "played over the loopback interface; bring it up (ip link set lo up)."
        )
    return {
        "protocol": wire.PROTOCOL,
        "provenance": provenance(),
        "reactors": [
            {"name": k.name, "description": k.description, "realization": k.realization}
            for k in known.values()
        ],
        "scenarios": sorted(SCENARIOS),
        "faults": {name: fault.rule for name, fault in faults.items()},
        "needs": [] if windows.WINE is None else [wire.OUTPOST],
    }


def provenance():
    """What the results depend on: what was asked → what the interpreter answered."""
    found = {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": _platform(),
        "machine": platform.machine(),
        "executable": sys.executable or "",
    }
    for name in _DISTRIBUTIONS:
        version = _version(name)
        if version is not None:
            found[name.lower()] = version
    openssl = _openssl()
    if openssl is not None:
        found["openssl"] = openssl
    return found


def _platform():
    """The system, and under Wine what is really there: the first word is the host's name."""
    said, wine = platform.platform(), windows.WINE
    return said if wine is None else f"Wine-{wine.version}-on-{wine.system}-{wine.release} ({said})"


def _version(distribution):
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _openssl():
    try:
        from OpenSSL import SSL
    except Exception:
        return None
    return SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode("ascii", "replace")
