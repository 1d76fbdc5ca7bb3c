"""CP002: a semaphore that starts at 0, is waited on, and is posted by no code that any thread reaches.

Rules of this file: only an initial value known to be 0 is one; a semaphore that other processes may post is still
posted by code of the sources, or its address was given away (then nothing is said).
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.inventory import SharedObject
from cllm_sim.auditor.rules.support.locks import blind, escapes
from cllm_sim.auditor.vocabulary import Act, Kind

RULE = Rule("CP002", "semaphore-unmatched", Severity.ERROR, "a semaphore is waited on and never posted")
TIP = "Post the semaphore where what it counts has happened, or remove the wait."


def findings(analysis: Analysis) -> Iterator[Finding]:
    """The semaphores that can only block."""
    if blind(analysis, Act.UP):
        return
    for one in analysis.inventory.of(Kind.SEMAPHORE):
        waits = one.by(Act.DOWN)
        if one.declared is None or not waits or one.by(Act.UP) or escapes(analysis, one):
            continue
        if one.initialised and all(made.count is not None and made.count.value == 0 for made in one.initialised):
            yield _finding(one)


def _finding(one: SharedObject) -> Finding:
    first = one.by(Act.DOWN)[0]
    made = one.initialised[0]
    notes = [Note(made.site, "initialised with 0 here", made.role, made.how)]
    notes += [Note(use.site, f"{use.role} waits here, too", use.role, use.how) for use in one.by(Act.DOWN)[1:3]]
    notes += [
        Note(use.site, f"posted here, but nothing reaches {use.function.name}")
        for use in one.dead if use.act is Act.UP
    ]  # fmt: skip
    message = f"{first.role} waits on semaphore {one.label}, which starts at 0 and is never posted: it hangs here"
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, first.site, message, one.label, tuple(notes), first.role,
        first.how, TIP,
    )  # fmt: skip
