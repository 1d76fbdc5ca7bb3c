"""Integer values that the sources fix: numbers, enumerators, macros, constants, sizes of arrays.

Rules of this file: a value is given only where the compiler would know it too. Sizes of types that differ between
machines are unknown. Values beyond any sensible count are unknown as well, so that no macro can make numbers explode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from cllm_sim.auditor.facts import (
    Binary,
    Call,
    Cast,
    Conditional,
    Expr,
    FileFacts,
    Function,
    InitialList,
    Name,
    Number,
    SizeOf,
    Text,
    TypeName,
    Unary,
)
from cllm_sim.auditor.program.expand import Macros
from cllm_sim.auditor.program.nodes import Effort
from cllm_sim.auditor.program.types import Types
from cllm_sim.auditor.program.typing_of import ExpressionTypes
from cllm_sim.auditor.program.variables import Declared, Variables
from cllm_sim.auditor.program.visibility import Visibility

BITS_MAX = 128
FIXED_SIZES = {"char": 1, "signed char": 1, "unsigned char": 1, "int8_t": 1, "uint8_t": 1, "int16_t": 2, "uint16_t": 2}
FIXED_SIZES |= {
    "int32_t": 4,
    "uint32_t": 4,
    "int64_t": 8,
    "uint64_t": 8,
    "_Bool": 1,
    "bool": 1,
    "float": 4,
    "double": 8,
}


class Enumerator(NamedTuple):
    """An enumerator: so many steps after the last one before it that was given a value (None: after the first)."""

    path: str
    start: Expr | None
    steps: int


class Constants:
    """Evaluates what is constant."""

    def __init__(
        self,
        files: Sequence[FileFacts],
        visibility: Visibility,
        types: Types,
        macros: Macros,
        variables: Variables,
    ) -> None:
        self._visibility = visibility
        self._types = types
        self._macros = macros
        self._variables = variables
        self._enumerators: dict[str, list[Enumerator]] = {}
        for file in files:
            self._number(file)
        self._known: dict[tuple[str, str], int | None] = {}
        self.type_of: ExpressionTypes | None = None
        self._kinds: dict[type, Callable[[Any, Function | None, str, Effort], int | None]] = {
            Number: lambda node, *_: limited(node.value),
            Name: self._name,
            Unary: self._unary,
            Binary: self._binary,
            Conditional: self._conditional,
            Cast: lambda node, function, path, effort: self.value(node.operand, function, path, effort),
            SizeOf: self._sizeof,
            Call: self._call,
        }

    def _number(self, file: FileFacts) -> None:
        start: Expr | None = None
        steps = 0
        for name, value, position in file.constants:
            if value is not None or position == 0:
                start, steps = value, 0
            self._enumerators.setdefault(name, []).append(Enumerator(file.path, start, steps))
            steps += 1

    @property
    def enumerators(self) -> set[str]:
        """All names of enumerators."""
        return set(self._enumerators)

    def value(self, expr: Expr, function: Function | None, path: str, effort: Effort) -> int | None:
        """The value of an expression in a function of a file, if it is constant."""
        kind = self._kinds.get(type(expr))
        if kind is None or not effort.enter():
            return None
        try:
            return kind(expr, function, path, effort)
        finally:
            effort.leave()

    # --------------------------------------------------------------------------------------------------------- names
    def _name(self, node: Name, function: Function | None, path: str, effort: Effort) -> int | None:
        declared = self._variables.declared(node.name, function, path)
        if declared is not None and declared.variable.kind != "global":
            return self._initial(declared, function, path, effort)
        key = (node.name, path)
        if key not in self._known:
            value = self._file_level(node, declared, path, effort)
            if effort.exhausted:
                return value  # another question may get further
            self._known[key] = value
        return self._known[key]

    def _file_level(self, node: Name, declared: Declared | None, path: str, effort: Effort) -> int | None:
        if declared is not None:
            return self._initial(declared, None, declared.variable.path, effort)
        expanded = self._macros.expanded(node, path, effort)
        if expanded is not None:
            return self.value(expanded, None, path, effort)
        return self._enumerator(node.name, path, effort)

    def _initial(self, declared: Declared, function: Function | None, path: str, effort: Effort) -> int | None:
        kind = declared.variable.type
        if declared.initial is None or "const" not in kind.qualifiers or kind.pointers or kind.arrays:
            return None
        return self.value(declared.initial, function, path, effort)

    def _enumerator(self, name: str, path: str, effort: Effort) -> int | None:
        found = self._visibility.nearest(self._enumerators.get(name, ()), path, lambda entry: entry.path)
        if found is None:
            return None
        start = 0 if found.start is None else self.value(found.start, None, found.path, effort)
        return None if start is None else start + found.steps

    # ---------------------------------------------------------------------------------------------------- operations
    def _unary(self, node: Unary, function: Function | None, path: str, effort: Effort) -> int | None:
        if node.operator not in UNARY:
            return None
        operand = self.value(node.operand, function, path, effort)
        return None if operand is None else UNARY[node.operator](operand)

    def _binary(self, node: Binary, function: Function | None, path: str, effort: Effort) -> int | None:
        right = self.value(node.right, function, path, effort)
        if node.operator == ",":
            return right
        if node.operator == "/" and isinstance(node.left, SizeOf) and isinstance(node.right, SizeOf):
            return self._length(node.left, node.right, function, path, effort)
        left = self.value(node.left, function, path, effort)
        if left is None or right is None:
            return self._short_cut(node.operator, left, right)
        return operate(node.operator, left, right)

    @staticmethod
    def _short_cut(operator: str, left: int | None, right: int | None) -> int | None:
        if operator == "&&" and 0 in (left, right):
            return 0
        if operator == "||" and (left or right):
            return 1
        return None

    def _conditional(self, node: Conditional, function: Function | None, path: str, effort: Effort) -> int | None:
        condition = self.value(node.condition, function, path, effort)
        if condition is None:
            return None
        return self.value(node.then if condition else node.other, function, path, effort)

    def _call(self, node: Call, function: Function | None, path: str, effort: Effort) -> int | None:
        expanded = self._macros.expanded(node, path, effort)
        return None if expanded is None else self.value(expanded, function, path, effort)

    # --------------------------------------------------------------------------------------------------------- sizes
    def _sizeof(self, node: SizeOf, function: Function | None, path: str, effort: Effort) -> int | None:
        if isinstance(node.operand, Text):
            return len(node.operand.value.encode()) + 1
        measured = self.measured(node, function, path, effort)
        if measured is None or measured.pointers or measured.function or measured.base not in FIXED_SIZES:
            return None
        sizes = [self.dimension(size, function, path, effort) for size in measured.arrays]
        known = [size for size in sizes if size is not None]
        return limited(FIXED_SIZES[measured.base] * math.prod(known)) if len(known) == len(sizes) else None

    def measured(self, node: SizeOf, function: Function | None, path: str, effort: Effort) -> TypeName | None:
        """The type whose size is asked for, with the sizes of arrays that their initial lists fix."""
        operand = node.operand
        if operand is None and node.type is not None and not node.type.pointers:
            declared = self._variables.declared(node.type.base, function, path)
            operand = None if declared is None else Name(node.type.base, node.line, node.column)
        if operand is None:
            return None if node.type is None else self._types.resolved(node.type, path)
        found = None if self.type_of is None else self.type_of.of(operand, function, path, effort)
        if found is not None and found.arrays and found.arrays[0] is None and isinstance(operand, Name):
            length = self._listed(operand, function, path)
            if length is not None:
                first = Number(length, str(length), node.line, node.column)
                return TypeName(
                    found.base, found.pointers, (first, *found.arrays[1:]), found.qualifiers, found.function
                )
        return found

    def _listed(self, name: Name, function: Function | None, path: str) -> int | None:
        """The length of an array without a size: that of its initial list or string."""
        declared = self._variables.declared(name.name, function, path)
        initial = None if declared is None else declared.initial
        if isinstance(initial, Text):
            return len(initial.value.encode()) + 1
        if not isinstance(initial, InitialList) or any(designator for designator, _ in initial.items):
            return None
        return len(initial.items)

    def dimension(self, size: Expr | None, function: Function | None, path: str, effort: Effort) -> int | None:
        """The value of one dimension of an array."""
        return None if size is None else self.value(size, function, path, effort)

    def _length(self, whole: SizeOf, part: SizeOf, function: Function | None, path: str, effort: Effort) -> int | None:
        """`sizeof array / sizeof array[0]`: the product of the dimensions that the part lacks."""
        sizes = self.lengths(whole, part, function, path, effort)
        if sizes is None:
            return None
        values = [self.dimension(size, function, path, effort) for size in sizes]
        known = [value for value in values if value is not None]
        return limited(math.prod(known)) if len(known) == len(values) else None

    def lengths(
        self, whole: SizeOf, part: SizeOf, function: Function | None, path: str, effort: Effort
    ) -> tuple[Expr | None, ...] | None:
        """The dimensions whose product is `whole / part`; None where the two are not an array and its element."""
        left = self.measured(whole, function, path, effort)
        right = self.measured(part, function, path, effort)
        if left is None or right is None or (left.base, left.pointers) != (right.base, right.pointers):
            return None
        extra = len(left.arrays) - len(right.arrays)
        return left.arrays[:extra] if extra > 0 and left.function == right.function else None


# -------------------------------------------------------------------------------------------------------- arithmetic
UNARY: dict[str, Callable[[int], int]] = {
    "-": lambda value: -value,
    "+": lambda value: value,
    "!": lambda value: int(not value),
    "~": lambda value: ~value,
}
BINARY: dict[str, Callable[[int, int], int]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "&": lambda left, right: left & right,
    "|": lambda left, right: left | right,
    "^": lambda left, right: left ^ right,
    "==": lambda left, right: int(left == right),
    "!=": lambda left, right: int(left != right),
    "<": lambda left, right: int(left < right),
    ">": lambda left, right: int(left > right),
    "<=": lambda left, right: int(left <= right),
    ">=": lambda left, right: int(left >= right),
    "&&": lambda left, right: int(bool(left and right)),
    "||": lambda left, right: int(bool(left or right)),
}


def operate(operator: str, left: int, right: int) -> int | None:
    """The result of an operator as C has it, or None where C has none or it is beyond sense."""
    if operator in ("/", "%"):
        if right == 0:
            return None
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)  # towards zero
        return quotient if operator == "/" else left - quotient * right
    if operator in ("<<", ">>"):
        if not 0 <= right < BITS_MAX:
            return None
        return limited(left << right if operator == "<<" else left >> right)
    return limited(BINARY[operator](left, right)) if operator in BINARY else None


def limited(value: int | None) -> int | None:
    return value if value is not None and value.bit_length() <= BITS_MAX else None
