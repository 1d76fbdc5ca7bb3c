"""Traps: parts of the graph from which the end cannot be reached although somebody can always move.

Either some actor is lost there (it waits for what nobody left can do, while others go on): a partial deadlock. Or
everybody keeps moving and nothing comes of it: a livelock. Under symmetry an actor changes its name from state to
state; it is followed through every renaming, so the answer is exact there too.

Rules of this file: steps come from `Space.steps`; pairs of state and actor in, pairs out; words are `explain.py`'s.
"""

from cllm_sim.checker.graph import Integers
from cllm_sim.checker.search import Found

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
            renaming = found.symmetry.renaming(step.after)
            target = number_of[found.symmetry.permute(step.after, renaming)]
            for actor in waiting:
                before.setdefault((target, renaming[actor]), []).append((number, actor))
    return movable, before
