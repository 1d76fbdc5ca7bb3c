"""Steps about memory: what each thread has to itself, segments, freshness, checks before the update, races, regions.

Rules of this file: one function a step; only what the analysis found is named.
"""

from __future__ import annotations

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Declare,
    Do,
    Expr,
    Function,
    Loop,
    Member,
    Name,
)
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.planning.context import Context, serves
from cllm_sim.auditor.planning.draft import Key, Text
from cllm_sim.auditor.planning.lines import INDENT, signature, variable
from cllm_sim.auditor.planning.sketch import Sketch
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements.answer import at
from cllm_sim.auditor.requirements.gradients import divisions, gradient_buffers
from cllm_sim.auditor.traverse import all_expressions, calls, names, statements, within
from cllm_sim.auditor.vocabulary import Act


# ------------------------------------------------------------------------------------------------- memory of its own
@serves("scratch", "LF1", "NZ5", "BA7", "SM3")
def scratch(context: Context) -> PlanStep | None:
    """What all workers write during work becomes each one's own."""
    shared = _shared_in_work(context)
    if not shared or not context.layout.worker_record:
        return None
    layout = context.layout
    ids = context.open("LF1", "NZ5", "BA7", "SM3")
    owners = sorted({place.owner for place in shared})
    where = [at(steps[0].site, f"every worker writes {place.label} here") for place, steps in sorted(shared.items())]
    sketch = context.sketch()
    for owner in owners:
        _split(context, sketch, owner, sorted(place for place in shared if place.owner == owner))
    functions = _pass_along(context, sketch, shared)
    return PlanStep(
        "Give each worker its own working memory",
        ids,
        tuple(where)[:8],
        f"{', '.join(sorted(place.holder.label for place in shared))}: one copy for all, safe only under the lock "
        "around the work",
        f"`{layout.sanitised}` reports no race on {', '.join(owners)}, now and after the lock is gone; a worker's "
        "result does not depend on the others",
        "before any lock goes: this memory is what the lock really protects",
        tuple(functions),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _shared_in_work(context: Context) -> dict[Location, list[Step]]:
    """Memory that workers write inside their work and that is not their own, nor folded afterwards."""
    subject = context.subject
    kept = {place.holder for place in gradient_buffers(subject).locations}
    found: dict[Location, list[Step]] = {}
    for role in subject.workers:
        inside = {step.index for step in subject.within(role, "work")}
        for place, step in subject.accesses(role, write=True):
            if (
                step.index in inside
                and not step.own
                and place.holder not in kept
                and place.kind == "member"
                and place.is_contents
            ):
                found.setdefault(place, []).append(step)
    return found


def _split(context: Context, sketch: Sketch, owner: str, places: list[Location]) -> None:
    record = next(
        (
            one
            for file in context.program.files
            for one in file.records
            if context.program.label(one.name, one.path) == owner
        ),
        None,
    )
    if record is None:
        return
    moved = [one for one in record.members if one.name in {place.holder.name for place in places}]
    kind = context.layout.type_of(record)
    sketch.hunk(record.path, f"new record, before {kind}", 0)
    sketch.add(
        f"struct {owner.lower()}_scratch {{", *(f"{INDENT}{variable(one.type, one.name)};" for one in moved), "};"
    )
    sketch.hunk(record.path, kind, record.line)
    sketch.take(*(f"{INDENT}{variable(one.type, one.name)};" for one in moved))


def _pass_along(context: Context, sketch: Sketch, shared: dict[Location, list[Step]]) -> list[str]:
    """The worker's record gets the memory; from where that record is known, each call down to the accesses hands it
    on. Returns the functions that change."""
    layout = context.layout
    record = layout.worker_record
    assert record is not None
    label = context.program.label(record.name)
    owners = sorted({place.owner for place in shared})
    sketch.hunk(record.path, layout.type_of(record), record.line)
    sketch.add(
        *(
            f"{INDENT}struct {owner.lower()}_scratch {owner.lower()}_scratch;  /* this thread's own */"
            for owner in owners
        )
    )
    giving, taking = _ways_down(context, shared, label)
    for function, lines in giving.values():
        way = layout.way_to(label, function)
        _passing(context, sketch, function, lines, ", ".join(f"&{way}{owner.lower()}_scratch" for owner in owners))
    for function in taking.values():
        sketch.hunk(function.path, function.name, function.line)
        sketch.take(signature(function))
        sketch.add(signature(function, *(f"struct {owner.lower()}_scratch *scratch" for owner in owners)))
    members = ", ".join(sorted({f"scratch->{place.holder.name}" for place in shared}))
    if taking:
        sketch.note(f"these use {members} and hand scratch on; their prototypes alike")
    return list(dict.fromkeys([*(one.name for one, _ in giving.values()), *(one.name for one in taking.values())]))


def _ways_down(
    context: Context, shared: dict[Location, list[Step]], label: str
) -> tuple[dict[Key, tuple[Function, set[int]]], dict[Key, Function]]:
    """The functions that know the worker's record, with the lines of their calls that lead to this memory; and the
    functions below them that name it (one that is only passed a pointer into it needs nothing)."""
    subject = context.subject
    holders = {place.holder for place in shared}
    members = {place.holder.name for place in shared}
    giving: dict[Key, tuple[Function, set[int]]] = {}
    taking: dict[Key, Function] = {}
    for role in subject.workers:
        for place, step in (*subject.accesses(role, write=True), *subject.accesses(role, write=False)):
            frames = subject.frames(role, step) if place.holder in holders else []
            known = [n for n, (one, _) in enumerate(frames) if context.layout.way_to(label, one)]
            below = [one for one, _ in frames[known[-1] + 1 :]] if known else []
            named = [n for n, one in enumerate(below) if _names_member(one, members)]
            if not named:
                continue
            function, site = frames[known[-1]]
            giving.setdefault(function.key, (function, set()))[1].add(site.line)
            taking.update({one.key: one for one in below[: named[-1] + 1]})
    return giving, taking


def _names_member(function: Function, members: set[str]) -> bool:
    return any(isinstance(one, Member) and one.name in members for one in all_expressions(function.body))


def _passing(context: Context, sketch: Sketch, function: Function, lines: set[int], passed: str) -> None:
    """The calls on these lines get one argument more."""
    new: dict[int, list[str]] = {}
    for line in sketch.draft.text(function).lines:
        for call in calls(function.body):
            old = context.program.text(call)
            here = line.number in lines and call.line == line.number and line.text.count(old) == 1
            own = isinstance(call.function, Name) and context.program.lookup(call.function.name, function.path)
            if here and own:
                text = new.get(line.number, [line.text.strip()])[0]
                new[line.number] = [text.replace(old, f"{old[:-1]}, {passed})")]
    sketch.edit(function, set(new), new, around=0)


@serves("segments", "LF1", "LF2")
def segments(context: Context) -> PlanStep | None:
    """Segments that are each worker's own, and that cover everything."""
    ids = context.open("LF1", "LF2")
    where = [item for item in context.rests_on("LF1", "LF2") if item.site is not None]
    if not where:
        return None
    sketch = context.sketch()
    functions: list[str] = []
    for function in context.reached():
        for site, _, name, dealt in divisions(context.subject):
            if (
                name == function.name
                and site.path == function.path
                and not dealt
                and name not in functions
                and _dealt_out(context, sketch, function, site.line)
            ):
                functions.append(name)
    return PlanStep(
        "Deal the remainder of the segments out" if functions else "Give each worker a segment of its own",
        ids,
        tuple(where),
        "shares of n / workers, which leave the last n % workers entries to nobody"
        if functions
        else "writes of several workers to the same memory",
        "make the length no multiple of the number of workers: the segments still touch, and their lengths add up to "
        f"it; {context.expects(ids, *context.codes('CS001', 'CS002', 'CR001'), run=False)}",
        "before the folding is changed: whoever folds relies on whole, disjoint segments",
        tuple(functions),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _dealt_out(context: Context, sketch: Sketch, function: Function, line: int) -> bool:
    """Replaces `length = n / workers` and what is made of it by shares of which the first n % workers are one "
    "longer."""
    one = next(
        (stmt for stmt in statements(function.body) if stmt.line == line and isinstance(stmt, Declare | Do)), None
    )
    value: Expr | None = None
    name = ""
    if isinstance(one, Declare):
        value, name = one.initial, one.name
    elif isinstance(one, Do) and isinstance(one.expression, Assign) and isinstance(one.expression.target, Name):
        value, name = one.expression.value, one.expression.target.name
    counter = _counter(function)
    if not isinstance(value, Binary) or not name or not counter:
        return False
    share = context.program.text(value)
    extra = f"{context.program.text(value.left)} % {context.program.text(value.right)}"
    before = {line: [f"size_t share = {share};", f"size_t extra = {extra};"]}
    gone = {line}
    for stmt in statements(function.body):
        if isinstance(stmt, Do) and isinstance(stmt.expression, Assign) and name in names(stmt.expression.value):
            target = context.program.text(stmt.expression.target)
            product = any(isinstance(part, Binary) and part.operator == "*" for part in within(stmt.expression.value))
            place = f"(size_t){counter}"
            text = (
                f"{place} * share + ({place} < extra ? {place} : extra)"
                if product
                else f"share + ({place} < extra ? 1 : 0)"
            )
            before[stmt.line] = [f"{target} = {text};"]
            gone.add(stmt.line)
    return sketch.edit(function, gone, before, around=2)


def _counter(function: Function) -> str:
    for one in statements(function.body):
        if isinstance(one, Loop):
            for start in one.start:
                if isinstance(start, Declare):
                    return start.name
                if (
                    isinstance(start, Do)
                    and isinstance(start.expression, Assign)
                    and isinstance(start.expression.target, Name)
                ):
                    return start.expression.target.name
    return ""


# ------------------------------------------------------------------------------------------------------ shared state
@serves("races", "SM3")
def races(context: Context) -> PlanStep | None:
    """What is left of unordered accesses: counters become each worker's own, flags become orders."""
    ids = context.open("SM3")
    every = context.subject.found("CR001", "CR002", "CD001")
    findings = [one for one in every if not context.is_gone(one.site)] or every
    if not findings:
        return None
    sketch = context.sketch()
    functions = []
    seen: set[tuple[str, int]] = set()
    for finding in findings:
        function = next(
            (
                one
                for one in context.reached()
                if one.path == finding.site.path and one.line <= finding.site.line <= one.line_end
            ),
            None,
        )
        if function is None or (function.path, finding.site.line) in seen:
            continue
        seen.add((function.path, finding.site.line))
        functions.append(function.name)
        functions += _own_counter(context, sketch, function, finding.site.line)
    return PlanStep(
        "Order what is still shared",
        ids,
        tuple(at(one.site, f"{one.code}: {one.message}") for one in findings[:6]),
        "accesses without an order: counters become each worker's own and are summed behind wait B, flags become "
        "the order",
        context.expects(ids, *context.codes("CR001", "CR002", "CD001")),
        "after the barriers: most of these accesses are ordered by them, and only what remains needs a change of "
        "its own",
        tuple(dict.fromkeys(functions)),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _own_counter(context: Context, sketch: Sketch, function: Function, line: int) -> list[str]:
    """A counter of all workers becomes each one's own; where it is read, the workers' are summed before. Returns the
    functions that change beside the one that counts."""
    own, member = _counted(context, function, line)
    record = context.layout.worker_record
    if not own or record is None:
        return []
    kind = next((one for one in (context.layout.pool or record).members if one.name == member.name), None)
    sketch.hunk(record.path, context.layout.type_of(record), record.line)
    sketch.add(f"{INDENT}{variable(kind.type, member.name) if kind is not None else f'long {member.name}'};")
    sketch.edit(function, {line}, {line: [own]})
    changed = []
    for reader, place in _read_elsewhere(context, member, function):
        holder, number = sketch.draft.holder(reader, place)
        named = context.layout.named(member, holder)
        workers = context.layout.workers_of(holder.function or reader)
        if workers and any(one.number == number for one in holder.lines):
            total = [
                f"{named} = 0;",
                f"for (int i = 0; i < {bound(context, holder)}; i++)",
                f"{INDENT}{named} += {workers}[i].{member.name};",
            ]
            sketch.edit(holder, before={number: total})
            changed.append(holder.name)
        else:
            sketch.note(f"{reader.name}, line {place}, reads the sum of the workers' {member.name}")
    return changed


def bound(context: Context, holder: Text) -> str:
    """The number of workers in a function's own names."""
    count = context.layout.count
    name = count.rpartition(">")[2]
    if "->" not in count:
        return count
    return context.layout.named(context.layout.member(name), holder)


def _read_elsewhere(context: Context, place: Location, counting: Function) -> list[tuple[Function, int]]:
    found: dict[tuple[str, int], tuple[Function, int]] = {}
    for function in context.reached():
        for event in context.subject.events_of(function) if function is not counting else ():
            if event.act is Act.READ and event.target == place:
                found.setdefault((function.path, event.site.line), (function, event.site.line))
    return list(found.values())


def _counted(context: Context, function: Function, line: int) -> tuple[str, Location]:
    """`pool->counter++;` as the worker's own counter, and the counter; "" where the line is no counter."""
    record = context.layout.worker_record
    nothing = "", Location("global", "", "")
    if record is None:
        return nothing
    way = context.layout.way_to(context.program.label(record.name), function)
    place = next(
        (
            event.target
            for event in context.subject.events_of(function)
            if event.act is Act.WRITE and event.site.line == line and event.target is not None
        ),
        None,
    )
    for one in statements(function.body):
        if one.line == line and isinstance(one, Do) and way and place is not None and not place.is_contents:
            text = context.program.text(one.expression)
            if text.endswith(("++", "--")) or "+=" in text:
                target = text.split("+=")[0].rstrip("+- ")
                return f"{text.replace(target, f'{way}{place.name}', 1)};  /* summed behind wait B */", place
    return nothing
