"""Which piece of memory an expression means, instance by instance: the element of which array, the member of which record.

The rest of the auditor names memory by type; a skeleton needs instances, because a worker's own lock is another one
than its neighbour's. A `Place` is a variable with a path of members, pointers followed ("*") and elements ("[]"), and an
index for each element, as Python text. Pointers are followed by what is ever assigned to them; where an assignment
speaks of one element (`workers[i].queue = &queues[i]`), its indices are matched with those of the place asked for.

Rules of this file: no guess is made silently; what cannot be resolved is None, an index that cannot be is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
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
    Return,
    Site,
    Stmt,
    TypeName,
    Unary,
)
from cllm_sim.auditor.outline.expand import Expander
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.traverse import all_expressions, assigned_locals, expressions, inner, statements, within
from cllm_sim.auditor.vocabulary import KNOWN, Act

UNKNOWN = "?"
FREE = "@"
"""Begins the text of an index that is a local variable of a function not being written: it can only be matched."""

DEPTH_MAX = 24


class Root(NamedTuple):
    """The variable a place begins with; `how` tells apart several activations of the function of a local one."""

    kind: str
    owner: str
    name: str
    path: str = ""
    how: tuple[Site, ...] = ()


class Place(NamedTuple):
    """A piece of memory. `indices` has one text for every "[]" of the path."""

    root: Root
    path: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()

    @property
    def family(self) -> Family:
        """All instances together."""
        return Family(self.root, self.path)

    def member(self, name: str) -> Place:
        """A member of the record that this is."""
        return self._replace(path=(*self.path, name))

    def behind(self) -> Place:
        """The memory that the pointer here leads to."""
        return self._replace(path=(*self.path, "*"))

    def element(self, index: str) -> Place:
        """An element; an index upon an index is an offset within a slice, which stays the slice's."""
        if self.path and self.path[-1] == "[]":
            last = self.indices[-1]
            return self._replace(indices=(*self.indices[:-1], _offset(last, index)))
        return Place(self.root, (*self.path, "[]"), (*self.indices, index))

    def row(self, index: str) -> Place:
        """An element of an array of arrays."""
        return Place(self.root, (*self.path, "[]"), (*self.indices, index))

    def with_indices(self, change: dict[str, str]) -> Place:
        """The same place with indices replaced; one that stays free is unknown."""
        return self._replace(indices=tuple(change.get(one, one) for one in self.indices))


class Family(NamedTuple):
    """A place without its indices."""

    root: Root
    path: tuple[str, ...]


def _offset(first: str, second: str) -> str:
    if first == "0":
        return second
    if second == "0" or second == UNKNOWN or second.isdigit():
        return first
    return second if first == UNKNOWN or first.isdigit() else first


@dataclass(slots=True)
class Frame:
    """One activation of a function, as far as it is known: what its pointer parameters lead to, and Python texts of its
    integers. `thread` are the integers that tell the thread from its siblings."""

    function: Function
    how: tuple[Site, ...] = ()
    places: dict[str, Place | None] = field(default_factory=dict)
    integers: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, Expr] = field(default_factory=dict)
    caller: Frame | None = None


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


class Places:
    """Resolves expressions of one program; `entry_frame` and friends are given by `threads.py`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.stores = Stores(program)
        self.frames: dict[tuple[str, int], Frame] = {}
        self.callers: dict[str, list[tuple[Call, Function]]] = {}
        self.ring_size: Callable[[Expr, Frame], str | None] = lambda expr, frame: None
        self.ring_text: Callable[[Expr, Frame], str | None] = lambda expr, frame: None
        self._active: set[tuple[str, int]] = set()
        self._changed: dict[tuple[str, int], frozenset[str]] = {}
        self._expanders: dict[tuple[str, int], Expander] = {}
        self._loops: dict[tuple[str, int], dict[int, tuple[Loop, ...]]] = {}
        for function in program.functions:
            for expr in all_expressions(function.body):
                if isinstance(expr, Call) and isinstance(expr.function, Name):
                    self.callers.setdefault(expr.function.name, []).append((expr, function))

    def rewrite(self, expr: Expr, function: Function) -> Expr:
        """An expression without macros that hide names."""
        key = (function.path, function.line)
        if key not in self._expanders:
            self._expanders[key] = Expander(self.program, function)
        return self._expanders[key].rewrite(expr)

    def type_of(self, expr: Expr, frame: Frame) -> TypeName | None:
        """The type of an expression where it stands."""
        return self.program.type_of(expr, frame.function)

    # ------------------------------------------------------------------------------------------------------- frames
    def frame(self, function: Function) -> Frame:
        """A function's activation when nothing is known of who calls it: parameters that all callers agree about."""
        key = (function.path, function.line)
        if key not in self.frames:
            self.frames[key] = Frame(function)  # for a recursive one
            self.frames[key] = self._agreed(function)
        return self.frames[key]

    def _agreed(self, function: Function) -> Frame:
        calls = [
            (call, caller)
            for call, caller in self.callers.get(function.name, ())
            if any(one is function for one in self.program.lookup(function.name, caller.path))
        ]
        made = [self.called(self.frame(caller), call, function) for call, caller in calls[:6]]
        if not made:
            return Frame(function)
        first = made[0]
        for name, place in list(first.places.items()):
            if any(other.places.get(name) != place for other in made[1:]):
                first.places[name] = None
        for name, text in list(first.integers.items()):
            if any(other.integers.get(name) != text for other in made[1:]):
                del first.integers[name]
        first.how = first.how if len(made) == 1 else ()
        return first

    def called(self, frame: Frame, call: Call, callee: Function) -> Frame:
        """The activation that a call makes."""
        made = Frame(callee, (*frame.how, Site(frame.function.path, call.line, call.column)), caller=frame)
        for parameter, given in zip(callee.parameters, call.arguments, strict=False):
            argument = self.rewrite(given, frame.function)
            type = self.program.resolved(parameter.type, callee.path)
            if type.pointers or type.arrays:
                made.places[parameter.name] = self.pointee(argument, frame)
            else:
                made.integers[parameter.name] = self.integer(argument, frame)
                made.sizes[parameter.name] = argument
        return made

    # ------------------------------------------------------------------------------------------------------- lvalues
    def place(self, expr: Expr, frame: Frame, depth: int = 0) -> Place | None:
        """The place that an lvalue names."""
        if depth > DEPTH_MAX:
            return None
        depth += 1
        match expr:
            case Name(name=name):
                root = self._root(name, frame)
                return None if root is None else Place(root)
            case Member(base=base, name=name, arrow=arrow):
                at = self.pointee(base, frame, depth) if arrow else self.place(base, frame, depth)
                return None if at is None else at.member(name)
            case Index(base=base, index=index):
                return self._element(base, index, frame, depth)
            case Unary(operator="*", operand=operand):
                return self.pointee(operand, frame, depth)
            case Cast(operand=operand):
                return self.place(operand, frame, depth)
            case Call() as call:
                return self._result(call, frame, depth, self.place)
            case _:
                return None

    def _root(self, name: str, frame: Frame) -> Root | None:
        variable = self.program.variable(name, frame.function, frame.function.path)
        if variable is None:
            return None
        if variable.kind == "global":
            return Root("global", "", name, variable.path if variable.static else "")
        if variable.static:
            return Root("global", variable.function, name, variable.path)
        return Root("local", variable.function, name, variable.path, frame.how)

    def _element(self, base: Expr, index: Expr, frame: Frame, depth: int) -> Place | None:
        type = self.type_of(base, frame)
        text = self.integer(index, frame, depth)
        if type is not None and type.arrays:
            whole = self.place(base, frame, depth)
            return None if whole is None else whole.row(text)
        at = self.pointee(base, frame, depth)
        return None if at is None else at.element(text)

    # ------------------------------------------------------------------------------------------------------- pointers
    def pointee(self, expr: Expr, frame: Frame, depth: int = 0) -> Place | None:
        """The place that a pointer's value leads to."""
        if depth > DEPTH_MAX:
            return None
        depth += 1
        match expr:
            case Unary(operator="&", operand=operand):
                return self.place(operand, frame, depth)
            case Cast(operand=operand) | Assign(value=operand):
                return self.pointee(operand, frame, depth)
            case Unary(operator="++x" | "x++" | "--x" | "x--", operand=operand):
                return self.pointee(operand, frame, depth)
            case Binary(operator="+" | "-", left=left, right=right):
                at = self.pointee(left, frame, depth)
                return None if at is None else at.element(self.integer(right, frame, depth))
            case Conditional(then=then, other=other):
                return self.pointee(then, frame, depth) or self.pointee(other, frame, depth)
            case Call() as call:
                return self._result(call, frame, depth, self.pointee)
            case Name() | Member() | Index() | Unary(operator="*"):
                return self._behind(expr, frame, depth)
            case _:
                return None

    def _behind(self, expr: Expr, frame: Frame, depth: int) -> Place | None:
        type = self.type_of(expr, frame)
        if type is not None and type.arrays:
            whole = self.place(expr, frame, depth)
            return None if whole is None else whole.row("0")  # an array stands for its first element
        if isinstance(expr, Name):
            variable = self.program.variable(expr.name, frame.function, frame.function.path)
            if variable is not None and variable.kind == "parameter":
                return frame.places.get(expr.name)
            if variable is not None and variable.kind == "local" and not variable.static:
                return self._local(expr.name, frame, depth)
        holder = self.place(expr, frame, depth)
        return None if holder is None else self.target(holder, depth)

    def _local(self, name: str, frame: Frame, depth: int) -> Place | None:
        """What a local pointer leads to: the first assigned value that leads anywhere, else memory of its own."""
        key = (f"{frame.function.path}:{frame.function.line}:{name}", len(frame.how))
        if key in self._active:
            return None
        self._active.add(key)
        try:
            for value in assigned_locals(frame.function).get(name, ()):
                found = self.pointee(self.rewrite(value, frame.function), frame, depth)
                if found is not None:
                    return found
            given = self._given_out(name, frame, depth)
            if given is not None:
                return given
        finally:
            self._active.discard(key)
        own = Place(Root("local", frame.function.name, name, frame.function.path, frame.how)).behind()
        for index in self._allocated_in(name, frame):
            own = own.row(index)
        return own

    def _given_out(self, name: str, frame: Frame, depth: int) -> Place | None:
        """`create(&pool)` with `*result = pool;` inside: the target is what the callee stores."""
        for call in all_expressions(frame.function.body):
            if not isinstance(call, Call) or not isinstance(call.function, Name):
                continue
            for position, argument in enumerate(call.arguments):
                if isinstance(argument, Unary) and argument.operator == "&" and argument.operand == replace_line(
                    argument.operand, name
                ):
                    found = self._stored_by(call, position, frame, depth)
                    if found is not None:
                        return found
        return None

    def _stored_by(self, call: Call, position: int, frame: Frame, depth: int) -> Place | None:
        assert isinstance(call.function, Name)
        for callee in self.program.lookup(call.function.name, frame.function.path):
            if position >= len(callee.parameters):
                continue
            parameter = callee.parameters[position].name
            for expr in all_expressions(callee.body):
                if (
                    isinstance(expr, Assign)
                    and isinstance(expr.target, Unary)
                    and expr.target.operator == "*"
                    and isinstance(expr.target.operand, Name)
                    and expr.target.operand.name == parameter
                ):
                    found = self.pointee(expr.value, self.called(frame, call, callee), depth + 1)
                    if found is not None:
                        return found
        return None

    def _allocated_in(self, name: str, frame: Frame) -> list[str]:
        """Indices of an allocation made anew in every round of counting loops."""
        key = (frame.function.path, frame.function.line)
        if key not in self._loops:
            self._loops[key] = loops_of(frame.function)
        for one in statements(frame.function.body):
            assigned = isinstance(one, Declare) and one.name == name and one.initial is not None
            assigned = assigned or any(
                isinstance(expr, Assign) and isinstance(expr.target, Name) and expr.target.name == name
                for top in expressions(one) for expr in within(top)
            )  # fmt: skip
            if assigned:
                counters = [counted(loop) for loop in self._loops[key].get(id(one), ())]
                return [self.integer(Name(counter, 0), frame) for counter in counters if counter]
        return []

    def _result(self, call: Call, frame: Frame, depth: int, ask: object) -> Place | None:
        """What a function of the program returns."""
        name = call.function.name if isinstance(call.function, Name) else ""
        for callee in self.program.lookup(name, frame.function.path) if name else ():
            key = (f"{callee.path}:{callee.line}", -1)
            if key in self._active:
                continue
            self._active.add(key)
            try:
                made = self.called(frame, call, callee)
                for one in statements(callee.body):
                    if isinstance(one, Return) and one.value is not None:
                        found = ask(self.rewrite(one.value, callee), made, depth)  # type: ignore[operator]  # place or pointee
                        if isinstance(found, Place):
                            return self._picked(found, call, frame, depth)
            finally:
                self._active.discard(key)
        return None

    def _picked(self, found: Place, call: Call, frame: Frame, depth: int) -> Place:
        """`segment(pool, worker->position)`: which slice a function returns is what its number says."""
        if any(_known(one) for one in found.indices):
            return found
        for given in call.arguments:
            argument = self.rewrite(given, frame.function)
            type = self.type_of(argument, frame)
            if type is None or type.pointers or type.arrays:
                continue
            text = self.integer(argument, frame, depth)
            if not _known(text) and isinstance(argument, Member | Index):
                at = self.place(argument, frame, depth)
                texts = [one for one in (at.indices if at is not None else ()) if _known(one)]
                text = texts[0] if len(texts) == 1 else UNKNOWN
            if _known(text) and found.path and found.path[-1] in {"*", "[]"}:
                return found.element(text)
        return found

    def target(self, holder: Place, depth: int = 0) -> Place:
        """What the pointer at a place leads to, by the assignments of the whole program; else memory of its own."""
        names = [name for name in holder.path if name not in {"*", "[]"}]
        name = names[-1] if names else holder.root.name
        key = (f"{holder.root}{holder.path}", -2)
        if depth > DEPTH_MAX or key in self._active:
            return holder.behind()
        self._active.add(key)
        try:
            for stored in self.stores.of(name):
                found = self._matched(holder, stored, depth)
                if found is not None and found.family != holder.family:
                    return found
        finally:
            self._active.discard(key)
        return holder.behind()

    def _matched(self, holder: Place, stored: Stored, depth: int) -> Place | None:
        frame = self.frame(stored.function)
        at = self.place(stored.target, frame, depth)
        if at is None or at.family != holder.family:
            return None
        value = self.pointee(stored.value, frame, depth)
        return None if value is None else settled(value.with_indices(matching(at, holder)))

    # ------------------------------------------------------------------------------------------------------- integers
    def integer(self, expr: Expr, frame: Frame, depth: int = 0) -> str:
        """The Python text of an integer that picks an instance; UNKNOWN where it does not."""
        if depth > DEPTH_MAX:
            return UNKNOWN
        depth += 1
        constant = self.program.constant(expr, frame.function, frame.function.path)
        if constant is not None:
            return str(constant)
        match expr:
            case Name(name=name):
                return self._named(name, frame, depth)
            case Cast(operand=operand):
                return self.integer(operand, frame, depth)
            case Member() | Index() | Unary(operator="*"):
                at = self.place(expr, frame, depth)
                return UNKNOWN if at is None else self._value_at(at, depth)
            case Binary(operator="%", left=left, right=right):
                return self._ring(left, right, frame, depth)
            case Unary(operator="!", operand=operand) | Binary(operator="-", left=Number(value=1), right=operand):
                return self._other(operand, frame, depth)
            case Binary(left=left, right=right):
                return self._combined(self.integer(left, frame, depth), self.integer(right, frame, depth))
            case _:
                return UNKNOWN

    def _ring(self, left: Expr, right: Expr, frame: Frame, depth: int) -> str:
        """`i % SLOTS`: the slot of a ring, if it is known which round it is."""
        length = self.ring_size(right, frame)
        text = None if length is None else self.ring_text(left, frame)
        return UNKNOWN if text is None else f"{text} % {length}"

    def _other(self, operand: Expr, frame: Frame, depth: int) -> str:
        """`!side`, `1 - side`: the other one of two buffers."""
        text = self.integer(operand, frame, depth)
        if text == UNKNOWN or text.startswith(FREE) or number(text):
            return UNKNOWN
        return f"({text} + 1) % 2"

    def _named(self, name: str, frame: Frame, depth: int) -> str:
        if name in frame.integers:
            return frame.integers[name]
        variable = self.program.variable(name, frame.function, frame.function.path)
        if variable is None or variable.kind == "global":
            return UNKNOWN
        if variable.kind == "parameter" and (frame.places.get(name) is not None):
            return UNKNOWN
        value = self.one_value(name, frame.function)
        if value is not None:
            return self.integer(value, frame, depth)
        return f"{FREE}{frame.function.name}:{name}"

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

    def keeps(self, name: str, function: Function) -> bool:
        """Does a parameter keep the value it was given?"""
        return not self.changes(name, function) and not assigned_locals(function).get(name)

    def _value_at(self, at: Place, depth: int) -> str:
        """An integer that memory holds once and for all: `workers[i].id = i`."""
        names = [name for name in at.path if name not in {"*", "[]"}]
        name = names[-1] if names else at.root.name
        key = (f"{at.root}{at.path}", -3)
        if key in self._active:
            return UNKNOWN
        self._active.add(key)
        found: set[str] = set()
        try:
            for stored in self.stores.of(name):
                frame = self.frame(stored.function)
                target = self.place(stored.target, frame, depth)
                if target is None or target.family != at.family:
                    continue
                change = matching(target, at)
                text = self.integer(stored.value, frame, depth)
                found.add(change.get(text, UNKNOWN if text.startswith(FREE) else text))
        finally:
            self._active.discard(key)
        text = found.pop() if len(found) == 1 else UNKNOWN
        return UNKNOWN if number(text) else text  # a number that is the same for all tells nobody apart

    def settled_pointer(self, at: Place) -> bool:
        """Is this a pointer that is given one target once and for all?"""
        names = [name for name in at.path if name not in {"*", "[]"}]
        name = names[-1] if names else at.root.name
        matching_stores = 0
        for stored in self.stores.of(name):
            target = self.place(stored.target, self.frame(stored.function))
            if target is None or target.family == at.family:
                matching_stores += 1
        return matching_stores == 1 and self.target(at).family != at.behind().family

    def settled_integer(self, at: Place) -> bool:
        """Is this a number that picks an instance once and for all?"""
        return self._value_at(at, 0) != UNKNOWN

    def _combined(self, left: str, right: str) -> str:
        """An index computed from another: the slice that a thread's number picks, whatever the arithmetic."""
        varying = {one for one in (left, right) if one != UNKNOWN and not number(one) and ring(one) is None}
        return varying.pop() if len(varying) == 1 else UNKNOWN


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


def _known(text: str) -> bool:
    """Is an index one that tells instances apart?"""
    return text != UNKNOWN and not number(text)


def number(text: str) -> bool:
    """Is an index a number?"""
    return text.lstrip("-").isdigit()


def ring(text: str) -> str | None:
    """The length of a ring, if a text is the index of a slot of one."""
    head, mark, length = text.rpartition(" % ")
    return length if mark and head else None


def replace_line(expr: Expr, name: str) -> Expr | None:
    """The expression itself if it is this name, else None: to compare without lines."""
    return expr if isinstance(expr, Name) and expr.name == name else None


def matching(pattern: Place, place: Place) -> dict[str, str]:
    """Free indices of one place, as another place of the family has them."""
    return {
        free: given
        for free, given in zip(pattern.indices, place.indices, strict=True)
        if free.startswith(FREE) and given != UNKNOWN
    }


def settled(place: Place) -> Place:
    """A place without free indices: they are unknown."""
    return place._replace(indices=tuple(UNKNOWN if one.startswith(FREE) else one for one in place.indices))


def allocates(expr: Expr) -> bool:
    """Is this a call that allocates memory?"""
    while isinstance(expr, Cast):
        expr = expr.operand
    name = expr.function.name if isinstance(expr, Call) and isinstance(expr.function, Name) else ""
    return name in KNOWN and KNOWN[name].act is Act.ALLOCATE
