"""Is every access ordered after those in conflict with it? The answer for a whole run, by vector clocks.

The semantics says what a step does to the order (`semantics.Event`: spread, replace, touch) and holds it as marks, one
per access, which every synchronisation has to look through. Here everybody who can know of an access, an actor or an
object, has a clock instead: per actor the number of the last of its accesses that it is ordered after (Fidge 1988,
Mattern 1989; one number per access as in FastTrack, Flanagan and Freund 2009). An actor's own number grows whenever
somebody else learns of it.

Rules of this file: it answers yes or no. Which accesses race is told by `semantics.ordered` along the same order, and
`tests/validator/test_clocks.py` compares the two.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cllm_sim.compose import System
from cllm_sim.semantics import PART, READ, WRITE, Event, conflicting

MODES = (READ, WRITE, PART)
AGAINST = tuple(tuple(other for other in MODES if conflicting(mode, other)) for mode in MODES)
"""Per mode of access, those that it is in conflict with."""

Clock = list[int]


class Plan(NamedTuple):
    """An event with its masks as numbers: actors, then objects."""

    kind: str
    sources: tuple[int, ...]
    targets: tuple[int, ...]
    touched: tuple[tuple[int, int], ...]


class Clocks:
    """What everybody is ordered after. Clocks are shared between those who know the same, so none is changed in
    place.
    """

    def __init__(self, system: System) -> None:
        self.actors = len(system.actors)
        zero = [0] * self.actors
        self.clock: list[Clock] = [zero] * (self.actors + len(system.objects))
        for actor in range(self.actors):
            self._tick(actor)
        self.accesses: dict[int, tuple[dict[int, int], ...]] = {}
        self._plans: dict[int, tuple[Event, Plan]] = {}
        self._last: dict[int, tuple[int, int]] = {}

    def race(self, events: Sequence[Event]) -> bool:
        """Take on the events of one step; is one of its accesses not ordered after one in conflict with it?"""
        for event in events:
            known = self._plans.get(id(event))
            plan = known[1] if known is not None else self._plan(event)
            if plan.kind == "touch":
                if self._touch(plan.sources[0], plan.touched):
                    return True
            elif plan.kind == "replace":
                self._give(plan.sources[0], plan.targets[0], anew=True)
            elif len(plan.sources) > 1 or len(plan.targets) > 1:
                self._spread(plan.sources, plan.targets)
            elif plan.sources[0] < self.actors <= plan.targets[0]:
                self._give(plan.sources[0], plan.targets[0], anew=False)
            else:
                self._take(plan.sources[0], plan.targets[0])
        return False

    def _plan(self, event: Event) -> Plan:
        """An event prepared; it is kept with it, so that no other one gets its identity."""
        if event.kind == "spread":
            plan = Plan("spread", _numbers(event.source), _numbers(event.target), ())
        else:
            plan = Plan(event.kind, (event.source,), (self.actors + event.target,), event.touched)
        self._plans[id(event)] = event, plan
        return plan

    def _tick(self, actor: int) -> None:
        """From now on an actor's accesses are new to everybody else."""
        clock = self.clock[actor].copy()
        clock[actor] += 1
        self.clock[actor] = clock

    def _give(self, actor: int, target: int, anew: bool) -> None:
        """An object learns what an actor knows, and forgets what it knew (`anew`) unless the actor knows that, too."""
        mine = self.clock[actor]
        if anew or self._knows(actor, target):
            self.clock[target] = mine
            self._last[target] = actor, mine[actor]
        else:
            self.clock[target] = list(map(max, self.clock[target], mine))
            self._last.pop(target, None)
        self._tick(actor)

    def _take(self, source: int, target: int) -> None:
        """An actor learns what an object or another actor knows."""
        if not self._knows(target, source):
            self.clock[target] = list(map(max, self.clock[target], self.clock[source]))

    def _knows(self, actor: int, item: int) -> bool:
        """Does an actor certainly know all that an object does? It does if it knows of the last who told it, provided
        that one knew all of it."""
        last = self._last.get(item)
        return last is not None and self.clock[actor][last[0]] >= last[1]

    def _spread(self, sources: tuple[int, ...], targets: tuple[int, ...]) -> None:
        """All targets learn what any of the sources knows."""
        joined = (
            list(map(max, *(self.clock[source] for source in sources))) if len(sources) > 1 else self.clock[sources[0]]
        )
        for target in targets:
            self._last.pop(target, None)
            self.clock[target] = joined if target in sources else list(map(max, self.clock[target], joined))
        for source in sources:
            if source < self.actors:
                self._tick(source)

    def _touch(self, actor: int, touched: tuple[tuple[int, int], ...]) -> bool:
        mine = self.clock[actor]
        for location, mode in touched:
            known = self.accesses.get(location)
            if known is None:
                known = self.accesses[location] = ({}, {}, {})
            for other_mode in AGAINST[mode]:
                for other, number in known[other_mode].items():
                    if mine[other] < number and other != actor:
                        return True
            if mode == WRITE:
                for others in known:
                    others.clear()
            known[mode][actor] = mine[actor]
        return False


def _numbers(mask: int) -> tuple[int, ...]:
    """The bits of a mask that are set."""
    return tuple(number for number in range(mask.bit_length()) if mask >> number & 1)
