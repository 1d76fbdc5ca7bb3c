"""CT003: a thread that nobody joins or detaches.

Rules of this file: silent where the handle leaves by a way that is not followed. Fewer joins than threads are reported
only where both numbers are known.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Index, Site, Unary
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.threads import At, creations, multiplied
from cllm_sim.auditor.rules.support.threads_handles import (
    Place,
    detached_at_birth,
    detaches_itself,
    lost,
    places,
    released,
)
from cllm_sim.auditor.vocabulary import Act

RULE = Rule("CT003", "thread-not-joined", Severity.WARNING, "a thread is created and neither joined nor detached")

TIP = "keep the handle and pthread_join it before what the thread uses goes away, or pthread_detach it on purpose"


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every place that makes threads nobody joins or detaches."""
    if any(analysis.flow(role).truncated for role in analysis.roles.all):
        return
    seen: set[Site] = set()
    for role in analysis.roles.threads:
        ends = released(analysis, role.group)
        for at in creations(analysis, role):
            if at.step.site in seen or detached_at_birth(analysis, at.step) or detaches_itself(analysis, role):
                continue
            found = _judged(analysis, role, at, ends)
            if found is not None:
                seen.add(at.step.site)
                yield found


def _judged(analysis: Analysis, role: Role, at: At, ends: list[tuple[Step, set[Place]]]) -> Finding | None:
    kept = places(analysis, at.step)
    matching = [step for step, handle in ends if kept & handle]
    if not matching:
        nameless = any(not handle for _, handle in ends)
        return None if nameless or lost(analysis, at.step) else _never(role, at)
    joins = [step for step in matching if step.act is Act.JOIN]
    if len(joins) == len(matching) == 1:
        return _overwritten(analysis, role, at, joins[0]) or _too_few(analysis, role, at, joins[0])
    return None


def _never(role: Role, at: At) -> Finding:
    many = "threads are" if role.many else "thread is"
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, at.step.site,
        f"the {role.name} {many} created here and neither joined nor detached",
        role.name, _entry_note(role), at.role.name, at.step.how, TIP,
    )  # fmt: skip


def _entry_note(role: Role) -> tuple[Note, ...]:
    return tuple(Note(Site(one.path, one.line), "the thread runs this function", role.name) for one in role.entries)


def _overwritten(analysis: Analysis, role: Role, at: At, join: Step) -> Finding | None:
    """One handle for all threads of a loop, joined after the loop: only the last one is."""
    expr = None if at.step.event is None else at.step.event.expression
    single = isinstance(expr, Unary) and expr.operator == "&" and not isinstance(expr.operand, Index)
    loops = [loop for loop in at.step.loops if loop not in join.loops]
    if not single or not loops or join not in analysis.flow(at.role).steps or expr is None:
        return None
    type = analysis.program.type_of(expr.operand if isinstance(expr, Unary) else expr, at.step.function)
    if type is None or type.arrays or type.pointers or not _plain_variable(analysis, at.step):
        return None
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, at.step.site,
        f"every round of the loop overwrites the handle of the {role.name} thread before: only the last one is joined",
        role.name, (Note(join.site, "joined here", at.role.name, join.how),), at.role.name, at.step.how, TIP,
    )  # fmt: skip


def _plain_variable(analysis: Analysis, step: Step) -> bool:
    """Is the handle a variable of its own (not a member, of which every record has one)?"""
    return step.partner is not None and step.partner.kind in {"local", "global"} and not step.partner.is_contents


def _too_few(analysis: Analysis, role: Role, at: At, join: Step) -> Finding | None:
    flow = analysis.flow(at.role)
    if join not in flow.steps:
        return None
    shared = set(at.step.loops) & set(join.loops)
    made = multiplied(analysis, flow, [loop for loop in at.step.loops if loop not in shared])
    joined = multiplied(analysis, flow, [loop for loop in join.loops if loop not in shared])
    if made is None or joined is None:
        return None
    less = analysis.program.followed(made).difference(analysis.program.followed(joined))
    if less is None or less <= 0:
        return None
    return Finding(
        RULE.code, RULE.severity, Confidence.MEDIUM, at.step.site,
        f"{made.text} threads {role.name} are created and {joined.text} are joined: {less} of them "
        f"{'is' if less == 1 else 'are'} neither joined nor detached",
        role.name, (Note(join.site, "joined here", at.role.name, join.how),), at.role.name, at.step.how, TIP,
    )  # fmt: skip
