"""Takes expressions apart and makes them anew, without recursion; and the limit of effort for what does recurse.

Rules of this file: it knows the shape of every expression of `facts.py` and nothing of their meaning; a new kind is
entered in `CHILDREN` and `REBUILD`. All walks use their own stacks, since generated C nests deeper than Python calls
may; for the same reason expressions are never compared or hashed by value. Statements are walked by `traverse.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

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
    Unary,
)

Parts = tuple[Expr, ...]


class Effort:
    """What one question may cost: how deep calls may nest and how many steps they may take altogether.

    Macros that double with every level and expressions that nest by the thousand end in "unknown", never in a crash.
    """

    __slots__ = ("depth", "exhausted", "steps")

    DEPTH = 80
    STEPS = 20_000

    def __init__(self) -> None:
        self.depth = 0
        self.steps = 0
        self.exhausted = False

    def enter(self) -> bool:
        """Whether one more level is allowed; every True is followed by `leave`."""
        self.steps += 1
        if self.depth >= self.DEPTH or self.steps > self.STEPS:
            self.exhausted = True
            return False
        self.depth += 1
        return True

    def leave(self) -> None:
        self.depth -= 1

    def spend(self, steps: int) -> None:
        """Accounts for work whose size is known only afterwards."""
        self.steps += steps

    @property
    def spent(self) -> bool:
        """Whether no step is left, at whatever depth."""
        return self.steps > self.STEPS


def _none(_: Any) -> Parts:
    return ()


CHILDREN: dict[type, Callable[[Any], Parts]] = {
    Name: _none,
    Number: _none,
    Text: _none,
    TypeExpr: _none,
    Member: lambda node: (node.base,),
    Index: lambda node: (node.base, node.index),
    Call: lambda node: (node.function, *node.arguments),
    Unary: lambda node: (node.operand,),
    Binary: lambda node: (node.left, node.right),
    Assign: lambda node: (node.target, node.value),
    Conditional: lambda node: (node.condition, node.then, node.other),
    Cast: lambda node: (node.operand,),
    SizeOf: lambda node: () if node.operand is None else (node.operand,),
    InitialList: lambda node: tuple(value for _, value in node.items),
    Opaque: lambda node: node.parts,
}


def children(expr: Expr) -> Parts:
    """The expressions directly inside an expression, in the order they are written."""
    return CHILDREN[type(expr)](expr)


def nodes(*roots: Expr) -> Iterator[Expr]:
    """Every expression in the given ones, themselves included, from left to right and outside in."""
    stack = list(reversed(roots))
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(CHILDREN[type(node)](node)))


def _call(node: Call, parts: Parts, line: int, column: int) -> Expr:
    return Call(parts[0], parts[1:], line, column)


def _list(node: InitialList, parts: Parts, line: int, column: int) -> Expr:
    items = tuple((path, value) for (path, _), value in zip(node.items, parts, strict=True))
    return InitialList(items, line, column)


REBUILD: dict[type, Callable[[Any, Parts, int, int], Expr]] = {
    Name: lambda node, _, line, column: Name(node.name, line, column),
    Number: lambda node, _, line, column: Number(node.value, node.text, line, column),
    Text: lambda node, _, line, column: Text(node.value, line, column),
    TypeExpr: lambda node, _, line, column: TypeExpr(node.type, line, column),
    Member: lambda node, parts, line, column: Member(parts[0], node.name, node.arrow, line, column),
    Index: lambda node, parts, line, column: Index(parts[0], parts[1], line, column),
    Call: _call,
    Unary: lambda node, parts, line, column: Unary(node.operator, parts[0], line, column),
    Binary: lambda node, parts, line, column: Binary(node.operator, parts[0], parts[1], line, column),
    Assign: lambda node, parts, line, column: Assign(node.operator, parts[0], parts[1], line, column),
    Conditional: lambda node, parts, line, column: Conditional(parts[0], parts[1], parts[2], line, column),
    Cast: lambda node, parts, line, column: Cast(node.type, parts[0], line, column),
    SizeOf: lambda node, parts, line, column: SizeOf(node.type, parts[0] if parts else None, line, column),
    InitialList: _list,
    Opaque: lambda node, parts, line, column: Opaque(node.text, parts, line, column),
}


def rebuild(
    root: Expr,
    line: int,
    column: int,
    replace: Callable[[Expr], Expr | None],
    finish: Callable[[Expr], Expr],
) -> Expr:
    """The expression anew, every node at one place of the source.

    `replace` may give another expression for a node, which is then taken as it is; `finish` sees every node that was
    made anew, after its parts.
    """
    results: list[Expr] = []
    stack: list[tuple[Expr, bool]] = [(root, False)]
    while stack:
        node, parts_are_done = stack.pop()
        if not parts_are_done:
            other = replace(node)
            if other is not None:
                results.append(other)
                continue
            stack.append((node, True))
            stack.extend((part, False) for part in reversed(children(node)))
            continue
        first = len(results) - len(children(node))
        parts = tuple(results[first:])
        del results[first:]
        results.append(finish(REBUILD[type(node)](node, parts, line, column)))
    return results[0]
