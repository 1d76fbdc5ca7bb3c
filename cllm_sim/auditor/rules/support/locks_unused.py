"""Objects that are made and never used: what is common to locks, conditions and semaphores.

Rules of this file: an object that only code which nothing reaches would use belongs to the rule about that code, unless
live code makes the object; one whose uses may have been missed is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule
from cllm_sim.auditor.inventory import SharedObject, Use
from cllm_sim.auditor.rules.support.locks import blind, escapes
from cllm_sim.auditor.vocabulary import Act, Kind

NOTES_MAX = 3


def unused(analysis: Analysis, kind: Kind, acts: frozenset[Act]) -> Iterator[SharedObject]:
    """The declared objects of a kind on which no role performs any of these acts."""
    if blind(analysis, *acts):
        return
    for one in analysis.inventory.of(kind):
        if one.declared is None or one.by(*acts) or escapes(analysis, one):
            continue
        if one.initialised or one.destroyed or not dead_uses(one, acts):
            yield one


def dead_uses(one: SharedObject, acts: frozenset[Act]) -> list[Use]:
    """The uses of these acts in code that nothing reaches."""
    return [use for use in one.dead if use.act in acts]


def finding(rule: Rule, one: SharedObject, acts: frozenset[Act], message: str, tip: str) -> Finding:
    """A finding about an object nobody uses, with the places that make it, end it, or would use it."""
    assert one.declared is not None
    return Finding(
        rule.code,
        rule.severity,
        Confidence.MEDIUM if dead_uses(one, acts) else Confidence.HIGH,
        one.declared,
        message,
        one.label,
        tuple(_notes(one, acts)),
        tip=tip,
    )


def _notes(one: SharedObject, acts: frozenset[Act]) -> Iterator[Note]:
    for made in one.initialised[:NOTES_MAX]:
        if made.site != one.declared:
            yield Note(made.site, "initialised here", made.role, made.how)
    for use in one.destroyed[:NOTES_MAX]:
        yield Note(use.site, "destroyed here", use.role, use.how)
    for use in dead_uses(one, acts)[:NOTES_MAX]:
        yield Note(use.site, f"would be used here, but nothing reaches {use.function.name}")
