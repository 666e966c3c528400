"""What a cell may be run on to see when it changed: releases of a package, revisions of a checkout.

They come in their order, the oldest first.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from matrix.environments import Python, offered
from matrix.errors import SearchError
from matrix.model.candidate import Candidate


def release(package: str, text: str) -> Candidate:
    """The release that a user names; `SearchError` where that is no version."""
    own = canonicalize_name(package)
    version = str(_version(text))
    return Candidate(own, version, f"{own}=={version}", version)


def releases(
    python: Python, package: str, first: str | None, last: str | None
) -> tuple[Candidate, ...]:
    """Every release that the package index has, from the one to the other, both included.

    None stands for the oldest or the newest one. Pre-releases are among them only where one of the
    two is one. `SearchError` where nothing is left.
    """
    ends = [_version(text) for text in (first, last) if text is not None]
    known = sorted({_version(text) for text in offered(python, package)} | set(ends))
    low = _version(first) if first is not None else known[0]
    high = _version(last) if last is not None else known[-1]
    early = any(end.is_prerelease for end in ends)
    kept = [each for each in known if low <= each <= high and (early or not each.is_prerelease)]
    if not kept:
        raise SearchError(f"There is no release of {package} from {low} to {high}.")
    return tuple(release(package, str(each)) for each in kept)


def revisions(checkout: Path, package: str, one: str, other: str) -> tuple[Candidate, ...]:
    """Every commit from the older revision to the newer one, along first parents.

    Where branches were merged, the merge stands for all that it brought. `SearchError` where the
    one does not lead to the other, or git does not know them.
    """
    ends = [_commit(checkout, each) for each in (one, other)]
    if ends[0] == ends[1]:
        raise SearchError(f"{one} and {other} are the same commit. Choose two that differ.")
    (old, new) = ends if _leads(checkout, *ends) else reversed(ends)
    if not _leads(checkout, old, new):
        raise SearchError(
            f"{one} and {other} are on different branches of {checkout}. Name two revisions of "
            "which one leads to the other, for instance what “git merge-base” says."
        )
    shas = [
        old,
        *_git(checkout, "rev-list", "--first-parent", "--reverse", f"{old}..{new}").split(),
    ]
    return tuple(_revision(checkout, canonicalize_name(package), sha) for sha in shas)


def ends(
    python: Python, package: str, good: str, bad: str, checkout: Path | None
) -> tuple[Candidate, Candidate, tuple[Candidate, ...]]:
    """The good end, the bad end, and all that lies between them, both included.

    `SearchError` where the two are one, or not known.
    """
    if checkout is None:
        first, last = sorted((_version(good), _version(bad)))
        if first == last:
            raise SearchError(f"--good and --bad are both {first}. Choose two that differ.")
        between = releases(python, package, str(first), str(last))
        is_first = _version(good) == first
    else:
        between = revisions(checkout, package, good, bad)
        is_first = _commit(checkout, good).startswith(between[0].name)
    oldest, newest = between[0], between[-1]
    return (oldest, newest, between) if is_first else (newest, oldest, between)


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion as error:
        raise SearchError(f"{text!r} is no version; one reads 23.8.0.") from error


def _revision(checkout: Path, package: str, sha: str) -> Candidate:
    subject = _git(checkout, "log", "-1", "--format=%s", sha)
    where = f"git+{checkout.absolute().as_uri()}@{sha}"  # pip takes no name before such a one
    return Candidate(package, sha[:12], where, subject=subject)


def _commit(checkout: Path, revision: str) -> str:
    return _git(checkout, "rev-parse", "--verify", f"{revision}^{{commit}}")


def _leads(checkout: Path, old: str, new: str) -> bool:
    words = ["git", "-C", str(checkout), "merge-base", "--is-ancestor", old, new]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _git(checkout: Path, *words: str) -> str:
    if shutil.which("git") is None:
        raise SearchError("There is no git to ask for revisions; install it, or name releases.")
    command = ["git", "-C", str(checkout), *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stderr.strip().splitlines() or ["nothing"])[-1]
        raise SearchError(
            f"git cannot tell about {words[-1]!r} in {checkout} ({said}). Name a clone, and "
            "revisions that it has."
        )
    return ended.stdout.strip()
