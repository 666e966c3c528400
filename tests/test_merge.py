"""Merging: every planned cell once per host, nothing rewritten, and no two runs taken for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from matrix import plan
from matrix.errors import MergeError
from matrix.judge import judge
from matrix.lines import dump_lines, parse_lines
from matrix.merge import CUT_OFF, merge
from matrix.model.cell import Cell
from matrix.model.report import Footer, Host, Plan, Reactor, Report
from matrix.model.result import Control, Outcome, Result, Standing, Verdict
from matrix.model.transcript import Ending, How, Transcript
from matrix.plan import Selection
from matrix.workflow import FAILED, INVALID, PASSED, exit_code, judge_again, missing_shards

SOME = Selection(reactor=("poll", "select"), transport=("tcp4",), side=("client",))
EMPTY = Transcript((), Ending(How.LOST, 0, "its agent died"))
FOOTER = Footer("2026-01-05T04:10:00+00:00", 6.5)


def host(name: str = "linux", **said: str) -> Host:
    """A host that can play one fault."""
    reactors = tuple(Reactor(each, f"the {each} reactor") for each in ("poll", "select"))
    return Host(name, ("python3",), {"python": "3.11", **said}, reactors, {"is-late": "prompt"})


def shard(
    text: str | None = None,
    hosts: Sequence[Host] = (host(),),
    repeat: int = 1,
    outcome: Outcome = Outcome.PASS,
    selection: Selection = SOME,
) -> Report:
    """What a run of that shard leaves behind, with all its attempts and every fault caught."""
    made = plan.make(hosts, selection, repeat, text)
    results = [
        Result(name, cell, Verdict(outcome), EMPTY, 0.25, attempt, shard=text)
        for attempt in range(1, repeat + 1)
        for name, cell in made.cells()
    ]
    caught = judge_of_fault()
    results += [
        Result(name, Cell.parse(cell), caught, EMPTY, 0.5, fault=fault, shard=text)
        for name, fault, cell in made.faults
    ]
    controls = [Control(each.id, "tcp4", "client", "reset", EMPTY, 1, text) for each in hosts]
    return Report(tuple(hosts), made, tuple(controls), tuple(results), FOOTER, "0.1.0")


def judge_of_fault() -> Verdict:
    """A fail that breaks the rule which the fault is meant to break."""
    return Verdict(Outcome.FAIL, {"prompt": Standing.FAIL}, ("prompt: late",))


def shards(count: int, **more: object) -> list[Report]:
    """Every shard of one plan."""
    return [shard(f"{k}/{count}", **more) for k in range(1, count + 1)]  # type: ignore[arg-type]


def merged(*reports: Report) -> Report:
    """The reports merged, each named by a letter."""
    return merge({chr(ord("a") + n): report for n, report in enumerate(reports)})


def refusal(*reports: Report) -> str:
    """The sentence with which reports are not merged."""
    with pytest.raises(MergeError) as caught:
        merged(*reports)
    message = str(caught.value)
    assert message.endswith(".")
    assert "a and b" in message
    return message


# Shards -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_shards_make_the_whole(count: int) -> None:
    """All shards of a plan together have the cells of the run that was never parted."""
    whole, together = shard(), merged(*shards(count))
    assert together.plan.digest == whole.plan.digest
    assert [c.cell for c in together.cells()] == [c.cell for c in whole.cells()]
    assert {c.outcome for c in together.cells()} == {Outcome.PASS}
    assert together.hosts == whole.hosts
    assert together.plan.shard is None
    assert missing_shards(together) == []
    assert exit_code(together) == PASSED


def test_missing_shard_is_no_result() -> None:
    """Cells of a shard that nobody brought are in the plan, have no result, and fail the run."""
    first, _, third = shards(3)
    together = merged(first, third)
    outcomes = Counter(cell.outcome for cell in together.cells())
    brought = sum(1 for each in (first, third) for _ in each.plan.cells())
    assert outcomes == {Outcome.PASS: brought, Outcome.NO_RESULT: len(shard().cells()) - brought}
    assert missing_shards(together) == ["linux: no results of shard 2/3"]
    assert exit_code(together) == FAILED


def test_missing_shard_can_come_later() -> None:
    """A merged report takes in the shard that it lacked, and is then whole."""
    first, second, third = shards(3)
    assert merged(merged(first, third), second) == merged(first, second, third)


def test_one_shard_is_closed_too() -> None:
    """A shard alone, merged, owes the whole plan."""
    assert len(merged(shard("1/2")).cells()) == len(shard().cells())
    assert merged(merged(shard("1/2"))) == merged(shard("1/2"))


def test_cut_off_shard_is_readable() -> None:
    """What an interrupted shard did not come to has no result; the whole is called interrupted."""
    first, second = shards(2)
    cut = evolve(second, results=second.results[:1], footer=None)
    together = merged(first, cut)
    lost = sum(1 for _ in second.plan.cells()) - 1
    assert together.counts()[Outcome.NO_RESULT] == lost > 0
    assert together.footer == Footer(FOOTER.started, FOOTER.duration, CUT_OFF)
    assert exit_code(together) == FAILED


def test_repeats_keep_their_numbers() -> None:
    """Every attempt comes through as it was, under its number."""
    parts = shards(2, repeat=3)
    together = merged(*parts)
    assert all([a.attempt for a in c.attempts] == [1, 2, 3] for c in together.cells())
    assert Counter(map(repr, together.results)) == Counter(
        repr(result) for part in parts for result in part.results
    )


def test_failure_is_never_rewritten() -> None:
    """What failed in a shard has failed in the whole."""
    first, second = shards(2)
    bad = shard("2/2", outcome=Outcome.CRASH)
    assert merged(first, bad).counts()[Outcome.CRASH] == len(second.cells())


# Faults and controls ------------------------------------------------------------------------------


def test_faults_are_those_of_the_shards() -> None:
    """Each shard's faults have to be caught, also where another shard has caught the same."""
    first, second = shards(2)
    assert len(merged(first, second).plan.faults) == len(first.plan.faults) * 2
    missed = tuple(
        evolve(r, verdict=Verdict(Outcome.PASS)) if r.fault else r for r in second.results
    )
    for order in ((first, evolve(second, results=missed)), (evolve(second, results=missed), first)):
        together = merged(*order)
        assert len(together.missed_faults()) == len(second.plan.faults)
        assert exit_code(together) == INVALID


def test_fault_that_one_shard_did_not_play_is_missed() -> None:
    """A fault is owed as often as it was planned."""
    first, second = shards(2)
    silent = evolve(second, results=tuple(r for r in second.results if r.fault is None))
    assert [text.split(" ")[2:5] for text in merged(first, silent).missed_faults()] == [
        ["was", "not", "played"]
    ]


def test_controls_speak_for_their_own_shard() -> None:
    """What one shard's kernel told its control does not change another shard's verdicts."""
    first, second = shards(2)
    weak = evolve(second, controls=tuple(evolve(c, signal="fin") for c in second.controls))
    together = merged(first, weak)
    assert [(c.shard, c.signal) for c in together.controls] == [("1/2", "reset"), ("2/2", "fin")]
    again = judge_again(together)
    alone = (*judge_again(first).results, *judge_again(weak).results)
    assert sorted(map(repr, again.results)) == sorted(map(repr, alone))


# Hosts --------------------------------------------------------------------------------------------


def test_hosts_stand_side_by_side() -> None:
    """Different hosts keep their own provenance, plan and results."""
    linux, bsd = host("linux", kernel="6.1"), host("bsd", kernel="14")
    together = merged(shard(hosts=(linux,)), *shards(2, hosts=(bsd,)))
    assert together.hosts == (bsd, linux)
    assert {cell.host for cell in together.cells()} == {"bsd", "linux"}
    assert exit_code(together) == PASSED


def test_hosts_of_one_name_are_told_apart() -> None:
    """Hosts of the same name that say different things of themselves are not taken for one."""
    old, new = host(openssl="1.1.1"), host(openssl="3.0")
    together = merged(shard(hosts=(old,)), shard(hosts=(new,), outcome=Outcome.FAIL))
    assert [h.id.partition("~")[0] for h in together.hosts] == ["linux", "linux"]
    assert len({h.id for h in together.hosts}) == 2
    said = {h.id: h.provenance["openssl"] for h in together.hosts}
    outcomes = {(said[cell.host], cell.outcome) for cell in together.cells()}
    assert outcomes == {("1.1.1", Outcome.PASS), ("3.0", Outcome.FAIL)}


def test_where_a_host_stands_makes_no_other_host() -> None:
    """Shards of one host that ran in different folders are of one host."""
    one, two = shards(2)
    (own,) = two.hosts
    elsewhere = evolve(
        own, command=("a/python3",), provenance={**own.provenance, "executable": "a"}
    )
    found = merged(one, evolve(two, hosts=(elsewhere,)))
    assert [host.id for host in found.hosts] == [own.id]
    assert found.hosts == merged(evolve(two, hosts=(elsewhere,)), one).hosts
    assert [planned.missing() for planned in found.plan.hosts] == [()]


def test_marked_host_is_known_again() -> None:
    """A further shard finds its host in a merged report that had to mark it."""
    old, new = host(openssl="1.1.1"), host(openssl="3.0")
    first, second = shards(2, hosts=(old,))
    other = shard(hosts=(new,))
    assert merged(merged(first, other), second) == merged(first, second, other)


# What does not fit --------------------------------------------------------------------------------


def test_same_shard_twice() -> None:
    """A shard that comes twice is refused: nobody knows which of the two is meant."""
    assert "both have shard 1/2 of host linux" in refusal(shard("1/2"), shard("1/2"))
    with pytest.raises(MergeError, match="both have shard 2/2"):
        merged(merged(*shards(2)), shard("2/2"))


@pytest.mark.parametrize("other", [None, "1/2"])
def test_whole_plan_twice(other: str | None) -> None:
    """A run of the whole plan leaves no room for another one on the same host."""
    assert "compare" in refusal(shard(), shard(other))


def test_different_plans() -> None:
    """Shards of different plans are refused with the plans' digests."""
    narrow = Selection(reactor=("poll",), transport=("tcp4",), side=("client",))
    one, other = shard("1/2"), shard("2/2", selection=narrow)
    sentence = refusal(one, other)
    assert one.plan.digest[:12] in sentence
    assert other.plan.digest[:12] in sentence


def test_different_cuts() -> None:
    """Shards of 2 and shards of 3 overlap."""
    assert "cut into 2 shards" in refusal(shard("1/2"), shard("2/3"))


def test_different_repeats_and_versions() -> None:
    """Reports that promise different things, or were judged by different rules, stay apart."""
    assert "--repeat 1 and with --repeat 2" in refusal(shard("1/2"), shard("2/2", repeat=2))
    newer = evolve(shard("2/2"), version="0.2.0")
    assert "reactor-matrix 0.1.0 and with reactor-matrix 0.2.0" in refusal(shard("1/2"), newer)


# Properties ---------------------------------------------------------------------------------------


@st.composite
def parts(draw: st.DrawFn) -> list[Report]:
    """Some of the shards of some hosts, each with any outcomes, some of them cut off."""
    names = draw(st.lists(st.sampled_from("xyz"), min_size=1, max_size=3, unique=True))
    found: list[Report] = []
    for name in names:
        for openssl in draw(st.sampled_from([("3.0",), ("1.1.1", "3.0")])):
            count = draw(st.integers(1, 4))
            here = (host(name, openssl=openssl),)
            found += [shard(f"{k}/{count}", here) for k in range(1, count + 1)]
    kept = draw(st.lists(st.sampled_from(range(len(found))), min_size=1, unique=True))
    return [draw(changed(found[number])) for number in kept]


@st.composite
def changed(draw: st.DrawFn, report: Report) -> Report:
    """The same shard with other outcomes, and perhaps cut off."""
    verdicts = st.sampled_from(Outcome).map(Verdict)
    results = [evolve(r, verdict=draw(verdicts)) for r in report.results if draw(st.booleans())]
    stamps = st.sampled_from(["2026-01-05", "2026-01-06"])
    footers = st.builds(
        Footer, stamps, st.floats(0, 9), st.sampled_from([None, "SIGINT", "SIGTERM"])
    )
    return evolve(report, results=tuple(results), footer=draw(st.none() | footers))


@settings(max_examples=60)
@given(parts(), st.randoms(use_true_random=False))
def test_order_makes_no_difference(found: list[Report], random: object) -> None:
    """Merging is commutative: the same report comes of any order."""
    mixed = list(found)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert merged(*mixed) == merged(*found)


@settings(max_examples=60)
@given(parts(), st.integers(0, 12))
def test_grouping_makes_no_difference(found: list[Report], at: int) -> None:
    """Merging is associative: it may be done in steps, from either end."""
    at %= len(found)
    left = merged(*found[: at + 1])
    assert reduce(merged, found[at + 1 :], left) == merged(*found)
    assert merged(left, *found[at + 1 :]) == merged(*found)


@settings(max_examples=60)
@given(parts())
def test_merged_report_is_closed(found: list[Report]) -> None:
    """Each planned cell of each host is there exactly once, whatever came back of it."""
    together = merged(*found)
    cells = [(cell.host, cell.cell) for cell in together.cells()]
    assert len(set(cells)) == len(cells)
    owed = {(h.id, c) for h in together.hosts for c in plan_of(h)}
    assert set(cells) == owed
    assert sum(len(cell.attempts) for cell in together.cells()) == sum(
        r.fault is None for report in found for r in report.results
    )


def plan_of(one: Host) -> list[Cell]:
    """Every cell of the whole plan of a host."""
    made: Plan = plan.make([one], SOME)
    return [cell for _, cell in made.cells()]


@settings(max_examples=30)
@given(parts())
def test_merged_report_comes_back(found: list[Report]) -> None:
    """A merged report is written and read like any other, exactly."""
    together = merged(*found)
    assert parse_lines(line.encode() for line in dump_lines(together)) == together


@settings(max_examples=30)
@given(parts())
def test_judging_commutes_with_merging(found: list[Report]) -> None:
    """Verdicts derived again from a merged report are those derived from its parts."""
    assert judge_again(merged(*found)) == merged(*map(judge_again, found))
    assert judge(plan_of(host())[0], EMPTY).outcome is Outcome.NO_RESULT
