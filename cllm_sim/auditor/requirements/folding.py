"""Where gradients are folded: `sink[k] += source[k]`, whose memory the source is, and what stands around it.

Rules of this file: structure only. A source is named by its location; where it comes out of a function of the program
(`slice_of(pool, i)`), that function is its accessor and stands for the memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cllm_sim.auditor.facts import Assign, Binary, Call, Cast, Expr, Function, Index, Member, Name, Site, Unary
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.requirements.subject import Subject
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.traverse import all_expressions, assigned_locals, within
from cllm_sim.auditor.vocabulary import KNOWN


@dataclass(frozen=True, slots=True)
class Fold:
    """One addition of a source's element to a sink."""

    function: Function
    site: Site
    sink: Expr
    source: Expr
    sink_location: Location | None
    locations: tuple[Location, ...]
    accessor: Key | None


def folds(subject: Subject) -> list[Fold]:
    """The folds of the accumulation; of whatever does not work where nothing is known as the accumulation."""
    known = subject.analysis.purposes.accumulate
    reached = subject.reached(*subject.roles)
    functions = [one for one in reached if function_key(one) in known]
    found = list(_folds(subject, _closure(subject, functions)))
    if found or functions:
        return found
    work = {function_key(one) for role in subject.roles for one in subject.reaches(role, "work")}
    others = [one for one in reached if function_key(one) not in work]
    shared = {place.holder for place in subject.worker_written}
    return [one for one in _folds(subject, others) if any(place.holder in shared for place in one.locations)]


def _closure(subject: Subject, functions: Iterable[Function]) -> list[Function]:
    found: dict[Key, Function] = {}
    waiting = list(functions)
    while waiting:
        one = waiting.pop()
        if function_key(one) in found:
            continue
        found[function_key(one)] = one
        waiting += [callee for event in subject.events_of(one) for callee in event.callees]
    return list(found.values())


def _folds(subject: Subject, functions: Iterable[Function]) -> Iterator[Fold]:
    for function in functions:
        for expr in all_expressions(function.body):
            for source in _added(subject, expr):
                assert isinstance(expr, Assign)
                place = subject.analysis.locations.of(source, function)
                accessor = _accessor(subject, source, function)
                locations = tuple(one for one in (place,) if one is not None and one.kind in {"member", "global"})
                if not locations and accessor is None:
                    locations = tuple(_passed(subject, source, function))
                if locations or accessor is not None:
                    sink = subject.analysis.locations.of(expr.target, function)
                    site = Site(function.path, expr.line)
                    yield Fold(function, site, expr.target, source, sink, locations, accessor)


def _added(subject: Subject, expr: Expr) -> list[Expr]:
    """The sources of `sink += ... source ...` and `sink = sink + ... source ...`: elements and members."""
    if not isinstance(expr, Assign):
        return []
    if expr.operator == "=":
        text = subject.program.text(expr.target)
        sums = [part for part in within(expr.value) if isinstance(part, Binary) and part.operator == "+"]
        if not any(text in (subject.program.text(part.left), subject.program.text(part.right)) for part in sums):
            return []
    elif expr.operator != "+=":
        return []
    return [part for part in _outermost(expr.value) if subject.program.text(part) != subject.program.text(expr.target)]


def _outermost(expr: Expr) -> Iterator[Expr]:
    """The elements and members an expression reads, not those inside their indices."""
    match expr:
        case Index() | Member():
            yield expr
        case Binary(left=left, right=right):
            yield from _outermost(left)
            yield from _outermost(right)
        case Cast(operand=operand):
            yield from _outermost(operand)
        case Unary(operator="*"):
            yield expr
        case _:
            return


def _base(expr: Expr) -> Expr:
    while isinstance(expr, Index | Cast | Unary):
        expr = expr.base if isinstance(expr, Index) else expr.operand
    return expr


def _accessor(subject: Subject, source: Expr, function: Function) -> Key | None:
    """The function of the program that returned the pointer whose memory is read."""
    base = _base(source)
    if not isinstance(base, Name):
        return None
    for value in assigned_locals(function).get(base.name, ()):
        while isinstance(value, Cast):
            value = value.operand
        if isinstance(value, Call) and isinstance(value.function, Name) and value.function.name not in KNOWN:
            for callee in subject.program.lookup(value.function.name, function.path):
                return function_key(callee)
    return None


def _passed(subject: Subject, source: Expr, function: Function) -> Iterator[Location]:
    """Where the source is a parameter: what the callers pass."""
    base = _base(source)
    if not isinstance(base, Name):
        return
    for position, parameter in enumerate(function.parameters):
        if parameter.name != base.name:
            continue
        for call, caller in subject.analysis.callables.callers(function.name):
            if position < len(call.arguments):
                found = subject.analysis.locations.pointed(call.arguments[position], caller)
                if found is not None and found.kind in {"member", "global"}:
                    yield found


@dataclass(frozen=True, slots=True)
class Buffers:
    """The workers' gradient buffers: their memory, and the accessors that hand it out."""

    locations: frozenset[Location]
    accessors: frozenset[Key]

    def __bool__(self) -> bool:
        return bool(self.locations or self.accessors)


def buffers(subject: Subject, found: list[Fold]) -> Buffers:
    """What is folded and written by workers (or handed out to them)."""
    written = {place.holder for place in subject.worker_written}
    reached = {key for role in subject.workers for key in role.reach}
    locations = {place for fold in found for place in fold.locations if place.holder in written}
    accessors = {fold.accessor for fold in found if fold.accessor is not None and fold.accessor in reached}
    vectors = {place for place in locations if place.is_contents}
    return Buffers(frozenset(vectors or locations), frozenset(accessors))


def fetching(subject: Subject, role: Role, accessors: frozenset[Key]) -> list[tuple[Site, Call, Function]]:
    """The calls by which a role gets at a buffer through an accessor."""
    return [
        (step.site, step.event.call, step.function)
        for step in subject.calling(role, set(accessors))
        if step.event is not None and step.event.call is not None
    ]
