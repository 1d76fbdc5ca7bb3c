"""The worst number of waiters per mutex, where the search could not visit every state.

From below: a directed run in which the owner of the mutex moves only when nobody else can, so that as many others as
possible come to stand before it; the schedule is the proof. From above: how many actors can reach an acquire of the
mutex at all, by unfolding every text with every reply that any text could cause. Where both meet, the number is exact.

Rules of this file: steps come from `Space.steps`; both directions have limits.
"""

from collections.abc import Iterator

from cllm_sim.checker.space import Space
from cllm_sim.checker.unfold import Automaton, UnboundedText
from cllm_sim.checker.walk import Move
from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Op, Verb
from cllm_sim.semantics import waiters

MOVES_MAX = 4_000
ROUNDS_MAX = 40


def pile_up(space: Space, mutex: int) -> tuple[int, list[Move]]:
    """A run that lets actors pile up before a mutex: the largest number seen, and the moves up to there."""
    state, best, best_length = space.start(), 0, 0
    moves: list[Move] = []
    for _ in range(MOVES_MAX):
        pending = space.pending(state.nodes)
        count = waiters(space.system, pending, state.memory).get(mutex, 0)
        if count > best:
            best, best_length = count, len(moves)
        owner = state.memory.value[mutex] - 1
        try:
            steps = list(space.steps(state, pending))
        except UnboundedText:
            break
        if not steps:
            break
        step = next((step for step in steps if step.actor != owner), steps[0])
        if step.actor == owner and best:
            break  # everybody else is stuck: nobody more can come while the owner waits
        moves.append(Move(step.actor, step.outcome.choice))
        state = step.after
    return best, moves[:best_length]


def at_most(system: System, path: str) -> dict[int, int]:
    """Upper bounds: per mutex, the number of actors that could ever acquire it, less the one who holds it.

    Empty where the possible replies are not bounded by the texts themselves (a counting word).
    """
    closure = _Closure(system, path)
    if not closure.run():
        return {}
    users: dict[int, set[int]] = {}
    for actor, bound in closure.operations():
        mutex = (
            bound.on
            if bound.verb is Verb.ACQUIRE
            else system.objects[bound.on].mutex
            if bound.verb is Verb.SLEEP
            else -1
        )
        if mutex >= 0:
            users.setdefault(mutex, set()).add(actor)
    return {mutex: len(actors) - 1 for mutex, actors in users.items()}


class _Closure:
    """All operations that any text could ever yield, replies over-approximated by the values that any text writes."""

    def __init__(self, system: System, path: str) -> None:
        self.system = system
        self.automata = [Automaton(text, set(), path) for text in system.texts]
        self.values = [{thing.initial} for thing in system.objects]

    def run(self) -> bool:
        """Unfold to a fixed point; False where replies are unbounded or the limit of rounds was reached."""
        for _ in range(ROUNDS_MAX):
            size = self._size()
            try:
                for _, bound in list(self.operations()):
                    if bound.verb in (Verb.ADD, Verb.EXCHANGE):
                        return False
                    if bound.verb in (Verb.STORE, Verb.WRITE):
                        self.values[bound.on].add(bound.op.value)
                self._extend()
            except UnboundedText:
                return False
            if self._size() == size:
                return True
        return False

    def operations(self) -> Iterator[tuple[int, Bound]]:
        """Every known operation of every actor, the variants under a cursor spelled out."""
        for number, actor in enumerate(self.system.actors):
            for op in self.automata[actor.kind].op:
                if op is not None:
                    bound = self.system.bound(number, op)
                    for variant in bound.at or (bound,):
                        yield number, variant

    def _size(self) -> int:
        edges = sum(len(edges) for automaton in self.automata for edges in automaton.edges)
        return edges + sum(len(values) for values in self.values)

    def _extend(self) -> None:
        for number, actor in enumerate(self.system.actors):
            automaton = self.automata[actor.kind]
            for node, op in enumerate(list(automaton.op)):
                if op is not None:
                    for reply in self._replies(number, op):
                        automaton.step(node, reply)

    def _replies(self, actor: int, op: Op) -> set[int]:
        if op.verb is Verb.CHOOSE:
            return set(op.options)
        if op.verb is Verb.NEXT:
            return {0, 1}
        if op.verb in (Verb.READ, Verb.LOAD, Verb.AWAIT):
            bound = self.system.bound(actor, op)
            return set().union(*(self.values[variant.on] for variant in bound.at or (bound,)))
        return {0}


def mutexes(system: System) -> list[int]:
    """All mutexes of a system."""
    return [item for item, thing in enumerate(system.objects) if thing.kind is Kind.MUTEX]
