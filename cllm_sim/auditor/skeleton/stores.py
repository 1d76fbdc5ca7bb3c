"""Every assignment of the program to members, globals and elements, found by the last name of its target.

Rules of this file: initial lists are shared out to members; nothing is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cllm_sim.auditor.facts import (
    Assign,
    Call,
    Cast,
    Declare,
    Expr,
    Function,
    Index,
    InitialList,
    Loop,
    Member,
    Name,
    Number,
    Record,
    Stmt,
    TypeName,
    Unary,
)
from cllm_sim.auditor.outline.expand import Expander
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.skeleton.place import DEPTH_MAX
from cllm_sim.auditor.traverse import expressions, inner, statements, within


@dataclass(frozen=True, slots=True)
class Stored:
    """An assignment to a member, a global or an element, anywhere in the program."""

    target: Expr
    value: Expr
    function: Function
    initial: bool = False


def loops_of(function: Function) -> dict[int, tuple[Loop, ...]]:
    """The loops around every statement of a function, by the statement's identity."""
    found: dict[int, tuple[Loop, ...]] = {}

    def visit(body: tuple[Stmt, ...], around: tuple[Loop, ...]) -> None:
        for one in body:
            found[id(one)] = around
            visit(inner(one), (*around, one) if isinstance(one, Loop) else around)

    visit(function.body, ())
    return found


def counted(loop: Loop) -> str | None:
    """The local that a facts' loop counts, if its step changes one."""
    step = loop.step
    if isinstance(step, Unary) and isinstance(step.operand, Name):
        return step.operand.name
    if isinstance(step, Assign) and isinstance(step.target, Name):
        return step.target.name
    return None


class Stores:
    """Every assignment of the program by the last name of its target; initial lists are shared out to members."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.by_name: dict[str, list[Stored]] = {}
        for function in program.functions:
            expander = Expander(program, function)
            for one in self._statements(function):
                if isinstance(one, Declare) and isinstance(one.initial, InitialList | Cast):
                    self._value(Name(one.name, one.line, one.column), one.initial, function, initial=True)
                for expr in expressions(one):
                    for part in within(expander.rewrite(expr)):
                        if isinstance(part, Assign) and part.operator == "=":
                            self._value(part.target, part.value, function)
        for file in program.files:
            place = Function("", file.path, 1, 1, TypeName("void"), (), (), static=True)
            for variable in file.globals:
                if variable.initial is not None:
                    self._value(Name(variable.name, variable.line), variable.initial, place, initial=True)

    def _statements(self, function: Function) -> Iterator[Stmt]:
        for one in statements(function.body):
            yield one
            expression = getattr(one, "expression", None)
            if isinstance(expression, Call | Name):
                expanded = self.program.expand(expression, function.path)
                if isinstance(expanded, tuple):
                    yield from statements(expanded)

    def _value(self, target: Expr, value: Expr, function: Function, depth: int = 0, initial: bool = False) -> None:
        listed = value.operand if isinstance(value, Cast) else value
        if isinstance(listed, InitialList) and depth < DEPTH_MAX:
            self._list(target, listed, function, depth, initial)
            return
        name = last_name(target)
        if name:
            self.by_name.setdefault(name, []).append(Stored(target, value, function, initial))

    def _list(self, target: Expr, listed: InitialList, function: Function, depth: int, initial: bool) -> None:
        type = self.program.type_of(target, function)
        if type is None:
            return
        if type.arrays:
            for number, (designator, value) in enumerate(listed.items):
                index: Expr = Number(number, str(number), target.line)
                element = Index(target, index, target.line, target.column)
                self._value(_designated(element, designator), value, function, depth + 1, initial)
            return
        record = self.program.record(type)
        if record is not None:
            self._members(target, record, listed, function, depth, initial)

    def _members(
        self, target: Expr, record: Record, listed: InitialList, function: Function, depth: int, initial: bool
    ) -> None:
        position = 0
        for designator, value in listed.items:
            name = designator.lstrip(". ").partition(".")[0].partition("[")[0].strip()
            if not name and position < len(record.members):
                name = record.members[position].name
            position = next((at for at, one in enumerate(record.members) if one.name == name), position) + 1
            if name and designator.count(".") < 2 and "[" not in designator:
                member = Member(target, name, False, target.line, target.column)
                self._value(member, value, function, depth + 1, initial)

    def of(self, name: str) -> list[Stored]:
        """All assignments to something of this last name."""
        return self.by_name.get(name, [])


def _designated(element: Index, designator: str) -> Expr:
    number = designator.strip("[] ")
    if designator.startswith("[") and number.isdigit():
        return replace(element, index=Number(int(number), number, element.line))
    return element


def last_name(target: Expr) -> str:
    """The member or variable that an lvalue ends with; elements and pointers count as what holds them."""
    while True:
        match target:
            case Member(name=name) | Name(name=name):
                return name
            case Index(base=base):
                target = base
            case Unary(operator="*" | "&", operand=operand) | Cast(operand=operand):
                target = operand
            case _:
                return ""
