"""CW005: a condition that is waited on without a time limit, and no code that any thread reaches signals it.

Rules of this file: a wait with a time limit wakes up by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.rules.support.conditions import NOTIFIES
from cllm_sim.auditor.rules.support.locks import blind, escapes
from cllm_sim.auditor.vocabulary import Act, Kind

RULE = Rule("CW005", "wait-without-signal", Severity.ERROR, "a condition is waited on and never signalled")
TIP = "Signal the condition (holding its mutex) wherever what is waited for comes true."


def findings(analysis: Analysis) -> Iterator[Finding]:
    """The conditions nobody signals."""
    if blind(analysis, *NOTIFIES):
        return
    for one in analysis.inventory.of(Kind.CONDITION):
        sleeps = one.by(Act.SLEEP)
        if one.declared is None or not sleeps or one.by(*NOTIFIES) or escapes(analysis, one):
            continue
        first = sleeps[0]
        notes = [Note(one.declared, "declared here")]
        notes += [Note(use.site, f"{use.role} waits here, too", use.role, use.how) for use in sleeps[1:4]]
        notes += [
            Note(use.site, f"signalled here, but nothing reaches {use.function.name}")
            for use in one.dead if use.act in NOTIFIES
        ]  # fmt: skip
        message = f"{first.role} waits on condition {one.label}, but no thread ever signals it: it sleeps for ever"
        yield Finding(
            RULE.code, RULE.severity, Confidence.HIGH, first.site, message, one.label, tuple(notes), first.role,
            first.how, TIP,
        )  # fmt: skip
