"""A process that waits for one job on its standard input, does it, and ends.

It imports what its job needs, and nothing before it knows that: a control needs no Twisted.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import threading

from matrix import wire
from matrix.agent import cell, streams, transports, windows
from matrix.agent.settings import Settings


def main():
    """Take over the standard streams, wait for the job, and do it."""
    descriptor, events = streams.take_over()
    commands = os.fdopen(descriptor, "rb")
    configuration, job = commands.readline(), commands.readline()
    if job:
        _do(json.loads(job), json.loads(configuration), commands, events)


def _do(job, configuration, commands, events):
    """Do the job and exit, without the interpreter's own farewell, as a forked child does."""
    status = wire.EX_SOFTWARE
    try:
        windows.look(configuration["wine"])
        cell.leave_stacks()
        faulthandler.dump_traceback_later(job["deadline"])
        threading.Thread(target=_end_with, args=(commands,), name="orphan", daemon=True).start()
        settings = Settings(configuration["places"])
        settings.configure(configuration, _tls_versions(job), job["do"] != wire.CONTROL)
        cell.do(job, events, settings)
        status = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _tls_versions(job):
    """The TLS version that the job asks for, if it does: there is no other job to come."""
    name = job.get("transport") or job.get("cell", {}).get("transport")
    version = name and transports.parse(name).tls
    return (version,) if version else ()


def _end_with(commands):
    """Nobody waits for the outcome once the agent is gone."""
    commands.read()
    os._exit(wire.EX_SOFTWARE)
