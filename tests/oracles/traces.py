"""Mazurkiewicz traces of a program without cycles: executions that differ only in the order of independent steps.

Two steps are dependent if one actor performs both, or if they touch one object and the order can matter (`conflict`).
The last arrival at a barrier completes what others began; as in tools that split a request from its wait, every member
then *leaves* by a step of its own, so that an execution is a plain sequence of single actors' steps.

`traces` explores with sleep sets (Godefroid 1996: exactly one execution of every trace is followed to its end) and
remembers what it has counted for a state and its sleep set. `traces_by_force` writes out all executions and compares
their Foata normal forms; it is the judge of the former. Rules of this file: nothing of the checker's reductions; every
pair of independent steps that are both possible is carried out in both orders and must commute.
"""

from collections.abc import Hashable, Iterator
from itertools import combinations
from typing import Generic, NamedTuple, Protocol, TypeVar

from cllm_sim.checker.space import Space, State, Step
from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Verb
from cllm_sim.semantics import under_cursor

from tests.oracles.counting import Graph

READ, WRITE, ARRIVE, LEAVE, UP = "read", "write", "arrive", "leave", "up"
REQUEST, GRANT, GIVE = "request", "grant", "give"
"""The last three belong to `queues.py`: a place in a queue, what its turn grants, and giving back."""

COMMUTING = {
    (READ, READ), (ARRIVE, ARRIVE), (LEAVE, LEAVE), (UP, UP),
    (REQUEST, GRANT), (GRANT, REQUEST), (REQUEST, GIVE), (GIVE, REQUEST), (GRANT, GRANT), (GIVE, GIVE),
}  # fmt: skip
"""What may be done to one object in either order. ARRIVE is used where a barrier's members are as many as its parties:
then two arrivals belong to one generation whichever is first. Nobody is told whether it came last."""

Touch = tuple[int, int, str]
"""(object, generation, mode). Only barriers have generations: who leaves the first meeting and who comes to the second
one do not concern each other. The end of actor a, which a join waits for, is the object -1 - a."""


Where = TypeVar("Where", bound=Hashable)


class Event(NamedTuple):
    """A step as a letter: who, what it touches, and the choice of somebody else."""

    actor: int
    touches: frozenset[Touch]
    choice: str


class Moment(NamedTuple):
    """A state, the (actor, barrier, generation) that have still to leave, and the meetings of every barrier so far."""

    state: State
    leaving: tuple[tuple[int, int, int], ...]
    meetings: tuple[tuple[int, int], ...]


class Count(NamedTuple):
    """Traces that end with everybody finished, and traces that end in a deadlock."""

    complete: int
    deadlocked: int

    def plus(self, other: "Count") -> "Count":
        """The sum."""
        return Count(self.complete + other.complete, self.deadlocked + other.deadlocked)


def dependent(one: Event, two: Event) -> bool:
    """Can the order of these two matter?"""
    return one.actor == two.actor or any(
        first[:2] == second[:2] and (first[2], second[2]) not in COMMUTING
        for first in one.touches
        for second in two.touches
    )


# --- what a step touches --------------------------------------------------------------------------------------------
def closed_barriers(graph: Graph) -> frozenset[int]:
    """Barriers that exactly as many actors ever come to as they have parties."""
    system = graph.space.system
    members: dict[int, set[int]] = {}
    for state in graph.states:
        for actor, bound in enumerate(graph.space.pending(state.nodes)):
            if bound is not None and bound.verb is Verb.WAIT:
                for item in (bound.on,) if not bound.at else (one.on for one in bound.at):
                    members.setdefault(item, set()).add(actor)
    return frozenset(item for item, actors in members.items() if len(actors) == system.objects[item].parties)


def modes(system: System, step: Step, bound: Bound) -> Iterator[tuple[int, str]]:
    """The objects that a step touches, and how; barriers are left to `Moves`."""
    verb, actor = bound.verb, step.actor
    if verb is Verb.SLEEP:  # it gives the mutex back and lies down, or is woken and takes the mutex
        yield bound.on, WRITE
        yield system.objects[bound.on].mutex, WRITE
    elif verb is Verb.UP:
        yield bound.on, UP
    elif verb in (Verb.LOAD, Verb.AWAIT, Verb.READ):
        yield bound.on, READ
    elif verb is Verb.EXCHANGE:
        failed = dict(step.outcome.done)[actor] != bound.op.expected
        yield bound.on, READ if failed else WRITE
    elif verb is Verb.JOIN:
        yield -1 - bound.on, READ
    elif verb is Verb.NEXT:
        yield from ((system.cursor[child], WRITE) for child in system.actors[actor].children)
    elif verb is Verb.UPDATE:  # the end of a step empties every region
        yield from ((item, WRITE) for item, thing in enumerate(system.objects) if thing.kind is Kind.REGION)
    elif verb in (Verb.COMPUTE, Verb.FOLD):
        yield from ((item, READ if verb is Verb.COMPUTE else WRITE) for item in bound.reads)
        yield from ((item, WRITE) for item in (*bound.writes, *bound.scratch))
    elif verb not in (Verb.CHOOSE, Verb.WAIT):  # mutexes, conditions, `down`, `store`, `add`, `write`
        yield bound.on, WRITE


class Moves:
    """The steps of a program as events, and what follows each."""

    def __init__(self, graph: Graph) -> None:
        self.space: Space = graph.space
        self.system = graph.space.system
        self.closed = closed_barriers(graph)
        self.edges = dict(zip(graph.states, graph.edges, strict=True))
        self._known: dict[Moment, tuple[tuple[Event, Moment], ...]] = {}

    def start(self) -> Moment:
        """Before anybody has moved."""
        return Moment(self.space.start(), (), ())

    def finished(self, moment: Moment) -> bool:
        """Has everybody come to the end?"""
        return self.space.finished(self.space.pending(moment.state.nodes))

    def after(self, moment: Moment) -> tuple[tuple[Event, Moment], ...]:
        """All events that are possible, each with what follows."""
        if moment not in self._known:
            self._known[moment] = (*self._leavings(moment), *self._steps(moment))
        return self._known[moment]

    def _leavings(self, moment: Moment) -> Iterator[tuple[Event, Moment]]:
        pending = self.space.pending(moment.state.nodes)
        for entry in moment.leaving:
            actor, barrier, generation = entry
            touched = {(barrier, generation, LEAVE), *self._end(actor, pending)}
            rest = tuple(one for one in moment.leaving if one != entry)
            yield Event(actor, frozenset(touched), ""), moment._replace(leaving=rest)

    def _steps(self, moment: Moment) -> Iterator[tuple[Event, Moment]]:
        inside = {actor for actor, _, _ in moment.leaving}
        for step, _ in self.edges[moment.state]:
            bound = self._bound(moment.state, step.actor)
            not_yet = bound.verb is Verb.JOIN and bound.on in inside  # nobody has ended before it has left
            if step.actor in inside or not_yet:
                continue
            if bound.verb is Verb.WAIT:
                yield self._arrival(moment, step, bound.on)
            else:
                touched = {(item, 0, mode) for item, mode in modes(self.system, step, bound)}
                touched |= set(self._end(step.actor, self.space.pending(step.after.nodes)))
                event = Event(step.actor, frozenset(touched), step.outcome.choice)
                yield event, moment._replace(state=step.after)

    def _arrival(self, moment: Moment, step: Step, barrier: int) -> tuple[Event, Moment]:
        meetings = dict(moment.meetings)
        generation = meetings.get(barrier, 0) if barrier in self.closed else 0
        event = Event(step.actor, frozenset({(barrier, generation, ARRIVE if barrier in self.closed else WRITE)}), "")
        released = [(actor, barrier, generation) for actor, _ in step.outcome.done]
        if released:
            meetings[barrier] = generation + 1
        leaving = tuple(sorted((*moment.leaving, *released)))
        return event, Moment(step.after, leaving, tuple(sorted(meetings.items())))

    def _bound(self, state: State, actor: int) -> Bound:
        bound = self.space.pending(state.nodes)[actor]
        assert bound is not None
        if bound.at:
            bound = under_cursor(self.system, state.memory, actor, bound)
            assert bound is not None
        return bound

    def _end(self, actor: int, pending: list[Bound | None]) -> Iterator[Touch]:
        if pending[actor] is None:
            yield -1 - actor, 0, WRITE


# --- counting -------------------------------------------------------------------------------------------------------
class Program(Protocol[Where]):
    """What can be counted: where it starts, what may happen, whether it has ended."""

    def start(self) -> Where: ...
    def after(self, moment: Where) -> tuple[tuple[Event, Where], ...]: ...
    def finished(self, moment: Where) -> bool: ...


class _Counter(Generic[Where]):
    """One count: sleep sets, remembered per moment and sleep set."""

    def __init__(self, moves: Program[Where]) -> None:
        self.moves = moves
        self.known: dict[tuple[Where, frozenset[Event]], Count] = {}
        self.checked: set[Where] = set()

    def count(self, moment: Where, asleep: frozenset[Event]) -> Count:
        key = moment, asleep
        if key not in self.known:
            self.known[key] = self._count(moment, asleep)
        return self.known[key]

    def _count(self, moment: Where, asleep: frozenset[Event]) -> Count:
        possible = self.moves.after(moment)
        if not possible:
            return Count(1, 0) if self.moves.finished(moment) else Count(0, 1)
        self._commute(moment)
        total, done = Count(0, 0), asleep
        for event, after in possible:
            if event not in asleep:
                total = total.plus(self.count(after, frozenset(one for one in done if not dependent(one, event))))
                done |= {event}
        return total

    def _commute(self, moment: Where) -> None:
        """Independent steps that are both possible lead to one place in either order: the relation is valid here."""
        if moment in self.checked:
            return
        self.checked.add(moment)
        for (one, after_one), (two, after_two) in combinations(self.moves.after(moment), 2):
            if not dependent(one, two):
                ahead, behind = dict(self.moves.after(after_one)), dict(self.moves.after(after_two))
                assert two in ahead, f"{one} keeps {two} from happening"
                assert ahead[two] == behind.get(one), f"{one} and {two} do not commute"


def traces(graph: Graph) -> Count:
    """How many traces a program without cycles has."""
    return traces_of(Moves(graph))


def traces_of(moves: Program[Where]) -> Count:
    """The same for whatever has moves."""
    return _Counter(moves).count(moves.start(), frozenset())


def executions(moves: Program[Where]) -> Iterator[tuple[bool, tuple[Event, ...]]]:
    """All executions, one after the other: does it end, and its events. For small programs."""
    begun: list[tuple[Where, tuple[Event, ...]]] = [(moves.start(), ())]
    while begun:
        moment, word = begun.pop()
        possible = moves.after(moment)
        if not possible:
            yield moves.finished(moment), word
        begun.extend((after, (*word, event)) for event, after in possible)


def foata(word: tuple[Event, ...]) -> tuple[frozenset[tuple[Event, int]], ...]:
    """The Foata normal form: every event as early as those it depends on allow (Cartier and Foata 1969)."""
    level: list[int] = []
    seen: dict[Event, int] = {}
    steps: dict[int, set[tuple[Event, int]]] = {}
    for position, event in enumerate(word):
        before = [level[other] for other in range(position) if dependent(word[other], event)]
        level.append(max(before, default=-1) + 1)
        seen[event] = seen.get(event, 0) + 1
        steps.setdefault(level[-1], set()).add((event, seen[event]))
    return tuple(frozenset(steps[number]) for number in sorted(steps))


def traces_by_force(graph: Graph) -> Count:
    """The same number by writing out every execution."""
    ended: dict[bool, set[tuple[frozenset[tuple[Event, int]], ...]]] = {True: set(), False: set()}
    for finished, word in executions(Moves(graph)):
        ended[finished].add(foata(word))
    return Count(len(ended[True]), len(ended[False]))
