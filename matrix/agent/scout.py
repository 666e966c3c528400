"""Imports everything once where nothing can be forked, and leaves an image of it behind.

It is a process of its own, and ends before the first job: under Wine a process is begun by fork(2),
which takes the longer, the more memory there is of whoever begins it. That one has no Twisted.
"""

from __future__ import annotations

import json
import os
import queue
import threading

from matrix import wire
from matrix.agent import image, streams, windows


def main():
    """Take over the standard streams, and look around before anything else is imported."""
    windows.look()
    image.watch()
    commands, answers = streams.take_over()
    asked: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(commands, asked), daemon=True).start()
    _serve(asked, answers)


def _serve(asked, answers):
    """Say hello, be configured, write the image, and say what a job's process must be told."""
    from matrix.agent import hello, oneshot, outpost, reactors  # noqa: F401 - for the image
    from matrix.agent.settings import Settings

    settings = Settings()
    _say(answers, {"type": wire.HELLO, **hello.facts(settings.reactors)})
    command = json.loads(asked.get())
    settings.warm_up()
    settings.configure(command)
    image.make(command["image"])
    _say(answers, {**command, "places": reactors.places(), "wine": windows.WINE or ()})


def _listen(commands, asked):
    """Hand over what is asked, and end with whoever asks, whatever is being imported."""
    with os.fdopen(commands, "rb") as lines:
        for line in lines:
            asked.put(line)
    os._exit(wire.EX_SOFTWARE)


def _say(answers, message):
    os.write(answers, json.dumps(message).encode("ascii") + b"\n")
