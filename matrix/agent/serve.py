"""The process that has Twisted imported, installs no reactor, and forks one child per job.

It speaks with the manager over its standard streams, one JSON line each way. Its
children have pipes of their own; what they write is kept here, and sent in one
piece when the child has ended, so that no child can disturb another's events.
The pipes are emptied when a child has ended, and in rounds: to be woken by every line of every
child would cost more than to fork it.
"""

from __future__ import annotations

import gc
import json
import math
import os
import selectors
import signal
import sys
import traceback
from contextlib import suppress

from matrix import wire
from matrix.agent import cell, hello, streams
from matrix.agent.settings import Settings

_READ_SIZE = 1 << 16
_ROUND = 0.2
"""Seconds between two rounds in which all pipes are emptied."""
_SHORT_ROUND = 0.001
"""The same after a pipe was rather full; from then on each takes twice as long as the last one."""
_GATHERED = 0.03
"""Seconds for which the ends of children are gathered. The next ones are forked together then, and
the pages that this process writes to are copied once for all of them.
"""
_RATHER_FULL = 1 << 15
"""Bytes: half of what a pipe of Linux holds (pipe(7)), and more than all events of most cells."""
_EVER = 3600.0
"""Seconds that are long enough to wait for nothing, and that every system can wait."""
_DUMP_TIME = 0.5
"""Seconds that a child has to write its stacks before it is killed."""


class Child:
    """One job's process: what it wrote on its two pipes so far."""

    def __init__(self, job, deadline, pid, events, stderr):
        self.job = job
        self.pid = pid
        self.pipes = {events: bytearray(), stderr: bytearray()}
        self.events, self.stderr = events, stderr
        self.due = hello.now() + deadline
        self.is_expired = False

    def drain(self):
        """Read what the pipes hold, and keep no more than `wire.MAX_OUTPUT` bytes of each.

        Returns how many bytes there were in all.
        """
        count = 0
        for pipe, kept in self.pipes.items():
            with suppress(BlockingIOError):
                while data := os.read(pipe, _READ_SIZE):
                    kept.extend(data[: max(0, wire.MAX_OUTPUT - len(kept))])
                    count += len(data)
        return count

    def expire(self):
        """Its time is over: have it write its stacks; and if that has been asked for, kill it."""
        self.kill(signal.SIGKILL if self.is_expired else cell.DUMP_SIGNAL)
        self.is_expired = True
        self.due = hello.now() + _DUMP_TIME

    def kill(self, number):
        """Signal the whole process group of this child."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass


class Server:
    """Forks children for the jobs that come in, and reports each child's end."""

    def __init__(self, commands, answers, guard):
        self._commands = commands
        self._answers = answers
        self._unsaid = bytearray()
        self._guard = guard
        self._children = {}
        self._own: tuple[int, ...] = ()
        self._settings = Settings()
        self._selector = selectors.DefaultSelector()
        self._pending = b""
        self._is_open = True
        self._abandoned_at = math.inf
        self._round = _ROUND
        self._next_round = 0.0
        self._reaped_at = math.inf

    def run(self):
        """Serve until the manager closes the conversation, or is not heard of any more."""
        cell.leave_stacks()
        wake_read, wake_write = os.pipe()
        self._own = (wake_read, wake_write, self._commands, self._answers)
        for descriptor in self._own:
            os.set_blocking(descriptor, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        self._selector.register(wake_read, selectors.EVENT_READ, self._hear_of_an_end)
        self._selector.register(self._commands, selectors.EVENT_READ, self._take_commands)
        self._say({"type": wire.HELLO, **hello.facts(self._settings.reactors)})
        try:
            while self._is_open:
                for key, _ in self._selector.select(self._patience()):
                    key.data()
                self._mind_the_time()
        finally:
            for child in self._children.values():
                child.kill(signal.SIGKILL)

    def _say(self, message):
        """Send a message as soon as the link takes it: one that stalls holds nothing else up."""
        is_behind = bool(self._unsaid)
        self._unsaid += json.dumps(message).encode("ascii") + b"\n"
        if not is_behind and not self._send():
            self._selector.register(self._answers, selectors.EVENT_WRITE, self._catch_up)

    def _send(self):
        """Send what the link takes now; whether that was all."""
        try:
            del self._unsaid[: os.write(self._answers, self._unsaid)]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._is_open = False
        return not self._unsaid

    def _catch_up(self):
        if self._send():
            self._selector.unregister(self._answers)

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
            if hasattr(gc, "freeze"):
                gc.freeze()
        elif command["do"] == wire.BEAT:
            self._abandoned_at = hello.now() + command["patience"]
            self._say({"type": wire.BEAT})
        else:
            self._fork(command)

    def _fork(self, job):
        events_read, events_write = os.pipe()
        stderr_read, stderr_write = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.close(events_read)
            os.close(stderr_read)
            self._become_child(job, events_write, stderr_write)
        os.close(events_write)
        os.close(stderr_write)
        child = Child(job["job"], job["deadline"], pid, events_read, stderr_read)
        self._children[pid] = child
        for pipe in child.pipes:
            os.set_blocking(pipe, False)

    def _become_child(self, job, events, stderr):
        """Do the job and exit. The child keeps its own two pipes, and nothing of its parent's."""
        status = wire.EX_SOFTWARE
        try:
            os.setpgid(0, 0)
            self._guard.born()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.alarm(int(job["deadline"]) + 30)  # whatever happens to the agent
            os.dup2(stderr, 1)
            os.dup2(stderr, 2)
            os.close(stderr)
            self._let_go()
            cell.do(job, events, self._settings)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _let_go(self):
        """Close the agent's own descriptors in a child, and those of the other children's pipes."""
        self._selector.close()
        for child in self._children.values():
            for pipe in child.pipes:
                os.close(pipe)
        for descriptor in self._own:
            os.close(descriptor)

    def _patience(self):
        """Seconds until there is something to do that nobody tells."""
        due = [self._abandoned_at, self._reaped_at, self._first_due()]
        if self._children:
            due.append(self._next_round)
        return max(0, min(min(due) - hello.now(), _EVER))

    def _first_due(self):
        return min((child.due for child in self._children.values()), default=math.inf)

    def _mind_the_time(self):
        now = hello.now()
        if now >= min(self._reaped_at, self._first_due()):  # one that has ended does not expire
            self._reap()
        if now >= self._next_round:
            self._empty_pipes(now)
        for child in self._children.values():
            if now >= child.due:
                child.expire()
        if now >= self._abandoned_at:
            self._is_open = False

    def _empty_pipes(self, now):
        most = max((child.drain() for child in self._children.values()), default=0)
        self._round = _SHORT_ROUND if most > _RATHER_FULL else min(2 * self._round, _ROUND)
        self._next_round = now + self._round

    def _hear_of_an_end(self):
        os.read(self._own[0], 512)
        self._reaped_at = min(self._reaped_at, hello.now() + _GATHERED)

    def _reap(self):
        self._reaped_at = math.inf
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            if pid in self._children:
                self._bury(self._children.pop(pid), status)

    def _bury(self, child, status):
        child.kill(signal.SIGKILL)  # whatever it started
        self._guard.buried(child.pid)
        child.drain()
        for pipe in child.pipes:
            os.close(pipe)
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        self._say(
            {
                "type": wire.ENDED,
                "job": child.job,
                "status": code,
                "expired": child.is_expired,
                "events": child.pipes[child.events].decode("utf-8", "backslashreplace"),
                "stderr": child.pipes[child.stderr].decode("utf-8", "backslashreplace"),
            }
        )


def serve(guard):
    """Take over the standard streams: what is printed by mistake goes to stderr."""
    commands, answers = streams.take_over()
    Server(commands, answers, guard).run()
