"""Which locals of a function others may come to share: those whose address is stored, or given to a thread.

A local record or array is a thread's private matter until its address is stored in a member or global, handed to a
thread's creation, or passed to a function that does so with its parameter. Rules of this file: without regard to
order; a function that is not in the sources keeps nothing. A record or number that is returned or assigned is a copy:
what its pointers lead to is given away, its own memory is not.
"""

from __future__ import annotations

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
    Member,
    Name,
    Return,
    Unary,
)
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.traverse import expressions, statements, within
from cllm_sim.auditor.vocabulary import KNOWN, Act

ROUNDS_MAX = 8


class Published:
    """Answers for one program; remembers what it found out about each function."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._names: dict[tuple[str, int], tuple[frozenset[str], frozenset[str]]] = {}
        self._open: set[tuple[str, int]] = set()

    def names(self, function: Function) -> frozenset[str]:
        """The locals (by address) and parameters (by value) that others may come to share."""
        return self._found(function)[0]

    def _found(self, function: Function) -> tuple[frozenset[str], frozenset[str]]:
        """The names whose memory others may come to share, and those whose value is given away."""
        key = function.key
        if key in self._names:
            return self._names[key]
        if key in self._open:
            return frozenset(), frozenset()  # recursion: what the rest of the function says
        self._open.add(key)
        shared: set[str] = set()
        given: set[str] = set()
        for expr in self._published(function):
            given |= addressed(expr)
            shared |= addressed(expr) - self._copied(expr, function)
        flows = self._copies(function)
        for _ in range(ROUNDS_MAX):
            before = len(shared), len(given)
            for target, value in flows:
                if target in given:
                    given |= addressed(value)
                    shared |= addressed(value) - self._copied(value, function)
            if before == (len(shared), len(given)):
                break
        self._open.discard(key)
        self._names[key] = frozenset(shared), frozenset(given)
        return self._names[key]

    def _copies(self, function: Function) -> list[tuple[str, Expr]]:
        """Names with what they are given: what such a name leads to, the value leads to as well."""
        found: list[tuple[str, Expr]] = []
        for one in statements(function.body):
            if isinstance(one, Declare) and one.initial is not None:
                found.append((one.name, one.initial))
            for expr in expressions(one):
                for part in within(expr):
                    if isinstance(part, Assign) and (root := _root(part.target)):
                        found.append((root, part.value))
        return found

    def _copied(self, expr: Expr, function: Function) -> set[str]:
        """The names of which an expression passes on a mere copy: records and numbers, not pointers or arrays."""
        match expr:
            case Name() | Member() | Index():
                known = self.program.type_of(expr, function)
                type = None if known is None else self.program.resolved(known)
                plain = type is not None and not type.pointers and not type.arrays and not type.function
                return addressed(expr) if plain else set()
            case Cast(type=type, operand=operand):
                return self._copied(operand, function) if not type.pointers else set()
            case Conditional(then=then, other=other):
                return self._copied(then, function) | self._copied(other, function)
            case InitialList(items=items):
                whole = {name for _, value in items for name in addressed(value) - self._copied(value, function)}
                return addressed(expr) - whole
            case _:
                return set()

    def _published(self, function: Function) -> list[Expr]:
        """Expressions whose value gets to where others can see it."""
        found: list[Expr] = []
        for one in statements(function.body):
            if isinstance(one, Return) and one.value is not None:
                found.append(one.value)
            for expr in expressions(one):
                for part in within(expr):
                    if isinstance(part, Assign) and self._outside(part.target, function):
                        found.append(part.value)
                    elif isinstance(part, Call):
                        found += self._given_away(part, function)
        return found

    def _outside(self, target: Expr, function: Function) -> bool:
        """Is an assigned place outside this function's own variables?"""
        if isinstance(target, Name):
            variable = self.program.variable(target.name, function, function.path)
            return variable is not None and (variable.kind == "global" or variable.static)
        return not _root(target)

    def _given_away(self, call: Call, function: Function) -> list[Expr]:
        name = call.function.name if isinstance(call.function, Name) else ""
        known = KNOWN.get(name)
        if known is not None and known.act is Act.CREATE and known.argument is not None:
            return list(call.arguments[known.argument : known.argument + 1])
        found = []
        for callee in self.program.lookup(name, function.path) if name else ():
            _, given = self._found(callee)
            for parameter, argument in zip(callee.parameters, call.arguments, strict=False):
                if parameter.name in given:
                    found.append(argument)
        return found


def addressed(expr: Expr) -> set[str]:
    """The names whose address (or, for pointers and arrays, value) an expression passes on."""
    match expr:
        case Name(name=name):
            return {name}
        case Cast(operand=operand):
            return addressed(operand)
        case Unary(operator="&", operand=operand):
            root = _root(operand)
            return {root} if root else set()
        case Binary(operator="+" | "-", left=left, right=right):
            return addressed(left) | addressed(right)
        case Conditional(then=then, other=other):
            return addressed(then) | addressed(other)
        case InitialList(items=items):
            return {name for _, value in items for name in addressed(value)}
        case Member() | Index():
            root = _root(expr)
            return {root} if root else set()
        case _:
            return set()


def _root(expr: Expr) -> str:
    """The variable that an lvalue is a part of; "" where a pointer leads away from it."""
    while True:
        match expr:
            case Name(name=name):
                return name
            case Member(base=base, arrow=False):
                expr = base
            case Index(base=base):
                expr = base
            case Cast(operand=operand):
                expr = operand
            case _:
                return ""
