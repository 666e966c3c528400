"""What tells the attempts at a cell on one release from those on another. Pure.

Cells of which some rule is broken on every release change as well: they break another rule, or see
something else where they break it. Numbers, addresses and folders differ from run to run and count
for nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from matrix.model.result import Outcome, Result, Standing
from matrix.statistics import Rate, apart, attempts_to_tell

BAD = frozenset((Outcome.FAIL, Outcome.CRASH, Outcome.TIMEOUT))
"""Outcomes with which an attempt says that something is wrong with what was tested."""
TELLING = BAD | {Outcome.PASS}
"""Outcomes that say anything of it; with all others nothing was tested."""

_VARIES = re.compile(r"(?<!\w)/\S*/|0x[0-9a-fA-F]+|\d+([.,]\d+)*")
"""Folders, addresses, numbers."""


@frozen
class Trait:
    """Something that an attempt can have: it fails, it breaks ``rule``, or it says ``words`` of it.

    Without a rule it is that the attempt fails, in whatever way; with ``is_unsupported`` that the
    cell cannot exist there at all.
    """

    rule: str | None = None
    words: str | None = None
    is_unsupported: bool = False

    def __str__(self) -> str:
        if self.is_unsupported:
            return "the cell is unsupported"
        if self.rule is None:
            return "the cell fails"
        if self.words is None:
            return f"the cell breaks {self.rule}"
        return f"the cell says “{self.words}”"

    def of(self, attempt: Result) -> bool:
        """Whether an attempt has it."""
        if self.is_unsupported:
            return attempt.verdict.outcome is Outcome.UNSUPPORTED
        if self.rule is None:
            return attempt.verdict.outcome in BAD
        if self.words is None:
            return self.rule in attempt.verdict.broken
        return self.words in said(attempt, self.rule)

    def tells(self, attempt: Result) -> bool:
        """Whether an attempt says anything of it: a rule that had no say has none."""
        verdict = attempt.verdict
        if self.is_unsupported:
            return verdict.outcome in TELLING | {Outcome.UNSUPPORTED}
        if self.rule is None:
            return verdict.outcome in TELLING
        return verdict.rules.get(self.rule, Standing.NOT_APPLICABLE) is not Standing.NOT_APPLICABLE

    def rate(self, attempts: Iterable[Result]) -> Rate | None:
        """How many of the attempts that say anything have it; None where none of them does."""
        telling = [each for each in attempts if self.tells(each)]
        return Rate(sum(map(self.of, telling)), len(telling)) if telling else None

    def on(self, attempts: Iterable[Result]) -> str:
        """How often it is seen: ``the cell fails in 3 of 10 attempts``."""
        rate = self.rate(attempts)
        return f"{self} in {rate.count} of {rate.attempts} attempts" if rate else f"{self}: untold"


def describe(attempts: Sequence[Result]) -> str:
    """What came of the attempts: ``10 fail (breaks sleeps)``."""
    kinds = Counter((each.verdict.outcome.value, each.verdict.broken) for each in attempts)
    return ", ".join(
        f"{number} {outcome}{f' (breaks {_and(broken)})' if broken else ''}"
        for (outcome, broken), number in kinds.most_common()
    )


def said(attempt: Result, rule: str) -> tuple[str, ...]:
    """What was seen where the attempt breaks the rule, without what differs from run to run."""
    reasons = (each for each in attempt.verdict.reasons if each.startswith(f"{rule}: "))
    return tuple(_VARIES.sub("…", reason) for reason in reasons)


def candidates(attempts: Iterable[Result], rule: str | None = None) -> list[Trait]:
    """Every trait that one of the attempts has, the plainest first.

    With ``rule`` only what is of that rule.
    """
    attempts = list(attempts)
    bad = [each for each in attempts if each.verdict.outcome in BAD]
    absent = Trait(is_unsupported=True)
    rules = dict.fromkeys(name for each in bad for name in each.verdict.broken)
    named = [name for name in rules if rule in (None, name)]
    words = {name: dict.fromkeys(w for each in bad for w in said(each, name)) for name in named}
    plain = [Trait()] if rule is None and bad else []
    last = [absent] if rule is None and any(map(absent.of, attempts)) else []
    return [*plain, *map(Trait, named), *(Trait(n, w) for n in named for w in words[n]), *last]


def telling(good: Sequence[Result], bad: Sequence[Result], rule: str | None = None) -> Trait | None:
    """The plainest trait that the bad ones have more often, beyond doubt; None without one."""
    return next((trait for trait, a, b in _rates(good, bad, rule) if apart(a, b)), None)


def promising(good: Sequence[Result], bad: Sequence[Result], rule: str | None = None) -> int | None:
    """How many more attempts might part the two, if the rates stayed; None if none would."""
    more = (attempts_to_tell(a, b) for _, a, b in _rates(good, bad, rule))
    return min(filter(None, more), default=None)


def _rates(
    good: Sequence[Result], bad: Sequence[Result], rule: str | None
) -> Iterator[tuple[Trait, Rate, Rate]]:
    """The traits that the bad ones have more often."""
    for trait in candidates(bad, rule):
        a, b = trait.rate(good), trait.rate(bad)
        if a and b and a.share < b.share:
            yield trait, a, b


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
