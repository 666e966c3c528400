"""JUnit XML says to CI what the report says, and is XML whatever the report holds."""

from __future__ import annotations

import unicodedata
import xml.etree.ElementTree as ET

import junitparser
import pytest
from attrs import evolve

from matrix.model.report import Footer, Report
from matrix.model.result import Outcome
from matrix.render import junit
from tests import synthetic
from tests.render.hostile import hostile

EVERY = synthetic.report(40, synthetic.EVERY_OUTCOME, repeat=2, flaky=1)


def suites(report: Report) -> dict[str, junitparser.TestSuite]:
    """The suites of the rendered report by name, as another program reads them."""
    return {suite.name: suite for suite in junitparser.JUnitXml.fromstring(_bytes(report))}


def results(report: Report) -> dict[str, junitparser.TestCase]:
    """The testcases of all cells by cell id."""
    return {
        f"{case.classname.replace('.', '/', 1)}/{case.name}": case
        for suite in suites(report).values()
        for case in suite
        if suite.name != "validity"
    }


def _bytes(report: Report) -> bytes:
    return junit.render(report).encode()


def test_every_cell_is_a_testcase() -> None:
    """Each planned cell is there once, in the suite of its host and reactor."""
    assert set(results(EVERY)) == {cell.cell.id for cell in EVERY.cells()}
    assert set(suites(EVERY)) == {"linux/select", "validity"}


def test_outcomes_keep_apart() -> None:
    """Only a broken rule is a failure, only what cannot exist is skipped, all else an error."""
    found = results(EVERY)
    for cell in EVERY.cells():
        kinds = [(type(r).__name__, r.type) for r in found[cell.cell.id].result]
        if cell.outcome is Outcome.PASS:
            assert kinds == []
        elif cell.outcome is Outcome.FAIL:
            assert cell.worst is not None
            assert kinds == [("Failure", cell.worst.verdict.broken[0])]
        elif cell.outcome is Outcome.UNSUPPORTED:
            assert kinds == [("Skipped", "interface-missing")]
        else:
            assert kinds == [("Error", cell.outcome.value)]


def test_known_defect_is_skipped_with_its_reason() -> None:
    """What failed as expected neither breaks a build nor looks like a pass."""
    (failed,) = [r for r in synthetic.report(1, {Outcome.FAIL: 1}).results if r.fault is None]
    known = evolve(failed, expected="bug #1")
    report = evolve(synthetic.report(1), results=(known,))
    (result,) = results(report)[known.cell.id].result
    assert (type(result).__name__, result.type) == ("Skipped", "expected")
    assert result.message.startswith("bug #1: ")


def test_reasons_are_in_the_message() -> None:
    """What was seen stands where every viewer shows it, with the rule's source below."""
    failed = next(c for c in EVERY.cells() if c.outcome is Outcome.FAIL and c.worst)
    assert failed.worst is not None
    (result,) = results(EVERY)[failed.cell.id].result
    assert result.message == "; ".join(failed.worst.verdict.reasons)
    assert f"{failed.worst.verdict.broken[0]} expects: " in result.text
    assert "attempt 2: fail" in result.text


def test_totals_agree() -> None:
    """The numbers on every suite, and on all of them, are those of the testcases inside."""
    root = ET.fromstring(_bytes(EVERY))
    counts = EVERY.counts()
    assert int(root.get("failures", -1)) == counts[Outcome.FAIL]
    assert int(root.get("skipped", -1)) == counts[Outcome.UNSUPPORTED]
    bad = sum(count for outcome, count in counts.items() if not outcome.is_accepted)
    assert int(root.get("errors", -1)) == bad - counts[Outcome.FAIL]
    for group in (root, *root.iter("testsuite")):
        assert int(group.get("tests", -1)) == len(list(group.iter("testcase")))


def test_properties_tell_the_rest() -> None:
    """Attempts, rules and the host's provenance are properties."""
    xml = ET.fromstring(_bytes(EVERY))
    flaky = next(cell for cell in EVERY.cells() if cell.is_flaky)
    case = xml.find(f".//testcase[@name='{flaky.cell.id.split('/', 2)[2]}']")
    assert case is not None
    suite = xml.find("testsuite/properties")
    assert suite is not None
    provenance = {p.get("name"): p.get("value") for p in suite}
    assert provenance["twisted"] == "26.10.0"
    assert provenance["cannot exist here: gtk3"] == "not-installed: No module named 'gi'"
    properties = [
        {p.get("name"): p.get("value") for p in c.iter("property")} for c in xml.iter("testcase")
    ]
    told = [p for p in properties if p.get("flaky") == "yes"]
    assert [(p["outcome"], p["attempts"]) for p in told] == [("fail", "1/2")]
    assert told[0]["rule connection-lost-once"] in ("pass", "fail")


def test_nothing_is_lost() -> None:
    """Every attempt with its outcome, codes, reasons of expectations, and the run are all there."""
    known = evolve(EVERY.results[0], expected="bug #1")
    report = evolve(EVERY, results=(known, *EVERY.results[1:]))
    found = ET.fromstring(_bytes(report))
    told: dict[str, dict[str | None, str | None]] = {}
    for case in found.iter("testcase"):
        name = f"{str(case.get('classname')).replace('.', '/', 1)}/{case.get('name')}"
        told[name] = {p.get("name"): p.get("value") for p in case.iter("property")}
    for cell in report.cells():
        for attempt in cell.attempts:
            code = f" ({attempt.verdict.code})" if attempt.verdict.code else ""
            words = f"{attempt.verdict.outcome.value}{code}, {attempt.duration:.3f} s"
            assert told[cell.cell.id][f"attempt {attempt.attempt}"] == words
        if cell.worst is not None:
            assert told[cell.cell.id].get("code") == cell.worst.verdict.code
            assert told[cell.cell.id].get("expected") == cell.worst.expected
    run = {p.get("name"): p.get("value") for p in found.findall("testsuite")[-1].iter("property")}
    assert run["plan"] == report.plan.digest
    assert run["repeat"] == "2"
    assert report.footer is not None
    assert run["started"] == report.footer.started


def test_stderr_is_kept() -> None:
    """What the process printed, and a stack dump with it, is in system-err."""
    stuck = next(c for c in EVERY.cells() if c.outcome is Outcome.TIMEOUT)
    assert "tcp.py" in results(EVERY)[stuck.cell.id].system_err


def test_negative_controls_are_testcases() -> None:
    """A fault that no rule caught fails the suite that speaks for the run."""
    assert suites(EVERY)["validity"].failures == 0
    report = synthetic.report(40, uncaught=2)
    validity = suites(report)["validity"]
    assert validity.tests == len(report.plan.faults) + 1
    failed = [case for case in validity if case.result]
    messages = [case.result[0].message for case in failed]
    assert messages == list(report.missed_faults())
    assert {case.result[0].type for case in failed} == {"fault-not-caught"}


@pytest.mark.parametrize("footer", [None, Footer("2026-01-05T04:10:00+00:00", 1.0, "Ctrl-C")])
def test_incomplete_run_is_no_success(footer: Footer | None) -> None:
    """A run that did not come to its end is an error even if all that came back passed."""
    case, *_ = suites(evolve(synthetic.report(40), footer=footer))["validity"]
    (error,) = case.result
    assert error.type == "interrupted"


def test_hosts_do_not_hide_each_other() -> None:
    """The same cell on two hosts is two testcases even for readers that do not look at suites."""
    report = synthetic.report(40, hosts=("linux", "freebsd"))
    cases = [(case.classname, case.name) for suite in suites(report).values() for case in suite]
    assert len(set(cases)) == len(cases)


def test_hostile_text_is_only_text() -> None:
    """Markup, control characters and lone surrogates neither break the XML nor survive in it."""
    text = junit.render(hostile())
    ET.fromstring(text.encode())
    kept = {unicodedata.category(char) for char in text.replace("\n", "")}
    assert kept.isdisjoint({"Cc", "Cf", "Cs"})
    assert "<script" not in text


def test_huge_stderr_is_clipped() -> None:
    """A process that printed megabytes does not make the file unreadable."""
    result = synthetic.report(1).results[0]
    noisy = evolve(result, transcript=evolve(result.transcript, stderr="x" * 5_000_000))
    text = junit.render(evolve(synthetic.report(1), results=(noisy,)))
    assert len(text) < 100_000
    assert "characters left out" in text


def test_kernel_s_doing_is_a_property() -> None:
    """What is put down to the kernel fails no test case, and is not lost."""
    report = synthetic.report(1)
    (first,) = (result for result in report.results if result.fault is None)
    blamed = evolve(first.verdict, attributed=("peer-told: the witness saw fin",))
    told = evolve(report, results=(evolve(first, verdict=blamed),))
    properties = {
        each.get("name"): each.get("value") for each in ET.fromstring(_bytes(told)).iter()
    }
    assert properties["the kernel's doing"] == "peer-told: the witness saw fin"
    assert results(told)[first.cell.id].result == []
