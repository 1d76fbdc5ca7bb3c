"""CW004: a condition that is signalled or broadcast, and nobody ever waits on it.

Rules of this file: one that nobody signals either is CW001.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.rules.support.conditions import NOTIFIES, SLEEPS
from cllm_sim.auditor.rules.support.locks import blind, escapes
from cllm_sim.auditor.vocabulary import Kind

RULE = Rule("CW004", "signal-without-waiter", Severity.WARNING, "a condition is signalled and nobody waits on it")
TIP = "Remove the signal and the condition, or wait on it where its event is needed."


def findings(analysis: Analysis) -> Iterator[Finding]:
    """The conditions signalled to nobody."""
    if blind(analysis, *SLEEPS):
        return
    for one in analysis.inventory.of(Kind.CONDITION):
        signals = one.by(*NOTIFIES)
        if one.declared is None or not signals or one.by(*SLEEPS) or escapes(analysis, one):
            continue
        first = signals[0]
        notes = [Note(one.declared, "declared here")]
        notes += [Note(made.site, "initialised here", made.role, made.how) for made in one.initialised[:1]]
        notes += [Note(use.site, "signalled here, too", use.role, use.how) for use in signals[1:4]]
        notes += [
            Note(use.site, f"a wait, but nothing reaches {use.function.name}") for use in one.dead if use.act in SLEEPS
        ]
        message = f"{first.role} signals condition {one.label}, but no thread ever waits on it"
        yield Finding(
            RULE.code, RULE.severity, Confidence.HIGH, first.site, message, one.label, tuple(notes), first.role,
            first.how, TIP,
        )  # fmt: skip
