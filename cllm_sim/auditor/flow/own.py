"""Which memory a thread has to itself: what its own argument leads to, and what its own number picks out.

`Worker *w = arg;` is own when every thread was created with another argument (`&workers[i]`, a fresh allocation, a
number); `w->id` and what is computed from it is own; `w->pool` is shared, for every worker's `pool` is the same;
`g[w->id * chunk + k]` is own because its index is. An index taken from an atomic counter is own as well: nobody else
gets it. This is a guess about arithmetic (the segment rules judge whether indices really differ), so conclusions that
rest on it have medium confidence at best. Rules of this file: no state beyond one function's instance.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

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
    Number,
    Unary,
)
from cllm_sim.auditor.locations import Locations, object_kind
from cllm_sim.auditor.traverse import all_expressions, assigned_locals, names, within
from cllm_sim.auditor.vocabulary import KNOWN, Act, Kind

DEPTH_MAX = 60
ROUNDS_MAX = 12


class Own:
    """Answers for one instance of a function: which of its names and expressions are the thread's own."""

    def __init__(
        self,
        locations: Locations,
        function: Function,
        parameters: AbstractSet[str],
        private: AbstractSet[str] = frozenset(),
        published: AbstractSet[str] = frozenset(),
    ) -> None:
        self.locations = locations
        self.program = locations.program
        self.function = function
        self.names = set(parameters)
        self.hidden = set(private)
        self.published = published
        self.moving = _moving(function)
        self._spread()

    def private(self, expr: Expr) -> bool:
        """Is an lvalue part of a local variable that nobody else can see (also a caller's, passed by address)?"""
        while True:
            match expr:
                case Member(base=base, arrow=arrow):
                    expr = base
                    if arrow:
                        return self.leads_to_private(base)
                case Index(base=base):
                    type = self.program.type_of(base, self.function)
                    if type is None or not type.arrays:
                        return self.leads_to_private(base)
                    expr = base
                case Unary(operator="*", operand=operand):
                    return self.leads_to_private(operand)
                case Cast(operand=operand):
                    expr = operand
                case Name(name=name):
                    variable = self.program.variable(name, self.function, self.function.path)
                    return (
                        variable is not None
                        and variable.kind in {"local", "parameter"}
                        and not variable.static
                        and name not in self.published
                    )
                case _:
                    return False

    def leads_to_private(self, pointer: Expr) -> bool:
        """Does a pointer lead to private memory: the address of a local, or a parameter that was given one?"""
        while isinstance(pointer, Cast):
            pointer = pointer.operand
        match pointer:
            case Unary(operator="&", operand=operand):
                return self.private(operand)
            case Name(name=name):
                type = self.program.type_of(pointer, self.function)
                if type is not None and type.arrays:
                    return self.private(pointer)
                return name in self.hidden
            case Binary(operator="+" | "-", left=left):
                return self.leads_to_private(left)
            case _:
                return False

    def _spread(self) -> None:
        known = self.program.locals(self.function)
        values = {
            name: given
            for name, given in assigned_locals(self.function).items()
            if name in known and not known[name].static
        }
        for _ in range(ROUNDS_MAX):
            more = {name for name, given in values.items() if name not in self.names and any(map(self.value, given))}
            hidden = {
                name
                for name, given in values.items()
                if name not in self.hidden and all(map(self.leads_to_private, given))
            }
            if not more and not hidden:
                return
            self.names |= more
            self.hidden |= hidden

    def value(self, expr: Expr, depth: int = 0) -> bool:
        """Does an expression's value belong to this thread alone (its number, a pointer to its own memory)?"""
        if depth > DEPTH_MAX:
            return False
        depth += 1
        match expr:
            case Name(name=name):
                return name in self.names
            case Unary(operator="++x" | "x++" | "--x" | "x--", operand=operand) if self._atomic(operand):
                return True  # a number claimed: nobody else gets it
            case Member() | Index() | Unary(operator="*") if self._data(expr):
                return False
            case Cast(operand=operand) | Unary(operand=operand) | Assign(value=operand):
                return self.place(operand, depth) if _is_address(expr) else self.value(operand, depth)
            case Member():
                return self._member(expr, depth)
            case Index():
                return self.place(expr, depth)
            case Binary(left=left, right=right):
                return self.value(left, depth) or self.value(right, depth)
            case Conditional(then=then, other=other):
                return self.value(then, depth) or self.value(other, depth)
            case Call():
                return self._claimed(expr)
            case _:
                return False

    def _atomic(self, expr: Expr) -> bool:
        return object_kind(self.program.type_of(expr, self.function)) is Kind.ATOMIC

    def _data(self, expr: Expr) -> bool:
        """A number read at a place that moves on (`bytes[i]`, `*p` with `p++`): data, of which others may have equal.

        A pointer read there still leads to what belongs to the place; a number at a fixed place (`first[id]`) may be
        the thread's share.
        """
        type = self.program.type_of(expr, self.function)
        if type is None or type.pointers or type.arrays or self.program.record(type) is not None:
            return False
        return bool(names(expr) & self.moving)

    def place(self, expr: Expr, depth: int = 0) -> bool:
        """Does an lvalue name memory of this thread alone?"""
        if depth > DEPTH_MAX:
            return False
        depth += 1
        match expr:
            case Member(base=base, arrow=True):
                return self.value(base, depth)
            case Member(base=base):
                return self.place(base, depth)
            case Index(base=base, index=index):
                return self.value(index, depth) or self._element(base, depth)
            case Unary(operator="*", operand=operand):
                return self.value(operand, depth)
            case Cast(operand=operand):
                return self.place(operand, depth)
            case Name(name=name):
                return name in self.names
            case _:
                return False

    def _element(self, base: Expr, depth: int) -> bool:
        """`base[i]` with an index that everybody may use: own only if the whole array or pointer is."""
        type = self.program.type_of(base, self.function)
        return self.place(base, depth) if type is not None and type.arrays else self.value(base, depth)

    def _member(self, expr: Member, depth: int) -> bool:
        """A member of own memory: numbers are own, pointers only if every thread was given another one."""
        if not (self.value(expr.base, depth) if expr.arrow else self.place(expr.base, depth)):
            return False
        type = self.program.type_of(expr, self.function)
        if type is None or not type.pointers or type.arrays:
            return True
        location = self.locations.of(expr, self.function)
        given = [] if location is None else self.program.assignments.get(location.label, [])
        return any(distinct(value) for value, _ in given)

    def _claimed(self, call: Call) -> bool:
        name = call.function.name if isinstance(call.function, Name) else ""
        known = KNOWN.get(name)
        if known is not None:
            return known.act in {Act.CHANGE, Act.ALLOCATE}
        return name in {"pthread_self", "thrd_current", "gettid"}


def distinct(value: Expr) -> bool:
    """Is this likely another value at each of many creations: an element, an offset, a fresh allocation, a number?"""
    for one in within(value):
        if isinstance(one, Index) and not isinstance(one.index, Number):
            return True
        if isinstance(one, Call) and isinstance(one.function, Name):
            known = KNOWN.get(one.function.name)
            if known is not None and known.act is Act.ALLOCATE:
                return True
        if isinstance(one, Binary) and one.operator == "*":
            return True
        if isinstance(one, Binary) and one.operator == "+" and not isinstance(one.right, Number):
            return True
    return False


def _moving(function: Function) -> frozenset[str]:
    """The names that a function counts up or down, or moves on by steps."""
    found = set()
    for one in all_expressions(function.body):
        match one:
            case Unary(operator="++x" | "x++" | "--x" | "x--", operand=Name(name=name)):
                found.add(name)
            case Assign(operator="+=" | "-=", target=Name(name=name)):
                found.add(name)
            case _:
                continue
    return frozenset(found)


def _is_address(expr: Expr) -> bool:
    return isinstance(expr, Unary) and expr.operator == "&"
