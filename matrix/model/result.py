"""What came of a cell: outcomes, findings, verdicts, results."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import field, frozen

from matrix import wire
from matrix.model.cell import Cell
from matrix.model.transcript import Glance, Source, Stored, Transcript


class Outcome(Enum):
    """Of one attempt at a cell. The set is closed."""

    PASS = "pass"
    """The state was proved and no rule was broken."""
    FAIL = "fail"
    """A rule was broken."""
    TIMEOUT = "timeout"
    """The process was killed by the manager's deadline."""
    CRASH = "crash"
    """The process died."""
    INCONCLUSIVE = "inconclusive"
    """The not-writeable state was never proved, so nothing was tested."""
    UNSUPPORTED = "unsupported"
    """This reactor or transport cannot exist here."""
    ERROR = "error"
    """The harness itself failed."""
    NO_RESULT = "no-result"
    """Planned, and nothing came back."""

    @property
    def is_accepted(self) -> bool:
        """Whether a run in which this is the worst outcome exits with status 0."""
        return self in (Outcome.PASS, Outcome.UNSUPPORTED)


SEVERITY = (
    Outcome.FAIL,
    Outcome.CRASH,
    Outcome.TIMEOUT,
    Outcome.ERROR,
    Outcome.INCONCLUSIVE,
    Outcome.NO_RESULT,
    Outcome.PASS,
    Outcome.UNSUPPORTED,
)
"""Outcomes, the one that a summary must show first at the front."""


class Standing(Enum):
    """What a rule says of one transcript."""

    PASS = "pass"
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"


@frozen
class Verdict:
    """What the rules make of a transcript.

    ``rules`` maps the names of rules to their standing; ``reasons`` are sentences, one for
    each broken rule (``rule: what was seen``) or for the outcome that no rule explains.
    ``code`` details the outcome: the reason code of ``unsupported``, the signal of ``crash``.
    ``attributed`` are sentences on what fell short and is the kernel's doing, since the control
    shows it too: it is held against nobody.
    """

    outcome: Outcome
    rules: Mapping[str, Standing] = field(factory=dict)
    reasons: tuple[str, ...] = ()
    code: str | None = None
    attributed: tuple[str, ...] = ()

    @property
    def broken(self) -> tuple[str, ...]:
        """Names of the rules that were broken, in the order of the table."""
        return tuple(n for n, standing in self.rules.items() if standing is Standing.FAIL)


def _loaded(transcript: Transcript | Stored) -> Transcript:
    return transcript.source.transcript() if isinstance(transcript, Stored) else transcript


@frozen
class Result:
    """One attempt at one cell on one host, and its verdict.

    ``fault`` names the deliberate defect that this attempt ran with, as a negative control of
    the rules; such an attempt is no result of the cell. ``duration`` is in seconds of the
    manager's clock. ``attempt`` counts from 1. ``expected`` is the reason why this very verdict
    was to be expected: the known defect's, with its link; None for any other. ``shard`` is the
    part of the plan (``K/N``) whose run played it; None where the plan was not parted.
    """

    host: str
    cell: Cell
    verdict: Verdict
    _transcript: Transcript | Stored = field(eq=_loaded)
    duration: float
    attempt: int = 1
    fault: str | None = None
    expected: str | None = None
    shard: str | None = None

    @property
    def transcript(self) -> Transcript:
        """What was seen. Of a result that was read from a file, it is read when it is asked for."""
        return _loaded(self._transcript)

    @property
    def source(self) -> Source | None:
        """Where the transcript is kept; None where it is at hand."""
        return self._transcript.source if isinstance(self._transcript, Stored) else None

    @property
    def glance(self) -> Glance:
        """What is asked of every attempt; known without reading the transcript."""
        return self._transcript.glance

    @property
    def is_accepted(self) -> bool:
        """Whether this attempt leaves a run's exit status at 0."""
        return self.verdict.outcome.is_accepted or self.expected is not None


@frozen
class Control:
    """One attempt at the case with no reactor in it: a raw socket, or stdlib ``ssl``.

    ``kind`` is how the connection ended (one of `matrix.wire.CONTROLLED`), ``signal`` how that
    looked from the other end (one of `matrix.wire.SIGNALS`), or None where the control itself did
    not get that far. It speaks for the results of its own ``shard``, and where a host has controls
    of either ``peer`` for the cells of that one.
    """

    host: str
    transport: str
    side: str
    signal: str | None
    transcript: Transcript
    attempt: int = 1
    shard: str | None = None
    kind: str = wire.ABORT
    peer: str = "socket"

    @property
    def cannot_exist(self) -> bool:
        """Whether the host has no such transport: there is nothing that it could have shown."""
        return self.transcript.first(wire.TRANSPORT_UNSUPPORTED) is not None
