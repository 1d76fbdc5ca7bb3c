"""Locks: who takes them, which object a place in the code means, and how threads are called in messages.

Rules of this file: no rule's judgement; only what several rules about locks, conditions and lifetimes ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Assign, Call, Declare, Expr, Function, InitialList, Name, Return, Unary
from cllm_sim.auditor.flow import Held, Step
from cllm_sim.auditor.inventory import SharedObject
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.locations import Location, object_kind, of_variable
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.locks_places import Place, places
from cllm_sim.auditor.traverse import expressions, statements, within
from cllm_sim.auditor.vocabulary import KNOWN, Act

TAKES = frozenset({Act.LOCK, Act.LOCK_SHARED, Act.TRY_LOCK})


# -------------------------------------------------------------------------------------------------------------- words
def who(role: Role) -> str:
    """How a message calls the threads of a role: "the 4 threads of worker", "worker", "main"."""
    if not role.many:
        return role.name
    count = role.count
    number = count.value if count is not None else None
    return f"the {number} threads of {role.name}" if number and number > 1 else f"the threads of {role.name}"


def one_of(role: Role) -> str:
    """How a message calls any one thread of a role: "a thread of worker", "main"."""
    return f"a thread of {role.name}" if role.many else role.name


def listed(names: Iterable[str]) -> str:
    """ "a, b and c" without repetitions."""
    known = list(dict.fromkeys(names))
    return known[0] if len(known) == 1 else ", ".join(known[:-1]) + " and " + known[-1]


# -------------------------------------------------------------------------------------------------------------- steps
def live(analysis: Analysis, *acts: Act) -> Iterator[tuple[Role, Step]]:
    """Every event of these acts that some role can reach."""
    for role in analysis.roles.all:
        for step in analysis.flow(role).events(*acts):
            yield role, step


def taken(analysis: Analysis, role: Role, held: Held) -> Step:
    """The step that took a held lock."""
    return analysis.flow(role).steps[held.taken]


def place_of(analysis: Analysis, role: Role, step: Step) -> Place:
    """The place of the object that a step acts on."""
    return places(analysis, role).target(step)


def apart(one: Place, other: Place) -> bool:
    """Are these surely two objects (both rooted at variables, in different ones)?"""
    rooted = one.stable and other.stable and not one.names and not other.names
    return rooted and "?" not in one.text + other.text and "->" not in one.text + other.text and one.text != other.text


def anonymous(step: Step) -> bool:
    """Does a step act on something that could not be named?"""
    return step.target is None or step.target.kind == "parameter"


def blind(analysis: Analysis, *acts: Act) -> bool:
    """Is there reason to believe that uses of such acts were not seen (a cut flow, an object without a name)?"""
    if any(analysis.flow(role).truncated for role in analysis.roles.all):
        return True
    return any(anonymous(step) for _, step in live(analysis, *acts))


# ------------------------------------------------------------------------------------------------------------ escapes
def escapes(analysis: Analysis, one: SharedObject) -> bool:
    """Is an object's address kept or given away where its uses cannot be followed?"""
    return one.location in _all_escaped(analysis)


@once
def _all_escaped(analysis: Analysis) -> frozenset[Location]:
    return frozenset(_escaped(analysis))


def _escaped(analysis: Analysis) -> Iterator[Location]:
    for file in analysis.program.files:
        for one in file.globals:
            for part in within(one.initial):
                if isinstance(part, Unary) and part.operator == "&" and isinstance(part.operand, Name):
                    variable = analysis.program.variable(part.operand.name, None, file.path)
                    if variable is not None:
                        yield of_variable(variable)
    for function in analysis.program.functions:
        for statement in statements(function.body):
            kept = [statement.initial] if isinstance(statement, Declare) and statement.initial is not None else []
            if isinstance(statement, Return) and statement.value is not None:
                kept.append(statement.value)
            for expr in expressions(statement):
                kept += [part.value for part in within(expr) if isinstance(part, Assign)]
                kept += [
                    argument
                    for part in within(expr)
                    if isinstance(part, Call) and _foreign(analysis, part, function)
                    for argument in part.arguments
                ]
            yield from _addresses(analysis, kept, function)


def _foreign(analysis: Analysis, call: Call, function: Function) -> bool:
    """A call whose callee is neither in the sources nor known."""
    if not isinstance(call.function, Name):
        return False
    name = call.function.name
    return name not in KNOWN and not analysis.program.lookup(name, function.path) and (
        analysis.program.expand(call, function.path) is None
    )  # fmt: skip


def _addresses(analysis: Analysis, kept: Iterable[Expr], function: Function) -> Iterator[Location]:
    for value in kept:
        for part in _outside_calls(value):
            if not isinstance(part, Unary) or part.operator != "&":
                continue
            location = analysis.locations.of(part.operand, function)
            if location is not None and object_kind(analysis.program.type_of(part.operand, function)) is not None:
                yield location


def _outside_calls(value: Expr) -> Iterator[Expr]:
    match value:
        case Call():
            return
        case InitialList(items=items):
            for _, item in items:
                yield from _outside_calls(item)
        case _:
            yield value
