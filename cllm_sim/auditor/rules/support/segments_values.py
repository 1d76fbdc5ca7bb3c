"""Values of expressions for `segments_run.py`: integers, pointers into buffers, records passed as a whole.

Rules of this file: None is "not known"; a pointer that each worker was given another allocation of leads to a buffer of
its own name for every worker. A number of the program that nobody fixes is the number of workers where it is their
count, and one chosen total otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import NamedTuple

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Expr,
    Function,
    Index,
    InitialList,
    Member,
    Name,
    Number,
    TypeName,
    Unary,
)
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.program.constants import operate
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.races_sharing import sharings
from cllm_sim.auditor.rules.support.segments_shares import workers_of
from cllm_sim.auditor.traverse import all_expressions
from cllm_sim.auditor.vocabulary import KNOWN, Act

ALLOCATION = "the memory"


class GiveUp(Exception):
    """A limit was reached, or something is not understood."""


class Pointer(NamedTuple):
    """An element of a buffer."""

    buffer: str
    element: int


class Reference(NamedTuple):
    """The address of a local of a frame."""

    frame: Frame
    name: str


class Record(NamedTuple):
    """The members of a record that is a value."""

    members: dict[str, Value]


class Thing(NamedTuple):
    """A record somewhere; its members are found by type. `text` says which expression led to it."""

    text: str


Value = int | Pointer | Reference | Record | Thing | None


@dataclass(slots=True, eq=False)
class Frame:
    """The locals of one running function. `asked` are parameters whose values are found when they are needed."""

    function: Function
    locals: dict[str, Value] = field(default_factory=dict)
    asked: dict[str, tuple[Function, Expr]] = field(default_factory=dict)

    def store(self, name: str, value: Value) -> None:
        """Set a local (a record member by member)."""
        if isinstance(value, Record):
            for member, one in value.members.items():
                self.locals[f"{name}.{member}"] = one
        else:
            self.locals[name] = value


def merged(outcomes: list[dict[str, Value]]) -> dict[str, Value]:
    """What several ways agree on."""
    first = outcomes[0]
    return {
        name: value if all(one.get(name) == value for one in outcomes) else None
        for name, value in first.items()
        if all(name in one for one in outcomes)
    }


class Valuer:
    """Evaluates expressions for one worker; `at`, `call` and `touch` are the interpreter's."""

    def __init__(self, analysis: Analysis, role: Role, number: int, workers: int, unknown: int) -> None:
        self.analysis = analysis
        self.program: Program = analysis.program
        self.role = role
        self.number = number
        self.workers = workers
        self.unknown = unknown
        self.count = workers_of(analysis, role)
        self._members: dict[str, Value] = {}
        self._asking: set[str] = set()

    def at(self, function: Function, target: Expr) -> Value:
        """The value of an expression where the workers are made."""
        raise NotImplementedError

    def call(self, call: Call, frame: Frame) -> Value:
        """The value of a call."""
        raise NotImplementedError

    def allocated(self, call: Call, frame: Frame) -> Value:
        """The buffer that an allocation makes: one for all workers, or one for each."""
        known = KNOWN.get(call.function.name) if isinstance(call.function, Name) else None
        if known is None or known.act not in {Act.ALLOCATE, Act.MAP}:
            return None
        once = sharings(self.analysis).made_once(frame.function.path, call)
        return Pointer(ALLOCATION if once else f"{ALLOCATION} of {self.number} from line {call.line}", 0)

    def touch(self, expr: Expr, buffer: str, element: int | None, frame: Frame) -> None:
        """An element is written."""
        raise NotImplementedError

    def argument(self) -> Value:
        """What the worker's thread was given: its number, or the record it is to use."""
        created = self.role.created[0]
        given = created.event.argument
        if given is None:
            return None
        found = self.at(created.function, given)
        return found if isinstance(found, int) else Thing("argument")

    # ------------------------------------------------------------------------------------------------------ expressions
    def whole(self, expr: Expr, frame: Frame) -> Value:
        """A value that may be a record."""
        if isinstance(expr, Cast) and isinstance(expr.operand, InitialList):
            return Record(self.listed(expr.operand, expr.type, frame))
        if isinstance(expr, Name):
            held = {
                name.split(".", 1)[1]: value for name, value in frame.locals.items() if name.startswith(f"{expr.name}.")
            }
            if held:
                return Record(held)
        return self.value(expr, frame)

    def value(self, expr: Expr, frame: Frame) -> Value:  # one line per kind of expression
        """The value of an expression."""
        match expr:
            case Number(value=value):
                return value
            case Name():
                return self._name(expr, frame)
            case Cast(operand=operand):
                return self.value(operand, frame)
            case Binary():
                return self._binary(expr, frame)
            case Conditional(condition=condition, then=then, other=other):
                chosen = self.value(condition, frame)
                if isinstance(chosen, int):
                    return self.value(then if chosen else other, frame)
                one, two = self.value(then, frame), self.value(other, frame)
                return one if one == two else None
            case Assign():
                return self._assign(expr, frame)
            case Unary():
                return self._unary(expr, frame)
            case Member():
                return self._member(expr, frame)
            case Index():
                return self._element(expr, frame)
            case Call():
                return self.call(expr, frame)
            case _:
                return self.program.constant(expr, frame.function, frame.function.path)

    def listed(self, given: InitialList, type: TypeName, frame: Frame) -> dict[str, Value]:
        """The members of an initial list, by designator or by position."""
        record = self.program.record(self.program.resolved(type, frame.function.path))
        names = [one.name for one in record.members] if record is not None else []
        found: dict[str, Value] = {}
        for position, (designator, value) in enumerate(given.items):
            name = designator.lstrip(".") or (names[position] if position < len(names) else "")
            if name:
                found[name] = self.value(value, frame)
        return found

    def _name(self, expr: Name, frame: Frame) -> Value:
        if expr.name in frame.locals:
            return frame.locals[expr.name]
        if expr.name in frame.asked:
            owner, argument = frame.asked[expr.name]
            frame.locals[expr.name] = self.at(owner, argument)
            return frame.locals[expr.name]
        variable = self.program.variable(expr.name, frame.function, frame.function.path)
        if variable is not None and (variable.type.arrays or variable.kind == "global"):
            location = self.analysis.locations.of(expr, frame.function)
            if variable.type.arrays:
                return None if location is None else Pointer(location.label, 0)
            if variable.type.pointers and location is not None:
                return self._kept(location.label)
        constant = self.program.constant(expr, frame.function, frame.function.path)
        if constant is not None:
            return constant
        return self._symbol(expr, frame) if variable is not None and variable.kind == "global" else None

    def _symbol(self, expr: Expr, frame: Frame) -> Value:
        """A number that the program keeps: its one value, the number of workers, or the total chosen for this run."""
        type = self.program.type_of(expr, frame.function)
        if type is None or type.pointers or type.arrays:
            return None
        count = self.program.count(expr, frame.function, frame.function.path)
        if self.count is not None and self.program.same_count(count, self.count):
            return self.workers
        known = self.program.followed(count)
        return known.value if known.value is not None else self.unknown

    # ---------------------------------------------------------------------------------------------------- memory
    def _member(self, expr: Member, frame: Frame) -> Value:
        text = self.program.text(expr)
        if text in frame.locals:
            return frame.locals[text]
        location = self.analysis.locations.of(expr, frame.function)
        if location is None or location.owner == "?":
            return None
        type = self.program.type_of(expr, frame.function)
        if type is not None and type.arrays:
            return Pointer(location.label, 0)
        kept = self._kept(location.label)
        if kept is not None:
            return kept
        if type is not None and (type.pointers or self.program.record(type) is not None):
            return Thing(text)
        values = self.program.assignments.get(location.label, [])
        return None if len(values) > 1 or self._varies(values) else self._symbol(expr, frame)

    def _varies(self, values: list[tuple[Expr, Function]]) -> bool:
        """Is a member set in a way that may differ from worker to worker?"""
        return any(not isinstance(value, Number) and owner.name for value, owner in values)

    def _kept(self, label: str) -> Value:
        """What the makers put into a member or global, for this worker."""
        if label in self._members:
            return self._members[label]
        if label in self._asking:
            return None
        self._asking.add(label)
        found: list[Value] = []
        for value, owner in self.program.assignments.get(label, []):
            made = self._made(value, owner)
            if isinstance(made, Pointer) and made.buffer.startswith(ALLOCATION):
                made = Pointer(made.buffer.replace(ALLOCATION, label), made.element)
            if made is not None and made not in found:
                found.append(made)
        self._asking.discard(label)
        more = [one for one in found if one != 0]
        self._members[label] = more[0] if len(more) == 1 else (0 if found == [0] else None)
        return self._members[label]

    def _made(self, value: Expr, owner: Function) -> Value:
        if isinstance(value, Number):
            return value.value
        if not owner.name:
            return self.program.constant(value, None, owner.path)
        return self.at(owner, value)

    def _element(self, expr: Index, frame: Frame) -> Value:
        """`base[index]`: part of an array of arrays is a pointer, an element is not known (unless a local record)."""
        base, index = self.value(expr.base, frame), self.value(expr.index, frame)
        type = self._row(expr.base, frame) or self.program.type_of(expr, frame.function)
        if isinstance(base, Pointer) and isinstance(index, int) and type is not None and type.arrays:
            sizes = [
                None if one is None else self.program.constant(one, None, frame.function.path) for one in type.arrays
            ]
            known = [one for one in sizes if one is not None]
            return Pointer(base.buffer, base.element + index * prod(known)) if len(known) == len(sizes) else None
        return None

    def _row(self, base: Expr, frame: Frame) -> TypeName | None:
        """The row that a global pointer to rows leads to, `cell (*rows)[WIDTH]` (no array is assigned)."""
        if not isinstance(base, Name) or base.name in frame.locals:
            return None
        variable = self.program.variable(base.name, frame.function, frame.function.path)
        if variable is None or variable.kind != "global" or variable.type.pointers != 1 or not variable.type.arrays:
            return None
        location = self.analysis.locations.of(base, frame.function)
        given = [] if location is None else self.program.assignments.get(location.label, [])
        moved = any(owner.name and not isinstance(value, InitialList) for value, owner in given)
        return variable.type if moved else None

    def place(self, expr: Expr, frame: Frame) -> Pointer | None:
        """The element that an lvalue names."""
        match expr:
            case Index(base=base, index=index):
                pointer, offset = self.value(base, frame), self.value(index, frame)
                if isinstance(pointer, Pointer) and isinstance(offset, int):
                    return Pointer(pointer.buffer, pointer.element + offset)
            case Unary(operator="*", operand=operand):
                pointer = self.value(operand, frame)
                return pointer if isinstance(pointer, Pointer) else None
            case _:
                pass
        return None

    # -------------------------------------------------------------------------------------------------- operations
    def _binary(self, expr: Binary, frame: Frame) -> Value:
        left, right = self.value(expr.left, frame), self.value(expr.right, frame)
        if isinstance(left, Pointer) and isinstance(right, int) and expr.operator in {"+", "-"}:
            return Pointer(left.buffer, left.element + (right if expr.operator == "+" else -right))
        if isinstance(right, Pointer) and isinstance(left, int) and expr.operator == "+":
            return Pointer(right.buffer, right.element + left)
        if isinstance(left, int) and isinstance(right, int):
            return operate(expr.operator, left, right)
        return None

    def _assign(self, expr: Assign, frame: Frame) -> Value:
        value = self.whole(expr.value, frame)
        if expr.operator != "=":
            before = self.value(expr.target, frame)
            known = isinstance(before, int) and isinstance(value, int)
            moved = Binary(expr.operator[:-1], expr.target, expr.value, expr.line, expr.column)
            value = self.value(moved, frame) if known or isinstance(before, Pointer) else None
        self._store(expr.target, value, frame)
        return value

    def _store(self, target: Expr, value: Value, frame: Frame) -> None:
        while isinstance(target, Cast):
            target = target.operand
        match target:
            case Name(name=name):
                frame.store(name, value)
            case Member():
                frame.store(self.program.text(target), value)
            case Unary(operator="*", operand=operand) if isinstance(at := self.value(operand, frame), Reference):
                at.frame.store(at.name, value)
            case Index() | Unary(operator="*"):
                place = self.place(target, frame)
                if place is not None:
                    self.touch(target, place.buffer, place.element, frame)
            case _:
                pass

    def _unary(self, expr: Unary, frame: Frame) -> Value:
        operand = expr.operand
        match expr.operator:
            case "&":
                return self._address(operand, frame)
            case "*":
                return self._pointed(operand, frame)
            case "x++" | "++x" | "x--" | "--x":
                before = self.value(operand, frame)
                step = 1 if "+" in expr.operator else -1
                after: Value = None
                if isinstance(before, int):
                    after = before + step
                elif isinstance(before, Pointer):
                    after = Pointer(before.buffer, before.element + step)
                self._store(operand, after, frame)
                return before if expr.operator.startswith("x") else after
            case operator:
                number = self.value(operand, frame)
                if not isinstance(number, int):
                    return None
                return {"-": -number, "+": number, "!": int(not number), "~": ~number}.get(operator)

    def _address(self, operand: Expr, frame: Frame) -> Value:
        if isinstance(operand, Name):
            variable = self.program.variable(operand.name, frame.function, frame.function.path)
            if variable is not None and variable.kind in {"local", "parameter"}:
                return Reference(frame, operand.name)
        if isinstance(operand, Index):
            type = self.program.type_of(operand, frame.function)
            if type is not None and self.program.record(type) is None:
                return self.place(operand, frame)
        return Thing(self.program.text(operand))

    def _pointed(self, operand: Expr, frame: Frame) -> Value:
        at = self.value(operand, frame)
        if isinstance(at, Reference):
            return at.frame.locals.get(at.name)
        if isinstance(at, Thing) and at.text == "argument":
            return self._given()
        return None

    def _given(self) -> Value:
        """`*(int *)argument`: what the creator put into the element whose address it passed."""
        created = self.role.created[0]
        given = created.event.argument
        while isinstance(given, Cast) or (isinstance(given, Unary) and given.operator == "&"):
            given = given.operand
        if not isinstance(given, Index):
            return None
        base = self.program.text(given.base)
        for one in all_expressions(created.function.body):
            if isinstance(one, Assign) and isinstance(one.target, Index) and self.program.text(one.target.base) == base:
                return self.at(created.function, one.value)
        return None
