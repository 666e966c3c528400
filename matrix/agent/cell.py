"""One child's life: a job is done, its events are recorded, the process ends."""

from __future__ import annotations

import faulthandler
import gc
import importlib
import signal

from matrix import wire
from matrix.agent import reactors, transports, witness
from matrix.agent.recorder import Recorder, describe, watch_complaints

DUMP_SIGNAL = getattr(signal, "SIGUSR1", None)
"""On this signal a process that leaves its stacks writes them."""


class StoppedEarlyError(Exception):
    """The reactor's run came to its end, and the scenario had not."""


def leave_stacks():
    """Write the stacks of all threads to stderr when this process, or a child of it, crashes."""
    faulthandler.enable()
    if DUMP_SIGNAL is not None:
        faulthandler.register(DUMP_SIGNAL, all_threads=True)


def do(job, descriptor, settings):
    """Do one job (a message of the manager's) and record it on the descriptor.

    A control is played so many ``attempts``, each from a first line to a last one.
    """
    gc.disable()  # collections happen where a scenario asks for one
    recorder = Recorder(descriptor)
    for _ in range(job.get("attempts", 1)):
        _do_once(job, recorder, settings)


def _do_once(job, recorder, settings):
    recorder.record(wire.PROCESS, wire.STARTED, job=job)
    try:
        _DOERS[job["do"]](job, recorder, settings)
    except transports.Unsupported as unsupported:
        code, detail = unsupported.code, unsupported.detail
        recorder.record(wire.PROCESS, wire.TRANSPORT_UNSUPPORTED, code=code, detail=detail)
    except Exception as error:
        recorder.record(wire.PROCESS, wire.HARNESS_RAISED, exception=describe(error))
    recorder.record(wire.PROCESS, wire.FINISHED)


def _preload(recorder, settings):
    """Import the modules that the user wants to have imported before the reactor is chosen."""
    for module in settings.preload:
        try:
            importlib.import_module(module)
        except Exception as error:
            exception = describe(error)
            recorder.record(
                wire.PROCESS, wire.REACTOR_RAISED, call=f"import {module}", exception=exception
            )
            return False
    return True


def _probe(job, recorder, settings):
    """Can this reactor exist here?"""
    if not _preload(recorder, settings):
        return
    trouble = reactors.trouble(settings.reactors[job["reactor"]])
    if trouble is not None:
        recorder.record(wire.PROCESS, wire.REACTOR_UNSUPPORTED, **trouble._asdict())


def _play(job, recorder, settings):
    """Install the reactor, and play the cell on it."""
    watch_complaints(recorder)
    if not _preload(recorder, settings):
        return
    transports.check_host(transports.parse(job["cell"]["transport"]))
    known = settings.reactors[job["cell"]["reactor"]]
    trouble = reactors.trouble(known)
    if trouble is not None:
        recorder.record(wire.PROCESS, wire.REACTOR_UNSUPPORTED, **trouble._asdict())
        return
    if hasattr(gc, "freeze"):
        gc.freeze()  # what was imported since the process began; a collection need not look there
    call = "install"
    try:
        recorder.record(wire.PROCESS, wire.REACTOR_INSTALLED, **reactors.installed(known))
        call = "run"
        _run(job, recorder, settings)
    except transports.Unsupported:
        raise
    except Exception as error:
        recorder.record(wire.PROCESS, wire.REACTOR_RAISED, call=call, exception=describe(error))


def _run(job, recorder, settings):
    from twisted.internet import reactor

    from matrix.agent.scenarios import SCENARIOS
    from matrix.agent.stage import Stage

    cell = job["cell"]
    transport = transports.parse(cell["transport"])
    transports.check_reactor(transport, reactor)
    settings.check_tls(transport)
    scenario = SCENARIOS[cell["scenario"]]
    missing = scenario.needs(reactor)
    if missing is not None:
        code, detail = missing
        recorder.record(wire.PROCESS, wire.SCENARIO_UNSUPPORTED, code=code, detail=detail)
        return
    fault = _fault(job["fault"]) if job.get("fault") else None
    witnesses = witness.Maker(recorder, settings.contexts, settings.outpost)
    stage = Stage(recorder, reactor, cell, scenario, settings.contexts, witnesses, fault)
    reactor.callWhenRunning(stage.play)
    reactor.run()
    if not stage.is_over:
        raise StoppedEarlyError("the reactor stopped although the scenario went on")


def _fault(name):
    """Most processes play none, and do without the module."""
    from matrix.agent.faults import FAULTS

    return FAULTS[name]


def _control(job, recorder, settings):
    """The case with no reactor in it."""
    from matrix.agent.control import play

    transport = transports.parse(job["transport"])
    transports.check_host(transport)
    settings.check_tls(transport)
    outpost = settings.outpost if job.get("peer") != "reactor" else None
    witnesses = witness.Maker(recorder, settings.contexts, outpost)
    play(recorder, transport, job["side"], job["kind"], settings.contexts, witnesses)


_DOERS = {wire.PROBE: _probe, wire.PLAY: _play, wire.CONTROL: _control}
