"""Hand-overs: a thread has given something back for good before another one ends its life, though nobody joins it.

`sem_post(&done)` as the last thing a worker does, and `sem_wait(&done)` before the destruction, order the two as a join
would. Rules of this file: the giving thread uses the thing no more before it has waited for somebody again; the taking
thread passes the matching wait on every way from the creation to the end of the thing.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.rules.support.conditions import NOTIFIES
from cllm_sim.auditor.vocabulary import ATOMIC, WRITES, Act

GIVES = {Act.WAIT, Act.UP, Act.STORE, Act.CHANGE} | NOTIFIES
TAKES_OVER = {Act.WAIT, Act.DOWN, Act.SLEEP, Act.TIMED_SLEEP, Act.LOAD}
AWAITS = {Act.WAIT, Act.DOWN, Act.SLEEP, Act.TIMED_SLEEP}


def handed_over(analysis: Analysis, ender: Role, end: Step, user: Role, uses: set[int]) -> bool:
    """Has `user` surely done with a thing (its steps `uses`) when `ender` ends its life at a step?

    A barrier does not hand over itself: others may still be on their way out of it.
    """
    flow = analysis.flow(user)
    return any(
        given != end.target and _taken_over(analysis.flow(ender), end, given, user) for given in _given(flow, uses)
    )


def _given(flow: Flow, uses: set[int]) -> Iterator[Location]:
    """What a thread gives when it needs the thing no more."""
    for step in flow.events(*GIVES):
        if step.target is None:
            continue
        for release in _releases(flow, step):
            later = flow.reachable(release.index, lambda one: one.act in AWAITS)
            if not later & (uses - {release.index}):
                yield step.target
                break


def _releases(flow: Flow, step: Step) -> list[Step]:
    """A signal is heard when the mutex is given back; everything else at once."""
    if step.act not in NOTIFIES:
        return [step]
    ahead = flow.reachable(step.index, lambda one: one.act in AWAITS | {Act.UNLOCK, Act.LOCK})
    return [flow.steps[one] for one in sorted(ahead) if flow.steps[one].act is Act.UNLOCK] or [step]


def _taken_over(flow: Flow, end: Step, given: Location, user: Role) -> bool:
    takes: set[int] = set()
    around = set(end.loops)
    for step in flow.events(*TAKES_OVER):
        if step.target == given and step.act not in ATOMIC & WRITES:
            takes.add(step.index)
            takes |= set(step.loops) - around
    starts = [
        step.index
        for step in flow.events(Act.CREATE)
        if step.event is not None and _starts(step, user)
    ] or [flow.start]  # fmt: skip
    return bool(takes) and not any(
        end.index in flow.reachable(start, lambda one: one.index in takes) for start in starts
    )


def _starts(step: Step, user: Role) -> bool:
    keys = {function_key(entry) for entry in user.entries}
    return step.event is not None and any(function_key(entry) in keys for entry in step.event.entries)
