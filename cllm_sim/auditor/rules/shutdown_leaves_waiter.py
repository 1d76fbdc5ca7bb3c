"""CT002: on the way out some thread is left waiting.

The stop flag is set without the last crossing of the barrier at which the others stand; one signal is given where
several sleep; or a role leaves early without what ends the others (the flag, the last post). Rules of this file: a join
of a thread that nobody wakes at all is CT001's.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.threads import At, creations
from cllm_sim.auditor.rules.support.threads_differ import tests_start
from cllm_sim.auditor.rules.support.threads_exits import Ending, Flags, StopFlag, flags_of
from cllm_sim.auditor.rules.support.threads_shutdown import (
    Exit,
    Joined,
    early_exits,
    joins,
    missed,
    releases_of,
    stop_flags,
)
from cllm_sim.auditor.vocabulary import Act

RULE = Rule("CT002", "shutdown-leaves-waiter", Severity.ERROR, "on the way out some thread is left waiting")


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every role that is left waiting."""
    if any(analysis.flow(role).truncated for role in analysis.roles.all):
        return
    done: set[str] = set()
    for joined in joins(analysis):
        if joined.target.name in done:
            continue
        known = flags_of(analysis, joined.target.group)
        found = next(_judged(analysis, joined, known), None)
        if found is not None:
            done.add(joined.target.name)
            yield found
    yield from _unfinished_streams(analysis, done)


def _judged(analysis: Analysis, joined: Joined, flags: Flags) -> Iterator[Finding]:
    for flag in stop_flags(analysis, joined, flags):
        for wait in flag.idle:
            if wait.act is Act.WAIT:
                store = missed(analysis, joined, flag, wait, everyone=False)
                if store is not None:
                    yield _not_crossed(joined, flag, wait, store)
            elif joined.target.many and missed(analysis, joined, flag, wait, everyone=False) is None:
                store = missed(analysis, joined, flag, wait, everyone=True)
                if store is not None:
                    yield _one_only(analysis, joined, flag, wait, store)
        yield from _left_early(analysis, joined, flag, flags)


# ------------------------------------------------------------------------------------------------------ flag but no way
def _not_crossed(joined: Joined, flag: StopFlag, wait: Step, store: At) -> Finding:
    label = wait.target.label if wait.target is not None else "the barrier"
    notes = (
        Note(store.step.site, f"{store.role.name} sets {flag.location.label} here", store.role.name, store.step.how),
        Note(
            joined.step.site, f"{joined.role.name} joins {joined.target.name} here", joined.role.name, joined.step.how
        ),
    )
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, wait.site,
        f"{joined.target.name} stands at barrier {label} when {store.role.name} sets {flag.location.label}, and "
        f"{store.role.name} never crosses the barrier again: {joined.target.name} never sees the flag",
        joined.target.name, notes, joined.target.name, wait.how,
        "cross the barrier once more after setting the flag, so that every thread passes and sees it",
    )  # fmt: skip


def _one_only(analysis: Analysis, joined: Joined, flag: StopFlag, wait: Step, store: At) -> Finding:
    label = wait.target.label if wait.target is not None else "its object"
    after = analysis.flow(store.role).reachable(store.step.index)
    releases = [step for step in releases_of(analysis, store.role, wait) if step.index in after]
    what = "posts once" if wait.act is Act.DOWN else "signals one thread"
    notes = [Note(step.site, f"{store.role.name} {what} here", store.role.name, step.how) for step in releases]
    notes += [
        Note(store.step.site, f"{store.role.name} sets {flag.location.label} here", store.role.name, store.step.how),
        Note(
            joined.step.site,
            f"{joined.role.name} joins all {joined.target.name} here",
            joined.role.name,
            joined.step.how,
        ),
    ]
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, wait.site,
        f"several threads {joined.target.name} may sleep at {label} when {flag.location.label} is set, but "
        f"{store.role.name} {what}: the others sleep on",
        joined.target.name, tuple(notes), joined.target.name, wait.how,
        "wake all of them: broadcast, or one post for each thread",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------- early leavers
def _left_early(analysis: Analysis, joined: Joined, flag: StopFlag, flags: Flags) -> Iterator[Finding]:
    """A role that sets the flag on its normal way, and leaves by another way without."""
    roles = {at.role.name: at.role for at in flag.stores}
    if len(roles) != 1 or joined.target.name in roles or not flag.needed:
        return
    role = next(iter(roles.values()))
    if role.many:
        return
    flow = analysis.flow(role)
    begun = _begun(analysis, role, joined.target)
    ending = Ending(analysis, role, flags)
    for found in early_exits(flow, {at.step.index for at in flag.stores}):
        if tests_start(analysis, found.condition):
            continue
        if found.condition.index in begun and flag.location not in ending.tested_at(found.condition):
            text = f"without setting {flag.location.label}, for which {joined.target.name} waits"
            yield _early_finding(analysis, role, joined.target, found, flag.idle[0], text)


def _begun(analysis: Analysis, role: Role, target: Role) -> set[int]:
    """The steps of a role during which threads of the target may run."""
    flow = analysis.flow(role)
    makes = [at.step for at in creations(analysis, target) if at.role is role]
    if not role.caller and not makes:
        return flow.alive()
    makes = makes or list(flow.events(Act.CREATE))
    ends = {step.index for step in flow.events(Act.JOIN)}
    ends |= {loop for step in flow.events(Act.JOIN) for loop in step.loops}
    ends -= {loop for step in makes for loop in step.loops}
    return {index for make in makes for index in flow.reachable(make.index, lambda one: one.index in ends)}


def _unfinished_streams(analysis: Analysis, done: set[str]) -> Iterator[Finding]:
    """A role posts in a loop and once more at its end (an end mark), but may leave early without that."""
    for role in analysis.roles.threads:
        flow = analysis.flow(role)
        if role.many:
            continue
        for label, marks in _end_marks(flow).items():
            waiting = _stream_readers(analysis, role, marks[0])
            if waiting is None or waiting[0].name in done:
                continue
            for found in early_exits(flow, {step.index for step in marks}):
                text = f"without the last post of {label}, for which {waiting[0].name} waits"
                yield _early_finding(analysis, role, waiting[0], found, waiting[1], text)
                done.add(waiting[0].name)
                break


def _end_marks(flow: Flow) -> dict[str, list[Step]]:
    """Posts outside of loops, of semaphores that are posted in loops as well."""
    posts = [step for step in flow.events(Act.UP) if step.target is not None]
    looped = {step.target for step in posts if step.loops}
    marks: dict[str, list[Step]] = {}
    for step in posts:
        if not step.loops and step.target in looped and step.target is not None:
            marks.setdefault(step.target.label, []).append(step)
    return marks


def _stream_readers(analysis: Analysis, writer: Role, mark: Step) -> tuple[Role, Step] | None:
    """Another role that waits for such posts in a loop of which it has no other way out than what it reads."""
    for role in analysis.roles.threads:
        if role is writer or role.group != writer.group:
            continue
        for step in analysis.flow(role).events(Act.DOWN):
            if step.target == mark.target and step.loops:
                return role, step
    return None


def _early_finding(analysis: Analysis, role: Role, left: Role, found: Exit, wait: Step, text: str) -> Finding:
    condition = found.condition
    tested = analysis.program.text(condition.condition) if condition.condition is not None else ""
    notes = [Note(wait.site, f"{left.name} is left waiting here", left.name, wait.how)]
    notes += [Note(site, f"{left.name} gets there by this call", left.name) for site in wait.how]
    if found.first.site != condition.site:
        notes.append(Note(condition.site, f"taken when {tested}", role.name, condition.how))
    return Finding(
        RULE.code, RULE.severity, Confidence.MEDIUM, found.first.site,
        f"{role.name} may leave here {text}: it is left waiting",
        left.name, tuple(notes), role.name, found.first.how,
        "let the early way out do what the normal one does for the others: set the flag, wake them, send the end mark",
    )  # fmt: skip
