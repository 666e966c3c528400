"""A report as JUnit XML, for what reads test results in CI.

A suite holds the cells of one reactor on one host, and a suite called ``validity`` what must hold
for the others to mean anything. What was tested and broke a rule is a ``failure``; what was not
properly tested is an ``error`` and never skipped; only what cannot exist is ``skipped``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from matrix import rules
from matrix.model.report import CellReport, Host, Report, provenance_lines
from matrix.model.result import Outcome, Result
from matrix.render.plain import clip, one_line, visible

_TEXT_LIMIT = 20_000


def render(report: Report) -> str:
    """The whole document."""
    totals, parts = Counter[str](), []
    for suite in _suites(report):
        for name in (*_COUNTED, "tests"):
            totals[name] += int(suite.get(name, 0))
        indent(suite, level=1)
        parts.append(f"  {tostring(suite, encoding='unicode').rstrip()}\n")
    root = _element("testsuites", name="reactor-matrix")
    for name, number in totals.items():
        root.set(name, str(number))
    root.set("time", f"{sum(attempt.duration for attempt in report.results):.3f}")
    opening = tostring(root, encoding="unicode").removesuffix("/>").rstrip()
    heading = '<?xml version="1.0" encoding="utf-8"?>'
    return f"{heading}\n{opening}>\n{''.join(parts)}</testsuites>\n"


def _suites(report: Report) -> Iterator[Element]:
    """One suite after the other: thousands of cells as elements would take all the memory."""
    suites: dict[tuple[str, str], list[CellReport]] = {}
    for cell in report.cells():
        suites.setdefault((cell.host, cell.cell.reactor), []).append(cell)
    for (host, reactor), cells in suites.items():
        yield _suite(report, report.host(host), reactor, cells)
    yield _validity(report)


def _suite(report: Report, host: Host, reactor: str, cells: list[CellReport]) -> Element:
    suite = _element("testsuite", name=f"{host.id}/{reactor}", hostname=host.id)
    if report.footer is not None:
        suite.set("timestamp", one_line(report.footer.started))
    properties = SubElement(suite, "properties")
    _add_properties(properties, _provenance(host))
    # Readers of these files tell testcases apart by class and name alone, not by suite.
    prefix = f"{host.id}." if len(report.plan.hosts) > 1 else ""
    suite.extend(_testcase(cell, prefix) for cell in cells)
    _count(suite)
    return suite


def _provenance(host: Host) -> Iterator[tuple[str, str]]:
    for name, value in provenance_lines(host):
        yield name, str(value)
    for reactor in host.reactors:
        if not reactor.is_supported:
            yield f"cannot exist here: {reactor.name}", f"{reactor.code}: {reactor.detail}"


def _testcase(cell: CellReport, prefix: str) -> Element:
    axes = cell.cell
    case = _element(
        "testcase",
        classname=f"{prefix}{axes.reactor}.{axes.transport}",
        name=f"{axes.scenario}/{axes.side}/{axes.peer}",
        time=f"{sum(attempt.duration for attempt in cell.attempts):.3f}",
    )
    properties = SubElement(case, "properties")
    _add_properties(properties, _properties(cell))
    if (result := _result(cell)) is not None:
        case.append(result)
    if cell.worst is not None and cell.worst.transcript.stderr:
        case.append(_element("system-err", clip(cell.worst.transcript.stderr, _TEXT_LIMIT)))
    return case


def _properties(cell: CellReport) -> Iterator[tuple[str, str]]:
    yield "outcome", cell.outcome.value
    same = sum(attempt.verdict.outcome is cell.outcome for attempt in cell.attempts)
    yield "attempts", f"{same}/{len(cell.attempts)}"
    yield "flaky", "yes" if cell.is_flaky else "no"
    if cell.worst is not None:
        if cell.worst.verdict.code is not None:
            yield "code", cell.worst.verdict.code
        if cell.worst.expected is not None:
            yield "expected", cell.worst.expected
        for words in cell.worst.verdict.attributed:
            yield "the kernel's doing", words
        for name, standing in cell.worst.verdict.rules.items():
            yield f"rule {name}", standing.value
    for attempt in cell.attempts if len(cell.attempts) > 1 else ():
        yield f"attempt {attempt.attempt}", f"{_outcome(attempt)}, {attempt.duration:.3f} s"


def _outcome(attempt: Result) -> str:
    code = attempt.verdict.code
    return attempt.verdict.outcome.value + (f" ({code})" if code else "")


def _add_properties(properties: Element, pairs: Iterable[tuple[str, str]]) -> None:
    for name, value in pairs:
        properties.append(_element("property", name=name, value=clip(value, _TEXT_LIMIT)))


def _result(cell: CellReport) -> Element | None:
    """What stands inside of the testcase of a cell that did not pass."""
    if cell.outcome is Outcome.PASS:
        return None
    verdict = cell.worst.verdict if cell.worst is not None else None
    message = "; ".join(verdict.reasons) if verdict else "planned, and nothing came back"
    kind, type_ = "error", cell.outcome.value
    if cell.is_accepted and cell.expected is not None:
        kind, type_, message = "skipped", "expected", f"{cell.expected}: {message}"
    elif verdict and cell.outcome is Outcome.UNSUPPORTED:
        kind, type_ = "skipped", verdict.code or type_
        message = f"{type_}: {message}"
    elif verdict and cell.outcome is Outcome.FAIL:
        kind, type_ = "failure", next(iter(verdict.broken), type_)
    text = "\n".join(_explanation(cell))
    return _element(kind, text, message=clip(message, _TEXT_LIMIT), type=type_)


def _explanation(cell: CellReport) -> Iterator[str]:
    yield f"{cell.cell.id} on {cell.host}"
    for name in cell.worst.verdict.broken if cell.worst is not None else ():
        if rule := rules.rule(name):
            yield f"{name} expects: {rule.expects} ({rule.source})"
    for attempt in cell.attempts:
        yield from _attempt(attempt)


def _attempt(attempt: Result) -> Iterator[str]:
    yield f"attempt {attempt.attempt}: {_outcome(attempt)}"
    for reason in attempt.verdict.reasons:
        yield f"  {clip(reason, _TEXT_LIMIT)}"


def _validity(report: Report) -> Element:
    """A suite that fails where the run itself is in doubt."""
    suite = _element("testsuite", name="validity")
    _add_properties(SubElement(suite, "properties"), _run(report))
    case = SubElement(suite, "testcase", classname="validity", name="the run came to its end")
    if report.footer is None:
        case.append(_element("error", message="the results file was cut off", type="interrupted"))
    elif report.footer.interrupted is not None:
        case.append(_element("error", message=report.footer.interrupted, type="interrupted"))
    for (host, fault, cell), missed in report.faults_owed().items():
        name = f"{cell} on {host}"
        case = _element("testcase", classname=f"validity.{fault}", name=name)
        for sentence in missed:
            case.append(_element("failure", message=sentence, type="fault-not-caught"))
        suite.append(case)
    for (host, fault, cell), why in report.absent_faults().items():
        name = f"{cell} on {host}"
        case = _element("testcase", classname=f"validity.{fault}", name=name)
        case.append(_element("skipped", message=why, type=Outcome.UNSUPPORTED.value))
        suite.append(case)
    _count(suite)
    return suite


def _run(report: Report) -> Iterator[tuple[str, str]]:
    yield "reactor-matrix", report.version
    yield "plan", report.plan.digest
    yield "repeat", str(report.plan.repeat)
    if report.plan.shard is not None:
        yield "shard", report.plan.shard
    if report.footer is not None:
        yield "started", report.footer.started
        yield "duration", f"{report.footer.duration:.3f} s"


_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}
"""What a suite says how many of it has → the element in a testcase."""


def _count(group: Element) -> None:
    """Say of a suite what is in it."""
    cases = list(group.iter("testcase"))
    group.set("tests", str(len(cases)))
    for plural, kind in _COUNTED.items():
        group.set(plural, str(sum(case.find(kind) is not None for case in cases)))
    group.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")


def _element(tag: str, text: str = "", **attributes: str) -> Element:
    element = Element(tag, {name: one_line(value) for name, value in attributes.items()})
    element.text = visible(text) or None
    return element
