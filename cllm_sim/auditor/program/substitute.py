"""Puts a macro's arguments into its body, and everything at the place of the use.

Rules of this file: a parameter is replaced wherever C would: as an expression, as a member's name, as a type, as the
name of something declared. What depends on text alone never reaches this file: tokens are joined before (`expand.py`),
quoted names are empty texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cllm_sim.auditor.facts import (
    Block,
    Call,
    Case,
    Cast,
    Declare,
    Do,
    Expr,
    If,
    Jump,
    Label,
    Loop,
    Member,
    Name,
    Opaque,
    Return,
    SizeOf,
    Stmt,
    Switch,
    TypeExpr,
    TypeName,
    Unary,
    Variants,
)
from cllm_sim.auditor.program.nodes import rebuild

REST = "__VA_ARGS__"
STATEMENT_DEPTH_MAX = 100


class TooDeep(Exception):
    """The statements of a macro nest deeper than is sensible."""


class Substitution:
    """One use of one macro."""

    def __init__(self, arguments: Mapping[str, Expr], line: int, column: int) -> None:
        self.line = line
        self.column = column
        self.made = 0  # nodes, as a measure of the work
        self._arguments = {name: rebuild(value, line, column, _keep, self._as_is) for name, value in arguments.items()}

    # -------------------------------------------------------------------------------------------------- expressions
    def expression(self, root: Expr) -> Expr:
        """The expression with the arguments in it."""
        return rebuild(root, self.line, self.column, self._replace, self._finish)

    def _replace(self, node: Expr) -> Expr | None:
        if isinstance(node, Name):
            return self._arguments.get(node.name)
        if isinstance(node, SizeOf) and node.type is not None and not node.type.pointers:
            argument = self._arguments.get(node.type.base)
            if argument is not None and not isinstance(argument, TypeExpr):
                return SizeOf(None, argument, self.line, self.column)
        return None

    def _as_is(self, node: Expr) -> Expr:
        self.made += 1
        return node

    def _finish(self, node: Expr) -> Expr:
        self.made += 1
        match node:
            case Member(name=name):
                return replace(node, name=self.name(name))
            case Cast(type=type_name):
                return replace(node, type=self.type(type_name))
            case TypeExpr(type=type_name):
                return replace(node, type=self.type(type_name))
            case SizeOf(type=type_name) if type_name is not None:
                return replace(node, type=self.type(type_name))
            case Call(arguments=arguments):
                return replace(node, arguments=_spread(arguments))
            case Unary(operator="*", operand=Unary(operator="&", operand=operand)):
                return operand
            case _:
                return node

    def name(self, name: str) -> str:
        """A name in the body that may be a parameter: of a member, a label, a declared variable."""
        argument = self._arguments.get(name)
        return argument.name if isinstance(argument, Name) else name

    def type(self, type_name: TypeName) -> TypeName:
        """A type in the body, whose base or array sizes may be parameters."""
        arrays = tuple(None if size is None else self.expression(size) for size in type_name.arrays)
        argument = self._arguments.get(type_name.base)
        if isinstance(argument, Name):
            return replace(type_name, base=argument.name, arrays=arrays)
        if isinstance(argument, TypeExpr):
            given = argument.type
            return TypeName(
                given.base,
                type_name.pointers + given.pointers,
                arrays + given.arrays,
                type_name.qualifiers | given.qualifiers,
                type_name.function or given.function,
            )
        return replace(type_name, arrays=arrays)

    # --------------------------------------------------------------------------------------------------- statements
    def statements(self, body: tuple[Stmt, ...], depth: int = 0) -> tuple[Stmt, ...]:
        """The statements with the arguments in them; `TooDeep` where they nest beyond sense."""
        if depth > STATEMENT_DEPTH_MAX:
            raise TooDeep
        return tuple(self._statement(one, depth + 1) for one in body)

    def _maybe(self, expr: Expr | None) -> Expr | None:
        return None if expr is None else self.expression(expr)

    def _statement(self, one: Stmt, depth: int) -> Stmt:
        line = self.line
        match one:
            case Do(expression=expression):
                return Do(self.expression(expression), line)
            case Declare(name=name, type=type_name, initial=initial):
                return Declare(self.name(name), self.type(type_name), self._maybe(initial), line, self.column)
            case Return(value=value):
                return Return(self._maybe(value), line)
            case Jump(kind=kind, label=label):
                return Jump(kind, self.name(label), line)
            case Label(name=name):
                return Label(self.name(name), line)
            case _:
                return self._compound(one, depth)

    def _compound(self, one: Block | If | Loop | Switch | Variants, depth: int) -> Stmt:
        line = self.line
        match one:
            case Block(body=body):
                return Block(self.statements(body, depth), line, line)
            case If(condition=condition, then=then, other=other):
                inner = self.statements(then, depth)
                return If(self.expression(condition), inner, self.statements(other, depth), line)
            case Loop():
                return Loop(
                    one.kind,
                    self.statements(one.start, depth),
                    self._maybe(one.condition),
                    self._maybe(one.step),
                    self.statements(one.body, depth),
                    line,
                    one.macro,
                )
            case Switch(subject=subject, cases=cases):
                anew = (Case(self._maybe(case.value), self.statements(case.body, depth), line) for case in cases)
                return Switch(self.expression(subject), tuple(anew), line)
            case Variants(branches=branches):
                return Variants(tuple((when, self.statements(body, depth)) for when, body in branches), line)


def rest(values: tuple[Expr, ...], line: int, column: int) -> Expr:
    """The arguments that `...` stands for, as one expression until a call spreads them."""
    return Opaque(REST, values, line, column)


def _spread(arguments: tuple[Expr, ...]) -> tuple[Expr, ...]:
    spread: list[Expr] = []
    for argument in arguments:
        if isinstance(argument, Opaque) and argument.text == REST:
            spread.extend(argument.parts)
        else:
            spread.append(argument)
    return tuple(spread)


def _keep(_: Expr) -> Expr | None:
    return None
