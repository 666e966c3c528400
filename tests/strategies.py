"""Any values of the model, for properties that hold of all of them."""

from __future__ import annotations

from attrs import evolve
from hypothesis import strategies as st

from matrix.model.cell import Cell
from matrix.model.report import Footer, Host, Plan, Planned, Reactor, Report
from matrix.model.result import Control, Outcome, Result, Standing, Verdict
from matrix.model.shard import Shard
from matrix.model.transcript import Ending, Event, How, Transcript


def joined(text: str) -> str:
    """The same text with surrogates that make a character joined to it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


texts = st.text(st.characters(), max_size=8).map(joined)
names = st.text(st.characters(exclude_characters="/"), min_size=1, max_size=6).map(joined)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers()
tables = st.dictionaries(texts, texts, max_size=2)
jsons = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
keys = texts.filter(lambda key: key not in ("t", "side", "event"))
data = st.dictionaries(keys, jsons, max_size=3)
events = st.builds(Event, numbers, texts, texts, data)
endings = st.builds(Ending, st.sampled_from(How), numbers, texts)
transcripts = st.builds(Transcript, st.lists(events, max_size=3).map(tuple), endings, texts, texts)
standings = st.dictionaries(texts, st.sampled_from(Standing), max_size=3)
reasons = st.lists(texts, max_size=2).map(tuple)
verdicts = st.builds(Verdict, st.sampled_from(Outcome), standings, reasons, st.none() | texts)
reactors = st.builds(Reactor, texts, texts, st.none() | texts, texts)
hosts = st.builds(Host, texts, reasons, tables, st.lists(reactors, max_size=2).map(tuple), tables)
cells = st.builds(Cell, names, names, names, names, names)
shards = st.integers(1, 3).flatmap(
    lambda count: st.builds(Shard, st.integers(1, count), st.just(count))
)
plans = st.builds(
    Planned,
    texts,
    st.lists(cells, max_size=3, unique=True).map(tuple),
    left_out=st.dictionaries(texts, st.integers(), max_size=2),
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Any report whose parts do not contradict each other."""
    known = draw(st.lists(hosts, min_size=1, max_size=3, unique_by=lambda host: host.id))
    shard = draw(st.none() | shards.map(str))
    here = () if shard is None else (shard,)
    planned = tuple(evolve(draw(plans), host=host.id, shards=here) for host in known)
    faults = tuple((p.host, draw(texts), cell.id) for p in planned for cell in p.cells[:1])
    plan = Plan(draw(texts), planned, draw(st.integers()), shard, faults)
    owed: list[tuple[str, str | None, Cell]] = [(host, None, cell) for host, cell in plan.cells()]
    owed += [(host, fault, Cell.parse(cell)) for host, fault, cell in faults]
    results = [
        Result(
            host,
            cell,
            draw(verdicts),
            draw(transcripts),
            draw(numbers),
            draw(st.integers()),
            f,
            draw(st.none() | texts),
            draw(st.sampled_from([None, shard])),
        )
        for host, f, cell in owed
        if draw(st.booleans())
    ]
    some = st.sampled_from([host.id for host in known])
    controls = st.builds(
        Control,
        some,
        texts,
        texts,
        st.none() | texts,
        transcripts,
        st.integers(),
        st.sampled_from([None, shard]),
    )
    return Report(
        tuple(known),
        plan,
        tuple(draw(st.lists(controls, max_size=2))),
        tuple(results),
        draw(st.none() | st.builds(Footer, texts, numbers, st.none() | texts)),
        draw(texts),
    )
