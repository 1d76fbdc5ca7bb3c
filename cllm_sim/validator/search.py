"""Second pass of the judge: is there an order of all logs together that the semantics allows, with the recorded
replies?

What leaves no choice is done by the sweep (`sweep.py`); for most logs that is all of it, and nothing is searched.
Where it stops the search makes one move and hands over again. It goes depth first, through the events in the order in
which they ended. By its end an event must have been done; the one that ended first of all that are still to be done is
*wanted*. Four things keep this to one move per event for legal logs, and make a contradiction cheap to find wherever it
stands:

1. An operation may not go while another one that *ended before it began* is still to be done: there is one machine
   with one monotonic clock, read before an operation was started and after its reply was there.
2. Only those moves are followed that can matter to the wanted event, a stubborn set (Valmari 1989): its own actor's,
   and for every operation in the set those of all actors that use the same object before it ended, because they may
   enable it or be in conflict with it.
3. An operation that commutes with all that may come before it leaves no alternative (`timeline.py`).
4. States that differ in nothing that decides about the rest are one: what led nowhere is recognised when met again.

The event that was wanted in vain farthest along the clock is the first impossible one: no order of all that had begun
by its end lets it happen (compare the just-in-time linearisation of Lowe 2017).

Rules of this file: it finds an order, or that there is none. What an operation means is asked of `semantics.outcomes`
(`logs.py`); faults on the way are `walk.py`'s, words are `explain.py`'s. `tests/validator` compares it with a search
that knows none of the four.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from functools import cached_property
from math import inf
from operator import itemgetter
from time import perf_counter
from typing import Any, NamedTuple

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Verb
from cllm_sim.validator.logs import Candidate, Point, Possible
from cllm_sim.validator.replay import Log
from cllm_sim.validator.sweep import Sweep
from cllm_sim.validator.tables import Step

KEPT_EVERY_MOVES = 32
"""Beyond the farthest dead end only some states are kept, to be recognised later: every fork, and one in so many."""
BEFORE = (-1, -1, -1)
"""Comes before the end, the actor and the number of any event."""
TRIED_MAX = 1_000
"""States kept in which the farthest event was wanted: enough to tell what would have been possible."""


class Fork(NamedTuple):
    """A state with what can still be tried there, the first in time at the end; how many moves led to it, and its
    stage.
    """

    point: Point
    untried: list[Candidate]
    length: int
    stage: tuple[int, int, int]


class Search(Possible):
    """All orders that may matter.

    After `run`: `order` is one that is possible; or `culprit` is the actor of the first impossible event, `tried` are
    the states in which it was wanted in vain, and `dead_ends` those of them from which nothing leads on.
    """

    def __init__(self, system: System, logs: Sequence[Log], budget_moves: int, stop_at: float) -> None:
        """`stop_at`: a time of `time.perf_counter()` after which it gives up, beside the budget of moves."""
        super().__init__(system, logs)
        self.budget_moves = budget_moves
        self.stop_at = stop_at
        self.order: list[Step] = []
        self.tried: list[Point] = []
        self.dead_ends: list[Point] = []
        self._sweep = Sweep(system, logs, self.line)
        self._stage = self._farthest = BEFORE
        self._forks: list[Fork] = []
        self._met: set[Any] = set()
        self._careful_until = BEFORE
        items = [item for item, thing in enumerate(system.objects) if thing.kind is not Kind.REGION]
        self._values = itemgetter(*items, items[0])  # twice the first: a getter of one item returns no tuple

    @cached_property
    def _users(self) -> dict[int, dict[int, list[int]]]:
        return _users(self.system, self.logs)

    @property
    def culprit(self) -> int:
        """The actor of the first event, by its end, that no order lets happen."""
        return self._farthest[1]

    @property
    def most_done(self) -> int:
        """How many events were done in the state that came farthest along the clock."""
        return max((point.done for point in self.tried), default=0)

    def run(self) -> bool | None:
        """Is there an order that does all events? None: the budget was used up before that was known."""
        while True:
            in_time = self._swept()
            if not self._advance():
                return True
            if not in_time or self._budget_used_up():
                self._remember(True)
                return None
            found = self._stubborn(self._stage[1])
            self._remember(bool(found))
            if not found and self.broken_off():
                self.dead_ends = [self.point]
                return False
            if not found or self._met_before(len(found)):
                if not self._go_back():
                    return False
                continue
            if len(found) > 1:
                self._forks.append(Fork(self.point, found[:0:-1], len(self.order), self._stage))
            self._make(found[0])

    def _swept(self) -> bool:
        """Do all that leaves no choice from here on; False if the budget ended before."""
        sweep, before = self._sweep, len(self.order)
        if self.moves:
            sweep.stand(self.position, self.pending, self.memory)
        in_time = sweep.run(self.order, self.budget_moves - self.moves, self.stop_at)
        if len(self.order) > before:
            self.moves += len(self.order) - before
            self.take_on(sweep.position(), sweep.memory())
        return in_time

    def _advance(self) -> bool:
        """Find the event that is wanted next, the first to end of all that are still to be done; False if there is
        none.
        """
        if self.done == self.total:
            return False
        self._stage = min(
            (self.end[actor][index], actor, index)
            for actor, index in enumerate(self.position)
            if index < self.lengths[actor]
        )
        return True

    def _remember(self, alive: bool) -> None:
        """Keep the states in which the event that comes last of all wanted ones was wanted."""
        if self._stage > self._farthest:
            self._farthest, self.tried, self.dead_ends = self._stage, [], []
        if self._stage == self._farthest:
            for kept in (self.tried,) if alive else (self.tried, self.dead_ends):
                if len(kept) < TRIED_MAX:
                    kept.append(self.point)

    def _met_before(self, choices: int) -> bool:
        """Was this state met before? What leads to the end is never met twice, so it led nowhere."""
        careful = self._stage <= self._careful_until or choices > 1
        if not careful and len(self.order) % KEPT_EVERY_MOVES:
            return False
        key = self._key()
        if key in self._met:
            return True
        self._met.add(key)
        return False

    def _go_back(self) -> bool:
        """Return to the last state with an alternative and take it; False if there is none left."""
        self._careful_until = self._farthest
        if not self._forks:
            return False
        fork = self._forks[-1]
        self.go_to(fork.point)
        del self.order[fork.length :]
        self._stage = fork.stage
        self._make(fork.untried.pop())
        if not fork.untried:
            self._forks.pop()
        return True

    def _make(self, candidate: Candidate) -> None:
        self.moves += 1
        self.order.append(self._sweep.step(self.position, self.memory, candidate))
        self.perform(candidate.outcome)

    def _budget_used_up(self) -> bool:
        return self.moves >= self.budget_moves or perf_counter() > self.stop_at

    def _stubborn(self, wanted: int) -> list[Candidate]:
        """The moves that can matter to what one actor wants to do, in the order of their times; empty: it never
        can.
        """
        horizon = self.times(wanted)[1]
        dirty: Candidate | None = None
        found: list[tuple[float, Candidate]] = []
        for actor in self._members(wanted, horizon):
            possible = [] if self.parked(actor) else list(self.possible(actor))
            if possible and possible[0].free:
                if not _dirty(possible[0]):
                    return possible
                dirty = dirty or possible[0]
            found.extend((self.times(actor)[1], candidate) for candidate in possible)
        if dirty is not None:
            return [self._cleaner(horizon) or dirty]
        found.sort(key=lambda item: item[0])
        return [candidate for _, candidate in found]

    def _members(self, wanted: int, horizon: float) -> Iterator[int]:
        """The actors of the stubborn set, found only as far as they are asked for.

        Whose next operation began beyond the horizon waits for the wanted event itself, and for nobody else.
        """
        known: set[int] = set()
        sources: deque[Iterator[int]] = deque([iter((wanted,))])
        while sources:
            for actor in sources[0]:
                begin, end = self.times(actor)
                if actor not in known and self.may_move(actor) and begin <= horizon:
                    known.add(actor)
                    yield actor
                    sources.append(self._concerned(actor, end))
            sources.popleft()

    def _cleaner(self, horizon: float) -> Candidate | None:
        """Any free move that breaks no rule; it is put before one that does, which may thereby break none either."""
        for actor in range(len(self.logs)):
            if self.may_move(actor) and self.times(actor)[0] <= horizon and not self.parked(actor):
                found = next(self.possible(actor), None)
                if found is not None and found.free and not _dirty(found):
                    return found
        return None

    def _concerned(self, actor: int, end: float) -> Iterator[int]:
        """Actors that still use, from before a time on, what an actor's next operation uses."""
        log, position = self.logs[actor], self.position[actor]
        target = log.target[position] if position < self.lengths[actor] else log.rest_target
        assert target is not None
        if target.verb is Verb.JOIN:
            yield target.on
        items = _objects(self.system, target)
        for other in range(len(self.logs)) if items else ():
            if other != actor and self._uses(other, items, end):
                yield other

    def _uses(self, actor: int, items: tuple[int, ...], end: float) -> bool:
        """Does an actor still use one of some objects, from before a time on?"""
        position, begin, length = self.position[actor], self.begin[actor], self.lengths[actor]
        if end == inf:
            found = (self._users[item].get(actor, ()) for item in items)
            return any(uses and uses[-1] >= position for uses in found)
        target = self.logs[actor].target
        while position < length and begin[position] <= end:
            if any(item in items for item in _objects(self.system, target[position])):
                return True
            position += 1
        log = self.logs[actor]
        last = log.rest_target if position == length and log.unrecorded and log.last_end <= end else None
        return last is not None and any(item in items for item in _objects(self.system, last))

    def _key(self) -> Any:
        """What decides whether the rest can be done: not the marks, and not the freshness of regions."""
        return tuple(self.position), self.memory.phase, self._values(self.memory.value)


def _dirty(candidate: Candidate) -> bool:
    """Does it break a rule that another order might not? (A race has no order either way.)"""
    return any(fault.kind != "race" for fault in candidate.outcome.faults)


def _users(system: System, logs: Sequence[Log]) -> dict[int, dict[int, list[int]]]:
    """Per object, per actor, the events that use it, the unrecorded one at the end included."""
    users: dict[int, dict[int, list[int]]] = defaultdict(dict)
    for actor, log in enumerate(logs):
        rest = [log.rest_target] if log.unrecorded and log.rest_target is not None else []
        for index, bound in enumerate((*log.target, *rest)):
            for item in _objects(system, bound):
                users[item].setdefault(actor, []).append(index)
    return users


def _objects(system: System, bound: Bound) -> tuple[int, ...]:
    """The objects by which an operation may enable, hinder or influence another actor's."""
    if bound.verb in (Verb.JOIN, Verb.CHOOSE, Verb.NEXT, Verb.NOTIFY, Verb.NOTIFY_ALL):
        return ()
    if bound.on >= 0:
        return (system.objects[bound.on].mutex if bound.verb is Verb.SLEEP else bound.on,)
    return tuple(item for item in (*bound.reads, *bound.writes) if system.objects[item].kind is not Kind.REGION)
