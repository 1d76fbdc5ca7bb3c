"""The rounds of a training: after which waits the workers' work lies, and between which the folding.

Rules of this file: answers about ways through flows, nothing is judged; failure edges never count.
"""

from __future__ import annotations

from dataclasses import dataclass

from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.inventory import SharedObject
from cllm_sim.auditor.requirements.subject import Subject
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.vocabulary import Act


@dataclass(frozen=True, slots=True)
class Crossing:
    """How a worker meets a barrier: its work, the first wait after it, and whether no way leads around that wait."""

    role: Role
    work: Step
    wait: Step
    always: bool


def crossing(subject: Subject, role: Role, barrier: SharedObject) -> Crossing | None:
    """The wait that a worker makes after its work at a barrier; None where it makes none."""
    waits = {step.index for step in subject.crossings(role, barrier)}
    flow = subject.flow(role)
    for work in subject.doing(role, "work"):
        after = flow.reachable(work.index, lambda step: step.index in waits)
        first = sorted(waits & after)
        if first:
            return Crossing(role, work, flow.steps[first[0]], _always(subject, role, work, waits))
    return None


def _always(subject: Subject, role: Role, work: Step, waits: set[int]) -> bool:
    """Does every way from the work to the next round, or to the thread's end, pass a wait?"""
    flow = subject.flow(role)
    around = [loop for loop in work.loops if any(loop in flow.steps[wait].loops for wait in waits)]
    past = flow.reachable(work.index, lambda step: step.index in waits)
    if flow.end in past:
        return False
    return not around or not any(
        edge.to == around[-1] for here in past - waits for edge in flow.next[here] if edge.kind == "again"
    )


def meets(subject: Subject) -> list[tuple[SharedObject, list[Crossing]]]:
    """The barriers at which workers wait after their work."""
    found = []
    for barrier in subject.barriers:
        made = [one for role in subject.workers if (one := crossing(subject, role, barrier)) is not None]
        if made:
            found.append((barrier, made))
    return found


def batch_barrier(subject: Subject) -> SharedObject | None:
    """The barrier at which the workers wait after each batch: one at which the director waits, too, if there is."""
    found = [barrier for barrier, _ in meets(subject)]
    director = subject.director
    if director is not None:
        both = [one for one in found if subject.crossings(director, one)]
        found = both or found
    return found[0] if found else None


def last_before(subject: Subject, role: Role, step: Step, acts: frozenset[Act]) -> list[Step]:
    """The synchronising steps nearest before a step, on each way to it."""
    flow = subject.flow(role)
    before = flow.reachable(step.index, lambda one: one.act in acts, backwards=True)
    return _of_this_round(step, [flow.steps[index] for index in sorted(before) if flow.steps[index].act in acts])


def first_after(subject: Subject, role: Role, step: Step, acts: frozenset[Act]) -> list[Step]:
    """The synchronising steps nearest after a step, on each way from it."""
    flow = subject.flow(role)
    after = flow.reachable(step.index, lambda one: one.act in acts)
    return _of_this_round(step, [flow.steps[index] for index in sorted(after) if flow.steps[index].act in acts])


def _of_this_round(step: Step, found: list[Step]) -> list[Step]:
    """Those in the innermost loop that the step is in, too; all of them where that loop has none."""
    for loop in reversed(step.loops):
        inside = [one for one in found if loop in one.loops]
        if inside:
            return inside
    return found
