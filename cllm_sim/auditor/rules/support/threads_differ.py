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
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.traverse import assigned_locals, parts
from cllm_sim.auditor.vocabulary import KNOWN, WRITES, Act

CHANCE = frozenset({"rand", "random", "rand_r", "drand48", "lrand48", "erand48", "getrandom", "arc4random"})
ROUNDS_MAX = 12
DEPTH_MAX = 60


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

    def _varies(self, expr: Expr, own: Own, names: set[str], depth: int) -> bool:
        if depth > DEPTH_MAX:
            return False
        depth += 1
        match expr:
            case Name(name=name):
                return name in names
            case Member(base=base):
                if own.value(expr):
                    return not (expr.arrow and _second_hand(base, own)) and not self._ordered(expr, own.function)
                return isinstance(base, Name) and base.name in names - own.names
            case Index(index=index):
                return self._varies(index, own, names, depth) or own.place(expr)
            case Call():
                return self._call(expr, own, names, depth)
            case Assign(value=value):
                return self._varies(value, own, names, depth)
            case InitialList():
                return False
            case Unary(operator="&", operand=operand):
                return own.place(operand)
            case _:
                return any(self._varies(part, own, names, depth) for part in parts(expr))

    def _call(self, call: Call, own: Own, names: set[str], depth: int) -> bool:
        name = call.function.name if isinstance(call.function, Name) else ""
        if name in CHANCE:
            return True
        known = KNOWN.get(name)
        if known is None:
            return any(self._varies(one, own, names, depth) for one in call.arguments)
        if known.act is Act.LOAD:
            return any(
                isinstance(one, Unary) and self._varies(one.operand, own, names, depth) for one in call.arguments
            )
        return known.act in {Act.CHANGE, Act.TRY_LOCK, Act.TRY_DOWN, Act.WAIT}

    def _ordered(self, expr: Member, function: Function) -> bool:
        """An order in the thread's own record: others write it, and always a constant."""
        location = self.analysis.locations.of(expr, function)
        if location is None:
            return False
        writers = _writers(self.analysis, location)
        given = self.analysis.program.assignments.get(location.label, [])
        constant = all(
            self.analysis.program.constant(value, owner, owner.path) is not None
            or (isinstance(value, Name) and value.name in {"true", "false"})
            for value, owner in given
        )
        return bool(given) and bool(writers) and self.role.name not in writers and constant


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


def _writers(analysis: Analysis, location: Location) -> set[str]:
    known = analysis.inventory.memory.get(location) or analysis.inventory.objects.get(location)
    return set() if known is None else {use.role for use in known.uses if use.act in WRITES}


def decides(flow: Flow, condition: Step, targets: set[int]) -> bool:
    """Does a condition decide whether the role gets to its end without any of the steps `targets`?"""
    avoided = []
    ends = targets | {condition.index}
    for edge in flow.next[condition.index]:
        if edge.kind == "failure":
            continue
        if edge.to in targets:
            avoided.append(False)
        else:
            reached = flow.reachable(edge.to, lambda step: step.index in ends) | {edge.to}
            avoided.append(flow.end in reached)
    return any(avoided) and not all(avoided)


def left_out(flow: Flow, conditions: Iterable[Step], targets: set[int]) -> Step | None:
    """The condition by which a thread may end without ever having taken any of the steps; None where there is none."""
    before = flow.reachable(flow.start, lambda step: step.index in targets)
    for condition in conditions:
        if condition.index in before and decides(flow, condition, targets):
            return condition
    return None
