"""The values of `matrix.model` ↔ the JSON objects that stand for them in a results file.

`cattrs` does the walking. By itself it is lenient (a number is as good as a text, a missing field
is its default), and a file that other programs may write must not be read like that: these hooks
take nothing for what it is not. Events, which are nearly all of a file, are taken apart by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, get_origin

import attrs
from cattrs import BaseValidationError, Converter, transform_error
from cattrs.cols import homogenous_tuple_structure_factory, is_mapping, mapping_structure_factory
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from matrix.model.cell import Cell
from matrix.model.report import Planned
from matrix.model.result import Control, Result, Standing
from matrix.model.transcript import Event, Transcript

_T = TypeVar("_T")
_Hook = Callable[[Any, Any], Any]

_EVENT_FIELDS = frozenset(("t", "side", "event"))
"""What stands beside an event's data, in the same object."""
_EVENT_TYPES = frozenset(((float, str, str), (int, str, str)))
"""What JSON may have in these fields."""


def to_json(value: Any) -> dict[str, Any]:
    """The JSON object for a value of the model; for an attempt, what comes before its transcript.

    `ValueError` if the data of an event uses the name of a field that every event has, for one
    object cannot hold both.
    """
    raw: dict[str, Any] = _CONVERTER.unstructure(value)
    return raw


def from_json(raw: object, kind: type[_T]) -> _T:
    """The value of that type; `ValueError` says in words what about ``raw`` is wrong, and where.

    Takes ``raw`` apart, so nobody else should hold it.
    """
    try:
        return _CONVERTER.structure(raw, kind)
    except BaseValidationError as group:
        what, *_ = transform_error(group, "", lambda error, _: str(error))
        raise ValueError(what.replace(" @ .", ", in ").removesuffix(" @ ")) from group


def shown(raw: object) -> str:
    """A few words that let a person recognise ``raw`` in a file."""
    text = repr(raw)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _only(kinds: type | tuple[type, ...], name: str, hook: _Hook | None = None) -> _Hook:
    """A hook that refuses whatever is none of ``kinds``, and then goes on as ``hook``."""

    def structure(raw: Any, kind: Any) -> Any:
        if not isinstance(raw, kinds) or isinstance(raw, bool):
            raise ValueError(f"{shown(raw)} is not {name}")
        return raw if hook is None else hook(raw, kind)

    return structure


def _whole(cls: Any, hook: _Hook) -> _Hook:
    """A hook that refuses an object in which a field of the class is missing."""
    names = frozenset(field.alias for field in attrs.fields(cls))

    def structure(raw: Any, kind: Any) -> Any:
        if missing := names - raw.keys():
            raise ValueError(f"field {min(missing)} is missing")
        return hook(raw, kind)

    return _only(dict, "an object", structure)


def _standings(raw: Any, _: Any) -> Mapping[str, Standing]:
    """What the rules say. Thousands of results say the same, and share it."""
    if not isinstance(raw, dict):
        raise ValueError(f"{shown(raw)} is not an object")
    try:
        return _shared_standings(tuple(raw.items()))
    except TypeError:
        raise ValueError(f"{shown(raw)} does not say how its rules stand") from None


@lru_cache(maxsize=4096)
def _shared_standings(items: tuple[tuple[str, Any], ...]) -> Mapping[str, Standing]:
    return {name: _CONVERTER.structure(text, Standing) for name, text in items}


def _is_standings(kind: Any) -> bool:
    return bool(kind == Mapping[str, Standing])


def _is_fault(kind: Any) -> bool:
    return bool(kind == tuple[str, str, str])


def _fault(raw: Any, _: Any) -> tuple[str, ...]:
    if not (isinstance(raw, list) and len(raw) == 3 and all(isinstance(x, str) for x in raw)):
        raise ValueError(f"{shown(raw)} is not [host, fault, cell id]")
    return tuple(raw)


def _cells(raw: Any, _: Any) -> tuple[Cell, ...]:
    return tuple(Cell.parse(text) for text in from_json(raw, tuple[str, ...]))


def _ids(cells: tuple[Cell, ...]) -> list[str]:
    return [cell.id for cell in cells]


def _event(raw: Any, _: Any) -> Event:
    try:
        t, side, name = raw["t"], raw["side"], raw["event"]
    except (TypeError, KeyError):
        raise ValueError(f"{shown(raw)} is no event") from None
    if (type(t), type(side), type(name)) not in _EVENT_TYPES:
        raise ValueError(f"{shown((t, side, name))} are not an event's time, side and name")
    for field in _EVENT_FIELDS:
        del raw[field]
    return Event(t, side, name, raw)


def _event_to_json(event: Event) -> dict[str, Any]:
    if not _EVENT_FIELDS.isdisjoint(event.data):
        raise ValueError(f"the data of {event} uses the name of a field that every event has")
    return {"t": event.t, "side": event.side, "event": event.name, **event.data}


def _spread(cls: Any) -> _Hook:
    """A hook for what has its verdict and its transcript spread over the same object."""
    at_hand = override(struct_hook=lambda raw, _: _CONVERTER.structure(raw, Transcript))
    own: dict[str, Any] = {_transcript_of(cls): at_hand}
    made = make_dict_structure_fn(cls, _CONVERTER, _cattrs_use_alias=True, **own)
    hook = _whole(cls, made)
    return lambda raw, kind: hook({**raw, "verdict": raw, "transcript": raw}, kind)


def _spread_to_json(cls: Any) -> Callable[[Any], dict[str, Any]]:
    later: dict[str, Any] = {_transcript_of(cls): override(omit=True)}
    nested = make_dict_unstructure_fn(cls, _CONVERTER, **later)

    def unstructure(value: Any) -> dict[str, Any]:
        raw = nested(value)
        verdict = raw.pop("verdict", {})
        return {**raw, **verdict}

    return unstructure


def _transcript_of(cls: Any) -> str:
    """The field of the class that holds its transcript."""
    (name,) = (field.name for field in attrs.fields(cls) if field.alias == "transcript")
    return str(name)


def _values(kind: Any, converter: Converter) -> _Hook:
    return _whole(kind, make_dict_structure_fn(kind, converter))


def _mappings(kind: Any, converter: Converter) -> _Hook:
    return _only(dict, "an object", mapping_structure_factory(kind, converter))


def _is_tuple(kind: Any) -> bool:
    origin: object = get_origin(kind)
    return origin is tuple


def _tuples(kind: Any, converter: Converter) -> _Hook:
    return _only(list, "a list", homogenous_tuple_structure_factory(kind, converter))


def _refuse_what_is_not(converter: Converter) -> None:
    converter.register_structure_hook(str, _only(str, "a text"))
    converter.register_structure_hook(int, _only(int, "a whole number"))
    converter.register_structure_hook(float, _only((float, int), "a number"))
    converter.register_structure_hook_factory(attrs.has, _values)
    converter.register_structure_hook_factory(is_mapping, _mappings)
    converter.register_structure_hook_factory(_is_tuple, _tuples)


def _differ_from_the_model(converter: Converter) -> None:
    by_id = override(struct_hook=_cells, unstruct_hook=_ids)
    read, write = converter.register_structure_hook, converter.register_unstructure_hook
    converter.register_structure_hook_func(_is_fault, _fault)
    converter.register_structure_hook_func(_is_standings, _standings)
    read(Event, _event)
    write(Event, _event_to_json)
    read(Planned, _whole(Planned, make_dict_structure_fn(Planned, converter, cells=by_id)))
    write(Planned, make_dict_unstructure_fn(Planned, converter, cells=by_id))
    for cls in (Control, Result):
        read(cls, _spread(cls))
        write(cls, _spread_to_json(cls))


_CONVERTER = Converter()
_refuse_what_is_not(_CONVERTER)
_differ_from_the_model(_CONVERTER)
