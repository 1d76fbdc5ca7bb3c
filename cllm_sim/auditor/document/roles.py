"""Roles, threads and the two graphs as data: who runs what, who waits on what, which object orders whom."""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.document.places import Data, places
from cllm_sim.auditor.document.usual import usual
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.vocabulary import BLOCKS, Act

MEETING = frozenset({Act.WAIT})
GIVING = frozenset({Act.NOTIFY, Act.NOTIFY_ALL, Act.UP, Act.STORE, Act.CHANGE})
TAKING = frozenset({Act.SLEEP, Act.TIMED_SLEEP, Act.DOWN, Act.LOAD})
PARKING = frozenset(
    {Act.PAUSE, Act.READ, Act.LOAD, Act.LOCK, Act.UNLOCK, Act.SLEEP, Act.TIMED_SLEEP, Act.DOWN, Act.WAIT}
)


def role_kind(analysis: Analysis, role: Role) -> str:
    """caller, worker (reaches batch processing, or several threads of it), control (coordinates), other."""
    if role.caller:
        return "caller"
    works = bool(analysis.working_steps(role))
    coordinates = any(_calling(analysis, role, purpose) for purpose in ("accumulate", "update", "distribute"))
    if role.many or (works and not coordinates):
        return "worker"
    if coordinates or _shares_barrier_with_workers(analysis, role):
        return "control"
    return "other"


def role_fields(analysis: Analysis) -> list[Data]:
    """The inventory's field `roles`."""
    return [_role(analysis, role) for role in analysis.roles.all]


def _role(analysis: Analysis, role: Role) -> Data:
    work = analysis.working_steps(role)
    return {
        "name": role.name,
        "entry": role.entries[0].name if len(role.entries) == 1 else "",
        "path": role.entries[0].path,
        "line": role.entries[0].line,
        "kind": role_kind(analysis, role),
        "count": None if role.count is None else role.count.text,
        "threads": usual(analysis.locations, role.count),
        "functions": len(role.reach),
        "reaches_work": bool(work),
        "work_path": _way(work[0]) if work else [],
        "waits_on": _waits(analysis, role),
        "distributes": places(step.site for step in _calling(analysis, role, "distribute")),
        "accumulates": places(step.site for step in _calling(analysis, role, "accumulate")),
        "updates": places(step.site for step in _calling(analysis, role, "update")),
        "only_parked": only_parked(analysis, role),
        "truncated": analysis.flow(role).truncated,
    }


def _way(step: Step) -> list[Data]:
    """How a role gets to batch processing: call sites, then the call of the work itself."""
    name = "" if step.event is None else step.event.name
    rows = [{"path": site.path, "line": site.line, "function": ""} for site in step.how]
    return [*rows, {"path": step.site.path, "line": step.site.line, "function": name}]


def _waits(analysis: Analysis, role: Role) -> list[str]:
    labels = [step.target.label for step in analysis.flow(role).events(*BLOCKS) if step.target is not None]
    return list(dict.fromkeys(labels))


def _calling(analysis: Analysis, role: Role, purpose: str) -> list[Step]:
    keys = analysis.purposes.of(purpose)
    return [
        step
        for step in analysis.flow(role).events(Act.CALL)
        if step.event is not None and any(function_key(callee) in keys for callee in step.event.callees)
    ]


def _shares_barrier_with_workers(analysis: Analysis, role: Role) -> bool:
    mine = {step.target for step in analysis.flow(role).events(Act.WAIT)}
    return any(
        step.target in mine
        for other in analysis.roles.threads
        if other is not role and other.many
        for step in analysis.flow(other).events(Act.WAIT)
    )


def only_parked(analysis: Analysis, role: Role) -> bool:
    """Does a thread do nothing but wait, sleep and look?"""
    if role.caller:
        return False
    steps = [step for step in analysis.flow(role).events() if not (step.act is Act.CALL and _entered(step))]
    return bool(steps) and all(step.act in PARKING for step in steps)


def _entered(step: Step) -> bool:
    return step.event is not None and bool(step.event.callees)


def thread_fields(analysis: Analysis) -> list[Data]:
    """The inventory's field `threads`: every creation and what becomes of it."""
    rows = []
    for role in analysis.roles.threads:
        handles = {one.event.partner for one in role.created}
        ends = [
            (step.act, step.site)
            for other in analysis.roles.all
            for step in analysis.flow(other).events(Act.JOIN, Act.DETACH)
            if step.target in handles
        ]
        rows.append(
            {
                "name": role.name,
                "declared": {"path": role.entries[0].path, "line": role.entries[0].line},
                "created": [
                    _created(one.event.site, one.count.text if one.count else None, one.creator) for one in role.created
                ],
                "joined": places(site for act, site in ends if act is Act.JOIN),
                "detached": places(site for act, site in ends if act is Act.DETACH),
            }
        )
    return rows


def _created(site: Site, count: str | None, creator: str) -> Data:
    return {"path": site.path, "line": site.line, "count": count, "role": creator}


# -------------------------------------------------------------------------------------------------------------- graphs
def role_graph(analysis: Analysis) -> Data:
    """Roles, and who creates whom; what each waits on stands at its node."""
    nodes = [
        {"id": role.name, "label": _label(role), "kind": role_kind(analysis, role), "waits_on": _waits(analysis, role)}
        for role in analysis.roles.all
    ]
    edges = [
        {"a": one.creator, "b": role.name, "label": "creates"}
        for role in analysis.roles.threads
        for one in role.created
    ]
    for role in analysis.roles.all:
        if analysis.working_steps(role):
            nodes.append({"id": f"work of {role.name}", "label": "batch processing", "kind": "work", "waits_on": []})
            edges.append({"a": role.name, "b": f"work of {role.name}", "label": "reaches"})
    return {"nodes": nodes, "edges": _once(edges)}


def _label(role: Role) -> str:
    count = f"{role.count.text} × " if role.count is not None and role.many else "several × " if role.many else ""
    return f"{count}{role.name}"


def order_graph(analysis: Analysis) -> Data:
    """Which object orders which role before which: barriers among all parties, signals and posts from giver to taker,
    locks between those that take them, joins from the joined to the joiner."""
    nodes = [{"id": role.name, "label": _label(role), "kind": role_kind(analysis, role)} for role in analysis.roles.all]
    edges: list[Data] = []
    for one in analysis.inventory.objects.values():
        parties = one.roles(*(MEETING | GIVING | TAKING | {Act.LOCK, Act.LOCK_SHARED}))
        if len(parties) < 1 or not any(use.act in MEETING | TAKING | {Act.LOCK} for use in one.uses):
            continue
        nodes.append({"id": one.label, "label": one.label, "kind": str(one.kind)})
        for party in parties:
            acts = {use.act for use in one.uses if use.role == party}
            if acts & (GIVING | MEETING) or Act.UNLOCK in acts:
                edges.append({"a": party, "b": one.label, "label": _act_words(acts & (GIVING | MEETING)) or "unlocks"})
            if acts & (TAKING | MEETING) or Act.LOCK in acts or Act.LOCK_SHARED in acts:
                edges.append({"a": one.label, "b": party, "label": _act_words(acts & TAKING) or "orders"})
    for row in thread_fields(analysis):
        for creator in {one["role"] for one in row["created"]}:
            if row["joined"]:
                edges.append({"a": row["name"], "b": creator, "label": "joined by"})
    return {"nodes": nodes, "edges": _once(edges)}


def _act_words(acts: frozenset[Act] | set[Act]) -> str:
    return ", ".join(sorted(str(act) for act in acts))


def _once(edges: list[Data]) -> list[Data]:
    seen: dict[tuple[str, str, str], Data] = {}
    for edge in edges:
        seen.setdefault((edge["a"], edge["b"], edge["label"]), edge)
    return list(seen.values())
