"""What one function does to variables: values assigned, addresses taken, calls made; macros seen through.

Rules of this file: one pass per function, kept; no meaning of types here. Atomic stores count as assignments and atomic
loads as reads, other uses of an address may change what lies there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cllm_sim.auditor.facts import (
    Assign,
    Call,
    Cast,
    Declare,
    Expr,
    Function,
    InitialList,
    Name,
    SizeOf,
    Stmt,
    TypeName,
    Unary,
)
from cllm_sim.auditor.program.expand import Macros
from cllm_sim.auditor.program.nodes import children
from cllm_sim.auditor.traverse import expressions, statements

ATOMIC_STORES = frozenset("atomic_store atomic_store_explicit atomic_init __atomic_store_n".split())
ATOMIC_LOADS = frozenset("atomic_load atomic_load_explicit __atomic_load_n".split())
STEPS = ("++x", "--x", "x++", "x--")
EXPANSION_DEPTH_MAX = 12
MACRO_NODES_MAX = 100_000  # per function; beyond, uses of macros stay as they are


@dataclass(slots=True)
class Usage:
    """The findings for one function, or for the initial value of one global."""

    values: dict[str, list[Expr]] = field(default_factory=dict)  # plain names: initial values and what `=` gives
    changed: set[str] = field(default_factory=set)  # plain names: stepped, or their address is taken
    assigned: list[tuple[Expr, Expr]] = field(default_factory=list)  # target and value; a step is its own value
    addressed: list[Expr] = field(default_factory=list)  # what & is applied to
    calls: list[Call] = field(default_factory=list)
    mentions: set[str] = field(default_factory=set)  # names used otherwise than as the function of a call
    lists: list[tuple[TypeName, InitialList]] = field(default_factory=list)  # typed initial lists
    declares: list[Declare] = field(default_factory=list)


class _Reader:
    """One pass over a body."""

    def __init__(self, macros: Macros, path: str) -> None:
        self.usage = Usage()
        self._macros = macros
        self._path = path
        self._macro_nodes = 0  # made by expansions, and looked at inside them

    def body(self, stmts: Iterable[Stmt], depth: int) -> None:
        for stmt in statements(stmts):
            if isinstance(stmt, Declare):
                self._declare(stmt)
            for expr in expressions(stmt):
                self.expression(expr, depth)

    def _declare(self, stmt: Declare) -> None:
        usage = self.usage
        usage.declares.append(stmt)
        if stmt.initial is not None and "extern" not in stmt.type.qualifiers:
            usage.values.setdefault(stmt.name, []).append(stmt.initial)
            if isinstance(stmt.initial, InitialList):
                usage.lists.append((stmt.type, stmt.initial))

    def expression(self, root: Expr, depth: int) -> None:
        stack: list[tuple[Expr, int]] = [(root, depth)]
        while stack:
            node, level = stack.pop()
            if level:
                self._macro_nodes += 1
                if self._macro_nodes > MACRO_NODES_MAX:
                    continue
            if isinstance(node, Call | Name) and level < EXPANSION_DEPTH_MAX and self._macro_nodes < MACRO_NODES_MAX:
                made = self._macros.expand(node, self._path)
                if made is not None:
                    self._macro_nodes += self._macros.made
                    if isinstance(made, tuple):
                        self.body(made, level + 1)
                    else:
                        stack.append((made, level + 1))
                    continue
            stack.extend((part, level) for part in reversed(self._visit(node)))

    def _visit(self, node: Expr) -> tuple[Expr, ...]:
        """Notes what a node does; the parts that are still to be looked at."""
        usage = self.usage
        match node:
            case Name(name=name):
                usage.mentions.add(name)
            case SizeOf():
                return ()  # not evaluated
            case Assign(operator=operator, target=target, value=value):
                self._assign(target, value if operator == "=" else node, operator != "=")
            case Unary(operator=operator, operand=operand) if operator in STEPS:
                self._assign(operand, node, True)
            case Unary(operator="&", operand=operand):
                self._address(operand)
            case Cast(type=type_name, operand=InitialList() as listed):
                usage.lists.append((type_name, listed))
            case Call():
                return self._call(node)
            case _:
                pass
        return children(node)

    def _assign(self, target: Expr, value: Expr, is_step: bool) -> None:
        self.usage.assigned.append((target, value))
        if isinstance(target, Name):
            self.usage.values.setdefault(target.name, []).append(value)
            if is_step:
                self.usage.changed.add(target.name)

    def _address(self, operand: Expr) -> None:
        self.usage.addressed.append(operand)
        if isinstance(operand, Name):
            self.usage.changed.add(operand.name)

    def _call(self, node: Call) -> tuple[Expr, ...]:
        self.usage.calls.append(node)
        if not isinstance(node.function, Name):
            return (node.function, *node.arguments)
        arguments = node.arguments
        atomic = node.function.name in ATOMIC_STORES or node.function.name in ATOMIC_LOADS
        if atomic and arguments and isinstance(arguments[0], Unary) and arguments[0].operator == "&":
            target = arguments[0].operand
            if node.function.name in ATOMIC_STORES and len(arguments) > 1:
                self._assign(target, arguments[1], False)
            return (target, *arguments[1:])
        return arguments


class Usages:
    """The usage of every function, made when first asked for."""

    def __init__(self, macros: Macros) -> None:
        self._macros = macros
        self._known: dict[int, tuple[Function, Usage]] = {}

    def of(self, function: Function) -> Usage:
        """What a function does."""
        known = self._known.get(id(function))
        if known is None:
            reader = _Reader(self._macros, function.path)
            reader.body(function.body, 0)
            known = self._known[id(function)] = (function, reader.usage)
        return known[1]

    def of_expression(self, expr: Expr, path: str) -> Usage:
        """What an expression at file level does: the initial value of a global."""
        reader = _Reader(self._macros, path)
        reader.expression(expr, 0)
        return reader.usage
