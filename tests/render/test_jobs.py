"""Shards in the words of CI services."""

from __future__ import annotations

import json

from matrix.model.shard import Shard
from matrix.render.jobs import github, gitlab

SHARDS = [Shard(1, 2), Shard(2, 2)]


def test_github() -> None:
    """GitHub gets an include list with a name for each shard."""
    assert json.loads(github(SHARDS)) == {
        "include": [
            {"name": "shard 1 of 2", "shard": "1/2"},
            {"name": "shard 2 of 2", "shard": "2/2"},
        ]
    }


def test_gitlab() -> None:
    """GitLab gets a pipeline with a job for each shard, whose results outlive a failing job."""
    pipeline = json.loads(gitlab(SHARDS))
    assert list(pipeline) == ["shard 1 of 2", "shard 2 of 2"]
    for number, job in enumerate(pipeline.values(), 1):
        assert job["script"] == [f"reactor-matrix run --shard {number}/2 -o results/{number}"]
        assert job["artifacts"] == {"when": "always", "paths": [f"results/{number}"]}
