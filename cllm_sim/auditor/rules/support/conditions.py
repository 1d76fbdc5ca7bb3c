"""Waits on conditions: the loop around them, what that loop tests, and which memory the test reads.

A wait tests its predicate again when it can come round to itself without giving its mutex back, past a condition that
reads shared state and may leave, and before it has changed that state itself. Rules of this file: the loop is found in
the flow, so a wrapper around the wait, a macro around the loop and `for (;;) { if (ready) break; wait(); }` are all the
same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Assign, Binary, Call, Cast, Conditional, Expr, Index, Member, Name, Unary
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.traverse import within
from cllm_sim.auditor.vocabulary import ATOMIC, KNOWN, WRITES, Act

SLEEPS = frozenset({Act.SLEEP, Act.TIMED_SLEEP})
NOTIFIES = frozenset({Act.NOTIFY, Act.NOTIFY_ALL})
TURNED = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
DEPTH_MAX = 30


@dataclass(slots=True)
class Waiting:
    """One wait of a role: the steps of its loop, the conditions that decide there, and the memory they test."""

    role: Role
    step: Step
    loop: set[int]
    deciders: list[Step]
    tested: set[Location]
    predicate: frozenset[str]

    @property
    def tests(self) -> Step | None:
        """The first condition of the loop that reads shared state."""
        return self.deciders[0] if self.deciders else None


def releases(step: Step, lock: Location | None) -> bool:
    """Does a step give a lock back (any, if it is not known which)?"""
    return step.act is Act.UNLOCK and (lock is None or step.target is None or step.target == lock)


@once
def waits(analysis: Analysis) -> list[Waiting]:
    """All waits on conditions that some role reaches (made once)."""
    return [_Wait(analysis, role, step).made() for role, step in _sleeps(analysis)]


def _sleeps(analysis: Analysis) -> Iterator[tuple[Role, Step]]:
    for role in analysis.roles.all:
        for step in analysis.flow(role).events(*SLEEPS):
            yield role, step


class _Wait:
    """Looks at one wait."""

    def __init__(self, analysis: Analysis, role: Role, step: Step) -> None:
        self.analysis = analysis
        self.program = analysis.program
        self.flow: Flow = analysis.flow(role)
        self.role = role
        self.step = step
        self.loop = self._loop()

    def made(self) -> Waiting:
        deciders = [one for one in self._deciders() if self._reads_shared(one)]
        tested = {place for one in deciders for place in self._tests(one)}
        if not self._comes_round(tested):
            deciders, tested = [], set()
        predicate = frozenset(self._spelled_stay(one) for one in deciders)
        return Waiting(self.role, self.step, self.loop, deciders, tested, predicate)

    def _tests(self, step: Step) -> set[Location]:
        return set() if step.condition is None else self._tested(step.condition, step, 0)

    def _comes_round(self, tested: set[Location]) -> bool:
        """Can the wait come again before what it waits for has been used up?"""

        def stop(step: Step) -> bool:
            changes = step.act in WRITES and step.target in tested
            return changes or step.index == self.step.index or releases(step, self.step.partner)

        return self.step.index in self.flow.reachable(self.step.index, stop)

    def _loop(self) -> set[int]:
        def stop(step: Step) -> bool:
            return step.index == self.step.index or releases(step, self.step.partner)

        after = self.flow.reachable(self.step.index, stop)
        if self.step.index not in after:
            return set()
        before = self.flow.reachable(self.step.index, stop, backwards=True)
        return {one for one in after & before if not releases(self.flow.steps[one], self.step.partner)}

    def _deciders(self) -> Iterator[Step]:
        """The conditions of the loop that may end it."""
        for index in sorted(self.loop):
            step = self.flow.steps[index]
            if step.condition is None or step.what not in {"condition", "switch"}:
                continue
            if any(edge.to not in self.loop and edge.kind != "failure" for edge in self.flow.next[index]):
                yield step

    # ---------------------------------------------------------------------------------------------------- what is read
    def _reads_shared(self, step: Step) -> bool:
        assert step.condition is not None
        if any(isinstance(one, Call) and self._sleeping(one) for one in within(step.condition)):
            return False
        if any(isinstance(one, Call) and self._callee_reads(one, step) for one in within(step.condition)):
            return True
        return bool(self._tested(step.condition, step, 0))

    def _sleeping(self, call: Call) -> bool:
        known = KNOWN.get(call.function.name) if isinstance(call.function, Name) else None
        return known is not None and known.act in SLEEPS

    def _callee_reads(self, call: Call, step: Step) -> bool:
        name = call.function.name if isinstance(call.function, Name) else ""
        return name not in KNOWN and not name.startswith("errno")

    def _tested(self, expr: Expr, step: Step, depth: int) -> set[Location]:
        """The shared memory whose value an expression's value depends on."""
        if depth > DEPTH_MAX:
            return set()
        depth += 1
        match expr:
            case Name(name=name):
                return self._named(expr, name, step, depth)
            case Member() | Index() | Unary(operator="*"):
                return self._located(self.analysis.locations.of(expr, step.function), step)
            case Unary(operand=operand) | Cast(operand=operand) | Assign(value=operand):
                return self._tested(operand, step, depth)
            case Binary(left=left, right=right):
                return self._tested(left, step, depth) | self._tested(right, step, depth)
            case Conditional(condition=condition, then=then, other=other):
                return {place for one in (condition, then, other) for place in self._tested(one, step, depth)}
            case Call():
                return self._called(expr, step)
            case _:
                return set()

    def _named(self, expr: Name, name: str, step: Step, depth: int) -> set[Location]:
        variable = self.program.variable(name, step.function, step.function.path)
        if variable is None:
            return set()
        if variable.kind == "global" or variable.static:
            return self._located(self.analysis.locations.of(expr, step.function), step)
        found: set[Location] = set()
        for index in self.loop:
            one = self.flow.steps[index]
            if one.set is not None and one.set.name == name and one.how == step.how and one.set.value is not None:
                found |= self._tested(one.set.value, one, depth)
        return found

    def _located(self, location: Location | None, step: Step) -> set[Location]:
        bound = self.analysis.locations.bound(location, step.bindings)
        return set() if bound is None or bound.kind in {"parameter"} else {bound}

    def _called(self, call: Call, step: Step) -> set[Location]:
        name = call.function.name if isinstance(call.function, Name) else ""
        if name in KNOWN:
            if KNOWN[name].act not in ATOMIC or not call.arguments:
                return set()
            return self._located(self.analysis.locations.pointed(call.arguments[0], step.function), step)
        depth = len(step.how)
        return {
            one.target
            for one in (self.flow.steps[index] for index in self.loop)
            if one.act in {Act.READ, Act.LOAD} and one.target is not None and len(one.how) > depth
            and one.how[:depth] == step.how and (one.how[depth].line, one.how[depth].column) == (call.line, call.column)
            and not self._leads_on(one)
        }  # fmt: skip

    def _leads_on(self, step: Step) -> bool:
        """Is this the read of a pointer that only leads to what is tested?"""
        assert step.event is not None
        expression = step.event.expression
        type = None if expression is None else self.program.type_of(expression, step.function)
        return type is not None and bool(type.pointers) and self.program.record(type) is not None

    # ------------------------------------------------------------------------------------------------------- spelling
    def _spelled_stay(self, step: Step) -> str:
        """The condition on which the wait goes on, in words that do not depend on where it is written."""
        assert step.condition is not None
        leaving = [edge.kind for edge in self.flow.next[step.index] if edge.to not in self.loop]
        return self._spelled(step.condition, step, "then" not in leaving)

    def _spelled(self, expr: Expr, step: Step, positive: bool) -> str:
        match expr:
            case Unary(operator="!", operand=operand):
                return self._spelled(operand, step, not positive)
            case Cast(operand=operand):
                return self._spelled(operand, step, positive)
            case Binary(operator="&&" | "||" as operator, left=left, right=right):
                shown = operator if positive else {"&&": "||", "||": "&&"}[operator]
                parts = sorted((self._spelled(left, step, positive), self._spelled(right, step, positive)))
                return f"({parts[0]} {shown} {parts[1]})"
            case Binary(operator=operator, left=left, right=right) if operator in TURNED:
                value = self.program.constant(right, step.function, step.function.path)
                if value == 0 and operator in {"==", "!="}:
                    return self._spelled(left, step, positive is (operator == "!="))
                shown = operator if positive else TURNED[operator]
                return f"({self._plain(left, step)} {shown} {self._plain(right, step)})"
            case _:
                return ("" if positive else "!") + self._plain(expr, step)

    def _plain(self, expr: Expr, step: Step) -> str:
        places = sorted(location.label for location in self._tested(expr, step, 0))
        if isinstance(expr, Member | Index | Unary | Name | Call) and len(places) == 1:
            return places[0]
        return self.program.text(expr)
