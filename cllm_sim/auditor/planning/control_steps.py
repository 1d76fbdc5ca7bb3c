"""Steps that make a control thread: it runs the epochs, computes nothing, and has twelve workers.

Rules of this file: one function a step; code that moves is printed from the program, names it lacks become members of
the pool.
"""

from __future__ import annotations

import re
from itertools import pairwise

from cllm_sim.auditor.facts import Assign, Declare, Function, If, Loop, Name, Site, Stmt
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.planning.context import Context, serves
from cllm_sim.auditor.planning.layout import Layout
from cllm_sim.auditor.planning.sketch import Sketch, last_line, printed, signature, variable
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Evidence
from cllm_sim.auditor.requirements.answer import at
from cllm_sim.auditor.requirements.subject import site_of
from cllm_sim.auditor.traverse import all_expressions, names, statements, within
from cllm_sim.auditor.vocabulary import Act

TWELVE = 12


@serves("twelve", "NZ4")
def twelve(context: Context) -> PlanStep | None:
    """Refuse any other number of workers where they are created."""
    layout, ids = context.layout, context.open("NZ4")
    worker = layout.worker
    if worker is None or not worker.created or layout.constant:
        return None
    created = worker.created[0]
    function = created.function
    loops = [one for one in created.function.body if isinstance(one, Loop)]
    line = next(
        (one.line for one in loops if one.line <= created.event.site.line <= last_line(one)), created.event.site.line
    )
    leave = {"int": "return EINVAL;", "bool": "return false;", "_Bool": "return false;"}.get(
        function.result.base, "abort();"
    )
    if function.result.pointers:
        leave = "return NULL;"
    count = layout.count
    sketch = Sketch()
    sketch.body(function, lambda _: False, {line: [f"if ({count} != {TWELVE})", f"    {leave}"]})
    return PlanStep(
        "Refuse any number of workers but twelve",
        ids,
        (
            at(created.event.site, f"{count} threads of {worker.name} are started here"),
            *context.rests_on("NZ4", limit=3),
        ),
        f"nothing in {function.name} looks at {count}; a default elsewhere is no limit",
        "start the program with 11 and with 13 workers: both end with an error before a thread is started; "
        + context.expects(ids, run=False),
        "first, so that every later step and every test speaks of the same number of threads",
        (function.name,),
        patch=str(sketch),
        promise=context.promise(ids),
    )


@serves("control", "NZ1", "NZ2", "NZ3", "RC2", "NZ4")
def control(context: Context) -> PlanStep | None:
    """The epochs' loop moves into a thread of its own."""
    layout, subject = context.layout, context.subject
    ids = context.open("NZ1", "NZ2", "NZ3", "RC2", *(["NZ4"] if layout.constant else []))
    if not ids:
        return None
    if subject.control is not None:
        return _computes_less(context, ids)
    name = layout.control_name
    entry = layout.control_entry
    found = layout.epochs
    functions = [name]
    sketch = Sketch()
    where = list(context.rests_on("NZ1", "NZ3", limit=5))
    if found is not None:
        function, loop = found
        functions.append(function.name)
        where.append(at(Site(function.path, loop.line), f"this loop of {function.name} is the control's work"))
        _moved(context, sketch, function, loop, entry)
    replaces = f"{entry.name} only waits" if entry is not None else "the calling thread coordinates"
    return PlanStep(
        f"Let {name} run the epochs" if entry is not None else "Give the control a thread of its own",
        ids,
        tuple(where),
        f"{replaces}; {'the loop of ' + found[0].name if found is not None else 'the coordination'} moves into it, "
        "and the"
        " caller only starts it and joins it",
        f"{context.expects(ids, *context.codes('CT005', 'CT004'))}; a debugger shows the loop in the thread of {name}",
        "before the barriers: the control is one of their parties, so it must exist when their counts are decided",
        tuple(functions),
        patch=str(sketch),
        promise=context.promise(ids),
    )


def _moved(context: Context, sketch: Sketch, function: Function, loop: Loop, entry: Function | None) -> None:
    """The hunks: new members, the entry with the loop, the caller without it."""
    layout = context.layout
    pool = layout.pool
    renamed, members = _renamed(layout, function, loop)
    created = [] if entry is not None else ["pthread_t control_thread;"]
    if pool is not None and (members or created):
        sketch.hunk(pool.path, layout.type_of(pool), pool.line)
        sketch.add(*(f"    {one}" for one in (*created, *members)))
    moved = [_with(renamed, line.text) for line in printed((loop,))]
    if entry is not None:
        kept = {
            one.line
            for one in entry.body
            if getattr(one, "name", "") in context.program.locals(entry) and _opens(context, entry, one)
        }
        lines = list(printed(entry.body))
        sketch.hunk(entry.path, entry.name, entry.line)
        sketch.keep(signature(entry))
        for line in lines:
            leaves = line.text.strip().startswith("return")
            if leaves:
                sketch.add(*moved)
            (sketch.keep if leaves or line.number in kept else sketch.take)(line.text)
    else:
        sketch.hunk(function.path, layout.control_name, 0)
        argument = "argument" if pool is None else f"{layout.type_of(pool)} *pool = argument;"
        sketch.add(f"static void *{layout.control_name}(void *argument)", "{")
        sketch.add(*([f"    {argument}", ""] if pool is not None else []), *moved, "    return NULL;", "}")
    way = layout.way_to(layout.pool_label, function) if pool is not None else ""
    first, last = loop.line, last_line(loop)
    handle = _handle(context, entry, way)
    given = way.removesuffix("->") if way.endswith("->") else f"&{way.removesuffix('.')}" if way else "NULL"
    held = [f"{way}{one.rpartition(' ')[2].strip('*;')} = {one.rpartition(' ')[2].strip('*;')};" for one in members]
    start = [*held, f"pthread_create(&{handle}, NULL, {layout.control_name}, {given});"]
    if entry is not None and not held:
        start = []  # it is started already, and all it needs is there by then
    joined = {first: [*start, f"pthread_join({handle}, NULL);"]}
    sketch.body(function, lambda line: first <= line.number <= last, joined, around=1)
    if entry is not None and held:
        _started_later(context, sketch, entry)
    _unparked(context, sketch, handle)


def _started_later(context: Context, sketch: Sketch, entry: Function) -> None:
    """The old creation goes with the test of its result: what the control needs is known only later."""
    for role in context.subject.parked:
        for created in role.created if entry in role.entries else ():
            line = created.event.site.line
            body = created.function.body
            gone = {line}
            for one, after in pairwise(body):
                tests = isinstance(after, If) and names(after.condition) & assigned(one)
                if one.line == line and tests:
                    gone |= {printed_line.number for printed_line in printed((after,))}
            sketch.without(created.function, gone, around=0)


def assigned(one: Stmt) -> set[str]:
    """What a statement assigns by name."""
    found = {one.name} if isinstance(one, Declare) else set()
    for expr in all_expressions((one,)):
        if isinstance(expr, Assign) and isinstance(expr.target, Name):
            found.add(expr.target.name)
    return found


def _unparked(context: Context, sketch: Sketch, handle: str) -> None:
    """The flag that parked the thread goes with the join that stood behind it."""
    subject = context.subject
    for role in subject.parked[:1]:
        flags = {place for place, _ in subject.accesses(role, write=False) if not place.is_contents}
        for function in context.reached():
            events = subject.events_of(function)
            lines = {event.site.line for event in events if event.act is Act.WRITE and event.target in flags}
            joined = {event.site.line for event in events if event.act is Act.JOIN and _named(event.target, handle)}
            gone = lines | joined
            if lines:
                sketch.without(function, gone, around=0)


def _named(target: Location | None, handle: str) -> bool:
    return target is not None and re.split(r"[.>]", handle)[-1] == target.name


def _opens(context: Context, entry: Function, one: object) -> bool:
    """Does a declaration of the entry open the pool (its initial value is the argument)?"""
    initial = getattr(one, "initial", None)
    return initial is not None and any(
        parameter.name in context.program.text(initial) for parameter in entry.parameters
    )


def _handle(context: Context, entry: Function | None, way: str) -> str:
    if entry is None:
        return f"{way}control_thread"
    for role in context.subject.threads:
        if entry in role.entries:
            for created in role.created:
                partner = created.event.target
                if partner is not None:
                    return f"{way}{partner.name}" if partner.kind == "member" else partner.name
    return f"{way}control_thread"


def _renamed(layout: Layout, function: Function, loop: Loop) -> tuple[dict[str, str], list[str]]:
    """The outer names a moved loop uses, as the control reaches them, and the members the pool needs for them."""
    used = {
        part.name
        for expr in all_expressions((loop,))
        for part in within(expr)
        if hasattr(part, "name") and not hasattr(part, "base")
    }
    inside = {one.name for one in statements((loop,)) if isinstance(one, Declare)}
    entry = layout.control_entry
    way = "" if entry is None else layout.way_to(layout.pool_label, entry)
    own = way.removesuffix("->") or "pool"
    renamed, members = {}, []
    for name, local in layout.program.locals(function).items():
        record = layout.program.record(local.type, function.path)
        if name not in used or name in inside or layout.pool is None:
            continue
        if record is not None and record.name == layout.pool.name:
            renamed[name] = own if local.type.pointers else f"(*{own})"
            continue
        known = {one.name for one in layout.pool.members}
        if name not in known:
            members.append(f"{variable(local.type, name)};")
        renamed[name] = f"{own}->{name}"
    return renamed, members


def _with(renamed: dict[str, str], text: str) -> str:
    for name, other in renamed.items():
        if name != other:
            text = re.sub(rf"(?<![\w.>]){re.escape(name)}\b(?!\()", other, text)
    return text


def _computes_less(context: Context, ids: tuple[str, ...]) -> PlanStep | None:
    """There is a control, but it computes or leaves a part of its work to others."""
    subject = context.subject
    role = subject.control
    assert role is not None
    calls = [(function, context.subject.analysis.path_to(role, function)) for function in subject.reaches(role, "work")]
    sketch = Sketch()
    where: list[Evidence] = []
    for function, how in calls:
        if not how:
            continue
        where.append(at(how[-1], f"{role.name} reaches {function.name} here"))
        owner = next(
            (one for one in context.reached() if one.path == how[-1].path and one.line <= how[-1].line <= one.line_end),
            None,
        )
        if owner is not None:
            line = how[-1].line
            sketch.without(owner, {line}, {}, around=1)
    rest = context.rests_on("NZ1", "NZ2", "NZ3", "RC2")
    if not where and not rest:
        rest = (at(site_of(role.entries[0]), f"{role.name} is the control"),)
    return PlanStep(
        f"Keep batch processing out of {role.name}" if where else f"Let {role.name} coordinate all of a round",
        ids,
        (*where, *rest)[:6],
        f"{role.name} computes beside coordinating; the batch goes to a worker"
        if where
        else f"{role.name} leaves a part of the coordination to others",
        context.expects(ids, *context.codes("CT004")),
        "before the barriers: while the control computes, the workers wait for it at every batch",
        tuple(dict.fromkeys([role.name, *(function.name for function, _ in calls)])),
        patch=str(sketch),
        promise=context.promise(ids),
    )


def joins(context: Context) -> list[tuple[Function, int]]:
    """Where the workers are joined: the functions, with the line of the join."""
    role = context.layout.worker
    handles = {created.event.target for created in role.created} if role is not None else set()
    found = []
    for function in context.reached():
        for event in context.subject.events_of(function):
            if event.act is Act.JOIN and (event.target in handles or not handles):
                found.append((function, event.site.line))
    return found
