"""CW001: a condition variable that is neither waited on nor signalled.

Rules of this file: one that is only signalled is CW004, one that is only waited on is CW005.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Finding, Rule, Severity
from cllm_sim.auditor.rules.support.conditions import NOTIFIES, SLEEPS
from cllm_sim.auditor.rules.support.locks_unused import finding, unused
from cllm_sim.auditor.vocabulary import Kind

RULE = Rule("CW001", "condition-never-waited", Severity.NOTE, "a condition is neither waited on nor signalled")
TIP = "Remove the condition, or wait on it (in a loop that tests what is waited for) and signal the change."


def findings(analysis: Analysis) -> Iterator[Finding]:
    """The conditions nobody uses."""
    acts = SLEEPS | NOTIFIES
    for one in unused(analysis, Kind.CONDITION, acts):
        made = "initialised" if one.initialised else "declared"
        message = f"condition {one.label} is {made}, but no thread ever waits on it or signals it"
        yield finding(RULE, one, acts, message, TIP)
