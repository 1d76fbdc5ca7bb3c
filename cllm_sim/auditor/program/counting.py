"""Makes symbolic integers out of expressions.

Rules of this file: casts are seen through; a parameter with a binding is what the caller wrote, a local with exactly
one value is that value, everything else that varies is a symbol. A parameter or local that is changed anywhere in its
function, or whose address is taken, is never replaced. Constants keep the name they were written with.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Expr,
    Function,
    Member,
    Name,
    Number,
    SizeOf,
    Unary,
)
from cllm_sim.auditor.program.constants import Constants
from cllm_sim.auditor.program.counts import Count, number, symbol_alone
from cllm_sim.auditor.program.expand import Macros
from cllm_sim.auditor.program.functions import Functions
from cllm_sim.auditor.program.labels import Labels
from cllm_sim.auditor.program.nodes import Effort, nodes
from cllm_sim.auditor.program.printing import text
from cllm_sim.auditor.program.symbols import Symbols
from cllm_sim.auditor.program.types import Types
from cllm_sim.auditor.program.typing_of import ExpressionTypes
from cllm_sim.auditor.program.usage import Usages
from cllm_sim.auditor.program.variables import Variable, Variables

Bindings = Mapping[str, tuple[Expr, Function]]
SUFFIX = re.compile(r"(?i)(?<=[0-9a-f])(?:u|l|ul|lu|ll|ull|llu)$")


CHARACTERS_PER_STEP = 8


class TooMuch(Exception):
    """A count took more steps than any sensible expression needs."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands, and what has been replaced on the way there."""

    function: Function | None
    path: str
    bindings: Bindings
    bound: frozenset[str] = frozenset()  # parameters replaced by bindings
    opened: frozenset[tuple[int, str]] = frozenset()  # locals replaced by their value


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All that counting asks."""

    types: Types
    labels: Labels
    functions: Functions
    macros: Macros
    variables: Variables
    constants: Constants
    type_of: ExpressionTypes
    usages: Usages


class Counting:
    """Counts expressions."""

    def __init__(self, knowledge: Knowledge, symbols: Symbols) -> None:
        self._know = knowledge
        self.symbols = symbols
        self._kinds: dict[type, Callable[[Any, Scope, Effort], Count]] = {
            Name: self._name,
            Number: self._number,
            Member: self._member,
            Unary: self._unary,
            Binary: self._binary,
            Assign: self._assign,
            Cast: lambda node, scope, effort: self.count(node.operand, scope, effort),
            Call: self._call,
        }

    def of(self, expr: Expr, scope: Scope) -> Count:
        """The symbolic value of an expression; itself as an unknown where that would take too much."""
        effort = Effort()
        try:
            return self.count(expr, scope, effort)
        except TooMuch:
            return self._opaque(expr, scope, effort)

    def count(self, expr: Expr, scope: Scope, effort: Effort) -> Count:
        """One part of the question; `TooMuch` where the effort is spent."""
        if effort.spent:
            raise TooMuch
        if not effort.enter():
            return self._opaque(expr, scope, effort)
        try:
            return self._kinds.get(type(expr), self._other)(expr, scope, effort)
        finally:
            effort.leave()

    # ------------------------------------------------------------------------------------------------------- unknown
    def _opaque(self, expr: Expr, scope: Scope, effort: Effort) -> Count:
        written = text(expr)
        effort.spend(len(written) // CHARACTERS_PER_STEP)
        return symbol_alone(self._scoped(written, expr, scope), written)

    def _scoped(self, written: str, expr: Expr, scope: Scope) -> str:
        """A symbol of an expression's text; with the function's name where it speaks of the function's own names."""
        if scope.function is None:
            return written
        own = self._know.variables.locals(scope.function)
        if any(isinstance(node, Name) and node.name in own for node in nodes(expr)):
            return f"{written}@{self._function_name(scope.function)}"
        return written

    def _function_name(self, function: Function) -> str:
        if len(self._know.functions.named(function.name)) < 2:
            return function.name
        return f"{function.name}:{function.path}:{function.line}"

    def _other(self, expr: Expr, scope: Scope, effort: Effort) -> Count:
        value = self._know.constants.value(expr, scope.function, scope.path, effort)
        return self._opaque(expr, scope, effort) if value is None else number(value, text(expr))

    # --------------------------------------------------------------------------------------------------------- names
    @staticmethod
    def _number(node: Number, _: Scope, __: Effort) -> Count:
        if node.value is None:
            return symbol_alone(node.text)
        return number(node.value, SUFFIX.sub("", node.text))

    def _name(self, node: Name, scope: Scope, effort: Effort) -> Count:
        value = self._know.constants.value(node, scope.function, scope.path, effort)
        if value is not None:
            return number(value, node.name)
        declared = self._know.variables.declared(node.name, scope.function, scope.path)
        if declared is None:
            return self._expanded(node, scope, effort)
        variable = declared.variable
        if variable.kind == "global":
            return symbol_alone(self.global_symbol(variable), node.name)
        if variable.kind == "local" and variable.static:
            return symbol_alone(static_symbol(variable), node.name)
        return self._own(node, variable, scope, effort)

    def global_symbol(self, variable: Variable) -> str:
        """The name of a global; with its file where another file has another one of that name."""
        places = self._know.variables.definitions(variable.name)
        if len(places) < 2 or places[0] == variable.path:
            return variable.name
        return f"{variable.name} ({variable.path})"

    def _own(self, node: Name, variable: Variable, scope: Scope, effort: Effort) -> Count:
        """A parameter or a local of the function."""
        function = scope.function
        assert function is not None  # only a function has parameters and locals
        usage = self._know.usages.of(function)
        values = usage.values.get(node.name, [])
        if node.name not in usage.changed:
            if variable.kind == "parameter" and not values:
                found = self._bound(node.name, scope, effort)
                if found is not None:
                    return found
            if variable.kind == "local" and len(values) == 1 and (id(function), node.name) not in scope.opened:
                inner = replace(scope, opened=scope.opened | {(id(function), node.name)})
                return _named_if_number(self.count(values[0], inner, effort), node.name)
        symbol = f"{node.name}@{self._function_name(function)}"
        if variable.kind == "parameter" and node.name not in usage.changed and not values:
            self.symbols.parameters[symbol] = (function, node.name)
        return symbol_alone(symbol, node.name)

    def _bound(self, name: str, scope: Scope, effort: Effort) -> Count | None:
        """What the caller gives for a parameter; each name is replaced once, so that recursion ends."""
        if name not in scope.bindings or name in scope.bound:
            return None
        expr, caller = scope.bindings[name]
        inner = replace(scope, function=caller, path=caller.path, bound=scope.bound | {name})
        return self.count(expr, inner, effort)

    def _expanded(self, node: Name | Call, scope: Scope, effort: Effort) -> Count:
        expanded = self._know.macros.expanded(node, scope.path, effort)
        return self._opaque(node, scope, effort) if expanded is None else self.count(expanded, scope, effort)

    # --------------------------------------------------------------------------------------------------- expressions
    def _call(self, node: Call, scope: Scope, effort: Effort) -> Count:
        value = self._know.constants.value(node, scope.function, scope.path, effort)
        return self._expanded(node, scope, effort) if value is None else number(value, text(node))

    def _member(self, node: Member, scope: Scope, effort: Effort) -> Count:
        symbol = self.member_symbol(node, scope.function, scope.path, effort)
        return self._opaque(node, scope, effort) if symbol is None else symbol_alone(symbol, text(node))

    def member_symbol(self, node: Member, function: Function | None, path: str, effort: Effort) -> str | None:
        """ "Label.member", where the record is known."""
        base = self._know.type_of.of(node.base, function, path, effort)
        record = None if base is None else self._know.types.record(base)
        return None if record is None else f"{self._know.labels.label(record.name)}.{node.name}"

    def _assign(self, node: Assign, scope: Scope, effort: Effort) -> Count:
        return self.count(node.value, scope, effort) if node.operator == "=" else self._opaque(node, scope, effort)

    def _unary(self, node: Unary, scope: Scope, effort: Effort) -> Count:
        if node.operator in ("-", "+"):
            inner = self.count(node.operand, scope, effort)
            if node.operator == "+":
                return inner
            negative = number(0) - inner
            return negative.named("-" + negative.text.removeprefix("0 - "))
        if node.operator == "*":
            pointed = self._pointed(node.operand, scope, effort)
            if pointed is not None:
                return pointed
        return self._other(node, scope, effort)

    def _pointed(self, operand: Expr, scope: Scope, effort: Effort) -> Count | None:
        """What a pointer leads to, where it is known to hold one address: `*&n`, a parameter bound to `&n`."""
        while isinstance(operand, Cast):
            operand = operand.operand
        if isinstance(operand, Unary) and operand.operator == "&":
            return self.count(operand.operand, scope, effort)
        if not isinstance(operand, Name) or operand.name not in scope.bindings or operand.name in scope.bound:
            return None
        declared = self._know.variables.declared(operand.name, scope.function, scope.path)
        if declared is None or declared.variable.kind != "parameter":
            return None
        expr, caller = scope.bindings[operand.name]
        inner = replace(scope, function=caller, path=caller.path, bound=scope.bound | {operand.name})
        return self._pointed(expr, inner, effort)

    def _binary(self, node: Binary, scope: Scope, effort: Effort) -> Count:
        operator = node.operator
        if operator in ("+", "-"):
            return self._sum(node, scope, effort)
        if operator == ",":
            return self.count(node.right, scope, effort)
        if operator in ("*", "/", "%", "<<", ">>"):
            found = self._scaled(node, scope, effort)
            if found is not None:
                return found
        return self._other(node, scope, effort)

    def _sum(self, node: Binary, scope: Scope, effort: Effort) -> Count:
        """Long sums lean to the left, so they are taken apart in a loop."""
        pending: list[tuple[str, Expr]] = []
        first: Expr = node
        while isinstance(first, Binary) and first.operator in ("+", "-"):
            pending.append((first.operator, first.right))
            first = first.left
        total = self.count(first, scope, effort)
        for operator, expr in reversed(pending):
            one = self.count(expr, scope, effort)
            total = total + one if operator == "+" else total - one
        return total

    def _scaled(self, node: Binary, scope: Scope, effort: Effort) -> Count | None:
        if isinstance(node.left, SizeOf):
            return self._array_length(node, scope, effort)
        left = self.count(node.left, scope, effort)
        right = self.count(node.right, scope, effort)
        if node.operator == "*":
            return self.symbols.product(left, right)
        if node.operator in ("/", "%"):
            return self.symbols.divided(left, right, node.operator)
        if right.value is None or not 0 <= right.value < 64:
            return None
        power = number(1 << right.value)
        if node.operator == "<<":
            return self.symbols.product(left, power, text(node))
        return self.symbols.divided(left, power, "/", text(node))

    def _array_length(self, node: Binary, scope: Scope, effort: Effort) -> Count | None:
        """`sizeof array / sizeof array[0]` of an array whose one dimension is an expression."""
        if node.operator != "/" or not isinstance(node.left, SizeOf) or not isinstance(node.right, SizeOf):
            return None
        value = self._know.constants.value(node, scope.function, scope.path, effort)
        if value is not None:
            return number(value, text(node))
        sizes = self._know.constants.lengths(node.left, node.right, scope.function, scope.path, effort)
        if sizes is None or len(sizes) != 1 or sizes[0] is None:
            return None
        return self.count(sizes[0], scope, effort)


def static_symbol(variable: Variable) -> str:
    """The name of a static local: that of its function before its own."""
    return f"{variable.function}.{variable.name}"


def _named_if_number(count: Count, name: str) -> Count:
    """A literal given to a local is best called by the local's name."""
    return count.named(name) if count.text.lstrip("-").isdigit() else count
