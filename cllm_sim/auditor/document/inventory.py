"""The inventory's objects as data: barriers, mutexes, conditions, semaphores, atomics, flags, regions, segments."""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.document.flags import flags
from cllm_sim.auditor.document.places import Data, place, places, uses
from cllm_sim.auditor.document.roles import role_fields, thread_fields
from cllm_sim.auditor.facts import Function, Site
from cllm_sim.auditor.inventory import SharedObject
from cllm_sim.auditor.rules.support.regions import Holder, Region, regions
from cllm_sim.auditor.rules.support.regions import uses as uses_of
from cllm_sim.auditor.rules.support.segments import Segment, segments
from cllm_sim.auditor.vocabulary import Act, Kind

KINDS = {
    "barriers": Kind.BARRIER,
    "mutexes": Kind.MUTEX,
    "conditions": Kind.CONDITION,
    "semaphores": Kind.SEMAPHORE,
    "atomics": Kind.ATOMIC,
}


def inventory_fields(analysis: Analysis) -> Data:
    """The field `inventory`."""
    fields: Data = {name: [_object(one) for one in analysis.inventory.of(kind)] for name, kind in KINDS.items()}
    fields["flags"] = [_object(one) for one in flags(analysis)]
    fields["threads"] = thread_fields(analysis)
    fields["roles"] = role_fields(analysis)
    fields["regions"] = _regions(analysis)
    fields["segments"] = [_segment(one) for one in segments(analysis)]
    return fields


def _object(one: SharedObject) -> Data:
    return {
        "name": one.label,
        "declared": place(one.declared),
        "many": one.many,
        "initialised": [
            {**(place(init.site) or {}), "count": None if init.count is None else init.count.text}
            for init in one.initialised
        ],
        "waits": uses(one.uses),
        "destroyed": uses(one.destroyed),
        "dead": uses(one.dead),
        "members": one.roles(),
        "note": _note(one),
    }


def _note(one: SharedObject) -> str:
    if one.uses:
        return ""
    if one.dead:
        return "used only in code that no role reaches"
    return "never used" if not one.initialised else "initialised and never used"


def _regions(analysis: Analysis) -> list[Data]:
    """One entry for each name by which the program knows a region; several mappings of one name are one entry."""
    found: dict[str, Data] = {}
    for region in regions(analysis):
        for holder in region.outermost:
            if holder.location.kind not in {"member", "global", "local"}:
                continue
            label = holder.location.label
            entry = found.setdefault(label, _region(analysis, region, holder))
            made = place(region.step.site)
            if made not in entry["initialised"]:
                entry["initialised"].append(made)
    return list(found.values())


def _region(analysis: Analysis, region: Region, holder: Holder) -> Data:
    used = list(dict.fromkeys(uses_of(analysis, region, holder.location)))
    rows = [
        {"path": site.path, "line": site.line, "role": role.name, "operation": "use"}
        for site in used
        for role in analysis.roles.all
        if any(_holds(reach.function, site) for reach in role.reach.values())
    ]
    return {
        "name": holder.location.label,
        "declared": place(holder.site),
        "many": False,
        "initialised": [],
        "waits": rows,
        "destroyed": places(step.site for role in analysis.roles.all for step in analysis.flow(role).events(Act.UNMAP)),
        "dead": [],
        "members": list(dict.fromkeys(str(row["role"]) for row in rows)),
        "note": f"{region.rights}" + ("" if rows else ", never used"),
    }


def _holds(function: Function, site: Site) -> bool:
    return function.path == site.path and function.line <= site.line <= function.line_end


def _segment(one: Segment) -> Data:
    return {
        "name": one.label,
        "declared": place(one.declared),
        "size": one.size,
        "offset": one.offset,
        "length": one.length,
        "written": uses(one.written),
        "read": uses(one.read),
    }
