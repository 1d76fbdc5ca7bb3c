"""The counterexample of a case: what happened step by step, with the user's lines, and what the interface allows.

A walk knows states up to the names of children and tags. Here its path is walked again with one fixed set of children,
so that the same child keeps its name from step to step.

Rules of this file: it reads a finished walk; the result is data.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from cllm_sim.induction.actions import STEP_ENDS, Action, Answer, Move, Offer
from cllm_sim.induction.explore import Edge, Pair, Walk, told
from cllm_sim.induction.findings import Violation
from cllm_sim.induction.world import NEW, NOTHING, OLD
from cllm_sim.operations import CHOICE_NAMES, Place, Verb

STEP_NAMES = {OLD: "of one step", NEW: "of another step"}


def counterexample(walk: Walk, end_of_step: Place) -> dict[str, Any] | None:
    """The steps to a violation, as data; None where a walk found nothing wrong."""
    violation = walk.violation
    if violation is None:
        return None
    path = _path(walk, walk.at)
    rounds = _round(walk, walk.at) if violation.kind in ("divergence", "livelock") else []
    if violation.kind == "livelock" and not rounds:
        path = path[:1]
    steps, last = _steps(walk, [*path, *rounds], len(path), end_of_step)
    if not rounds:
        steps.extend(_last_step(walk, last, violation, end_of_step))
    return {
        "class": violation.kind,
        "text": violation.text,
        "path": violation.place.path,
        "line": violation.place.line,
        "allowed": violation.allowed,
        "schedule": "",
        "steps": steps,
        "stuck": list(violation.stuck),
        "no_way_back": None,
    }


def _path(walk: Walk, number: int) -> list[Pair]:
    found = []
    while number >= 0:
        found.append(walk.pairs[number])
        number = walk.parent[number]
    return found[::-1]


def _round(walk: Walk, number: int) -> list[Pair]:
    """The pairs of a shortest round of hidden moves through this one; empty if there is none."""
    following: dict[int, list[int]] = {}
    edges = zip(walk.source, walk.target, walk.hidden, walk.choices, strict=True)
    for source, target, hidden, choice in edges:
        if hidden and not choice:
            following.setdefault(source, []).append(target)
    before = dict.fromkeys(following.get(number, ()), number)
    waiting = deque(before)
    while waiting and number not in before:
        current = waiting.popleft()
        for target in following.get(current, ()):
            if target not in before:
                before[target] = current
                waiting.append(target)
    if number not in before:
        return []
    found = [number]
    while before[found[-1]] != number:
        found.append(before[found[-1]])
    return [walk.pairs[each] for each in reversed(found)]


def _steps(walk: Walk, path: list[Pair], straight: int, end_of_step: Place) -> tuple[list[dict[str, Any]], Pair]:
    """Walk along a path of representatives with real children; returns the steps and the last pair."""
    worlds = walk.moves.worlds
    here = Pair(worlds.start(), walk.above.start if walk.above is not None else -1)
    steps = []
    for position, following in enumerate(path[1:], 1):
        edge = next(edge for edge in _edges(walk, here) if walk.canonical(edge.after) == following)
        row = _row(walk, here, edge, end_of_step)
        steps.append({**row, "again": True} if position >= straight else row)
        here = edge.after
    return steps, here


def _edges(walk: Walk, pair: Pair) -> Iterator[Edge]:
    moves, offers = walk.moves.of(pair.world, everybody=True)
    return walk.edges(pair, moves, offers)


def _last_step(walk: Walk, pair: Pair, violation: Violation, end_of_step: Place) -> list[dict[str, Any]]:
    """The step that breaks the rule, where the violation is one of a step and not of a state."""
    if violation.kind in ("window", "refusal", "deadlock", "contention"):
        return []
    for edge in _edges(walk, pair):
        if any(fault.kind == violation.kind for fault in edge.move.faults):
            return [_row(walk, pair, edge, end_of_step)]
    if walk.above is None:
        return []
    moves, offers = walk.moves.of(pair.world, everybody=True)
    acts: list[Move | Offer] = [*offers, *moves]
    for act in acts:
        if act.action is not None and act.action != walk.above.offers[pair.state]:
            return [_told_row(walk, pair, act.actor, act.action)]
    return []


def _row(walk: Walk, pair: Pair, edge: Edge, end_of_step: Place) -> dict[str, Any]:
    move, system = edge.move, walk.level.system
    if move.actor >= walk.level.outside:
        row = _line("the parent", "ends the step", end_of_step)
    else:
        situation = walk.moves.worlds.situations(pair.world)[move.actor]
        bound = walk.level.pending(move.actor, situation)
        assert bound is not None
        described = system.describe(move.actor, bound.op)
        row = _line(system.actors[move.actor].name, described, walk.level.place(move.actor, situation))
    row["seen"] = told(move.action) if move.action is not None else ""
    row["changes"] = [*_answer(edge.answer), *([f"→ {move.choice}"] if _chosen(edge) else [])]
    row["faults"] = [{"class": fault.kind, "text": fault.text} for fault in move.faults]
    return row


def _chosen(edge: Edge) -> bool:
    return bool(edge.move.choice) and edge.answer != STEP_ENDS


def _told_row(walk: Walk, pair: Pair, actor: int, action: Action) -> dict[str, Any]:
    situation = walk.moves.worlds.situations(pair.world)[actor]
    bound = walk.level.pending(actor, situation)
    assert bound is not None
    described = walk.level.system.describe(actor, bound.op)
    row = _line(walk.level.system.actors[actor].name, described, walk.level.place(actor, situation))
    carried = [f"carries the order {STEP_NAMES[action.tag]}"] if action.tag in STEP_NAMES else []
    return {**row, "seen": told(action), "changes": carried, "faults": []}


def _line(actor: str, described: str, place: Place) -> dict[str, Any]:
    return {"actor": actor, "op": described, "path": place.path, "line": place.line}


def _answer(answer: Answer | None) -> list[str]:
    """What the outside answered, in words."""
    if answer is None or answer.what != "answer" or (answer.tag == NOTHING and not answer.reply):
        return []
    name = CHOICE_NAMES.get(answer.reply)
    said = f"→ {answer.reply}" + (f" ({name})" if name else "")
    return [f"{said}, {STEP_NAMES[answer.tag]}" if answer.tag in STEP_NAMES else said]


def end_of_step(walk: Walk) -> Place:
    """The root's line that ends a step."""
    automaton = walk.level.automaton(0)
    for op, place in zip(automaton.op, automaton.place, strict=True):
        if op is not None and op.verb is Verb.UPDATE:
            return place
    return Place(automaton.path, 1)
