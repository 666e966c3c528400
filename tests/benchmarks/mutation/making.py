"""Makes mutants: one change of one function, by an operator of Cosmic Ray or by `DeleteStatement`.

A mutant that compiles to what was there before, or to what another mutant does, is left out, as
is a change of annotations, or of texts for a log, alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import count
from types import CodeType
from typing import Any

import parso
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

from tests.benchmarks.mutation.applying import Mutant, file_of
from tests.benchmarks.mutation.targets import Target

CHOSEN = """
    AddNot ReplaceTrueWithFalse ReplaceFalseWithTrue ReplaceAndWithOr ReplaceOrWithAnd
    ReplaceUnaryOperator_Delete_Not ReplaceBreakWithContinue ReplaceContinueWithBreak
    ReplaceComparisonOperator_Eq_NotEq ReplaceComparisonOperator_NotEq_Eq
    ReplaceComparisonOperator_Lt_LtE ReplaceComparisonOperator_LtE_Lt
    ReplaceComparisonOperator_Gt_GtE ReplaceComparisonOperator_GtE_Gt
    ReplaceComparisonOperator_Is_IsNot ReplaceComparisonOperator_IsNot_Is
    ReplaceBinaryOperator_Add_Sub ReplaceBinaryOperator_Sub_Add
    ReplaceBinaryOperator_BitOr_BitAnd ReplaceBinaryOperator_BitAnd_BitOr
    NumberReplacer ZeroIterationForLoop ExceptionReplacer
"""
"""Of operators that come in every combination, those that turn or shift the meaning a little."""


FOR_LOGS = re.compile(r"(self\.)?log(str|Prefix) = |log\.msg\(")
"""Statements that make or write texts which nobody but a log's reader sees."""


class DeleteStatement:
    """An operator, as Cosmic Ray knows them: a simple statement becomes ``pass``."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """The node's own position, if it is a statement that can go."""
        if node.type == "simple_stmt" and node.children[0].type not in ("string", "import_from"):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        """The statement without what it does."""
        prefix = node.get_first_leaf().prefix
        node.children[:-1] = [parso.python.tree.Keyword("pass", node.start_pos, prefix)]
        return node


_PROVIDER = OperatorProvider()
OPERATORS: dict[str, Any] = {
    "DeleteStatement": DeleteStatement(),
    **{name: _PROVIDER[name]() for name in CHOSEN.split()},
}


def mutants(target: Target) -> Iterator[Mutant]:
    """All mutants of a target, in the order of its functions."""
    text = file_of(target.module).read_text(encoding="utf-8")
    found = dict(_functions(ast.parse(text), ""))
    for name in target.functions:
        if name in found:  # or this Twisted does not have it
            yield from _of_function(target.module, name, text, found[name])


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.FunctionDef):
            yield prefix + child.name, child
        elif isinstance(child, (ast.If, ast.Try)):
            yield from _functions(child, prefix)


def _of_function(module: str, name: str, text: str, node: ast.FunctionDef) -> Iterator[Mutant]:
    lines = text.splitlines(keepends=True)
    first, last = node.lineno - 1, node.end_lineno
    head = "class _:\n" if node.col_offset else ""
    original = head + "".join(lines[first:last])
    seen = {_meaning(original)}
    for operator, mutates in OPERATORS.items():
        for occurrence in count():
            changed = mutate_code(original, mutates, occurrence)
            if changed is None:
                break
            meaning = _meaning(changed)
            if meaning is None or meaning in seen:
                continue
            seen.add(meaning)
            body = changed.removeprefix(head).splitlines(keepends=True)
            offset, before, after = _difference(lines[first:last], body)
            source = "".join([*lines[:first], *body, *lines[last:]])
            if FOR_LOGS.match(before):
                continue
            line = node.lineno + offset
            where = (module, name, operator, occurrence, line, lines[line - 2].strip())
            yield Mutant(*where, before, after, source)


def _meaning(text: str) -> object:
    """What a function compiles to, without positions and annotations; None if it doesn't."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.copy_location(ast.Constant(None), node.annotation)
    try:
        return _code(compile(tree, "mutant", "exec"))
    except SyntaxError:
        return None


def _code(code: CodeType) -> object:
    constants = tuple(
        _code(each) if isinstance(each, CodeType) else (type(each), each) for each in code.co_consts
    )
    names = (code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars)
    # Exception tables say what is caught where; older Pythons have it in the code.
    return code.co_code, constants, names, getattr(code, "co_exceptiontable", b"")


def _difference(old: list[str], new: list[str]) -> tuple[int, str, str]:
    """How many lines are the same up to the change, and the lines that differ, on both sides."""
    start = next(i for i in count() if old[i : i + 1] != new[i : i + 1])
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    return start, _joined(before), _joined(after)


def _joined(lines: list[str]) -> str:
    return "\n".join(line.strip() for line in lines)
