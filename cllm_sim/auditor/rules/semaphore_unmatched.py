"""CP002: a semaphore that starts at 0, is waited on, and is posted by no code that any thread reaches.

Rules of this file: only an initial value known to be 0 is one; a semaphore that other processes may post is still
posted by code of the sources, or its address was given away (then nothing is said). Those of an array are told apart
where every wait and post names its own by a constant.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Index, Unary
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.inventory import SharedObject, Use
from cllm_sim.auditor.rules.support.locks import blind, escapes
from cllm_sim.auditor.rules.support.semaphores import elements, starts_at_zero
from cllm_sim.auditor.vocabulary import Act, Kind

RULE = Rule("CP002", "semaphore-unmatched", Severity.ERROR, "a semaphore is waited on and never posted")
TIP = "Post the semaphore where what it counts has happened, or remove the wait."


def findings(analysis: Analysis) -> Iterator[Finding]:
    """The semaphores that can only block."""
    if blind(analysis, Act.UP):
        return
    for one in analysis.inventory.of(Kind.SEMAPHORE):
        if one.declared is None or not one.initialised or escapes(analysis, one):
            continue
        parts: list[tuple[int | None, list[Use]]] = [*elements(analysis, one).items()]
        for number, uses in parts or [(None, one.uses)]:
            waits = [use for use in uses if use.act is Act.DOWN]
            posted = any(use.act is Act.UP for use in uses)
            if waits and not posted and all(starts_at_zero(analysis, made, number) for made in one.initialised):
                yield _finding(analysis, one, waits)


def _finding(analysis: Analysis, one: SharedObject, waits: list[Use]) -> Finding:
    first = waits[0]
    made = one.initialised[0]
    label = _label(analysis, one, first)
    notes = [Note(made.site, "initialised with 0 here", made.role, made.how)]
    notes += [Note(use.site, f"{use.role} waits here, too", use.role, use.how) for use in waits[1:3]]
    notes += [
        Note(use.site, f"posted here, but nothing reaches {use.function.name}")
        for use in one.dead if use.act is Act.UP
    ]  # fmt: skip
    message = f"{first.role} waits on semaphore {label}, which starts at 0 and is never posted: it hangs here"
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, first.site, message, label, tuple(notes), first.role, first.how, TIP
    )


def _label(analysis: Analysis, one: SharedObject, wait: Use) -> str:
    """The semaphore's name, with its place in an array as the program writes it."""
    role = analysis.roles.get(wait.role)
    if role is None or wait.step is None or not elements(analysis, one):
        return one.label
    event = analysis.flow(role).steps[wait.step].event
    written = None if event is None else event.expression
    if isinstance(written, Unary) and written.operator == "&":
        written = written.operand
    return analysis.program.text(written) if isinstance(written, Index) else one.label
