"""Which piece of memory an expression means, instance by instance: an element of an array, a member of a record.

The rest of the auditor names memory by type; a skeleton needs instances, because a worker's own lock is another one
than its neighbour's. Pointers are followed by what is ever assigned to them; where an assignment speaks of one element
(`workers[i].queue = &queues[i]`), its indices are matched with those of the place asked for.

Rules of this file: no guess is made silently; what cannot be resolved is None, an index that cannot be is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Callable

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
    Loop,
    Member,
    Name,
    Number,
    Return,
    Site,
    TypeName,
    Unary,
)
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.skeleton.locals import LocalFacts, replace_line
from cllm_sim.auditor.skeleton.place import (
    DEPTH_MAX,
    FREE,
    UNKNOWN,
    Frame,
    Place,
    Root,
    known,
    matching,
    number,
    ring,
    settled,
)
from cllm_sim.auditor.skeleton.stores import Stored, Stores, counted, loops_of
from cllm_sim.auditor.traverse import all_expressions, assigned_locals, expressions, statements, within


class Places(LocalFacts):
    """Resolves expressions of one program; `entry_frame` and friends are given by `threads.py`."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.stores = Stores(program)
        self.frames: dict[tuple[str, int], Frame] = {}
        self.callers: dict[str, list[tuple[Call, Function]]] = {}
        self.ring_size: Callable[[Expr, Frame], str | None] = lambda expr, frame: None
        self.ring_text: Callable[[Expr, Frame], str | None] = lambda expr, frame: None
        self.rounds: dict[tuple[str, int], list[str]] = {}
        self._active: set[tuple[str, int]] = set()
        self._loops: dict[tuple[str, int], dict[int, tuple[Loop, ...]]] = {}
        for function in program.functions:
            for expr in all_expressions(function.body):
                if isinstance(expr, Call) and isinstance(expr.function, Name):
                    self.callers.setdefault(expr.function.name, []).append((expr, function))

    def type_of(self, expr: Expr, frame: Frame) -> TypeName | None:
        """The type of an expression where it stands."""
        return self.program.type_of(expr, frame.function)

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
                if not _computed_constant(argument, self.program, frame):
                    made.integers[parameter.name] = self.integer(argument, frame)
                made.sizes[parameter.name] = argument
        return made

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
                if frame.places.get(expr.name) is not None:
                    return frame.places[expr.name]
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
                    stepped = self.changes(name, frame.function)
                    return found.element(f"{FREE}{frame.function.name}:{name}") if stepped else found
            given = self._given_out(name, frame, depth)
            if given is not None:
                return given
        finally:
            self._active.discard(key)
        own = Place(Root("local", frame.function.name, name, frame.function.path, frame.how)).behind()
        for index in self._allocated_in(name, frame):
            own = own.row(index)
        for free in self.rounds.get((frame.function.path, frame.function.line), ()):
            own = own.row(frame.indices.get(free, free))
        return own

    def _given_out(self, name: str, frame: Frame, depth: int) -> Place | None:
        """`create(&pool)` with `*result = pool;` inside: the target is what the callee stores."""
        for call in all_expressions(frame.function.body):
            if not isinstance(call, Call) or not isinstance(call.function, Name):
                continue
            for position, argument in enumerate(call.arguments):
                if (
                    isinstance(argument, Unary)
                    and argument.operator == "&"
                    and argument.operand == replace_line(argument.operand, name)
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
        if any(known(one) for one in found.indices):
            return found
        for given in call.arguments:
            argument = self.rewrite(given, frame.function)
            type = self.type_of(argument, frame)
            if type is None or type.pointers or type.arrays:
                continue
            text = self.integer(argument, frame, depth)
            if not known(text) and isinstance(argument, Member | Index):
                at = self.place(argument, frame, depth)
                texts = [one for one in (at.indices if at is not None else ()) if known(one)]
                text = texts[0] if len(texts) == 1 else UNKNOWN
            if known(text) and found.path and found.path[-1] in {"*", "[]"}:
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
            if not holder.path and holder.root.kind == "local":
                return self._of_local(holder, depth)
        finally:
            self._active.discard(key)
        return holder.behind()

    def _of_local(self, holder: Place, depth: int) -> Place:
        """What a local pointer leads to that another function was given the address of."""
        root = holder.root
        for function in self.program.functions:
            if function.name == root.owner and function.path == root.path:
                return self._local(root.name, self.frame(function), depth) or holder.behind()
        return holder.behind()

    def _matched(self, holder: Place, stored: Stored, depth: int) -> Place | None:
        frame = self.frame(stored.function)
        at = self.place(stored.target, frame, depth)
        if at is None or at.family != holder.family:
            return None
        value = self.pointee(stored.value, frame, depth)
        return None if value is None else settled(value.with_indices(matching(at, holder)))

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


def _computed_constant(expr: Expr, program: Program, frame: Frame) -> bool:
    """Is this a constant that has a name, such as a number of threads? Then it tells no instances apart."""
    constant = program.constant(expr, frame.function, frame.function.path)
    return constant is not None and any(isinstance(one, Name) for one in within(expr))
