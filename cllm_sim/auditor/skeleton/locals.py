"""What is known of the locals of functions: given one value, changed, handed out.

Rules of this file: the text of a function decides, its callers do not.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.facts import (
    Assign,
    Call,
    Expr,
    Function,
    Name,
    Unary,
)
from cllm_sim.auditor.outline.expand import Expander
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.traverse import all_expressions, assigned_locals
from cllm_sim.auditor.vocabulary import KNOWN


class LocalFacts:
    """Answers about the locals of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._expanders: dict[tuple[str, int], Expander] = {}
        self._changed: dict[tuple[str, int], frozenset[str]] = {}
        self._given_away: dict[tuple[str, int], frozenset[str]] = {}

    def rewrite(self, expr: Expr, function: Function) -> Expr:
        """An expression without macros that hide names."""
        key = (function.path, function.line)
        if key not in self._expanders:
            self._expanders[key] = Expander(self.program, function)
        return self._expanders[key].rewrite(expr)

    def one_value(self, name: str, function: Function) -> Expr | None:
        """The value of a local that is given one and never changed (its address does not leave either)."""
        values = assigned_locals(function).get(name, ())
        if len(values) != 1 or self.changes(name, function):
            return None
        return self.rewrite(values[0], function)

    def changes(self, name: str, function: Function) -> bool:
        """Is a local or parameter changed where it stands?"""
        key = (function.path, function.line)
        if key not in self._changed:
            self._changed[key] = _changed(function)
        return name in self._changed[key]

    def given_away(self, function: Function) -> frozenset[str]:
        """Locals whose address is an argument of a library's function that is no threading operation."""
        key = (function.path, function.line)
        if key not in self._given_away:
            self._given_away[key] = frozenset(self._handed_out(function))
        return self._given_away[key]

    def _handed_out(self, function: Function) -> Iterator[str]:
        for call in all_expressions(function.body):
            if not isinstance(call, Call) or not isinstance(call.function, Name) or call.function.name in KNOWN:
                continue
            if self.program.lookup(call.function.name, function.path):
                continue
            for argument in call.arguments:
                if isinstance(argument, Unary) and argument.operator == "&" and isinstance(argument.operand, Name):
                    yield argument.operand.name

    def keeps(self, name: str, function: Function) -> bool:
        """Does a parameter keep the value it was given?"""
        return not self.changes(name, function) and not assigned_locals(function).get(name)


def replace_line(expr: Expr, name: str) -> Expr | None:
    """The expression itself if it is this name, else None: to compare without lines."""
    return expr if isinstance(expr, Name) and expr.name == name else None


def _changed(function: Function) -> frozenset[str]:
    """Locals that are stepped, changed by `+=` and the like, or whose address is taken."""
    found = set()
    for expr in all_expressions(function.body):
        match expr:
            case Unary(operator="++x" | "x++" | "--x" | "x--" | "&", operand=Name(name=name)):
                found.add(name)
            case Assign(operator=operator, target=Name(name=name)) if operator != "=":
                found.add(name)
    return frozenset(found)
