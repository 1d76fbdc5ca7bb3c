"""Which barrier a step speaks of, where one record with a barrier in it is used for several barriers.

Locations name memory by type, so every `struct gate` has the one location "gate.barrier". Here the expression is
followed outwards: through the parameters of wrappers and through embedded records, up to a variable or to a pointer
that may lead anywhere. Rules of this file: two ways of writing that may mean one barrier are one barrier.
"""

from __future__ import annotations

from collections.abc import Iterable

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Cast, Expr, Function, Index, Member, Name, Unary
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.locations import Bindings
from cllm_sim.auditor.traverse import assigned_locals

DEPTH_MAX = 30

Path = tuple[str, ...]
"""From the outermost record or variable to the barrier itself: ("Pool.start", "Gate.barrier")."""


def path_of(analysis: Analysis, step: Step) -> Path:
    """How the object of a step is written, with the parameters of wrappers replaced by what was passed."""
    if step.event is None or step.event.expression is None or step.target is None:
        return ()
    found = _path(analysis, step.event.expression, step.function, step.bindings, 0)
    return found if found and found[-1] else (step.target.label,)


def _path(analysis: Analysis, expr: Expr, function: Function, bindings: Bindings, depth: int) -> Path:
    if depth > DEPTH_MAX:
        return ()
    match expr:
        case Cast(operand=operand) | Unary(operator="&" | "*", operand=operand):
            return _path(analysis, operand, function, bindings, depth + 1)
        case Name(name=name):
            return _name(analysis, name, function, bindings, depth)
        case Member(base=base):
            location = analysis.locations.of(expr, function)
            outer = _base(analysis, base, function, bindings, depth, pointer=expr.arrow)
            return () if location is None else (*outer, location.label)
        case Index(base=base, index=index):
            inner = _path(analysis, base, function, bindings, depth + 1)
            place = analysis.program.constant(index, function, function.path)
            return (*inner[:-1], f"{inner[-1]}[{place}]") if inner and place is not None else inner
        case _:
            return ()


def _base(analysis: Analysis, base: Expr, function: Function, bindings: Bindings, depth: int, *, pointer: bool) -> Path:
    """The record around a member: followed only where the wrapper was given an object's address."""
    if not pointer:
        return _path(analysis, base, function, bindings, depth + 1)
    while isinstance(base, Cast):
        base = base.operand
    if isinstance(base, Name):
        return _name(analysis, base.name, function, bindings, depth)
    if isinstance(base, Unary) and base.operator == "&":
        return _path(analysis, base.operand, function, bindings, depth + 1)
    return ()


def _name(analysis: Analysis, name: str, function: Function, bindings: Bindings, depth: int) -> Path:
    variable = analysis.program.variable(name, function, function.path)
    if variable is None:
        return ()
    if variable.kind == "parameter":
        given = bindings.get(name)
        return () if given is None else _addressed(analysis, given[0], given[1], depth)
    if variable.type.pointers:
        values = assigned_locals(function).get(name, ()) if variable.kind == "local" else ()
        return _addressed(analysis, values[0], function, depth) if len(values) == 1 else ()
    location = analysis.locations.of(Name(name, 0), function)
    return () if location is None else (location.label,)


def _addressed(analysis: Analysis, value: Expr, function: Function, depth: int) -> Path:
    """What a pointer's value names, if it is the address of something."""
    while isinstance(value, Cast):
        value = value.operand
    if isinstance(value, Unary) and value.operator == "&":
        return _path(analysis, value.operand, function, {}, depth + 1)
    if isinstance(value, Name):
        type = analysis.program.type_of(value, function)
        if type is not None and type.arrays:
            return _path(analysis, value, function, {}, depth + 1)
    return ()


def may_be_one(one: Path, other: Path) -> bool:
    """May two ways of writing mean one object: is one the end of the other?"""
    shorter, longer = sorted((one, other), key=len)
    return all(_fits(a, b) for a, b in zip(reversed(shorter), reversed(longer), strict=False))


def _fits(one: str, other: str) -> bool:
    """Equal, or elements of one array of which one is not told."""
    if one == other:
        return True
    return one.split("[", maxsplit=1)[0] == other.split("[", maxsplit=1)[0] and ("[" not in one or "[" not in other)


def grouped(paths: Iterable[Path]) -> list[list[Path]]:
    """The ways of writing, put together where they may mean one object."""
    groups: list[list[Path]] = []
    for path in dict.fromkeys(paths):
        fitting = [group for group in groups if any(may_be_one(path, one) for one in group)]
        merged = [path, *(one for group in fitting for one in group)]
        groups = [group for group in groups if group not in fitting] + [merged]
    return groups


def several(group: list[Path]) -> bool:
    """Are there surely different objects among the ways of writing that were put together?"""
    return any(not may_be_one(one, other) for one in group for other in group)
