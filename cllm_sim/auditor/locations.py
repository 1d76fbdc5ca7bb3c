"""What an expression speaks of: the shared object or memory behind a name, a member, an index, a pointer.

A location is named by type: `pool->workers[i].lock` is "Worker.lock" whatever pointer leads there, for C programs share
records, not variables. Pointers to single objects and to arrays are followed by what is ever assigned to them (without
regard to order). The memory behind a pointer or array is the location with "[]": "Pool.gradients[]".

Rules of this file: sound naming only; two instances of one record have one name, and whoever reasons about instances
asks `own` of an event. What cannot be named is None, and callers say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Expr,
    Function,
    Index,
    Member,
    Name,
    Record,
    Return,
    TypeName,
    Unary,
)
from cllm_sim.auditor.program import Program, Variable
from cllm_sim.auditor.traverse import assigned_locals, statements
from cllm_sim.auditor.vocabulary import ATOMIC_PREFIXES, SYNCHRONISATION_TYPES, Kind

CONTENTS = "[]"
DEPTH_MAX = 40


class Location(NamedTuple):
    """A named piece of memory. `owner` is the record's label, or the function of a local variable or parameter."""

    kind: str  # member, global, local, parameter
    owner: str
    name: str
    path: str = ""  # of a static global or a local, where names may repeat

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"{self.owner}.{self.name}" if self.owner else self.name

    @property
    def contents(self) -> Location:
        """The memory behind this pointer or array."""
        return self if self.name.endswith(CONTENTS) else self._replace(name=self.name + CONTENTS)

    @property
    def holder(self) -> Location:
        """The pointer or array whose memory this is."""
        return self._replace(name=self.name.removesuffix(CONTENTS))

    @property
    def is_contents(self) -> bool:
        """Is this the memory behind a pointer or array?"""
        return self.name.endswith(CONTENTS)


Bindings = Mapping[str, tuple[Expr, Function]]
"""Parameters of an inlined function: the argument and the function in whose words it is written."""


class Locations:
    """Names expressions; follows pointers by the assignments of the whole program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._followed: dict[Location, Location | None] = {}
        self._several: dict[Location, tuple[Location, ...]] = {}
        self._following: set[Location] = set()
        self._returning: set[tuple[str, int]] = set()
        self._locals: dict[tuple[str, int], dict[str, list[Expr]]] = {}

    # ------------------------------------------------------------------------------------------------------- naming
    def of(self, expr: Expr, function: Function, depth: int = 0) -> Location | None:
        """The location that an lvalue names; parameters that are pointers to non-records are locations themselves."""
        if depth > DEPTH_MAX:
            return None
        match expr:
            case Name():
                return self._variable(expr, function)
            case Member():
                return self._member(expr, function)
            case Index(base=base):
                return self._element(base, function, depth)
            case Unary(operator="*", operand=operand):
                return self.pointed(operand, function, depth + 1)
            case Unary(operator="&", operand=operand) | Cast(operand=operand):
                return self.of(operand, function, depth + 1)
            case _:
                return None

    def _variable(self, name: Name, function: Function) -> Location | None:
        variable = self.program.variable(name.name, function, function.path)
        return None if variable is None else of_variable(variable)

    def _member(self, expr: Member, function: Function) -> Location | None:
        base = self.program.type_of(expr.base, function)
        if base is None:
            return Location("member", f"{self.program.text(expr.base)}?", expr.name)  # no type: told apart by its text
        record = self.program.record(base)
        owner = self.program.label(record.name) if record is not None else base.base.removeprefix("struct ")
        return Location("member", owner, expr.name)

    def _element(self, base: Expr, function: Function, depth: int) -> Location | None:
        """`base[i]`: an element of an array of objects has the array's own name, memory behind a pointer has []."""
        type = self.program.type_of(base, function)
        if type is not None and type.arrays and is_object(type):
            return self.of(base, function, depth + 1)
        return self.pointed(base, function, depth + 1)

    # ----------------------------------------------------------------------------------------------------- pointers
    def pointed(self, expr: Expr, function: Function, depth: int = 0) -> Location | None:
        """The location that a pointer's value leads to."""
        if depth > DEPTH_MAX:
            return None
        match expr:
            case Unary(operator="&", operand=operand):
                return self.of(operand, function, depth + 1)
            case Cast(operand=operand):
                return self.pointed(operand, function, depth + 1)
            case Binary(operator="+" | "-", left=left, right=right):
                return self.pointed(left, function, depth + 1) or self.pointed(right, function, depth + 1)
            case Conditional(then=then, other=other):
                return self._either(then, other, function, depth)
            case Call(function=Name(name=name)):
                return self._returned(name, function, depth)
            case Unary(operator="++x" | "--x" | "x++" | "x--", operand=operand):
                return self.pointed(operand, function, depth + 1)
            case Assign(value=value):
                return self.pointed(value, function, depth + 1)
            case Name() | Member() | Index() | Unary(operator="*"):
                return self._behind(expr, function, depth)
            case _:
                return None

    def several(self, location: Location) -> tuple[Location, ...]:
        """The places that the memory behind a pointer may be, where the pointer is given several; else none."""
        return self._several.get(location, ())

    def _either(self, then: Expr, other: Expr, function: Function, depth: int) -> Location | None:
        """A pointer that is one of two: a lock that may be either is neither."""
        one, two = self.pointed(then, function, depth + 1), self.pointed(other, function, depth + 1)
        if one is None or two is None or one == two:
            return one or two
        return None if object_kind(self.program.type_of(then, function)) is not None else one

    def _returned(self, name: str, function: Function, depth: int) -> Location | None:
        """The lock or other object that a function returns a pointer to (`bucket_lock(table, i)`), if always one.

        Memory is not followed: accessors return parts of one buffer that have nothing in common.
        """
        found: set[Location] = set()
        for callee in self.program.lookup(name, function.path):
            key = callee.key
            kind = object_kind(self.program.resolved(callee.result, callee.path))
            if key in self._returning or kind is None or not callee.result.pointers:
                return None
            self._returning.add(key)
            given = [one.value for one in statements(callee.body) if isinstance(one, Return) and one.value is not None]
            found |= {place for value in given if (place := self.pointed(value, callee, depth + 2)) is not None}
            self._returning.discard(key)
        one = found.pop() if len(found) == 1 else None
        return None if one is None or one.kind in {"local", "parameter"} else one

    def _behind(self, expr: Expr, function: Function, depth: int) -> Location | None:
        holder = self.of(expr, function, depth + 1)
        if holder is None:
            return None
        type = self.program.type_of(expr, function)
        if type is not None and type.arrays:
            return holder if is_object(type) else holder.contents
        if holder.kind == "parameter" or (type is not None and self.program.record(type) is not None):
            return holder.contents  # records are named by their type, wherever the pointer leads
        return self._follow(holder, function, depth, object_kind(type) is not None)

    def _follow(self, holder: Location, function: Function, depth: int, synchronises: bool) -> Location | None:
        """The one target of a pointer: what is assigned to it, if that is always one place, else its own memory."""
        if holder in self._followed:
            return self._followed[holder]
        if holder in self._following:
            return None
        self._following.add(holder)
        targets = self._targets(holder, function, depth)
        found = targets[0] if targets else None
        several = len(targets) > 1 and (synchronises or holder.kind != "local")
        if several or (found is None and holder.kind != "local"):
            found = holder.contents
        if several:
            self._several[holder.contents] = tuple(targets)
        self._following.discard(holder)
        self._followed[holder] = found
        return found

    def _targets(self, holder: Location, function: Function, depth: int) -> list[Location]:
        """All places that the values of a pointer lead to, each once; memory of its own is none of them."""
        found: dict[Location, None] = {}
        for value, owner in self._values(holder, function):
            for one in _alternatives(value):
                target = self.pointed(one, owner, depth + 2)
                if target is not None and target.holder != holder:
                    found[target] = None
        return list(found)

    def _values(self, holder: Location, function: Function) -> Iterator[tuple[Expr, Function]]:
        if holder.kind != "local":
            yield from self.program.assignments.get(holder.label, ())
            return
        key = function.key
        if key not in self._locals:
            self._locals[key] = assigned_locals(function)
        for value in self._locals[key].get(holder.name, ()):
            yield value, function

    # ---------------------------------------------------------------------------------------------------- substitute
    def bound(self, location: Location | None, bindings: Bindings, depth: int = 0) -> Location | None:
        """A location of a parameter, replaced by what the caller passed; others stay as they are."""
        if location is None or location.kind != "parameter" or depth > DEPTH_MAX:
            return location
        given = bindings.get(location.holder.name)
        if given is None:
            return location
        expr, function = given
        return self.pointed(expr, function) if location.is_contents else None


def _alternatives(value: Expr) -> Iterator[Expr]:
    """The values that an assigned value may be."""
    if isinstance(value, Conditional):
        yield from _alternatives(value.then)
        yield from _alternatives(value.other)
    else:
        yield value


def of_variable(variable: Variable) -> Location:
    """The location of a variable."""
    if variable.kind == "global":
        return Location("global", "", variable.name, variable.path if variable.static else "")
    if variable.kind == "local" and variable.static:
        return Location("global", variable.function, variable.name, variable.path)
    return Location(variable.kind, variable.function, variable.name, variable.path)


def object_kind(type: TypeName | None) -> Kind | None:
    """The kind of synchronisation object that a type is (arrays of it and pointers to it, too)."""
    if type is None or type.function:
        return None
    if type.base in SYNCHRONISATION_TYPES:
        return SYNCHRONISATION_TYPES[type.base]
    if "_Atomic" in type.qualifiers or type.base.startswith(ATOMIC_PREFIXES):
        return Kind.ATOMIC
    return None


def is_object(type: TypeName) -> bool:
    """Is a type a synchronisation object or an array of them, not a pointer to one?"""
    return object_kind(type) is not None and not type.pointers


def members(program: Program, record: Record) -> Iterator[tuple[Location, TypeName, int]]:
    """All members of a record (as read, or as linked) as locations, with their types and lines."""
    label = program.label(record.name, record.path)
    for member in record.members:
        yield Location("member", label, member.name), program.resolved(member.type, record.path), member.line
