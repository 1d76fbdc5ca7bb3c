"""Threads and their handles: where threads are made, how many at a time, and how a person calls a role.

Rules of this file: counts are given only where the flows fix them; "None" means that it cannot be told. Creations that
no way of the program joins together are alternatives, and never added up. Failure edges are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Number, Site
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.outline import Repeat, Seq, children
from cllm_sim.auditor.program import Count
from cllm_sim.auditor.program.counts import number
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.roles.discover import counting
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.vocabulary import Act

DEPTH_MAX = 8


class At(NamedTuple):
    """A step of a role's flow."""

    role: Role
    step: Step


def steps_of(analysis: Analysis, *acts: Act) -> Iterator[At]:
    """The steps of all roles with these acts, those reached only after a failure included."""
    for role in analysis.roles.all:
        for step in analysis.flow(role).events(*acts):
            yield At(role, step)


def incomplete(analysis: Analysis) -> bool:
    """Was something cut off or not found, so that nothing can be concluded from what is absent?"""
    return bool(analysis.roles.unresolved) or any(analysis.flow(role).truncated for role in analysis.roles.all)


def called(role: Role) -> str:
    """How a person calls a role: "main", "worker (4 threads)"."""
    if role.caller:
        return role.name
    count = role.count
    if count is not None and count.value == 1:
        return f"thread {role.name}"
    return f"{count.text} threads {role.name}" if count is not None else f"threads {role.name}"


def creations(analysis: Analysis, made: Role) -> Iterator[At]:
    """The steps that make threads of a role, each with the role that takes it."""
    entries = {entry.key for entry in made.entries}
    for creator in analysis.roles.all:
        if creator.group != made.group:
            continue
        for step in analysis.flow(creator).events(Act.CREATE):
            assert step.event is not None
            if any(entry.key in entries for entry in step.event.entries):
                yield At(creator, step)


# -------------------------------------------------------------------------------------------------------------- rounds
def _repeats(body: Seq) -> Iterator[Repeat]:
    for node in body:
        if isinstance(node, Repeat):
            yield node
        yield from _repeats(children(node))


def repeat_of(analysis: Analysis, loop: Step) -> Repeat | None:
    """The loop that a step of kind loop stands for."""
    for one in _repeats(analysis.outliner.of(loop.function).body):
        if one.site == loop.site and one.condition == loop.condition:
            return one
    return None


def rounds(analysis: Analysis, flow: Flow, loop: int) -> Count | None:
    """How often a counting loop goes round; None for every other loop."""
    step = flow.steps[loop]
    found = repeat_of(analysis, step)
    limits = None if found is None else counting(found)
    if limits is None:
        return None
    _, first, last, inclusive = limits
    function = step.function
    upper = analysis.program.count(last, function, function.path, step.bindings)
    lower = analysis.program.count(first, function, function.path, step.bindings)
    span = upper if lower.value == 0 else upper - lower
    return span + 1 if inclusive else span


def times(analysis: Analysis, one: Count | None, other: Count | None) -> Count | None:
    """The product of two counts, where one of them is a number."""
    if one is None or other is None:
        return None
    if one.value is None and other.value is None:
        one, other = analysis.program.followed(one), analysis.program.followed(other)
    for factor, form in ((one, other), (other, one)):
        if factor.value == 1:
            return form
    for factor, form in ((one, other), (other, one)):
        if factor.value is not None:
            return form.scaled(factor.value, _product(factor, form))
    return None


def _product(one: Count, other: Count) -> str:
    return " * ".join(f"({count.text})" if " " in count.text else count.text for count in (one, other))


def multiplied(analysis: Analysis, flow: Flow, loops: Iterable[int]) -> Count | None:
    """The rounds of nested loops in all."""
    total: Count | None = number(1)
    for loop in loops:
        total = times(analysis, total, rounds(analysis, flow, loop))
    return total


# --------------------------------------------------------------------------------------------------- threads at a time
def threads_beside(analysis: Analysis, role: Role, home: At, depth: int = 0) -> list[Count] | None:
    """How many threads of a role run for one execution of the step `home`: the possible numbers, or None.

    Where `home` lies in a role of which there are several threads, those made by one of them count.
    """
    if depth > DEPTH_MAX:
        return None
    if role is home.role:
        return [number(1)]
    if role.caller:
        return [number(1)] if not home.role.many else None
    totals: list[Count] | None = None
    for creator in analysis.roles.all:
        steps = [at.step for at in creations(analysis, role) if at.role is creator]
        if not steps:
            continue
        here = _made_by(analysis, creator, steps, home)
        outer = threads_beside(analysis, creator, home, depth + 1)
        if here is None or outer is None or totals is not None:
            return None  # several creators: which of them run together is not known
        products = [times(analysis, one, other) for one in here for other in outer]
        totals = [one for one in products if one is not None]
        if len(totals) < len(products):
            return None
    return totals


def _made_by(analysis: Analysis, creator: Role, steps: list[Step], home: At) -> list[Count] | None:
    """The numbers of threads that one creator has running at a time."""
    flow = analysis.flow(creator)
    alive = flow.alive()
    steps = [step for step in steps if step.index in alive]
    shared = home.step.loops if home.role is creator else ()
    counts: list[Count] = []
    for step in steps:
        if sometimes(flow, step):
            return None
        count = multiplied(analysis, flow, _gathering(flow, step, shared))
        if count is None:
            return None
        counts.append(count)
    if not counts:
        return None
    together = [_together(flow, one, other) for one in steps for other in steps if one.index < other.index]
    if all(together):
        total = counts[0]
        for count in counts[1:]:
            total = total + count
        return [total]
    return None if any(together) else counts


def _gathering(flow: Flow, step: Step, shared: tuple[int, ...]) -> list[int]:
    """The loops around a creation that make more threads run at a time: not those that join them again inside."""
    joined = {loop for join in flow.events(Act.JOIN) for loop in join.loops}
    return [loop for loop in step.loops if loop not in shared and loop not in joined]


def _together(flow: Flow, one: Step, other: Step) -> bool:
    """May threads of two creations run at a time: does one come after the other with no join between?"""

    def joins(step: Step) -> bool:
        return step.act is Act.JOIN

    return other.index in flow.reachable(one.index, joins) or one.index in flow.reachable(other.index, joins)


def sometimes(flow: Flow, step: Step) -> bool:
    """May the creation be left out on a way that goes on to wait for threads (a condition around it)?"""
    levels = [*step.loops, step.index]

    def stops(one: Step) -> bool:
        return one.index == levels[0] or _gives_up(one, step)

    around = flow.reachable(flow.start, stops) - {levels[0]}
    if any(flow.steps[index].act in {Act.JOIN, Act.WAIT} for index in around):
        return True
    return any(_round_without(flow, loop, inner) for loop, inner in pairwise(levels))


def _round_without(flow: Flow, loop: int, inner: int) -> bool:
    """Can a loop go round without a step inside it?"""

    def stops(one: Step) -> bool:
        return one.index == inner or (one.index != loop and loop not in one.loops)

    return loop in flow.reachable(loop, stops)


def _gives_up(one: Step, creation: Step) -> bool:
    """Does a step leave a function around the creation because of an error (goto, a result that is not 0)?"""
    if one.leave is None or one.how != creation.how[: len(one.how)]:
        return False
    value = one.leave.value
    if one.leave.kind == "return":
        return value is not None and not (isinstance(value, Number) and value.value == 0)
    return one.leave.kind == "goto"


# --------------------------------------------------------------------------------------------------------------- paths
def key_of(step: Step) -> Key:
    """The function in which a step stands."""
    return step.function.path, step.function.line


def shown_way(how: tuple[Site, ...]) -> str:
    """The last call that leads to a place, for messages."""
    return f" (called at {how[-1]})" if how else ""
