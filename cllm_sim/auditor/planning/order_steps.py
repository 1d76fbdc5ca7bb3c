"""Steps behind the batch barrier: the order to stop, the end of an epoch, and then no lock.

Rules of this file: one function a step; an order is written before the wait that lets it pass, in the function that
holds the loop by then.
"""

from __future__ import annotations

from itertools import pairwise

from cllm_sim.auditor.facts import Function, If, Loop, Return, Site, Stmt
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.planning.context import Context, Lines, assigned, serves
from cllm_sim.auditor.planning.control_steps import joins
from cllm_sim.auditor.planning.draft import Text
from cllm_sim.auditor.planning.layout import ORDER, covers
from cllm_sim.auditor.planning.lines import INDENT
from cllm_sim.auditor.planning.round_steps import (
    HANDS_OFF,
    STOP_TITLE,
    anchored,
    as_found,
    clear_out,
    declare,
    order,
    outer,
    wait,
    without,
)
from cllm_sim.auditor.planning.sketch import Sketch
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Evidence
from cllm_sim.auditor.requirements.answer import at
from cllm_sim.auditor.requirements.rounds import batch_barrier
from cllm_sim.auditor.requirements.subject import site_of
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.traverse import inner, names, statements
from cllm_sim.auditor.vocabulary import Act


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
    known = layout.known(layout.epoch)
    if known is not None and not known.by(Act.WAIT):
        ids = (*context.open("BA1", "BA2"), *ids)
    sketch = context.sketch()
    new_order = ORDER not in sketch.draft.names
    declare(context, sketch, layout.epoch, with_order=True)
    if new_order and ORDER in sketch.draft.names:
        _orders_batches(context, sketch)
    last = _last_of_epoch(context, function, loop)
    holder, number = sketch.draft.holder(function, last.line)
    lines = [
        f"{order(context, holder)} = ORDER_EPOCH;",
        wait(context, layout.batch, holder, "A: the order stands"),
        wait(context, layout.epoch, holder, "the next epoch begins when all are here"),
    ]
    sketch.edit(holder, behind={number: lines})
    text = sketch.draft.text(entry)
    meets = [
        f"if ({order(context, text)} == ORDER_EPOCH) {{",
        INDENT + wait(context, layout.epoch, text),
        f"{INDENT}continue;",
        "}",
    ]
    sketch.edit(entry, before={work[2].line: meets}, around=0)
    sides = (
        at(Site(function.path, last.line), f"{holder.name}: behind the last batch of an epoch"),
        at(Site(entry.path, work[2].line), f"{entry.name}: before the work, when the order is ORDER_EPOCH"),
    )
    return PlanStep(
        f"Separate the epochs at {layout.epoch.label}",
        ids,
        (*sides, *(one for one in context.rests_on("BA5") if layout.batch.label not in one.text)),
        "nothing that separates the epochs" if known is None else f"{known.label}, which is not met by all today",
        f"run zero, one and three epochs: `{layout.sanitised}`; "
        f"{context.expects(ids, *context.codes('CB001'), run=False)}",
        "after the batch barrier, whose first wait carries the order that leads here",
        (holder.name, entry.name),
        sides,
        context.applied(sketch),
        context.promise(ids),
    )


def _last_of_epoch(context: Context, function: Function, loop: Loop) -> Stmt:
    """The statement of the epochs' loop that holds the rounds: behind it the epoch is over."""
    assert context.layout.round is not None
    where, rounds = context.layout.round
    if where is function and rounds is not loop:
        return rounds
    return next((one for one in loop.body if where is not function and _calls(context, function, one)), loop.body[-1])


def _orders_batches(context: Context, sketch: Sketch) -> None:
    """Where the rounds meet already, each first wait gets the order that it lets pass."""
    barrier, role, found = batch_barrier(context.subject), context.subject.director, context.layout.round
    if barrier is None or role is None or found is None:
        return
    steps = [step for step in context.subject.crossings(role, barrier) if step.loops]
    sites = [site for step in steps for site in [context.layout.site_in(role, step, found[0])] if site is not None]
    if sites:
        line = min(site.line for site in sites)
        sketch.edit(*anchored(sketch, found[0], line, lambda at_: [f"{order(context, at_)} = ORDER_BATCH;"]))


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


@serves("stop", "BA6", "BA3")
def stop(context: Context) -> PlanStep | None:
    """The order to stop goes through the batch barrier."""
    layout = context.layout
    entry = layout.worker_entry
    met = batch_barrier(context.subject) is not None
    rewritten = ORDER in context.draft.names and not met
    ids = context.open("BA6", *(["BA3"] if rewritten else []))
    if not ids:
        return None
    if entry is None or met:
        return as_found(context, "Let every thread come to its end", ids)
    sketch = context.sketch()
    functions: list[str] = []
    sides: list[Evidence] = []
    if rewritten:
        _last_order(context, sketch, functions, sides)
        _start_fails(context, sketch, functions)
    sides.append(at(site_of(entry), f"{entry.name} leaves its loop behind the first wait, never between the two"))
    return PlanStep(
        STOP_TITLE,
        ids,
        (*sides, *context.rests_on("BA6", limit=4)),
        "stop flags and signals: one order reaches all threads where each of them waits anyway; a start that failed"
        " half way leaves nobody to meet at the barrier and ends the program instead",
        "run zero, one and three epochs under `timeout 60`: each ends; "
        f"{context.expects(ids, *context.codes('CT001', 'CT002', 'CR002', 'CB003'))}",
        "with the rounds: a thread may only be asked to leave where it surely comes by",
        tuple(dict.fromkeys((*functions, entry.name))),
        tuple(sides),
        context.applied(sketch),
        context.promise(ids),
    )


def _last_order(context: Context, sketch: Sketch, functions: list[str], sides: list[Evidence]) -> None:
    """The control orders the end behind its last epoch; where threads are joined, nobody is asked to leave any more."""
    layout = context.layout
    found = layout.epochs
    if found is not None:
        function, loop = found
        holder, number = sketch.draft.holder(function, loop.line)
        sketch.edit(holder, behind={number: _stopping(context, holder)}, around=0)
        sides.append(at(Site(function.path, loop.line), f"{holder.name}: the last order, behind the last epoch"))
        functions.append(holder.name)
    for function, line in joins(context)[:1]:
        events = [event for event in context.subject.events_of(function) if event.act in HANDS_OFF]
        sync = sorted(event.site.line for event in events if event.site.line < line)
        planned: Lines = {function.key: set(range(sync[0], sync[-1] + 1)) if sync else set()}
        planned[function.key] |= context.idle_writes(sketch, planned).get(function.key, set())
        before = {} if found is not None else {outer(function, line): _stopping(context, sketch.draft.text(function))}
        more = clear_out(context, sketch, planned)
        sketch.edit(function, planned[function.key], before)
        functions += without(context, sketch, more, planned)
        functions.append(function.name)
        sides.append(at(Site(function.path, line), f"{function.name} only joins: the threads have been told to leave"))


def _stopping(context: Context, holder: Text) -> list[str]:
    waits = wait(context, context.layout.batch, holder, "A: all read it and leave")
    return [f"{order(context, holder)} = ORDER_STOP;", waits]


def _start_fails(context: Context, sketch: Sketch, functions: list[str]) -> None:
    """A worker that could not be started: the others could never meet, so the program ends."""
    worker = context.layout.worker
    for created in worker.created[:1] if worker is not None else ():
        function, line = created.function, created.event.site.line
        for one in statements(function.body):
            for first, after in pairwise(inner(one)):
                if first.line == line and isinstance(after, If) and names(after.condition) & assigned(first):
                    leaves = {part.line for part in after.then if isinstance(part, Return)}
                    ends = {
                        number: ["exit(EXIT_FAILURE);  /* the others would wait for it for ever */"]
                        for number in leaves
                    }
                    if sketch.edit(function, leaves, ends):
                        functions.append(function.name)


@serves("lock", "NZ5", "BA7")
def lock(context: Context) -> PlanStep | None:
    """The lock around the work goes."""
    subject, layout = context.subject, context.layout
    ids = context.open("NZ5", "BA7")
    locks, roles = _locks(context)
    if not locks:
        return None
    sketch = context.sketch()
    planned: Lines = {}
    where = []
    for function in context.reached():
        lines = {
            event.site.line
            for event in subject.events_of(function)
            if event.target in locks
            and event.act in {Act.LOCK, Act.UNLOCK, Act.LOCK_SHARED}
            and not context.is_gone(event.site)
        }
        if lines and any(function in subject.reached(role) for role in roles):
            planned[function.key] = lines
            where += [at(Site(function.path, line), "goes") for line in sorted(lines)]
    changed = [one for one in context.reached() if one.key in planned]
    changed += clear_out(context, sketch, planned)
    functions = [one.name for one in changed if sketch.edit(one, planned[one.key])]
    for one in locks:
        known = layout.known(one)
        made = [] if known is None else known.initialised
        where += [at(init.site, f"{one.label} is initialised here: goes") for init in made]
    names_ = ", ".join(one.label for one in locks)
    return PlanStep(
        f"Remove {names_} from the rounds",
        ids,
        tuple(dict.fromkeys(where))[:8],
        f"{names_}: the barrier orders these accesses already",
        f"{context.expects(ids, *context.codes('CL002', 'CL003'))}; the time of a batch falls as workers are added",
        "last of the synchronisation: only when every worker writes memory of its own and the barrier orders the rest",
        tuple(functions),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _locks(context: Context) -> tuple[list[Location], list[Role]]:
    """The locks to remove, and the roles that take them: those held around the work, else all in the rounds; those
    that went with the steps before are left out."""
    subject = context.subject
    held = {
        one.lock
        for role in subject.workers
        for step in subject.doing(role, "work")
        for one in subject.analysis.held(role).possibly[step.index]
    }
    roles = [*subject.workers, *([subject.director] if subject.director is not None and not held else [])]
    steps = [step for role in roles for step in subject.training_steps(role) if step.act is Act.LOCK]
    taken = {step.target for step in steps if step.target is not None and not context.is_gone(step.site)}
    return sorted(taken & held if held else taken), roles
