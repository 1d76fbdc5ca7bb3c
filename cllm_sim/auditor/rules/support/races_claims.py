"""Items that a thread has claimed: an index or pointer that it took from shared memory so that nobody else gets it.

`row = next++` under a lock, `job = queue_pop(q)`, a slot number returned by a function that locks: what such a value
leads to belongs to the claimer until it hands it on. Rules of this file: a value taken while a lock is held, or by a
function that synchronises, counts as claimed; a rule about races stays silent about what is claimed.
"""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Call, Expr, Function, Index, Member, Name, Unary
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.outline import events
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.traverse import assigned_locals, names, within
from cllm_sim.auditor.vocabulary import KNOWN, Act

CLAIMING = frozenset({Act.LOCK, Act.CHANGE, Act.DOWN, Act.TRY_DOWN, Act.TRY_LOCK, Act.SLEEP})
DEPTH_MAX = 6

_Frame = tuple[Key, tuple[object, ...]]


class Claims:
    """Answers for the flows of one program."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.program = analysis.program
        self._sets: dict[str, dict[tuple[_Frame, str], list[Step]]] = {}
        self._claiming: dict[Key, bool] = {}

    def claimed(self, role: Role, step: Step, expr: Expr) -> bool:
        """Does an access go through an index or pointer that the thread claimed?"""
        if not (role.many or step.loops):
            return False  # once in a run nothing is claimed
        return any(self._name(role, step, name, 0) for name in self._leading(expr, step.function))

    def _leading(self, expr: Expr, function: Function) -> set[str]:
        """The locals that decide which piece of memory an lvalue is: indices, and pointers gone through."""
        found: set[str] = set()
        while True:
            match expr:
                case Index(base=base, index=index):
                    found |= names(index)
                    expr = base
                case Member(base=base) | Unary(operand=base):
                    expr = base
                case Name(name=name):
                    return found | {name}
                case _:
                    return found | names(expr)

    def _name(self, role: Role, step: Step, name: str, depth: int) -> bool:
        variable = self.program.variable(name, step.function, step.function.path)
        if variable is None or variable.kind == "global" or variable.static or depth > DEPTH_MAX:
            return False
        if variable.kind == "parameter" and name not in assigned_locals(step.function):
            return self._argument(role, step, name, depth)
        frame = (function_key(step.function), step.how)
        for one in self._sets_of(role).get((frame, name), []):
            assert one.set is not None
            if (role.many or one.loops) and self._takes(role, one, one.set.value, depth):
                return True
        return (role.many or bool(step.loops)) and self._filled_in(role, step, name)

    def _takes(self, role: Role, at: Step, value: Expr | None, depth: int) -> bool:
        """Is a value taken from shared memory under a lock, by a function that synchronises, or from one that is?"""
        if value is None:
            return False
        if self.analysis.held(role).surely[at.index] and self._reads_shared(value, at.function):
            return True
        if any(isinstance(one, Call) and self._claims(one, at.function) for one in within(value)):
            return True
        mentioned = names(value) - ({at.set.name} if at.set is not None else set())
        return any(self._name(role, at, name, depth + 1) for name in mentioned)

    def _argument(self, role: Role, step: Step, name: str, depth: int) -> bool:
        """A parameter: what the calls that lead here passed."""
        if not step.how:
            return False
        flow = self.analysis.flow(role)
        for call in flow.events(Act.CALL):
            if call.site != step.how[-1] or call.how != step.how[:-1] or call.event is None or call.event.call is None:
                continue
            for parameter, argument in zip(step.function.parameters, call.event.call.arguments, strict=False):
                if parameter.name == name:
                    return self._takes(role, call, argument, depth + 1)
        return False

    def _reads_shared(self, value: Expr, function: Function) -> bool:
        """Does a value come straight out of shared memory (not the result of a mere calculation of locals)?"""
        for one in within(value):
            if isinstance(one, Member | Index):
                return True
            if isinstance(one, Name):
                variable = self.program.variable(one.name, function, function.path)
                if variable is not None and (variable.kind == "global" or variable.static):
                    return True
        return False

    def _claims(self, call: Call, function: Function) -> bool:
        name = call.function.name if isinstance(call.function, Name) else ""
        callees = self.program.lookup(name, function.path) if name else ()
        known = KNOWN.get(name)
        if not callees:
            return known is not None and known.act in CLAIMING
        return any(self.synchronises(callee) for callee in callees)

    def _filled_in(self, role: Role, step: Step, name: str) -> bool:
        """Is a local set through its address by a function that synchronises (`queue_pop(&q, &job)`), repeatedly?"""
        for call in self.analysis.flow(role).events(Act.CALL):
            if call.how != step.how or call.function is not step.function or not (role.many or call.loops):
                continue
            assert call.event is not None
            given = call.event.call.arguments if call.event.call is not None else ()
            address = any(isinstance(one, Unary) and one.operator == "&" and _named(one.operand, name) for one in given)
            if address and any(self.synchronises(callee) for callee in call.event.callees):
                return True
        return False

    def synchronises(self, function: Function) -> bool:
        """Does a function, or what it calls, take a lock or wait?"""
        key = function_key(function)
        if key not in self._claiming:
            self._claiming[key] = False
            self._claiming[key] = any(
                event.act in CLAIMING or any(self.synchronises(one) for one in event.callees)
                for event in events(self.analysis.outliner.of(function).body)
            )
        return self._claiming[key]

    def _sets_of(self, role: Role) -> dict[tuple[_Frame, str], list[Step]]:
        if role.name not in self._sets:
            found: dict[tuple[_Frame, str], list[Step]] = {}
            for step in self.analysis.flow(role).steps:
                if step.set is not None:
                    frame = (function_key(step.function), step.how)
                    found.setdefault((frame, step.set.name), []).append(step)
            self._sets[role.name] = found
        return self._sets[role.name]


def _named(expr: Expr, name: str) -> bool:
    return isinstance(expr, Name) and expr.name == name
