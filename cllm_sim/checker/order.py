"""What happens before what in a schedule: the orders that the steps themselves established, and by what.

Nothing here says what an operation orders. Every step leaves a mark of its own, as a plain access would, and
`semantics.ordered` spreads these marks by the events of each step: a step comes before all later steps of those who are
in its mark by then. What is told is the shortest form of that order (nothing that follows from the rest of it), with
the object that carried it.

Rules of this file: steps are numbered from 1, as everywhere in reports; it judges nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from cllm_sim.checker.space import Space
from cllm_sim.checker.walk import Move
from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Verb
from cllm_sim.semantics import READ, WRITE, Mark, accesses, ordered, under_cursor

SYNCHRONISING = frozenset({Kind.BARRIER, Kind.MUTEX, Kind.CONDITION, Kind.SEMAPHORE, Kind.WORD})


class Order(NamedTuple):
    """Step `before` comes before step `after`, because of the object (or the actor's end) `on`."""

    before: int
    after: int
    on: str


def orders(space: Space, moves: Sequence[Move]) -> list[Order]:
    """The orders between steps of different actors, none of which follows from others or from an actor's own order."""
    steps = _Steps(space)
    for move in moves:
        steps.take(move)
    return [Order(before, after, steps.carrier(before, after)) for before, after in sorted(steps.direct())]


class _Steps:
    """A walk through a schedule in which every step can be recognised in the monitor's marks."""

    def __init__(self, space: Space) -> None:
        self.space = space.with_system(replace(space.system, monitor=False))
        self.state = self.space.start()
        self.marks: tuple[Mark, ...] = ()
        self.latest: dict[int, dict[int, int]] = {}
        self.actors: dict[int, int] = {}
        self.bounds: dict[int, Bound] = {}

    def take(self, move: Move) -> None:
        """Perform one move; its number is one more than that of the last."""
        number, actor = len(self.actors) + 1, move.actor
        pending = self.space.pending(self.state.nodes)
        bound = pending[actor]
        assert bound is not None
        at = under_cursor(self.space.system, self.state.memory, actor, bound) if bound.at else None
        self.bounds[number] = at or bound
        step = next(
            step
            for step in self.space.steps(self.state, pending)
            if step.actor == actor and (not move.choice or step.outcome.choice == move.choice)
        )
        self.state = step.after
        events = tuple(event for event in step.outcome.events if event.kind != "touch")
        self.marks, _ = ordered(self.space.system, (*self.marks, (number, WRITE, actor, 1 << actor)), events)
        left = {place: mask for place, _, _, mask in self.marks}
        self.latest[number] = {
            who: earlier
            for earlier, who in self.actors.items()
            if who == actor or earlier not in left or left[earlier] >> actor & 1  # one that is gone has reached all
        }
        self.actors[number] = actor

    def direct(self) -> Iterator[tuple[int, int]]:
        """Pairs of steps of different actors whose order follows from no other orders."""
        for number, latest in self.latest.items():
            through: dict[int, int] = {}
            for earlier in latest.values():
                for who, step in self.latest[earlier].items():
                    through[who] = max(through.get(who, 0), step)
            for who, earlier in latest.items():
                if who != self.actors[number] and through.get(who, 0) < earlier:
                    yield earlier, number

    def carrier(self, before: int, after: int) -> str:
        """What brought a step into an order with a later one: the object that one of the two names."""
        system = self.space.system
        if self.bounds[after].verb is Verb.JOIN:
            return f"end of {system.actors[self.actors[before]].name}"
        for number in (before, after):
            item = _carried_by(system, self.bounds[number])
            if item >= 0:
                return system.objects[item].name
        return ""


def _carried_by(system: System, bound: Bound) -> int:
    """The object by which an operation gives or takes an order; -1 if none."""
    if bound.on < 0 or bound.verb is Verb.JOIN or system.objects[bound.on].kind not in SYNCHRONISING:
        return -1
    return system.objects[bound.on].mutex if bound.verb is Verb.SLEEP else bound.on


def modes(system: System, bound: Bound, location: int) -> str:
    """What an operation does to a location: `reads`, `writes` or nothing."""
    found = {mode for item, mode in accesses(bound) if item == location}
    return "" if not found else "reads" if found == {READ} else "writes"


def rows(space: Space, moves: Sequence[Move]) -> list[dict[str, Any]]:
    """The orders as data, for the field `order` of a counterexample."""
    return [{"from": one.before, "to": one.after, "on": one.on} for one in orders(space, moves)]
