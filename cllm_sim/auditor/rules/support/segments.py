"""The segments of a program: shared buffers of which every worker writes a part of its own.

A segment is known by the buffer's name; where it begins and how long it is are given as the program writes them. Rules
of this file: it records, it judges nothing; what is not written plainly is None. Keep in step: the report's inventory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Binary, Call, Cast, Expr, Function, Index, Member, Name, Number, Site, Unary
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.inventory import Use
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import events
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.roles.discover import counting
from cllm_sim.auditor.rules.support.threads import repeat_of
from cllm_sim.auditor.traverse import assigned_locals, names
from cllm_sim.auditor.vocabulary import Act


@dataclass(slots=True)
class Segment:
    """One buffer that is written in parts; texts are those of the program."""

    label: str
    location: Location
    role: str
    declared: Site | None = None
    size: str | None = None
    offset: str | None = None
    length: str | None = None
    written: list[Use] = field(default_factory=list)
    read: list[Use] = field(default_factory=list)


@once
def segments(analysis: Analysis) -> list[Segment]:
    """All segments, by label."""
    found: dict[Location, Segment] = {}
    for role in analysis.roles.threads:
        if not role.many:
            continue
        flow = analysis.flow(role)
        for step in flow.events(Act.WRITE):
            if step.own and step.target is not None and _is_part(analysis, step):
                one = found.setdefault(step.target, _segment(analysis, role, step.target))
                _placed(analysis, flow, step, one)
    return sorted(found.values(), key=lambda one: one.label)


def _is_part(analysis: Analysis, step: Step) -> bool:
    """Is what is written part of a buffer that all know, and not of a record that the thread has to itself?"""
    target, expr = step.target, step.event.expression if step.event is not None else None
    if target is None or not target.is_contents or target.kind not in {"member", "global"}:
        return False
    if not isinstance(expr, Index) or step.owned is None:
        return isinstance(expr, Unary | Name | Member | Binary)
    base: Expr = expr
    while isinstance(base, Index):
        base = base.base
    type = analysis.program.type_of(base, step.function)
    whole = type is not None and bool(type.arrays)
    return not (whole and isinstance(base, Member) and step.owned.place(base))


def _segment(analysis: Analysis, role: Role, location: Location) -> Segment:
    held = analysis.inventory.memory.get(location.holder)
    touched = analysis.inventory.memory.get(location)
    uses = [] if touched is None else touched.uses
    return Segment(
        location.holder.label,
        location,
        role.name,
        None if held is None else held.declared,
        _size(analysis, location),
        written=[use for use in uses if use.act is Act.WRITE],
        read=[use for use in uses if use.act is Act.READ],
    )


def _size(analysis: Analysis, location: Location) -> str | None:
    """The dimensions of an array, or what is allocated for a pointer."""
    held = analysis.inventory.memory.get(location.holder)
    if held is not None and held.type is not None and held.type.arrays:
        return " * ".join("?" if one is None else analysis.program.text(one) for one in held.type.arrays)
    for value, owner in analysis.program.assignments.get(location.holder.label, []):
        plain = value.operand if isinstance(value, Cast) else value
        if isinstance(plain, Call):
            text = _allocated(analysis, plain, owner)
            if text:
                return text
    return None


def _allocated(analysis: Analysis, call: Call, owner: Function) -> str | None:
    for event in events(analysis.outliner.of(owner).body) if owner.name else ():
        if (
            event.act in {Act.ALLOCATE, Act.MAP}
            and event.call is not None
            and ((event.call.line, event.call.column) == (call.line, call.column))
        ):
            if event.name == "calloc":
                return " * ".join(analysis.program.text(one) for one in call.arguments)
            return None if event.value is None else analysis.program.text(event.value)
    return None


# ------------------------------------------------------------------------------------------------------------- places
def _placed(analysis: Analysis, flow: Flow, step: Step, one: Segment) -> None:
    """Where a part begins and how long it is, from the index, the pointer, and the loop around the write."""
    expr = step.event.expression if step.event is not None else None
    if one.offset is not None or not isinstance(expr, Index):
        return
    start, length = _bounds(analysis, flow, step, expr.index)
    base = _base_offset(analysis, expr.base, step)
    if base is not None:
        one.offset, one.length = base, length
    elif start is not None:
        one.offset, one.length = start, length
    elif step.owned is not None and step.owned.value(expr.index):
        one.offset, one.length = analysis.program.text(expr.index), "1"
    elif isinstance(expr.base, Index):
        one.offset, one.length = f"[{analysis.program.text(expr.base.index)}]", length


def _bounds(analysis: Analysis, flow: Flow, step: Step, index: Expr) -> tuple[str | None, str | None]:
    """The start and the length of the run that an index takes in the loops around it."""
    for loop in reversed(step.loops):
        found = repeat_of(analysis, flow.steps[loop])
        counted = None if found is None else counting(found)
        if counted is None or counted[0] not in names(index):
            continue
        name, first, last, inclusive = counted
        rest = _without(analysis, index, name)
        own = step.owned is not None and step.owned.value(first)
        if rest is None and not own:
            return None, _length(analysis, first, last, inclusive)
        return rest or analysis.program.text(first), _length(analysis, first, last, inclusive)
    return None, None


def _without(analysis: Analysis, index: Expr, counter: str) -> str | None:
    """`offset + k` without k."""
    if isinstance(index, Binary) and index.operator == "+":
        for side, other in ((index.left, index.right), (index.right, index.left)):
            if isinstance(side, Name) and side.name == counter:
                return analysis.program.text(other)
    return None


def _length(analysis: Analysis, first: Expr, last: Expr, inclusive: bool) -> str:
    """`last - first`, shorter where the end is written as a sum."""
    start, end = analysis.program.text(first), analysis.program.text(last)
    more = " + 1" if inclusive else ""
    if isinstance(first, Number) and first.value == 0:
        return end + more
    if isinstance(last, Binary) and last.operator == "+" and analysis.program.text(last.left) == start:
        return analysis.program.text(last.right) + more
    return f"{end} - {start}{more}"


def _base_offset(analysis: Analysis, base: Expr, step: Step) -> str | None:
    """The offset of a pointer into the buffer: `own = buffer + offset`, or a member that was given one."""
    values: list[Expr] = []
    if isinstance(base, Name) and base.name in step.bindings:
        given = step.bindings[base.name][0]
        if isinstance(given, Index):
            return f"[{analysis.program.text(given.index)}]"
        values = [given]
    elif isinstance(base, Name):
        values = assigned_locals(step.function).get(base.name, [])
    elif isinstance(base, Member):
        location = analysis.locations.of(base, step.function)
        values = [] if location is None else [one for one, _ in analysis.program.assignments.get(location.label, [])]
    for value in values:
        plain = value.operand if isinstance(value, Cast) else value
        if isinstance(plain, Binary) and plain.operator == "+":
            return analysis.program.text(plain.right)
        if isinstance(plain, Unary) and plain.operator == "&" and isinstance(plain.operand, Index):
            return analysis.program.text(plain.operand.index)
    return None
