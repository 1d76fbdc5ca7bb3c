"""CD002: one object is initialised twice, and not destroyed in between.

On one path of one role (through another call, or in the next round of a loop), or by each of several threads of a role.
Rules of this file: only places known to be the same object are compared; a pointer that is set in between leads to
another one; an initialiser in a declaration counts only where it is one of the library's.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Name, Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.locks import place_of, who
from cllm_sim.auditor.rules.support.locks_order import rooted
from cllm_sim.auditor.rules.support.locks_paths import Paths, Search
from cllm_sim.auditor.rules.support.locks_places import Place, set_name
from cllm_sim.auditor.vocabulary import STATIC_INITIALISERS, Act, Kind

RULE = Rule("CD002", "double-initialisation", Severity.WARNING, "an object is initialised twice without destruction")
TIP = "Initialise it in one place only, or destroy it before it is initialised again."
KINDS = frozenset({Kind.MUTEX, Kind.CONDITION, Kind.SEMAPHORE, Kind.BARRIER})


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for each object."""
    seen = set()
    for role in analysis.roles.all:
        for step in analysis.flow(role).events(Act.INIT):
            place = place_of(analysis, role, step)
            if step.target is None or not place.tracked or not _made_by_call(step) or (step.target, place.text) in seen:
                continue
            found = (
                _again(analysis, role, step, place)
                or _by_each_thread(analysis, role, step, place)
                or _statically(analysis, role, step)
            )
            if found is not None:
                seen.add((step.target, place.text))
                yield found


def _made_by_call(step: Step) -> bool:
    return step.event is not None and step.event.kind in KINDS and step.event.call is not None


def _again(analysis: Analysis, role: Role, step: Step, place: Place) -> Finding | None:
    def same(other: Step) -> bool:
        there = place_of(analysis, role, other)
        return other.target == step.target and there.tracked and there.text == place.text

    def goal(other: Step) -> bool:
        return other.act is Act.INIT and _made_by_call(other) and same(other)

    def stop(other: Step) -> bool:
        if other.act is Act.DESTROY and other.target == step.target:
            return True
        if not place.stable and (other.how, set_name(other)) in place.names:
            return True  # the next element
        moved = other.act is Act.WRITE and place_of(analysis, role, other).text + "->"
        return bool(moved) and str(moved) in place.text

    paths = Paths(analysis, role)
    starts = [(edge.to, paths.known_at(step)) for edge in paths.flow.next[step.index]]
    way = paths.find(starts, Search(goal, stop))
    if not way:
        return None
    second = way[-1]
    if second is step:
        how = "in every round of the loop"
        notes = [Note(analysis.flow(role).steps[loop].site, "this loop", role.name) for loop in step.loops[-1:]]
    else:
        how = f"again, at {second.how[-1] if second.how else second.site},"
        notes = [Note(second.site, "the second initialisation", role.name, second.how)]
    return _finding(role, step, f"initialised {how} without being destroyed in between", notes)


def _by_each_thread(analysis: Analysis, role: Role, step: Step, place: Place) -> Finding | None:
    """Every thread of the role makes the one object."""
    flow = analysis.flow(role)
    if not place.stable or not role.many or step.own or not rooted(place):
        return None
    if flow.end in flow.reachable(flow.start, lambda one: one.index == step.index):
        return None
    return _finding(role, step, f"initialised by each of {who(role)}", [])


def _statically(analysis: Analysis, role: Role, step: Step) -> Finding | None:
    """A variable with an initialiser of the library, initialised by a call on top."""
    target = step.target
    if target is None or target.kind != "global":
        return None
    for file in analysis.program.files:
        for one in file.globals:
            given = isinstance(one.initial, Name) and one.initial.name in STATIC_INITIALISERS
            if one.name != target.name or target.path not in {"", file.path} or target.owner or not given:
                continue
            flow = analysis.flow(role)
            before = flow.reachable(flow.start, lambda each: each.act is Act.DESTROY and each.target == target)
            if step.index in before and not one.type.arrays:
                note = Note(Site(file.path, one.line), "initialised in its declaration")
                return _finding(role, step, "initialised by its declaration and by a call", [note])
    return None


def _finding(role: Role, step: Step, what: str, notes: list[Note]) -> Finding:
    assert step.target is not None
    label = step.target.label
    notes += [Note(site, f"{role.name} gets there by this call", role.name) for site in step.how[-1:]]
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, step.site, f"{label} is {what}", label, tuple(notes), role.name,
        step.how, TIP,
    )  # fmt: skip
