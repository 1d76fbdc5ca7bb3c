"""CT005: a thread that never does anything but wait, sleep or look at a flag.

Rules of this file: whatever has an effect speaks for the thread: a write, a signal, a call that is not known to be
harmless, a result, a function that is stepped over.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Assign, Cast, Expr, Function, Index, Member, Name, Number, Site, Unary
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.threads import creations
from cllm_sim.auditor.traverse import all_expressions, within
from cllm_sim.auditor.vocabulary import Act

RULE = Rule("CT005", "role-only-parked", Severity.WARNING, "a thread does nothing but wait, sleep or look at a flag")

PARKED = frozenset({Act.WAIT, Act.SLEEP, Act.TIMED_SLEEP, Act.DOWN, Act.TRY_DOWN, Act.PAUSE})
IDLE = PARKED | {Act.LOCK, Act.LOCK_SHARED, Act.TRY_LOCK, Act.UNLOCK, Act.READ, Act.LOAD, Act.END_THREAD}
HARMLESS = frozenset(
    "pthread_self gettid thrd_current clock_gettime time gettimeofday pthread_setname_np pthread_setcancelstate "
    "pthread_setcanceltype pthread_testcancel pthread_cleanup_push pthread_cleanup_pop __builtin_ia32_pause _mm_pause "
    "pthread_sigmask sigemptyset sigfillset sigaddset timespec_get prctl".split()
)


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every role that is only parked."""
    for role in analysis.roles.threads:
        flow = analysis.flow(role)
        if flow.truncated or flow.cut:
            continue
        parked = list(flow.events(*PARKED))
        spins = [step for step in flow.steps if step.what == "loop"]
        if not (parked or spins) or any(_does_something(analysis, step) for step in flow.steps):
            continue
        if not any(_writes(analysis, reach.function) for reach in role.reach.values()):
            yield _finding(analysis, role, parked or spins)


def _does_something(analysis: Analysis, step: Step) -> bool:
    if step.leave is not None and step.leave.kind == "return" and not step.how:
        return _is_result(analysis, step)
    if step.event is None or step.event.act in IDLE:
        return False
    if step.event.act is not Act.CALL:
        return True
    if step.event.callees:
        return any(analysis.inliner.silent(callee) for callee in step.event.callees)
    return step.event.name not in HARMLESS


def _writes(analysis: Analysis, function: Function) -> bool:
    """Does a function write anything but its own locals (also through pointers that lead nobody knows where)?"""
    for expr in all_expressions(function.body):
        if isinstance(expr, Assign):
            target: Expr = expr.target
        elif isinstance(expr, Unary) and expr.operator in {"++x", "--x", "x++", "x--"}:
            target = expr.operand
        else:
            continue
        if not _private(analysis, target, function):
            return True
    return False


def _private(analysis: Analysis, target: Expr, function: Function) -> bool:
    while isinstance(target, Member | Index | Cast):
        if isinstance(target, Cast):
            target = target.operand
            continue
        type = analysis.program.type_of(target.base, function)
        if (isinstance(target, Member) and target.arrow) or type is None or (type.pointers and not type.arrays):
            return False
        target = target.base
    variable = analysis.program.variable(target.name, function, function.path) if isinstance(target, Name) else None
    return variable is not None and variable.kind != "global" and not variable.static


def _is_result(analysis: Analysis, step: Step) -> bool:
    """Does the thread return something that it may have found out?"""
    value = None if step.leave is None else step.leave.value
    if value is None or analysis.program.constant(value, step.function, step.function.path) is not None:
        return False
    parameters = {one.name for one in step.function.parameters}
    return any(
        isinstance(one, Name) and one.name not in {"NULL", "thrd_success"} | parameters
        for one in within(value)
        if not isinstance(one, Number)
    )


def _finding(analysis: Analysis, role: Role, steps: list[Step]) -> Finding:
    entry = role.entries[0]
    notes = {}
    for at in creations(analysis, role):
        notes[at.step.site] = Note(at.step.site, "created here", at.role.name, at.step.how)
    for step in steps:
        what = "only waits here" if step.event is not None else "only goes round here"
        notes.setdefault(step.site, Note(step.site, what, role.name, step.how))
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, Site(entry.path, entry.line),
        f"thread {role.name} never does anything but wait: it computes nothing, changes nothing and wakes nobody",
        role.name, tuple(notes.values()), role.name, (),
        "give the thread the coordination it was made for (hand out work, gather results), or remove it",
    )  # fmt: skip
