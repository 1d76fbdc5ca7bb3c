"""Steps that use, remove, end and measure: modules, second implementations, leftovers, lifetimes, clocks.

Rules of this file: one function a step; nothing is removed that a step before needs.
"""

from __future__ import annotations

from cllm_sim.auditor.facts import Do, Function, If, Name, Return
from cllm_sim.auditor.findings import Finding
from cllm_sim.auditor.planning.context import Context, serves
from cllm_sim.auditor.planning.layout import covers
from cllm_sim.auditor.planning.sketch import INDENT, Sketch
from cllm_sim.auditor.planning.step import PlanStep
from cllm_sim.auditor.requirements.answer import at, missing
from cllm_sim.auditor.requirements.gradients import folding_steps
from cllm_sim.auditor.requirements.modules import ABSENT, USED, find_modules
from cllm_sim.auditor.requirements.subject import site_of
from cllm_sim.auditor.traverse import calls, statements
from cllm_sim.auditor.vocabulary import Act

PUT_TO_USE = ("CB001", "CT005", "CS003", "CS004")
"""Findings of unused objects that the steps before put to use."""

HOOKS = {
    "control process": "the control opens each round through it and enters the workers' reports",
    "shared memory": "the workers' segments lie in its region",
    "lattice hierarchy": "each thread is given its sphere, whose position picks its segment",
    "messages": "the order goes down and each worker's report goes up as a message, read behind a wait",
}


@serves("modules", "IN1")
def modules(context: Context) -> PlanStep | None:
    """The training path uses what is built."""
    ids = context.open("IN1")
    idle = [one for one in find_modules(context.subject) if one.status != USED]
    if not idle:
        return None
    where = [at(site, f"{one.name}, {one.status}: {text}") for one in idle for site, text in one.evidence[:2]]
    where += [missing(f"{one.name}: to be written") for one in idle if one.status == ABSENT]
    hooks = "; ".join(f"{one.name}: {HOOKS[one.name]}" for one in idle)
    return PlanStep(
        f"Use {', '.join(one.name for one in idle)} in the training",
        ids,
        tuple(where)[:8],
        f"modules beside the training path ({hooks})",
        f"{context.expects(ids)}; `cllm audit {context.layout.folder} --show shared-memory` names the threads that "
        "use them",
        "after the rounds stand: the modules hook into the order, the segments and the reports",
        tuple(dict.fromkeys(function.name for one in idle for function in one.functions))[:12],
        promise=context.promise(ids),
    )


@serves("fallback", "IN2")
def fallback(context: Context) -> PlanStep | None:
    """One implementation is left."""
    ids = context.open("IN2")
    findings = context.subject.found("CT006")
    if not findings:
        return None
    sketch = Sketch()
    functions = []
    second = {name for finding in findings for name in _second(context, finding)}
    for function in context.reached():
        lines = {line for name in second for line in _calls_of(function, name)}
        if lines and sketch.without(function, lines):
            functions.append(function.name)
    return PlanStep(
        "Remove the second implementation",
        ids,
        tuple(at(one.site, one.message) for one in findings),
        "a path that does the same job without the protocol, and hides that the threads failed",
        "let the creation of a thread fail (`ulimit -u`): the program ends with an error; "
        f"{context.expects(ids, 'CT006')}",
        "when the one that stays has been tested",
        tuple(functions),
        patch=str(sketch),
        promise=context.promise(ids),
    )


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


def _calls_of(function: Function, name: str) -> set[int]:
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
    sketch = Sketch()
    functions: list[str] = []
    if role is not None:
        # Outermost step first; an addition inside loops is measured where its function is called.
        frames = subject.frames(role, steps[0])
        function, site = frames[-1] if steps[0].act is Act.CALL or len(frames) < 2 else frames[-2]
        pad = "report" if any(name == "report" for name in context.program.locals(function)) else "times"
        before = ["clock_gettime(CLOCK_MONOTONIC, &begin);"]
        after = [
            "clock_gettime(CLOCK_MONOTONIC, &end);",
            f"{pad}->accumulate_seconds += seconds_between(&begin, &end);",
        ]
        behind = next((one for one in reversed(list(statements(function.body))) if covers(one, site.line)), None)
        if behind is not None:
            sketch.body(function, lambda _: False, {behind.line: before}, (behind, after), around=1)
        functions.append(function.name)
    path = site_of(context.layout.worker_entry).path if context.layout.worker_entry is not None else ""
    sketch.hunk(path, "every wait", 0)
    sketch.add("static void barrier_cross(pthread_barrier_t *barrier, double *waited)", "{")
    sketch.add(
        f"{INDENT}struct timespec begin, end;",
        "",
        f"{INDENT}clock_gettime(CLOCK_MONOTONIC, &begin);",
        f"{INDENT}pthread_barrier_wait(barrier);",
        f"{INDENT}clock_gettime(CLOCK_MONOTONIC, &end);",
        f"{INDENT}*waited += seconds_between(&begin, &end);",
        "}",
    )
    others = [*subject.workers, *([subject.director] if subject.director is not None else [])]
    waits = [
        at(subject.place(step), "a wait to be measured")
        for one in others
        for step in subject.waits(one)
        if step.act is not Act.JOIN
    ]
    where = [at(step.site, "the accumulation, to be measured") for step in steps[:1]] + waits
    return PlanStep(
        "Measure the accumulation and the waits",
        ids,
        tuple(dict.fromkeys(where))[:6]
        or (missing("no accumulation and no wait yet: measure those that the steps before add"),),
        "no figures of the program's own about its synchronisation",
        f"the program prints both times, and they grow with the number of workers; {context.expects(ids, run=False)}",
        "when accumulation and waits are in their final places",
        tuple(dict.fromkeys(functions)),
        patch=str(sketch),
        promise=context.promise(ids),
    )


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
    where = tuple(one for one in every if not one.text.startswith(PUT_TO_USE))[:8] or every[:8]
    if not where:
        return None
    return PlanStep(
        "Remove what is still unused",
        ids,
        where,
        "objects, flags and functions that nothing uses; those that the steps before put to use are no longer "
        "among them",
        context.expects(ids, *context.codes("CB001", "CL001", "CW001", "CP001", "CR003", "CS003", "CT007"), run=False),
        "near the end: what the steps before use now must not be removed",
        tuple(dict.fromkeys(one.name for one in _unreached(context)))[:12],
        promise=context.promise(ids),
    )


def _unreached(context: Context) -> list[Function]:
    return [one for one in context.program.functions if not context.subject.analysis.roles.of(one)]


def _function(context: Context, path: str, line: int) -> str:
    return next(
        (one.name for one in context.program.functions if one.path == path and one.line <= line <= one.line_end), path
    )
