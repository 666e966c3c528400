"""Tiny misbehaving programs, as texts: each goes wrong in one way, on purpose.

`BREAKAGES` are modules for ``--preload``: they break the transport inside of a real agent's real
cell, in the middle of its abort. `AGENTS` are whole agents, which speak just enough of the protocol
to be taken seriously before they go wrong.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest

from matrix.manager.interpreters import Interpreter

_BREAKAGE = """
import fcntl, os, pathlib, signal, stat
from twisted.internet.tcp import Connection

def is_written_pipe(number):
    try:
        mode, flags = os.fstat(number).st_mode, fcntl.fcntl(number, fcntl.F_GETFL)
    except OSError:
        return False
    return stat.S_ISFIFO(mode) and flags & os.O_ACCMODE == os.O_WRONLY

# When a preloaded module is imported, there is only one such pipe but for the standard streams.
EVENTS = next(number for number in range(3, 1024) if is_written_pipe(number))

def is_first_process(marker):
    path, own = os.environ[marker], str(os.getpid()).encode()
    try:
        number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return pathlib.Path(path).read_bytes() == own
    os.write(number, own)
    os.close(number)
    return True

abort = Connection.abortConnection

def abortConnection(self):
    {body}
    abort(self)

Connection.abortConnection = abortConnection
"""

_BODIES = {
    "hangs": """
        while True:
            signal.pause()
    """,
    "segfaults": "os.kill(os.getpid(), signal.SIGSEGV)",
    "stops": "os.kill(os.getpid(), signal.SIGSTOP)",
    "exits": "os._exit(0)",
    "exits_with_9": "os._exit(9)",
    "crashes_its_reactor": """
        from twisted.internet import reactor
        reactor.crash()
    """,
    "writes_garbage": "os.write(EVENTS, b'\\0\\xffgarbage\\n')",
    "never_stops_writing_garbage": """
        while True:
            os.write(EVENTS, b'x' * 65536)
    """,
    "never_stops_writing_events": """
        while True:
            os.write(EVENTS, b'{"t": 1, "side": "aborter", "event": "x"}\\n' * 1000)
    """,
    "floods_stderr": """
        for _ in range(500):
            os.write(2, b'\\xffx\\n' * 21845)
    """,
    "closes_its_pipes": """
        os.closerange(0, 1024)
        while True:
            signal.pause()
    """,
    "leaves_a_grandchild": """
        fifo = os.open(os.environ["MINIATURE_FIFO"], os.O_WRONLY)
        if os.fork() == 0:
            os.write(fifo, b"x")
            while True:
                signal.pause()
        os.close(fifo)
        os._exit(0)
    """,
    "waits_from_the_second_on": """
        if not is_first_process("MINIATURE_MARKER"):
            os.write(os.open(os.environ["MINIATURE_FIFO"], os.O_WRONLY), b"x")
            while True:
                signal.pause()
    """,
    "waits_from_the_fiftieth_on": """
        log = os.open(os.environ["MINIATURE_MARKER"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(log, b"x")
        count = os.fstat(log).st_size
        os.close(log)
        if count >= 50:
            os.write(os.open(os.environ["MINIATURE_FIFO"], os.O_WRONLY), b"x")
            while True:
                signal.pause()
    """,
    "kills_its_agent_once": """
        if is_first_process("MINIATURE_MARKER"):
            os.kill(os.getppid(), signal.SIGKILL)
            signal.pause()
    """,
}

BREAKAGES = {
    name: _BREAKAGE.replace("    {body}\n", indent(dedent(body), "    ") + "\n")
    for name, body in _BODIES.items()
}
"""Name of a module → its text."""

_AGENT = """
import json, os, signal, sys

def say(**message):
    print(json.dumps(message), flush=True)

def hello():
    provenance = {"python": "Miniature 1", "platform": "Tiny-0"}
    reactors = [{"name": "mini", "description": "a miniature", "realization": "native"}]
    faults = json.loads(os.environ.get("MINIATURE_FAULTS", "{}"))
    say(type="hello", protocol=1, provenance=provenance, reactors=reactors, faults=faults, needs=[])

def event(name, **data):
    return json.dumps({"t": 0.0, "side": "process", "event": name, **data}) + "\\n"

def ended(job, events, status=0):
    say(type="ended", job=job, status=status, expired=False, events=events, stderr="")

def jobs(is_alive=False):
    sys.stdin.readline()  # a whole agent, which is not to be had
    hello()
    for line in sys.stdin:
        message = json.loads(line)
        if message["do"] == "beat" and is_alive:
            say(type="beat")
        elif message["do"] == "probe":
            ended(message["job"], event("started") + event("finished"))
        elif "job" in message:
            yield message

"""

_STORIES = {
    "dies_at_hello": "sys.exit('out of order')",
    "says_nothing": "signal.pause()",
    "greets_in_garbage": "print('hello, world', flush=True); sys.stdin.read()",
    "greets_with_a_list": "print('[]', flush=True); sys.stdin.read()",
    "greets_with_too_little": "say(type='hello', protocol=1); sys.stdin.read()",
    "greets_from_the_future": (
        "say(type='hello', protocol=2, provenance={}, reactors=[], faults={}, needs=[]);"
        "sys.stdin.read()"
    ),
    "greets_without_end": "while True: os.write(1, b'[' * 65536)",
    "answers_in_garbage": "for job in jobs(): print('\\0garbage', flush=True)",
    "answers_with_a_list": "for job in jobs(): print('[1]', flush=True)",
    "answers_nested": "for job in jobs(): print('[' * 100000, flush=True)",
    "answers_with_numbers": (
        "for job in jobs(): say(type='ended', job=job['job'], status=0, events=1, stderr=2)"
    ),
    "answers_with_words_for_status": (
        "for job in jobs(): say(type='ended', job=job['job'], status='0', events='', stderr='')"
    ),
    "answers_for_others": (
        "for job in jobs(): say(type='ended', job=77, status=0, events='', stderr='')"
    ),
    "answers_without_end": "for job in jobs():\n    while True: os.write(1, b'x' * 65536)",
    "answers_nothing": "for job in jobs(): pass",
    "answers_signs_of_life_alone": "for job in jobs(is_alive=True): pass",
    "says_nothing_of_it": "for job in jobs(): ended(job['job'], '')",
    "claims_all_is_well": (
        "for job in jobs(): ended(job['job'], event('started') + event('finished'))"
    ),
    "claims_a_proof": (
        "for job in jobs(): ended(job['job'], event('started') + event('proved', proof='tcp-info')"
        " + event('abort-called', written=1) + event('finished'))"
    ),
    "tells_a_story": (
        "for job in jobs(): ended(job['job'], open(os.environ['MINIATURE_STORY']).read())"
    ),
    "does_a_cell_and_dies": (
        "for job in jobs():\n"
        "    if job['do'] == 'play' and not os.path.exists(os.environ['MINIATURE_MARKER']):\n"
        "        open(os.environ['MINIATURE_MARKER'], 'w').close(); sys.exit(1)\n"
        "    ended(job['job'], event('started') + event('finished'))"
    ),
}

AGENTS = {name: _AGENT + story for name, story in _STORIES.items()}
"""Name → the text of a program."""


def agent(name: str, folder: Path) -> Interpreter:
    """An interpreter that is that miniature, whatever it is given to run."""
    path = folder / f"{name}.py"
    path.write_text(AGENTS[name])
    return Interpreter((sys.executable, str(path)))


def importable(folder: Path, monkeypatch: pytest.MonkeyPatch, **texts: str) -> None:
    """Make modules with these texts importable for every agent that is started from here."""
    for name, text in texts.items():
        path = folder / f"{name.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    known = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), known])))


def plugin(module: str) -> str:
    """The text of a Twisted plugin that registers a reactor ``mini``, which lives in a module."""
    return (
        "from twisted.application.reactors import Reactor\n"
        f"mini = Reactor('mini', {module!r}, 'a third-party reactor')\n"
    )
