"""Results files and other output on disk: nothing good is ever replaced by something half-written.

`matrix.lines` has the format, this module the files.
"""

from __future__ import annotations

import errno
import gc
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO

from attrs import evolve, frozen

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from matrix.errors import OutputError, ResultsError
from matrix.lines import (
    FOOTER,
    PART,
    LineError,
    dump_lines,
    entry_line,
    footer_line,
    opening_lines,
    parse_lines,
    parse_part,
    parse_transcript,
    part_line,
)
from matrix.model.report import Footer, Host, Part, Plan, Report
from matrix.model.result import Control, Result
from matrix.model.transcript import Ending, How, Transcript
from matrix.resume import check_same

RESULTS = "results.jsonl"
"""The name of a results file in an output folder."""
UNFINISHED = ".part"
"""What stands behind that name as long as the run goes on, or when it was cut off."""


def read(path: Path) -> Report:
    """The report in a results file; its ``footer`` is None if the run or the file was cut off.

    `ResultsError` says which line makes no sense, or why the file cannot be read. Transcripts stay
    in the file, and are read again when they are asked for: it must not change in between. Only
    those of a pipe, which cannot be read twice, are kept in memory.
    """
    try:
        with path.open("rb") as file, _without_collector():
            keep = partial(_Passage, path, _stamp(file)) if file.seekable() else None
            return parse_lines(file, keep)
    except LineError as error:
        raise ResultsError(f"{path}, line {error.number}: {error}. {_AFTER_DAMAGE}") from error
    except OSError as error:
        raise ResultsError(_unreadable(path, error)) from error


_Stamp = tuple[int, int, int]
"""What tells whether a file is still the same: inode, size, and when it changed."""


@frozen
class _Passage:
    """The line of an attempt in a results file. Both methods raise `ResultsError`."""

    path: Path
    stamp: _Stamp
    offset: int
    size: int

    def line(self) -> str:
        """The whole line, read anew."""
        try:
            with self.path.open("rb") as file:
                if _stamp(file) != self.stamp:
                    raise ResultsError(f"{self.path} has changed in the meantime; begin again.")
                file.seek(self.offset)
                return file.read(self.size).decode()
        except OSError as error:
            raise ResultsError(_unreadable(self.path, error)) from error

    def transcript(self) -> Transcript:
        """The transcript on the line; the last few that were asked for are still at hand."""
        return _transcript(self)


@lru_cache(maxsize=256)
def _transcript(passage: _Passage) -> Transcript:
    return parse_transcript(passage.line())


def _stamp(file: IO[bytes]) -> _Stamp:
    found = os.fstat(file.fileno())
    return found.st_ino, found.st_size, found.st_mtime_ns


def write(report: Report, path: Path) -> None:
    """Put the report into a results file, whole or not at all (`OutputError`)."""
    write_atomically(path, dump_lines(report))


def write_atomically(path: Path, text: str | Iterable[str]) -> None:
    """Make ``path`` hold the text as UTF-8, or stay as it was and raise `OutputError`.

    What is no regular file (a pipe, ``/dev/stdout``) cannot be replaced and is written to.
    """
    parts = [text] if isinstance(text, str) else text
    with _output(path):
        if path.exists() and not path.is_file():
            _put(path, parts)
            return
        draft = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
        try:
            _put(draft, parts)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


class Writer:
    """A results file in the making, which grows by a line with every attempt that ends.

    It is called ``results.jsonl.part`` until `finish` gives it its name; a run that dies leaves
    it as it is, to be read. Every method raises `OutputError` where the disk is in the way, and
    takes back the line that did not fit.

    With ``resume`` it goes on with what a run of the same plan on the same hosts has left there,
    if there is anything; `ResumeError` where it is not the same. ``started`` is when this part of
    the run began.
    """

    def __init__(
        self,
        folder: Path,
        hosts: tuple[Host, ...],
        plan: Plan,
        version: str,
        started: str,
        *,
        resume: bool = False,
    ) -> None:
        self.path = folder / RESULTS
        """Where the finished file will be."""
        self.kept: Report | None = None
        """What was left there, of which nothing is to be done again."""
        self.parts = [Part(started)]
        """When the run began, and when it was gone on with."""
        self._draft = folder / (RESULTS + UNFINISHED)
        self._report = Report(hosts, plan, version=version)
        self._bare: list[Result] = []
        with _output(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if resume and not self._draft.exists() and _is_interrupted(self.path):
                self.path.replace(self._draft)
        with _output(self._draft):
            self._file = _open_alone(self._draft)
        try:
            self._begin(resume=resume)
        except BaseException:
            self._file.close()
            raise

    def _begin(self, *, resume: bool) -> None:
        """Go on behind the last whole line of what is there, or begin anew."""
        if resume and _has_opening(self._draft, len(self._report.hosts)):
            left = read(self._draft)
            check_same(left, self._report, str(self._draft))
            before = _parts(self._draft)
            spent = _spent(before, left.footer, self._draft.stat().st_mtime)
            self.parts = [*before, evolve(self.parts[0], spent=spent)]
            with _output(self._draft):
                self._file.truncate(_end_of_entries(self._draft))
                self._file.seek(0, os.SEEK_END)
            self._add(part_line(self.parts[-1]))
            self.kept = read(self._draft)
            self._bare = [evolve(each, transcript=_NO_TRANSCRIPT) for each in self.kept.results]
            return
        with _output(self._draft):
            self._file.truncate(0)
        for line in opening_lines(self._report.hosts, self._report.plan, self._report.version):
            self._add(line)
        self._add(part_line(self.parts[-1]))

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, entry: Control | Result) -> None:
        """Add an attempt that has ended; when this returns, the file holds it.

        It is said to be of the plan's shard, so that it can still be told apart in a merged file.
        """
        entry = evolve(entry, shard=self._report.plan.shard)
        self._add(entry_line(entry))
        if isinstance(entry, Result):
            self._bare.append(evolve(entry, transcript=_NO_TRANSCRIPT))

    def finish(self, footer: Footer) -> Path:
        """Add the footer, give the file its name and return it."""
        report = evolve(self._report, results=tuple(self._bare))
        self._add(footer_line(footer, report.counts()))
        with _output(self.path):
            os.fsync(self._file.fileno())
            self._file.close()
            self._draft.replace(self.path)
        return self.path

    def _add(self, line: str) -> None:
        start = self._file.tell()
        with _output(self._draft):
            try:
                _write_all(self._file, line.encode("ascii"))
            except OSError:
                # Half a line in the middle would make the whole file unreadable.
                with suppress(OSError):
                    self._file.truncate(start)
                    self._file.seek(start)
                raise


def _open_alone(draft: Path) -> IO[bytes]:
    """Open a file to write it anew, unless another process is writing it (`OutputError`)."""
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT, 0o666)  # what is there stays, for now
    file: IO[bytes] = os.fdopen(descriptor, "wb", buffering=0)
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise OutputError(
            f"Another run is writing {draft}. Wait for its end, or choose another folder with -o."
        ) from error
    return file


def finished(folder: Path) -> Report | None:
    """The report of a run that came to its end there, if none was begun after it."""
    path = folder / RESULTS
    if not path.exists() or path.with_name(path.name + UNFINISHED).exists():
        return None
    report = read(path)
    return report if report.footer is not None and report.footer.interrupted is None else None


def _is_interrupted(path: Path) -> bool:
    footer = read(path).footer if path.exists() else None
    return footer is not None and footer.interrupted is not None


def _has_opening(path: Path, lines: int) -> bool:
    """Whether the first so many lines are whole; without them there is nothing to go on with."""
    with path.open("rb") as file:
        return sum(line.endswith(b"\n") for line in islice(file, lines)) == lines


def _end_of_entries(path: Path) -> int:
    """Where the last whole line ends that is no footer."""
    end = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n") or line.startswith(_opening(FOOTER)):
                break
            end += len(line)
    return end


def _parts(path: Path) -> list[Part]:
    """The parts of a run that there have been."""
    with path.open("rb") as file:
        lines = [line for line in file if line.startswith(_opening(PART))]
    return [parse_part(line) for line in lines if line.endswith(b"\n")]


def _spent(parts: Sequence[Part], footer: Footer | None, touched: float) -> float:
    """The seconds that these parts took: one that was killed, until it last wrote something."""
    if footer is not None or not parts:
        return 0.0 if footer is None else footer.duration
    last = touched - datetime.fromisoformat(parts[-1].started).timestamp()
    return round(parts[-1].spent + max(0.0, last), 3)


def _opening(kind: str) -> bytes:
    return f'{{"type":"{kind}",'.encode()


_NO_TRANSCRIPT = Transcript((), Ending(How.EXITED))
_AFTER_DAMAGE = "Restore the file from where it came from, or run the matrix again."
_ELSEWHERE = "choose another place for the output"
_ADVICE = {
    errno.ENOSPC: "free some space there, or " + _ELSEWHERE,
    errno.EDQUOT: "free some space there, or " + _ELSEWHERE,
    errno.EFBIG: "raise the limit on the size of files (ulimit -f), or " + _ELSEWHERE,
    errno.ENOENT: "make the folder first, or " + _ELSEWHERE,
    errno.EISDIR: "it is a folder: name a file in it",
}


def _write_all(file: IO[bytes], data: bytes) -> None:
    """Unbuffered files may take less than they are given, for instance at a size limit."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _put(path: Path, parts: Iterable[str]) -> None:
    # The renderers make lone surrogates visible; one that got here must not cost the whole file.
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.writelines(parts)
        file.flush()
        with suppress(OSError):  # pipes and terminals have no disk to wait for
            os.fsync(file.fileno())


@contextmanager
def _output(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, _ELSEWHERE)
        raise OutputError(f"{path} cannot be written ({error.strerror}); {advice}.") from error


@contextmanager
def _without_collector() -> Iterator[None]:
    """The collector would go again and again through millions of events that all stay.

    Reading 3,000 results of 40 events took 2.1 times as long as `json.loads` alone on the same
    lines, and 3.3 times with the collector.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()  # nor ought any later collection
    finally:
        if enabled:
            gc.enable()


def _unreadable(path: Path, error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder; name the results file in it, for instance {path / RESULTS}."
    draft = path.with_name(path.name + UNFINISHED)
    if isinstance(error, FileNotFoundError) and draft.exists():
        return f"{path} does not exist, because its run has not ended; {draft} has what there is."
    if isinstance(error, FileNotFoundError):
        return f"{path} does not exist; `reactor-matrix run -o {path.parent}` would make one."
    return f"{path} cannot be read ({error.strerror}); check its permissions and where it lies."
