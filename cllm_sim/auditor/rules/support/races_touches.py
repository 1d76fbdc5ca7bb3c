"""What live code reads and writes of every member and global, without regard to threads and flows.

Made from the outlines of all functions that some role reaches, so that nothing is missed where a flow was cut. A read
that is part of a change (`x += 1`, `x++`) is no read; an address that is handed on may be used for anything and counts
as one. Rules of this file: it answers "is this ever looked at", so whatever may be a look counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Assign, Call, Cast, Expr, Function, InitialList, Name, Return, Unary
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import Event, events
from cllm_sim.auditor.traverse import all_expressions, statements, within
from cllm_sim.auditor.vocabulary import KNOWN, Act

READS = frozenset({Act.READ, Act.LOAD, Act.CHANGE})
WRITES = frozenset({Act.WRITE, Act.STORE, Act.CHANGE, Act.INIT})


@dataclass(slots=True)
class Touches:
    """Reads and writes by location; `opaque` are the labels of records that are handed out as a whole."""

    reads: dict[Location, list[Event]] = field(default_factory=dict)
    writes: dict[Location, list[Event]] = field(default_factory=dict)
    handed: set[Location] = field(default_factory=set)
    owners: set[str] = field(default_factory=set)
    opaque: set[str] = field(default_factory=set)

    def looked_at(self, location: Location) -> bool:
        """Is a location read, or its address handed on?"""
        return location in self.reads or location in self.handed or location.owner in self.opaque


@once
def touches(analysis: Analysis) -> Touches:
    """The touches of a program's live code."""
    found = Touches()
    seen = set()
    for role in analysis.roles.all:
        for key, reach in role.reach.items():
            if key not in seen:
                seen.add(key)
                _take(analysis, found, reach.function)
    return found


def _take(analysis: Analysis, found: Touches, function: Function) -> None:
    for event in events(analysis.outliner.of(function).body):
        if event.target is None:
            continue
        found.owners.add(event.target.owner)
        if event.act in READS and not (event.act is Act.READ and event.operator):
            found.reads.setdefault(event.target, []).append(event)
        if event.act in WRITES:
            found.writes.setdefault(event.target, []).append(event)
    for expr, foreign in _handed_on(analysis, function):
        location = analysis.locations.of(expr, function)
        if location is not None:
            found.handed.add(location)
        record = analysis.program.type_of(expr, function)
        if foreign and record is not None and (known := analysis.program.record(record)) is not None:
            found.opaque.add(analysis.program.label(known.name))


def _handed_on(analysis: Analysis, function: Function) -> Iterator[tuple[Expr, bool]]:
    """What addresses are taken of, but for calls of the library that say what they do; and whether strangers get it."""
    for expr in all_expressions(function.body):
        match expr:
            case Call(function=Name(name=name), arguments=arguments):
                defined = bool(analysis.program.lookup(name, function.path))
                macro = analysis.program.expand(expr, function.path) is not None
                if name in KNOWN and not defined:
                    continue
                for argument in arguments:
                    foreign = not defined and not macro
                    yield from ((one, foreign) for one in _addressed(argument))
                    if foreign and _pointer(analysis, argument, function):
                        yield Unary("*", argument, argument.line, argument.column), True
            case Assign(value=value) | Cast(operand=value):
                yield from ((one, False) for one in _addressed(value))
            case InitialList(items=items):
                yield from ((one, False) for _, value in items for one in _addressed(value))
            case _:
                pass
    for statement in statements(function.body):
        if isinstance(statement, Return) and statement.value is not None:
            yield from ((one, False) for one in _addressed(statement.value))


def _pointer(analysis: Analysis, argument: Expr, function: Function) -> bool:
    type = analysis.program.type_of(argument, function)
    return type is not None and bool(type.pointers)


def _addressed(value: Expr) -> Iterator[Expr]:
    for one in within(value):
        if isinstance(one, Unary) and one.operator == "&":
            yield one.operand
