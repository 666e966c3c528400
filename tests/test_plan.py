"""What a run owes: every cell of the selection, once, shared out among the shards."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, product

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from matrix import wire
from matrix.errors import SelectionError
from matrix.model.cell import Cell
from matrix.model.costs import COSTS, cost
from matrix.model.report import Host, Plan, Reactor
from matrix.model.scenarios import SCENARIOS, why_left_out
from matrix.model.shard import Shard
from matrix.plan import SECONDS_PER_SHARD, Selection, make, parse_shard, shards
from matrix.rules import RULES

FAULTS = {f"breaks-{rule.name}": rule.name for rule in RULES}
REACTORS = (
    Reactor("epoll", "", None),
    Reactor("iocp", "", wire.WRONG_PLATFORM, "needs Windows"),
    Reactor("select", "", None),
)
HOST = Host("here", ("python",), {}, REACTORS, FAULTS)
OTHER = Host("there", ("ssh",), {}, (Reactor("poll", "", None),))
COMBINATIONS = [
    Cell("epoll", *axes)
    for axes in product(wire.TRANSPORTS, [s.name for s in SCENARIOS], wire.SIDES, wire.PEERS)
]
PER_REACTOR = sum(why_left_out(cell) is None for cell in COMBINATIONS)
ON_IOCP = sum(why_left_out(evolve(cell, reactor="iocp")) is None for cell in COMBINATIONS)


def ids(plan: Plan) -> list[str]:
    """Host and cell of all that is planned, in its order."""
    return [f"{host} {cell.id}" for host, cell in plan.cells()]


def test_everything() -> None:
    """Without a selection the plan is every combination that has a meaning, none of them twice."""
    planned = ids(make([HOST, OTHER], Selection()))
    assert len(set(planned)) == len(planned) == 3 * PER_REACTOR + ON_IOCP


def test_what_has_no_meaning_on_one_reactor_is_left_out_there() -> None:
    """A paused peer on IOCP cannot leave bytes unread; one elsewhere, and the witness, can."""
    cell = Cell("iocp", "tcp4", "abort-after-delivery", "client", "reactor")
    assert "only on iocp" in str(why_left_out(cell))
    assert why_left_out(evolve(cell, peer="socket")) is None
    assert why_left_out(evolve(cell, reactor="epoll")) is None


def test_unsupported_reactors_are_planned() -> None:
    """A reactor that cannot exist is in the plan: it is never silently absent."""
    assert {cell.reactor for _, cell in make([HOST], Selection()).cells()} == {
        "epoll",
        "iocp",
        "select",
    }


def test_selection() -> None:
    """Patterns narrow an axis; several of one axis add up."""
    chosen = Selection(reactor=("e*", "sel*"), transport=("tls*",), side=("client",))
    cells = [cell for _, cell in make([HOST], chosen).cells()]
    assert {cell.reactor for cell in cells} == {"epoll", "select"}
    assert {cell.transport for cell in cells} == {"tls1.2", "tls1.3", "tls-unix"}
    assert {cell.side for cell in cells} == {"client"}
    of_one = [c for c in COMBINATIONS if c.is_tls and c.side == "client"]
    assert len(cells) == 2 * sum(why_left_out(cell) is None for cell in of_one)


def test_what_has_no_meaning_is_left_out_with_its_reason() -> None:
    """Combinations without a meaning are not planned, and the plan says how many and why."""
    plan = make([HOST], Selection(reactor=("epoll",)))
    (planned,) = plan.hosts
    assert len(ids(plan)) + sum(planned.left_out.values()) == len(COMBINATIONS)
    assert any("TLS has no half-close" in why for why in planned.left_out)


def test_selection_without_a_meaning() -> None:
    """A selection of nothing but meaningless combinations is refused with the reason."""
    chosen = Selection(scenario=("abort-both-sides",), peer=("socket",))
    with pytest.raises(SelectionError, match="a turn is one reactor's"):
        make([HOST], chosen)


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        (Selection(reactor=("nosuch",)), r"No reactor matches 'nosuch'. There are: epoll, iocp"),
        (Selection(transport=("tcp4", "x*")), r"No transport matches 'x\*'. There are: tcp4"),
        (Selection(scenario=("",)), "No scenario matches ''"),
        (Selection(side=("CLIENT",)), "There are: client, server"),
        (Selection(peer=("[",)), "There are: reactor, socket"),
    ],
)
def test_pattern_that_matches_nothing(selection: Selection, words: str) -> None:
    """A pattern without a match is refused, also beside one that has some."""
    with pytest.raises(SelectionError, match=words):
        make([HOST], selection)


def test_reactor_of_another_host() -> None:
    """A reactor that one host alone has is planned there alone."""
    assert {host for host, _ in make([HOST, OTHER], Selection(reactor=("poll",))).cells()} == {
        "there"
    }


def test_nothing_to_run() -> None:
    """Hosts that have nothing to run are refused: a run of no cells would look green."""
    with pytest.raises(SelectionError, match="There is no cell to run"):
        make([Host("bare", (), {}, ())], Selection())


# Shards -------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 60))
def test_shards_are_complete_and_disjoint(count: int) -> None:
    """Every cell is in one shard and no other, shards are of a size, and share the digest."""
    some = Selection(scenario=("abort-twice", "abort-both-sides"))
    whole = make([HOST, OTHER], some)
    shards = [make([HOST, OTHER], some, shard=f"{k}/{count}") for k in range(1, count + 1)]
    planned = [ids(shard) for shard in shards]
    assert sorted(chain(*planned)) == sorted(ids(whole))
    assert max(map(len, planned)) - min(map(len, planned)) <= len(whole.hosts)
    assert {shard.digest for shard in shards} == {whole.digest}
    assert {tuple(p.cells for p in shard.hosts) for shard in shards} == {
        tuple(p.cells for p in whole.hosts)
    }


@settings(deadline=None)
@given(st.permutations(REACTORS), st.integers(1, 5))
def test_shards_are_stable(reactors: list[Reactor], number: int) -> None:
    """Which cells are in a shard does not depend on how a host puts its reactors in order."""
    hosts = [Host("here", (), {}, tuple(order)) for order in (reactors, REACTORS)]
    one, other = (make([host], Selection(), shard=f"{number}/5") for host in hosts)
    assert sorted(ids(one)) == sorted(ids(other))
    assert one.digest == other.digest


@settings(deadline=None)
@given(st.permutations(COMBINATIONS), st.integers(1, 20))
def test_a_shard_is_stable(cells: list[Cell], count: int) -> None:
    """The parts of some cells are disjoint and complete, and the same whatever their order."""
    shards = [Shard(number, count) for number in range(1, count + 1)]
    parts = [shard.part(cells) for shard in shards]
    assert sorted(chain(*parts)) == sorted(cells)
    assert [set(part) for part in parts] == [set(shard.part(COMBINATIONS)) for shard in shards]


def able(reactors: Sequence[Reactor]) -> Host:
    """A host with all of Twisted's reactors, of which these exist there."""
    more = [Reactor(f"not-{n}", "", wire.NOT_INSTALLED) for n in range(8)]
    return Host("here", (), {}, (*reactors, *more))


@pytest.mark.parametrize("count", range(2, 17))
def test_shards_cost_alike(count: int) -> None:
    """No shard of the full matrix of eight reactors, beside others, is 20% off the mean."""
    whole = make([able([Reactor(f"loop-{n}", "") for n in range(8)])], Selection())
    sums = [
        sum(cost(cell) for cell in Shard(number, count).part(whole.hosts[0].cells) if is_able(cell))
        for number in range(1, count + 1)
    ]
    mean = sum(sums) / count
    assert max(abs(each - mean) for each in sums) <= 0.2 * mean


def is_able(cell: Cell) -> bool:
    """Whether the cell's reactor can run on the host that is made above."""
    return cell.reactor.startswith("loop-")


def test_jobs_are_as_many_as_they_cost() -> None:
    """A plan becomes as many shards as its cells cost; reactors that can't run cost nothing."""
    whole, some = Selection(), Selection(scenario=("abort-twice",))
    hosts = [able([Reactor(f"loop-{n}", "") for n in range(8)])]
    jobs = shards(make(hosts, whole), hosts)
    seconds = sum(cost(cell) for _, cell in make(hosts, whole).cells() if is_able(cell))
    assert [shard.number for shard in jobs] == list(range(1, len(jobs) + 1))
    assert (len(jobs) - 1) * SECONDS_PER_SHARD < seconds <= len(jobs) * SECONDS_PER_SHARD
    assert shards(make(hosts, some), hosts) == [Shard(1, 1)]
    assert shards(make([able([])], whole), [able([])]) == [Shard(1, 1)]
    assert shards(make(hosts, some), hosts, 2) == [Shard(1, 2), Shard(2, 2)]


@pytest.mark.parametrize("scenario", COSTS)
def test_costs_are_of_scenarios(scenario: str) -> None:
    """Every scenario in the table of costs exists, and its cells cost what the table says."""
    assert scenario in {s.name for s in SCENARIOS}
    for transport, of in (("tcp6", "tcp"), ("unix", "unix"), ("tls-unix", "tls")):
        if of in COSTS[scenario]:
            assert cost(Cell("x", transport, scenario, "client", "socket")) == COSTS[scenario][of]


def test_digest_is_of_the_cells() -> None:
    """Plans with different cells have different digests."""
    chosen = (Selection(), Selection(side=("client",)), Selection(side=("server",)))
    assert len({make([HOST], selection).digest for selection in chosen}) == len(chosen)


@pytest.mark.parametrize("text", ["", "1", "0/1", "2/1", "1/0", "-1/2", "1/2/3", "a/b", "¹/²", "/"])
def test_no_shard(text: str) -> None:
    """A shard that makes no sense is refused with an example of one that does."""
    with pytest.raises(SelectionError, match="for instance 2/4"):
        parse_shard(text)


def test_empty_shard() -> None:
    """A shard in which nothing is left is refused."""
    with pytest.raises(SelectionError, match="ask for fewer shards"):
        make([OTHER], Selection(), shard=f"{PER_REACTOR + 1}/{PER_REACTOR + 1}")


# Negative controls --------------------------------------------------------------------------------


def test_every_fault_is_owed() -> None:
    """Every fault is played on a plain transport and on TLS, on a reactor that is there."""
    owed = make([HOST], Selection(reactor=("[is]*",))).faults
    assert {(host, fault) for host, fault, _ in owed} == {("here", fault) for fault in FAULTS}
    assert {tuple(cell.split("/")[:2]) for *_, cell in owed} == {
        ("select", "tcp4"),
        ("select", "tls1.3"),
    }


def test_no_fault_without_a_reactor() -> None:
    """Where no planned reactor can exist there is nothing to play a fault on."""
    assert make([HOST], Selection(reactor=("iocp",))).faults == ()
