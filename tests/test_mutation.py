"""The mutation benchmark: a mutant is in force where it must be, and noticed for what it does."""

from __future__ import annotations

import asyncio
from pathlib import Path

from attrs import evolve

from matrix.model.cell import Cell
from tests.benchmarks.mutation.applying import Mutant, environment, file_of
from tests.benchmarks.mutation.judging import (
    AS_THEY_ARE,
    REPAIRED,
    Sight,
    by_matrix,
    by_trial,
    tls_material,
)
from tests.benchmarks.mutation.records import equivalents, explained
from tests.benchmarks.mutation.targets import TARGETS

ABORT = Cell("select", "tcp4", "abort-when-full", "client", "socket")
BODY = "if self.disconnected or self._aborting:\n"


def no_abort() -> Mutant:
    """The installed Twisted, whose abortConnection() returns at once."""
    text = file_of("twisted.internet.tcp").read_text(encoding="utf-8")
    assert text.count(BODY) == 1
    source = text.replace(BODY, "if True:\n")
    where = ("twisted.internet.tcp", "_AbortingMixin.abortConnection", "by hand", 0)
    return Mutant(*where, 203, "", BODY, "if True:\n", source)


def lost_by_abort() -> Mutant:
    """The installed Twisted, whose TLS gives an abort the reason that a known defect gives it."""
    text = file_of("twisted.protocols.tls").read_text(encoding="utf-8")
    before = "        self._aborted = True\n"
    assert text.count(before) == 1
    after = f"{before}        self._reason = Failure(CONNECTION_LOST)\n"
    where = ("twisted.protocols.tls", "TLSMemoryBIOProtocol.abortConnection", "by hand", 0)
    return Mutant(*where, 448, "", before, after, text.replace(before, after))


def seen_by_matrix(mutant: Mutant | None, folder: Path, cell: Cell = ABORT) -> Sight:
    """What one cell sees of it."""
    changed = environment(mutant, folder)
    return asyncio.run(by_matrix(changed, [cell], tls_material()))


def test_equivalent_mutants_are_explained() -> None:
    """Every survivor that was read is of a mutated function, and it is said why it survives."""
    mutated = {(each.module, name) for each in TARGETS for name in each.functions}
    found = explained()
    assert set(equivalents()) < set(found)
    assert found
    for (module, function, _, before, after), why in found.items():
        assert (module, function) in mutated
        assert before != after
        assert why.endswith(".")


def test_matrix_notices_a_mutant(tmp_path: Path) -> None:
    """An abort that does nothing breaks a rule in the matrix, and Twisted as it is breaks none."""
    assert seen_by_matrix(None, tmp_path).how is None
    seen = seen_by_matrix(no_abort(), tmp_path)
    assert seen.how == "connection-lost-once"
    assert seen.detail.startswith(ABORT.id)
    assert seen.defects == AS_THEY_ARE


def test_a_known_defect_hides_no_mutant(tmp_path: Path) -> None:
    """What looks like a known defect is noticed where that one is repaired."""
    cell = evolve(ABORT, transport="tls1.3")
    assert seen_by_matrix(None, tmp_path, cell).how is None
    seen = seen_by_matrix(lost_by_abort(), tmp_path, cell)
    assert (seen.how, seen.defects) == ("reason-aborted", REPAIRED)


def test_trial_is_run_on_a_mutant(tmp_path: Path) -> None:
    """Twisted's own abort tests pass with Twisted as it is, and not where nothing is aborted."""
    passed = asyncio.run(by_trial(environment(None, tmp_path), ["select"], tmp_path))
    assert passed.how is None
    broken = Mutant(
        "twisted.internet.tcp", "", "by hand", 0, 1, "", "", "", "raise SystemExit(3)\n"
    )
    assert asyncio.run(by_trial(environment(broken, tmp_path), ["select"], tmp_path)).how
