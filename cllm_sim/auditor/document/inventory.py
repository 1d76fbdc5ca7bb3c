"""The inventory's objects as data: barriers, mutexes, conditions, semaphores, atomics, flags, regions, segments."""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.document.places import Data, place, places, uses
from cllm_sim.auditor.document.roles import role_fields, thread_fields
from cllm_sim.auditor.inventory import SharedObject
from cllm_sim.auditor.rules.support.flags import flags
from cllm_sim.auditor.rules.support.regions import Region, regions
from cllm_sim.auditor.rules.support.segments import Segment, segments
from cllm_sim.auditor.vocabulary import Kind

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
    fields["regions"] = [_region(one) for one in regions(analysis)]
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


def _region(one: Region) -> Data:
    return {
        "name": one.label,
        "declared": place(one.site),
        "many": False,
        "initialised": places(one.created),
        "waits": uses(one.uses),
        "destroyed": places(one.unmapped),
        "dead": [],
        "members": list(dict.fromkeys(use.role for use in one.uses)),
        "note": one.note,
    }


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
