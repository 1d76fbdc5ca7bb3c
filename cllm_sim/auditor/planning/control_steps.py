"""Steps that make a control thread: it runs the epochs, computes nothing, and has twelve workers.

Rules of this file: one function a step; code that moves is printed from the program, names it lacks become members of
the pool.
"""

from __future__ import annotations

import re

from cllm_sim.auditor.facts import Declare, Function, Loop, Name, Return, Site
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.planning.context import Context, Lines, serves, with_test
from cllm_sim.auditor.planning.draft import FOREIGN, Key, Text, closing
from cllm_sim.auditor.planning.layout import Layout, covers
from cllm_sim.auditor.planning.lines import INDENT, Line, last_line, printed, signature, variable
from cllm_sim.auditor.planning.sketch import Sketch
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Evidence
from cllm_sim.auditor.requirements.answer import at
from cllm_sim.auditor.requirements.subject import site_of
from cllm_sim.auditor.traverse import all_expressions, calls, names, statements, within
from cllm_sim.auditor.vocabulary import Act

TWELVE = 12


@serves("twelve", "NZ4")
def twelve(context: Context) -> PlanStep | None:
    """Refuse any other number of workers where they are created; a constant becomes twelve."""
    layout, ids = context.layout, context.open("NZ4")
    worker = layout.worker
    if worker is None or not worker.created:
        return None
    if layout.constant:
        return _constant(context, ids)
    created = worker.created[0]
    function, count = created.function, layout.count
    sketch = context.sketch()
    leave = _leaving(function)
    sketch.edit(function, before={_opening_line(context, function): [f"if ({count} != {TWELVE})", f"    {leave}"]})
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
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _leaving(function: Function) -> str:
    """How a function tells its caller that it did not start."""
    if function.result.pointers:
        return "return NULL;"
    if function.name == "main":
        return "return EXIT_FAILURE;"
    known = {"int": "return EINVAL;", "bool": "return false;", "_Bool": "return false;"}
    return known.get(function.result.base, "abort();")


def _opening_line(context: Context, function: Function) -> int:
    """The first statement behind the declarations; the creation's own where the number is known only there."""
    created = context.layout.worker.created[0] if context.layout.worker is not None else None
    outer = [one for one in function.body if not isinstance(one, Declare)]
    first = outer[0].line if outer else function.line
    known = {one.name for one in function.parameters}
    local = set(context.program.locals(function)) - known
    used = set(re.findall(r"[A-Za-z_]\w*", context.layout.count))
    if created is None or not used & local:
        return first
    return next((one.line for one in outer if covers(one, created.event.site.line)), first)


def _constant(context: Context, ids: tuple[str, ...]) -> PlanStep:
    """The number of workers is written into the program: it becomes twelve there."""
    layout = context.layout
    assert layout.worker is not None
    count, created = layout.count, layout.worker.created[0]
    sketch = context.sketch()
    macro = next((one for file in context.program.files for one in file.macros if one.name == count), None)
    where = [at(created.event.site, f"{count} threads of {layout.worker.name} are started here")]
    if macro is not None:
        where.insert(0, at(Site(macro.path, macro.line), f"{count} is {macro.text.strip()}"))
        sketch.hunk(macro.path, count, macro.line)
        sketch.take(f"#define {count} {macro.text.strip()}")
        sketch.add(f"#define {count} {TWELVE}")
    return PlanStep(
        "Make the number of workers twelve",
        ids,
        (*where, *context.rests_on("NZ4", limit=3)),
        f"{count}{f', which is {macro.text.strip()}' if macro is not None else ''}",
        f"count the creations (`strace -f -e trace=clone3`): twelve workers; {context.expects(ids, run=False)}",
        "first, so that every later step and every test speaks of the same number of threads",
        (created.function.name,),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


@serves("control", "NZ1", "NZ2", "NZ3", "RC2", "NZ4")
def control(context: Context) -> PlanStep | None:
    """The epochs' loop moves into a thread of its own."""
    layout, subject = context.layout, context.subject
    counted = layout.worker is not None and bool(layout.worker.created)
    ids = context.open("NZ1", "NZ2", "NZ3", "RC2", *(["NZ4"] if subject.control is None or not counted else []))
    if not ids:
        return None
    if subject.control is not None:
        return _computes_less(context, ids)
    name = layout.control_name
    entry = layout.control_entry
    found = layout.epochs
    functions = [name]
    sketch = context.sketch()
    where = list(context.rests_on("NZ1", "NZ3", limit=5))
    if found is not None:
        function, loop = found
        functions.append(function.name)
        where.append(at(Site(function.path, loop.line), f"this loop of {function.name} is the control's work"))
        functions += _moved(context, sketch, function, loop, entry)
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
        tuple(dict.fromkeys(functions)),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _moved(context: Context, sketch: Sketch, function: Function, loop: Loop, entry: Function | None) -> list[str]:
    """The hunks: new members, the entry with the loop, the caller without it. Returns the others that change."""
    layout, pool = context.layout, context.layout.pool
    renamed, members = _renamed(layout, function, loop)
    created = [] if entry is not None or pool is None else ["pthread_t control_thread;"]
    if pool is not None and (members or created):
        sketch.hunk(pool.path, layout.type_of(pool), pool.line)
        sketch.add(*(f"{INDENT}{one}" for one in (*created, *members)))
    offset = 0 if entry is None or entry.path == function.path else FOREIGN
    first, last = loop.line, last_line(loop)
    going = [*_loop_text(sketch, function, first, last), *_last_meeting(context, sketch, function, loop)]
    moved = [
        line._replace(number=line.number and line.number + offset, text=_with(renamed, line.text)) for line in going
    ]
    if entry is not None:
        _declared_before(context, sketch, entry, loop)
    target = (
        _into_entry(context, sketch, entry, moved) if entry is not None else _into_new(context, sketch, function, moved)
    )
    way = layout.way_to(layout.pool_label, function) if pool is not None else ""
    handle = _handle(context, entry, way)
    given = way.removesuffix("->") if way.endswith("->") else f"&{way.removesuffix('.')}" if way else "NULL"
    names_held = [one.rpartition(" ")[2].strip("*;") for one in members]
    start = [f"{way}{one} = {one};" for one in names_held]
    if entry is None and pool is None:
        start = ["pthread_t control_thread;", *_outside(context, function, loop)]
    elif (
        entry is not None
        and "." not in handle
        and "->" not in handle
        and handle not in context.program.locals(function)
    ):
        start = [f"pthread_t {handle};", *start]
    start += [
        f"pthread_create(&{handle}, NULL, {layout.control_name}, {given});"
        "  /* to be written: a failure ends the program */"
    ]
    if entry is not None and not names_held:
        start = []  # it is started already, and all it needs is there by then
    gone = {line.number for line in going}
    sketch.edit(function, gone, {first: [*start, f"pthread_join({handle}, NULL);"]})
    places = frozenset((function.path, number) for number in gone)
    sketch.draft.gone -= places
    sketch.draft.moved |= dict.fromkeys(places, target)
    return _unparked(context, sketch, entry, handle, bool(names_held)) if entry is not None else []


def _last_meeting(context: Context, sketch: Sketch, function: Function, loop: Loop) -> list[Line]:
    """What stands behind the loop up to its last wait at a barrier: by it the control ends the meeting it led."""
    behind = [one for one in function.body if one.line > last_line(loop)] if loop in function.body else []
    events = context.subject.events_of(function)
    joins_ = [event.site.line for event in events if event.act is Act.JOIN]
    behind = [one for one in behind if not any(covers(one, line) or line < one.line for line in joins_)]
    waits = [event.site.line for event in events if event.act is Act.WAIT]
    last = max((n for n, one in enumerate(behind) if any(covers(one, line) for line in waits)), default=-1)
    numbers = {line.number for one in behind[: last + 1] for line in printed((one,))}
    return [line for line in sketch.draft.text(function).lines if line.number in numbers]


def _declared_before(context: Context, sketch: Sketch, entry: Function, loop: Loop) -> None:
    """What a loop calls and what is defined behind the entry that it moves to, is declared before that."""
    called = {call.function.name for call in calls((loop,)) if isinstance(call.function, Name)}
    later = [
        one
        for one in context.program.functions
        if one.name in called and one.path == entry.path and one.static and one.line > entry.line
    ]
    if later:
        sketch.hunk(entry.path, f"before {entry.name}", 0)
        sketch.add(*(f"{signature(one)};" for one in later))


def _loop_text(sketch: Sketch, function: Function, first: int, last: int) -> list[Line]:
    """A loop as it stands in a function by now."""
    lines = sketch.draft.text(function).lines
    start = next((n for n, line in enumerate(lines) if line.number == first), None)
    if start is None:
        return []
    end = closing(lines, start)
    return (
        list(lines[start : max(end, start) + 1])
        if end > start
        else [line for line in lines if first <= line.number <= last]
    )


def _outside(context: Context, function: Function, loop: Loop) -> list[str]:
    """A line on the locals that a moved loop needs, where no record holds them."""
    inside = {one.name for one in statements((loop,)) if isinstance(one, Declare)}
    used = {name for expr in all_expressions((loop,)) for name in names(expr)}
    needed = [name for name in context.program.locals(function) if name in used and name not in inside]
    return [f"/* to be written: {', '.join(needed)} must live at file level */"] if needed else []


def _into_entry(context: Context, sketch: Sketch, entry: Function, moved: list[Line]) -> Key:
    """The parked thread's entry takes the loop in the place of its waiting."""
    own = context.program.locals(entry)
    kept = {one.line for one in entry.body if getattr(one, "name", "") in own and _opens(context, entry, one)} | {
        one.line for one in entry.body if isinstance(one, Return)
    }
    text = sketch.draft.text(entry)
    sketch.hunk(entry.path, entry.name, entry.line)
    sketch.keep(text.head)
    lines: list[Line] = []
    for line in text.lines:
        if line.text.strip().startswith("return") and moved:
            sketch.add(*(one.text for one in moved))
            lines, moved = [*lines, *moved], []
        (sketch.keep if line.number in kept else sketch.take)(line.text)
        lines += [line] if line.number in kept else []
    sketch.add(*(one.text for one in moved))
    gone = frozenset((entry.path, line.number) for line in text.lines if line.number not in kept)
    sketch.draft.gone |= gone
    sketch.draft.texts[entry.key] = Text(entry.path, entry.name, entry.line, text.head, (*lines, *moved), entry)
    return text.key


def _into_new(context: Context, sketch: Sketch, function: Function, moved: list[Line]) -> Key:
    """A new entry with the loop."""
    layout = context.layout
    own = [] if layout.pool is None else [Line(0, f"{INDENT}{layout.type_of(layout.pool)} *pool = argument;")]
    head = f"static void *{layout.control_name}(void *argument)"
    text = Text(function.path, layout.control_name, 0, head, (*own, *moved, Line(0, f"{INDENT}return NULL;")))
    sketch.write(text, f"new function, before {function.name}")
    return text.key


def _unparked(context: Context, sketch: Sketch, entry: Function, handle: str, later: bool) -> list[str]:
    """The flag that parked the thread goes with the join that stood behind it; the creation, too, where the thread
    starts later."""
    subject = context.subject
    planned: Lines = {}
    for role in subject.parked[:1]:
        flags = {place for place, _ in subject.accesses(role, write=False) if not place.is_contents}
        for function in context.reached():
            events = subject.events_of(function)
            lines = {event.site.line for event in events if event.act is Act.WRITE and event.target in flags}
            if lines:
                lines |= {one.site.line for one in events if one.act is Act.JOIN and _named(one.target, handle)}
            if lines:
                planned[function.key] = lines
        for created in role.created if later and entry in role.entries else ():
            planned.setdefault(created.function.key, set()).update(with_test(created.function, created.event.site.line))
    functions = [one for one in context.reached() if one.key in planned]
    for one in functions:
        planned[one.key] = sketch.going(one, planned[one.key])
    for key, lines in context.idle_writes(sketch, planned).items():
        if key in planned:
            planned[key] |= lines
    context.undeclare(sketch, context.unused(sketch, planned, {}))
    for one in functions:
        sketch.edit(one, planned[one.key], around=0)
    return [one.name for one in functions]


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
    sketch = context.sketch()
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
            sketch.edit(owner, {how[-1].line})
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
        patch=context.applied(sketch),
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
