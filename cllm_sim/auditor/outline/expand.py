"""Macros and names in an expression, rewritten until only the program's own words are left.

Constants keep their names (a person wants to read NUM_WORKERS); macros that stand for an lvalue, a call or an
expression are replaced. Rules of this file: every node of a result carries the place of the macro's use.
"""

from __future__ import annotations

from dataclasses import replace

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Expr,
    Function,
    Index,
    InitialList,
    Member,
    Name,
    Opaque,
    Unary,
)
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.traverse import within

DEPTH_MAX = 200
ROUNDS_MAX = 20
REPLACED_MAX = 5_000
"""So many uses of macros are replaced in one expression: macros of macros grow without end."""


class Expander:
    """Rewrites expressions of one function."""

    def __init__(self, program: Program, function: Function) -> None:
        self.program = program
        self.function = function
        self._is_macro: dict[str, bool] = {}
        self._replaced = 0

    def rewrite(self, expr: Expr, depth: int = 0) -> Expr:
        """The expression without macros that hide names or calls."""
        if depth > DEPTH_MAX or not any(self._macro(one) for one in within(expr)):
            return expr
        self._replaced = 0
        return self._rewrite(expr, depth)

    def _rewrite(self, expr: Expr, depth: int) -> Expr:
        if depth > DEPTH_MAX:
            return expr
        for _ in range(ROUNDS_MAX):
            if not self._macro(expr) or self._replaced >= REPLACED_MAX:
                break
            self._replaced += 1
            assert isinstance(expr, Name | Call)
            expanded = self.program.expand(expr, self.function.path)
            if expanded is None or isinstance(expanded, tuple):
                break
            expr = expanded
        return self._inside(expr, depth + 1)

    def _macro(self, expr: Expr) -> bool:
        """Is this the use of a macro that is to be replaced?"""
        match expr:
            case Name(name=name):
                return self._hides(name, expr)
            case Call(function=Name(name=name)):
                return self._hides(f"{name}()", expr)
            case _:
                return False

    def _hides(self, key: str, expr: Name | Call) -> bool:
        if key not in self._is_macro:
            self._is_macro[key] = self._decide(expr)
        return self._is_macro[key]

    def _decide(self, expr: Name | Call) -> bool:
        if isinstance(expr, Name):
            if self.program.variable(expr.name, self.function, self.function.path) is not None:
                return False
            if self.program.constant(expr, self.function, self.function.path) is not None:
                return False
        expanded = self.program.expand(expr, self.function.path)
        return expanded is not None and not isinstance(expanded, tuple)

    def _inside(self, expr: Expr, depth: int) -> Expr:  # one line per kind of expression
        def inner(one: Expr) -> Expr:
            return self._rewrite(one, depth)

        match expr:
            case Member(base=base):
                return replace(expr, base=inner(base))
            case Index(base=base, index=index):
                return replace(expr, base=inner(base), index=inner(index))
            case Call(function=function, arguments=arguments):
                return replace(expr, function=inner(function), arguments=tuple(inner(one) for one in arguments))
            case Unary(operand=operand) | Cast(operand=operand):
                return replace(expr, operand=inner(operand))
            case Binary(left=left, right=right):
                return replace(expr, left=inner(left), right=inner(right))
            case Assign(target=target, value=value):
                return replace(expr, target=inner(target), value=inner(value))
            case Conditional(condition=condition, then=then, other=other):
                return replace(expr, condition=inner(condition), then=inner(then), other=inner(other))
            case InitialList(items=items):
                return replace(expr, items=tuple((name, inner(value)) for name, value in items))
            case Opaque(parts=held):
                return replace(expr, parts=tuple(inner(one) for one in held))
            case _:
                return expr
