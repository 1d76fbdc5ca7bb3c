"""The numbers of a skeleton: how many threads, rounds and slots, small enough to look at every interleaving.

A number is known by where it comes from (a constant, a member that is given one value, a variable), so that all its
uses shrink together: a loop over `pool->num_threads` and a barrier of `options->num_threads + 1`. Rules of this file:
every number that was changed is listed with its value in the program.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cllm_sim.auditor.facts import Assign, Binary, Call, Cast, Expr, Function, Member, Name, Number, Site, SizeOf, Unary
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.skeleton.place import Frame
from cllm_sim.auditor.skeleton.places import Places
from cllm_sim.auditor.traverse import names

THREADS, ROUNDS, LIMIT = "threads", "rounds", "limit"
DEPTH_MAX = 12

Key = tuple[str, str]


@dataclass(slots=True)
class Size:
    """One number: its Python name, what it is in C (as written), its value there (None: unknown), its value here."""

    name: str
    kind: str
    text: str
    original: int | None
    value: int
    site: Site


@dataclass(slots=True)
class Scale:
    """How small: threads of a role, rounds of a loop, other limits."""

    threads: int = 2
    rounds: int = 2
    limit: int = 2


@dataclass(slots=True)
class Sizes:
    """All numbers of one skeleton."""

    program: Program
    places: Places
    scale: Scale
    known: dict[Key, Size] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def key(self, expr: Expr, frame: Frame, depth: int = 0) -> Key | None:
        """Where a number comes from; None for what is computed."""
        if depth > DEPTH_MAX:
            return None
        match expr:
            case Cast(operand=operand):
                return self.key(operand, frame, depth + 1)
            case Number(text=text):
                return "number", text.rstrip("uUlL")
            case Name(name=name):
                return self._name(name, frame, depth + 1)
            case Member():
                return self._member(expr, frame, depth + 1)
            case Call():
                return None
            case Binary() if names(expr):
                return None  # computed from others, which may be sizes themselves
            case SizeOf() | Binary():
                value = self.program.constant(expr, frame.function, frame.function.path)
                return None if value is None else ("number", str(value))
            case _:
                return None

    def _name(self, name: str, frame: Frame, depth: int) -> Key | None:
        variable = self.program.variable(name, frame.function, frame.function.path)
        if variable is None:
            value = self.program.constant(Name(name, 0), frame.function, frame.function.path)
            return None if value is None else ("constant", name)
        if variable.kind == "parameter":
            given = frame.sizes.get(name)
            if given is not None and frame.caller is not None and self.places.keeps(name, frame.function):
                return self.key(given, frame.caller, depth)
            return "variable", f"{frame.function.name}.{name}"
        if variable.kind == "global":
            return None if _changes(self.program.assignments.get(name, [])) else ("global", name)
        given_once = self.places.one_value(name, frame.function)
        if given_once is not None and not isinstance(given_once, Number):
            found = self.key(given_once, frame, depth)
            if found is not None:
                return found
        return "variable", f"{frame.function.name}.{name}"

    def _member(self, expr: Member, frame: Frame, depth: int) -> Key | None:
        base = self.program.type_of(expr.base, frame.function)
        record = None if base is None else self.program.record(base)
        if record is None:
            return None
        label = f"{self.program.label(record.name)}.{expr.name}"
        given = self.program.assignments.get(label, [])
        if _changes(given):
            return None
        if len(given) == 1 and not isinstance(given[0][0], Number | Binary | Call):
            value, function = given[0]
            if function.name:
                found = self.key(value, self.places.frame(function), depth)
                if found is not None and found[0] != "variable":
                    return found
        return "member", label

    def value(self, key: Key, expr: Expr, frame: Frame) -> int | None:
        """The value of a number in the program, where it is known."""
        constant = self.program.constant(expr, frame.function, frame.function.path)
        if constant is None:
            count = self.program.followed(self.program.count(expr, frame.function, frame.function.path))
            constant = count.value
        if constant is None and key[0] == "member":
            given = self.program.assignments.get(key[1], [])
            values = {self.program.constant(value, function, function.path) for value, function in given}
            constant = values.pop() if len(values) == 1 else None
        return constant

    def get(self, expr: Expr, frame: Frame) -> Size | None:
        """The size that an expression is, if it is one already."""
        key = self.key(expr, frame)
        return None if key is None else self.known.get(key)

    def register(self, expr: Expr, frame: Frame, kind: str) -> Size | None:
        """Make a number a size of the skeleton; None where it does not come from one place."""
        key = self.key(expr, frame)
        if key is None:
            return None
        if key not in self.known:
            original = self.value(key, expr, frame)
            site = Site(frame.function.path, expr.line, expr.column)
            name = self._called(key, kind)
            self.known[key] = Size(name, kind, key[1], original, self._scaled(kind, original), site)
        return self.known[key]

    def _scaled(self, kind: str, original: int | None) -> int:
        most = {THREADS: self.scale.threads, ROUNDS: self.scale.rounds, LIMIT: self.scale.limit}[kind]
        if original is None:
            return most
        return min(original, most) if kind != THREADS else (most if original > 1 else max(original, 1))

    def ring(self, expr: Expr, frame: Frame) -> str | None:
        """The length of a ring: a number of the skeleton."""
        text = self.text(expr, frame)
        if text is not None and (not text.isdigit() or int(text) <= self.scale.limit):
            return text
        size = self.register(expr, frame, LIMIT) if text is not None else None
        return None if size is None else size.name

    def longer(self) -> None:
        """One round more than the slots of a ring, so that it can be overrun."""
        self.scale.rounds = self.scale.limit + 1
        for size in self.known.values():
            if size.kind == ROUNDS:
                size.value = self._scaled(ROUNDS, size.original)

    def _called(self, key: Key, kind: str) -> str:
        last = key[1].rpartition(".")[2].upper()
        name = {"threads": "THREADS", "rounds": "ROUNDS", "limit": "LIMIT"}[kind] if key[0] == "number" else last
        name = "".join(one if one.isalnum() or one == "_" else "_" for one in name) or "SIZE"
        if key[0] == "number" and kind != THREADS:
            name = f"{name}_{key[1]}"
        unique, number = name, 2
        while unique in self.taken:
            unique, number = f"{name}_{number}", number + 1
        self.taken.add(unique)
        return unique

    def text(self, expr: Expr, frame: Frame, depth: int = 0) -> str | None:
        """An expression of sizes and constants as Python; None where anything else is in it."""
        if depth > DEPTH_MAX:
            return None
        size = self.get(expr, frame)
        if size is not None:
            return size.name
        match expr:
            case Cast(operand=operand):
                return self.text(operand, frame, depth + 1)
            case Number(value=value):
                return None if value is None else str(value)
            case Name(name=name) if name in frame.sizes and frame.caller is not None:
                if not self.places.keeps(name, frame.function):
                    return None
                return self.text(frame.sizes[name], frame.caller, depth + 1)
            case Name(name=name) if self.places.one_value(name, frame.function) is not None:
                return self.text(self.places.one_value(name, frame.function) or expr, frame, depth + 1)
            case Binary(operator="+" | "-" | "*" | "/" as operator, left=left, right=right):
                one, other = self.text(left, frame, depth + 1), self.text(right, frame, depth + 1)
                if one is None or other is None:
                    return None
                return f"{_grouped(one)} {'//' if operator == '/' else operator} {_grouped(other)}"
            case _:
                value = self.program.constant(expr, frame.function, frame.function.path)
                return None if value is None else str(value)


def _changes(given: list[tuple[Expr, Function]]) -> bool:
    """Is a number counted up or down, or changed by `+=` and the like?"""
    steps = {"++x", "x++", "--x", "x--"}
    return any(
        (isinstance(value, Unary) and value.operator in steps) or (isinstance(value, Assign) and value.operator != "=")
        for value, _ in given
    )


def _grouped(text: str) -> str:
    return f"({text})" if " " in text else text
