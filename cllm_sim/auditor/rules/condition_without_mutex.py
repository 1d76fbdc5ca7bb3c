"""CW003: a wait on a condition with a mutex that the waiting thread does not hold.

A mutex that is held on some ways to the wait and not on others is a warning: which way is taken may follow from data
that rules the other one out. Rules of this file: locks are compared by name; where a lock without a name was taken,
nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.conditions import waits
from cllm_sim.auditor.rules.support.locks import TAKES, anonymous, one_of, taken

RULE = Rule("CW003", "condition-without-mutex", Severity.ERROR, "a condition wait with a mutex that is not held")
TIP = "Lock the mutex before the predicate is tested, and pass that same mutex to the wait."


def findings(analysis: Analysis) -> Iterator[Finding]:
    """The waits without their mutex."""
    seen = set()
    for wait in waits(analysis):
        partner = wait.step.partner
        if partner is None or partner.kind == "parameter" or wait.step.site in seen:
            continue
        held = analysis.held(wait.role)
        if partner in {one.lock for one in held.surely[wait.step.index]} or _unseen(analysis, wait.role, wait.step):
            continue
        sometimes = partner in {one.lock for one in held.possibly[wait.step.index]}
        seen.add(wait.step.site)
        yield _finding(analysis, wait.role, wait.step, partner, sometimes)


def _finding(analysis: Analysis, role: Role, step: Step, partner: Location, sometimes: bool) -> Finding:
    label = step.target.label if step.target is not None else "a condition"
    holds = [one for one in analysis.held(role).surely[step.index] if one.lock != partner]
    notes = [
        Note(lock.site, f"{lock.target.label} is held instead", role.name, lock.how)
        for lock in (taken(analysis, role, one) for one in sorted(holds, key=lambda one: one.taken))
        if lock.target is not None
    ]
    when = "on some paths without holding it" if sometimes else "without holding it"
    message = f"{one_of(role)} waits on condition {label} with mutex {partner.label} {when}: the behaviour is undefined"
    severity, confidence = (Severity.WARNING, Confidence.MEDIUM) if sometimes else (RULE.severity, Confidence.HIGH)
    return Finding(RULE.code, severity, confidence, step.site, message, label, tuple(notes), role.name, step.how, TIP)


def _unseen(analysis: Analysis, role: Role, step: Step) -> bool:
    """May the mutex have been taken where it could not be seen?"""
    flow = analysis.flow(role)
    if any(anonymous(one) for one in flow.events(*TAKES)) or flow.truncated:
        return True
    library = role.caller and all(entry.name != "main" for entry in role.entries)
    return library and not step.how and not analysis.held(role).possibly[step.index]
