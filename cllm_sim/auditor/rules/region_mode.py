"""CS005: memory of a region is written though it was mapped for reading only, or opened so and mapped to write.

Rules of this file: rights that could not be worked out are no evidence; where one member keeps regions with different
rights, the writes are matched by place. Keep in step: `support/regions.py`, `support/regions_rights.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Expr, Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.locks_places import places
from cllm_sim.auditor.rules.support.races_words import who
from cllm_sim.auditor.rules.support.regions import Holder, Region, regions
from cllm_sim.auditor.rules.support.regions_rights import Rights
from cllm_sim.auditor.traverse import names
from cllm_sim.auditor.vocabulary import Act

RULE = Rule("CS005", "region-mode", Severity.ERROR, "a region is written that may only be read")


def findings(analysis: Analysis) -> Iterator[Finding]:
    """Writes to read-only regions, and mappings that ask for more than the region was opened for."""
    reported: set[Location | Site] = set()
    for region in regions(analysis):
        for holder in region.holders:
            written = list(_writes(analysis, region, holder)) if region.rights is Rights.READ_ONLY else []
            if written and holder.location not in reported:
                reported.add(holder.location)
                yield _written(analysis, region, holder, written)
        opened = _opened_to_read(analysis, region)
        if opened is not None and region.step.site not in reported:
            reported.add(region.step.site)
            yield _mapped_to_write(region, opened)


# -------------------------------------------------------------------------------------------------------------- writes
def _writes(analysis: Analysis, region: Region, holder: Holder) -> Iterator[tuple[Role, Step]]:
    """The steps that write the memory behind a holder of a read-only region."""
    others = [
        one
        for one in regions(analysis)
        if one.rights is not Rights.READ_ONLY and any(each.location == holder.location for each in one.holders)
    ]
    for role in analysis.roles.all:
        flow = analysis.flow(role)
        for step in flow.events(Act.WRITE):
            if step.target != holder.location.contents:
                continue
            if not others or _same_place(analysis, region, role, step, others):
                yield role, step


def _same_place(analysis: Analysis, region: Region, role: Role, step: Step, others: list[Region]) -> bool:
    """Does a write go to this region and to none of those with other rights that are kept under the same name?"""
    written = places(analysis, role).target(step).text
    mine = _kept_at(analysis, region)
    return bool(mine) and written.startswith(mine) and not any(
        written.startswith(kept) for one in others if (kept := _kept_at(analysis, one))
    )  # fmt: skip


def _kept_at(analysis: Analysis, region: Region) -> str:
    """The place of the member that keeps a region, as its maker was called."""
    for step in analysis.flow(region.role).events(Act.WRITE):
        if step.how == region.step.how and step.target in {one.location for one in region.holders}:
            place = places(analysis, region.role).target(step)
            return place.text if place.stable else ""
    return ""


# ------------------------------------------------------------------------------------------------------------- opening
def _opened_to_read(analysis: Analysis, region: Region) -> Step | None:
    """The opening for reading only of a region that is mapped, shared, for writing."""
    event = region.step.event
    assert event is not None
    if region.rights is not Rights.WRITABLE or not _flagged(event.modes[1:], "MAP_SHARED"):
        return None
    for step in analysis.flow(region.role).events(Act.OPEN):
        assert step.event is not None
        if step.how != region.step.how or step.function is not region.step.function:
            continue
        if _flagged(step.event.modes, "O_RDONLY") and not _flagged(step.event.modes, "O_RDWR"):
            return step
    return None


def _flagged(modes: tuple[Expr, ...], flag: str) -> bool:
    return any(flag in names(mode) for mode in modes)


# --------------------------------------------------------------------------------------------------------------- words
def _written(analysis: Analysis, region: Region, holder: Holder, written: list[tuple[Role, Step]]) -> Finding:
    role, first = written[0]
    label = holder.location.label
    notes = [Note(region.step.site, f"{label} is mapped here for reading only", region.role.name, region.step.how)]
    lines = {(first.site.path, first.site.line)}
    for other, step in written[1:]:
        if (step.site.path, step.site.line) not in lines and len(notes) < 6:
            lines.add((step.site.path, step.site.line))
            notes.append(Note(step.site, f"{who(other)} writes it here, too", other.name, step.how))
    return Finding(
        RULE.code,
        RULE.severity,
        Confidence.HIGH,
        first.site,
        f"{who(role)} writes the memory behind {label}, which is mapped for reading only (no PROT_WRITE): "
        "the first write ends the program",
        label,
        tuple(notes),
        role.name,
        first.how,
        f"map {label} with PROT_READ | PROT_WRITE, or write it before it is mapped to read",
    )


def _mapped_to_write(region: Region, opened: Step) -> Finding:
    expr = region.outermost[0].location.label if region.outermost else "the region"
    return Finding(
        RULE.code,
        RULE.severity,
        Confidence.HIGH,
        region.step.site,
        f"{expr} is opened with O_RDONLY and mapped, shared, for writing: the mapping fails",
        expr,
        (Note(opened.site, "opened for reading only here", region.role.name, opened.how),),
        region.role.name,
        region.step.how,
        "open it with O_RDWR, or map it with PROT_READ alone",
    )
