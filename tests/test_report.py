"""What a report as a whole says: which negative controls it owes."""

from __future__ import annotations

import pytest
from attrs import evolve

from matrix import wire
from matrix.model.report import Report
from matrix.model.result import Outcome, Result, Verdict
from tests import synthetic

WHOLE = synthetic.report(400)
KINDS = {fault.cell.parts[:3] for fault in WHOLE.faults()}
"""Reactor, transport and scenario of the negative controls."""


def without(code: str, *, cells_too: bool = True) -> Report:
    """The report of a host where what the negative controls are controls of cannot exist."""
    absent = Verdict(Outcome.UNSUPPORTED, reasons=("TLS needs the module OpenSSL",), code=code)

    def changed(result: Result) -> Result:
        is_meant = result.fault is not None or (cells_too and result.cell.parts[:3] in KINDS)
        return evolve(result, verdict=absent) if is_meant else result

    return evolve(WHOLE, results=tuple(map(changed, WHOLE.results)))


@pytest.mark.parametrize("code", sorted(set(wire.UNSUPPORTED_CODES) - {wire.IMPORT_FAILED}))
def test_fault_that_cannot_exist_is_not_owed(code: str) -> None:
    """Where there is no TLS, nothing is claimed of it, and its negative controls are not missed."""
    report = without(code)
    assert set(report.absent_faults()) == set(WHOLE.faults_owed())
    assert set(report.absent_faults().values()) == {"TLS needs the module OpenSSL"}
    assert report.faults_owed() == {}
    assert report.missed_faults() == ()


def test_fault_is_owed_where_its_cells_were_tested() -> None:
    """A negative control that cannot exist where cells of its kind were tested is missed."""
    report = without(wire.NOT_INSTALLED, cells_too=False)
    assert report.absent_faults() == {}
    assert len(report.missed_faults()) == len(WHOLE.faults_owed())


def test_failed_import_is_no_excuse() -> None:
    """What is installed and raises on import may be the very defect."""
    report = without(wire.IMPORT_FAILED)
    assert report.absent_faults() == {}
    assert len(report.missed_faults()) == len(WHOLE.faults_owed())
