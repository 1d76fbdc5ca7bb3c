"""CS003: threads write a shared buffer that nobody ever reads.

A buffer is an array of numbers, or memory behind a pointer to numbers, that a member or global holds. Rules of this
file: a change in place (`b[i] += x`) is no read; handing the memory to a function that is not in the sources, returning
it, or keeping its address where it cannot be followed is one. Silent where a flow was cut.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Binary, Cast, Expr, Function, Index, Name, Return, TypeName, Unary
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.races_flags import NUMBERS
from cllm_sim.auditor.rules.support.races_words import declaration_note, who
from cllm_sim.auditor.rules.support.regions import live_functions, regions
from cllm_sim.auditor.traverse import all_expressions, assigned_locals, calls, names, statements
from cllm_sim.auditor.vocabulary import Act

RULE = Rule("CS003", "buffer-never-read", Severity.WARNING, "threads write a shared buffer that nobody reads")
ELEMENTS = NUMBERS | {"float", "double", "long double", "complex", "float complex", "double complex", "_Float16"}


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every buffer that is only written."""
    cut = any(analysis.flow(role).truncated for role in analysis.roles.all)
    if not analysis.roles.threads or cut or analysis.inliner.relevant is not None:
        return
    writes, read = _accesses(analysis)
    read |= _unfollowed(analysis)
    mapped = {holder.location.contents for region in regions(analysis) for holder in region.holders}
    for location in sorted(set(writes) - read - mapped):
        if any(not role.caller for role, _ in writes[location]) and _is_buffer(analysis, location):
            yield _finding(analysis, location, writes[location])


def _is_buffer(analysis: Analysis, location: Location) -> bool:
    if not location.is_contents or location.kind not in {"member", "global"}:
        return False
    known = analysis.inventory.memory.get(location.holder)
    return known is not None and known.declared is not None and _of_numbers(known.type)


def _of_numbers(type: TypeName | None) -> bool:
    return type is not None and type.base in ELEMENTS and (bool(type.arrays) or type.pointers == 1)


def _accesses(analysis: Analysis) -> tuple[dict[Location, list[tuple[Role, Step]]], set[Location]]:
    """The writes of every location, and the locations that are read."""
    writes: dict[Location, list[tuple[Role, Step]]] = {}
    read: set[Location] = set()
    for role in analysis.roles.all:
        for step in analysis.flow(role).events(Act.READ, Act.WRITE):
            if step.target is None or step.event is None:
                continue
            if step.act is Act.WRITE:
                writes.setdefault(step.target, []).append((role, step))
            elif not step.event.operator:
                read.add(step.target)
    return writes, read


def _unfollowed(analysis: Analysis) -> set[Location]:
    """Buffers whose memory is also known by other names: returned, or one of several values of a pointer."""
    found: set[Location] = set()
    for function in live_functions(analysis):
        for one in statements(function.body):
            if isinstance(one, Return) and one.value is not None:
                found |= _leads_to(analysis, one.value, function)
        for values in assigned_locals(function).values():
            targets = [_leads_to(analysis, value, function) for value in values]
            if len(set().union(*targets)) > 1:
                found |= set().union(*targets)
    for label, given in analysis.program.assignments.items():
        targets = [_leads_to(analysis, value, owner) for value, owner in given]
        together = set().union(*targets)
        if len(together - {one for one in together if one.holder.label == label}) > 1:
            found |= together
        if any(_also_local(value, owner) for value, owner in given):
            found |= _buffers(analysis, label)
    return found


def _also_local(value: Expr, function: Function) -> bool:
    """Is a stored pointer that of a local or parameter, by which the memory is known as well?"""
    while isinstance(value, Cast | Binary):
        value = value.operand if isinstance(value, Cast) else value.left
    if not isinstance(value, Name) or not function.name:
        return False
    gone_through = [
        one.base if isinstance(one, Index) else one.operand
        for one in all_expressions(function.body)
        if isinstance(one, Index) or (isinstance(one, Unary) and one.operator == "*")
    ]
    given = [
        argument
        for one in calls(function.body)
        if not (isinstance(one.function, Name) and one.function.name == "free")
        for argument in one.arguments
    ]
    parameter = any(one.name == value.name for one in function.parameters)
    return parameter or any(value.name in names(one) for one in (*gone_through, *given))


def _buffers(analysis: Analysis, label: str) -> set[Location]:
    return {one.contents for one in analysis.inventory.memory if one.label == label}


def _leads_to(analysis: Analysis, value: Expr, function: Function) -> set[Location]:
    """The buffer that a pointer value leads to."""
    type = analysis.program.type_of(value, function)
    if type is None or not (type.pointers or type.arrays):
        return set()
    found = analysis.locations.pointed(value, function)
    return {found} if found is not None and found.is_contents else set()


def _finding(analysis: Analysis, location: Location, writes: list[tuple[Role, Step]]) -> Finding:
    label = location.holder.label
    role, first = next((one for one in writes if not one[0].caller), writes[0])
    notes: list[Note] = []
    lines = {(first.site.path, first.site.line)}
    for other, step in writes:
        if (step.site.path, step.site.line) not in lines and len(notes) < 5:
            lines.add((step.site.path, step.site.line))
            notes.append(Note(step.site, f"{who(other)} writes it here", other.name, step.how))
    return Finding(
        RULE.code,
        RULE.severity,
        Confidence.HIGH,
        first.site,
        f"{who(role)} writes {label}, and nobody ever reads it: the work is lost, or its reader was forgotten",
        label,
        (*notes, *declaration_note(analysis.inventory.memory.get(location.holder))),
        role.name,
        first.how,
        f"read {label} once its writers are done (after a barrier or join), or remove it",
    )
