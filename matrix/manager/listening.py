"""What a process wrote on its event pipe → transcript. Whatever is no event is garbage."""

from __future__ import annotations

import json
import math
from typing import Any

from matrix.model.transcript import Ending, Event, How, Transcript

_KEPT_GARBAGE = 2000


def listen(output: str, stderr: str, status: int) -> Transcript:
    """The transcript of a process that ended by itself, or by a signal (a negative status)."""
    events, garbage = [], []
    for line in output.splitlines():
        event = _event(line)
        if event is None:
            garbage.append(line)
        else:
            events.append(event)
    how = How.SIGNALLED if status < 0 else How.EXITED
    text = "\n".join(garbage)[:_KEPT_GARBAGE]
    return Transcript(tuple(events), Ending(how, abs(status)), stderr, text)


def _event(line: str) -> Event | None:
    try:
        message: Any = json.loads(line)
        t, side, name = message.pop("t"), message.pop("side"), message.pop("event")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None
    is_event = isinstance(t, (int, float)) and isinstance(side, str) and isinstance(name, str)
    return Event(float(t), side, name, message) if is_event and math.isfinite(t) else None
