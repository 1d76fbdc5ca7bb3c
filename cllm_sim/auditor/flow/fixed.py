"""What a call fixes: parameters that are given a constant, and conditions that this decides.

`pause(ALL)` and `pause(NONE)` enter one function with two behaviours; each call's steps are only those that it can
take. Rules of this file: a condition without such a parameter is never decided here (`if (DEBUG)` keeps both sides, for
another build takes the other one), nor by a parameter that the function itself changes.
"""

from __future__ import annotations

from collections.abc import Mapping

from cllm_sim.auditor.facts import Binary, Call, Cast, Expr, Function, Name, Unary
from cllm_sim.auditor.outline import Mark, Outliner, Select, Seq, children
from cllm_sim.auditor.outline.failure import CONSTANTS
from cllm_sim.auditor.traverse import all_expressions, assigned_locals, names

Values = Mapping[str, int]
KNOWN_NUMBERS = {name: number for name, number in CONSTANTS.items() if name != "errno"}
CHANGES = frozenset({"&", "++x", "x++", "--x", "x--"})


class Fixed:
    """Answers for one program."""

    def __init__(self, outliner: Outliner) -> None:
        self.program = outliner.program
        self._changed: dict[tuple[str, int], frozenset[str]] = {}

    def handed_over(self, call: Call, caller: Function, known: Values, callee: Function) -> Values:
        """The parameters of a called function that keep one number from beginning to end."""
        changed = self._changes(callee)
        found: dict[str, int] = {}
        for parameter, argument in zip(callee.parameters, call.arguments, strict=False):
            value = None if parameter.name in changed else self.value(argument, caller, known)
            if value is not None:
                found[parameter.name] = value
        return found

    def truth(self, condition: Expr, function: Function, known: Values) -> bool | None:
        """What a condition always is, given the parameters that are known; None where that is open."""
        if not known or not names(condition) & known.keys():
            return None
        value = self.value(condition, function, known)
        return None if value is None else bool(value)

    def case(self, select: Select, function: Function, known: Values) -> int | None:
        """The number of the case that a switch always takes (as many as there are: none); None where that is open."""
        if not known or not names(select.subject) & known.keys():
            return None
        subject = self.value(select.subject, function, known)
        values = [None if value is None else self.value(value, function, {}) for value, _, _ in select.cases]
        open_ones = any(
            value is not None and number is None for (value, _, _), number in zip(select.cases, values, strict=True)
        )
        if subject is None or open_ones:
            return None
        if subject in values:
            return values.index(subject)
        return next((i for i, (value, _, _) in enumerate(select.cases) if value is None), len(values))

    def value(self, expr: Expr, function: Function, known: Values) -> int | None:
        """The number that an expression has, as far as constants and known parameters decide."""
        match expr:
            case Name(name=name) if name in known:
                return known[name]
            case Name(name=name):
                constant = self.program.constant(expr, function, function.path)
                return KNOWN_NUMBERS.get(name) if constant is None else constant
            case Cast(operand=operand):
                return self.value(operand, function, known)
            case Unary(operator="!" | "-" as operator, operand=operand):
                inner = self.value(operand, function, known)
                return None if inner is None else int(not inner) if operator == "!" else -inner
            case Binary(operator=operator, left=left, right=right) if operator in DECIDES:
                one, other = self.value(left, function, known), self.value(right, function, known)
                return _combined(operator, one, other)
            case _:
                return self.program.constant(expr, function, function.path)

    def _changes(self, function: Function) -> frozenset[str]:
        """The names that a function assigns to, counts with, or takes the address of."""
        key = (function.path, function.line)
        if key not in self._changed:
            self._changed[key] = frozenset(assigned_locals(function)) | {
                one.operand.name
                for one in all_expressions(function.body)
                if isinstance(one, Unary) and one.operator in CHANGES and isinstance(one.operand, Name)
            }
        return self._changed[key]


DECIDES = frozenset({"==", "!=", "<", ">", "<=", ">=", "&&", "||", "&"})


def _combined(operator: str, one: int | None, other: int | None) -> int | None:
    if operator in {"&&", "||"}:
        decides = operator == "||"
        if any(value is not None and bool(value) is decides for value in (one, other)):
            return int(decides)
        return None if one is None or other is None else int(not decides)
    if one is None or other is None:
        return None
    table = {"==": one == other, "!=": one != other, "<": one < other, ">": one > other, "<=": one <= other}
    return one & other if operator == "&" else int(table.get(operator, one >= other))


def has_label(body: Seq) -> bool:
    """May a `goto` lead into this?"""
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, Mark):
            return True
        stack.extend(children(node))
    return False
