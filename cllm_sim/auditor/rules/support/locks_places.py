"""Which object an expression means, as a text that is equal for the same object wherever it is written.

Locations name objects by type; two mutexes of one record type have one location. A place goes further: parameters are
replaced by what the callers passed, up to the role's entry and the call that created its threads, and pointers that are
set once by what they are set to. `&pool->lock` in a wrapper becomes "demo.lock" where main passed `&demo`.

Rules of this file: a place that may mean another object the next time (an index that changes, a pointer that is set
again, the result of a call in a loop) is not `stable`; only stable places may be compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Expr,
    Function,
    Index,
    Loop,
    Member,
    Name,
    Number,
    Site,
    Unary,
)
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.locations import of_variable
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.traverse import assigned_locals, statements, within
from cllm_sim.auditor.vocabulary import Act

DEPTH_MAX = 40
How = tuple[Site, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """One inlined instance of a function in a role's flow."""

    function: Function
    how: How


@dataclass(slots=True)
class Place:
    """The text of an object; `names` are the plain variables it depends on, as (how, name).

    `tracked`: if it is not stable, then only because one of these variables changes.
    """

    text: str = ""
    stable: bool = True
    tracked: bool = True
    names: set[tuple[How, str]] = field(default_factory=set)


class Places:
    """Finds the places of one role's flow."""

    def __init__(self, analysis: Analysis, role: Role) -> None:
        self.analysis = analysis
        self.program = analysis.program
        self.role = role
        self.flow = analysis.flow(role)
        self._calls: dict[tuple[How, tuple[str, int]], Step] = {}
        self._sets: dict[tuple[How, str], list[Step]] = {}
        self._assigned: dict[tuple[str, int], dict[str, list[Expr]]] = {}
        self._walked: dict[tuple[str, int], frozenset[str]] = {}
        self._found: dict[tuple[int, How, tuple[str, int]], tuple[Expr, Place]] = {}
        for step in self.flow.steps:
            if step.act is Act.CALL and step.event is not None:
                for callee in step.event.callees:
                    self._calls[((*step.how, step.event.site), function_key(callee))] = step
            name = set_name(step)
            if name:
                self._sets.setdefault((step.how, name), []).append(step)

    def of(self, expr: Expr | None, step: Step) -> Place:
        """The place that an expression names at a step (of a pointer or address: what it points to)."""
        if expr is None:
            return Place("?", stable=False, tracked=False)
        key = (id(expr), step.how, function_key(step.function))
        if key not in self._found:
            place = Place()
            place.text = self._text(expr, Frame(step.function, step.how), place, 0).removeprefix("&")
            self._found[key] = (expr, place)  # the expression is kept, so that its id stays its own
        return self._found[key][1]

    def target(self, step: Step) -> Place:
        """The place of an event's object."""
        return self.of(step.event.expression if step.event is not None else None, step)

    # -------------------------------------------------------------------------------------------------------- texts
    def _text(self, expr: Expr, frame: Frame, place: Place, depth: int) -> str:
        if depth > DEPTH_MAX:
            place.stable = place.tracked = False
            return "..."
        depth += 1
        match expr:
            case Name():
                return self._name(expr, frame, place, depth)
            case Member(base=base, name=name, arrow=arrow):
                inner = self._text(base, frame, place, depth)
                if arrow:
                    return f"{inner[1:]}.{name}" if inner.startswith("&") else f"{inner}->{name}"
                return f"{inner}.{name}"
            case Index(base=base, index=index):
                inner = self._text(base, frame, place, depth).removeprefix("&")
                return f"{inner}[{self._number(index, frame, place, depth)}]"
            case Unary(operator="&", operand=operand):
                return "&" + self._text(operand, frame, place, depth)
            case Unary(operator="*", operand=operand):
                inner = self._text(operand, frame, place, depth)
                return inner[1:] if inner.startswith("&") else f"*{inner}"
            case Cast(operand=operand) | Assign(value=operand):
                return self._text(operand, frame, place, depth)
            case Number(text=text):
                return text
            case Binary(operator=operator, left=left, right=right):
                one, other = (self._text(part, frame, place, depth) for part in (left, right))
                return f"({one} {operator} {other})"
            case Conditional():
                place.stable = place.tracked = False
                return self.program.text(expr)
            case Unary(operator=operator, operand=operand):
                if operator not in {"-", "+", "!", "~"}:
                    place.stable = place.tracked = False
                return operator + self._text(operand, frame, place, depth)
            case Call(line=line, column=column):
                place.stable = place.tracked = False
                return f"{self.program.text(expr)}@{line}:{column}"
            case _:
                place.stable = place.tracked = False
                return self.program.text(expr)

    def _number(self, index: Expr, frame: Frame, place: Place, depth: int) -> str:
        value = self.program.constant(index, frame.function, frame.function.path)
        if value is not None:
            return str(value)
        if any(isinstance(one, Member | Index | Call) or self._global(one, frame) for one in within(index)):
            place.stable = place.tracked = False  # a number in shared memory may be another one the next time
        return self._text(index, frame, place, depth)

    def _global(self, expr: Expr, frame: Frame) -> bool:
        if not isinstance(expr, Name):
            return False
        variable = self.program.variable(expr.name, frame.function, frame.function.path)
        return variable is not None and (variable.kind == "global" or variable.static)

    def _name(self, expr: Name, frame: Frame, place: Place, depth: int) -> str:
        function = frame.function
        variable = self.program.variable(expr.name, function, function.path)
        if variable is None:
            value = self.program.constant(expr, function, function.path)
            return expr.name if value is None else str(value)
        if variable.kind == "global" or variable.static:
            return of_variable(variable).label
        if variable.kind == "parameter" and (frame.how, expr.name) not in self._sets:
            return self._parameter(expr.name, frame, place, depth)
        return self._local(expr.name, frame, place, depth)

    def _local(self, name: str, frame: Frame, place: Place, depth: int) -> str:
        variable = self.program.variable(name, frame.function, frame.function.path)
        key = function_key(frame.function)
        if key not in self._assigned:
            self._assigned[key] = assigned_locals(frame.function)
        given = self._assigned[key].get(name, [])
        sets = self._sets.get((frame.how, name), [])
        pointer = variable is not None and variable.type.pointers and not variable.type.arrays
        if pointer and len(given) == 1 and len(sets) <= 1 and self._leads_on(given[0], frame):
            return self._text(given[0], frame, place, depth)
        if name in self._by_macros(frame.function):
            place.stable = place.tracked = False
        if len(sets) > 1 or any(step.loops for step in sets) or (pointer and not sets):
            place.stable = False
        place.names.add((frame.how, name))
        return _local_name(name, frame)

    def _by_macros(self, function: Function) -> frozenset[str]:
        """The variables that are given to loop macros: such a macro sets them in every round, where nobody sees it."""
        key = function_key(function)
        if key not in self._walked:
            loops = (one for one in statements(function.body) if isinstance(one, Loop) and one.macro)
            given = (one for loop in loops if isinstance(loop.condition, Call) for one in loop.condition.arguments)
            self._walked[key] = frozenset(one.name for one in given if isinstance(one, Name))
        return self._walked[key]

    def _leads_on(self, value: Expr, frame: Frame) -> bool:
        """Is a pointer's one value worth following: no call's result, no NULL?"""
        while isinstance(value, Cast):
            value = value.operand
        if isinstance(value, Name):
            return self.program.variable(value.name, frame.function, frame.function.path) is not None
        return not isinstance(value, Call | Conditional | Number)

    def _parameter(self, name: str, frame: Frame, place: Place, depth: int) -> str:
        call = self._calls.get((frame.how, function_key(frame.function))) if frame.how else None
        positions = [index for index, one in enumerate(frame.function.parameters) if one.name == name]
        if call is not None and call.event is not None and call.event.call is not None and positions:
            arguments = call.event.call.arguments
            if positions[0] < len(arguments):
                return self._text(arguments[positions[0]], Frame(call.function, call.how), place, depth)
        if not frame.how:
            created = self._created(place, depth)
            if created:
                return created
        place.names.add((frame.how, name))
        return _local_name(name, frame)

    def _created(self, place: Place, depth: int) -> str:
        """What every thread of this role was given at its creation, if it is one and the same object."""
        found = set()
        for one in self.role.created:
            creator = self.analysis.roles.get(one.creator)
            if one.event.argument is None or creator is None or creator is self.role:
                return ""
            given = Place()
            outer = places(self.analysis, creator)
            found.add(outer._text(one.event.argument, Frame(one.function, one.how), given, depth))
            if not given.stable:
                return ""
        return found.pop() if len(found) == 1 else ""


def set_name(step: Step) -> str:
    """The plain variable that a step sets."""
    if step.set is not None:
        return step.set.name
    if step.act is Act.WRITE and step.event is not None and isinstance(step.event.expression, Name):
        return step.event.expression.name
    return ""


def _local_name(name: str, frame: Frame) -> str:
    where = "/".join(str(site.line) for site in frame.how)
    return f"{frame.function.name}{'@' + where if where else ''}:{name}"


@once
def _made(_: Analysis) -> dict[str, Places]:
    return {}


def places(analysis: Analysis, role: Role) -> Places:
    """The places of a role's flow (made once)."""
    made = _made(analysis)
    if role.name not in made:
        made[role.name] = Places(analysis, role)
    return made[role.name]
