"""Steps that make the rounds: the batch barrier, the epoch barrier, the order to stop, and then no lock.

Rules of this file: one function a step; the two sides that each wait orders are named. Statements that go are the
program's own hand-off (locks, conditions, semaphores, flags around the work).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cllm_sim.auditor.facts import Function, Loop, Site, Stmt
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.planning.cleanup_steps import calls_of
from cllm_sim.auditor.planning.context import Context, Lines, serves
from cllm_sim.auditor.planning.control_steps import joins
from cllm_sim.auditor.planning.draft import Text
from cllm_sim.auditor.planning.layout import ORDER, covers
from cllm_sim.auditor.planning.lines import INDENT, printed
from cllm_sim.auditor.planning.sketch import Sketch
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Evidence
from cllm_sim.auditor.requirements.answer import at
from cllm_sim.auditor.requirements.gradients import folding_steps
from cllm_sim.auditor.requirements.rounds import batch_barrier
from cllm_sim.auditor.traverse import statements
from cllm_sim.auditor.vocabulary import SYNCHRONISES, Act

HANDS_OFF = SYNCHRONISES - {Act.CREATE, Act.JOIN, Act.WAIT}
CODE = re.compile(r"C[A-Z]\d{3}:")
STOP_TITLE = "Stop by an order through the batch barrier"
SIDES = ("the order stands before anyone reads it", "every segment is written before anyone folds it")


def wait(context: Context, barrier: Location, holder: Text, why: str = "") -> str:
    """A wait at a barrier in a function's own names."""
    return f"pthread_barrier_wait(&{context.layout.named(barrier, holder)});{f'  /* {why} */' if why else ''}"


@serves("batch", "BA1", "BA2", "BA3", "BA4", "LF3")
def batch(context: Context) -> PlanStep | None:
    """Two waits of all at the batch barrier, for each batch."""
    layout = context.layout
    ids = context.open("BA1", "BA2", "BA3", "BA4", "LF3")
    if layout.worker is None or layout.worker_entry is None:
        return as_found(context, "Let every barrier be met by as many as it is made for", ids)
    sketch = context.sketch()
    sides: list[Evidence] = []
    functions: list[str] = []
    met = batch_barrier(context.subject) is not None
    if layout.round is not None and layout.restarted is None:  # half of a meeting is none
        if not met or _misses_waits(context):
            declare(context, sketch, layout.batch, with_order=not met)
        if not met:
            functions += _worker(context, sketch, sides)
        meets = _director(context, sketch, sides)
        functions += meets + _counts(context, sketch, bool(meets))
    rewritten = not met and bool(sketch)
    where = (*sides, *(one for one in context.rests_on(*ids) if layout.epoch.label not in one.text))
    old = sorted({step.target.label for step in _waiting(context) if step.target is not None})
    replaces = f"the hand-off by {', '.join(old)}" if old and not met else "what orders the batches today"
    title = f"Let all threads meet twice at {layout.batch.label} for each batch"
    if met and not _misses_waits(context):
        title = f"Make {layout.batch.label} for as many as meet at it"
    test = context.expects(ids, *context.codes("CB001", "CB002", "CB003", "CB004", "CR001"))
    if rewritten:
        test = f"once \u201c{STOP_TITLE}\u201d is done, with which it is one change: {test}"
    return PlanStep(
        title,
        ids,
        tuple(dict.fromkeys(where))[:8],
        f"{replaces}: one barrier of {layout.count} + 1 parties, two waits a batch, also for a worker without a batch",
        f"{test}; `cllm check node_zero --workers 2` shows the same protocol to hold",
        "after the control exists, before any lock goes: from here on the barrier orders what the locks ordered",
        tuple(dict.fromkeys(functions)),
        tuple(sides),
        context.applied(sketch),
        context.promise(ids),
    )


@serves("handoff", "BA3", "BA7", "LF3")
def handoff(context: Context) -> PlanStep | None:
    """The old hand-off goes on both sides."""
    ids = context.open("BA3", "BA7", "LF3")
    steps = _waiting(context)
    places = {step.target for step in steps if step.target is not None}
    locks = {step.event.partner for step in steps if step.event is not None and step.event.partner is not None}
    sketch = context.sketch()
    functions = _hand_off(context, sketch)
    if not functions:
        return None
    old = ", ".join(sorted(one.label for one in places))
    names = sorted(one.label for one in (*places, *locks))
    test = context.expects(ids, *context.codes("CW002", "CW005", "CW006", "CL003", "CR001"))
    return PlanStep(
        f"Remove the hand-off by {old}",
        ids,
        tuple(dict.fromkeys(at(site, f"{act} here goes") for act, site in _hand_off_sites(context, functions)))[:8],
        f"{', '.join(names)} and their flags: what they ordered, the two waits order",
        f"once \u201c{STOP_TITLE}\u201d is done, with which it is one change: {test}",
        "together with the step before, in one change: a hand-off goes on both sides or hangs",
        tuple(functions),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _hand_off_sites(context: Context, names: list[str]) -> Iterator[tuple[Act, Site]]:
    for function in context.reached():
        for event in context.subject.events_of(function) if function.name in names else ():
            if event.act in HANDS_OFF:
                yield event.act, event.site


def _counts(context: Context, sketch: Sketch, meets: bool) -> list[str]:
    """The barrier is initialised for the workers and the control: where that becomes a party, or was miscounted."""
    layout, subject = context.layout, context.subject
    known = layout.known(layout.batch)
    director = subject.director
    if known is None or not known.by(Act.WAIT) or director is None:
        return []
    joins_now = meets and director.name not in known.roles(Act.WAIT)
    if not joins_now and not subject.found_about([layout.batch], "CB002"):
        return []
    changed = []
    for function in context.reached():
        for event in subject.events_of(function):
            if event.act is not Act.INIT or event.target != layout.batch or event.value is None or not event.call:
                continue
            old, count = context.program.text(event.call), context.program.text(event.value)
            new = f"{old.removesuffix(f'{count})')}{count if joins_now else layout.count} + 1)"
            lines = [one for one in sketch.draft.text(function).lines if one.number == event.site.line]
            for line in lines:
                if old in line.text and new != old:
                    sketch.edit(function, {line.number}, {line.number: [line.text.strip().replace(old, new)]})
                    changed.append(function.name)
    return changed


def as_found(context: Context, title: str, ids: tuple[str, ...]) -> PlanStep | None:
    """A step for a program in which no workers are known: what was found wrong, without a sketch."""
    created = [
        at(one.event.site, f"{role.name} is started here") for role in context.subject.threads for one in role.created
    ]
    where = context.rests_on(*ids) or tuple(created[:4])
    if not where:
        return None
    codes = sorted({item.text.partition(":")[0] for item in where if CODE.match(item.text)})
    return PlanStep(
        title,
        ids,
        where,
        "what was found at these places",
        context.expects(ids, *codes),
        "here, before anything is added: a program that can hang cannot be tested",
        promise=context.promise(ids),
    )


@serves("persistent", "BA3", "BA5", "BA6")
def persistent(context: Context) -> PlanStep | None:
    """Workers that are started anew for each round or epoch stay instead."""
    found = context.layout.restarted
    if found is None:
        return None
    ids = context.open("BA3", "BA5", "BA6")
    function, site = found
    joined = [at(Site(one.path, line), f"{one.name} joins the workers here") for one, line in joins(context)]
    return PlanStep(
        "Start the workers once and keep them",
        ids,
        (at(site, f"{function.name} starts the workers in every round of the loop around it"), *joined[:3]),
        "threads that are created and joined for each round or epoch: creation and join move in front of and behind the"
        " outermost loop, and each worker's entry gets a loop of its own around its work",
        f"count the creations (`strace -f -e trace=clone3`): as many as there are threads; {context.expects(ids)}",
        "before the barrier: only threads that stay can meet at it again",
        tuple(dict.fromkeys([function.name, *(one.name for one, _ in joins(context))])),
        promise=context.promise(ids),
    )


def declare(context: Context, sketch: Sketch, barrier: Location, *, with_order: bool) -> None:
    """The barrier and the order, where the program has none; a new barrier is made before the threads, ended behind
    their joins."""
    layout, pool = context.layout, context.layout.pool
    fresh = layout.known(barrier) is None and bool(sketch.new(barrier.name))
    ordered = with_order and _order(context) is None and bool(sketch.new(ORDER))
    new = [f"pthread_barrier_t {barrier.name};"] * fresh
    new += [f"int {ORDER};  /* written before a wait, read after it */"] * ordered
    if not new:
        return
    path = pool.path if pool is not None else _file(context)
    if ordered:
        sketch.hunk(path, f"file level{'' if pool is None else f', before {layout.type_of(pool)}'}", 0)
        sketch.add("enum { ORDER_BATCH, ORDER_EPOCH, ORDER_STOP };")
    if pool is not None:
        sketch.hunk(pool.path, layout.type_of(pool), pool.line)
    elif not ordered:
        sketch.hunk(path, "file level", 0)
    sketch.add(*(f"{INDENT}{one}" if pool is not None else f"static {one}" for one in new))
    if fresh:
        _made(context, sketch, barrier)


def _made(context: Context, sketch: Sketch, barrier: Location) -> None:
    """The lines that initialise and destroy a new barrier."""
    layout = context.layout
    for created in layout.worker.created[:1] if layout.worker is not None else ():
        line = outer(created.function, created.event.site.line)
        name = layout.reference(barrier, created.function)
        sketch.edit(
            created.function, before={line: [f"pthread_barrier_init(&{name}, NULL, {layout.count} + 1);"]}, around=0
        )
    for function, line in joins(context)[:1]:
        name = layout.reference(barrier, function)
        sketch.edit(function, behind={outer(function, line): [f"pthread_barrier_destroy(&{name});"]}, around=0)


def outer(function: Function, line: int) -> int:
    """The line of the outermost statement around a line."""
    return next((one.line for one in function.body if covers(one, line)), line)


def _file(context: Context) -> str:
    pool, entry = context.layout.pool, context.layout.worker_entry
    return pool.path if pool is not None else entry.path if entry is not None else ""


def _order(context: Context) -> str | None:
    """A member of the pool that says what to do, where there is one."""
    pool = context.layout.pool
    return next((one.name for one in pool.members if ORDER in one.name.lower()), None) if pool is not None else None


def order(context: Context, holder: Text) -> str:
    """The order in a function's own names."""
    layout = context.layout
    return layout.named(layout.member(_order(context) or ORDER), holder)


def _worker(context: Context, sketch: Sketch, sides: list[Evidence]) -> list[str]:
    """The workers' loop: wait, read the order, work, wait."""
    layout = context.layout
    entry, work = layout.worker_entry, layout.work_step
    if entry is None or work is None:
        return []
    line = work[2].line
    loop = next((one for one in statements(entry.body) if isinstance(one, Loop) and covers(one, line)), None)
    gone = _around_work(context, entry, loop.body if loop is not None else entry.body, line)
    at_work = _statement(entry, line)
    if at_work is None:
        return []
    text = sketch.draft.text(entry)
    before = [
        wait(context, layout.batch, text, f"A: {SIDES[0]}"),
        f"if ({order(context, text)} == ORDER_STOP)",
        f"{INDENT}break;",
    ]
    after = [wait(context, layout.batch, text, f"B: {SIDES[1]}")]
    if loop is None:
        before, after = ["for (;;) {", *(INDENT + one for one in before)], [*(INDENT + one for one in after), "}"]
    sketch.edit(entry, gone, {line: before}, {at_work.line: after})
    sketch.note("a worker that is given no batch in a round skips the work, not the waits")
    sides.append(at(Site(entry.path, line), f"{entry.name}: wait A before this batch, wait B after it"))
    return [entry.name]


def _statement(function: Function, line: int) -> Stmt | None:
    """The innermost statement on a line."""
    return next((one for one in reversed(list(statements(function.body))) if covers(one, line)), None)


def _around_work(context: Context, function: Function, body: tuple[Stmt, ...], line: int) -> set[int]:
    """The lines of the hand-off before and after the work: from the first that synchronises, to the last."""
    sync = {event.site.line for event in context.subject.events_of(function) if event.act in HANDS_OFF}
    if len(body) == 1 and hasattr(body[0], "body") and not isinstance(body[0], Loop):
        body = body[0].body
    parts = [(one, any(covers(one, number) for number in sync)) for one in body]
    at_work = next((n for n, (one, _) in enumerate(parts) if covers(one, line)), len(parts))
    before = [n for n, (_, syncs) in enumerate(parts[:at_work]) if syncs]
    after = [n for n, (_, syncs) in enumerate(parts) if syncs and n > at_work]
    going = [*range(before[0], at_work)] if before else []
    going += [*range(at_work + 1, after[-1] + 1)] if after else []
    return {one.number for n in going for one in printed((parts[n][0],))}


def _director(context: Context, sketch: Sketch, sides: list[Evidence]) -> list[str]:
    """The director's round: the two waits stand between the distribution and the accumulation."""
    layout, subject = context.layout, context.subject
    found, role = layout.round, subject.director
    if found is None or role is None:
        return []
    function, loop = found
    inside = [one for one in loop.body if not _distributes(context, function, one)]
    barrier = batch_barrier(subject)
    crossed = [] if barrier is None else [step for step in subject.crossings(role, barrier) if len(step.loops) > 0]
    missing = max(0, 2 - len(crossed))
    if not inside or not missing:
        return []
    why = [f"A: {SIDES[0]}", f"B: {SIDES[1]}"][-missing:]
    target = inside[0] if not crossed else _folding(context, function, inside)
    sketch.edit(*anchored(sketch, function, target.line, lambda holder: _opening(context, holder, why, missing)))
    name = layout.control_name
    sides.append(at(Site(function.path, target.line), f"{name}, in {function.name}: the waits stand before this"))
    return [function.name]


def anchored(
    sketch: Sketch, function: Function, line: int, lines: Callable[[Text], list[str]]
) -> tuple[Text, tuple[int, ...], dict[int, list[str]]]:
    """What `Sketch.edit` takes to put lines before one, in the function where that stands by now."""
    holder, number = sketch.draft.holder(function, line)
    return holder, (), {number: lines(holder)}


def _misses_waits(context: Context) -> bool:
    """Does the director meet the batch barrier less than twice a round?"""
    barrier, role = batch_barrier(context.subject), context.subject.director
    if barrier is None or role is None:
        return True
    return sum(len(step.loops) > 0 for step in context.subject.crossings(role, barrier)) < 2


def _opening(context: Context, holder: Text, why: list[str], missing: int) -> list[str]:
    """The waits of a round that are still missing, behind the order where both are."""
    lines = [wait(context, context.layout.batch, holder, one) for one in why]
    return [f"{order(context, holder)} = ORDER_BATCH;", *lines] if missing > 1 else lines


def _folding(context: Context, function: Function, body: list[Stmt]) -> Stmt:
    """The statement of a round that accumulates."""
    role, steps = folding_steps(context.subject)
    for step in steps:
        site = None if role is None else context.layout.site_in(role, step, function)
        for one in body:
            if site is not None and covers(one, site.line):
                return one
    return body[0]


def _distributes(context: Context, function: Function, one: Stmt) -> bool:
    role = context.subject.director
    if role is None:
        return False
    steps = context.subject.doing(role, "distribute")
    sites = [context.layout.site_in(role, step, function) for step in steps]
    return any(site is not None and covers(one, site.line) for site in sites) or type(one).__name__ == "Declare"


def _waiting(context: Context) -> list:  # type: ignore[type-arg]
    """The steps by which director and workers hand work to one another today."""
    subject = context.subject
    roles = [*subject.workers, *([subject.director] if subject.director is not None else [])]
    return [
        step
        for role in roles
        for step in subject.training_steps(role)
        if step.act in {Act.SLEEP, Act.TIMED_SLEEP, Act.DOWN}
    ]


def _hand_off(context: Context, sketch: Sketch) -> list[str]:
    """The functions that wake workers and wait for them one by one: their locks, conditions and flags go."""
    entry = context.layout.worker_entry
    joined = {function.name for function, _ in joins(context)}
    planned: Lines = {}
    found: list[Function] = []
    places = {step.target for step in _waiting(context)}
    for function in context.reached():
        events = _events(context, function)
        if function is entry or function.name in joined or not any(event.target in places for event in events):
            continue
        lines = {event.site.line for event in events}
        lines |= {
            one.line
            for one in statements(function.body)
            if isinstance(one, Loop) and any(covers(one, line) for line in lines)
        }
        planned[function.key] = lines
        found.append(function)
    for key, lines in context.idle_writes(sketch, planned).items():
        if key in planned:
            planned[key] |= lines
    found += clear_out(context, sketch, planned)
    return without(context, sketch, found, planned)


def clear_out(context: Context, sketch: Sketch, planned: Lines) -> list[Function]:
    """Adds the ends of the locks, conditions and semaphores that nobody uses any more once these lines are gone, and
    takes their members and those of the flags. Returns the functions that this adds."""
    objects = context.forgotten(sketch, planned)
    ends = context.ends_of(objects)
    context.undeclare(sketch, {*objects, *context.unused(sketch, planned, ends)})
    more = [one for one in context.reached() if one.key in ends and one.key not in planned]
    for key, lines in ends.items():
        planned.setdefault(key, set()).update(lines)
    return more


def _events(context: Context, function: Function) -> list[Event]:
    return [event for event in context.subject.events_of(function) if event.act in HANDS_OFF]


def without(context: Context, sketch: Sketch, functions: list[Function], planned: Lines) -> list[str]:
    """Takes lines out of functions; one of which nothing is left goes with its calls."""
    names = []
    for function in functions:
        if not sketch.empties(function, planned[function.key]):
            names += [function.name] * sketch.edit(function, planned[function.key], around=0)
            continue
        sketch.drop(function)
        names.append(function.name)
        for caller in context.reached():
            lines = calls_of(caller, function.name)
            if lines and sketch.edit(caller, lines, around=0):
                names.append(caller.name)
    return names
