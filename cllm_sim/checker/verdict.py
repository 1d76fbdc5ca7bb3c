"""From what a search found to a verdict: every promise holds, is broken (with a confirmed counterexample) or undecided.

Rules of this file: a defect found under symmetry counts only once a real schedule shows it; one that cannot be
confirmed is looked for again without symmetry. What was assumed and what was not explored is said in the result.
"""

from dataclasses import dataclass
from typing import Any

from cllm_sim.architecture import Loaded
from cllm_sim.checker.contention import at_most, mutexes, pile_up
from cllm_sim.checker.explain import counterexample, places, race
from cllm_sim.checker.graph import Progress, bottom, progress
from cllm_sim.checker.realise import contended, goal_of, ordered, realise
from cllm_sim.checker.search import Defect, Found, orbit_name
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.walk import Move, format_schedule, parse_schedule, walk
from cllm_sim.operations import Verb
from cllm_sim.slots import share_defects
from cllm_sim.waiting import blocked_on

BROKEN_MAX = 24
"""Defects explained in full; the number of all of them is in the result."""


@dataclass
class Judged:
    """What a verdict is made of: explained defects, unconfirmed ones, contention, the analysed graph."""

    broken: list[dict[str, Any]]
    unconfirmed: list[Defect]
    contention: list[dict[str, Any]]
    progress: Progress | None


def judge(loaded: Loaded, found: Found, crews: frozenset[int]) -> Judged:
    """Explain everything that a search found."""
    graph = progress(found, _all_deadlocks(found)) if found.complete else None
    defects = [*found.defects.values(), *(_progress_defects(found, graph) if graph else ())]
    broken, unconfirmed = [], []
    for defect in sorted(defects, key=lambda item: (item.state, item.line))[:BROKEN_MAX]:
        moves = realise(found, defect.state, goal_of(defect))
        if moves is None:
            unconfirmed.append(defect)
        else:
            broken.append(_explained(found, defect, moves, graph))
    coverage = _coverage(loaded)
    return Judged([*coverage, *broken], unconfirmed, _contention(loaded, found, crews), graph)


def _all_deadlocks(found: Found) -> list[int]:
    """States without a way out that are not the end."""
    leaving = set(found.source)
    ends = set(found.ends)
    return [number for number in range(len(found.states)) if number not in leaving and number not in ends]


def _progress_defects(found: Found, graph: Progress) -> list[Defect]:
    defects = []
    if graph.trapped is not None:
        kind, text = _trap(found, graph.trapped)
        defects.append(Defect(kind, text, graph.trapped))
    elif graph.cycle is not None:
        text = "a cycle that no choice of the environment interrupts: the step may never end"
        defects.append(Defect("livelock", text, graph.cycle))
    return defects


def _trap(found: Found, state: int) -> tuple[str, str]:
    """What kind of trap a region without an end is: some actor is stuck for ever, or all go round in circles."""
    inside = bottom(found, state)
    moving = set()
    blocked: set[int] = set()
    for number in inside:
        pending = found.space.pending(found.states[number].nodes)
        able = {step.actor for step in found.space.steps(found.states[number], pending)}
        moving |= able
        blocked |= {actor for actor, bound in enumerate(pending) if bound is not None} - able
    stuck = blocked - moving
    if stuck and not found.symmetry.crews:
        names = ", ".join(found.space.system.actors[actor].name for actor in sorted(stuck))
        return "partial-deadlock", f"{names} can never move again, while others go on"
    if any(_idle_kind(found, inside, kind) for kind in range(len(found.space.automata))):
        return "partial-deadlock", "somebody can never move again, while others go on"
    return "livelock", "the end can never be reached again, although somebody can always move"


def _idle_kind(found: Found, inside: set[int], kind: int) -> bool:
    """Is there an actor of this kind that stands at one blocked operation in all these states, whoever it is?"""
    actors = [number for number, actor in enumerate(found.space.system.actors) if actor.kind == kind]
    common: set[int] | None = None
    for number in inside:
        state = found.states[number]
        pending = found.space.pending(state.nodes)
        able = {step.actor for step in found.space.steps(state, pending)}
        here = {state.nodes[actor] for actor in actors if pending[actor] is not None and actor not in able}
        common = here if common is None else common & here
    return bool(common)


def _explained(found: Found, defect: Defect, moves: list[Move], graph: Progress | None) -> dict[str, Any]:
    space = ordered(found)
    example = counterexample(space, moves, _no_way_back(found, defect, graph))
    if defect.kind == "race":
        example["race"] = race(space, moves, defect)
    where = places(space, defect, example)
    first = where[0] if where else {"path": found.space.path, "line": 1}
    return {
        "class": _class(space, defect, example),
        "text": _text(defect, example),
        "path": first["path"],
        "line": first["line"],
        "places": where,
        "counterexample": example,
    }


def _class(space: Space, defect: Defect, example: dict[str, Any]) -> str:
    """A race on what `update` writes also breaks "update before use"."""
    if defect.kind != "race":
        return defect.kind
    written = set()
    for number, actor in enumerate(space.system.actors):
        for op in space.automata[actor.kind].op:
            if op is not None and op.verb is Verb.UPDATE:
                written |= {space.system.objects[item].field for item in space.system.bound(number, op).writes}
    return "race-on-weights" if example["race"]["object"] in written else "race"


def _text(defect: Defect, example: dict[str, Any]) -> str:
    steps = len(example["steps"])
    if defect.kind == "race":
        first, second = example["race"]["accesses"]
        return (
            f"'{first['op']}' by {first['actor']} and '{second['op']}' by {second['actor']} "
            f"have no order between them (after {steps} steps)"
        )
    faults = [
        fault["text"] for step in example["steps"][-1:] for fault in step["faults"] if fault["class"] == defect.kind
    ]
    return f"{faults[0] if faults else defect.text} (after {steps} steps)"


def _no_way_back(found: Found, defect: Defect, graph: Progress | None) -> int | None:
    """The number of the step after which the end could no longer be reached (1 = the first); None if it still could."""
    if graph is None or defect.kind not in ("deadlock", "partial-deadlock", "livelock"):
        return None
    numbers = []
    state = defect.state
    while state >= 0:
        numbers.append(state)
        state = found.parent[state]
    hopeless = [bool(graph.hopeless[number]) for number in reversed(numbers)]
    return hopeless.index(True) if any(hopeless) else None


def _coverage(loaded: Loaded) -> list[dict[str, Any]]:
    text = share_defects(loaded.architecture.share)
    if text is None:
        return []
    code = loaded.architecture.share.__code__
    lines = [line for _, _, line in code.co_lines() if line is not None]
    line = max(lines)
    return [
        {
            "class": "coverage",
            "text": text,
            "path": code.co_filename,
            "line": line,
            "places": [{"path": code.co_filename, "line": line, "note": "share(index, workers, total)"}],
            "counterexample": None,
        }
    ]


def _contention(loaded: Loaded, found: Found, crews: frozenset[int]) -> list[dict[str, Any]]:
    """Per mutex (one row for all that symmetry does not tell apart): the worst number of waiters, a schedule for it."""
    system = found.space.system
    rows: dict[str, dict[str, Any]] = {}
    bounds = {} if found.complete else at_most(system, loaded.path)
    for item in mutexes(system):
        name = orbit_name(system, item, crews)
        if name in rows:
            continue
        worst, state = found.contention.get(name, (0, 0))
        moves = realise(found, state, contended(system.objects[item].field, worst)) if worst else []
        if not found.complete:
            count, longer = pile_up(ordered(found), item)
            if count > worst or moves is None:
                worst, moves = count, longer
        exact = found.complete or bounds.get(item) == worst
        schedule = format_schedule(system, moves or [])
        rows[name] = {"object": name, "worst": worst, "exact": exact, "schedule": schedule, "steps": len(moves or [])}
    return list(rows.values())


def contention_broken(loaded: Loaded, found: Found, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The defects that a promise of no contention makes of the worst numbers of waiters."""
    space = ordered(found)
    broken = []
    for row in rows:
        if not row["worst"]:
            continue
        moves = parse_schedule(space.system, row["schedule"])
        example = counterexample(space, moves)
        walked, last = walk(space, moves)
        waiting = _waiting_rows(space, last, row["object"])
        first = waiting[0] if waiting else {"path": loaded.path, "line": 1}
        broken.append(
            {
                "class": "contention",
                "text": f"{row['worst']} actors wait for {row['object']} (after {len(walked)} steps)",
                "path": first["path"],
                "line": first["line"],
                "places": waiting,
                "counterexample": example,
            }
        )
    return broken


def _waiting_rows(space: Space, last: State, name: str) -> list[dict[str, Any]]:
    pending = space.pending(last.nodes)
    rows = []
    for actor in range(len(pending)):
        place = space.place(actor, last.nodes[actor])
        waiting = blocked_on(space.system, pending, last.memory, actor, place)
        if waiting is not None and waiting.on.rpartition("/")[2] == name.rpartition("/")[2]:
            rows.append({"path": place.path, "line": place.line, "note": f"{waiting.actor} waits for {waiting.needs}"})
    return rows
