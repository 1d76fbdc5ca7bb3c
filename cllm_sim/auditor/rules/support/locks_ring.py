"""Locks in a ring: every thread takes the lock of its own number and then the next one, modulo their number.

Rules of this file: indices are followed through locals that are set once and members that are set in one place; where
some threads take the two the other way round, there is no ring.
"""

from __future__ import annotations

from collections.abc import Sequence

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Binary, Cast, Expr, Function, Index, Member, Name, Unary
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.rules.support.locks_order import Pair
from cllm_sim.auditor.traverse import assigned_locals, names

FOLLOW_MAX = 4


def rings(analysis: Analysis, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs of one array that make a ring."""
    inside = [pair for pair in pairs if pair.outer.target == pair.inner.target and pair.role.many and not pair.gates]
    return [pair for pair in inside if _next(analysis, pair) and not _also_reversed(pair, inside)]


def _next(analysis: Analysis, pair: Pair) -> bool:
    """Is one index the other plus one, all around?"""
    one, other = (_index(analysis, _expression(step), step.function) for step in (pair.outer, pair.inner))
    return one is not None and other is not None and (_next_round(one, other) or _next_round(other, one))


def _expression(step: Step) -> Expr | None:
    return None if step.event is None else step.event.expression


def _also_reversed(pair: Pair, pairs: Sequence[Pair]) -> bool:
    """Do some threads take them the other way round (the cure of the dining philosophers)?"""
    shapes = [_shape(_expression(pair.outer)), _shape(_expression(pair.inner))]
    return any([_shape(_expression(one.inner)), _shape(_expression(one.outer))] == shapes for one in pairs)


def _shape(expr: Expr | None) -> object:
    """An expression without the places where it is written."""
    match expr:
        case Name(name=name):
            return name
        case Member(base=base, name=name):
            return (_shape(base), name)
        case Index(base=base, index=index):
            return (_shape(base), _shape(index), "[]")
        case Unary(operator=operator, operand=operand):
            return (operator, _shape(operand))
        case Binary(operator=operator, left=left, right=right):
            return (operator, _shape(left), _shape(right))
        case Cast(operand=operand):
            return _shape(operand)
        case _:
            return getattr(expr, "text", type(expr).__name__)


def _index(analysis: Analysis, expr: Expr | None, function: Function, depth: int = 0) -> Expr | None:
    """The index with which an element is chosen; pointers and indices that are set once are followed."""
    if expr is None or depth > FOLLOW_MAX:
        return None
    match expr:
        case Unary(operand=operand) | Cast(operand=operand):
            return _index(analysis, operand, function, depth)
        case Index(index=index):
            return _set_once(index, function)
        case Member(base=base) if _element(base):
            return _index(analysis, base, function, depth + 1)
        case Name(name=name):
            given = assigned_locals(function).get(name, [])
            return _index(analysis, given[0], function, depth + 1) if len(given) == 1 else None
        case Member():
            location = analysis.locations.of(expr, function)
            values = [] if location is None else analysis.program.assignments.get(location.label, [])
            return _index(analysis, *values[0], depth + 1) if len(values) == 1 else None
        case _:
            return None


def _set_once(index: Expr, function: Function) -> Expr:
    """The index behind locals that only stand for it."""
    given = assigned_locals(function)
    for _ in range(FOLLOW_MAX):
        values = given.get(index.name, []) if isinstance(index, Name) else []
        if len(values) != 1 or not isinstance(values[0], Binary | Name):
            break
        index = values[0]
    return index


def _element(base: Expr) -> bool:
    return isinstance(base, Index)


def _next_round(one: Expr, other: Expr) -> bool:
    """Is `other` `(one + 1) % n`?"""
    if not isinstance(other, Binary) or other.operator != "%" or not isinstance(other.left, Binary):
        return False
    return other.left.operator == "+" and bool(names(one)) and names(one) <= names(other.left)
