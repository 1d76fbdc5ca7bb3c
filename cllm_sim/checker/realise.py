"""From a path of canonical states back to a real schedule in the original names.

Under symmetry a path is a sequence of orbits, and a cursor may have visited the children in any order. The schedule
shown to a person must be one that can really happen, in the order in which the simulator and the runtime visit
children. So the path is walked with real states: at each step any real move is taken whose canonical form is the next
state of the path, going back where that leads nowhere. If no such walk exists the counterexample is not confirmed.

Rules of this file: steps come from `Space.steps`; the limit of tries is an answer of its own (None).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from cllm_sim.checker.search import Defect, Found
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.walk import Move
from cllm_sim.semantics import both_next, waiters

TRIES_MAX = 200_000

Goal = Callable[[Space, State], list[Move] | None]
"""Is this the real state that was looked for? The last moves to show if so, None if not."""


def ordered(found: Found) -> Space:
    """The searched system with cursors in index order: what really happens."""
    return found.space.with_system(replace(found.space.system, any_order=frozenset()))


def realise(found: Found, state: int, goal: Goal) -> list[Move] | None:
    """A real schedule to a state of the search that satisfies `goal`; None: there is none, or the limit was reached."""
    space, canonical, path = ordered(found), found.canonical, found.path(state)
    length = len(path) - 1
    trail: list[tuple[Move, State]] = []
    choices = [_moves(space, space.start(), canonical, path[1])] if length else []
    for _ in range(TRIES_MAX):
        if len(trail) == length:
            last = goal(space, trail[-1][1] if trail else space.start())
            if last is not None:
                return [move for move, _ in trail] + last
            if not trail:
                return None
            trail.pop()
        following = next(choices[-1], None)
        if following is not None:
            trail.append(following)
            if len(trail) < length:
                choices.append(_moves(space, following[1], canonical, path[len(trail) + 1]))
            continue
        choices.pop()
        if not choices:
            return None
        trail.pop()
    return None


def _moves(
    space: Space, here: State, canonical: Callable[[State], State], target: State
) -> Iterator[tuple[Move, State]]:
    for step in space.steps(here, space.pending(here.nodes)):
        if canonical(step.after) == target:
            yield Move(step.actor, step.outcome.choice), step.after


def goal_of(defect: Defect) -> Goal:
    """What a real state must show to confirm a defect."""
    if not defect.movers:
        return lambda space, state: []
    if len(defect.movers) == 2:
        return lambda space, state: _racing(space, state, defect)
    return lambda space, state: _faulting(space, state, defect)


def _field(space: Space, item: int) -> str:
    return space.system.objects[item].field if item >= 0 else ""


def _racing(space: Space, state: State, defect: Defect) -> list[Move] | None:
    pending = space.pending(state.nodes)
    for first, second, location in both_next(space.system, pending, state.memory):
        if _field(space, location) == _field(space, defect.on):
            return [Move(first, ""), Move(second, "")]
    return None


def _faulting(space: Space, state: State, defect: Defect) -> list[Move] | None:
    for step in space.steps(state, space.pending(state.nodes)):
        for fault in step.outcome.faults:
            if fault.kind == defect.kind and _field(space, fault.on) == _field(space, defect.on):
                return [Move(step.actor, step.outcome.choice)]
    return None


def contended(field: str, count: int) -> Goal:
    """A state in which `count` actors wait for a mutex declared under this name."""

    def goal(space: Space, state: State) -> list[Move] | None:
        found = waiters(space.system, space.pending(state.nodes), state.memory)
        return [] if any(_field(space, item) == field and n >= count for item, n in found.items()) else None

    return goal
