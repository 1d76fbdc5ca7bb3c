"""CR002: a plain or volatile variable takes the place of a signal between threads.

Rules of this file: one finding per flag, at the test that is repeated; what a polled flag is stands in
`support/races_flags.py`. Keep in step: `data_race.py` leaves these variables to this rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.rules.support.races_flags import PolledFlag, polled_flags
from cllm_sim.auditor.rules.support.races_words import declaration_note, who

RULE = Rule("CR002", "plain-flag", Severity.ERROR, "a plain variable is polled by one thread and set by another")


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every polled flag."""
    for flag in polled_flags(analysis).values():
        yield _finding(analysis, flag)


def _finding(analysis: Analysis, flag: PolledFlag) -> Finding:
    label = flag.location.label
    writers = list(dict.fromkeys(who(one.role) for one in flag.writes))
    known = analysis.inventory.memory[flag.location]
    volatile = known.type is not None and "volatile" in known.type.qualifiers
    kind = "is only volatile" if volatile else "is a plain variable"
    notes = [
        Note(one.step.site, f"{who(one.role)} sets {label} here", one.role.name, one.step.how) for one in flag.writes
    ]
    return Finding(
        RULE.code,
        RULE.severity,
        Confidence.HIGH,
        flag.test.step.site,
        f"{who(flag.test.role)} tests {label} in a loop while {' and '.join(writers)} may set it, but {label} {kind}: "
        "nothing orders the two, and the compiler may read it once only",
        label,
        (*notes[:6], *declaration_note(known)),
        flag.test.role.name,
        flag.test.step.how,
        f"make {label} atomic (atomic_bool or atomic_int with a release store and an acquire load), "
        "or test and set it under one mutex with a condition",
    )
