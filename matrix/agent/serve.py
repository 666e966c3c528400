"""The process that has Twisted imported, installs no reactor, and forks one child per job.

It speaks with the manager over its standard streams, one JSON line each way. Its
children have pipes of their own; what they write is kept here, and sent in one
piece when the child has ended, so that no child can disturb another's events.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import sys

from matrix import wire
from matrix.agent import cell, hello
from matrix.agent.settings import Settings

_READ_SIZE = 1 << 16
_DUMP_TIME = 0.5
"""Seconds that a child has to write its stacks before it is killed."""


class Child:
    """One job's process: what it wrote on its two pipes so far."""

    def __init__(self, job, pid, events, stderr):
        self.job = job
        self.pid = pid
        self.pipes = {events: bytearray(), stderr: bytearray()}
        self.events, self.stderr = events, stderr
        self.dumped_at = None

    def drain(self, pipe):
        """Read what the pipe holds; keep no more than `wire.MAX_OUTPUT` bytes. False at its end."""
        kept = self.pipes[pipe]
        while True:
            try:
                data = os.read(pipe, _READ_SIZE)
            except BlockingIOError:
                return True
            if not data:
                return False
            kept += data[: max(0, wire.MAX_OUTPUT - len(kept))]

    def kill(self, number):
        """Signal the whole process group of this child."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass


class Server:
    """Forks children for the jobs that come in, and reports each child's end."""

    def __init__(self, commands, answers):
        self._commands = commands
        self._answers = answers
        self._children = {}
        self._settings = Settings()
        self._selector = selectors.DefaultSelector()
        self._pending = b""
        self._is_open = True

    def run(self):
        """Serve until the manager closes the conversation; then no child is left."""
        wake_read, wake_write = os.pipe()
        for descriptor in (wake_read, wake_write, self._commands):
            os.set_blocking(descriptor, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self._selector.register(wake_read, selectors.EVENT_READ, lambda: os.read(wake_read, 512))
        self._selector.register(self._commands, selectors.EVENT_READ, self._take_commands)
        self._say({"type": wire.HELLO, **hello.facts(self._settings.reactors)})
        while self._is_open:
            for key, _ in self._selector.select(self._patience()):
                key.data()
            self._kill_expired()
            self._reap()
        for child in self._children.values():
            child.kill(signal.SIGKILL)

    def _say(self, message):
        view = memoryview(json.dumps(message).encode("ascii") + b"\n")
        while view:
            view = view[os.write(self._answers, view) :]

    def _take_commands(self):
        data = os.read(self._commands, _READ_SIZE)
        self._is_open = bool(data)
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            self._obey(json.loads(line))

    def _obey(self, command):
        if command["do"] == wire.CONFIGURE:
            self._settings.warm_up()
            self._settings.configure(command)
            gc.collect()
            gc.freeze()
        elif command["do"] == wire.EXPIRE:
            self._expire(command["job"])
        else:
            self._fork(command)

    def _fork(self, job):
        events_read, events_write = os.pipe()
        stderr_read, stderr_write = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            self._become_child(job, events_write, stderr_write)
        os.close(events_write)
        os.close(stderr_write)
        child = self._children[pid] = Child(job["job"], pid, events_read, stderr_read)
        for pipe in child.pipes:
            os.set_blocking(pipe, False)
            self._selector.register(
                pipe, selectors.EVENT_READ, lambda pipe=pipe: self._read(child, pipe)
            )
        self._say({"type": wire.BEGAN, "job": child.job, "pid": pid})

    def _become_child(self, job, events, stderr):
        """Do the job and exit. The child keeps its own two pipes, and nothing of its parent's."""
        status = 70  # EX_SOFTWARE
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.alarm(int(job["deadline"]) + 30)  # whatever happens to the agent
            os.dup2(stderr, 1)
            os.dup2(stderr, 2)
            _close_others({0, 1, 2, events})
            cell.do(job, events, self._settings)
            status = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _read(self, child, pipe):
        if not child.drain(pipe):
            self._selector.unregister(pipe)

    def _expire(self, job):
        for child in self._children.values():
            if child.job == job and child.dumped_at is None:
                child.dumped_at = hello.now()
                child.kill(cell.DUMP_SIGNAL)

    def _patience(self):
        is_dumping = any(child.dumped_at is not None for child in self._children.values())
        return 0.05 if is_dumping else None

    def _kill_expired(self):
        for child in self._children.values():
            if child.dumped_at is not None and hello.now() - child.dumped_at > _DUMP_TIME:
                child.kill(signal.SIGKILL)

    def _reap(self):
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            if pid in self._children:
                self._bury(self._children.pop(pid), status)

    def _bury(self, child, status):
        child.kill(signal.SIGKILL)  # whatever it started
        for pipe in child.pipes:
            child.drain(pipe)
            if pipe in self._selector.get_map():
                self._selector.unregister(pipe)
            os.close(pipe)
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self._say(
            {
                "type": wire.ENDED,
                "job": child.job,
                "status": code,
                "events": child.pipes[child.events].decode("utf-8", "backslashreplace"),
                "stderr": child.pipes[child.stderr].decode("utf-8", "backslashreplace"),
            }
        )


def _close_others(kept):
    for name in os.listdir("/dev/fd"):
        if int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                pass  # the descriptor that listed the folder


def main():
    """Take over the standard streams: what is printed by mistake goes to stderr."""
    if not hasattr(os, "fork"):
        from matrix.agent import forkless

        forkless.main()
        return
    commands, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    Server(commands, answers).run()
