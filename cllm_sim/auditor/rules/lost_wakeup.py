"""CW006: a wake-up that can be lost.

Either the predicate is changed, and signalled, while the mutex of the wait is not held (then both can fall between the
waiter's test and its sleep); or one thread is woken where threads with different predicates sleep (then the wrong one
may wake up and go back to sleep). Rules of this file: a change under the mutex, or one that is signalled under it or
after it was taken once, loses nothing, nor does one made while nobody can wait; a waking thread that changes what only
itself tests is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.conditions import NOTIFIES, Waiting, waits
from cllm_sim.auditor.rules.support.lifetimes import lifetimes
from cllm_sim.auditor.rules.support.locks import apart, live, one_of, place_of
from cllm_sim.auditor.vocabulary import BLOCKS, WRITES, Act

RULE = Rule("CW006", "lost-wakeup", Severity.ERROR, "a wake-up can be lost")
TIP_UNLOCKED = "Change what the wait tests while holding the mutex that is passed to the wait."
TIP_ONE = "Broadcast, or give each predicate a condition of its own."


def findings(analysis: Analysis) -> Iterator[Finding]:
    """Changes without the mutex, then single signals among several predicates."""
    yield from _unlocked(analysis)
    yield from _wrong_one(analysis)


# ------------------------------------------------------------------------------------------- changed without the mutex
def _unlocked(analysis: Analysis) -> Iterator[Finding]:
    seen = set()
    for wait in waits(analysis):
        held = {one.lock for one in analysis.held(wait.role).surely[wait.step.index]}
        if wait.step.act is not Act.SLEEP or wait.step.target is None or wait.step.partner not in held:
            continue
        for location in sorted(wait.tested):
            for role, change in _changes(analysis, wait, location):
                if (wait.step.target, location) in seen:
                    break
                signal = _signal_without_mutex(analysis, role, change, wait)
                if signal is not None:
                    seen.add((wait.step.target, location))
                    yield _unlocked_finding(wait, location, role, change, signal)


def _changes(analysis: Analysis, wait: Waiting, location: Location) -> Iterator[tuple[Role, Step]]:
    """The writes of tested memory by threads that run while this one waits, without the mutex."""
    for role, step in live(analysis, *WRITES):
        if step.target != location or (role is wait.role and (not role.many or step.own)):
            continue
        if wait.step.partner in {one.lock for one in analysis.held(role).surely[step.index]}:
            continue
        if role is wait.role or wait.role.name in lifetimes(analysis).running(role, step.index):
            yield role, step


def _signal_without_mutex(analysis: Analysis, role: Role, change: Step, wait: Waiting) -> Step | None:
    """The signal that follows a change though the mutex was not taken in between."""
    flow = analysis.flow(role)
    held = analysis.held(role).surely

    def stop(step: Step) -> bool:
        locked = step.act in {Act.LOCK, Act.TRY_LOCK} and step.target == wait.step.partner
        changed = step.act in WRITES and step.target == change.target
        return locked or changed or step.act in BLOCKS - {Act.LOCK} or _signals(step, wait)

    ahead = flow.reachable(change.index, stop)
    for index in sorted(ahead):
        step = flow.steps[index]
        if _signals(step, wait) and wait.step.partner not in {one.lock for one in held[index]}:
            return step
    return None


def _signals(step: Step, wait: Waiting) -> bool:
    return step.act in NOTIFIES and step.target == wait.step.target


def _unlocked_finding(wait: Waiting, location: Location, role: Role, change: Step, signal: Step) -> Finding:
    assert wait.step.target is not None
    assert wait.step.partner is not None
    tests = wait.tests or wait.step
    label, mutex = wait.step.target.label, wait.step.partner.label
    waiter = one_of(wait.role)
    message = (
        f"{one_of(role)} changes {location.label} without holding {mutex}: change and signal can fall between the test "
        f"and the sleep of {waiter}, which then sleeps on condition {label} though it was signalled"
    )
    notes = [
        Note(tests.site, f"{waiter} tests {location.label} here", wait.role.name, tests.how),
        Note(wait.step.site, f"and sleeps here, with {mutex}", wait.role.name, wait.step.how),
        Note(signal.site, f"{label} is signalled here", role.name, signal.how),
    ]
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, change.site, message, f"{label} of {location.label}", tuple(notes),
        role.name, change.how, TIP_UNLOCKED,
    )  # fmt: skip


# ------------------------------------------------------------------------------------- one woken among different waits
def _wrong_one(analysis: Analysis) -> Iterator[Finding]:
    seen = set()
    for role, signal in live(analysis, Act.NOTIFY):
        if signal.target is None or signal.target in seen:
            continue
        sleepers = [wait for wait in _sleepers(analysis, role, signal) if wait.predicate]
        different = {wait.predicate: wait for wait in reversed(sleepers)}
        if len(different) < 2 or not any(wait.role.many for wait in sleepers):
            continue
        seen.add(signal.target)
        yield _wrong_one_finding(role, signal, [different[key] for key in sorted(different, key=sorted)])


def _sleepers(analysis: Analysis, role: Role, signal: Step) -> Iterator[Waiting]:
    """The waits in which other threads may be when a signal is given."""
    running = lifetimes(analysis).running(role, signal.index)
    for wait in waits(analysis):
        if wait.step.target != signal.target or wait.step.target is None or wait.step.target.kind == "parameter":
            continue
        if wait.role is role and (not role.many or (wait.step.own and signal.own)):
            continue
        if wait.role is not role and wait.role.name not in running:
            continue
        if not apart(place_of(analysis, role, signal), place_of(analysis, wait.role, wait.step)):
            yield wait


def _wrong_one_finding(role: Role, signal: Step, sleepers: list[Waiting]) -> Finding:
    assert signal.target is not None
    label = signal.target.label
    notes = [
        Note(wait.step.site, f"{one_of(wait.role)} sleeps here while {_shown(wait)}", wait.role.name, wait.step.how)
        for wait in sleepers[:4]
    ]
    message = (
        f"{one_of(role)} wakes only one of the threads that sleep on condition {label} for different reasons: the "
        "wrong one can wake up and go back to sleep, and the signal is lost"
    )
    return Finding(
        RULE.code, RULE.severity, Confidence.MEDIUM, signal.site, message, label, tuple(notes), role.name, signal.how,
        TIP_ONE,
    )  # fmt: skip


def _shown(wait: Waiting) -> str:
    return " and ".join(sorted(wait.predicate))
