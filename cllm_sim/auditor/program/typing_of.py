"""The type of an expression, resolved; None where the sources do not say.

Rules of this file: types serve to find records, objects and pointers, not to check C. Arithmetic takes the wider
operand; what allocation functions return has no type of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Expr,
    Function,
    Index,
    Member,
    Name,
    Number,
    SizeOf,
    Text,
    TypeExpr,
    TypeName,
    Unary,
)
from cllm_sim.auditor.program.expand import Macros
from cllm_sim.auditor.program.functions import Functions
from cllm_sim.auditor.program.nodes import Effort
from cllm_sim.auditor.program.types import Types
from cllm_sim.auditor.program.variables import Variables

INT, LONG, SIZE, DOUBLE = TypeName("int"), TypeName("long"), TypeName("size_t"), TypeName("double")
ALLOCATION = frozenset(
    "malloc calloc realloc reallocarray aligned_alloc memalign valloc pvalloc alloca mmap mremap shmat".split()
)
TRUTH = frozenset("== != < > <= >= && ||".split())
WIDTHS = (
    "bool char short int unsigned long size_t int64_t uint64_t float double".split()
)  # what decides an arithmetic result, narrow to wide


class ExpressionTypes:
    """Types of expressions."""

    def __init__(self, types: Types, functions: Functions, macros: Macros, variables: Variables, constants: set[str]):
        self._types = types
        self._functions = functions
        self._macros = macros
        self._variables = variables
        self._enumerators = constants
        self._kinds: dict[type, Callable[[Any, Function | None, str, Effort], TypeName | None]] = {
            Name: self._name,
            Number: lambda node, *_: INT if node.value is not None else DOUBLE,
            Text: lambda *_: TypeName("char", 1),
            Member: self._member,
            Index: self._index,
            Call: self._call,
            Unary: self._unary,
            Binary: self._binary,
            Assign: lambda node, function, path, effort: self.of(node.target, function, path, effort),
            Conditional: self._conditional,
            Cast: lambda node, function, path, _: self._types.resolved(node.type, path),
            SizeOf: lambda *_: SIZE,
            TypeExpr: lambda node, function, path, _: self._types.resolved(node.type, path),
        }

    def of(self, expr: Expr, function: Function | None, path: str, effort: Effort) -> TypeName | None:
        """The type of an expression in a function of a file."""
        kind = self._kinds.get(type(expr))
        if kind is None or not effort.enter():
            return None
        try:
            return kind(expr, function, path, effort)
        finally:
            effort.leave()

    def _name(self, node: Name, function: Function | None, path: str, effort: Effort) -> TypeName | None:
        declared = self._variables.declared(node.name, function, path)
        if declared is not None:
            return declared.variable.type
        expanded = self._macros.expanded(node, path, effort)
        if expanded is not None:
            return self.of(expanded, function, path, effort)
        if node.name in self._enumerators:
            return INT
        result = self._result(node.name, path)
        return None if result is None else replace(result, function=True)

    def _result(self, name: str, path: str) -> TypeName | None:
        """What a function of that name returns."""
        found = self._functions.lookup(name, path)
        if found:
            return self._types.resolved(found[0].result, found[0].path)
        prototype = self._functions.prototype(name, path)
        return None if prototype is None else self._types.resolved(prototype[1].result, prototype[0])

    def _member(self, node: Member, function: Function | None, path: str, effort: Effort) -> TypeName | None:
        base = self.of(node.base, function, path, effort)
        record = None if base is None else self._types.record(base)
        member = None if record is None else self._types.member(record, node.name)
        return None if member is None else member.type

    def _index(self, node: Index, function: Function | None, path: str, effort: Effort) -> TypeName | None:
        base = self.of(node.base, function, path, effort)
        return None if base is None else pointed(base)

    def _call(self, node: Call, function: Function | None, path: str, effort: Effort) -> TypeName | None:
        called = node.function
        if not isinstance(called, Name):
            return _returned(self.of(called, function, path, effort))
        if called.name in ALLOCATION:
            return None
        declared = self._variables.declared(called.name, function, path)
        if declared is not None:
            return _returned(declared.variable.type)
        expanded = self._macros.expanded(node, path, effort)
        if expanded is not None:
            return self.of(expanded, function, path, effort)
        return self._result(called.name, path)

    def _unary(self, node: Unary, function: Function | None, path: str, effort: Effort) -> TypeName | None:
        operand = node.operand
        if node.operator == "!":
            return INT
        if node.operator == "*" and isinstance(operand, Unary) and operand.operator == "&":
            return self.of(operand.operand, function, path, effort)
        inner = self.of(operand, function, path, effort)
        if inner is None:
            return None
        if node.operator == "*":
            return inner if inner.function else pointed(inner)
        if node.operator == "&":
            return inner if inner.function else replace(inner, pointers=inner.pointers + 1)
        return inner

    def _binary(self, node: Binary, function: Function | None, path: str, effort: Effort) -> TypeName | None:
        if node.operator in TRUTH:
            return INT
        right = self.of(node.right, function, path, effort)
        if node.operator == ",":
            return right
        left = self.of(node.left, function, path, effort)
        if is_pointer(left) and is_pointer(right) and node.operator == "-":
            return LONG
        for side in (left, right):
            if side is not None and is_pointer(side):
                return decayed(side)
        if left is None or right is None:
            return None
        return max(left, right, key=_width)

    def _conditional(self, node: Conditional, function: Function | None, path: str, effort: Effort) -> TypeName | None:
        then = self.of(node.then, function, path, effort)
        other = self.of(node.other, function, path, effort)
        if then is None or (is_pointer(other) and not is_pointer(then)):
            return other
        return then


def is_pointer(type_name: TypeName | None) -> bool:
    """Whether a value of the type is an address."""
    return type_name is not None and bool(type_name.pointers or type_name.arrays)


def decayed(type_name: TypeName) -> TypeName:
    """An array as a value: the address of its first element."""
    if not type_name.arrays:
        return type_name
    return replace(type_name, pointers=type_name.pointers + 1, arrays=type_name.arrays[1:])


def pointed(type_name: TypeName) -> TypeName | None:
    """What an address of the type leads to; an array loses its first dimension before a pointer is followed."""
    if type_name.arrays:
        return replace(type_name, arrays=type_name.arrays[1:])
    if type_name.pointers:
        return replace(type_name, pointers=type_name.pointers - 1)
    return type_name if type_name.function else None


def _returned(type_name: TypeName | None) -> TypeName | None:
    """What a call through a pointer of the type returns."""
    return replace(type_name, function=False, arrays=()) if type_name is not None and type_name.function else None


def _width(type_name: TypeName) -> int:
    return max((WIDTHS.index(word) for word in type_name.base.split() if word in WIDTHS), default=WIDTHS.index("int"))
