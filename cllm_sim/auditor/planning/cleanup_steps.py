"""Steps that use, remove, end and measure: modules, second implementations, leftovers, lifetimes, clocks.

Rules of this file: one function a step; nothing is removed that a step before needs.
"""

from __future__ import annotations

from cllm_sim.auditor.facts import Do, Function, If, Name, Return, Site, Stmt
from cllm_sim.auditor.findings import Finding
from cllm_sim.auditor.planning.context import Context, serves
from cllm_sim.auditor.planning.layout import covers
from cllm_sim.auditor.planning.lines import INDENT, printed
from cllm_sim.auditor.planning.sketch import Sketch
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements import Evidence
from cllm_sim.auditor.requirements.answer import at, missing
from cllm_sim.auditor.requirements.gradients import folding_steps, gradient_buffers
from cllm_sim.auditor.requirements.modules import ABSENT, SHARED_MEMORY, USED, Module, find_modules
from cllm_sim.auditor.requirements.subject import listed, site_of
from cllm_sim.auditor.traverse import calls, statements
from cllm_sim.auditor.vocabulary import Act

PUT_TO_USE = ("CB001", "CT005", "CS003", "CS004")
"""Findings of unused objects that the steps before put to use."""

HOOKS = {
    "control process": "the control opens each round through it and enters the workers' reports",
    "shared memory": "the workers' segments lie in its region",
    "lattice hierarchy": "each thread is given its sphere, whose position picks its segment",
    "messages": "the order goes down and each worker's report goes up as a message, read behind a wait and without a "
    "lock",
}


@serves("modules", "IN1")
def modules(context: Context) -> PlanStep | None:
    """The training path uses what is built; what is not there is written."""
    ids = context.open("IN1")
    idle = [one for one in find_modules(context.subject) if one.status != USED]
    if not idle:
        return None
    built = [one for one in idle if one.status != ABSENT]
    absent = [one.name for one in idle if one.status == ABSENT]
    where = [one for module in idle for one in _hooks(context, module)]
    where += [at(site, f"{one.name}, {one.status}: {text}") for one in built for site, text in one.evidence[:1]]
    hooks = "; ".join(f"{one.name}: {HOOKS[one.name]}" for one in idle)
    title = f"Use {', '.join(one.name for one in built)} in the training"
    if absent and built:
        title += f", write {', '.join(absent)}"
    elif absent:
        title = f"Write {', '.join(absent)} and use them"
    nothing = f"; of {listed(absent)} nothing of the kind exists" if absent else ""
    return PlanStep(
        title,
        ids,
        tuple(dict.fromkeys(where))[:8],
        f"modules beside the training path{nothing} ({hooks})",
        f"{context.expects(ids)}; `cllm audit {context.layout.folder} --show shared-memory` names the threads that "
        "use them",
        "after the rounds stand: the modules hook into the order, the segments and the reports",
        tuple(dict.fromkeys(function.name for one in built for function in one.functions))[:12],
        promise=context.promise(ids),
    )


def _hooks(context: Context, module: Module) -> list[Evidence]:
    """Where the training calls a module, and which of its functions nothing calls yet."""
    layout = context.layout
    idle = [one.name for one in module.functions if not context.subject.analysis.roles.of(one)]
    exists = "nothing of the kind exists; " if module.status == ABSENT else ""
    what = f"{exists}its place is here: {HOOKS[module.name]}"
    what += f"; not called yet: {listed(idle)}" if idle else ""
    site = None
    if module.name == "control process" and layout.round is not None:
        site = Site(layout.round[0].path, layout.round[1].line)
    elif module.name == "messages" and layout.work_step is not None:
        site = Site(layout.work_step[1].path, layout.work_step[2].line)
    elif module.name == SHARED_MEMORY:
        held = context.subject.analysis.inventory.memory
        declared = [
            held[one.holder].declared for one in gradient_buffers(context.subject).locations if one.holder in held
        ]
        site = next((one for one in declared if one is not None), None)
    elif layout.worker is not None and layout.worker.created:
        site = layout.worker.created[0].event.site
    if site is None and layout.worker_entry is not None:
        site = site_of(layout.worker_entry)
    return [at(site, f"{module.name}: {what}")] if site is not None else [missing(f"{module.name}: {what}")]


@serves("fallback", "IN2")
def fallback(context: Context) -> PlanStep | None:
    """One implementation is left."""
    ids = context.open("IN2")
    findings = context.subject.found("CT006")
    if not findings:
        return None
    sketch = context.sketch()
    functions = []
    second = {name for finding in findings for name in _second(context, finding)}
    for function in context.reached():
        lines = {line for name in second for line in calls_of(function, name)}
        lines |= {line for one in statements(function.body) for line in _only_leads(context, one, second)}
        if lines and sketch.edit(function, lines):
            functions.append(function.name)
    alone = _only_from(context, second)
    also = f"; {listed(alone)} {'goes' if len(alone) == 1 else 'go'} with it" if alone else ""
    return PlanStep(
        "Remove the second implementation",
        ids,
        tuple(at(one.site, one.message) for one in findings),
        f"a path that does the same job without the protocol, and hides that the threads failed{also}",
        "let the creation of a thread fail (`ulimit -u`): the program ends with an error; "
        f"{context.expects(ids, 'CT006')}",
        "early: it would have to follow every later change, and through it the calling thread computes",
        tuple(functions),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _only_leads(context: Context, one: Stmt, second: set[str]) -> set[int]:
    """The lines of an `if` that exists for the second implementation: nothing else of the program is called in it."""
    if not isinstance(one, If) or one.other:
        return set()
    known = {function.name for function in context.program.functions}
    called = {call.function.name for call in calls(one.then) if isinstance(call.function, Name)} & known
    return {line.number for line in printed((one,))} if called and called <= second else set()


def _only_from(context: Context, second: set[str]) -> list[str]:
    """The functions that are reached through the second implementation only."""
    callees: dict[str, set[str]] = {}
    for function in context.program.functions:
        called = {callee.name for event in context.subject.events_of(function) for callee in event.callees}
        callees.setdefault(function.name, set()).update(called)
    entries = {entry.name for role in context.subject.analysis.roles.all for entry in role.entries}
    kept = _closure(callees, entries - second, second)
    return sorted(_closure(callees, second, set()) - kept)


def _closure(callees: dict[str, set[str]], start: set[str], without: set[str]) -> set[str]:
    found: set[str] = set()
    stack = [*start]
    while stack:
        name = stack.pop()
        if name not in found and name not in without:
            found.add(name)
            stack.extend(callees.get(name, ()))
    return found


def _second(context: Context, finding: Finding) -> set[str]:
    """The functions of the second implementation: the finding's subject, else what is called (or defined) there."""
    known = {function.name for function in context.program.functions}
    if finding.subject in known:
        return {finding.subject}
    named = {one.name for one in context.program.functions if site_of(one)[:2] == finding.site[:2]}
    called = {
        callee.name
        for function in context.reached()
        for event in context.subject.events_of(function)
        if event.site[:2] == finding.site[:2]
        for callee in event.callees
    }
    return named | called


def calls_of(function: Function, name: str) -> set[int]:
    """The lines of the statements that call a function, and of an `if` around nothing else."""
    found = set()
    for one in statements(function.body):
        if isinstance(one, Do | Return) and any(
            isinstance(call.function, Name) and call.function.name == name for call in calls((one,))
        ):
            found.add(one.line)
    for one in statements(function.body):
        if isinstance(one, If) and not one.other and one.then and all(inner.line in found for inner in one.then):
            found.add(one.line)
    return found


@serves("measure", "IN5")
def measure(context: Context) -> PlanStep | None:
    """A clock around the accumulation and around each wait."""
    ids, subject = context.open("IN5"), context.subject
    role, steps = folding_steps(subject)
    sketch = context.sketch()
    functions: list[str] = []
    _clock(context, sketch)
    if role is not None:
        # Outermost step first; an addition inside loops is measured where its function is called.
        frames = subject.frames(role, steps[0])
        function, site = frames[-1] if steps[0].act is Act.CALL or len(frames) < 2 else frames[-2]
        holder, number = sketch.draft.holder(function, site.line)
        if not any(one.number == number for one in holder.lines):
            number = next((one.line for one in reversed(list(statements(function.body))) if covers(one, site.line)), 0)
        after = ["accumulate_seconds += seconds_now() - begin;"]
        sketch.edit(holder, before={number: ["double begin = seconds_now();"]}, behind={number: after})
        functions.append(holder.name)
    barriers = " and ".join(dict.fromkeys((context.layout.batch.name, context.layout.epoch.name)))
    sketch.note(f"each wait at {barriers} by barrier_cross, with a sum for each thread; main prints the sums")
    where = [at(step.site, "the accumulation, to be measured") for step in steps[:1]] + _waits(context)
    return PlanStep(
        "Measure the accumulation and the waits",
        ids,
        tuple(dict.fromkeys(where))[:6]
        or (missing("no accumulation and no wait yet: measure those that the steps before add"),),
        "no figures of the program's own about its synchronisation",
        f"the program prints both times, and they grow with the number of workers; {context.expects(ids, run=False)}",
        "when accumulation and waits are in their final places",
        tuple(dict.fromkeys(functions)),
        patch=context.applied(sketch),
        promise=context.promise(ids),
    )


def _clock(context: Context, sketch: Sketch) -> None:
    """The new functions, and the sum that the control alone adds to."""
    entry = context.layout.worker_entry
    functions = [entry] if entry is not None else context.reached()[:1]
    for one in functions:
        sketch.hunk(one.path, f"new functions, before {one.name}", 0)
        sketch.add(
            "static double accumulate_seconds;  /* the control's */",
            "static double seconds_now(void)",
            "{",
            f"{INDENT}struct timespec now;",
            f"{INDENT}clock_gettime(CLOCK_MONOTONIC, &now);",
            f"{INDENT}return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;",
            "}",
            "static void barrier_cross(pthread_barrier_t *barrier, double *waited)",
            "{",
            f"{INDENT}double begin = seconds_now();",
            f"{INDENT}pthread_barrier_wait(barrier);",
            f"{INDENT}*waited += seconds_now() - begin;",
            "}",
        )


def _waits(context: Context) -> list[Evidence]:
    """The waits that are there, else the places at which the steps before put them."""
    subject, layout = context.subject, context.layout
    others = [*subject.workers, *([subject.director] if subject.director is not None else [])]
    found = [
        at(subject.place(step), "a wait to be measured")
        for one in others
        for step in subject.waits(one)
        if step.act is not Act.JOIN and not context.is_gone(step.site)
    ]
    if not found and layout.work_step is not None:
        site = Site(layout.work_step[1].path, layout.work_step[2].line)
        found.append(at(site, f"waits A and B of {layout.work_step[1].name}, to be measured"))
    if len(found) < 2 and layout.round is not None:
        site = Site(layout.round[0].path, layout.round[1].line)
        found.append(at(site, f"waits A and B in this loop of {layout.round[0].name}, to be measured"))
    return found


@serves("lifetimes", "IN4")
def lifetimes(context: Context) -> PlanStep | None:
    """Join what is created, destroy what is initialised."""
    ids = context.open("IN4")
    where = context.rests_on("IN4")
    if not where:
        return None
    return PlanStep(
        "End every thread and object once",
        ids,
        where,
        "threads that nobody joins, objects that nobody destroys or that are destroyed too early or twice",
        f"`valgrind --tool=helgrind` and {context.expects(ids, *context.codes('CT003', 'CD001', 'CD002'))}",
        "when it is settled which threads and objects there are",
        tuple(
            dict.fromkeys(_function(context, item.site.path, item.site.line) for item in where if item.site is not None)
        ),
        promise=context.promise(ids),
    )


@serves("leftovers", "IN3")
def leftovers(context: Context) -> PlanStep | None:
    """Remove what is still unused."""
    ids = context.open("IN3")
    every = context.rests_on("IN3", limit=40)
    settled = [one for one in every if one.text.startswith(PUT_TO_USE) or context.is_gone(one.site)]
    built = {function.name for one in find_modules(context.subject) if one.status != USED for function in one.functions}
    open_ = [one for one in every if one not in settled]
    where = tuple(
        Evidence(one.site, f"{one.text}; it goes unless the training calls it by now")
        if one.text.split(" ")[0] in built
        else one
        for one in (open_ or every)
    )[:8]
    if not where:
        return None
    return PlanStep(
        "Remove what is still unused",
        ids,
        where,
        "objects, flags and functions that nothing uses; those that the steps before put to use are no longer "
        "among them",
        context.expects(
            ids,
            *_unused_barriers(context),
            *context.codes("CL001", "CW001", "CP001", "CR003", "CS003", "CT007"),
            run=False,
        ),
        "near the end: what the steps before use now must not be removed",
        tuple(dict.fromkeys(one.name for one in _unreached(context)))[:12],
        promise=context.promise(ids),
    )


def _unused_barriers(context: Context) -> tuple[str, ...]:
    """The code of barriers that no step before puts to use."""
    used = {context.layout.batch.label, context.layout.epoch.label}
    return ("CB001",) if any(one.subject not in used for one in context.subject.found("CB001")) else ()


def _unreached(context: Context) -> list[Function]:
    return [one for one in context.program.functions if not context.subject.analysis.roles.of(one)]


def _function(context: Context, path: str, line: int) -> str:
    return next(
        (one.name for one in context.program.functions if one.path == path and one.line <= line <= one.line_end), path
    )
