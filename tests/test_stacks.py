"""What an environment gets: by factors of tox, by reactors, by what releases need."""

from __future__ import annotations

import configparser
import re
import sys

import pytest
from packaging.requirements import Requirement

from matrix import stacks
from tests.test_packaging import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.mark.parametrize(
    ("factor", "requirement"),
    [
        ("tw203", "twisted==20.3.0"),
        ("tw2411", "twisted==24.11.0"),
        ("ossl221", "pyopenssl==22.1.0"),
        ("twlatest", None),
        ("twtrunk", None),
        ("py312", None),
        ("epoll", None),
    ],
)
def test_factors_spell_releases(factor: str, requirement: str | None) -> None:
    """Year and month make a release; every other factor is none."""
    assert stacks.of_factor(factor) == requirement


def test_what_is_asked_for_goes_first() -> None:
    """What is asked for of a package is all that is said of it; what a reactor needs comes too."""
    assert stacks.stack(["PyOpenSSL==22.1.0"], ["uvloop", "epoll"]) == (
        "PyOpenSSL==22.1.0",
        'uvloop>=0.19; platform_system != "Windows"',
        "twisted",
        "service-identity",
    )


def test_names_of_environments() -> None:
    """A name spells all of its stack: releases, what these need beside them, reactors."""
    found = stacks.of_name("py39-tw2411-ossl220-qt")
    assert found[:3] == ("twisted==24.11.0", "pyopenssl==22.0.0", "cryptography<39")
    assert "qt-reactor>=0.6.1" in found
    assert stacks.of_name("py313") == stacks.PACKAGES


def test_releases_that_need_more() -> None:
    """Old releases of pyOpenSSL get a cryptography that they can import; new ones what they say."""
    assert stacks.mates("pyOpenSSL", "21.0.0") == ("cryptography<38",)
    assert stacks.mates("pyopenssl", "22.0.0") == ("cryptography<39",)
    assert stacks.mates("pyopenssl", "22.1.0") == ()
    assert stacks.mates("twisted", "20.3.0") == ()


def test_tox_declares_factors_without_releases() -> None:
    """tox.ini says which factors there are, and leaves it to this module what they spell."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    deps = tox["testenv"]["deps"]
    assert "==" not in re.sub("(?m)^#.*$", "", deps)
    declared = set(re.findall(r"\b(?:tw|ossl)\w+", deps))
    assert {"tw203", "tw2411", "twlatest", "ossl243", "ossllatest"} <= declared


def test_extras_ask_for_the_same() -> None:
    """What the extras of the package bring for a reactor is what an environment gets for it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name in ("gi", "qt", "uvloop"):
        theirs = {str(Requirement(each)) for each in project["optional-dependencies"][name]}
        assert theirs == {str(Requirement(each)) for each in stacks.OF_REACTOR[name]}
