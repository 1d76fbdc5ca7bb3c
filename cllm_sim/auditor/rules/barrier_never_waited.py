"""CB001: a barrier that nobody ever waits on.

Rules of this file: silent where a wait cannot be named, or where code may run that no role was found to reach.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.rules.support.barriers import Barrier, barriers, unnamed
from cllm_sim.auditor.rules.support.threads import incomplete
from cllm_sim.auditor.rules.support.threads_dead import may_run
from cllm_sim.auditor.vocabulary import Act

RULE = Rule(
    "CB001", "barrier-never-waited", Severity.WARNING, "a barrier is declared or initialised and nobody waits on it"
)


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every barrier without a wait."""
    if unnamed(analysis, Act.WAIT):
        return
    for barrier in barriers(analysis):
        known = barrier.inits or barrier.declared is not None  # one that is only destroyed is declared elsewhere
        if known and not barrier.waits and not _perhaps_waited(analysis, barrier):
            yield _finding(barrier)


def _perhaps_waited(analysis: Analysis, barrier: Barrier) -> bool:
    waits = [use for use in barrier.dead if use.act is Act.WAIT]
    return bool(waits) and (incomplete(analysis) or any(may_run(analysis, use.function) for use in waits))


def _finding(barrier: Barrier) -> Finding:
    site = barrier.inits[0].step.site if barrier.inits else barrier.declared
    assert site is not None
    notes = [Note(at.step.site, "initialised here", at.role.name, at.step.how) for at in barrier.inits[1:]]
    if barrier.declared is not None and barrier.declared != site:
        notes.insert(0, Note(barrier.declared, "declared here"))
    notes += [Note(at.step.site, "destroyed here", at.role.name, at.step.how) for at in barrier.destroys]
    dead = [use for use in barrier.dead if use.act is Act.WAIT]
    notes += [Note(use.site, f"the only wait is in {use.function.name}, which nothing reaches") for use in dead]
    done = "initialised" if barrier.inits else "declared"
    first = barrier.inits[0] if barrier.inits else None
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, site,
        f"barrier {barrier.label} is {done}, but no thread ever waits on it: it synchronises nothing",
        barrier.label, tuple(notes), first.role.name if first else "", first.step.how if first else (),
        "let every party call pthread_barrier_wait on it where the phase ends, or remove the barrier",
    )  # fmt: skip
