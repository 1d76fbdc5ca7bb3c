"""CS004: a shared-memory region is created, and nothing that runs ever reads or writes it.

Rules of this file: creating, keeping, testing against NULL and giving back are no uses; anything else is, also handing
the pointer to somebody. Only programs with threads are judged. Keep in step: `support/regions.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.rules.support.regions import Holder, Region, regions, uses
from cllm_sim.auditor.vocabulary import Act

RULE = Rule("CS004", "region-never-used", Severity.WARNING, "a shared-memory region is created and never used")


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for every handle (or holder) of a region that nobody uses."""
    if not analysis.roles.threads:
        return
    reported: set[Location] = set()
    for region in regions(analysis):
        for holder in _outermost(region):
            if holder.location not in reported and not _used(analysis, region, holder):
                reported.add(holder.location)
                yield _finding(analysis, region, holder)


def _outermost(region: Region) -> list[Holder]:
    """The places by which the program knows the region: members and globals before locals."""
    kept = [one for one in region.outermost if one.location.kind in {"member", "global"}]
    local = [one for one in region.outermost if one.location.kind == "local"]
    return kept or [one for one in local if one.function.key not in region.makers]


def _used(analysis: Analysis, region: Region, holder: Holder) -> bool:
    """Is the memory used by way of this holder?"""
    if any(True for _ in uses(analysis, region, holder.location)):
        return True
    if region.handles:
        return False
    contents = holder.location.contents
    return any(
        step.target == contents
        for role in analysis.roles.all
        for step in analysis.flow(role).events(Act.READ, Act.WRITE)
        if step.function.key not in region.makers
    )


def _finding(analysis: Analysis, region: Region, holder: Holder) -> Finding:
    label = holder.location.label
    notes = [Note(region.step.site, "the memory is mapped here", region.role.name, region.step.how)]
    notes += [
        Note(step.site, "the region is opened here", region.role.name, step.how)
        for step in analysis.flow(region.role).events(Act.OPEN)
        if step.how == region.step.how and step.function is region.step.function
    ]
    declared = _declared(analysis, holder.location)
    if declared is not None:
        notes.append(Note(declared, f"{label} is declared here"))
    return Finding(
        RULE.code,
        RULE.severity,
        Confidence.HIGH,
        holder.site,
        f"the shared-memory region {label} is created here and given back, and nothing that runs reads or writes it",
        label,
        tuple(notes),
        region.role.name,
        region.step.how,
        f"let the threads keep their shared data in {label}, or remove the region",
    )


def _declared(analysis: Analysis, location: Location) -> Site | None:
    known = analysis.inventory.memory.get(location)
    return None if known is None else known.declared
