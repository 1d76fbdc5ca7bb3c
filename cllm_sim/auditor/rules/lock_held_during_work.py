"""CL002: a lock that several threads share is held while batch processing runs, so that they work one after another.

Rules of this file: a lock that each thread has for itself, or that is held for reading only, serialises nothing; which
functions are batch processing is known from `--bind work=...` (high confidence) or proposed by names (medium).
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Held, Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.lifetimes import lifetimes
from cllm_sim.auditor.rules.support.locks import TAKES, apart, listed, place_of, taken, who

RULE = Rule("CL002", "lock-held-during-work", Severity.WARNING, "a shared lock is held while batch processing runs")
TIP = (
    "Do the work without the lock: give every thread a segment of its own, and combine the results under the lock (or "
    "behind a barrier) afterwards."
)
NOTES_MAX = 4


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for each lock and place where it is taken."""
    found: dict[tuple[Location, str, int], tuple[Role, Step, list[Step]]] = {}
    for role in analysis.roles.all:
        for work in analysis.working_steps(role):
            for held in sorted(analysis.held(role).surely[work.index], key=lambda one: one.taken):
                lock = taken(analysis, role, held)
                key = (held.lock, lock.site.path, lock.site.line)
                if key in found:
                    found[key][2].append(work)
                elif not held.shared and _contended(analysis, role, work, held):
                    found[key] = (role, lock, [work])
    for role, lock, works in found.values():
        yield _finding(analysis, role, lock, works)


def _contended(analysis: Analysis, role: Role, work: Step, held: Held) -> bool:
    """Do other threads need the lock while this one works?"""
    lock = taken(analysis, role, held)
    if role.many and not lock.own:
        return True
    return bool(_others(analysis, role, lock, work))


def _others(analysis: Analysis, role: Role, lock: Step, work: Step) -> list[tuple[Role, Step]]:
    """Where other roles that may run at the time take the same lock; of a thread's own lock only who works under it."""
    beside = lifetimes(analysis).running(role, work.index)
    found = []
    for other in analysis.roles.all:
        if other is role or other.name not in beside:
            continue
        for step in analysis.flow(other).events(*TAKES):
            if step.target != lock.target or apart(place_of(analysis, role, lock), place_of(analysis, other, step)):
                continue
            if not (lock.own or step.own):
                found.append((other, step))
                break
    return found


def _finding(analysis: Analysis, role: Role, lock: Step, works: list[Step]) -> Finding:
    assert lock.target is not None
    notes = []
    for site, work in {work.site: work for work in works}.items():
        notes.append(Note(site, f"{_called(work)} runs with {lock.target.label} held", role.name, work.how))
    others = _others(analysis, role, lock, works[0])
    notes += [Note(step.site, f"{who(other)} needs it, too", other.name, step.how) for other, step in others]
    parties = [who(role), *(who(other) for other, _ in others)]
    how = "one after another" if role.many else "while the others wait"
    message = (
        f"lock {lock.target.label} is held while {listed(_called(work) for work in works)} runs: "
        f"{listed(parties)} work {how}"
    )
    sure = "work" in analysis.purposes.bound
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH if sure and role.many else Confidence.MEDIUM, lock.site, message,
        lock.target.label, tuple(notes[:NOTES_MAX]), role.name, lock.how, TIP,
    )  # fmt: skip


def _called(work: Step) -> str:
    return work.event.name if work.event is not None else "the work"
