"""From what a search found to a verdict: every promise holds, is broken (with a confirmed counterexample) or undecided.

Rules of this file: a defect found under symmetry counts only once a real schedule shows it; one that cannot be
confirmed is looked for again without symmetry. What was assumed and what was not explored is said in the result.
"""

from dataclasses import dataclass
from typing import Any

from cllm_sim.architecture import Loaded
from cllm_sim.checker.contention import at_most, mutexes, pile_up
from cllm_sim.checker.explain import counterexample, places, race
from cllm_sim.checker.graph import Progress, progress
from cllm_sim.checker.realise import contended, goal_of, ordered, realise
from cllm_sim.checker.search import Defect, Found, orbit_name, place_of
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.trap import first_lost, lines_of_round
from cllm_sim.checker.walk import Move, format_schedule, parse_schedule, walk
from cllm_sim.errors import BadArchitecture
from cllm_sim.operations import Place, Verb
from cllm_sim.slots import share_defects
from cllm_sim.waiting import blocked_on

BROKEN_MAX = 24
"""Defects explained in full; the number of all of them is in the result."""


@dataclass
class Judged:
    """What a verdict is made of: explained defects, unconfirmed ones, contention, the number of all."""

    broken: list[dict[str, Any]]
    unconfirmed: list[Defect]
    contention: list[dict[str, Any]]
    total: int


def judge(loaded: Loaded, found: Found, crews: frozenset[int]) -> Judged:
    """Explain everything that a search found."""
    graph = progress(found, _all_deadlocks(found)) if found.complete else None
    defects = [*found.defects.values(), *(_progress_defects(found, graph) if graph else ())]
    broken, unconfirmed = [], []
    for defect in _explainable(found.space, defects):
        moves = realise(found, defect.state, goal_of(defect))
        if moves is None:
            unconfirmed.append(defect)
        else:
            broken.append(_explained(found, defect, moves, graph))
    coverage = _coverage(loaded)
    total = len(coverage) + len(defects)
    return Judged([*coverage, *broken], unconfirmed, _contention(loaded, found, crews), total)


def wrong(found: Found) -> bool:
    """Is anything wrong in what was searched?"""
    if found.defects or not found.complete:
        return bool(found.defects)
    graph = progress(found, _all_deadlocks(found))
    return bool(len(graph.trapped)) or graph.cycle is not None


def _explainable(space: Space, defects: list[Defect]) -> list[Defect]:
    """At most BROKEN_MAX defects in the order they were met; the first of a class on an object is always among them."""

    def subject(item: Defect) -> tuple[str, str]:
        return item.kind, space.system.objects[item.on].field if item.on >= 0 else ""

    ordered_defects = sorted(defects, key=lambda item: (item.state, item.line))
    first = {subject(item): item for item in reversed(ordered_defects)}
    others = [item for item in ordered_defects if first[subject(item)] is not item]
    chosen = [*first.values(), *others[: max(0, BROKEN_MAX - len(first))]]
    return sorted(chosen, key=lambda item: (item.state, item.line))


def _all_deadlocks(found: Found) -> list[int]:
    """States without a way out that are not the end."""
    leaving = set(found.source)
    ends = set(found.ends)
    return [number for number in range(len(found.states)) if number not in leaving and number not in ends]


def _progress_defects(found: Found, graph: Progress) -> list[Defect]:
    if len(graph.trapped):
        lost = first_lost(found, graph.trapped)
        if lost is not None:
            text = "somebody can never move again, while others go on"
            return [Defect("partial-deadlock", text, lost[0], lost=lost[1])]
        text = "the end can never be reached again, although somebody can always move"
        return [Defect("livelock", text, int(graph.trapped[0]))]
    if graph.cycle is not None:
        text = "a cycle that no choice of the environment interrupts: the step may never end"
        return [Defect("livelock", text, graph.cycle)]
    return []


def never_fulfilled(found: Found) -> list[dict[str, Any]]:
    """A row for every `sometimes` promise that no reachable state fulfils (asked of complete searches only)."""
    rows = []
    for promise in found.space.system.architecture.promises:
        if promise.kind == "sometimes" and found.complete and promise.name not in found.seen_promises:
            place = place_of(promise)
            note = {"path": place.path, "line": place.line, "note": "true in no reachable state"}
            text = f"'{promise.name}' is true in no reachable state"
            rows.append({"class": promise.name, "text": text, **_at(place), "places": [note], "counterexample": None})
    return rows


def _at(place: Place) -> dict[str, Any]:
    return {"path": place.path, "line": place.line}


def _explained(found: Found, defect: Defect, moves: list[Move], graph: Progress | None) -> dict[str, Any]:
    space = ordered(found)
    lost = _lost(found, space, defect, moves)
    example = counterexample(space, moves, _no_way_back(found, defect, graph), lost)
    if defect.kind == "race":
        example["race"] = race(space, moves, defect)
    where = [*_promise_notes(space, defect), *_round_notes(found, defect), *places(space, defect, example)]
    first = where[0] if where else {"path": found.space.path, "line": 1}
    return {
        "class": _class(space, defect, example),
        "text": _text(defect, example),
        "path": first["path"],
        "line": first["line"],
        "places": where,
        "counterexample": example,
    }


def _lost(found: Found, space: Space, defect: Defect, moves: list[Move]) -> list[int]:
    """Who can never move again, by their real names."""
    if not defect.lost:
        return []
    _, last = walk(space, moves)
    renaming = found.renaming(last)
    return [actor for actor, name in enumerate(renaming) if name in defect.lost]


def _round_notes(found: Found, defect: Defect) -> list[dict[str, Any]]:
    """The lines of a round that may be gone for ever."""
    if defect.kind != "livelock":
        return []
    return [{**_at(place), "note": "goes round here"} for place in lines_of_round(found, defect.state)]


def _promise_notes(space: Space, defect: Defect) -> list[dict[str, Any]]:
    """Where a broken promise of the architecture's own is written."""
    own = (promise for promise in space.system.architecture.promises if promise.name == defect.kind)
    return [{**_at(place_of(promise)), "note": f"'{promise.name}' is promised here"} for promise in own]


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
    code = getattr(loaded.architecture.share, "__code__", None)
    lines = [line for _, _, line in code.co_lines() if line is not None] if code else [1]
    place = Place(code.co_filename if code else loaded.path, max(lines))
    try:
        text = share_defects(loaded.architecture.share)
    except Exception as error:
        raise BadArchitecture(f"{place}: share(index, workers, total): {type(error).__name__}: {error}") from None
    if text is None:
        return []
    note = {**_at(place), "note": "share(index, workers, total)"}
    return [{"class": "coverage", "text": text, **_at(place), "places": [note], "counterexample": None}]


def _contention(loaded: Loaded, found: Found, crews: frozenset[int]) -> list[dict[str, Any]]:
    """Per mutex (one row for all that symmetry does not tell apart): the worst number of waiters, a schedule for it."""
    system = found.space.system
    rows: dict[str, dict[str, Any]] = {}
    every_state = found.complete and not found.reduced
    bounds = {} if every_state else at_most(system, loaded.path)
    for item in mutexes(system):
        name = orbit_name(system, item, crews)
        if name in rows:
            continue
        worst, moves = _realised(found, name, system.objects[item].field)
        if not every_state:
            count, longer = pile_up(ordered(found), item)
            if count > worst:
                worst, moves = count, longer
        exact = worst == (max(found.contention.get(name, {0: 0})) if every_state else bounds.get(item))
        schedule = format_schedule(system, moves)
        rows[name] = {"object": name, "worst": worst, "exact": exact, "schedule": schedule, "steps": len(moves)}
    return list(rows.values())


def _realised(found: Found, name: str, field: str) -> tuple[int, list[Move]]:
    """The largest number of waiters that a real schedule shows (a cursor in any order may have shown more)."""
    for count, state in sorted(found.contention.get(name, {}).items(), reverse=True):
        moves = realise(found, state, contended(field, count))
        if moves is not None:
            return count, moves
    return 0, []


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
