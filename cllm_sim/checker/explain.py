"""Counterexamples as data: the schedule, every step with the user's file and line, who is stuck on what, where
the way back ended, and for a race both accesses and the order that is missing.

Rules of this file: it describes real states in original names; it judges nothing. Renderers read what it returns.
"""

from collections.abc import Collection, Sequence
from typing import Any

from cllm_sim.checker.search import Defect
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.walk import Move, Walked, format_schedule, walk
from cllm_sim.compose import Bound
from cllm_sim.operations import Verb
from cllm_sim.semantics import accesses, conflicting
from cllm_sim.waiting import blocked_on, waits_for

Note = dict[str, Any]


def counterexample(
    space: Space, moves: Sequence[Move], no_way_back: int | None = None, lost: Collection[int] = ()
) -> dict[str, Any]:
    """The `counterexample` field of a check result for a real schedule; `lost` are those who can never move again."""
    walked, last = walk(space, moves)
    return {
        "schedule": format_schedule(space.system, moves),
        "steps": [step_row(step) for step in walked],
        "stuck": stuck(space, last, lost),
        "no_way_back": no_way_back,
        "finished": _finished(space, last),
        "waits": _edges(space, last),
    }


def step_row(step: Walked) -> dict[str, Any]:
    """One step as data."""
    return {
        "actor": step.actor,
        "op": step.op,
        "path": step.place.path,
        "line": step.place.line,
        "changes": list(step.changes),
        "faults": [{"class": fault.kind, "text": fault.text} for fault in step.faults],
    }


def stuck(space: Space, state: State, lost: Collection[int] = ()) -> list[dict[str, Any]]:
    """Who waits in this state, for what, and what would have to happen: all if nobody can move, else those `lost`."""
    pending = space.pending(state.nodes)
    rows = []
    somebody_moves = False
    for actor, bound in enumerate(pending):
        place = space.place(actor, state.nodes[actor])
        waiting = blocked_on(space.system, pending, state.memory, actor, place)
        if waiting is not None:
            row = {"actor": waiting.actor, "waits_for": waiting.on, "needs": waiting.needs}
            rows.append({**row, "path": place.path, "line": place.line})
        elif bound is not None:
            somebody_moves = True
    if somebody_moves:
        names = {space.system.actors[actor].name for actor in lost}
        return [row for row in rows if row["actor"] in names]
    return rows


def _finished(space: Space, state: State) -> list[dict[str, Any]]:
    """Who has come to the end of its text, and at which line it left."""
    rows = []
    for actor, bound in enumerate(space.pending(state.nodes)):
        if bound is None:
            place = space.place(actor, state.nodes[actor])
            rows.append({"actor": space.system.actors[actor].name, "path": place.path, "line": place.line})
    return rows


def _edges(space: Space, state: State) -> list[dict[str, str]]:
    """The wait-for graph: who waits for whom, on what."""
    pending = space.pending(state.nodes)
    names = [actor.name for actor in space.system.actors]
    edges: list[dict[str, str]] = []
    for actor in range(len(pending)):
        waiting = blocked_on(space.system, pending, state.memory, actor)
        if waiting is not None:
            others = waits_for(space.system, pending, state.memory, actor)
            edges.extend({"from": names[actor], "to": names[other], "on": waiting.on} for other in others)
    return edges


def race(space: Space, moves: Sequence[Move], defect: Defect) -> dict[str, Any]:
    """Both sides of a race: the two accesses with their lines, and the order that is missing."""
    walked, _ = walk(space, moves)
    second = walked[-1]
    location = defect.on
    first = next((step for step in reversed(walked[:-1]) if _conflict(space, step, second, location)), walked[-2])
    return {
        "object": space.system.objects[location].field,
        "accesses": [_access(first), _access(second)],
        "missing": f"nothing orders '{first.op}' by {first.actor} before '{second.op}' by {second.actor}",
    }


def _access(step: Walked) -> Note:
    return {"actor": step.actor, "op": step.op, "path": step.place.path, "line": step.place.line}


def _conflict(space: Space, first: Walked, second: Walked, location: int) -> bool:
    """Do two steps of different actors access the same object in conflict?"""
    if first.actor == second.actor:
        return False
    name = space.system.objects[location].field
    theirs = _touched(space, first.bound, name)
    return any(
        place == other and conflicting(mode, other_mode)
        for place, mode in _touched(space, second.bound, name)
        for other, other_mode in theirs
    )


def _touched(space: Space, bound: Bound, name: str) -> list[tuple[int, int]]:
    return [(item, mode) for item, mode in accesses(bound) if item >= 0 and space.system.objects[item].field == name]


def places(space: Space, defect: Defect, example: dict[str, Any]) -> list[dict[str, Any]]:
    """All lines that have to do with a defect, the most telling first: `{path, line, note}`."""
    notes: list[Note] = []
    for access in example.get("race", {}).get("accesses", ()):
        notes.append(_note(access, f"{access['actor']}: {access['op']}"))
    if defect.movers and not notes and example["steps"]:
        last = example["steps"][-1]
        notes.append(_note(last, f"{last['actor']}: {last['op']}"))
    if defect.kind in ("deadlock", "partial-deadlock"):
        notes.extend(_note(row, f"{row['actor']} waits for {row['waits_for']}") for row in example["stuck"])
        notes.extend(_note(row, f"{row['actor']} left here") for row in example["finished"])
    notes.extend(declarations(space))
    return list({(note["path"], note["line"], note["note"]): note for note in notes}.values())


def _note(row: dict[str, Any], text: str) -> Note:
    return {"path": row["path"], "line": row["line"], "note": text}


def declarations(space: Space) -> list[Note]:
    """Barriers whose count differs from the number of actors that were seen to wait on them."""
    system = space.system
    users: dict[int, set[int]] = {}
    for number, actor in enumerate(system.actors):
        for op in space.automata[actor.kind].op:
            if op is not None and op.verb is Verb.WAIT:
                bound = system.bound(number, op)
                for variant in bound.at or (bound,):
                    users.setdefault(variant.on, set()).add(number)
    notes = []
    for item, actors in users.items():
        thing = system.objects[item]
        if thing.parties != len(actors):
            text = f"{thing.name} is declared for {thing.parties} parties, but {len(actors)} actors wait on it"
            notes.append({"path": thing.place.path, "line": thing.place.line, "note": text})
    return notes
