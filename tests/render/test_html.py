"""The page as text: what it says, what it forbids, what its data hold."""

from __future__ import annotations

import json
import re
import sys
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from unicodedata import category

import pytest
from attrs import evolve

from matrix import wire
from matrix.judge import judge
from matrix.merge import merge
from matrix.model.report import Footer, Plan, Report
from matrix.model.result import Control, Outcome, Result, Standing
from matrix.model.transcript import Ending, Event, How, Transcript
from matrix.render.html import render, troubles
from matrix.render.html.cells import EVENT_LIMIT, Row, command, detail, ended, key
from matrix.render.html.looks import LOOKS
from matrix.render.html.summary import summarise
from matrix.render.html.timeline import draw
from matrix.render.html.words import datum, milliseconds, word
from matrix.render.sentence import verdict_sentence
from tests.render.hostile import hostile
from tests.synthetic import EVERY_OUTCOME, report


class Page(HTMLParser):
    """A page taken apart: its ids, the text of its elements, and all of its readable text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.policy = ""
        self.inlined: dict[str, str] = {}
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._inside = given.get("id", tag) if tag in ("script", "style") else ""
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inlined[self._inside] = data
        else:
            self.text += data

    def unpacked(self, name: str) -> Any:
        """The data that the page's script finds under that id."""
        return json.loads(zlib.decompress(b64decode(self.inlined[name])))


def test_synthetic_transcripts_are_plausible() -> None:
    """The judge passes the transcripts of cells that a synthetic report says have passed."""
    for result in report(200).results:
        if result.fault is None:
            assert judge(result.cell, result.transcript).outcome is Outcome.PASS


def test_policy_allows_what_is_inlined_and_nothing_else() -> None:
    """The policy names the very script and style in the page by hash, and forbids the rest."""
    page = Page(render(report(20)))

    def named(text: str) -> str:
        return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"

    assert "default-src 'none'" in page.policy
    assert f"script-src {named(page.inlined['script'])};" in page.policy
    assert f"style-src {named(page.inlined['style'])};" in page.policy
    assert "unsafe" not in page.policy


def test_first_words_are_the_verdict() -> None:
    """The page's headline is the sentence that every other output begins with."""
    spoilt = report(200, {Outcome.FAIL: 2, Outcome.UNSUPPORTED: 8})
    headline = re.search(r"<h1>.*</h1>", render(spoilt))
    assert headline is not None
    assert verdict_sentence(spoilt) in headline[0]


def test_a_run_with_an_uncaught_fault_is_marked_as_not_valid() -> None:
    """If a deliberate defect went uncaught, the verdict is greyed and each one is named."""
    invalid = report(20, uncaught=2)
    page = render(invalid)
    assert '<header class="invalid">' in page
    text = Page(page).text
    for sentence in invalid.missed_faults():
        assert sentence in text
    assert '<header class="pass">' in render(report(20))


def test_every_cell_that_did_not_pass_is_in_the_html() -> None:
    """Without any script, each such cell can be found by its fragment, with what was seen."""
    spoilt = report(200, EVERY_OUTCOME, hosts=("linux", "wine"))
    page = Page(render(spoilt))
    for cell in spoilt.cells():
        written = key(cell.host, cell.cell) in page.ids
        assert written is not cell.outcome.is_accepted


def test_the_cost_of_many_failures_is_bounded() -> None:
    """Past a limit failing cells keep their reasons without the plot, and the page says so."""
    page = render(report(1000, {Outcome.FAIL: 300}))
    assert page.count('<article id="cell=') == troubles.FULL
    assert page.count('class="cell brief"') == 300 - troubles.FULL
    assert f"{troubles.FULL} of 300 cells are shown with plot and events" in page
    assert len(page) < 2_500_000


def test_each_group_of_failures_has_a_cell_in_full() -> None:
    """The cells shown in full are the first of each group, however large the other groups are."""
    many = report(1000, {Outcome.FAIL: 300, Outcome.CRASH: 1, Outcome.NO_RESULT: 1})
    found = troubles.groups(many.cells(), lambda cell: detail(cell, many.hosts[0], ()))
    assert {Outcome.FAIL, Outcome.CRASH, Outcome.NO_RESULT} == {group.outcome for group in found}
    assert all(group.troubles[0].detail for group in found)
    assert [g.outcome for g in found[-2:]] == [Outcome.CRASH, Outcome.NO_RESULT]


def test_a_group_says_what_its_cells_have_in_common() -> None:
    """An axis on which a group has every value is told from one on which it has a few."""
    plain = report(200)
    failing = tuple(
        evolve(result, verdict=evolve(result.verdict, outcome=Outcome.TIMEOUT))
        for result in plain.results
        if result.cell.transport == "tls1.3" and result.fault is None
    )
    spoilt = evolve(plain, results=(*failing, *plain.results))
    (group,) = troubles.groups(spoilt.cells(), lambda cell: detail(cell, spoilt.hosts[0], ()))
    pattern = dict(group.pattern)
    assert pattern["transport"] == "tls1.3"
    assert pattern["reactor"] == pattern["scenario"] == pattern["side"] == "every one"


def test_a_rule_that_this_version_does_not_know_still_renders() -> None:
    """A broken rule of an older or newer version is shown with what was seen."""
    plain = report(20, {Outcome.FAIL: 1})
    renamed = tuple(
        evolve(r, verdict=evolve(r.verdict, rules={"gone": Standing.FAIL}, reasons=("gone: 7",)))
        for r in plain.results
    )
    page = render(evolve(plain, results=renamed))
    assert "<code>gone</code>" in page
    assert "A rule that this version does not know." in page
    assert '<dd class="seen">7</dd>' in page


@pytest.mark.parametrize(
    ("footer", "says"),
    [(None, "ut off before its end"), (Footer("then", 2.0, "Ctrl-C"), "nterrupted (Ctrl-C)")],
    ids=["cut-off", "interrupted"],
)
def test_a_run_without_its_end_says_so(footer: Footer | None, says: str) -> None:
    """A run that did not come to its end never reads like one that did."""
    assert says in Page(render(evolve(report(20), footer=footer))).text


def test_a_report_of_nothing_renders() -> None:
    """No host, no cell, no control: still a page, and it claims nothing."""
    page = render(Report(hosts=(), plan=Plan("", ())))
    assert "No control was run." in page
    assert "no cell was tested" in page


def test_the_data_hold_every_cell() -> None:
    """What the script opens is packed in the plan's order, with all events and their values."""
    spoilt = report(250, EVERY_OUTCOME)
    page = Page(render(spoilt))
    index = page.unpacked("index")
    assert len(index["cells"]) == 250
    cell = spoilt.cells()[123]
    chunk = page.unpacked(f"chunk-{123 // index['chunk']}")
    place = 123 % index["chunk"]
    rows = chunk["cells"][place][6]
    events = cell.attempts[0].transcript.events
    assert [chunk["shapes"][shape][1] for shape in rows] == [e.name for e in events]
    before = Counter(shape for each in chunk["cells"][:place] for shape in each[6])
    since = {shape: iter(chunk["columns"][shape][0][before[shape] :]) for shape in rows}
    assert sum(next(since[shape]) for shape in rows) == round(events[-1].t * 1_000_000)
    words = [index["words"][number] for number in index["cells"][123][:6]]
    assert words == [cell.host, *cell.cell.id.split("/")]


def test_text_from_the_program_under_test_cannot_act() -> None:
    """No control character, bidi override, escape or markup of a hostile text is in the page."""
    page = render(hostile())
    unseen = {char for char in page if category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert unseen <= {"\n"}
    assert "<img" not in page
    assert page.count("<script") == page.count("</script>") == len(Page(page).inlined) - 1


def test_links_inside_the_page_lead_somewhere() -> None:
    """Every fragment that the HTML itself links to is an id in it, hostile names included."""
    for page in map(Page, (render(hostile()), render(report(200, EVERY_OUTCOME)))):
        inner = [link[1:] for link in page.links if link.startswith("#")]
        assert inner
        assert set(inner) <= set(page.ids)
        assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize(("size", "limit"), [(200, 240_000), (5000, 2_500_000)])
def test_the_page_stays_small(size: int, limit: int) -> None:
    """A page with 40 events for each of so many cells is no larger than it may be."""
    assert len(render(report(size, {Outcome.FAIL: 2})).encode()) < limit


def test_the_command_names_another_interpreter() -> None:
    """The command to reproduce a cell names its host's interpreter unless it is this one."""
    spoilt = report(1)
    host, cell = spoilt.hosts[0], spoilt.plan.hosts[0].cells[0]
    here = command(evolve(host, command=(sys.executable,)), cell)
    assert here == (
        "reactor-matrix run -r select -t tcp4 -s abort-when-full --side client --peer reactor"
    )
    there = command(evolve(host, command=("wine", "python dir/python.exe")), cell)
    assert there == here + " --python 'wine '\"'\"'python dir/python.exe'\"'\"''"


def test_a_flaky_cell_says_how_often_it_passed() -> None:
    """A cell whose attempts differ is marked, with k of n and each attempt's letter."""
    text = Page(render(report(200, {Outcome.FAIL: 1}, repeat=3, flaky=1))).text
    assert "≈ flaky, 2 of 3 passed" in text
    assert "2 of 3 passed: P P F" in text
    assert "attempt 3 of 3, the first with the worst outcome" in text


def test_a_missing_attempt_is_no_result() -> None:
    """A cell of which fewer attempts came back than were planned says so, and is not green."""
    plain = report(20, repeat=2)
    first = plain.results[0]
    page = Page(render(evolve(plain, results=plain.results[1:])))
    assert key(first.host, first.cell) in page.ids
    assert "Of 2 planned attempts only 1 came back." in page.text
    assert "1 of 2 passed" in page.text


def test_a_known_defect_is_told_from_a_new_failure() -> None:
    """A failure that was expected is marked with its reason, comes last, and alarms nobody."""
    spoilt = report(200, {Outcome.FAIL: 8})
    bad = [r for r in spoilt.results if not r.is_accepted and r.fault is None]
    known = {id(each) for each in bad[2:]}
    results = (_expected(r) if id(r) in known else r for r in spoilt.results)
    marked = evolve(spoilt, results=tuple(results))
    found = troubles.groups(marked.cells(), lambda cell: detail(cell, marked.hosts[0], ()))
    flags = [group.expected != "" for group in found]
    assert flags == sorted(flags)
    assert sum(len(group.troubles) for group in found if group.expected) == 6
    assert "Known defect: twisted#1 is open" in render(marked)
    every = evolve(spoilt, results=tuple(_expected(r) if r in bad else r for r in spoilt.results))
    assert '<header class="known">' in render(every)
    assert '<header class="fail">' in render(marked)


def _expected(result: Result) -> Result:
    return evolve(result, expected="twisted#1 is open")


def test_what_most_cells_of_a_group_show_is_said_once() -> None:
    """Short entries repeat what was seen only where it differs from the rest of their group."""
    spoilt = report(1000, {Outcome.FAIL: 300})
    bad = [result for result in spoilt.results if result.verdict.broken == ("prompt",)]
    bad = [result for result in bad if result.fault is None]
    odd = evolve(bad[-1], verdict=evolve(bad[-1].verdict, reasons=("prompt: never",)))
    changed = tuple(odd if result is bad[-1] else result for result in spoilt.results)
    page = render(evolve(spoilt, results=changed))
    assert page.count('<p class="seen">prompt: never</p>') == 1
    assert page.count('<p class="seen">prompt: seen twice</p>') == 1


def test_a_cell_with_very_many_events_shows_both_ends() -> None:
    """Past a limit the middle of an attempt's events is left out, and counted."""
    plain = report(1)
    first = plain.cells()[0]
    events = tuple(Event(n / 1000, wire.ABORTER, wire.CONNECTED) for n in range(EVENT_LIMIT + 7))
    seen = evolve(first.attempts[0].transcript, events=events)
    many = evolve(first, attempts=(evolve(first.attempts[0], transcript=seen),))
    found = detail(many, plain.hosts[0], ())
    assert len(found.rows) == EVENT_LIMIT
    assert found.left_out == 7
    assert (found.rows[0].t, found.rows[-1].t) == (0, (EVENT_LIMIT + 6) * 1000)


def test_controls_stand_beside_the_cells_they_speak_for() -> None:
    """A cell's facts say what the wire showed on its transport and side without a reactor."""
    plain = report(1)
    control = plain.controls[0]
    controls = [control, evolve(control, signal=wire.SILENCE), evolve(control, signal=None)]
    facts = dict(detail(plain.cells()[0], plain.hosts[0], controls).facts)
    assert facts["without a reactor"] == "reset (1 of 3), silence (1 of 3), nothing (1 of 3)"
    assert isinstance(control, Control)


def test_controls_that_cannot_exist_are_not_owed() -> None:
    """They are told apart; one that could have worked and did not stays wrong."""
    found = report(1)
    good = found.controls[0]
    events = (Event(0, wire.PROCESS, wire.TRANSPORT_UNSUPPORTED),)
    gone = evolve(good, signal=None, transcript=Transcript(events, good.transcript.ending))
    bad = evolve(good, signal=None)
    for controls, value, holds in (
        ((good, gone), "1 of 1", True),
        ((good, gone, bad), "1 of 2", False),
        ((gone,), "none", None),
    ):
        (check,) = (
            each
            for each in summarise(evolve(found, controls=controls), ()).checks
            if each.label == "controls"
        )
        assert (check.value, check.holds) == (value, holds)
        assert check.detail.startswith("1 more")


def test_controls_are_those_of_the_same_ending() -> None:
    """Beside a cell that its peer ends stand the controls of that ending, and no other."""
    found = report(1)
    own = found.controls[0]
    other = evolve(own, signal="cut", kind=wire.VANISH)
    page = Page(render(evolve(found, controls=(own, other))))
    (cell,) = page.unpacked("chunk-0")["cells"]
    assert ["without a reactor", "reset (1 of 1)"] in cell[0]
    assert f"{own.transport}, {wire.VANISH}" in page.text


def test_the_kernel_s_doing_is_said_and_can_be_filtered() -> None:
    """What falls short without a reactor, too, is said in its cell, and marked for the filter."""
    found = report(40)
    first, *rest = found.results
    blamed = evolve(first, verdict=evolve(first.verdict, attributed=("peer-told: so it is",)))
    page = Page(render(evolve(found, results=(blamed, *rest))))
    assert sum(bool(cell[7] & 4) for cell in page.unpacked("index")["cells"]) == 1
    notes = [str(cell) for cell in page.unpacked("chunk-0")["cells"]]
    assert sum("the kernel's doing: peer-told: so it is" in text for text in notes) == 1


@pytest.mark.parametrize(("brought", "says"), [(2, "2 of 2"), (1, "1 of 2")])
def test_merged_shards_are_counted(brought: int, says: str) -> None:
    """A merged page says how many of the shards are there, and which are not."""
    parts = {f"{n}": report(40, shard=f"{n}/2") for n in range(1, brought + 1)}
    page = Page(render(evolve(merge(parts), plan=evolve(merge(parts).plan, shard=None))))
    assert says in page.text
    assert ("not here: 2/2 of linux" in page.text) is (brought == 1)


def test_a_cell_names_its_script() -> None:
    """With each cell stands the command for a script that needs Twisted alone."""
    page = Page(render(report(40)))
    first = report(40).cells()[0].cell
    commands = [str(cell) for cell in page.unpacked("chunk-0")["cells"]]
    assert any(f"reactor-matrix reproduce {first.id}" in text for text in commands)


def test_exceptions_show_their_traceback() -> None:
    """What a call under test raised is shown in one line in the table, and with its traceback."""
    plain = report(1)
    first = plain.cells()[0]
    raised = {
        "type": "KeyError",
        "mro": [],
        "message": "7",
        "traceback": "Traceback:\nKeyError",
    }
    events = (Event(0.0015, wire.PROCESS, wire.REACTOR_RAISED, {"exception": raised}),)
    seen = evolve(first.attempts[0].transcript, events=events)
    odd = evolve(first, attempts=(evolve(first.attempts[0], transcript=seen),))
    found = detail(odd, plain.hosts[0], ())
    assert found.rows[0].values == ("KeyError: 7",)
    assert found.texts == (("reactor-raised at 1.50 ms", "Traceback:\nKeyError"),)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (True, "yes"),
        (1048576, "1,048,576"),
        (2**70, str(2**70)),
        (0.25, "0.25"),
        (float("nan"), "not a number"),
        ([], "none"),
        ({"unacked": 0, "snd_wnd": None}, "unacked 0, snd_wnd –"),
        (["a", [1000]], "a, 1,000"),
        ("\x1b[2J", "␛[2J"),
        ([[[[[1]]]]], "…"),
    ],
)
def test_values_of_events_as_words(value: object, shown: str) -> None:
    """Each kind of value that an event may hold has one form for people."""
    assert word(datum(value)) == shown


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (Ending(How.EXITED), "exited with status 0"),
        (Ending(How.SIGNALLED, 11), "died by signal 11"),
        (Ending(How.DEADLINE, 30.0), "killed by the deadline of 30 s"),
        (Ending(How.LOST, detail="killed"), "lost with its agent (killed)"),
    ],
)
def test_how_a_process_ended(ending: Ending, words: str) -> None:
    """Each way in which a process can end has words of its own."""
    assert ended(ending) == words


def test_every_outcome_has_marks_of_its_own() -> None:
    """No two outcomes share a glyph or a letter, so that none is told by colour alone."""
    assert set(LOOKS) == set(Outcome)
    assert len({look.glyph for look in LOOKS.values()}) == len(Outcome)
    assert len({look.letter for look in LOOKS.values()}) == len(Outcome)
    assert all(look.letter == outcome.value[0].upper() for outcome, look in LOOKS.items())


def test_milliseconds_are_cut_to_hundredths() -> None:
    """Times are written from whole microseconds, without a float in between."""
    assert milliseconds(61_249) == "61.24 ms"
    assert milliseconds(10_000_000) == "10,000.00 ms"


def _sample(t: int, held: int | None) -> Row:
    return Row(t, wire.ABORTER, wire.SAMPLE, ("held",), (held,))


def test_a_plot_steps_from_sample_to_sample() -> None:
    """A value holds until the next sample, a missing one leaves a gap, and all stays inside."""
    times = [(0, 0), (250, 50), (500, None), (750, 100), (1000, 100)]
    plot = draw([_sample(t, held) for t, held in times])
    assert plot is not None
    (band,) = plot.bands
    assert band.label == "held by Twisted"
    assert band.most == "at most 100 bytes"
    assert band.path == "M0 97V97H250V50H500V97M750 97V3H1000V3V97"


def test_a_plot_marks_the_abort_and_the_loss() -> None:
    """Both moments are on the time axis, with the time that passed between them."""
    rows = [
        Row(10_000, wire.PEER, wire.CONNECTED, (), ()),
        Row(60_000, wire.ABORTER, wire.ABORT_CALLED, (), ()),
        Row(60_310, wire.ABORTER, wire.CONNECTION_LOST, (), ()),
        Row(110_000, wire.PEER, wire.CONNECTION_LOST, (), ()),
    ]
    plot = draw(rows)
    assert plot is not None
    assert [(m.x, m.label) for m in plot.marks] == [
        ("50.0%", "abort at 60.00 ms"),
        ("50.3%", "connection lost 0.31 ms later"),
    ]
    assert [len(lane.ticks) for lane in plot.lanes] == [2, 2]
    assert [tick.label for tick in plot.ticks] == ["20 ms", "40 ms", "60 ms", "80 ms", "100 ms"]


def test_nothing_to_plot_is_no_plot() -> None:
    """A process that never had two events on a connection gets no empty plot."""
    assert draw([Row(5, wire.PROCESS, wire.STARTED, (), ())] * 3) is None


def test_a_long_silence_is_cut_down() -> None:
    """Five seconds in which nothing was seen leave room for the milliseconds around them."""
    times = (0, 10_000, 20_000, 5_020_000, 5_040_000)
    plot = draw([_sample(t, 1) for t in times])
    assert plot is not None
    assert plot.cut is not None
    assert plot.cut.label == "5,000 ms cut out"
    assert (plot.cut.x, plot.cut.width) == ("40.0%", "20.0%")
    assert plot.bands[0].path == "M0 97V3H200V3H400V3H600V3H1000V3V97"
    labels = [tick.label for tick in plot.ticks]
    assert labels == ["0 ms", "10 ms", "20 ms", "5,020 ms", "5,030 ms", "5,040 ms"]


@pytest.mark.parametrize("span", [1, 900, 7_000, 61_000, 10_000_000, 3_600_000_000])
def test_times_on_the_axis_are_round_and_few(span: int) -> None:
    """However long an attempt took, its time axis has at most six labels, evenly apart."""
    plot = draw([_sample(0, 1), _sample(span, 2)])
    assert plot is not None
    places = [int(float(x.rstrip("%")) * 10) for x in (tick.x for tick in plot.ticks)]
    assert 1 <= len(places) <= 6
    assert len({second - first for first, second in pairwise(places)}) <= 2
