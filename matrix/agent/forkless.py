"""The agent where nothing can be forked: processes that are started ahead, and do one job each.

It speaks as `matrix.agent.serve` does. Every process is given its settings and its job on its
standard input, writes its events to its standard output, and ends (`matrix.agent.oneshot`). A few
are always started before there is anything to do. What they import comes out of an image, which
another process has left (`matrix.agent.scout`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from typing import Any

from matrix import wire
from matrix.agent import image, streams
from matrix.agent.recorder import describe

AHEAD = 3
"""Processes that wait for a job: enough for two processors, and little lost at the end."""

_BEGINNERS = os.cpu_count() or 1
"""Processes that import what their job needs at the same time. This takes most of what a cell
costs, and the more of them take turns on a processor, the more it takes: each finds its caches full
of another's.
"""

_LONGEST = 10.0
"""Seconds for which one that imports keeps others from it at most: it may hang."""

_DUMP_TIME = 2.0
"""Seconds after its deadline that a process has to write its stacks before it is killed."""

_READ_SIZE = 1 << 16
_BEGIN = image.BOOT + "from matrix.agent.oneshot import main; main()"
"""The agent itself is in no file: all that a process needs of it comes out of the image."""

_SCOUT = "matrix.agent.scout"


class _Scout:
    """The process that says what there is here, and makes the image."""

    def __init__(self):
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", "exec(input())"]
        self._started: Any = subprocess.Popen(command, stdin=pipe, stdout=pipe)
        finder = next((each for each in sys.meta_path if hasattr(each, "line")), None)
        plain = f"from {_SCOUT} import main; main()\n"
        line = plain if finder is None else finder.line(_SCOUT)
        self.hello = self._ask(line.encode("ascii"))

    def configure(self, command):
        """Have it make the image; returns the line that every process is to be told first."""
        told = self._ask(json.dumps(command).encode("ascii") + b"\n")
        self._started.communicate()
        return told.rstrip(b"\n")

    def _ask(self, line):
        """Its next line. There is none where it has failed: then it has said why on stderr."""
        try:
            self._started.stdin.write(line)
            self._started.stdin.flush()
        except OSError:
            pass  # it is dead
        said = self._started.stdout.readline()
        if not said:
            sys.exit(self._started.wait() or wire.EX_SOFTWARE)
        return said


class _Turn:
    """A place among the beginners, which is waited for, and given back once."""

    def __init__(self, places):
        self._places = places
        self._is_over = threading.Lock()
        self._has_place = places.acquire(timeout=_LONGEST)

    def hear(self, output):
        """Take what its process has said so far: a second event, or very much, ends its turn."""
        if not self._is_over.locked() and (len(output) > _READ_SIZE or output.count(b"\n") > 1):
            self.over()

    def over(self):
        """Let the next one begin, if this one has not yet."""
        if self._is_over.acquire(blocking=False) and self._has_place:
            self._places.release()


class Process:
    """One process, for one job: it is started ahead, and told its settings and its job later."""

    def __init__(self, command, configuration):
        pipe = subprocess.PIPE
        self._started: Any = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe)
        self.is_expired = False
        self._configuration = configuration

    def do(self, job, turn):
        """Tell it its settings and its job; returns its exit status, and what its two pipes had.

        At its deadline it writes its stacks by itself, and then its time is over. Its turn is over
        when it has imported what it needs: then it records a second event.
        """
        timer = _timer(job["deadline"] + _DUMP_TIME, self._expire)
        outputs: dict[Any, bytearray] = {}
        events, stderr = self._started.stdout, self._started.stderr
        readers = [
            threading.Thread(target=self._keep, args=given, daemon=True)
            for given in ((events, outputs, turn.hear), (stderr, outputs))
        ]
        for reader in readers:
            reader.start()
        self._tell(self._configuration, json.dumps(job).encode("ascii"))
        status = self.wait()
        turn.over()
        timer.cancel()
        for reader in readers:
            reader.join(_DUMP_TIME)  # a process of its own may still hold the other end
        return status, *(bytes(outputs.get(pipe, b"")) for pipe in (events, stderr))

    def _tell(self, *lines):
        """They are more than a pipe holds, and nobody knows when it will read them, if ever."""
        try:
            self._started.stdin.write(b"".join(line + b"\n" for line in lines))
            self._started.stdin.flush()
        except OSError:
            pass  # it is dead; its exit status tells

    @staticmethod
    def _keep(pipe, outputs, hear=lambda kept: None):
        """Read to the end; keep no more than `wire.MAX_OUTPUT` bytes, and let them be heard."""
        kept = outputs[pipe] = bytearray()
        while True:
            data = os.read(pipe.fileno(), _READ_SIZE)
            if not data:
                return
            kept += data[: max(0, wire.MAX_OUTPUT - len(kept))]
            hear(kept)

    def _expire(self):
        self.is_expired = True
        self.kill()

    def kill(self):
        """End it, whatever it does."""
        try:
            self._started.kill()
        except OSError:
            pass  # it has ended already

    def wait(self):
        """Wait for its end; returns its exit status."""
        return self._started.wait()


class Server:
    """Has each job done by a process of its own, and reports that process's end."""

    def __init__(self, commands, answers, folder):
        self._commands = commands
        self._answers = answers
        self._lock = threading.Lock()
        self._ahead: deque[Process] = deque()
        self._places = threading.Semaphore(_BEGINNERS)
        self._running = {}
        self._configuration = b"{}"
        self._abandon = threading.Timer(0, self._give_up)  # not started: nobody has asked yet
        self._folder = folder
        self._image = os.path.join(folder, "image")
        self._command = [sys.executable, "-c", _BEGIN, self._image]

    def run(self):
        """Serve until the manager closes the conversation; then no process is left."""
        scout = _Scout()
        self._say(scout.hello)
        for line in self._commands:
            command = json.loads(line)
            if command["do"] == wire.CONFIGURE:
                self._configuration = scout.configure({**command, "image": self._image})
            elif command["do"] == wire.BEAT:
                self._abandon.cancel()
                self._abandon = _timer(command["patience"], self._give_up)
                self._say(_line({"type": wire.BEAT}))
            else:
                self._begin(command)
        self._kill_all()

    def _kill_all(self):
        """Kill them, and wait for their ends: on Windows the image cannot be removed before."""
        killed = [*self._ahead, *self._running.values()]
        for process in killed:
            process.kill()
        for process in killed:
            process.wait()

    def _give_up(self):
        """Nobody has asked for long: end, with all that was started, and leave nothing."""
        self._kill_all()
        shutil.rmtree(self._folder, ignore_errors=True)
        os._exit(wire.EX_SOFTWARE)  # the main thread waits for a command that does not come

    def _say(self, line):
        with self._lock:
            self._answers.write(line)
            self._answers.flush()

    def _begin(self, job):
        try:
            while len(self._ahead) <= AHEAD:
                self._start()
        except OSError as error:
            if not self._ahead:  # else the next job has another try
                self._say_not_started(job, error)
                return
        process = self._running[job["job"]] = self._ahead.popleft()
        threading.Thread(target=self._see_through, args=(job, process), daemon=True).start()

    def _say_not_started(self, job, error):
        """No process, and so no word of the code under test: the harness failed."""
        event = {"t": 0, "side": wire.PROCESS, "event": wire.HARNESS_RAISED}
        events = [{**event, "exception": describe(error)}, {**event, "event": wire.FINISHED}]
        lines = "".join(json.dumps(each) + "\n" for each in events)
        self._say_ended(job, status=0, expired=False, events=lines, stderr="")

    def _start(self):
        self._ahead.append(Process(self._command, self._configuration))

    def _see_through(self, job, process):
        status, events, stderr = process.do(job, _Turn(self._places))
        del self._running[job["job"]]
        self._say_ended(
            job,
            status=status,
            expired=process.is_expired,
            events=events.decode("utf-8", "backslashreplace"),
            stderr=stderr.decode("utf-8", "backslashreplace"),
        )

    def _say_ended(self, job, **ending):
        self._say(_line({"type": wire.ENDED, "job": job["job"], **ending}))


def _line(message):
    return json.dumps(message).encode("ascii") + b"\n"


def _timer(seconds, do):
    timer = threading.Timer(seconds, do)
    timer.daemon = True
    timer.start()
    return timer


def main():
    """Serve on the standard streams."""
    commands, answers = streams.take_over()
    folder = tempfile.mkdtemp(prefix="reactor-matrix-")
    os.environ["TMPDIR"] = folder  # a process that is killed leaves its own folders there
    try:
        Server(os.fdopen(commands, "rb"), os.fdopen(answers, "wb"), folder).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
