"""With which of many releases, in their order, did a cell change? Pure: others run the cell.

What is known of a release are rates, and a rate counts where its interval leaves no doubt. What
can't be tested is skipped, and its nearest neighbour is asked in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, evolve, field, frozen

from matrix.errors import SearchError
from matrix.model.candidate import Candidate, Tried
from matrix.model.result import Result
from matrix.statistics import apart
from matrix.traits import Trait, describe, promising, telling

MOST = 200
"""Attempts on one candidate, past which rates that have not parted are left as they are."""

Test = Callable[[Candidate, int], Tried]
"""Makes so many attempts on a candidate."""
Ask = Callable[[Candidate], bool | None]
"""Whether a candidate is like the last one; False: it is like the first; None: nobody can tell."""


@frozen
class Found:
    """The last candidate that is like the first one, and the first one that is like the last.

    ``between`` are those that stand between these two and could not be tested: the change may be
    in any of them.
    """

    before: Candidate
    after: Candidate
    between: tuple[Candidate, ...] = ()


def bisect(candidates: Sequence[Candidate], ask: Ask) -> Found:
    """Where it changes. The first and the last of at least two candidates are known, not asked."""
    low, high = 0, len(candidates) - 1
    untold: set[int] = set()
    while left := [n for n in range(low + 1, high) if n not in untold]:
        middle = min(left, key=lambda n: abs(2 * n - low - high))
        answer = ask(candidates[middle])
        if answer is None:
            untold.add(middle)
        elif answer:
            high = middle
        else:
            low = middle
    return Found(candidates[low], candidates[high], tuple(candidates[low + 1 : high]))


@frozen
class Answer:
    """Where a cell changed, and how that is known.

    ``trait`` is what changed. ``tried`` has everything that was run, in the order of the
    candidates.
    ``is_mended``: the older end was the bad one.
    """

    trait: Trait
    found: Found
    tried: tuple[Tried, ...]
    is_mended: bool = False

    @property
    def is_exact(self) -> bool:
        """Whether it is one release, and not one of several."""
        return not self.found.between

    def moved(self) -> list[tuple[str, str, str]]:
        """Every other package that is not the same before and after: name, version, version.

        But for pip, which need not be there.
        """
        there = {each.candidate: dict(each.installed) for each in self.tried}
        old, new = there[self.found.before], there[self.found.after]
        names = sorted((old.keys() | new.keys()) - {self.found.after.package, "pip"})
        both = ((name, old.get(name, "none"), new.get(name, "none")) for name in names)
        return [each for each in both if each[1] != each[2]]


def find_change(
    candidates: Sequence[Candidate],
    good: Candidate,
    bad: Candidate,
    rule: str | None,
    test: Test,
    repeat: int,
) -> Answer:
    """The first of the candidates on which the cell is no longer what it is on the oldest one.

    ``good`` and ``bad`` are the first and the last of them, in either order: a defect may have come
    or gone. Each is tested with ``repeat`` attempts, and with more where that leaves a doubt.
    `SearchError` where the two ends do not differ.
    """
    bench = _Bench(test, repeat)
    trait = bench.difference(good, bad, rule)
    found = bisect(candidates, lambda each: bench.is_like_last(each, candidates, trait))
    tried = [bench.tried[each] for each in candidates if each in bench.tried]
    return Answer(trait, found, tuple(tried), is_mended=bad == candidates[0])


@define
class _Bench:
    """What was tried so far, each candidate as often as was needed."""

    test: Test
    repeat: int
    tried: dict[Candidate, Tried] = field(factory=dict)

    def on(self, candidate: Candidate) -> Tried:
        """What is known of a candidate; it is tried if nothing is."""
        return self.tried.get(candidate) or self.again(candidate, self.repeat)

    def again(self, candidate: Candidate, number: int) -> Tried:
        """Try a candidate so many times more."""
        before = self.tried[candidate].reports if candidate in self.tried else ()
        now = self.test(candidate, number)
        self.tried[candidate] = evolve(now, reports=before + now.reports)
        return self.tried[candidate]

    def difference(self, good: Candidate, bad: Candidate, rule: str | None) -> Trait:
        """What the bad end has and the good one has not; `SearchError` where there is nothing."""
        while True:
            well, ill = self._end(good), self._end(bad)
            trait = telling(well, ill, rule)
            if trait is not None:
                return trait
            more = promising(well, ill, rule)
            if more is None or len(ill) + more > MOST or telling(ill, well, rule) is not None:
                raise SearchError(_alike(good, bad, well, ill, rule))
            for each in (good, bad):
                self.again(each, more)

    def _end(self, candidate: Candidate) -> tuple[Result, ...]:
        tried = self.on(candidate)
        if tried.why:
            raise SearchError(f"{candidate} {tried.why}. Choose another end, or another --python.")
        return tried.attempts()

    def is_like_last(self, each: Candidate, ends: Sequence[Candidate], trait: Trait) -> bool | None:
        """Whether a candidate has left what the first one was; None where nobody can tell."""
        first, last = (trait.rate(self.on(end).attempts()) for end in (ends[0], ends[-1]))
        while not (tried := self.on(each)).why:
            rate = trait.rate(tried.attempts())
            if rate is None or first is None or last is None:
                break
            if apart(rate, first):
                return True
            if apart(rate, last):
                return False
            if len(tried.attempts()) * 2 > MOST:
                break
            self.again(each, len(tried.attempts()))
        return None


def _alike(
    good: Candidate,
    bad: Candidate,
    well: Sequence[Result],
    ill: Sequence[Result],
    rule: str | None,
) -> str:
    """Why there is nothing to look for, and what to do about it."""
    backwards = telling(ill, well, rule)
    if backwards is not None:
        seen = f"{backwards.on(well)} on {good}, and {backwards.on(ill)} on {bad}"
        return f"It is the other way round: {seen}. Exchange --good and --bad."
    wanted = f" by the rule {rule}" if rule else ""
    seen = f"{good} has {describe(well)}, and {bad} has {describe(ill)}"
    return f"The two ends do not differ{wanted}: {seen}. Choose ends that do."
