"""Expressions and types printed as C, with normalised spacing and no more parentheses than needed.

Rules of this file: printing never recurses (its stack holds pieces of text and expressions still to print), never
fails, and gives equal texts for expressions that differ in spacing or places only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Expr,
    Index,
    InitialList,
    Member,
    Name,
    Number,
    Opaque,
    SizeOf,
    Text,
    TypeExpr,
    TypeName,
    Unary,
)

LEVELS = (",", "=", "?:", "||", "&&", "|", "^", "&", "== !=", "< > <= >=", "<< >>", "+ -", "* / %", "unary", "postfix")
BINDING = {operator: level for level, group in enumerate(LEVELS) for operator in group.split()}
COMMA, ASSIGN, CONDITIONAL = BINDING[","], BINDING["="], BINDING["?:"]
UNARY, POSTFIX, PRIMARY = BINDING["unary"], BINDING["postfix"], len(LEVELS)


class Open(NamedTuple):
    """An expression still to print, in parentheses if it binds less than `least`."""

    expr: Expr
    least: int


Piece = str | Open


def text(expr: Expr) -> str:
    """The expression as C."""
    done: list[str] = []
    stack: list[Piece] = [Open(expr, COMMA)]
    while stack:
        piece = stack.pop()
        if isinstance(piece, str):
            done.append(piece)
            continue
        binding, pieces = _PRINT[type(piece.expr)](piece.expr)
        if binding < piece.least:
            pieces = ["(", *pieces, ")"]
        stack.extend(reversed(pieces))
    return "".join(done)


def type_text(type_name: TypeName) -> str:
    """The type as C would name it: "struct Pool *[N]"."""
    words = [word for word in ("const", "volatile", "_Atomic") if word in type_name.qualifiers]
    stars = " " + "*" * type_name.pointers if type_name.pointers else ""
    pointer = " (*)()" if type_name.function else ""
    sizes = "".join(f"[{'' if size is None else text(size)}]" for size in type_name.arrays)
    return " ".join([*words, type_name.base]) + stars + pointer + sizes


# ---------------------------------------------------------------------------------------------------- kinds of nodes
Printed = tuple[int, list[Piece]]


def _separated(values: tuple[Expr, ...]) -> list[Piece]:
    pieces: list[Piece] = []
    for value in values:
        pieces += [", ", Open(value, ASSIGN)]
    return pieces[1:]


def _member(node: Member) -> Printed:
    return POSTFIX, [Open(node.base, POSTFIX), "->" if node.arrow else ".", node.name]


def _index(node: Index) -> Printed:
    return POSTFIX, [Open(node.base, POSTFIX), "[", Open(node.index, COMMA), "]"]


def _called(node: Call) -> Printed:
    return POSTFIX, [Open(node.function, POSTFIX), "(", *_separated(node.arguments), ")"]


def _unary(node: Unary) -> Printed:
    if node.operator in ("x++", "x--"):
        return POSTFIX, [Open(node.operand, POSTFIX), node.operator[1:]]
    sign = node.operator.removesuffix("x")
    operand = node.operand
    # Two equal signs in a row would read as another operator: - -x, & &&x.
    meets = isinstance(operand, Unary) and operand.operator[0] == sign[-1] and sign[-1] in "+-&"
    return UNARY, [sign, " " if meets else "", Open(operand, UNARY)]


def _binary(node: Binary) -> Printed:
    binding = BINDING.get(node.operator, COMMA)
    sign = ", " if node.operator == "," else f" {node.operator} "
    return binding, [Open(node.left, binding), sign, Open(node.right, binding + 1)]


def _assign(node: Assign) -> Printed:
    return ASSIGN, [Open(node.target, UNARY), f" {node.operator} ", Open(node.value, ASSIGN)]


def _conditional(node: Conditional) -> Printed:
    pieces: list[Piece] = [Open(node.condition, CONDITIONAL + 1), " ? ", Open(node.then, COMMA), " : "]
    return CONDITIONAL, [*pieces, Open(node.other, CONDITIONAL)]


def _cast(node: Cast) -> Printed:
    return UNARY, [f"({type_text(node.type)})", Open(node.operand, UNARY)]


def _sizeof(node: SizeOf) -> Printed:
    if node.operand is not None:
        return UNARY, ["sizeof(", Open(node.operand, COMMA), ")"]
    return UNARY, [f"sizeof({type_text(node.type) if node.type is not None else ''})"]


def _initial(node: InitialList) -> Printed:
    pieces: list[Piece] = []
    for path, value in node.items:
        pieces += [", ", f"{path} = " if path else "", Open(value, ASSIGN)]
    return PRIMARY, ["{", *pieces[1:], "}"]


def _string(node: Text) -> Printed:
    escaped = node.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return PRIMARY, [f'"{escaped}"']


def _opaque(node: Opaque) -> Printed:
    return PRIMARY, [" ".join(node.text.split())]


_PRINT: dict[type, Callable[[Any], Printed]] = {
    Name: lambda node: (PRIMARY, [node.name]),
    Number: lambda node: (UNARY if node.text.startswith("-") else PRIMARY, [node.text]),
    Text: _string,
    Member: _member,
    Index: _index,
    Call: _called,
    Unary: _unary,
    Binary: _binary,
    Assign: _assign,
    Conditional: _conditional,
    Cast: _cast,
    SizeOf: _sizeof,
    TypeExpr: lambda node: (PRIMARY, [type_text(node.type)]),
    InitialList: _initial,
    Opaque: _opaque,
}
