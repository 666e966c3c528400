"""Cells → ``unittest.TestCase`` classes, for trial, pytest and unittest alike.

One class for each reactor × transport, one test method for each of its cells. The cells of a class
are played together, when the first of its tests runs: not in a class set-up, because trial passes
over those, but before the test begins, because ``expectedFailure`` is the one mark of a known
defect that all three runners read, and they read it at the beginning.
"""

from __future__ import annotations

import re
import shlex
import sys
import unittest
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import suppress
from functools import cache
from itertools import groupby
from typing import Any, ClassVar, cast

from matrix.model.cell import Cell
from matrix.model.result import Outcome, Result, Verdict
from matrix.rules import rule

Cells = tuple[Cell, ...]
Play = Callable[[Cells], Iterable[Result]]
"""Plays cells, each once. What it raises is an error of every test of the class."""


class NoVerdict(Exception):
    """Nothing is known of a cell: it timed out, crashed, was inconclusive, or never came back."""


class CellCase(unittest.TestCase):
    """A test for each of some cells. What `classes` makes derives from it."""

    cells: ClassVar[dict[str, Cell]] = {}
    """Name of a test method → its cell."""
    results: ClassVar[staticmethod[[], dict[Cell, Result]]] = staticmethod(dict)
    """Plays the cells when it is called for the first time; raises `NoVerdict` if that failed."""

    @property
    def cell(self) -> Cell:
        """The cell that this test is about."""
        return self.cells[self._testMethodName]

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test, once it is known whether its failure was to be expected."""
        with suppress(NoVerdict):  # the test itself raises it
            if (why := self._expected()) is not None:
                unittest.expectedFailure(getattr(type(self), self._testMethodName))
                result = None if result is None else cast("unittest.TestResult", _Told(result, why))
        return super().run(result)

    def shortDescription(self) -> str:  # noqa: N802 - as unittest calls it
        """The id of the cell, and why it was expected to fail where it was."""
        with suppress(NoVerdict):
            if (why := self._expected()) is not None:
                return f"{self.cell.id} (expected: {why})"
        return self.cell.id

    def _expected(self) -> str | None:
        result = self.results().get(self.cell)
        return None if result is None else result.expected

    def check(self) -> None:
        """Pass, fail, skip or raise, as the cell's outcome asks for."""
        result = self.results().get(self.cell)
        if result is None:
            raise NoVerdict(f"{Outcome.NO_RESULT.value}: planned, and nothing came back")
        verdict = result.verdict
        if verdict.outcome is Outcome.UNSUPPORTED:
            self.skipTest("; ".join(verdict.reasons) or str(verdict.code))
        if verdict.outcome is Outcome.FAIL:
            self.fail("\n".join(_why(result)))
        if verdict.outcome is not Outcome.PASS:
            why = "; ".join(verdict.reasons)
            raise NoVerdict(f"{verdict.outcome.value}: {why}\n{_again(result)}")


class _Told:
    """A runner's result that is told of an expected failure in a way that the runner can show."""

    def __init__(self, result: Any, why: str) -> None:
        self._result = result
        self._why = why

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)

    def addExpectedFailure(self, test: unittest.TestCase, error: Any) -> None:  # noqa: N802
        """Trial dies of what unittest passes, unless it is a `Failure`; pytest has room for why."""
        runner = type(self._result).__module__.partition(".")[0]
        if runner == "twisted":
            kind, value, trace = error
            error = sys.modules["twisted.python.failure"].Failure(value, kind, trace)
        more = (self._why,) if runner == "_pytest" else ()
        self._result.addExpectedFailure(test, error, *more)


def classes(cells: Iterable[Cell], play: Play, module: str) -> dict[str, type[CellCase]]:
    """A class for each reactor × transport of the cells, by its name.

    They say that they were defined in ``module``, so that runners which load tests by name find
    them there.
    """
    made: dict[str, type[CellCase]] = {}
    for _, group in groupby(sorted(cells), lambda cell: (cell.reactor, cell.transport)):
        own = tuple(group)
        name = _free(_title(own[0].reactor) + _title(own[0].transport), made)
        made[name] = _class(name, own, play, module)
    return made


def _class(name: str, cells: Cells, play: Play, module: str) -> type[CellCase]:
    named: dict[str, Cell] = {}
    for cell in cells:
        named[_free(_method(cell), named)] = cell
    body = {
        "__module__": module,
        "__doc__": f"{cells[0].reactor} over {cells[0].transport}.",
        "cells": named,
        "results": staticmethod(_once(cells, play)),
    }
    tests = {method: _test(f"{name}.{method}", cell) for method, cell in named.items()}
    return type(name, (CellCase,), {**body, **tests})


def _once(cells: Cells, play: Play) -> Callable[[], dict[Cell, Result]]:
    @cache
    def played() -> dict[Cell, Result] | Exception:
        try:
            return {result.cell: result for result in play(cells) if result.fault is None}
        except Exception as error:  # noqa: BLE001 - whatever it is, each test has to tell it
            return error

    def results() -> dict[Cell, Result]:
        found = played()
        if isinstance(found, Exception):
            raise NoVerdict(f"the cells could not be played: {found}") from found
        return found

    return results


def _test(name: str, cell: Cell) -> Callable[[CellCase], None]:
    def test(self: CellCase) -> None:
        self.check()

    test.__name__, test.__qualname__ = name.rpartition(".")[2], name
    test.__doc__ = cell.id
    return test


def _method(cell: Cell) -> str:
    words = (re.sub(r"\W", "_", part) for part in (cell.scenario, cell.side, cell.peer))
    return f"test_{'__'.join(words)}"


def _title(text: str) -> str:
    """``tls1.3`` → ``Tls13``, ``my-reactor`` → ``MyReactor``."""
    return "".join(part[0].upper() + part[1:] for part in re.findall(r"\w+", text))


def _free(name: str, taken: Container[str]) -> str:
    """The name, with a number behind it where it is taken: no cell may get lost."""
    names = (name if number == 1 else f"{name}_{number}" for number in range(1, 1 << 16))
    return next(each for each in names if each not in taken)


def _why(result: Result) -> Iterator[str]:
    """A failure in words: each broken rule with what it expects and what was seen."""
    if result.expected is not None:
        yield f"expected: {result.expected}"
    else:
        yield "broken rules"
    for name in result.verdict.broken:
        clause = rule(name)
        yield f"\n{name}"
        if clause is not None:
            yield f"  expects: {clause.expects}"
            yield f"  source:  {clause.source}"
        yield f"  seen:    {_seen(result.verdict, name)}"
    yield f"\n{_again(result)}"


def _seen(verdict: Verdict, name: str) -> str:
    start = f"{name}: "
    return next((r.removeprefix(start) for r in verdict.reasons if r.startswith(start)), "nothing")


def _again(result: Result) -> str:
    cell = result.cell
    words = ["reactor-matrix", "run", "-r", cell.reactor, "-t", cell.transport]
    words += ["-s", cell.scenario, "--side", cell.side, "--peer", cell.peer]
    return f"To see it again: {shlex.join(words)}"
