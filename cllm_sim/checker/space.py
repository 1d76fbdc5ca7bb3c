"""The state space of a system: states, and the steps between them.

A state is where every actor's text stands (a node of its automaton) and the shared memory. Rules of this file: the
meaning of a step is asked of `semantics.outcomes`; nothing here decides what an operation does. A state is hashable and
contains no identity that symmetry could not rename.
"""

from collections.abc import Iterator
from typing import NamedTuple, Self

from cllm_sim.checker.unfold import Automaton, Lines
from cllm_sim.compose import Bound, System
from cllm_sim.errors import BadArchitecture
from cllm_sim.operations import Op, Place
from cllm_sim.semantics import Memory, Outcome, initial, outcomes


class State(NamedTuple):
    """Where every text stands, and the shared memory."""

    nodes: tuple[int, ...]
    memory: Memory


class Step(NamedTuple):
    """One move: who, the outcome, and the state after it."""

    actor: int
    outcome: Outcome
    after: State


class Space:
    """States and steps of one system, texts unfolded on demand."""

    def __init__(self, system: System, path: str) -> None:
        self.system = system
        self.path = path
        self.lines: Lines = set()
        self.automata = [Automaton(text, self.lines, path) for text in system.texts]
        self._automaton = [self.automata[actor.kind] for actor in system.actors]
        self._pending: list[dict[int, Bound | None]] = [{} for _ in system.actors]

    def with_system(self, system: System) -> Self:
        """The same texts under another setting of the system's switches; automata are shared."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.system = system
        return other

    def start(self) -> State:
        """The state before anybody has moved."""
        return State((0,) * len(self.system.actors), initial(self.system))

    def pending(self, nodes: tuple[int, ...]) -> list[Bound | None]:
        """The operation that every actor performs next; None for those that have finished."""
        tables = self._pending
        try:
            return [tables[actor][node] for actor, node in enumerate(nodes)]
        except KeyError:
            return [self._bind(actor, node) for actor, node in enumerate(nodes)]

    def _bind(self, actor: int, node: int) -> Bound | None:
        table = self._pending[actor]
        if node not in table:
            op = self._automaton[actor].op[node]
            table[node] = None if op is None else self._resolved(actor, op, node)
        return table[node]

    def _resolved(self, actor: int, op: Op, node: int) -> Bound:
        try:
            return self.system.bound(actor, op)
        except BadArchitecture as error:
            raise BadArchitecture(f"{self.place(actor, node)}: {error}") from None

    def bound_at(self, actor: int, node: int) -> Bound | None:
        """The operation that an actor performs next at a node; None if it has finished there."""
        return self._bind(actor, node)

    def step(self, actor: int, node: int, reply: int) -> int:
        """The node that an actor comes to when its operation at `node` is answered with `reply`."""
        return self._automaton[actor].step(node, reply)

    def place(self, actor: int, node: int) -> Place:
        """The user's line at which an actor stands."""
        return self._automaton[actor].place[node]

    def steps(self, state: State, pending: list[Bound | None]) -> Iterator[Step]:
        """All moves that are possible in a state."""
        nodes, memory = state
        for actor in range(len(nodes)):
            for outcome in outcomes(self.system, pending, memory, actor):
                yield Step(actor, outcome, self.after(nodes, outcome))

    def after(self, nodes: tuple[int, ...], outcome: Outcome) -> State:
        """The state that an outcome leads to."""
        if not outcome.done:
            return State(nodes, outcome.memory)
        moved = list(nodes)
        for actor, reply in outcome.done:
            moved[actor] = self._automaton[actor].step(nodes[actor], reply)
        return State(tuple(moved), outcome.memory)

    def finished(self, pending: list[Bound | None]) -> bool:
        """Has every actor come to the end of its text?"""
        return all(bound is None for bound in pending)
