"""Steps that make the rounds: the batch barrier, the epoch barrier, the order to stop, and then no lock.

Rules of this file: one function a step; the two sides that each wait orders are named. Statements that go are the
program's own hand-off (locks, conditions, semaphores, flags around the work).
"""

from __future__ import annotations

import re

from cllm_sim.auditor.facts import Function, Loop, Site, Stmt
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.planning.context import Context, serves
from cllm_sim.auditor.planning.control_steps import joins
from cllm_sim.auditor.planning.layout import ORDER, covers
from cllm_sim.auditor.planning.sketch import INDENT, Sketch, printed
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Evidence
from cllm_sim.auditor.requirements.answer import at
from cllm_sim.auditor.requirements.gradients import folding_steps
from cllm_sim.auditor.requirements.rounds import batch_barrier
from cllm_sim.auditor.requirements.subject import site_of
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.traverse import statements
from cllm_sim.auditor.vocabulary import SYNCHRONISES, Act

HANDS_OFF = SYNCHRONISES - {Act.CREATE, Act.JOIN, Act.WAIT}
CODE = re.compile(r"C[A-Z]\d{3}:")
SIDES = ("the order stands before anyone reads it", "every segment is written before anyone folds it")


def wait(context: Context, barrier: Location, function: Function, why: str = "") -> str:
    """A wait at a barrier in a function's own names."""
    return f"pthread_barrier_wait(&{context.layout.reference(barrier, function)});{f'  /* {why} */' if why else ''}"


@serves("batch", "BA1", "BA2", "BA3", "BA4", "LF3")
def batch(context: Context) -> PlanStep | None:
    """Two waits of all at the batch barrier, for each batch."""
    layout = context.layout
    ids = context.open("BA1", "BA2", "BA3", "BA4", "LF3")
    if layout.worker is None or layout.worker_entry is None:
        return _as_found(context, "Let every barrier be met by as many as it is made for", ids)
    sketch = Sketch()
    sides: list[Evidence] = []
    functions: list[str] = []
    _declarations(context, sketch)
    if batch_barrier(context.subject) is None:
        functions += _worker(context, sketch, sides)
    functions += _director(context, sketch, sides)
    _counts(context, sketch)
    if layout.round is None or layout.restarted is not None:
        sketch = Sketch()  # half of a meeting is none: the threads must stay first, and the rounds be found
    where = (*sides, *context.rests_on(*ids, limit=4))
    old = sorted({step.target.label for step in _waiting(context) if step.target is not None})
    replaces = f"the hand-off by {', '.join(old)}" if old else "nothing that orders the batches yet"
    return PlanStep(
        f"Let all threads meet twice at {layout.batch.label} for each batch",
        ids,
        tuple(dict.fromkeys(where))[:8],
        f"{replaces}: one barrier of {layout.count} + 1 parties, two waits a batch",
        f"{context.expects(ids, *context.codes('CB001', 'CB002', 'CB003', 'CB004', 'CR001'))}; `cllm check "
        "node_zero --workers 2` shows the same protocol to hold",
        "after the control exists, before any lock goes: from here on the barrier orders what the locks ordered",
        tuple(dict.fromkeys(functions)),
        tuple(sides),
        str(sketch),
        context.promise(ids),
    )


@serves("handoff", "BA3", "BA7", "LF3")
def handoff(context: Context) -> PlanStep | None:
    """The old hand-off goes on both sides."""
    ids = context.open("BA3", "BA7", "LF3")
    sketch = Sketch()
    functions = _hand_off(context, sketch)
    if not functions:
        return None
    steps = _waiting(context)
    old = sorted({step.target.label for step in steps if step.target is not None})
    return PlanStep(
        f"Remove the hand-off by {', '.join(old)}",
        ids,
        tuple(dict.fromkeys(at(step.site, f"{step.act} here goes") for step in steps))[:8],
        f"{', '.join(old)} with their locks and flags: what they ordered, the two waits order",
        context.expects(ids, *context.codes("CW002", "CW005", "CW006", "CL003", "CR001")),
        "together with the step before, in one change: a hand-off goes on both sides or hangs",
        tuple(functions),
        patch=str(sketch),
        promise=context.promise(ids),
    )


def _counts(context: Context, sketch: Sketch) -> None:
    """Where the control becomes a party, the barrier is initialised for one more."""
    layout, director = context.layout, context.subject.director
    known = layout.known(layout.batch)
    if known is None or director is None or not known.by(Act.WAIT) or director.name in known.roles(Act.WAIT):
        return
    for function in context.reached():
        for event in context.subject.events_of(function):
            if event.act is Act.INIT and event.target == layout.batch and event.value is not None and event.call:
                old = context.program.text(event.call)
                count = context.program.text(event.value)
                for line in printed(function.body):
                    if line.number == event.site.line and old in line.text:
                        new = line.text.strip().replace(old, old.removesuffix(f"{count})") + f"{count} + 1)")
                        sketch.without(function, {line.number}, {line.number: [new]})


def _as_found(context: Context, title: str, ids: tuple[str, ...]) -> PlanStep | None:
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
        "as soon as possible: a program that can hang cannot be tested",
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


def _declarations(context: Context, sketch: Sketch) -> None:
    layout = context.layout
    pool = layout.pool
    new = []
    if layout.known(layout.batch) is None:
        new.append(f"pthread_barrier_t {layout.batch.name};  /* initialised for {layout.count} + 1 */")
    if _order(context) is None:
        new.append(f"int {ORDER};  /* ORDER_BATCH, ORDER_EPOCH or ORDER_STOP: written before a wait, read after it */")
    if not new:
        return
    if pool is not None:
        sketch.hunk(pool.path, context.layout.type_of(pool), pool.line)
    else:
        sketch.hunk(_file(context), "file level", 0)
    sketch.add(*(f"{INDENT}{one}" if pool is not None else f"static {one}" for one in new))
    if _order(context) is None:
        sketch.hunk(_file(context), "file level", 0)
        sketch.add("enum { ORDER_BATCH, ORDER_EPOCH, ORDER_STOP };")


def _file(context: Context) -> str:
    pool, entry = context.layout.pool, context.layout.worker_entry
    return pool.path if pool is not None else entry.path if entry is not None else ""


def _order(context: Context) -> str | None:
    """A member of the pool that says what to do, where there is one."""
    pool = context.layout.pool
    return next((one.name for one in pool.members if ORDER in one.name.lower()), None) if pool is not None else None


def order(context: Context, function: Function) -> str:
    """The order in a function's own names."""
    layout = context.layout
    return layout.reference(layout.member(_order(context) or ORDER), function)


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
    before = [
        wait(context, layout.batch, entry, f"A: {SIDES[0]}"),
        f"if ({order(context, entry)} == ORDER_STOP)",
        f"{INDENT}break;",
    ]
    after = [wait(context, layout.batch, entry, f"B: {SIDES[1]}")]
    if loop is None:
        before, after = ["for (;;) {", *(INDENT + one for one in before)], [*(INDENT + one for one in after), "}"]
    sketch.body(entry, lambda one: one.number in gone, {line: before}, (at_work, after), around=1)
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
    sketch.body(function, lambda _: False, {target.line: _opening(context, function, why, missing)}, around=1)
    name = layout.control_name
    sides.append(at(Site(function.path, target.line), f"{name}, in {function.name}: the waits stand before this"))
    return [function.name]


def _opening(context: Context, function: Function, why: list[str], missing: int) -> list[str]:
    """The waits of a round that are still missing, behind the order where both are."""
    lines = [wait(context, context.layout.batch, function, one) for one in why]
    return [f"{order(context, function)} = ORDER_BATCH;", *lines] if missing > 1 else lines


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
    """The functions that wake workers and wait for them one by one: their locks and conditions go."""
    entry = context.layout.worker_entry
    joined = {function.name for function, _ in joins(context)}
    names = []
    places = {step.target for step in _waiting(context)}
    for function in context.reached():
        events = [event for event in context.subject.events_of(function) if event.act in HANDS_OFF]
        if function is entry or function.name in joined or not any(event.target in places for event in events):
            continue
        lines = {event.site.line for event in events}
        lines |= {
            one.line
            for one in statements(function.body)
            if isinstance(one, Loop) and any(covers(one, line) for line in lines)
        }
        if sketch.without(function, lines, around=0):
            names.append(function.name)
    return names


@serves("epoch", "BA5")
def epoch(context: Context) -> PlanStep | None:
    """An order of its own and a barrier of its own end an epoch."""
    layout, ids = context.layout, context.open("BA5")
    found, entry, work = layout.epochs, layout.worker_entry, layout.work_step
    if entry is None:
        return None
    if work is None or found is None or layout.round is None:
        return _epoch_alone(context, ids)
    function, loop = found
    sketch = Sketch()
    if layout.known(layout.epoch) is None and layout.pool is not None:
        sketch.hunk(layout.pool.path, layout.type_of(layout.pool), layout.pool.line)
        sketch.add(f"{INDENT}pthread_barrier_t {layout.epoch.name};  /* initialised for {layout.count} + 1 */")
    here = layout.round
    whole = loop.body[-1] if here[0] is not function or here[1] is loop else here[1]
    last = next(
        (one for one in loop.body if here[0] is not function and _calls(context, function, one)),
        whole,
    )
    lines = [
        f"{order(context, function)} = ORDER_EPOCH;",
        wait(context, layout.batch, function, "A: the order stands"),
        wait(context, layout.epoch, function, "the next epoch begins when all are here"),
    ]
    sketch.body(function, lambda _: False, {}, (last, lines), around=1)
    meets = [
        f"if ({order(context, entry)} == ORDER_EPOCH) {{",
        INDENT + wait(context, layout.epoch, entry),
        f"{INDENT}continue;",
        "}",
    ]
    sketch.body(entry, lambda _: False, {work[2].line: meets}, around=0)
    sides = (
        at(Site(function.path, last.line), f"{function.name}: behind the last batch of an epoch"),
        at(Site(entry.path, work[2].line), f"{entry.name}: before the work, when the order is ORDER_EPOCH"),
    )
    return PlanStep(
        f"Separate the epochs at {layout.epoch.label}",
        ids,
        (*sides, *context.rests_on("BA5", limit=3)),
        "nothing that separates the epochs"
        if layout.known(layout.epoch) is None
        else f"{layout.epoch.label}, which is not met by all between two epochs",
        f"run zero, one and three epochs: `{layout.sanitised}`; "
        f"{context.expects(ids, *context.codes('CB001'), run=False)}",
        "after the batch barrier, whose first wait carries the order that leads here",
        (function.name, entry.name),
        sides,
        str(sketch),
        context.promise(ids),
    )


def _epoch_alone(context: Context, ids: tuple[str, ...]) -> PlanStep:
    """No loop over epochs was found outside the workers: what to do, without a sketch."""
    layout = context.layout
    entry = layout.worker_entry
    assert entry is not None
    return PlanStep(
        f"Separate the epochs at {layout.epoch.label}",
        ids,
        (at(site_of(entry), f"{entry.name} runs all epochs by itself"), *context.rests_on("BA5", limit=3)),
        "epochs that no thread but the workers knows of: the control gets the loop over them, and orders their ends",
        f"run zero, one and three epochs: `{layout.sanitised}`; {context.expects(ids, run=False)}",
        "after the batch barrier, whose first wait carries the order that leads here",
        (entry.name,),
        promise=context.promise(ids),
    )


def _calls(context: Context, function: Function, one: Stmt) -> bool:
    """Does a statement of the epochs' loop lead to the rounds?"""
    role = context.subject.director
    if role is None:
        return False
    steps = [
        step for purpose in ("accumulate", "update", "distribute") for step in context.subject.doing(role, purpose)
    ]
    sites = [context.layout.site_in(role, step, function) for step in steps]
    return any(site is not None and covers(one, site.line) for site in sites)


@serves("stop", "BA6")
def stop(context: Context) -> PlanStep | None:
    """The order to stop goes through the batch barrier."""
    layout, ids = context.layout, context.open("BA6")
    entry = layout.worker_entry
    if entry is None:
        return _as_found(context, "Let every thread come to its end", ids)
    sketch = Sketch()
    functions = []
    sides: list[Evidence] = []
    for function, line in joins(context)[:1]:
        loop = next((one for one in statements(function.body) if isinstance(one, Loop) and covers(one, line)), None)
        sync = sorted(event.site.line for event in context.subject.events_of(function) if event.act in HANDS_OFF)
        first = loop.line if loop is not None else line
        gone = {one for one in range(sync[0], sync[-1] + 1) if one < line} if sync else set()
        lines = [
            f"{order(context, function)} = ORDER_STOP;",
            wait(context, layout.batch, function, "A: all read it and leave"),
        ]
        sketch.without(function, gone, {first: lines}, around=1)
        functions.append(function.name)
        sides.append(at(Site(function.path, first), f"{function.name}: the last order, before the threads are joined"))
    sides.append(at(site_of(entry), f"{entry.name} leaves its loop behind the first wait, never between the two"))
    return PlanStep(
        "Stop by an order through the batch barrier",
        ids,
        (*sides, *context.rests_on("BA6", limit=4)),
        "stop flags and signals: one order reaches all threads where each of them waits anyway; a start that failed"
        " half way leaves nobody to meet at the barrier and ends the program instead",
        "run zero, one and three epochs under `timeout 60`: each ends; "
        f"{context.expects(ids, *context.codes('CT001', 'CT002', 'CR002', 'CB003'))}",
        "after the rounds stand: a thread may only be asked to leave where it surely comes by",
        (*functions, entry.name),
        tuple(sides),
        str(sketch),
        context.promise(ids),
    )


@serves("lock", "NZ5", "BA7")
def lock(context: Context) -> PlanStep | None:
    """The lock around the work goes."""
    subject, layout = context.subject, context.layout
    ids = context.open("NZ5", "BA7")
    locks, roles = _locks(context)
    if not locks:
        return None
    sketch = Sketch()
    functions, where = [], []
    for function in context.reached():
        lines = {
            event.site.line
            for event in subject.events_of(function)
            if event.target in locks and event.act in {Act.LOCK, Act.UNLOCK, Act.LOCK_SHARED}
        }
        if lines and any(function in subject.reached(role) for role in roles):
            sketch.without(function, lines, around=1)
            functions.append(function.name)
            where += [at(Site(function.path, line), "goes") for line in sorted(lines)]
    for one in locks:
        known = layout.known(one)
        where += (
            []
            if known is None or known.site is None
            else [at(known.site, f"{one.label} goes with its initialisation and destruction")]
        )
    names = ", ".join(one.label for one in locks)
    return PlanStep(
        f"Remove {names} from the rounds",
        ids,
        tuple(dict.fromkeys(where))[:8],
        f"{names}: the barrier orders these accesses already",
        f"{context.expects(ids, *context.codes('CL002', 'CL003'))}; the time of a batch falls as workers are added",
        "last of the synchronisation: only when every worker writes memory of its own and the barrier orders the rest",
        tuple(functions),
        patch=str(sketch),
        promise=context.promise(ids),
    )


def _locks(context: Context) -> tuple[list[Location], list[Role]]:
    """The locks to remove, and the roles that take them: those held around the work, else all in the rounds."""
    subject = context.subject
    held = {
        one.lock
        for role in subject.workers
        for step in subject.doing(role, "work")
        for one in subject.analysis.held(role).possibly[step.index]
    }
    if held:
        return sorted(held), subject.workers
    roles = [*subject.workers, *([subject.director] if subject.director is not None else [])]
    taken = {step.target for role in roles for step in subject.training_steps(role) if step.act is Act.LOCK}
    return sorted(one for one in taken if one is not None), roles
