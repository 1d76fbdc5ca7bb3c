"""Code that no role reaches: whether it may run all the same, because somebody is handed its address.

Rules of this file: a name that stands anywhere else than as what is called, or as what a thread starts with in code
that nothing reaches either, may be a callback.
"""

from __future__ import annotations

from collections.abc import Iterable

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Call, Expr, Function, Name
from cllm_sim.auditor.traverse import expressions, parts, statements
from cllm_sim.auditor.vocabulary import KNOWN, Act


def may_run(analysis: Analysis, function: Function) -> bool:
    """May a function that no role reaches run all the same: itself, or one that calls it, is a callback?"""
    seen: set[tuple[str, int]] = set()
    waiting = [function]
    while waiting:
        one = waiting.pop()
        key = one.key
        if key in seen:
            continue
        seen.add(key)
        if is_callback(analysis, one):
            return True
        waiting += callers(analysis, one)
    return False


def callers(analysis: Analysis, function: Function) -> list[Function]:
    """The functions that call a function by its name."""
    return [
        caller
        for _, caller in analysis.callables.callers(function.name)
        if any(one.path == function.path and one.line == function.line
               for one in analysis.program.lookup(function.name, caller.path))
    ]  # fmt: skip


def is_callback(analysis: Analysis, function: Function) -> bool:
    """Is the function's name used as a value where somebody may call it later?"""
    if any(_handed(one.initial, function.name) for file in analysis.program.files for one in file.globals):
        return True
    return any(
        _handed(expr, function.name)
        for other in analysis.program.functions
        for expr in _outermost(other)
        if function in analysis.program.lookup(function.name, other.path)
    )


def _outermost(function: Function) -> Iterable[Expr]:
    for one in statements(function.body):
        yield from expressions(one)


def _handed(expr: Expr | None, name: str) -> bool:
    """Does the name stand in an expression as a value (not called, and not as what a new thread runs)?"""
    stack = [] if expr is None else [expr]
    while stack:
        one = stack.pop()
        if isinstance(one, Name) and one.name == name:
            return True
        if isinstance(one, Call) and isinstance(one.function, Name):
            known = KNOWN.get(one.function.name)
            entry = known.entry if known is not None and known.act is Act.CREATE else None
            stack += [given for place, given in enumerate(one.arguments) if place != entry]
        else:
            stack += parts(one)
    return False
