"""CP001: a semaphore that is neither waited on nor posted.

Rules of this file: one that is waited on and never posted is CP002.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Finding, Rule, Severity
from cllm_sim.auditor.rules.support.locks_unused import finding, unused
from cllm_sim.auditor.vocabulary import Act, Kind

RULE = Rule("CP001", "semaphore-never-used", Severity.NOTE, "a semaphore is neither waited on nor posted")
ACTS = frozenset({Act.DOWN, Act.TRY_DOWN, Act.UP})
TIP = "Remove the semaphore, or wait on it where something is counted and post it where it is given back."


def findings(analysis: Analysis) -> Iterator[Finding]:
    """The semaphores nobody uses."""
    for one in unused(analysis, Kind.SEMAPHORE, ACTS):
        made = "initialised" if one.initialised else "declared"
        message = f"semaphore {one.label} is {made}, but no thread ever waits on it or posts it"
        yield finding(RULE, one, ACTS, message, TIP)
