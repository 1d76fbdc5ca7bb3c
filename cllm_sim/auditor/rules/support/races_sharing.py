"""Whose memory an access speaks of: one that several threads know, or an instance that one thread has to itself.

Locations are named by type, so `job->done` of a job that one thread just took out of a queue has the same name as that
of a job of another thread. This module follows the pointer an access goes through to where its value comes from.
Rules of this file: what cannot be followed is PASSED, and rules stay silent about it. Locals that nobody else can
see have no steps in a flow and are never asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

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
    Member,
    Name,
    Return,
    Unary,
)
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.locations import Bindings, Location, of_variable
from cllm_sim.auditor.program import Variable
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.rules.support.races_claims import Claims
from cllm_sim.auditor.traverse import all_expressions, assigned_locals, calls, statements
from cllm_sim.auditor.vocabulary import KNOWN, Act

DEPTH_MAX = 14
LOOKS_MAX = 2_000
LOOKS_IN_ALL_MAX = 300_000
THREAD_LOCAL = frozenset({"_Thread_local", "__thread", "thread_local"})


class Sharing(StrEnum):
    """Whose memory it is."""

    SHARED = "shared"  # one instance that several threads can know
    OWN = "own"  # picked out by the thread's own number or argument
    PRIVATE = "private"  # on the thread's stack, thread-local, or its own allocation
    PASSED = "passed"  # handed from thread to thread, or not known


_RANK = (Sharing.PASSED, Sharing.OWN, Sharing.SHARED, Sharing.PRIVATE)


def combined(found: list[Sharing | None]) -> Sharing:
    """One answer from those for every value that a pointer may have; values that are no pointers count for nothing."""
    known = {one for one in found if one is not None}
    return next((one for one in _RANK if one in known), Sharing.PASSED)


class Sharings:
    """Answers for the accesses of one program."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.program = analysis.program
        self.claims = Claims(analysis)
        self._allocations = _allocations(analysis)
        self._stored: dict[Location, Sharing] = {}
        self._open: set[object] = set()

    def made_once(self, path: str, call: Call) -> bool:
        """Does an allocation or mapping make one piece of memory only?"""
        return self._allocations.get((path, call.line, call.column), False)

    _looks = 0
    _looks_in_all = 0

    def of(self, role: Role, step: Step) -> Sharing:
        """Whose memory a step of a role reads or writes."""
        assert step.event is not None
        if step.own and role.many:
            return Sharing.OWN
        expr = step.event.expression
        if expr is None:
            return Sharing.PASSED
        if self.claims.claimed(role, step, expr):
            return Sharing.PASSED
        if step.target is not None and step.target.is_contents and not isinstance(expr, Member | Index | Unary):
            return self.value(expr, step.function, step.bindings)
        if self._handed(expr, step):
            return self.value(expr, step.function, step.bindings)
        return self.place(expr, step.function, step.bindings)

    def _handed(self, expr: Expr, step: Step) -> bool:
        """Is the access one of the memory behind a pointer that was handed over (memcpy and the like)?"""
        if step.target is None or not step.target.is_contents:
            return False
        type = self.program.type_of(expr, step.function)
        return type is not None and bool(type.pointers) and not type.arrays

    # ------------------------------------------------------------------------------------------------------- places
    def place(self, expr: Expr, function: Function, bindings: Bindings, depth: int = 0) -> Sharing:
        """Whose memory an lvalue is."""
        if depth > DEPTH_MAX:
            return Sharing.PASSED
        depth += 1
        match expr:
            case Name(name=name):
                return self._variable(self.program.variable(name, function, function.path))
            case Member(base=base, arrow=True) | Unary(operator="*", operand=base):
                return self.value(base, function, bindings, depth)
            case Member(base=base) | Cast(operand=base):
                return self.place(base, function, bindings, depth)
            case Index(base=base):
                type = self.program.type_of(base, function)
                if type is not None and type.arrays:
                    return self.place(base, function, bindings, depth)
                return self.value(base, function, bindings, depth)
            case _:
                return Sharing.PASSED

    def _variable(self, variable: Variable | None) -> Sharing:
        if variable is None:
            return Sharing.PASSED
        if variable.type.qualifiers & THREAD_LOCAL:
            return Sharing.PRIVATE
        if variable.kind == "global" or variable.static:
            return Sharing.SHARED
        return Sharing.SHARED  # a local that nobody else can see has no steps in a flow

    # ----------------------------------------------------------------------------------------------------- pointers
    def value(self, expr: Expr, function: Function, bindings: Bindings, depth: int = 0) -> Sharing:
        """Whose memory a pointer leads to."""
        return self._value(expr, function, bindings, depth) or Sharing.PASSED

    def _value(self, expr: Expr, function: Function, bindings: Bindings, depth: int) -> Sharing | None:
        if depth > DEPTH_MAX or not self._may_look_on(depth):
            return Sharing.PASSED
        depth += 1
        match expr:
            case Unary(operator="&", operand=operand):
                return self.place(operand, function, bindings, depth)
            case Cast(operand=operand) | Assign(value=operand) | Unary(operand=operand) if not _is_deref(expr):
                return self._value(operand, function, bindings, depth)
            case Binary(operator="+" | "-", left=left, right=right):
                return self._value(left, function, bindings, depth) or self._value(right, function, bindings, depth)
            case Conditional(then=then, other=other):
                both = [self._value(one, function, bindings, depth) for one in (then, other)]
                return combined(both) if any(both) else None
            case Name():
                return self._named(expr, function, bindings, depth)
            case Member() | Index() | Unary():
                return self._kept(expr, function, bindings, depth)
            case Call():
                return self._result(expr, function, depth)
            case _:
                return None  # a number, NULL

    def _may_look_on(self, depth: int) -> bool:
        """Each question may look at so many expressions, and all questions of a program together at so many."""
        self._looks = 0 if depth <= 1 else self._looks + 1
        self._looks_in_all += 1
        return self._looks < LOOKS_MAX and self._looks_in_all < LOOKS_IN_ALL_MAX

    def _named(self, expr: Name, function: Function, bindings: Bindings, depth: int) -> Sharing | None:
        variable = self.program.variable(expr.name, function, function.path)
        if variable is None:
            return None  # NULL, a constant
        if variable.type.arrays:
            return self._variable(variable)
        if variable.kind == "parameter" and expr.name in bindings:
            given, owner = bindings[expr.name]
            return self._value(given, owner, {}, depth)
        if variable.kind == "parameter":
            return self._parameter(expr.name, function, depth)
        if variable.kind == "global" or variable.static:
            return self.stored(of_variable(variable), depth)
        values = assigned_locals(function).get(expr.name, [])
        found = [self._value(one, function, bindings, depth) for one in values]
        return combined([*found, *self._filled_in(expr.name, function, depth)])

    def _filled_in(self, name: str, function: Function, depth: int) -> Iterator[Sharing | None]:
        """What functions store in a local pointer whose address they were given (`pool_create(&pool)`)."""
        for call in calls(function.body):
            for position, argument in enumerate(call.arguments):
                if not (
                    isinstance(argument, Unary)
                    and argument.operator == "&"
                    and argument.operand == _plain(argument, name)
                ):
                    continue
                called = call.function.name if isinstance(call.function, Name) else ""
                for callee in self.program.lookup(called, function.path) if called else ():
                    if position < len(callee.parameters):
                        stored = _stored_through(callee, callee.parameters[position].name)
                        yield from (self._value(value, callee, {}, depth) for value in stored)

    def _parameter(self, name: str, function: Function, depth: int) -> Sharing:
        """What all callers, and all creations of threads with this entry, pass."""
        key = (function.path, function.line, name)
        if key in self._open:
            return Sharing.PASSED
        self._open.add(key)
        found: list[Sharing | None] = []
        for role in self.analysis.roles.all:
            if any(function_key(entry) == function_key(function) for entry in role.entries):
                found += [
                    self._value(one.event.argument, one.function, {}, depth)
                    for one in role.created
                    if one.event.argument is not None
                ]
        for call, caller in self.analysis.callables.callers(function.name):
            for parameter, argument in zip(function.parameters, call.arguments, strict=False):
                if parameter.name == name:
                    found.append(self._value(argument, caller, {}, depth))
        self._open.discard(key)
        return combined(found)

    def _kept(self, expr: Expr, function: Function, bindings: Bindings, depth: int) -> Sharing:
        type = self.program.type_of(expr, function)
        if type is not None and type.arrays:
            return self.place(expr, function, bindings, depth)
        location = self.analysis.locations.of(expr, function)
        return Sharing.PASSED if location is None else self.stored(location, depth)

    def stored(self, location: Location, depth: int = 0) -> Sharing:
        """Whose memory the pointers lead to that are ever stored in a member or global."""
        if location in self._stored:
            return self._stored[location]
        if location in self._open:
            return Sharing.PASSED
        self._open.add(location)
        values = self.program.assignments.get(location.holder.label, [])
        found = combined([self._value(value, owner, {}, depth) for value, owner in values])
        self._open.discard(location)
        if not self._open:
            self._stored[location] = found
        return found

    def _result(self, call: Call, function: Function, depth: int) -> Sharing | None:
        name = call.function.name if isinstance(call.function, Name) else ""
        callees = self.program.lookup(name, function.path) if name else ()
        known = KNOWN.get(name)
        if not callees and known is not None and known.act in {Act.ALLOCATE, Act.MAP}:
            return Sharing.SHARED if self.made_once(function.path, call) else Sharing.PASSED
        if not callees:
            return Sharing.PASSED
        found: list[Sharing | None] = []
        for callee in callees:
            given: Bindings = {
                parameter.name: (argument, function)
                for parameter, argument in zip(callee.parameters, call.arguments, strict=False)
            }
            found += [self._value(one, callee, given, depth) for one in _returned(callee)]
        return combined(found)


def _is_deref(expr: Expr) -> bool:
    return isinstance(expr, Unary) and expr.operator == "*"


def _plain(argument: Unary, name: str) -> Expr | None:
    return argument.operand if isinstance(argument.operand, Name) and argument.operand.name == name else None


def _stored_through(function: Function, parameter: str) -> list[Expr]:
    """The values of `*parameter = value`."""
    return [
        one.value
        for one in all_expressions(function.body)
        if isinstance(one, Assign)
        and isinstance(one.target, Unary)
        and one.target.operator == "*"
        and one.target.operand == _plain(one.target, parameter)
    ]


def _returned(function: Function) -> list[Expr]:
    found = [one.value for one in statements(function.body) if isinstance(one, Return)]
    return [value for value in found if value is not None]


def _allocations(analysis: Analysis) -> dict[tuple[str, int, int], bool]:
    """Every place that allocates or maps: does it make one piece of memory only (at one step, in no loop)?"""
    found: dict[tuple[str, int, int], list[bool]] = {}
    for role in analysis.roles.all:
        for step in analysis.flow(role).events(Act.ALLOCATE, Act.MAP):
            once = not step.loops and not role.many
            found.setdefault((step.site.path, step.site.line, step.site.column), []).append(once)
    return {place: answers == [True] for place, answers in found.items()}


@once
def sharings(analysis: Analysis) -> Sharings:
    """The answers for one program, made once."""
    return Sharings(analysis)
