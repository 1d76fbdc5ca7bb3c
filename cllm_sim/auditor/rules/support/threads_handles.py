"""Handles of threads: which creation and which join speak of the same one, and which threads nobody needs to join.

A handle is known by where it is kept: a member, a global, a local (also one behind a pointer), and every place it is
copied to. Rules of this file: places, not values; an array is one place. A handle that leaves by a way that is not
followed (a result, an argument of a function that is not in the sources) is `lost`, and nobody may judge it.
"""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Assign, Call, Cast, Declare, Expr, Function, Index, Member, Name, Return, Unary
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.locations import Bindings
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.threads import steps_of
from cllm_sim.auditor.traverse import all_expressions, assigned_locals, calls, statements, within
from cllm_sim.auditor.vocabulary import KNOWN, Act

DEPTH_MAX = 20
SELF = frozenset({"pthread_self", "thrd_current"})
DETACHED = frozenset({"PTHREAD_CREATE_DETACHED", "1"})

Place = tuple[str, ...]
"""("Pool.threads",) for members and globals, (path, line, name) for a local."""


def places(analysis: Analysis, step: Step) -> set[Place]:
    """Where the handle of a creation, a join or a detachment is kept, copies included."""
    expr = None if step.event is None else step.event.expression
    if expr is None:
        return set()
    return _places(analysis, expr, step.function, step.bindings, 0)


def _places(analysis: Analysis, expr: Expr, function: Function, bindings: Bindings, depth: int) -> set[Place]:
    expr = _root(expr)
    if depth > DEPTH_MAX:
        return set()
    if isinstance(expr, Name):
        variable = analysis.program.variable(expr.name, function, function.path)
        if variable is None:
            return set()
        if variable.kind == "parameter":
            given = bindings.get(expr.name)
            return set() if given is None else _places(analysis, given[0], given[1], {}, depth + 1)
        if variable.kind == "local" and not variable.static:
            return _local(analysis, expr.name, function, bindings, depth)
    location = analysis.locations.of(expr, function)
    return set() if location is None else {(location.holder.label,)}


def _root(expr: Expr) -> Expr:
    """`&threads[i]` as threads."""
    while True:
        match expr:
            case Cast(operand=operand) | Unary(operator="&" | "*", operand=operand):
                expr = operand
            case Index(base=base):
                expr = base
            case Member():
                return expr
            case _:
                return expr


def _local(analysis: Analysis, name: str, function: Function, bindings: Bindings, depth: int) -> set[Place]:
    """A local: itself, what it was copied from, and what it is copied to."""
    found: set[Place] = {(function.path, str(function.line), name)}
    for value in assigned_locals(function).get(name, ()):
        if isinstance(_root(value), Name | Member):
            found |= _places(analysis, value, function, bindings, depth + 1)
    for expr in all_expressions(function.body):
        if isinstance(expr, Assign) and _root(expr.value) == _at(_root(expr.value), name):
            location = analysis.locations.of(_root(expr.target), function)
            if location is not None:
                found.add((location.holder.label,))
    return found


def _at(expr: Expr, name: str) -> Expr | None:
    return expr if isinstance(expr, Name) and expr.name == name else None


def lost(analysis: Analysis, step: Step) -> bool:
    """Does the handle of a creation leave by a way that is not followed?"""
    expr = None if step.event is None else step.event.expression
    if expr is None or not places(analysis, step):
        return True
    root = _root(expr)
    if not isinstance(root, Name):
        return False
    function = step.function
    for one in statements(function.body):
        if isinstance(one, Return) and one.value is not None and _at(_root(one.value), root.name):
            return True
        if isinstance(one, Declare) and one.initial is not None and _inside_list(one.initial, root.name):
            return True
    return any(_given_away(analysis, call, root.name, function) for call in calls(function.body))


def _inside_list(expr: Expr, name: str) -> bool:
    return not isinstance(expr, Name) and any(isinstance(one, Name) and one.name == name for one in within(expr))


def _given_away(analysis: Analysis, call: Call, name: str, function: Function) -> bool:
    """Is the handle an argument of a function that may keep it?"""
    called = call.function.name if isinstance(call.function, Name) else ""
    if called in KNOWN or called.startswith(("pthread_", "thrd_")):
        return False
    if any(_at(_root(one), name) for one in call.arguments):
        return not analysis.program.lookup(called, function.path) or any(
            isinstance(one, Name) and one.name == name for one in call.arguments
        )
    return False


# ------------------------------------------------------------------------------------------------------------ detached
def detached_at_birth(analysis: Analysis, step: Step) -> bool:
    """Is the thread created with an attribute that may say "detached"?"""
    call = None if step.event is None else step.event.call
    if call is None or len(call.arguments) < 4:
        return False
    attribute = _root(call.arguments[1])
    text = analysis.program.text(attribute)
    if text in {"NULL", "0", "nullptr"}:
        return False
    return any(
        isinstance(expr, Call)
        and isinstance(expr.function, Name)
        and expr.function.name == "pthread_attr_setdetachstate"
        and len(expr.arguments) > 1
        and analysis.program.text(expr.arguments[1]) in DETACHED
        for function in analysis.program.functions
        for expr in all_expressions(function.body)
    )


def detaches_itself(analysis: Analysis, role: Role) -> bool:
    """Does a thread of the role detach itself?"""
    for step in analysis.flow(role).events(Act.DETACH):
        expr = None if step.event is None else step.event.expression
        values = [expr] if expr is not None else []
        if isinstance(expr, Name):
            values += assigned_locals(step.function).get(expr.name, [])
        if any(
            isinstance(one, Call) and isinstance(one.function, Name) and one.function.name in SELF for one in values
        ):
            return True
    return False


def released(analysis: Analysis, group: str) -> list[tuple[Step, set[Place]]]:
    """All joins and detachments of a program with the handles they speak of."""
    return [
        (at.step, places(analysis, at.step))
        for at in steps_of(analysis, Act.JOIN, Act.DETACH)
        if at.role.group == group
    ]
