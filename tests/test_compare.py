"""What changed: nothing between a report and itself, and nothing that chance explains."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matrix import wire
from matrix.compare import Change, Comparison, Kind, Pair, compare
from matrix.model.cell import Cell
from matrix.model.report import Host, Plan, Planned, Report
from matrix.model.result import Outcome, Result, Standing, Verdict
from matrix.model.transcript import Ending, Event, How, Transcript
from tests import synthetic
from tests.strategies import reports

CELL = Cell("epoll", "tcp4", "abort-when-full", "client", "socket")
HOST = Host("linux", ("python3",), {"twisted": "26.4.0"}, ())
PASS, CRASH = Verdict(Outcome.PASS), Verdict(Outcome.CRASH, code="SIGSEGV")
UNSUPPORTED = Verdict(Outcome.UNSUPPORTED, code="not-installed")


def fails(*rules: str) -> Verdict:
    """A fail that breaks these rules."""
    return Verdict(Outcome.FAIL, dict.fromkeys(rules, Standing.FAIL))


def took(seconds: float | None) -> Transcript:
    """A transcript with that latency."""
    events = (
        ()
        if seconds is None
        else (
            Event(0, wire.ABORTER, wire.ABORT_CALLED),
            Event(seconds, wire.ABORTER, wire.CONNECTION_LOST),
        )
    )
    return Transcript(events, Ending(How.EXITED))


def report(
    *verdicts: Verdict,
    owed: int | None = None,
    host: Host = HOST,
    expected: str | None = None,
    latencies: tuple[float, ...] = (),
) -> Report:
    """One cell with these attempts; ``expected`` is why its failures were."""
    results = tuple(
        Result(
            host.id,
            CELL,
            verdict,
            took(latencies[n] if latencies else None),
            0.1,
            n + 1,
            expected=expected if verdict.outcome is Outcome.FAIL else None,
        )
        for n, verdict in enumerate(verdicts)
    )
    repeat = len(verdicts) if owed is None else owed
    return Report((host,), Plan("", (Planned(host.id, (CELL,)),), repeat), (), results)


def change(old: Report, new: Report) -> Change | None:
    """The only change, or None."""
    found = compare(old, new).changes
    assert len(found) <= 1
    return found[0] if found else None


def kind(old: Report, new: Report) -> Kind | None:
    """The kind of the only change."""
    found = change(old, new)
    return None if found is None else found.kind


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(reports())
def test_nothing_changes_by_itself(any_report: Report) -> None:
    """Between a report and itself nothing changed, whatever it holds."""
    found = compare(any_report, any_report)
    assert found.changes == ()
    assert not found.has_regressed
    assert all(pair.old == pair.new and not pair.differences for pair in found.hosts)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((PASS,), (fails("prompt"),), Kind.NEW_FAILURE),
        ((PASS,), (CRASH,), Kind.NEW_FAILURE),
        ((fails("prompt"),), (PASS,), Kind.FIXED),
        ((fails("prompt"),), (fails("released"),), Kind.NEW_FAILURE),
        ((fails("prompt"),), (fails("prompt", "released"),), Kind.NEW_FAILURE),
        ((fails("prompt", "released"),), (fails("prompt"),), Kind.FIXED),
        ((fails("prompt"),), (CRASH,), Kind.NEW_FAILURE),
        ((CRASH,), (CRASH,), None),
        ((UNSUPPORTED,), (PASS,), Kind.NEW),
        ((UNSUPPORTED,), (CRASH,), Kind.NEW_FAILURE),
        ((PASS,), (UNSUPPORTED,), Kind.MISSING),
        ((UNSUPPORTED,), (UNSUPPORTED,), None),
        ((PASS,), (), Kind.MISSING),
        ((UNSUPPORTED,), (), Kind.MISSING),
        ((), (PASS,), Kind.NEW),
        ((), (), None),
    ],
)
def test_one_attempt_each(
    old: tuple[Verdict, ...], new: tuple[Verdict, ...], expected: Kind | None
) -> None:
    """Without repeats, what was seen is what counts: outcome, broken rules, presence."""
    assert kind(report(*old, owed=1), report(*new, owed=1)) is expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (0, 10, Kind.NEW_FAILURE),
        (10, 0, Kind.FIXED),
        (0, 1, Kind.FLAKY),
        (1, 3, Kind.INCONCLUSIVE),
        (3, 1, Kind.INCONCLUSIVE),
        (5, 5, None),
        (10, 10, None),
        (1, 9, Kind.NEW_FAILURE),
    ],
)
def test_rates_of_ten(old: int, new: int, expected: Kind | None) -> None:
    """With repeats a cell got worse or better only where the intervals of its rates part."""

    def of(bad: int) -> Report:
        return report(*[CRASH] * bad, *[PASS] * (10 - bad))

    assert kind(of(old), of(new)) is expected


def test_inconclusive_says_how_many_more() -> None:
    """So many more attempts on each side, at the same rates, are enough; one less is not."""
    found = change(report(*[PASS] * 9, CRASH), report(*[PASS] * 7, *[CRASH] * 3))
    assert found is not None
    assert found.more is not None
    assert not found.kind.is_regression
    n = 10 + found.more
    bad = round(n / 10), round(n * 3 / 10)
    many = [report(*[PASS] * (n - each), *[CRASH] * each) for each in bad]
    assert kind(*many) is Kind.NEW_FAILURE


def test_new_reason_among_the_same_number_of_failures() -> None:
    """A cell that fails as often as before, but for another reason, got worse."""
    old, new = report(*[fails("prompt")] * 10), report(*[fails("released")] * 10)
    assert kind(old, new) is Kind.NEW_FAILURE
    mixed = report(*[fails("prompt")] * 9, fails("released"))
    assert kind(old, mixed) is Kind.INCONCLUSIVE


def test_known_defects_are_no_regression() -> None:
    """A cell that fails as it is expected to is accepted, and still shown."""
    known = report(fails("prompt"), expected="bug #1")
    assert kind(report(PASS), known) is Kind.KNOWN
    assert kind(known, known) is None
    assert kind(known, report(fails("prompt"))) is Kind.NEW_FAILURE
    assert not compare(report(PASS), known).has_regressed


def test_lost_attempts_are_missing() -> None:
    """Of a cell that came back whole, an attempt that is owed and missing is missed."""
    assert kind(report(PASS, PASS), report(PASS, owed=2)) is Kind.MISSING
    assert kind(report(PASS, owed=2), report(PASS, PASS)) is None


def test_cell_that_is_not_planned_any_more() -> None:
    """What is left out of the new plan is missing, unless it could not exist anyway."""
    empty = evolve(report(), plan=Plan("", (Planned(HOST.id, ()),)))
    assert kind(report(PASS), empty) is Kind.MISSING
    assert kind(report(UNSUPPORTED), empty) is None
    assert kind(empty, report(PASS)) is Kind.NEW


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (0.001, 0.004, Kind.SLOWER),
        (0.004, 0.001, Kind.FASTER),
        (0.001, 0.0012, None),
        (0.0001, 0.0003, None),
        (0.1, 0.12, None),
    ],
)
def test_latency(before: float, after: float, expected: Kind | None) -> None:
    """Another median latency is reported if it is beyond chance and beyond what matters."""

    def of(seconds: float, attempts: int) -> Report:
        spread = tuple(seconds * (1 + n / 1000) for n in range(attempts))
        return report(*[PASS] * attempts, latencies=spread)

    assert kind(of(before, 6), of(after, 6)) is expected
    assert kind(of(before, 5), of(after, 5)) is None
    assert not compare(of(before, 6), of(after, 6)).has_regressed


def test_overlapping_latencies() -> None:
    """A median that moved within what was seen before is none."""
    old = report(*[PASS] * 6, latencies=(0.001, 0.002, 0.003, 0.004, 0.005, 0.02))
    new = report(*[PASS] * 6, latencies=(0.004, 0.008, 0.01, 0.011, 0.012, 0.02))
    assert kind(old, new) is None


# Hosts --------------------------------------------------------------------------------------------


def renamed(name: str, **said: str) -> Host:
    """A host with another name and other versions."""
    return evolve(HOST, id=name, provenance=said)


def test_newer_host_stands_for_the_older() -> None:
    """A host with another Twisted is compared with the one before, and what differs is said."""
    newer = renamed("linux+27", twisted="27.1.0")
    found = compare(report(PASS), report(CRASH, host=newer))
    assert found.hosts == (Pair("linux", "linux+27", (("twisted", "26.4.0", "27.1.0"),)),)
    assert [c.kind for c in found.changes] == [Kind.NEW_FAILURE]


def test_most_alike_host_is_chosen() -> None:
    """Among hosts without a namesake, those with most in common stand for each other."""
    old = renamed("old", twisted="26", system="Linux")
    near, far = (
        renamed("near", twisted="27", system="Linux"),
        renamed("a-far", twisted="27", system="BSD"),
    )
    new = evolve(report(PASS, host=near), hosts=(far, near))
    assert [(p.old, p.new) for p in compare(report(PASS, host=old), new).hosts] == [
        ("old", "near"),
        (None, "a-far"),
    ]


def test_host_that_is_gone() -> None:
    """All that a host had is missing where nothing stands for it."""
    gone = compare(report(PASS), Report((), Plan("", ())))
    assert gone.hosts == (Pair("linux", None),)
    assert [c.kind for c in gone.changes] == [Kind.MISSING]


# All of a report ----------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 5), st.integers(0, 5))
def test_gravest_come_first(bad: int, missing: int) -> None:
    """Changes are in the order of their kinds, and counted by them."""
    old = synthetic.report(40, {Outcome.FAIL: bad}, seed=2)
    new = synthetic.report(40, {Outcome.CRASH: bad, Outcome.NO_RESULT: missing})
    found = compare(old, new)
    order = list(Kind)
    ranks = [order.index(c.kind) for c in found.changes]
    assert ranks == sorted(ranks)
    assert sum(found.counts.values()) == len(found.changes)
    assert found.has_regressed is bool(bad or missing)
    assert found.cells == 40


def test_comparison_is_a_value() -> None:
    """What came of a comparison can be kept, and equals what comes of it again."""
    old, new = synthetic.report(40), synthetic.report(40, {Outcome.FAIL: 3}, seed=3)
    make: Callable[[], Comparison] = lambda: compare(old, new)  # noqa: E731
    assert make() == make()
    assert hash(make()) == hash(make())
