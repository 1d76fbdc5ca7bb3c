"""CL003: a lock is held during a wait that only ends when others, who need that lock, have gone on.

At a barrier: another party takes the lock on its way there. At a join: the thread that is awaited takes it. At a
semaphore or at a condition with another mutex: everybody who would post or signal needs it first. Rules of this file:
reported only where others need the lock on their way to what is awaited; a thread's own lock and two shared holds of a
read-write lock stop nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Held, Step
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.conditions import NOTIFIES
from cllm_sim.auditor.rules.support.lifetimes import lifetimes
from cllm_sim.auditor.rules.support.locks import apart, one_of, place_of, taken
from cllm_sim.auditor.vocabulary import LOCKS, Act

RULE = Rule("CL003", "lock-held-across-wait", Severity.ERROR, "a lock is held during a wait that others need it to end")
TIP = "Give the lock back before waiting, and take it again afterwards if it is still needed."
AWAITED = frozenset({Act.WAIT, Act.JOIN, Act.DOWN, Act.SLEEP})
WORDS = {
    Act.WAIT: "waits at barrier",
    Act.JOIN: "joins",
    Act.DOWN: "waits on semaphore",
    Act.SLEEP: "waits on condition",
}


class Needed(NamedTuple):
    """Who needs the held lock, where, and whether on every way."""

    role: Role
    step: Step
    always: bool


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for each wait and lock."""
    seen = set()
    for role in analysis.roles.all:
        held = analysis.held(role).surely
        for step in analysis.flow(role).events(*AWAITED):
            for one in sorted(held[step.index], key=lambda one: one.taken):
                if one.lock == step.partner or (step.site, one.lock) in seen or not _judged(analysis, role, step):
                    continue
                needed = _needed(analysis, role, step, one)
                if needed is not None:
                    seen.add((step.site, one.lock))
                    yield _finding(analysis, role, step, one, needed)


def _judged(analysis: Analysis, role: Role, step: Step) -> bool:
    """A wait on a condition whose mutex is not held is CW003, whatever else is held."""
    return step.act is not Act.SLEEP or step.partner in {one.lock for one in analysis.held(role).surely[step.index]}


def _needed(analysis: Analysis, role: Role, step: Step, held: Held) -> Needed | None:
    if step.act is Act.JOIN:
        return _by_the_joined(analysis, role, step, held)
    if step.target is None:
        return None
    if step.act is Act.WAIT:
        return _by_a_party(analysis, role, step, held)
    return _by_all_who_wake(analysis, role, step, held)


def _takes(analysis: Analysis, role: Role, held: Held, other: Role) -> list[Step]:
    """Where another thread (perhaps of the same role) takes the very lock that is held."""
    mine = taken(analysis, role, held)
    if other is role and (not role.many or mine.own):
        return []
    return [
        step
        for step in analysis.flow(other).events(*LOCKS)
        if step.target == held.lock and not (held.shared and step.act is Act.LOCK_SHARED)
        and (other is not role or not step.own)
        and not apart(place_of(analysis, role, mine), place_of(analysis, other, step))
    ]  # fmt: skip


def _by_a_party(analysis: Analysis, role: Role, step: Step, held: Held) -> Needed | None:
    for other in analysis.roles.all:
        if not analysis.roles.together(role, other):
            continue
        flow = analysis.flow(other)
        arrivals = {one.index for one in flow.events(Act.WAIT) if one.target == step.target}
        for lock in _takes(analysis, role, held, other) if arrivals else ():
            ahead = flow.reachable(lock.index, lambda one: one.act is Act.WAIT) & arrivals
            ahead = {one for one in ahead if _same_phase(analysis, role, step, other, flow.steps[one])}
            if ahead:
                return Needed(other, lock, _always(analysis, other, [lock], min(ahead)))
    return None


def _same_phase(analysis: Analysis, role: Role, step: Step, other: Role, arrival: Step) -> bool:
    """Where both wait equally often, the first wait of one belongs to the first of the other, and so on."""
    mine, theirs = (
        [one.index for one in analysis.flow(each).events(Act.WAIT) if one.target == step.target]
        for each in (role, other)
    )
    return len(mine) != len(theirs) or mine.index(step.index) == theirs.index(arrival.index)


def _by_the_joined(analysis: Analysis, role: Role, step: Step, held: Held) -> Needed | None:
    here = lifetimes(analysis).running(role, step.index)
    behind = here.intersection(*(
        lifetimes(analysis).running(role, edge.to) for edge in analysis.flow(role).next[step.index]
    ))  # fmt: skip
    for other in analysis.roles.threads:
        if other.name in here - behind and other is not role:
            for lock in _takes(analysis, role, held, other):
                return Needed(other, lock, _always(analysis, other, [lock], analysis.flow(other).end))
    return None


def _by_all_who_wake(analysis: Analysis, role: Role, step: Step, held: Held) -> Needed | None:
    acts = NOTIFIES if step.act is Act.SLEEP else {Act.UP}
    found: Needed | None = None
    for other in analysis.roles.all:
        if other is not role and not analysis.roles.together(role, other):
            continue
        for wake in analysis.flow(other).events(*acts):
            if wake.target != step.target or (other is role and _same_hold(analysis, role, wake, held)):
                continue
            locks = _takes(analysis, role, held, other)
            if not locks or not _always(analysis, other, locks, wake.index):
                return None
            found = found or Needed(other, locks[0], True)
    return found


def _same_hold(analysis: Analysis, role: Role, step: Step, held: Held) -> bool:
    return held in analysis.held(role).surely[step.index]


def _always(analysis: Analysis, role: Role, locks: list[Step], to: int) -> bool:
    """Does every way from the role's start to a step pass one of these locks?"""
    flow = analysis.flow(role)
    stops = {lock.index for lock in locks}
    return to not in flow.reachable(flow.start, lambda one: one.index in stops)


def _finding(analysis: Analysis, role: Role, step: Step, held: Held, needed: Needed) -> Finding:
    assert step.act is not None
    lock = taken(analysis, role, held)
    awaited = needed.role.name if step.act is Act.JOIN else step.target.label if step.target is not None else ""
    other = f"another thread of {role.name}" if needed.role is role else one_of(needed.role)
    purpose = {
        Act.WAIT: "to get there",
        Act.JOIN: "before it ends",
        Act.DOWN: "before it posts",
        Act.SLEEP: "before it signals",
    }
    message = (
        f"{role.name} {WORDS[step.act]} {awaited} with lock {held.lock.label} held, "
        f"which {other} needs {purpose[step.act]}: both wait for ever"
    )
    notes = (
        Note(lock.site, f"{role.name} takes {held.lock.label} here", role.name, lock.how),
        Note(needed.step.site, f"{other} needs it here", needed.role.name, needed.step.how),
    )
    confidence = Confidence.HIGH if needed.always and not lock.own else Confidence.MEDIUM
    subject = f"{held.lock.label} at {awaited}"
    return Finding(RULE.code, RULE.severity, confidence, step.site, message, subject, notes, role.name, step.how, TIP)
