"""Known failures: exactly what was announced is expected, where and until when it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from matrix.agent.hello import provenance
from matrix.errors import ExpectationsError
from matrix.expectations import TEXTS, VERSIONS, Expectation, expected, load, parse, shipped
from matrix.model.cell import Cell
from matrix.model.result import Outcome, Standing, Verdict
from matrix.rules import RULES

CELL = Cell("uvloop", "tls1.3", "abort-when-full", "client", "reactor")
HOST = {
    "twisted": "26.10.0",
    "uvloop": "0.23.0",
    "platform": "Linux-6.1",
    "python": "CPython 3.11.7",
}
DAY = date(2026, 12, 31)
FILE = """
[late]
cells = ["*/tls*/*/*/*", "nothing"]
outcome = "fail"
rules = ["prompt"]
reason = "TLS is late"
link = "https://example.org/1"
expires = 2026-12-31

[twice]
cells = ["uvloop/*"]
when = { uvloop = ">=0.20,<1" }
outcome = "fail"
rules = ["peer-lost-once", "connection-lost-once"]
reason = "uvloop says it twice"
link = "docs/twice.py"
expires = 2026-12-31

[dies]
cells = ["uvloop/*"]
outcome = "crash"
reason = "uvloop dies"
link = "docs/dies.py"
expires = 2026-12-31
"""


def failed(*rules: str) -> Verdict:
    """A verdict of fail that breaks these rules and holds every other."""
    standings = {r.name: Standing.FAIL if r.name in rules else Standing.PASS for r in RULES}
    return Verdict(Outcome.FAIL, standings)


def why(
    verdict: Verdict, cell: Cell = CELL, host: Mapping[str, str] = HOST, today: date = DAY
) -> str | None:
    """What the expectations of `FILE` say of a verdict."""
    return expected(parse(FILE, "here"), host, cell, verdict, today)


def one(old: str = "", new: str = "", text: str = FILE) -> Expectation:
    """The first expectation of `FILE`, with ``old`` replaced by ``new`` in the text."""
    return parse(text.replace(old, new, 1), "here")[0]


def conditional(when: str) -> Expectation:
    """The first expectation of `FILE` under a condition."""
    return one("outcome", f"when = {{ {when} }}\noutcome")


def test_a_known_failure_is_expected_with_its_reason_and_link() -> None:
    """A verdict that breaks just the rule of an expectation is expected, for its reason."""
    assert why(failed("prompt")) == "TLS is late (https://example.org/1)"


def test_part_of_a_known_failure_is_expected() -> None:
    """Rules that may be broken need not be broken all."""
    assert why(failed("peer-lost-once")) == "uvloop says it twice (docs/twice.py)"


def test_expectations_add_up() -> None:
    """Two defects at once are expected, for both reasons, and no reason that does not apply."""
    assert why(failed("prompt", "peer-lost-once")) == (
        "TLS is late (https://example.org/1); uvloop says it twice (docs/twice.py)"
    )


def test_one_rule_more_is_not_expected() -> None:
    """A known defect does not hide another one in the same cell."""
    assert why(failed("prompt", "released")) is None


@pytest.mark.parametrize(
    ("seen", "is_known"), [("a leak", True), ("a leak; a leak", True), ("a leak; a bug", False)]
)
def test_what_is_said_can_be_named(seen: str, is_known: bool) -> None:
    """A rule that is broken in another way, or in one more, is not the known defect."""
    known = one("[late]", "[late]\nsaid = 'a l..k'")
    verdict = evolve(failed("prompt"), reasons=("released: else", f"prompt: {seen}"))
    assert (expected((known,), HOST, CELL, verdict, DAY) is not None) is is_known


def test_what_is_said_must_be_seen() -> None:
    """A verdict that does not tell what was seen is not what the expectation names."""
    known = one("[late]", "[late]\nsaid = 'a l..k'")
    assert expected((known,), HOST, CELL, failed("prompt"), DAY) is None


@pytest.mark.parametrize("outcome", [o for o in Outcome if o not in (Outcome.FAIL, Outcome.CRASH)])
def test_another_outcome_is_not_expected(outcome: Outcome) -> None:
    """Only the outcome that was announced is expected, whatever else came."""
    assert why(Verdict(outcome)) is None


def test_a_crash_is_expected_where_one_was_announced() -> None:
    """An outcome without rules is expected by itself."""
    assert why(Verdict(Outcome.CRASH, code="SIGSEGV")) == "uvloop dies (docs/dies.py)"


def test_a_pass_needs_no_reason() -> None:
    """Nothing is said of a cell that passes although it was expected to fail."""
    assert why(Verdict(Outcome.PASS, failed().rules)) is None


def test_other_cells_are_not_expected_to_fail() -> None:
    """The patterns have the last word on which cells are meant."""
    assert why(failed("prompt"), Cell("uvloop", "tcp4", "tls", "client", "reactor")) is None
    assert why(failed("peer-lost-once"), Cell("epoll", "tcp4", "x", "client", "reactor")) is None


def test_past_its_date_nothing_is_expected() -> None:
    """The day that an expectation names is the last on which it holds."""
    assert why(failed("prompt"), today=DAY + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ('twisted = ">=26.10"', "26.10.0"),
        ('twisted = ">=26.10"', "27.1.0rc1"),
        ('twisted = ">=11.1,<27,!=26.4"', "26.10.0"),
        ('python = "==3.11.*"', "CPython 3.11.7"),
        ('python = ">=3.13"', "CPython 3.13.0+"),
        ('openssl = ">=4"', "OpenSSL 4.0.3 29 Sep 2026"),
        ('openssl = "<3"', "OpenSSL 1.1.1w  11 Sep 2023"),
        ('platform = "Linux-*"', "Linux-6.18-x86_64"),
    ],
)
def test_a_condition_that_holds(when: str, told: str) -> None:
    """Versions are found in what hosts say of themselves, and compared as PEP 440 has it."""
    assert conditional(when).holds_on({when.partition(" ")[0]: told})


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ('twisted = ">=26.10"', "26.4.0"),
        ('twisted = ">=26.10"', "26.10.0rc1"),
        ('twisted = ">=26.10"', "of trunk"),
        ('openssl = ">=3"', "OpenSSL 1.1.1w  11 Sep 2023"),
        ('platform = "Linux-*"', "macOS-15.1-arm64"),
    ],
)
def test_a_condition_that_does_not_hold(when: str, told: str) -> None:
    """A lower version, one that cannot be read, and another platform are outside a condition."""
    assert not conditional(when).holds_on({when.partition(" ")[0]: told})


def test_all_conditions_have_to_hold() -> None:
    """One condition that fails, or of which the host says nothing, is enough against an entry."""
    both = conditional('twisted = ">=20", uvloop = ">=0.14"')
    assert both.holds_on(HOST)
    assert not both.holds_on({**HOST, "uvloop": "0.12"})
    assert not both.holds_on({"twisted": "26.10.0"})


def test_every_host_fact_can_be_a_condition() -> None:
    """Whatever an agent says of its interpreter, but for its path, can stand in a condition."""
    told = provenance()  # type: ignore[no-untyped-call]
    assert told.keys() - {"executable"} <= {*VERSIONS, *TEXTS}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[late]", "[late", "it is not TOML"),
        ("[late]", "late = 1\n[x]", "outside of any table"),
        ("reason", "because", "there is no field 'because'; write one of cells, when, outcome"),
        (
            'reason = "TLS is late"',
            "",
            'reason is missing or amiss; write, for instance, reason = "',
        ),
        ('"TLS is late"', '" "', "reason is missing or amiss"),
        ('"TLS is late"', "3", "reason is missing or amiss"),
        ('["*/tls*/*/*/*", "nothing"]', "[]", 'write, for instance, cells = ["'),
        ('["*/tls*/*/*/*", "nothing"]', '"*"', "cells is missing or amiss"),
        ('["prompt"]', '"prompt"', "rules is missing or amiss"),
        ('["prompt"]', '["swift"]', "there is no rule 'swift'; write one of reactor-runs, "),
        ('["prompt"]', "[]", "a fail, and nothing else, breaks rules"),
        ('"fail"', '"crash"', "a fail, and nothing else, breaks rules"),
        (
            '"fail"',
            '"inconclusive"',
            "there is no outcome to expect 'inconclusive'; write one of fail",
        ),
        ("2026-12-31", '"2026-12-31"', "write, for instance, expires = 2"),
        ("2026-12-31", "2026-12-31T00:00:00", "expires is missing or amiss"),
        ("outcome", "when = 3\noutcome", "when is missing or amiss"),
        ("outcome", "when = { twisted = 3 }\noutcome", "when is missing or amiss"),
        (
            "outcome",
            'when = { zope = ">1" }\noutcome',
            "there is no condition 'zope'; write one of py",
        ),
        ("outcome", 'when = { twisted = "26" }\noutcome', 'twisted = "26" specifies no versions'),
    ],
)
def test_what_is_amiss_is_said_in_one_sentence(old: str, new: str, words: str) -> None:
    """Every mistake in a file gets one sentence that names the file, the entry and the remedy."""
    with pytest.raises(ExpectationsError) as caught:
        one(old, new)
    message = str(caught.value)
    assert words in message
    assert "here" in message
    assert ("late" in message) or ("not TOML" in message)
    assert message.endswith(".")
    assert "\n" not in message


def test_a_file_is_read(tmp_path: Path) -> None:
    """A file says what its text says."""
    path = tmp_path / "expectations.toml"
    path.write_text(FILE, encoding="utf-8")
    assert load(path) == parse(FILE, "anything")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and one that is not UTF-8 are refused with their path."""
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"# \xe9")
    for path in (tmp_path / "missing.toml", latin):
        with pytest.raises(ExpectationsError, match=f"Cannot read .*{path.name}: .*"):
            load(path)


def test_the_shipped_expectations_can_be_read() -> None:
    """The package ships expectations, each with a reproduction of its name in docs/defects."""
    defects = Path(__file__).parents[1] / "docs" / "defects"
    names = [each.name for each in shipped()]
    assert names
    assert [name for name in names if not (defects / f"{name}.py").is_file()] == []
