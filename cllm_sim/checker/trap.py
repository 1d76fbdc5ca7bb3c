"""Traps: parts of the graph from which the end cannot be reached although somebody can always move.

Either some actor is lost there (it waits for what nobody left can do, while others go on): a partial deadlock. Or
everybody keeps moving and nothing comes of it: a livelock. Under symmetry an actor changes its name from state to
state; it is followed through every renaming, so the answer is exact there too.

Rules of this file: steps come from `Space.steps`; pairs of state and actor in, pairs out; words are `explain.py`'s.
"""

from bisect import bisect_left, bisect_right

from cllm_sim.checker.graph import Integers
from cllm_sim.checker.search import Found
from cllm_sim.operations import Place

Pair = tuple[int, int]
"""A state and an actor, by the name it has in that state."""


def first_lost(found: Found, trapped: Integers) -> tuple[int, frozenset[int]] | None:
    """The first trapped state in which somebody can never move again, and who; None if everybody always can."""
    movable, before = _followed(found, trapped)
    pending = list(movable)
    while pending:
        for pair in before.get(pending.pop(), ()):
            if pair not in movable:
                movable.add(pair)
                pending.append(pair)
    for number in trapped.tolist():
        waiting = found.space.pending(found.states[number].nodes)
        lost = {actor for actor, bound in enumerate(waiting) if bound is not None and (number, actor) not in movable}
        if lost:
            return number, frozenset(lost)
    return None


def _followed(found: Found, trapped: Integers) -> tuple[set[Pair], dict[Pair, list[Pair]]]:
    """The pairs in which the actor can move, and for every pair those from which one step of others leads to it."""
    number_of = {found.states[number]: number for number in trapped.tolist()}
    movable: set[Pair] = set()
    before: dict[Pair, list[Pair]] = {}
    for number in trapped.tolist():
        state = found.states[number]
        pending = found.space.pending(state.nodes)
        steps = list(found.space.steps(state, pending))
        able = {actor for step in steps for actor in (step.actor, *(done for done, _ in step.outcome.done))}
        movable |= {(number, actor) for actor in able}
        waiting = [actor for actor, bound in enumerate(pending) if bound is not None and actor not in able]
        for step in steps if waiting else ():
            renaming = found.renaming(step.after)
            target = number_of[found.symmetry.permute(step.after, renaming)]
            for actor in waiting:
                before.setdefault((target, renaming[actor]), []).append((number, actor))
    return movable, before


def lines_of_round(found: Found, start: int) -> list[Place]:
    """The lines at which actors stand that move on a round of states: one through `start`, else one it leads to."""
    going = _round_through(found, start) or _round_after(found, start)
    places = set()
    for number, target in zip(going, [*going[1:], *going[:1]], strict=True):
        state = found.states[number]
        for step in found.space.steps(state, found.space.pending(state.nodes)):
            if found.canonical(step.after) == found.states[target]:
                places.add(found.space.place(step.actor, state.nodes[step.actor]))
                break
    return sorted(places)


def _following(found: Found, number: int, chosen: bool) -> list[int]:
    """States one step after a state; without `chosen`, only those that need no choice of the environment."""
    edges = range(bisect_left(found.source, number), bisect_right(found.source, number))
    return [found.target[edge] for edge in edges if chosen or not found.chosen[edge]]


def _round_through(found: Found, start: int) -> list[int]:
    """The states of a shortest round through `start` without a choice of the environment; none: empty."""
    came_from: dict[int, int] = {}
    pending = [start]
    for number in pending:
        for target in _following(found, number, chosen=False):
            if target == start:
                path = [number]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if target not in came_from:
                came_from[target] = number
                pending.append(target)
    return []


def _round_after(found: Found, start: int) -> list[int]:
    """A round that a state without an end leads to: go on until a state comes back."""
    walked = [start]
    while True:
        number = _following(found, walked[-1], chosen=True)[0]
        if number in walked:
            return walked[walked.index(number) :]
        walked.append(number)
