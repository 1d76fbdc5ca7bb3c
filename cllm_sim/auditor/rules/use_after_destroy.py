"""CD001: an object is destroyed, or memory freed, while it may still be used.

By another role, that may still be running and whose last use nothing orders before the end (no join on all paths, no
barrier, no hand-over); or by the same role, on a path that no condition contradicts, without a new initialisation.
Rules of this file: memory is judged for its creator's frees only, and a record through the synchronisation objects in
it; what may be different objects is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Name
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.inventory import OBJECTS, SharedObject, Use
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.lifetimes import lifetimes
from cllm_sim.auditor.rules.support.lifetimes_handover import handed_over
from cllm_sim.auditor.rules.support.locks import apart, one_of, place_of, who
from cllm_sim.auditor.rules.support.locks_paths import Paths, Search
from cllm_sim.auditor.vocabulary import Act, Kind

RULE = Rule("CD001", "use-after-destroy", Severity.ERROR, "something is destroyed or freed that may still be used")
TIP = "Join the threads (or wait for them at a barrier they pass after their last use) before this."
TIP_SAME = "Destroy the object after its last use, or initialise it again before it is used again."
ENDS = {Act.DESTROY: "destroyed", Act.FREE: "freed", Act.UNMAP: "unmapped"}
SYNCHRONISES = (Kind.MUTEX, Kind.CONDITION, Kind.SEMAPHORE, Kind.BARRIER)


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for each object and place of its end; none where a role is too large to be followed to its end."""
    if any(analysis.flow(role).truncated for role in analysis.roles.all):
        return
    for role in analysis.roles.all:
        alive = analysis.flow(role).alive()
        seen = set()
        for step in analysis.flow(role).events(*ENDS):
            if step.index not in alive or step.site in seen:
                continue
            finding = _by_others(analysis, role, step) or _by_itself(analysis, role, step)
            if finding is not None:
                seen.add(step.site)
                yield finding


# ---------------------------------------------------------------------------------------------------------- by others
def _by_others(analysis: Analysis, role: Role, step: Step) -> Finding | None:
    running = lifetimes(analysis).running(role, step.index) - {role.name}
    for other in analysis.roles.all:
        if other.name not in running or (step.act is not Act.DESTROY and not _creates(role, other)):
            continue
        uses = [
            use
            for one in _ended(analysis, step)
            for use in one.uses
            if use.role == other.name and use.step is not None and _may_be_it(analysis, role, step, other, use)
        ]
        steps = {use.step for use in uses if use.step is not None}
        if uses and not handed_over(analysis, role, step, other, steps):
            return _others_finding(analysis, role, step, other, uses)
    return None


def _creates(role: Role, other: Role) -> bool:
    return any(creation.creator == role.name for creation in other.created)


def _ended(analysis: Analysis, step: Step) -> list[SharedObject]:
    """The objects whose life ends at a step: the one named, or those in the record that is freed."""
    inventory = analysis.inventory
    if step.target is None:
        return _behind_local(analysis, step)
    named = inventory.objects.get(step.target) if step.act is Act.DESTROY else inventory.memory.get(step.target)
    found = [] if named is None or step.target.kind == "parameter" else [named]
    if step.act is Act.DESTROY or step.event is None or step.event.expression is None:
        return found
    type = analysis.program.type_of(step.event.expression, step.function)
    record = None if type is None else analysis.program.record(type)
    if record is not None:
        label = analysis.program.label(record.name)
        found += [one for one in inventory.objects.values() if one.kind in OBJECTS and one.location.owner == label]
    return found


def _behind_local(analysis: Analysis, step: Step) -> list[SharedObject]:
    """What is freed through a plain local: the memory behind every member or global that was set to that local."""
    name = step.event.expression if step.event is not None else None
    if not isinstance(name, Name) or step.act is not Act.FREE:
        return []
    holders = {
        label
        for label, given in analysis.program.assignments.items()
        for value, function in given
        if isinstance(value, Name) and value.name == name.name
        and function.key == step.function.key
    }  # fmt: skip
    return [
        one
        for one in analysis.inventory.memory.values()
        if one.location.is_contents and one.location.holder.label in holders
    ]


def _may_be_it(analysis: Analysis, role: Role, step: Step, other: Role, use: Use) -> bool:
    assert use.step is not None
    used = analysis.flow(other).steps[use.step]
    if step.act is not Act.DESTROY:
        return True
    return not apart(place_of(analysis, role, step), place_of(analysis, other, used))


def _others_finding(analysis: Analysis, role: Role, step: Step, other: Role, uses: list[Use]) -> Finding:
    assert step.act is not None
    label = _label(analysis, step)
    first = uses[0]
    notes = [Note(use.site, f"{one_of(other)} uses it here", other.name, use.how) for use in uses[:2]]
    join = _later_join(analysis, role, step, other)
    if join is not None:
        notes.append(
            Note(join.site, f"{who(other)} end here" if other.many else f"{other.name} ends here", role.name, join.how)
        )
    notes += [Note(site, f"{role.name} gets there by this call", role.name) for site in step.how[-1:]]
    message = f"{label} is {ENDS[step.act]} by {role.name} while {one_of(other)} may still use it ({first.site})"
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH if join is not None else Confidence.MEDIUM, step.site, message, label,
        tuple(notes), role.name, step.how, TIP,
    )  # fmt: skip


def _later_join(analysis: Analysis, role: Role, step: Step, other: Role) -> Step | None:
    """The join behind the end that should have stood before it."""
    flow = analysis.flow(role)
    for index in sorted(flow.reachable(step.index)):
        here = flow.steps[index]
        if here.act is not Act.JOIN or other.name not in lifetimes(analysis).running(role, index):
            continue
        if any(other.name not in lifetimes(analysis).running(role, edge.to) for edge in flow.next[index]):
            return here
    return None


def _label(analysis: Analysis, step: Step) -> str:
    if step.event is not None and step.event.expression is not None and step.act is not Act.DESTROY:
        return analysis.program.text(step.event.expression)
    return step.target.label if step.target is not None else "an object"


# ---------------------------------------------------------------------------------------------------------- by itself
def _by_itself(analysis: Analysis, role: Role, step: Step) -> Finding | None:
    """A use of the very same object later on in the same role."""
    place = place_of(analysis, role, step)
    if step.act is not Act.DESTROY or step.target is None or not place.stable or step.own:
        return None
    if step.event is None or step.event.kind not in SYNCHRONISES:
        return None

    def same(other: Step) -> bool:
        there = place_of(analysis, role, other)
        return other.target == step.target and there.stable and there.text == place.text

    def goal(other: Step) -> bool:
        return other.act is not None and other.act is not Act.INIT and other.target == step.target and same(other)

    def stop(other: Step) -> bool:
        return other.act is Act.INIT and other.target == step.target

    paths = Paths(analysis, role)
    starts = [(edge.to, paths.known_at(step)) for edge in paths.flow.next[step.index]]
    way = paths.find(starts, Search(goal, stop))
    if not way:
        return None
    used, label = way[-1], step.target.label
    what = "destroyed again" if used.act is Act.DESTROY else "used again"
    message = f"{label} is destroyed by {one_of(role)} and {what} afterwards ({used.site}) without a new initialisation"
    notes = (Note(used.site, f"{what} here", role.name, used.how),)
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, step.site, message, label, notes, role.name, step.how, TIP_SAME
    )
