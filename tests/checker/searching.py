"""A second, plain search with nothing of the checker's own but the steps of a `Space`, and renaming by names.

What the checker's quotient must agree with is counted here without it: every state of a full search, every permutation
of siblings, every orbit. Rules of this file: nothing is taken from `checker.symmetry`; objects are found by whose seat
or team they lie in and by their field, so a permutation that forgot something cannot agree by accident.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import permutations, product
from pathlib import Path

from cllm_sim.architecture import Loaded
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.walk import Move
from cllm_sim.compose import SharedObject, System, compose
from cllm_sim.library import load
from cllm_sim.operations import Kind
from cllm_sim.semantics import Memory, both_next
from cllm_sim.tree import Tree

EMPTY: Mapping[str, str] = {}
ARCHITECTURES = Path(__file__).with_name("architectures")


@cache
def loaded(name: str, **settings: str) -> Loaded:
    """A shipped architecture, or one of the small ones beside this file."""
    beside = ARCHITECTURES / f"{name}.py"
    return load(str(beside) if beside.is_file() else name, settings)


def space_of(
    name: str,
    workers: int,
    depth: int = 1,
    *,
    any_order: bool = False,
    monitor: bool = True,
    settings: Mapping[str, str] = EMPTY,
) -> Space:
    """The state space of an architecture; `any_order` lets every cursor visit the children in any order."""
    architecture = loaded(name, **settings)
    system = compose(architecture.architecture, Tree(workers, depth))
    every = frozenset(range(len(system.actors))) if any_order else frozenset()
    return Space(replace(system, monitor=monitor, any_order=every), architecture.path)


@dataclass
class Explored:
    """All states in the order they were met, the number of transitions, and what was found in them."""

    states: list[State]
    transitions: int = 0
    faults: set[str] = field(default_factory=set)
    deadlocks: list[State] = field(default_factory=list)
    ends: int = 0


def explored(space: Space) -> Explored:
    """Breadth first over everything."""
    seen = {space.start()}
    found = Explored(list(seen))
    for state in found.states:
        pending = space.pending(state.nodes)
        if both_next(space.system, pending, state.memory):
            found.faults.add("race")
        steps = list(space.steps(state, pending))
        for step in steps:
            found.transitions += 1
            found.faults |= {fault.kind for fault in step.outcome.faults}
            if step.after not in seen:
                seen.add(step.after)
                found.states.append(step.after)
        found.ends += space.finished(pending)
        if not steps and not space.finished(pending):
            found.faults.add("deadlock")
            found.deadlocks.append(state)
    return found


def wander(space: Space, seed: int, length: int) -> Iterator[tuple[State, Move]]:
    """A random walk: every state on it, and the move that led on from there. It starts anew where it ends."""
    chance = random.Random(seed)
    state = space.start()
    for _ in range(length):
        steps = list(space.steps(state, space.pending(state.nodes)))
        if not steps:
            state = space.start()
            continue
        step = chance.choice(steps)
        yield state, Move(step.actor, step.outcome.choice)
        state = step.after


# --- renaming -------------------------------------------------------------------------------------------------------
def renamings(system: System) -> list[tuple[int, ...]]:
    """All permutations of siblings with their subtrees: `renaming[actor]` is its new name."""
    crews = [actor.children for actor in system.actors if actor.children]
    found = []
    for orders in product(*(tuple(permutations(crew)) for crew in crews)):
        place_of = dict(zip(crews, orders, strict=True))
        renaming = list(range(len(system.actors)))
        pending = [(0, 0)]
        while pending:
            old, new = pending.pop()
            renaming[old] = new
            # the children's places are shuffled by the orders of their *new* control
            crew = system.actors[new].children
            pending.extend(zip(system.actors[old].children, place_of.get(crew, ()), strict=True))
        found.append(tuple(renaming))
    return found


class Renaming:
    """A permutation of actors, applied to whole states."""

    def __init__(self, system: System, renaming: tuple[int, ...]) -> None:
        self.system = system
        self.actor = renaming
        number = {self._name(thing, tuple(range(len(renaming)))): n for n, thing in enumerate(system.objects)}
        self.object = [number[self._name(thing, renaming)] for thing in system.objects]

    @staticmethod
    def _name(thing: SharedObject, renaming: tuple[int, ...]) -> tuple[object, ...]:
        owner = None if thing.owner is None else renaming[thing.owner]
        crew = None if thing.crew is None else renaming[thing.crew]
        return owner, crew, thing.field, thing.number

    def __call__(self, state: State) -> State:
        nodes, (phase, value, marks) = state
        return State(
            tuple(self._moved(nodes)),
            Memory(
                tuple(self._moved(phase)),
                self._values(value),
                tuple(
                    sorted((self.object[at], mode, self.actor[who], self._mask(mask)) for at, mode, who, mask in marks)
                ),
            ),
        )

    def _moved(self, values: tuple[int, ...]) -> list[int]:
        moved = list(values)
        for old, new in enumerate(self.actor):
            moved[new] = values[old]
        return moved

    def _values(self, values: tuple[int, ...]) -> tuple[int, ...]:
        moved = list(values)
        for old, new in enumerate(self.object):
            held = self.system.objects[old].kind is Kind.MUTEX and values[old] > 0
            moved[new] = self.actor[values[old] - 1] + 1 if held else values[old]
        return tuple(moved)

    def _mask(self, mask: int) -> int:
        moved = 0
        for bit in range(mask.bit_length()):
            if mask >> bit & 1:
                actors = len(self.actor)
                moved |= 1 << (self.actor[bit] if bit < actors else actors + self.object[bit - actors])
        return moved


def orbits(space: Space, states: list[State]) -> int:
    """How many orbits these states make; fails if a renamed state is not among them."""
    every = [Renaming(space.system, renaming) for renaming in renamings(space.system)]
    left = set(states)
    count = 0
    for state in states:
        if state in left:
            orbit = {renaming(state) for renaming in every}
            assert orbit <= left, "the states are not closed under renaming"
            left -= orbit
            count += 1
    return count
