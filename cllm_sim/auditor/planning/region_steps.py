"""The step that puts the gradients into the shared region.

Rules of this file: only what the analysis found is named; the region becomes large enough for all segments.
"""

from __future__ import annotations

import re

from cllm_sim.auditor.facts import (
    Binary,
    Call,
    Expr,
    Function,
    If,
    Name,
    Site,
    Stmt,
)
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.planning.context import Context, serves
from cllm_sim.auditor.planning.gradient_steps import sums
from cllm_sim.auditor.planning.lines import printed
from cllm_sim.auditor.planning.memory_steps import bound
from cllm_sim.auditor.planning.round_steps import without
from cllm_sim.auditor.planning.sketch import Sketch
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements.answer import at, missing
from cllm_sim.auditor.requirements.gradients import gradient_buffers
from cllm_sim.auditor.requirements.memory import region_events
from cllm_sim.auditor.traverse import calls, statements, within
from cllm_sim.auditor.vocabulary import Act


@serves("region", "SM1", "SM2")
def region(context: Context) -> PlanStep | None:
    """The gradients lie in the shared region."""
    ids = context.open("SM1", "SM2")
    made = region_events(context.subject)
    places = sorted(gradient_buffers(context.subject).locations)
    where = [*context.rests_on("SM1", "SM2", limit=4)]
    sketch = context.sketch()
    functions: list[str] = []
    for place in places[:1]:
        held = context.subject.analysis.inventory.memory.get(place.holder)
        given = context.program.assignments.get(place.holder.label, []) if place.kind == "member" else []
        for value, function in given:
            line = getattr(value, "line", 0)
            where.append(at(Site(function.path, line), f"{place.holder.label} is memory of its own process here"))
            functions += _into_region(context, sketch, place, value, function)
        if held is not None and held.declared is not None and not given:
            where.append(at(held.declared, f"{place.holder.label} lies outside any region"))
    pool = context.layout.pool
    if not where and pool is not None:
        where.append(at(Site(pool.path, pool.line), f"{context.layout.pool_label} gets the region"))
    if not where:
        where.append(missing("no region, and no record that all threads share: the region is a variable of its own"))
    return PlanStep(
        "Put the gradient segments into the shared region"
        if made
        else "Create a shared region and put the gradient segments into it",
        ids,
        tuple(where)[:6],
        "gradient memory outside the region, and a region that nobody uses"
        if made
        else "gradient memory outside any region: nothing of the kind exists",
        context.expects(ids, *context.codes("CS004", "CS005")),
        "after the segments are whole and disjoint: then it does not matter where they lie",
        tuple(dict.fromkeys(functions)),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _into_region(context: Context, sketch: Sketch, place: Location, value: Expr, function: Function) -> list[str]:
    """The buffer becomes a part of the region: no allocation, no release, and a region large enough for all."""
    layout = context.layout
    line = getattr(value, "line", 0)
    owner = layout.reference(place.holder, function)
    member = _region_member(context)
    if not member or "->" not in owner:
        return []
    region_ = layout.reference(Location("member", layout.pool_label, member), function)
    workers = layout.workers_of(function)
    index = f"({owner.rpartition('->')[0]} - {workers})" if workers else "position"
    count = _elements(context, value)
    kind = next(iter(sums(context)), "float")
    tests = {
        one.line
        for one in statements(function.body)
        if isinstance(one, If) and context.program.text(one.condition) == f"!{owner}"
    }
    gone = {line} | {n for one in statements(function.body) if one.line in tests for n in _lines_of(one)}
    gone |= _freed(context, place, function)
    sketch.edit(function, gone, {line: [f"{owner} = ({kind} *){region_}->address + {index} * {count};"]})
    changed = [function.name]
    freed = {
        one.key: lines for one in context.reached() if one is not function and (lines := _freed(context, place, one))
    }
    changed += without(context, sketch, [one for one in context.reached() if one.key in freed], freed)
    return [*changed, *_large_enough(context, sketch, count, function)]


def _freed(context: Context, place: Location, function: Function) -> set[int]:
    """The lines on which a function frees the buffer."""
    return {
        event.site.line
        for event in context.subject.events_of(function)
        if event.act is Act.FREE and event.target is not None and event.target.holder == place.holder
    }


def _lines_of(one: Stmt) -> set[int]:
    return {line.number for line in printed((one,))}


def _elements(context: Context, value: Expr) -> str:
    """How many numbers one buffer holds, from its allocation."""
    call = next((one for one in within(value) if isinstance(one, Call)), None)
    if call is not None and len(call.arguments) == 2:
        return context.program.text(call.arguments[0])
    if call is not None and call.arguments and isinstance(call.arguments[0], Binary):
        return context.program.text(call.arguments[0].left)
    return "count"


def _large_enough(context: Context, sketch: Sketch, count: str, user: Function) -> list[str]:
    """Where the region is created for one buffer, it is created for all, and before it is used."""
    changed = []
    for function in context.reached():
        for call in calls(function.body):
            sizes = [one for one in call.arguments if count in context.program.text(one)]
            opens = isinstance(call.function, Name) and re.search(r"region|shm|shared", call.function.name)
            if not sizes or not opens or function is user:
                continue
            text = context.program.text(sizes[0])
            workers = bound(context, sketch.draft.text(function))
            for line in sketch.draft.text(function).lines:
                if line.number == call.line and text in line.text:
                    new = line.text.strip().replace(text, f"(size_t){workers} * {text}")
                    sketch.edit(function, {line.number}, {line.number: [new]}, around=0)
                    changed.append(function.name)
    for name in changed[:1]:
        sketch.note(f"{name} is called before {user.name}")
    return changed


def _region_member(context: Context) -> str:
    pool = context.layout.pool
    return (
        next((one.name for one in pool.members if "region" in one.name or "shared" in one.name), "")
        if pool is not None
        else ""
    )
