"""CR001: two threads access the same memory, at least one writes, and nothing orders or excludes the two.

The pairs come from `support/races_candidates.py` (locks, creation, joining, barriers), hand-offs are judged by
`support/races_handoff.py`, and where a hand-off is there but not convincing the checker is asked. Rules of this file:
one finding per piece of memory, with its worst pair; polled flags belong to CR002. Keep in step: `plain_flag.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import NamedTuple

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.rules.support.races_accesses import Access
from cllm_sim.auditor.rules.support.races_candidates import Candidates
from cllm_sim.auditor.rules.support.races_flags import polled_flags
from cllm_sim.auditor.rules.support.races_handoff import Handoffs
from cllm_sim.auditor.rules.support.races_oracle import Verdict, verdict
from cllm_sim.auditor.rules.support.races_sharing import Sharing
from cllm_sim.auditor.rules.support.races_words import access_note, declaration_note, does, locks, who

RULE = Rule("CR001", "data-race", Severity.ERROR, "two threads access the same memory and nothing orders them")
NOTES_MAX = 6
CONFIDENCES = (Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW)


class _Pair(NamedTuple):
    one: Access
    other: Access
    confidence: Confidence


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every location with a pair that may meet."""
    candidates = Candidates.of(analysis)
    flags = polled_flags(analysis)
    handoffs = Handoffs(analysis, frozenset(flags))
    for location in sorted(candidates.accesses.by_location):
        if location in flags or _errno(location):
            continue
        pairs = _pairs(analysis, candidates, handoffs, location)
        if pairs:
            yield _finding(analysis, location, pairs)


def _errno(location: Location) -> bool:
    return location.name in {"errno", "stdin", "stdout", "stderr"}


def _pairs(analysis: Analysis, candidates: Candidates, handoffs: Handoffs, location: Location) -> list[_Pair]:
    """The pairs that may meet, the surest first; writes before reads, different roles' and near lines first."""
    accesses = candidates.accesses.of(location)
    if not any(one.write for one in accesses):
        return []
    found: list[_Pair] = []
    for one, other in combinations_with_replacement(accesses, 2):
        if not candidates.conflict(one, other):
            continue
        confidence = _confidence(analysis, candidates, handoffs, location, one, other)
        if confidence is not None:
            found.append(_Pair(one, other, confidence))
    return sorted(found, key=_rank)


def _rank(pair: _Pair) -> tuple[int, int, int, int, int]:
    one, other = pair.one, pair.other
    passed = one.passed + other.passed
    guarded = bool(one.held) + bool(other.held)
    return CONFIDENCES.index(pair.confidence), passed, guarded, one.step.index, other.step.index


def _confidence(
    analysis: Analysis, candidates: Candidates, handoffs: Handoffs, location: Location, one: Access, other: Access
) -> Confidence | None:
    """How sure a pair is; None where a hand-off orders it, or may and nobody can tell."""
    if handoffs.ordered(one, other):
        return None
    hinted = handoffs.hinted(one, other)
    unsure = candidates.unsure(one, other)
    if hinted or unsure:
        answer = verdict(analysis, location, one.step.site, other.step.site)
        if answer is Verdict.CONFIRMED:
            return Confidence.HIGH
        if answer is Verdict.REFUTED or unsure:
            return None
        return Confidence.MEDIUM if one.role is not other.role else None
    if Sharing.OWN in {one.sharing, other.sharing} or one.passed or other.passed:
        return Confidence.MEDIUM
    return Confidence.HIGH


# -------------------------------------------------------------------------------------------------------------- words
def _finding(analysis: Analysis, location: Location, pairs: list[_Pair]) -> Finding:
    first, second, confidence = pairs[0]
    if second.write and not first.write:
        first, second = second, first
    label = location.label
    known = analysis.inventory.memory.get(location)
    return Finding(
        RULE.code,
        RULE.severity,
        confidence,
        first.step.site,
        _message(label, first, second),
        label,
        (access_note(second, label), *_further(label, pairs, first, second), *_declared(analysis, location, known)),
        first.role.name,
        first.step.how,
        _tip(label, first, second),
    )


def _message(label: str, first: Access, second: Access) -> str:
    if first.step is second.step:
        return (
            f"several threads of {first.role.name} execute this line at the same time, {locks(first.held)}: "
            f"each {does(first)} {label}, and nothing orders them"
        )
    other = who(second.role) if first.role is not second.role else f"another thread of {second.role.name}"
    return (
        f"{who(first.role)} {does(first)} {label} ({locks(first.held)}) while {other} {does(second)} it "
        f"({locks(second.held)}): no common lock, barrier, join or hand-off orders the two"
    )


def _tip(label: str, first: Access, second: Access) -> str:
    held = sorted({one.lock.label for one in (*first.held, *second.held)})
    if held:
        return f"take {held[0]} around every access of {label}, or let the two sides meet at a barrier or join first"
    return (
        f"guard every access of {label} with one mutex, make it atomic, or give each thread its own copy and combine "
        "the copies after a barrier or join"
    )


def _further(label: str, pairs: list[_Pair], first: Access, second: Access) -> list[Note]:
    """Further places of the same race, each line once."""
    shown = {(first.step.site.path, first.step.site.line), (second.step.site.path, second.step.site.line)}
    notes: list[Note] = []
    for pair in pairs:
        for access in (pair.one, pair.other):
            place = (access.step.site.path, access.step.site.line)
            if place not in shown and len(notes) < NOTES_MAX:
                shown.add(place)
                notes.append(access_note(access, label))
    return notes


def _declared(analysis: Analysis, location: Location, known: object) -> tuple[Note, ...]:
    holder = analysis.inventory.memory.get(location.holder)
    return declaration_note(analysis.inventory.memory.get(location) if holder is None else holder)
