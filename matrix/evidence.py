"""Fields of events, taken for what they must be. Pure.

Events come from a process that may have gone wrong in any way. Python's own idea of truth would
take the text ``no`` for a yes, and null, which is what nobody knows, for a no.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matrix.model.transcript import Event


class MissingEvidence(Exception):
    """A transcript that came to its end does not say what has to be known."""


def flag(event: Event, key: str) -> bool:
    """A field that is true or false; `MissingEvidence` where it is anything else."""
    value = event.get(key)
    if isinstance(value, bool):
        return value
    raise MissingEvidence(f"{event.name} has {key} = {value!r}")


def count(event: Event, key: str) -> int:
    """A field that is a number of something; `MissingEvidence` where it is anything else."""
    return _count(event.data, key, event.name)


def _count(fields: Mapping[str, Any], key: str, name: str) -> int:
    value = fields.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise MissingEvidence(f"{name} has {key} = {value!r}")


def counts(event: Event, key: str, *names: str) -> tuple[int, ...] | None:
    """Numbers in a field that holds several, or is null; else `MissingEvidence`."""
    fields = event[key]
    if fields is None:
        return None
    return tuple(_count(fields, name, f"{event.name}, {key},") for name in names)


def texts(event: Event, key: str) -> list[str]:
    """A field that is a list of texts, or null where nobody could tell; else `MissingEvidence`."""
    value = event.get(key)
    if value is None and key in event.data:
        return []
    if isinstance(value, list) and all(isinstance(text, str) for text in value):
        return value
    raise MissingEvidence(f"{event.name} has {key} = {value!r}")


def raised(event: Event) -> dict[str, Any] | None:
    """The exception that came of a call, or None; `MissingEvidence` where neither is said."""
    value = event.get("raised")
    if isinstance(value, dict) or (value is None and "raised" in event.data):
        return value
    raise MissingEvidence(f"{event.name} has raised = {value!r}")
