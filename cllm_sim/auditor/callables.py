"""Which functions a function pointer may mean: at a thread's creation, in a table, in a callback.

Followed without regard to order: names of functions, members and globals by everything ever assigned to them
(initial lists included), parameters by the arguments of all calls, results of conditionals. Rules of this file: an
empty answer means "not found", never "none".
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.facts import (
    Call,
    Cast,
    Conditional,
    Expr,
    Function,
    Index,
    InitialList,
    Member,
    Name,
    Unary,
)
from cllm_sim.auditor.locations import Locations
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.traverse import all_expressions, assigned_locals, within

DEPTH_MAX = 12


class Callables:
    """Resolves expressions to function definitions."""

    def __init__(self, program: Program, locations: Locations) -> None:
        self.program = program
        self.locations = locations
        self._callers: dict[str, list[tuple[Call, Function]]] | None = None
        self._cache: dict[tuple[str, str, int], tuple[Function, ...]] = {}

    def of(self, expr: Expr, function: Function) -> tuple[Function, ...]:
        """All definitions that the value of an expression may be."""
        found: dict[tuple[str, int], Function] = {}
        for one in self._of(expr, function, 0):
            found.setdefault(one.key, one)
        return tuple(found.values())

    def callers(self, name: str) -> list[tuple[Call, Function]]:
        """All calls by name, with the function in which they stand."""
        if self._callers is None:
            self._callers = {}
            for function in self.program.functions:
                for expr in all_expressions(function.body):
                    for call in self._calls(expr, function, 0):
                        assert isinstance(call.function, Name)
                        self._callers.setdefault(call.function.name, []).append((call, function))
        return self._callers.get(name, [])

    def _calls(self, expr: Expr, function: Function, depth: int) -> Iterator[Call]:
        """The call that an expression is, or those that it stands for as a macro's use."""
        if not isinstance(expr, Call) or not isinstance(expr.function, Name) or depth > DEPTH_MAX:
            return
        expanded = self.program.expand(expr, function.path)
        if expanded is None:
            yield expr
        else:
            inner = all_expressions(expanded) if isinstance(expanded, tuple) else within(expanded)
            for one in inner:
                yield from self._calls(one, function, depth + 1)

    def _of(self, expr: Expr, function: Function, depth: int) -> Iterator[Function]:
        if depth > DEPTH_MAX:
            return
        match expr:
            case Cast(operand=operand) | Unary(operator="&" | "*", operand=operand):
                yield from self._of(operand, function, depth + 1)
            case Conditional(then=then, other=other):
                yield from self._of(then, function, depth + 1)
                yield from self._of(other, function, depth + 1)
            case InitialList(items=items):
                for _, value in items:
                    yield from self._of(value, function, depth + 1)
            case Name():
                yield from self._name(expr, function, depth)
            case Member():
                yield from self._assigned(expr, function, depth)
            case Index(base=base):
                yield from self._of(base, function, depth + 1)
            case _:
                return

    def _name(self, expr: Name, function: Function, depth: int) -> Iterator[Function]:
        variable = self.program.variable(expr.name, function, function.path)
        if variable is None:
            expanded = self.program.expand(expr, function.path)
            if expanded is not None and not isinstance(expanded, tuple):
                yield from self._of(expanded, function, depth + 1)
            else:
                yield from self.program.lookup(expr.name, function.path)
        elif variable.kind == "parameter":
            yield from self._argument(expr.name, function, depth)
        elif variable.kind == "local":
            for value in assigned_locals(function).get(expr.name, ()):
                yield from self._of(value, function, depth + 1)
        else:
            yield from self._assigned(expr, function, depth)

    def _assigned(self, expr: Expr, function: Function, depth: int) -> Iterator[Function]:
        location = self.locations.of(expr, function)
        if location is None:
            return
        for key in (location.holder.label, location.contents.label):
            for value, owner in self.program.assignments.get(key, ()):
                yield from self._of(value, owner, depth + 1)

    def _argument(self, name: str, function: Function, depth: int) -> Iterator[Function]:
        positions = [index for index, parameter in enumerate(function.parameters) if parameter.name == name]
        for call, caller in self.callers(function.name):
            for position in positions:
                if position < len(call.arguments):
                    yield from self._of(call.arguments[position], caller, depth + 1)
