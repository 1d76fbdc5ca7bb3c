"""How often one thread of a role waits at a barrier in its whole life, where its loops fix that.

A counter that is not set again inside an outer loop makes the inner loop run in the first round only; so a loop counts
once for every time its counter is set. Rules of this file: "None" as soon as a condition, an early exit or a loop
without a counter has a say.
"""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Binary, Name, Number
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.program import Count
from cllm_sim.auditor.program.counts import number
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.threads import times
from cllm_sim.auditor.rules.support.threads_shutdown import Exit, early_exits


def total_waits(analysis: Analysis, role: Role, waits: list[Step]) -> Count | None:
    """The number of waits in all; None where it is not fixed."""
    flow = analysis.flow(role)
    counts: list[Count] = []
    for wait in waits:
        once = _executions(analysis, flow, wait)
        if once is None:
            return None
        counts.append(once)
    total: Count | None = None
    for count in dict.fromkeys(counts):  # equal ones as "2 * BATCHES"
        whole = times(analysis, number(counts.count(count)), count)
        total = whole if total is None or whole is None else total + whole
    return total


def _executions(analysis: Analysis, flow: Flow, wait: Step) -> Count | None:
    levels = [*wait.loops, wait.index]
    if flow.end in flow.reachable(flow.start, lambda one: one.index == levels[0]):
        return None  # there is a way round it
    total: Count | None = number(1)
    resets: list[tuple[Count, int]] = []
    for place, loop in enumerate(wait.loops):
        found = _rounds(analysis, flow, loop)
        if found is None or _leaves_early(flow, loop) or _goes_without(flow, loop, levels[place + 1]):
            return None
        resets.append(found)
    keeps = min((depth for _, depth in resets), default=0)
    for place, (rounds, depth) in enumerate(resets):
        if any(later <= place for _, later in resets[place + 1 :]):
            continue  # a loop inside has its counter set outside of this one
        assert depth >= keeps
        total = times(analysis, total, rounds)
    return total


def _rounds(analysis: Analysis, flow: Flow, loop: int) -> tuple[Count, int] | None:
    """The rounds of a counting loop, and how many loops stand around the place where its counter is set."""
    head = flow.steps[loop]
    condition = head.condition
    if not isinstance(condition, Binary) or condition.operator not in {"<", "<=", "!="}:
        return None
    if not isinstance(condition.left, Name):
        return None
    sets = [
        step
        for step in flow.steps
        if step.set is not None and step.set.name == condition.left.name
        and step.how == head.how and step.function is head.function
    ]  # fmt: skip
    inside = [step for step in sets if loop in step.loops]
    starts = _reaching(flow, loop, [step for step in sets if loop not in step.loops])
    if len(starts) != 1 or len(inside) != 1 or not _counts_up(inside[0]) or inside[0].loops[-1] != loop:
        return None
    if _goes_without(flow, loop, inside[0].index):
        return None
    start = starts[0]
    assert start.set is not None
    if start.set.operator != "=" or start.set.value is None:
        return None
    function = head.function
    last = analysis.program.count(condition.right, function, function.path, head.bindings)
    first = analysis.program.count(start.set.value, function, function.path, start.bindings)
    rounds = last if first.value == 0 else last - first
    return (rounds + 1 if condition.operator == "<=" else rounds), len(start.loops)


def _reaching(flow: Flow, loop: int, starts: list[Step]) -> list[Step]:
    """The settings that reach a loop with no other one between."""
    every = {step.index for step in starts}
    return [
        step for step in starts
        if loop in flow.reachable(step.index, lambda one: one.index in every or one.index == loop)
    ]  # fmt: skip


def _counts_up(step: Step) -> bool:
    assert step.set is not None
    value = step.set.value
    return step.set.operator == "++" or (step.set.operator == "+=" and isinstance(value, Number) and value.value == 1)


def _leaves_early(flow: Flow, loop: int) -> bool:
    """Can a loop be left other than by its own condition?"""
    for step in flow.steps:
        if loop not in step.loops or (step.what == "condition" and step.site == flow.steps[loop].site):
            continue
        for edge in flow.next[step.index]:
            target = flow.steps[edge.to]
            if edge.kind != "failure" and edge.to != loop and loop not in target.loops:
                return True
    return False


def early_leaves(flow: Flow, targets: set[int]) -> list[Exit]:
    """Conditions by which a loop that waits is left for good: no way from there leads to a wait."""
    waiting = {loop for target in targets for loop in flow.steps[target].loops}
    return [
        found
        for found in early_exits(flow, targets, also_after=True)
        if waiting & set(found.condition.loops)
        and found.condition.site not in {flow.steps[loop].site for loop in found.condition.loops}
    ]


def _goes_without(flow: Flow, loop: int, inner: int) -> bool:
    """Can a loop go round without a step (or loop) inside it?"""

    def stops(one: Step) -> bool:
        return one.index == inner or (one.index != loop and loop not in one.loops)

    return loop in flow.reachable(loop, stops)
