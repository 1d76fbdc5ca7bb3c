"""CB004: a wait at a barrier that nobody can match.

Either nobody initialises the barrier, or one single thread waits at a barrier for several. Rules of this file: silent
where an initialisation cannot be named or may be made outside of the sources.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.rules.barrier_count import judged
from cllm_sim.auditor.rules.support.barriers import Barrier, barriers, unnamed, wait_notes, with_value
from cllm_sim.auditor.rules.support.threads import incomplete
from cllm_sim.auditor.vocabulary import Act

RULE = Rule(
    "CB004", "barrier-unmatched", Severity.ERROR, "a wait nobody can match: no initialisation, or no other thread"
)


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every barrier that is never initialised or has one waiting thread only."""
    uninitialised = not unnamed(analysis, Act.INIT)
    alone = not unnamed(analysis, Act.WAIT) and not incomplete(analysis)
    for barrier in barriers(analysis):
        if not barrier.waits or barrier.declared is None:
            continue
        if not barrier.inits and uninitialised and not _initialised_elsewhere(analysis, barrier):
            yield _never_initialised(barrier)
        elif alone:
            yield from _lonely(analysis, barrier)


def _initialised_elsewhere(analysis: Analysis, barrier: Barrier) -> bool:
    known = analysis.inventory.objects.get(barrier.location)
    return known is not None and bool(known.initialised or any(use.passed for use in known.uses))


def _never_initialised(barrier: Barrier) -> Finding:
    first = barrier.waits[0]
    notes: list[Note] = [] if barrier.declared is None else [Note(barrier.declared, "declared here")]
    dead = [use for use in barrier.dead if use.act is Act.INIT]
    notes += [Note(use.site, f"{use.function.name} would initialise it, but nothing reaches it") for use in dead]
    notes += [note for note in wait_notes(barrier) if note.site != first.step.site]
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, first.step.site,
        f"{first.role.name} waits at barrier {barrier.label}, which nobody initialises",
        barrier.label, tuple(notes), first.role.name, first.step.how,
        "call pthread_barrier_init with the number of waiting threads before the threads are created",
    )  # fmt: skip


def _lonely(analysis: Analysis, barrier: Barrier) -> Iterator[Finding]:
    found = judged(analysis, barrier)
    if found is None or analysis.program.followed(found[2]).value != 1:
        return
    init, count, _, parties = found
    only = parties[0]
    first = only.waits[0]
    sites: dict[Site, Note] = {init.step.site: Note(init.step.site, "initialised here", init.role.name, init.step.how)}
    sites |= {note.site: note for note in wait_notes(barrier) if note.site != first.step.site}
    yield Finding(
        RULE.code, RULE.severity, Confidence.HIGH, first.step.site,
        f"only {only.role.name} ever waits at barrier {barrier.label}, which is initialised for "
        f"{with_value(analysis, count)} threads: it waits for ever",
        barrier.label, tuple(sites.values()), only.role.name, first.step.how,
        "let the other parties wait at the same barrier, or remove the wait",
    )  # fmt: skip
