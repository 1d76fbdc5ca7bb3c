"""CB002: a barrier that is initialised for another number of threads than wait on it.

Rules of this file: both numbers must be known, and no way of reading the program may make them equal. One single
waiting thread is CB004's; waits that some threads leave out are CB003's.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.program import Count
from cllm_sim.auditor.rules.support.barriers import (
    Barrier,
    Party,
    barriers,
    expected,
    parties,
    total,
    unnamed,
    wait_notes,
    with_value,
)
from cllm_sim.auditor.rules.support.threads import At, incomplete
from cllm_sim.auditor.vocabulary import Act

RULE = Rule(
    "CB002", "barrier-count", Severity.ERROR, "a barrier is initialised for another number of threads than wait on it"
)


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every barrier whose counts surely differ."""
    if incomplete(analysis) or unnamed(analysis, Act.WAIT):
        return
    for barrier in barriers(analysis):
        found = judged(analysis, barrier)
        if found is not None and not _single(analysis, found[2]):
            yield _finding(analysis, barrier, *found)


def judged(analysis: Analysis, barrier: Barrier) -> tuple[At, Count, Count, list[Party]] | None:
    """The initialisation, its count, the number of threads and the parties where the two numbers surely differ."""
    if barrier.several or not barrier.waits or not barrier.inits:
        return None
    wrong = []
    for init in barrier.inits:
        count = expected(analysis, barrier, init)
        found = parties(analysis, barrier, init)
        threads = total(found)
        if threads is None:
            found = parties(analysis, barrier, init, at_most=True)
            threads = total(found)
            if count is None or threads is None or not _more(analysis, count, threads):
                return None
        elif count is None or analysis.program.same_count(count, threads) is not False:
            return None
        wrong.append((init, count, threads, found))
    return wrong[0]


def _more(analysis: Analysis, one: Count, other: Count) -> bool:
    """Is the first surely the greater number?"""
    difference = analysis.program.followed(one).difference(analysis.program.followed(other))
    return difference is not None and difference > 0


def _single(analysis: Analysis, threads: Count) -> bool:
    return analysis.program.followed(threads).value == 1


def _finding(
    analysis: Analysis, barrier: Barrier, init: At, count: Count, threads: Count, found: list[Party]
) -> Finding:
    values = [analysis.program.followed(one).value for one in (count, threads)]
    known = None not in values
    who = " and ".join(_party(analysis, party) for party in sorted(found, key=lambda one: not one.role.many))
    given = [Note(site, "the count comes from this call", init.role.name) for site in init.step.how[-1:]]
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH if known else Confidence.MEDIUM, init.step.site,
        f"barrier {barrier.label} is initialised for {with_value(analysis, count)}, but "
        f"{with_value(analysis, threads)} threads wait on it: {who}",
        barrier.label, (*given, *wait_notes(barrier)), init.role.name, init.step.how,
        f"initialise it for {with_value(analysis, threads)}: every thread that calls pthread_barrier_wait counts once",
    )  # fmt: skip


def _party(analysis: Analysis, party: Party) -> str:
    assert party.counts
    count = party.counts[0]
    if analysis.program.followed(count).value == 1:
        return party.role.name
    return f"{with_value(analysis, count)} x {party.role.name}"
