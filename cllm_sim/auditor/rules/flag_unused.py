"""CR003: a flag that is set and never looked at, or declared and never touched.

A flag is a boolean or small number whose name says stop, ready, done, running and the like, or that threads set to 1
and that never is anything but 0 or 1. Rules of this file: only flags of records and globals that live code uses; a
number that counts is no flag. Keep in step: names in `_WORDS`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Name, Number, Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.inventory import SharedObject
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.rules.support.races_flags import is_number
from cllm_sim.auditor.rules.support.races_touches import Touches, touches
from cllm_sim.auditor.vocabulary import Act, Kind

RULE = Rule("CR003", "flag-unused", Severity.NOTE, "a stop or ready flag is set and never read, or never used")

_WORDS = frozenset(
    "stop stopped stopping ready done running run quit exit exiting finish finished active init initialised "
    "initialized shutdown abort aborted aborting cancel cancelled canceled paused pause closed closing terminate "
    "terminated "
    "terminating alive started enabled halt halted flag complete completed resumed draining drained busy idle".split()
)

_NUMBERS = frozenset("n num nr number count counter total sum max min".split())
SETS = (Act.WRITE, Act.STORE)


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every flag that nobody looks at."""
    if not analysis.roles.threads:
        return
    found = touches(analysis)
    everything = [*analysis.inventory.memory.values(), *analysis.inventory.of(Kind.ATOMIC)]
    for one in sorted(everything, key=lambda each: each.label):
        if one.declared is None or not _may_be_flag(one) or found.looked_at(one.location):
            continue
        writes = found.writes.get(one.location, [])
        if not _named_flag(one) and not _raised(analysis, one, writes):
            continue
        if one.location.kind == "member" and one.location.owner not in found.owners:
            continue
        if all(_sets(event) for event in writes):
            yield _finding(analysis, one, one.declared, writes, found)


def _may_be_flag(one: SharedObject) -> bool:
    """Is it a single plain or atomic number of a record or of the whole program?"""
    if one.location.kind not in {"member", "global"} or one.location.is_contents:
        return False
    if one.type is None or one.type.pointers or one.type.arrays:
        return False
    return one.kind is Kind.ATOMIC or is_number(one.type)


def _named_flag(one: SharedObject) -> bool:
    """Does its name say that it is a flag (and not that it is a number of things)?"""
    words = set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", one.location.name).lower()))
    return bool(_WORDS & words) and not _NUMBERS & words


def _raised(analysis: Analysis, one: SharedObject, writes: list[Event]) -> bool:
    """Do threads set it to 1, and is it never given anything but 0 and 1?"""
    values = {
        None if event.value is None else analysis.program.constant(event.value, None, event.site.path)
        for event in writes
    }
    threads = {role.name for role in analysis.roles.threads}
    return 1 in values and values <= {0, 1} and any(use.role in threads for use in one.by(*SETS))


def _sets(event: Event) -> bool:
    """Is a flag set to a constant (and not counted, or given a calculated value)?"""
    if event.act is Act.CHANGE or event.operator not in {"", "="}:
        return False
    return event.value is None or isinstance(event.value, Number | Name)


def _finding(analysis: Analysis, one: SharedObject, declared: Site, writes: list[Event], found: Touches) -> Finding:
    dead = [use for use in one.dead if use.act in {Act.READ, Act.LOAD}]
    if writes:
        message = f"{one.label} is set and nothing that runs ever reads it: setting it has no effect"
        tip = f"test {one.label} where the threads are to notice it, or remove it"
    else:
        message = f"{one.label} is declared and nothing that runs ever uses it"
        tip = f"remove {one.label}, or use it where threads stop or start"
    notes = [Note(event.site, f"{one.label} is set here", *_reached(analysis, event)) for event in writes[:6]]
    notes += [
        Note(use.site, f"{use.function.name} reads it, but nothing calls {use.function.name}") for use in dead[:3]
    ]
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH if writes else Confidence.MEDIUM, declared, message, one.label,
        tuple(notes), tip=tip,
    )  # fmt: skip


def _reached(analysis: Analysis, event: Event) -> tuple[str, tuple[Site, ...]]:
    """The first role that gets to a place, and how."""
    for role in analysis.roles.all:
        for step in analysis.flow(role).events(event.act):
            if step.site == event.site:
                return role.name, step.how
    return "", ()
