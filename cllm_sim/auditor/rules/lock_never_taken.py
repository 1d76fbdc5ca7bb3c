"""CL001: a mutex, read-write lock or spinlock that nobody ever takes.

Rules of this file: a mutex that only a condition's wait names counts as used; the wait is judged by its own rules.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Finding, Rule, Severity
from cllm_sim.auditor.rules.support.locks import TAKES, live
from cllm_sim.auditor.rules.support.locks_unused import finding, unused
from cllm_sim.auditor.vocabulary import Act, Kind

RULE = Rule("CL001", "lock-never-taken", Severity.NOTE, "a lock is declared or initialised and never taken")
TIP = "Remove the lock, or take it where the data it was made for is read and written."


def findings(analysis: Analysis) -> Iterator[Finding]:
    """The locks nobody takes."""
    partners = {step.partner for _, step in live(analysis, Act.SLEEP, Act.TIMED_SLEEP)}
    for lock in unused(analysis, Kind.MUTEX, TAKES):
        if lock.location not in partners:
            made = "initialised" if lock.initialised else "declared"
            yield finding(RULE, lock, TAKES, f"lock {lock.label} is {made}, but no thread ever takes it", TIP)
