"""Shards as the jobs of a CI service, in the words of that service."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from matrix.model.shard import Shard


def github(shards: Sequence[Shard]) -> str:
    """A matrix for GitHub Actions' ``strategy``, by ``fromJSON``."""
    return json.dumps({"include": [{"name": _name(s), "shard": str(s)} for s in shards]})


def gitlab(shards: Sequence[Shard]) -> str:
    """A child pipeline of GitLab CI, whose YAML takes JSON: a job for each shard."""
    pipeline = {
        _name(shard): {
            "script": [f"reactor-matrix run --shard {shard} -o results/{shard.number}"],
            "artifacts": {"when": "always", "paths": [f"results/{shard.number}"]},
        }
        for shard in shards
    }
    return json.dumps(pipeline, indent=1)


def _name(shard: Shard) -> str:
    return f"shard {shard.number} of {shard.count}"


FORMATS: Mapping[str, Callable[[Sequence[Shard]], str]] = {"github": github, "gitlab": gitlab}
"""Of ``reactor-matrix plan``, besides those that list cells."""
