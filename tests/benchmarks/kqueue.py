"""Does the emulated kevent(2) carry Twisted's own reactor tests as epoll does?

    python tests/benchmarks/kqueue.py

Runs the tests that Twisted generates for every reactor (its ReactorBuilder classes) on EPollReactor
and on KQueueReactor over the emulation, in both orders of events, each in a process of its own, and
prints what did not pass, and the difference. Exits with 1 where there is a difference.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

MODULES = ("tcp", "tls", "unix", "udp", "fdset", "core", "time", "process")
"""Of twisted.internet.test, those that generate tests for every reactor."""

REACTORS = {
    "epoll": "twisted.internet.epollreactor.EPollReactor",
    "kqueue_emulated_rw": "kqueue.ReadFirst",
    "kqueue_emulated_wr": "kqueue.WriteFirst",
}
"""Where `twisted.python.reflect.namedAny` finds what makes the reactor."""

Outcomes = dict[str, str]
"""Test → ``passed``, ``skipped``, ``expected failure``, ``failed`` with the reason, and so on."""


class ReadFirst:
    """Makes a KQueueReactor over the emulation that reports READ before WRITE."""

    def __new__(cls) -> Any:
        """The reactor; a function here would become a method of Twisted's test cases."""
        return _emulated("kqueue")


class WriteFirst:
    """The same, with WRITE before READ."""

    def __new__(cls) -> Any:
        """The reactor."""
        return _emulated("WriteFirst")


def _emulated(queue: str) -> Any:
    from matrix.agent import kevent

    with kevent.on_select():
        from twisted.internet import kqreactor
    offered = SimpleNamespace(kqueue=getattr(kevent, queue), kevent=kevent.kevent)
    return kqreactor.KQueueReactor(_kqueueImpl=offered)


def play(reactor: str) -> Outcomes:
    """What comes of each test on that reactor, in this process."""
    from twisted.internet.test import reactormixins
    from twisted.trial import runner, unittest
    from twisted.trial.reporter import TestResult

    reactormixins.ReactorBuilder._reactors = [REACTORS[reactor]]
    outcomes: Outcomes = {}

    class Recorder(TestResult):  # type: ignore[misc]
        def addSuccess(self, test: Any) -> None:
            outcomes.setdefault(_name(test), "passed")

        def addSkip(self, test: Any, reason: Any) -> None:
            outcomes[_name(test)] = f"skipped: {reason}"

        def addExpectedFailure(self, test: Any, failure: Any, todo: Any = None) -> None:
            outcomes[_name(test)] = "expected failure"

        def addUnexpectedSuccess(self, test: Any, todo: Any = None) -> None:
            outcomes[_name(test)] = "unexpected success"

        def addFailure(self, test: Any, failure: Any) -> None:
            outcomes[_name(test)] = f"failed: {_first_line(failure)}"

        addError = addFailure  # noqa: N815 - trial's name

    loader = runner.TestLoader()
    suite = unittest.TestSuite()
    for module in MODULES:
        found = loader.loadByName(f"twisted.internet.test.test_{module}")
        suite.addTests(case for case in _cases(found) if "_reactors" in dir(case))
    suite.run(Recorder())
    return outcomes


def _cases(suite: Any) -> Any:
    for each in suite:
        if hasattr(each, "__iter__"):
            yield from _cases(each)
        else:
            yield each


def _name(test: Any) -> str:
    """The test's id, without the name of the reactor in the name of its class."""
    return f"{type(test).__mro__[1].__name__}.{test.id().rpartition('.')[2]}"


def _first_line(failure: Any) -> str:
    value = getattr(failure, "value", None) or failure[1]
    return f"{type(value).__name__}: {value}".splitlines()[0][:120]


def played(reactor: str) -> Outcomes:
    """The same, in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), reactor]
    with TemporaryDirectory() as folder:  # what the tests write is left in it
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stderr}\n{' '.join(command)} ended with status {done.returncode}")
    outcomes: Outcomes = json.loads(done.stdout.splitlines()[-1])
    return outcomes


def main() -> int:
    """Print what did not pass on each reactor, and where they differ."""
    results = {reactor: played(reactor) for reactor in REACTORS}
    for reactor, outcomes in results.items():
        kinds = Counter(outcome.partition(":")[0] for outcome in outcomes.values())
        print(reactor, "-", ", ".join(f"{n} {kind}" for kind, n in kinds.most_common()))
        for test, outcome in sorted(outcomes.items()):
            if not outcome.startswith(("passed", "skipped")):
                print(f"    {test}: {outcome}")
    return _differences(results)


def _differences(results: dict[str, Outcomes]) -> int:
    tests = sorted(set().union(*results.values()))
    found = [test for test in tests if len({_kind(each, test) for each in results.values()}) > 1]
    print(f"{len(tests)} tests, {len(found)} of them differ")
    for test in found:
        print(f"    {test}")
        for reactor, outcomes in results.items():
            print(f"        {reactor}: {outcomes.get(test, 'not there')}")
    return 1 if found else 0


def _kind(outcomes: Outcomes, test: str) -> str:
    return outcomes.get(test, "not there").partition(":")[0]


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps(play(sys.argv[1])))
        sys.exit()
    sys.exit(main())
