"""Loops that count: an integer from one number to another, or a pointer from an array's start to its end.

Rules of this file: the shape of the loop decides; whether its body changes the counter is asked by who uses it.
"""

from __future__ import annotations

from typing import NamedTuple

from cllm_sim.auditor.facts import Binary, Expr, Number
from cllm_sim.auditor.outline import Repeat
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.roles.discover import counting


class Counted(NamedTuple):
    """The counter, its first value, its limit, whether the limit is included; `array` is what a pointer runs over."""

    name: str
    first: Expr
    last: Expr
    inclusive: bool
    array: Expr | None = None


def counted_loop(loop: Repeat, program: Program) -> Counted | None:
    """A loop as one that counts up by one; None if it is another kind."""
    found = counting(loop)
    if found is None:
        return None
    name, first, last, inclusive = found
    if (
        isinstance(last, Binary)
        and last.operator == "+"
        and not isinstance(first, Number)
        and program.text(last.left) == program.text(first)
    ):
        return Counted(name, Number(0, "0", first.line, first.column), last.right, inclusive, first)
    return Counted(name, first, last, inclusive)
