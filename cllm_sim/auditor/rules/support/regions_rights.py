"""With which rights a region is mapped: what the protection argument comes to, calls and conditions followed.

Rules of this file: names of the library's flags only; an argument that cannot be followed to flags is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Binary, Call, Cast, Conditional, Expr, Function, Name, Number, Return, Unary
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.traverse import assigned_locals, statements

FLAGS = frozenset({"PROT_READ", "PROT_WRITE", "PROT_EXEC", "PROT_NONE", "SHM_RDONLY"})
DEPTH_MAX = 10
Given = Mapping[str, tuple[Expr, Function]]


class Rights(StrEnum):
    """What may be done with a mapping."""

    READ_ONLY = "read-only"
    WRITABLE = "writable"
    UNKNOWN = "unknown"


def rights_of(analysis: Analysis, step: Step) -> Rights:
    """The rights of a mapping."""
    assert step.event is not None
    if not step.event.modes:
        return Rights.UNKNOWN
    flags = _Flags(analysis).of(step.event.modes[0], step.function, step.bindings, 0)
    if flags is None:
        return Rights.UNKNOWN
    if step.event.name == "shmat":
        return Rights.READ_ONLY if "SHM_RDONLY" in flags else Rights.WRITABLE
    return Rights.WRITABLE if "PROT_WRITE" in flags else Rights.READ_ONLY if "PROT_READ" in flags else Rights.UNKNOWN


class _Flags:
    """Evaluates flag expressions."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.program = analysis.program

    def of(self, expr: Expr, function: Function, given: Given, depth: int) -> frozenset[str] | None:
        """The flags an expression is made of; None where that is not known."""
        if depth > DEPTH_MAX:
            return None
        depth += 1
        match expr:
            case Name(name=name) if name in FLAGS:
                return frozenset({name})
            case Number(value=0):
                return frozenset()
            case Cast(operand=operand):
                return self.of(operand, function, given, depth)
            case Binary(operator="|" | "+", left=left, right=right):
                one, other = (self.of(part, function, given, depth) for part in (left, right))
                return None if one is None or other is None else one | other
            case Conditional(condition=condition, then=then, other=other):
                return self._either(condition, then, other, function, given, depth)
            case Name(name=name):
                return self._name(expr, name, function, given, depth)
            case Call():
                return self._call(expr, function, given, depth)
            case _:
                return None

    def _either(
        self, condition: Expr, then: Expr, other: Expr, function: Function, given: Given, depth: int
    ) -> frozenset[str] | None:
        value = self.number(condition, function, given, depth)
        if value is not None:
            return self.of(then if value else other, function, given, depth)
        one, two = self.of(then, function, given, depth), self.of(other, function, given, depth)
        return one if one == two else None

    def _name(self, expr: Name, name: str, function: Function, given: Given, depth: int) -> frozenset[str] | None:
        values = assigned_locals(function).get(name, [])
        if len(values) == 1:
            return self.of(values[0], function, given, depth)
        if values:
            return None
        if name in given:
            value, owner = given[name]
            return self.of(value, owner, {}, depth)
        expanded = self.program.expand(expr, function.path)
        return None if expanded is None or isinstance(expanded, tuple) else self.of(expanded, function, given, depth)

    def _call(self, call: Call, function: Function, given: Given, depth: int) -> frozenset[str] | None:
        name = call.function.name if isinstance(call.function, Name) else ""
        callees = self.program.lookup(name, function.path) if name else ()
        if len(callees) != 1:
            expanded = self.program.expand(call, function.path)
            usable = expanded is not None and not isinstance(expanded, tuple)
            return self.of(expanded, function, given, depth) if usable else None  # type: ignore[arg-type]
        callee = callees[0]
        inner = {
            parameter.name: given.get(argument.name, (argument, function)) if isinstance(argument, Name)
            else (argument, function)
            for parameter, argument in zip(callee.parameters, call.arguments, strict=False)
        }  # fmt: skip
        returned = [one.value for one in statements(callee.body) if isinstance(one, Return)]
        if len(returned) != 1 or returned[0] is None:
            return None
        return self.of(returned[0], callee, inner, depth)

    def number(self, expr: Expr, function: Function, given: Given, depth: int) -> int | None:
        """The value of a condition, parameters replaced by what the callers gave."""
        if depth > DEPTH_MAX:
            return None
        depth += 1
        match expr:
            case Name(name=name) if name in given:
                value, owner = given[name]
                return self.program.constant(value, owner, owner.path)
            case Unary(operator="!", operand=operand):
                negated = self.number(operand, function, given, depth)
                return None if negated is None else int(not negated)
            case Binary(operator="==" | "!=" | "&" as operator, left=left, right=right):
                one, other = (self.number(part, function, given, depth) for part in (left, right))
                if one is None or other is None:
                    return None
                return {"==": int(one == other), "!=": int(one != other), "&": one & other}[operator]
            case _:
                return self.program.constant(expr, function, function.path)
