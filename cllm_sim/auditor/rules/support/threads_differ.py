"""Conditions that may come out differently in two threads of one role.

A condition on the thread's own number, own data, or the result of a call that was given them differs; one on shared
orders and counters does not (whether somebody changes them meanwhile is a question for others). Rules of this file:
what is not known to differ is taken to be the same for all; an order that another role writes into every thread's own
record with a constant is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterable

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Assign, Call, Cast, Expr, Function, Index, InitialList, Member, Name, Unary
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.flow.own import Own
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.threads import At, steps_of
from cllm_sim.auditor.traverse import assigned_locals, calls, names, parts, within
from cllm_sim.auditor.vocabulary import KNOWN, WRITES, Act

CHANCE = frozenset({"rand", "random", "rand_r", "drand48", "lrand48", "erand48", "getrandom", "arc4random"})
ROUNDS_MAX = 12
DEPTH_MAX = 60
CALLS_MAX = 6


class Differences:
    """Answers for one role; keeps what it found out about each function."""

    def __init__(self, analysis: Analysis, role: Role) -> None:
        self.analysis = analysis
        self.role = role
        self.flow: Flow = analysis.flow(role)
        self._names: dict[int, tuple[Own, set[str]]] = {}

    def at(self, step: Step) -> bool:
        """May the condition of a step come out differently in two threads of the role?"""
        if step.condition is None or step.owned is None:
            return False
        return self._varies(step.condition, step.owned, self._varying(step.owned), 0)

    def conditions(self) -> Iterable[Step]:
        """All conditions that may, with more than one way on that is no failure."""
        for step in self.flow.steps:
            if step.what in {"condition", "switch"} and self.at(step):
                yield step

    def _varying(self, own: Own) -> set[str]:
        """The locals of a function that hold something of the thread's own, or a result made of it."""
        known = self._names.get(id(own))
        if known is not None:
            return known[1]
        given = assigned_locals(own.function)
        found = set(own.names)
        for _ in range(ROUNDS_MAX):
            more = {
                name
                for name, values in given.items()
                if name not in found and any(self._varies(value, own, found, 0) for value in values)
            }
            if not more:
                break
            found |= more
        self._names[id(own)] = (own, found)
        return found

    def _varies(self, expr: Expr, own: Own, varying: set[str], depth: int) -> bool:
        if depth > DEPTH_MAX:
            return False
        depth += 1
        match expr:
            case Name(name=name):
                return name in varying
            case Member(base=base):
                if own.value(expr):
                    return not (expr.arrow and _second_hand(base, own)) and not self._ordered(expr, own.function)
                return isinstance(base, Name) and base.name in varying - own.names
            case Index(index=index):
                return self._varies(index, own, varying, depth) or own.place(expr)
            case Call():
                return self._call(expr, own, varying, depth)
            case Assign(value=value):
                return self._varies(value, own, varying, depth)
            case InitialList():
                return False
            case Unary(operator="&", operand=operand):
                return own.place(operand)
            case _:
                return any(self._varies(part, own, varying, depth) for part in parts(expr))

    def _call(self, call: Call, own: Own, varying: set[str], depth: int) -> bool:
        name = call.function.name if isinstance(call.function, Name) else ""
        if name in CHANCE:
            return True
        known = KNOWN.get(name)
        if known is None:
            return any(self._varies(one, own, varying, depth) for one in call.arguments)
        if known.act is Act.LOAD:
            return any(
                isinstance(one, Unary) and self._varies(one.operand, own, varying, depth) for one in call.arguments
            )
        return known.act in {Act.CHANGE, Act.TRY_LOCK, Act.TRY_DOWN, Act.WAIT}

    def _ordered(self, expr: Member, function: Function) -> bool:
        """An order in the thread's own record: others write it, and always a constant."""
        location = self.analysis.locations.of(expr, function)
        if location is None:
            return False
        stores = [
            at
            for at in steps_of(self.analysis, *WRITES)
            if at.step.target == location and at.role.group == self.role.group
        ]
        seen = [at.step.event.value for at in stores if at.step.event is not None]
        unseen = [
            (value, owner)
            for value, owner in self.analysis.program.assignments.get(location.label, [])
            if not any(value is one or value == one for one in seen)
        ]
        return (
            bool(stores)
            and all(at.role is not self.role and _same_for_all(self.analysis, at) for at in stores)
            and all(self.analysis.program.constant(value, owner, owner.path) is not None for value, owner in unseen)
        )


def _second_hand(base: Expr, own: Own) -> bool:
    """A record that the thread's own record only points to: many threads may share it (`self->group->order`)."""
    while isinstance(base, Cast):
        base = base.operand
    if isinstance(base, Member):
        return True
    if isinstance(base, Name):
        given = assigned_locals(own.function).get(base.name, [])
        return bool(given) and all(isinstance(value, Member) for value in given)
    return False


def _same_for_all(analysis: Analysis, at: At) -> bool:
    """Does a store in a loop over the threads' records give every one of them the same value?"""
    step = at.step
    value = None if step.event is None else step.event.value
    if value is None or step.event is None or step.event.operator not in {"", "="}:
        return False
    if not step.loops:
        return analysis.program.constant(value, step.function, step.function.path) is not None
    changing = {
        one.set.name
        for one in analysis.flow(at.role).steps
        if one.set is not None and one.how == step.how and step.loops[-1] in one.loops
    }
    return not names(value) & changing and not any(isinstance(one, Call | Index) for one in within(value))


def left_out(flow: Flow, conditions: Iterable[Step], targets: set[int]) -> Step | None:
    """The condition by which a thread may end without ever having taken any of the steps; None where there is none."""

    def taken(step: Step) -> bool:
        return step.index in targets

    before = flow.reachable(flow.start, taken)
    around = (flow.reachable(flow.end, taken, backwards=True) | {flow.end}) - targets
    for condition in conditions:
        sides = {edge.to in around for edge in flow.next[condition.index] if edge.kind != "failure"}
        if condition.index in before and len(sides) == 2:
            return condition
    return None


def told(analysis: Analysis, role: Role, condition: Step) -> bool:
    """May somebody else have told the role to leave: does the test ask a function, or read what other roles write?

    The result of starting the threads tells, too: a role that leaves because they did not start strands nobody.
    """
    for expr in within(condition.condition):
        if isinstance(expr, Call) and not _calculates(analysis, expr, condition):
            return True
    copied = assigned_locals(condition.function)
    read: list[Expr] = [one for one in within(condition.condition) if isinstance(one, Name | Member | Index)]
    given = [value for one in read if isinstance(one, Name) for value in copied.get(one.name, ())]
    if tests_start(analysis, condition):
        return True
    read += [value for value in given if isinstance(value, Name | Member | Index)]
    return any(_written_by_others(analysis, role, expr, condition) for expr in read)


def tests_start(analysis: Analysis, condition: Step) -> bool:
    """Does a condition test what came of starting the threads?"""
    copied = assigned_locals(condition.function)
    tested: list[Expr] = [one for one in within(condition.condition) if isinstance(one, Name | Call)]
    tested += [value for one in tested if isinstance(one, Name) for value in copied.get(one.name, ())]
    return any(_starts_threads(analysis, value, condition.function) for value in tested)


def _starts_threads(analysis: Analysis, value: Expr, function: Function, depth: int = 0) -> bool:
    """Is a value the result of a call that creates threads?"""
    name = value.function.name if isinstance(value, Call) and isinstance(value.function, Name) else ""
    if not name or depth > CALLS_MAX:
        return False
    if name in KNOWN:
        return KNOWN[name].act is Act.CREATE
    return any(
        _starts_threads(analysis, call, callee, depth + 1)
        for callee in analysis.program.lookup(name, function.path)
        for call in calls(callee.body)
    )


def _written_by_others(analysis: Analysis, role: Role, expr: Expr, condition: Step) -> bool:
    place = analysis.locations.bound(analysis.locations.of(expr, condition.function), condition.bindings)
    if place is None:
        return False
    if any(isinstance(value, Call) for value, _ in analysis.program.assignments.get(place.label, ())):
        return True
    known = analysis.inventory.memory.get(place)
    return known is not None and any(use.role != role.name for use in known.uses if use.act in WRITES)


def _calculates(analysis: Analysis, call: Call, condition: Step) -> bool:
    """Is it a function of the mathematical kind, whose result hangs on its arguments alone?"""
    name = call.function.name if isinstance(call.function, Name) else ""
    return not analysis.program.lookup(name, condition.function.path) and name not in KNOWN
