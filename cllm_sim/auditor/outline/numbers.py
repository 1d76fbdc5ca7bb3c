"""Numbers that an expression may have, from those its names and calls may have.

A value is a small set of numbers, and whether it comes from a call's success. One source has one number at a time
(`rc && rc != SERIAL` with rc 0 or SERIAL is always false). Rules of this file: None is "not known", and stays so.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

from cllm_sim.auditor.facts import Assign, Binary, Call, Cast, Conditional, Expr, Index, Member, Name, Number, Unary

DEPTH_MAX = 60
NUMBERS_MAX = 4
CHOICES_MAX = 64


class Value(NamedTuple):
    """The numbers something may be; `derived` tells that they rest on calls that succeed."""

    numbers: tuple[int, ...]
    derived: bool


State = dict[str, Value]
"""What is known at a point of a function: by the text of a variable or member."""
Source = Callable[[Expr], Value | None]


def evaluate(expr: Expr, source: Source) -> Value | None:
    """The numbers an expression may have; None where they are not known."""
    held: dict[Expr, Value] = {}

    def collect(one: Expr) -> int | None:
        value = source(one)
        if value is None:
            return None
        held[_plain(one)] = value
        return value.numbers[0]

    if _number(expr, collect, 0) is None or _choices(held) > CHOICES_MAX:
        return None
    found: set[int] = set()
    for numbers in product(*(value.numbers for value in held.values())):
        chosen = dict(zip(held, numbers, strict=True))
        number = _number(expr, lambda one, chosen=chosen: chosen.get(_plain(one)), 0)  # type: ignore[misc]
        if number is None:
            return None
        found.add(number)
    derived = any(value.derived for value in held.values())
    return Value(tuple(sorted(found)), derived) if len(found) <= NUMBERS_MAX else None


def joined(one: State | None, other: State | None) -> State | None:
    """What is known where two ways meet; None is a way that nothing takes."""
    if one is None or other is None:
        return other if one is None else one
    found: State = {}
    for text in one.keys() & other.keys():
        numbers = tuple(sorted({*one[text].numbers, *other[text].numbers}))
        if len(numbers) <= NUMBERS_MAX:
            found[text] = Value(numbers, one[text].derived or other[text].derived)
    return found


def _choices(held: dict[Expr, Value]) -> int:
    total = 1
    for value in held.values():
        total *= len(value.numbers)
    return total


def _plain(expr: Expr) -> Expr:
    """A name without its place, so that two uses of it are one source; calls are told apart by theirs."""
    return Name(expr.name, 0, 0) if isinstance(expr, Name) else expr


def _number(expr: Expr, known: Callable[[Expr], int | None], depth: int) -> int | None:
    if depth > DEPTH_MAX:
        return None

    def inner(one: Expr) -> int | None:
        return _number(one, known, depth + 1)

    match expr:
        case Number(value=value):
            return value
        case Cast(operand=operand) | Assign(operator="=", value=operand) | Binary(operator=",", right=operand):
            return inner(operand)
        case Unary(operator="!" | "-" | "+" as operator, operand=operand):
            number = inner(operand)
            return None if number is None else {"!": int(not number), "-": -number, "+": number}[operator]
        case Binary(operator=operator, left=left, right=right):
            return _binary(operator, inner(left), inner(right))
        case Conditional(condition=condition, then=then, other=other):
            test, first, second = inner(condition), inner(then), inner(other)
            return (first if first == second else None) if test is None else first if test else second
        case Name() | Member() | Index() | Call():
            return known(expr)
        case _:
            return None


def _binary(operator: str, left: int | None, right: int | None) -> int | None:
    if operator == "&&" and (left == 0 or right == 0):
        return 0
    if operator == "||" and (left or right):
        return 1
    if left is None or right is None:
        return None
    table = {
        "==": left == right, "!=": left != right, "<": left < right, ">": left > right, "<=": left <= right,
        ">=": left >= right, "&&": bool(left and right), "||": bool(left or right), "+": left + right,
        "-": left - right, "|": left | right, "&": left & right,
    }  # fmt: skip
    return int(table[operator]) if operator in table else None
