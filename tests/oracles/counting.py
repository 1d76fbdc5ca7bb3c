"""The whole graph of a program, walked here and nowhere else: states, transitions, ends, interleavings, actions.

What is published about a program is counted on this graph. Rules of this file: breadth first over `Space.steps`, with
nothing of the checker's search, reductions or tables; the order of the steps may be shuffled, which must change no
count. The happens-before marks are off: published counts know no monitor.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cllm_sim.architecture import Loaded
from cllm_sim.checker.space import Space, State, Step
from cllm_sim.compose import compose
from cllm_sim.library import load
from cllm_sim.operations import Kind, Verb
from cllm_sim.tree import Tree

ARCHITECTURES = Path(__file__).with_name("architectures")

Settings = tuple[tuple[str, str], ...]


@cache
def program(name: str, settings: Settings = ()) -> Loaded:
    """A transcribed program."""
    return load(str(ARCHITECTURES / f"{name}.py"), dict(settings))


def space_of(name: str, workers: int = 1, settings: Settings = ()) -> Space:
    """The unreduced state space of a transcribed program, without happens-before marks."""
    architecture = program(name, settings)
    system = compose(architecture.architecture, Tree(workers, 1))
    return Space(replace(system, monitor=False), architecture.path)


class Edge(NamedTuple):
    """One transition: the step, and the number of the state it leads to."""

    step: Step
    target: int


@dataclass
class Graph:
    """All reachable states in the order they were met, their transitions, and the states in which nothing can move."""

    space: Space
    states: list[State]
    edges: list[list[Edge]] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    deadlocks: list[int] = field(default_factory=list)

    @property
    def transitions(self) -> int:
        """The number of transitions, every outcome of every step counted."""
        return sum(map(len, self.edges))


def explored(space: Space, chance: random.Random | None = None) -> Graph:
    """Breadth first over everything; `chance` shuffles the steps of every state."""
    graph = Graph(space, [space.start()])
    number = {graph.states[0]: 0}
    for current, state in enumerate(graph.states):
        pending = space.pending(state.nodes)
        steps = list(space.steps(state, pending))
        if chance is not None:
            chance.shuffle(steps)
        edges = []
        for step in steps:
            if step.after not in number:
                number[step.after] = len(graph.states)
                graph.states.append(step.after)
            edges.append(Edge(step, number[step.after]))
        graph.edges.append(edges)
        if not edges:
            (graph.ends if space.finished(pending) else graph.deadlocks).append(current)
    return graph


class Cyclic(Exception):
    """A program with a cycle has no number of interleavings."""


def interleavings(graph: Graph) -> tuple[int, int]:
    """How many maximal sequences of steps there are: those that end, and those that end in a deadlock."""
    known: dict[int, tuple[int, int]] = dict.fromkeys(graph.ends, (1, 0))
    known.update(dict.fromkeys(graph.deadlocks, (0, 1)))
    for number in backwards(graph):
        if number not in known:
            pairs = [known[edge.target] for edge in graph.edges[number]]
            known[number] = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    return known[0]


def backwards(graph: Graph) -> list[int]:
    """All states, every one after those it leads to; raises Cyclic."""
    order: list[int] = []
    colour = [0] * len(graph.states)
    stack: list[tuple[int, Iterator[Edge]]] = [(0, iter(graph.edges[0]))]
    colour[0] = 1
    while stack:
        number, edges = stack[-1]
        target = next((edge.target for edge in edges if colour[edge.target] < 2), None)
        if target is None:
            colour[number] = 2
            order.append(number)
            stack.pop()
        elif colour[target] == 1:
            raise Cyclic(f"state {target} can be reached again")
        else:
            colour[target] = 1
            stack.append((target, iter(graph.edges[target])))
    return order


# --- actions of several steps ---------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Actions:
    """States between actions, and the actions that lead from one to another."""

    states: list[State]
    count: int


def actions(space: Space) -> Actions:
    """Read a program as one of atomic actions: what an actor does from taking a lock to giving it back is one action.

    An action counts if the actor has chosen something; one that found nothing enabled is none. Where all actors stand
    at the head of their loop the lock is free, so these are the states of a specification by atomic actions.
    """
    seen = {space.start()}
    states = list(seen)
    count = 0
    for state in states:
        for after in _whole(space, state):
            count += 1
            if after not in seen:
                seen.add(after)
                states.append(after)
    return Actions(states, count)


def _whole(space: Space, state: State) -> Iterator[State]:
    """The states after one action, once per action."""
    pending = space.pending(state.nodes)
    begun = [(step.after, step.actor, False) for step in space.steps(state, pending)]
    while begun:
        middle, actor, chosen = begun.pop()
        pending = space.pending(middle.nodes)
        bound = pending[actor]
        assert bound is not None, "an action never ends its actor"
        for step in space.steps(middle, pending):
            if step.actor != actor:
                continue
            if bound.verb is Verb.RELEASE:
                yield from (step.after,) if chosen else ()
            else:
                begun.append((step.after, actor, chosen or bound.verb is Verb.CHOOSE))


def orbits(space: Space, states: Iterable[State]) -> int:
    """How many orbits these states make when the root's children change places.

    A child is what it is at, what stands in its seat and what it holds; which child is which is forgotten by sorting.
    Nothing here is taken from the checker's canonical form. For trees of depth 1 in which a child holds its own mutexes
    and those of the team.
    """
    system = space.system
    children = set(system.actors[0].children)
    seats = {number for actor in children for number in system.seat_block[actor]}
    mutexes = {number for number, thing in enumerate(system.objects) if thing.kind is Kind.MUTEX}

    def value(state: State, number: int) -> int:
        held = number in mutexes and state.memory.value[number] - 1 in children
        return -1 if held else state.memory.value[number]

    def child(state: State, actor: int) -> tuple[object, ...]:
        nodes, memory = state
        block = system.seat_block[actor]
        held = [number for number in mutexes if memory.value[number] == actor + 1]
        holds = tuple((number in block, number - block.start if number in block else number) for number in held)
        return nodes[actor], memory.phase[actor], tuple(value(state, number) for number in block), tuple(sorted(holds))

    def key(state: State) -> tuple[object, ...]:
        nodes, memory = state
        rest = tuple(value(state, number) for number in range(len(system.objects)) if number not in seats)
        others = tuple((nodes[actor], memory.phase[actor]) for actor in range(len(nodes)) if actor not in children)
        return others, rest, tuple(sorted(child(state, actor) for actor in children))

    return len({key(state) for state in states})
