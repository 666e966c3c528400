"""May a run go on with what another one has left? Only if it is the same run. Pure."""

from __future__ import annotations

from matrix.errors import ResumeError
from matrix.model.report import Report


def check_same(old: Report, new: Report, path: str) -> None:
    """Raise `ResumeError` unless both are of one plan, on the same hosts, by the same version."""
    differs = [
        f"it was written by reactor-matrix {old.version}" if old.version != new.version else "",
        _other_hosts(old, new),
        "its cells, repeats or shard are others" if old.plan != new.plan else "",
    ]
    why = next(filter(None, differs), None)
    if why is not None:
        raise ResumeError(
            f"{path} is not of this run: {why}. Give the options that it was begun with, or name "
            "another folder with -o."
        )


def _other_hosts(old: Report, new: Report) -> str:
    if len(old.hosts) != len(new.hosts):
        return f"it has {len(old.hosts)} hosts, and this run {len(new.hosts)}"
    for was, now in zip(old.hosts, new.hosts, strict=True):
        if was != now:
            both = sorted(was.provenance.keys() | now.provenance.keys())
            moved = [name for name in both if was.provenance.get(name) != now.provenance.get(name)]
            return f"its host {was.id} is another one ({', '.join(moved) or 'by its reactors'})"
    return ""
