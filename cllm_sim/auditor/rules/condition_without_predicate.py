"""CW002: a wait on a condition that does not test what it waits for again after waking up.

Rules of this file: a wait with a time limit is judged only where a condition guards it (it may be meant as a pause); a
function of a library that others call with the mutex held is its callers' matter.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.rules.support.conditions import Waiting, waits
from cllm_sim.auditor.rules.support.locks import one_of
from cllm_sim.auditor.vocabulary import Act

RULE = Rule("CW002", "condition-without-predicate", Severity.WARNING, "a condition wait without a predicate loop")
TIP = "Wait in a loop that tests shared state under the mutex: while (!ready) pthread_cond_wait(&changed, &mutex);"


def findings(analysis: Analysis) -> Iterator[Finding]:
    """The waits that do not test again."""
    seen = set()
    for wait in waits(analysis):
        if wait.deciders or wait.step.site in seen or _for_callers(analysis, wait):
            continue
        guard = _guard(analysis, wait)
        if wait.step.act is Act.TIMED_SLEEP and not guard:
            continue
        seen.add(wait.step.site)
        yield _finding(wait, guard)


def _finding(wait: Waiting, guard: tuple[Note, ...]) -> Finding:
    label = wait.step.target.label if wait.step.target is not None else "a condition"
    why = "without testing again before it goes on" if wait.loop else "once, without testing again"
    message = (
        f"{one_of(wait.role)} waits on condition {label} {why}: a spurious or stolen wake-up goes on as if "
        "the event had happened, and an earlier signal is lost"
    )
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH if not wait.loop else Confidence.MEDIUM, wait.step.site, message,
        label, guard, wait.role.name, wait.step.how, TIP,
    )  # fmt: skip


def _guard(analysis: Analysis, wait: Waiting) -> tuple[Note, ...]:
    """The condition right before the wait, if there is one."""
    flow = analysis.flow(wait.role)
    here = wait.step.index
    for _ in range(8):
        edges = [edge for edge in flow.before[here] if edge.kind != "again"]
        if len(edges) != 1:
            return ()
        here = edges[0].to
        step = flow.steps[here]
        if step.act is Act.LOCK:
            return ()
        if step.what == "condition":
            text = "this test is not repeated after the wake-up"
            return (Note(step.site, text, wait.role.name, step.how),)
    return ()


def _for_callers(analysis: Analysis, wait: Waiting) -> bool:
    """Is this an exported wrapper, called by nobody here, whose callers hold the mutex?"""
    held = analysis.held(wait.role).possibly[wait.step.index]
    return wait.role.caller and wait.role.name != "main" and not wait.step.how and not held
