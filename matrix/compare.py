"""Report × report → what changed from one to the other. Pure.

With one attempt on each side, what was seen is all there is. With more, two rates differ only if
their intervals (Wilson, 95%) part; where they do not, a change says about how many more attempts
would tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, IntEnum
from functools import partial
from itertools import chain
from statistics import median

from attrs import frozen

from matrix.model.cell import Cell
from matrix.model.report import CellReport, Host, Report
from matrix.model.result import SEVERITY, Outcome, Result
from matrix.statistics import Rate, apart, attempts_to_tell, median_interval

LATENCY_FACTOR = 1.5
"""How many times longer a median latency must be to be called another one."""
LATENCY_STEP = 0.001
"""By how many seconds it must be longer, too: less is the clock's and the scheduler's."""


class Kind(Enum):
    """What became of a cell, the gravest first."""

    NEW_FAILURE = "new failure"
    """It is not accepted, or not as often, or for a reason that it did not have."""
    MISSING = "newly missing"
    """It had an outcome, and has none any more: it has no result, cannot exist, is not planned."""
    FLAKY = "newly flaky"
    """Its attempts differ, and did not; their number does not show that it fails more often."""
    INCONCLUSIVE = "inconclusive"
    """It is accepted less or more often, and so few attempts may differ by chance."""
    KNOWN = "now a known defect"
    """It passed, and fails as it is expected to."""
    SLOWER = "slower"
    FASTER = "faster"
    """The median time from abort to connectionLost differs."""
    FIXED = "fixed"
    """It was not accepted, and is; or not for a reason any more."""
    NEW = "new"
    """It was not planned, and is accepted."""

    @property
    def is_regression(self) -> bool:
        """Whether `compare` must not end as if all were well."""
        return self in (Kind.NEW_FAILURE, Kind.MISSING)


@frozen
class Change:
    """One thing that is different at a cell. ``host`` is the new report's, where it is there.

    ``what`` says it in words; ``more`` is how many further attempts on each side would tell, where
    there are too few.
    """

    kind: Kind
    host: str
    cell: Cell
    what: str
    more: int | None = None


@frozen
class Pair:
    """A host of the old report and what stands for it in the new one.

    ``differences`` are what the two say otherwise: (what was asked, the old answer, the new).
    """

    old: str | None
    new: str | None
    differences: tuple[tuple[str, str, str], ...] = ()


@frozen
class Comparison:
    """All that changed from an old report to a new one, the gravest first."""

    hosts: tuple[Pair, ...]
    cells: int
    """How many cells the new report and the old one have, together."""
    changes: tuple[Change, ...]

    @property
    def counts(self) -> Counter[Kind]:
        """How many changes there are of which kind."""
        return Counter(change.kind for change in self.changes)

    @property
    def has_regressed(self) -> bool:
        """Whether anything became worse beyond doubt."""
        return any(change.kind.is_regression for change in self.changes)


def compare(old: Report, new: Report) -> Comparison:
    """What changed. Cells are the same if they have the same id on hosts that stand for each other.

    Hosts of the same name do; of the others those that have most in common, so that a host with a
    newer Twisted is compared with the one before.
    """
    pairs = tuple(_pairs(old.hosts, new.hosts))
    names = {pair.old: pair.new or pair.old for pair in pairs if pair.old is not None}
    before = {(names[cell.host], cell.cell): cell for cell in old.cells()}
    after = {(cell.host, cell.cell): cell for cell in new.cells()}
    keys = dict.fromkeys((*after, *before))
    changes = [change for key in keys for change in _changes(*key, before.get(key), after.get(key))]
    order = list(Kind)
    changes.sort(key=lambda change: order.index(change.kind))
    return Comparison(pairs, len(keys), tuple(changes))


# Hosts --------------------------------------------------------------------------------------------


def _pairs(old: Sequence[Host], new: Sequence[Host]) -> Iterator[Pair]:
    """Every host once: with its namesake, with the most alike of those that have none, or alone."""
    left = {host.id: host for host in new}
    alone = []
    for host in old:
        if host.id in left:
            yield _pair(host, left.pop(host.id))
        else:
            alone.append(host)
    for host in alone:
        if not left:
            yield Pair(host.id, None)
            continue
        likest = min(
            left.values(), key=lambda other: (len(_pair(host, other).differences), other.id)
        )
        yield _pair(host, left.pop(likest.id))
    for name in left:
        yield Pair(None, name)


def _pair(old: Host, new: Host) -> Pair:
    asked = dict.fromkeys((*old.provenance, *new.provenance))
    answers = ((ask, old.provenance.get(ask, ""), new.provenance.get(ask, "")) for ask in asked)
    return Pair(old.id, new.id, tuple(a for a in answers if a[1] != a[2]))


# Cells --------------------------------------------------------------------------------------------


def _changes(
    host: str, cell: Cell, old: CellReport | None, new: CellReport | None
) -> Iterator[Change]:
    """Everything that is different at one cell."""
    change = partial(Change, host=host, cell=cell)
    before, now = _presence(old), _presence(new)
    if now < before and (new is not None or before > _Presence.UNSUPPORTED):
        yield change(Kind.MISSING, what=f"it was {_words(old)}, and now it is {_words(new)}")
    if new is None or now <= _Presence.UNSUPPORTED:
        return
    if old is None or before <= _Presence.UNSUPPORTED:
        kind = Kind.NEW if new.is_accepted else Kind.NEW_FAILURE
        yield change(kind, what=f"it was {_words(old)}, and now it is {_words(new)}")
        return
    yield from _outcomes(change, old, new)
    yield from _latencies(change, old, new)


class _Presence(IntEnum):
    """How much there is of a cell."""

    NOTHING = 0
    UNSUPPORTED = 1
    PART = 2
    WHOLE = 3


def _presence(cell: CellReport | None) -> _Presence:
    if cell is None or not cell.attempts:
        return _Presence.NOTHING
    if cell.outcome is Outcome.UNSUPPORTED:
        return _Presence.UNSUPPORTED
    return _Presence.PART if len(cell.attempts) < cell.owed else _Presence.WHOLE


def _words(cell: CellReport | None) -> str:
    """What a cell is, in words: ``fail in 2 of 10 attempts (prompt)``."""
    if cell is None:
        return "not planned"
    counts = Counter(attempt.verdict.outcome for attempt in cell.attempts)
    if not counts:
        return Outcome.NO_RESULT.value
    total = counts.total()
    if counts[cell.outcome] == max(total, cell.owed):
        often = f" in all {total} attempts" if total > 1 else ""
        return f"{cell.outcome.value}{often}{_why(cell)}"
    parts = [f"{outcome.value} in {counts[outcome]}" for outcome in SEVERITY if counts[outcome]]
    return f"{', '.join(parts)} of {max(total, cell.owed)} attempts{_why(cell)}"


def _why(cell: CellReport) -> str:
    """The rules that were broken, and the codes of outcomes that no rule explains."""
    verdicts = [attempt.verdict for attempt in cell.attempts if not attempt.is_accepted]
    told = (verdict.broken or (verdict.code,) for verdict in verdicts)
    reasons = dict.fromkeys(filter(None, chain.from_iterable(told)))
    return f" ({', '.join(reasons)})" if reasons else ""


def _whys(attempt: Result) -> tuple[str, ...]:
    """Why an attempt is not accepted: the rules that it broke, or its outcome and code."""
    verdict = attempt.verdict
    if verdict.broken:
        return verdict.broken
    return (f"{verdict.outcome.value} {verdict.code}" if verdict.code else verdict.outcome.value,)


# Outcomes -----------------------------------------------------------------------------------------


def _outcomes(change: Callable[..., Change], old: CellReport, new: CellReport) -> Iterator[Change]:
    """How the outcomes of a cell changed: its worst change."""
    what = f"it was {_words(old)}, and now it is {_words(new)}"
    overall = _Step.of(old, new, lambda attempt: not attempt.is_accepted)
    bad = [a for a in (*new.attempts, *old.attempts) if not a.is_accepted]
    whys = dict.fromkeys(why for attempt in bad for why in _whys(attempt))
    steps = [overall, *(_Step.of(old, new, partial(_has, why)) for why in whys)]
    known = _Step.of(old, new, _is_known)
    if any(step.is_worse and step.is_sure for step in steps):
        yield change(Kind.NEW_FAILURE, what=what)
    elif new.is_flaky and not old.is_flaky:
        yield change(Kind.FLAKY, what=what, more=overall.more)
    elif not overall.is_sure:
        yield change(Kind.INCONCLUSIVE, what=what, more=overall.more)
    elif unsure := [step for step in steps if not step.is_sure and step.is_worse]:
        yield change(Kind.INCONCLUSIVE, what=what, more=unsure[0].more)
    elif known.is_worse and known.is_sure:
        yield change(Kind.KNOWN, what=what)
    elif any(step.is_better and step.is_sure for step in steps):
        yield change(Kind.FIXED, what=what)


def _has(why: str, attempt: Result) -> bool:
    return not attempt.is_accepted and why in _whys(attempt)


def _is_known(attempt: Result) -> bool:
    return attempt.expected is not None


@frozen
class _Step:
    """From how many attempts to how many something bad was seen."""

    old: Rate
    new: Rate

    @classmethod
    def of(cls, old: CellReport, new: CellReport, is_bad: Callable[[Result], bool]) -> _Step:
        """The step of what ``is_bad`` looks for."""
        return cls(*(Rate(sum(map(is_bad, c.attempts)), len(c.attempts)) for c in (old, new)))

    @property
    def is_worse(self) -> bool:
        return self.new.share > self.old.share

    @property
    def is_better(self) -> bool:
        return self.new.share < self.old.share

    @property
    def is_sure(self) -> bool:
        """Whether it is what it looks like: one attempt each is all there is to be known."""
        alone = self.old.attempts == self.new.attempts == 1
        return alone or self.new.share == self.old.share or apart(self.old, self.new)

    @property
    def more(self) -> int | None:
        """About how many more attempts on each side would tell, if that is in doubt."""
        return None if self.is_sure else attempts_to_tell(self.old, self.new)


# Latencies ----------------------------------------------------------------------------------------


def _latencies(change: Callable[..., Change], old: CellReport, new: CellReport) -> Iterator[Change]:
    """Whether the median latency is another one, beyond chance and beyond what matters."""
    (before, was), (after, now) = _median(old), _median(new)
    if was is None or now is None:
        return
    is_apart = was[1] < now[0] or now[1] < was[0]
    low, high = sorted((before, after))
    if is_apart and high - low >= LATENCY_STEP and high >= LATENCY_FACTOR * low:
        kind = Kind.SLOWER if after > before else Kind.FASTER
        what = f"abort to connectionLost took {before * 1000:.1f} ms, and now {after * 1000:.1f} ms"
        yield change(kind, what=f"{what} (medians)")


def _median(cell: CellReport) -> tuple[float, tuple[float, float] | None]:
    seen = sorted(a.glance.latency for a in cell.attempts if a.glance.latency is not None)
    return (median(seen), median_interval(seen)) if seen else (0.0, None)
