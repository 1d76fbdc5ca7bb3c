"""Steps about memory: what each thread has to itself, segments, freshness, checks before the update, races, regions.

Rules of this file: one function a step; only what the analysis found is named.
"""

from __future__ import annotations

from cllm_sim.auditor.facts import Assign, Binary, Declare, Do, Expr, Function, Loop, Name, Site
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.planning.context import Context, serves
from cllm_sim.auditor.planning.layout import covers
from cllm_sim.auditor.planning.sketch import INDENT, Sketch, printed, variable
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements.answer import at, missing
from cllm_sim.auditor.requirements.folding import folds
from cllm_sim.auditor.requirements.gradients import divisions, gradient_buffers
from cllm_sim.auditor.requirements.memory import region_events
from cllm_sim.auditor.traverse import names, statements, within


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
        patch=str(sketch),
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
        (one for file in context.program.files for one in file.records if context.program.label(one.name) == owner),
        None,
    )
    if record is None:
        return
    moved = [one for one in record.members if one.name in {place.holder.name for place in places}]
    kind = context.layout.type_of(record)
    sketch.hunk(record.path, f"new record, before {kind}", 0)
    sketch.add(f"struct {owner}_scratch {{", *(f"{INDENT}{variable(one.type, one.name)};" for one in moved), "};")
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
    sketch.add(*(f"{INDENT}struct {owner}_scratch {owner}_scratch;  /* this thread's own */" for owner in owners))
    given: dict[tuple[str, int], tuple[Function, set[int], str]] = {}
    taking: dict[tuple[str, int], Function] = {}
    for function, line, callees in _touching(context, shared):
        way = layout.way_to(label, function)
        if way:
            known = given.setdefault(function.key, (function, set(), way))
            known[1].add(line)
            taking.update({callee.key: callee for callee in callees})
        else:
            taking[function.key] = function
    for function, lines, way in given.values():
        passed = ", ".join(f"&{way}{owner}_scratch" for owner in owners)
        _passing(context, sketch, function, lines, passed)
    taking = {key: one for key, one in taking.items() if key not in given}
    parameters = [f"struct {owner}_scratch *scratch" for owner in owners]
    for function in taking.values():
        sketch.hunk(function.path, function.name, function.line)
        sketch.take(signature(function))
        sketch.add(signature(function, *parameters))
    members = ", ".join(sorted({f"scratch->{place.holder.name}" for place in shared}))
    if taking:
        sketch.note(f"these use {members}, hand scratch on, and their prototypes alike")
    return list(dict.fromkeys(one.name for one in (*(found[0] for found in given.values()), *taking.values())))


def _touching(
    context: Context, shared: dict[Location, list[Step]]
) -> Iterator[tuple[Function, int, tuple[Function, ...]]]:
    """The calls (with what they call) and accesses inside the workers' work that lead to this memory, outermost first."""
    subject = context.subject
    holders = {place.holder for place in shared}
    seen: set[tuple[str, int, int]] = set()
    for role in subject.workers:
        for write in (True, False):
            for place, step in subject.accesses(role, write=write):
                if place.holder not in holders:
                    continue
                frames = subject.frames(role, step)
                for depth, (function, site) in enumerate(frames):
                    if (*function.key, site.line) not in seen:
                        seen.add((*function.key, site.line))
                        callees = (frames[depth + 1][0],) if depth + 1 < len(frames) else ()
                        if _deepest(context, frames, depth):
                            yield function, site.line, callees


def _deepest(context: Context, frames: list[tuple[Function, Site]], depth: int) -> bool:
    """Does none of the functions further in hold the worker's record (so that this one has to hand the memory on)?
    A function that is only passed a pointer to the memory needs nothing."""
    record = context.layout.worker_record
    if record is None:
        return False
    label = context.program.label(record.name)
    known = [bool(context.layout.way_to(label, function)) for function, _ in frames]
    if any(known[depth + 1 :]) or not any(known[: depth + 1]):
        return False
    return known[depth] or any("." in text or "->" in text for text in _accessed(context, frames, depth))


def _accessed(context: Context, frames: list[tuple[Function, Site]], depth: int) -> list[str]:
    """The texts of what a function evaluates on its line of a path: a plain name there was passed to it."""
    function, site = frames[depth]
    found = [line.text for line in printed(function.body) if line.number == site.line]
    names_ = {one.name for one in function.parameters if one.type.base in {"float", "double", "int"}}
    return [text for text in found if not (depth + 1 == len(frames) and _only(text, names_))]


def _only(text: str, parameters: set[str]) -> bool:
    """Is all that is indexed on a line a parameter (`values[i] = ...`)?"""
    indexed = set(re.findall(r"([\w>.-]+)\[", text))
    return bool(indexed) and indexed <= parameters


def _passing(context: Context, sketch: Sketch, function: Function, lines: set[int], passed: str) -> None:
    """The calls on these lines get one argument more."""
    new: dict[int, list[str]] = {}
    for line in sketch.draft.text(function).lines:
        for call in calls(function.body):
            old = context.program.text(call)
            if line.number in lines and call.line == line.number and old in line.text and line.text.count(old) == 1:
                if isinstance(call.function, Name) and context.program.lookup(call.function.name, function.path):
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
    sketch = Sketch()
    functions = []
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
        "make the length no multiple of the number of workers and compare the accumulated gradient with that of "
        f"one worker: equal; {context.expects(ids, *context.codes('CS001', 'CS002', 'CR001'), run=False)}",
        "before the folding is changed: whoever folds relies on whole, disjoint segments",
        tuple(functions),
        patch=str(sketch),
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
    return sketch.body(function, lambda at_: at_.number in gone, before)


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


# ------------------------------------------------------------------------------------------------- fold and update
@serves("fresh", "LF4")
def fresh(context: Context) -> PlanStep | None:
    """Stamp what is written, fold what is stamped."""
    ids = context.open("LF4")
    found = folds(context.subject)
    if not found:
        return None
    record = context.layout.worker_record
    sketch = Sketch()
    if record is not None:
        sketch.hunk(record.path, context.layout.type_of(record), record.line)
        sketch.add(f"{INDENT}unsigned long round;  /* of the batch whose gradients the segment holds; 0: none */")
    for fold in found[:1]:
        outer = next(
            (one for one in statements(fold.function.body) if isinstance(one, Loop) and one.line <= fold.site.line),
            None,
        )
        way = context.layout.way_to(context.program.label(record.name), fold.function) if record is not None else ""
        line = outer.body[-1].line if outer is not None and outer.body else fold.site.line
        if way and outer is not None:
            sketch.body(fold.function, lambda _: False, {line: [f"if ({way}round != round)", f"{INDENT}continue;"]})
        else:
            sketch = Sketch()
    return PlanStep(
        "Fold only what was written in this round",
        ids,
        tuple(at(fold.site, "folded whatever its age") for fold in found[:4]),
        "folding every segment, also that of a worker without a batch in this round",
        "give the last group fewer batches than workers and compare with one worker: equal; "
        f"{context.expects(ids, run=False)}",
        "after the barrier: the round is what the barrier counts",
        tuple(dict.fromkeys(fold.function.name for fold in found)),
        patch=str(sketch),
        promise=context.promise(ids),
    )


@serves("validate", "LF5")
def validate(context: Context) -> PlanStep | None:
    """Look for NaN and Inf, then shorten, then update."""
    ids, subject = context.open("LF5"), context.subject
    role = next((one for one in subject.roles if subject.doing(one, "update")), None)
    if role is None:
        return None
    step = subject.doing(role, "update")[0]
    sink = next((fold for fold in folds(subject) if fold.sink_location is not None), None)
    buffer = (
        "gradients"
        if sink is None or sink.sink_location is None
        else context.layout.reference(sink.sink_location.holder, step.function)
    )
    buffer = _updated_from(context, step) or buffer
    sketch = Sketch()
    sketch.hunk(step.function.path, "new functions", 0)
    sketch.add(
        "static int gradients_valid(const float *gradients, size_t count)",
        "{",
        f"{INDENT}for (size_t k = 0; k < count; k++)",
        f"{INDENT * 2}if (!isfinite(gradients[k]))",
        f"{INDENT * 3}return 0;",
        f"{INDENT}return 1;",
        "}",
        "static void gradients_clip(float *gradients, size_t count, double limit)",
        "{",
        f"{INDENT}double squares = 0.0;",
        f"{INDENT}for (size_t k = 0; k < count; k++)",
        f"{INDENT * 2}squares += (double)gradients[k] * gradients[k];",
        f"{INDENT}if (sqrt(squares) > limit)",
        f"{INDENT * 2}for (size_t k = 0; k < count; k++)",
        f"{INDENT * 3}gradients[k] *= (float)(limit / sqrt(squares));",
        "}",
    )
    count, limit = _figures(context, step)
    lines = [
        f"if (!gradients_valid({buffer}, {count}))",
        f"{INDENT}{_leaves(step)}",
        f"gradients_clip({buffer}, {count}, {limit});",
    ]
    if step.event is not None and step.event.callees:
        sketch.body(step.function, lambda _: False, {step.site.line: lines}, around=1)
    return PlanStep(
        "Validate and clip before the update",
        ids,
        (at(step.site, "the weights are updated here"), *context.rests_on("LF5", limit=4)),
        "an update with whatever was accumulated; a comparison with a limit lets NaN pass",
        "set one gradient to NAN and one to 1e30 in a test: the first update is left out, the second limited; "
        f"{context.expects(ids, run=False)}",
        "once the accumulation is in one place, the check is, too",
        (step.function.name,),
        patch=str(sketch),
        promise=context.promise(ids),
    )


def _updated_from(context: Context, step: Step) -> str:
    """The argument of the update that is a vector of numbers; the last one, for weights come first."""
    call = None if step.event is None else step.event.call
    found = ""
    for argument in () if call is None else call.arguments:
        type = context.program.type_of(argument, step.function)
        if type is not None and type.base in {"float", "double"} and (type.pointers or type.arrays):
            found = context.program.text(argument)
    return found


def _figures(context: Context, step: Step) -> tuple[str, str]:
    """The number of gradients and the limit, as the program writes them at its update."""
    count, limit = "count", "limit"
    for callee in () if step.event is None else step.event.callees:
        inside = context.program.locals(callee)
        for one in statements(callee.body):
            if (
                isinstance(one, Loop)
                and isinstance(one.condition, Binary)
                and not names(one.condition.right) & set(inside)
            ):
                count = context.program.text(one.condition.right)
    call = None if step.event is None else step.event.call
    for argument in () if call is None else call.arguments:
        text = context.program.text(argument)
        limit = text if any(word in text.lower() for word in ("limit", "clip", "norm")) else limit
    return count, limit


def _leaves(step: Step) -> str:
    """How a round ends without its update."""
    if any(isinstance(one, Loop) and covers(one, step.site.line) for one in statements(step.function.body)):
        return "continue;"
    result = step.function.result
    return "return NULL;" if result.pointers else "return;" if result.base == "void" else "return 0;"


# ------------------------------------------------------------------------------------------------------ shared state
@serves("races", "SM3")
def races(context: Context) -> PlanStep | None:
    """What is left of unordered accesses: counters become each worker's own, flags become orders."""
    ids = context.open("SM3")
    findings = context.subject.found("CR001", "CR002", "CD001")
    if not findings:
        return None
    sketch = Sketch()
    functions = []
    record = context.layout.worker_record
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
        own = _counted(context, function, finding.site.line)
        if own and record is not None:
            line = finding.site.line
            sketch.without(function, {line}, {line: [own]}, around=1)
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
        patch=str(sketch),
        promise=context.promise(ids),
    )


def _counted(context: Context, function: Function, line: int) -> str:
    """`pool->counter++;` as the worker's own counter; "" where the line is no counter."""
    record = context.layout.worker_record
    if record is None:
        return ""
    way = context.layout.way_to(context.program.label(record.name), function)
    for one in statements(function.body):
        if one.line == line and isinstance(one, Do) and way:
            text = context.program.text(one.expression)
            if text.endswith(("++", "--")) or "+=" in text:
                target = text.split("+=")[0].rstrip("+- ")
                return (
                    text.replace(target, f"{way}{target.rpartition('>')[2].rpartition('.')[2]}", 1)
                    + ";  /* summed behind wait B */"
                )
    return ""


@serves("region", "SM1", "SM2")
def region(context: Context) -> PlanStep | None:
    """The gradients lie in the shared region."""
    ids = context.open("SM1", "SM2")
    made = region_events(context.subject)
    places = sorted(place for place in gradient_buffers(context.subject).locations if place.kind == "member")
    where = [*context.rests_on("SM1", "SM2", limit=4)]
    sketch = Sketch()
    functions = []
    for place in places[:1]:
        for value, function in context.program.assignments.get(place.holder.label, []):
            line = getattr(value, "line", 0)
            owner = context.layout.reference(place.holder, function)
            where.append(at(Site(function.path, line), f"{place.holder.label} is memory of its own process here"))
            way = _region_member(context)
            base = (
                context.layout.reference(Location("member", context.layout.pool_label, way), function)
                if way
                else "gradient_region"
            )
            index = (
                f"{owner.rpartition('->')[0]} - {context.layout.reference(context.layout.member('workers'), function)}"
                if "->" in owner
                else "position"
            )
            text = f"{owner} = (float *){base}->address + ({index}) * count;  /* count: gradients of one worker */"
            sketch.without(function, {line}, {line: [text]}, around=1)
            functions.append(function.name)
    if not where and context.layout.pool is not None:
        where.append(
            at(Site(context.layout.pool.path, context.layout.pool.line), f"{context.layout.pool_label} gets the region")
        )
    if not where:
        where.append(missing("no region, and no record that all threads share: the region is a variable of its own"))
    return PlanStep(
        "Put the gradient segments into the shared region"
        if made
        else "Create a shared region and put the gradient segments into it",
        ids,
        tuple(where)[:6],
        "buffers from the heap beside a region that nobody uses" if made else "buffers from the heap",
        context.expects(ids, *context.codes("CS004", "CS005")),
        "after the segments are whole and disjoint: then it does not matter where they lie",
        tuple(dict.fromkeys(functions)),
        patch=str(sketch),
        promise=context.promise(ids),
    )


def _region_member(context: Context) -> str:
    pool = context.layout.pool
    return (
        next((one.name for one in pool.members if "region" in one.name or "shared" in one.name), "")
        if pool is not None
        else ""
    )
