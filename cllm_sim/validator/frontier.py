"""Second pass of the judge, in full: all orders of the logs that may matter, in one sweep through time.

The events are taken in the order in which they ended. By its end an event must have been done, so for each of them all
states are followed to where it is: those that remain are the frontier. Nothing is ever taken back, the cost grows with
the length of the logs and with how many operations overlap, and the event at which the frontier becomes empty is the first
impossible one: no order of all that had begun by its end lets it happen. (Just-in-time linearisation, Lowe 2017.)

From a state only those moves are followed that can matter to the event in question, a stubborn set (Valmari 1989): its own
actor's; for every operation in the set, those of all actors that use the same object before it ended, because they may
enable it or be in conflict with it; and a single one where it leaves no alternative (`commuting.py`). States that differ
in nothing that decides about the rest are one.

Rules of this file: as those of `search.py`. `tests/validator` compares with a search that knows none of this.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from operator import itemgetter
from time import perf_counter
from typing import Any, NamedTuple

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Verb
from cllm_sim.validator.replay import Log
from cllm_sim.validator.search import Candidate, Move, Point, Possible

CLOCK_EVERY_MOVES = 64


class Trail(NamedTuple):
    """The moves that led to a state, the last one first."""

    before: "Trail | None"
    move: Move


class State(NamedTuple):
    """A state on the frontier."""

    point: Point
    trail: Trail | None


class Frontier(Possible):
    """All orders that may matter.

    After `run`: `order` is one that is possible; or `culprit` is the actor of the first impossible event, `tried` are the
    states in which it was wanted in vain, and `dead_ends` those of them from which nothing leads on.
    """

    def __init__(self, system: System, logs: Sequence[Log], budget_moves: int, stop_at: float) -> None:
        """`stop_at`: a time of `time.perf_counter()` after which it gives up, beside the budget of moves."""
        super().__init__(system, logs)
        self.budget_moves = budget_moves
        self.stop_at = stop_at
        self.order: list[Move] = []
        self.culprit = -1
        self.tried: list[Point] = []
        self.dead_ends: list[Point] = []
        self._users = _users(system, logs)
        items = [item for item, thing in enumerate(system.objects) if thing.kind is not Kind.REGION]
        self._values = itemgetter(*items, items[0])  # twice the first: a getter of one item returns no tuple

    def run(self) -> bool | None:
        """Is there an order that does all events? None: the budget was used up before that was known."""
        deadlines = sorted((end, actor, index) for actor, ends in enumerate(self.end) for index, end in enumerate(ends))
        states = [State(self.point, None)]
        for _, actor, index in (entry for entry in deadlines if entry[2] < self.lengths[entry[1]]):
            self.tried, self.dead_ends = [], []
            following = self._follow(states, actor, index)
            if following is None:
                return None
            if not following:
                self.culprit = actor
                return False
            states = following
        self.order = _moves(states[0].trail)
        return True

    def _follow(self, states: list[State], actor: int, index: int) -> list[State] | None:
        """From all these states to where an event is done; None where the budget was used up."""
        arrived: dict[Any, State] = {}
        met: set[Any] = set()
        stack = states[::-1]
        while stack:
            state = stack.pop()
            if state.point.position[actor] > index:
                arrived.setdefault(self._key(state.point), state)
                continue
            self.tried.append(state.point)
            self.go_to(state.point)
            found = self._stubborn(actor)
            if not found:
                self.dead_ends.append(state.point)
            for candidate in reversed(found):
                if self._budget_used_up():
                    return None
                self.moves += 1
                self.go_to(state.point)
                self.perform(candidate.outcome)
                key = self._key(self.point)
                if key not in met:
                    met.add(key)
                    stack.append(State(self.point, Trail(state.trail, candidate.move)))
        return list(arrived.values())

    def _budget_used_up(self) -> bool:
        return self.moves >= self.budget_moves or (
            self.moves % CLOCK_EVERY_MOVES == 0 and perf_counter() > self.stop_at
        )

    def _stubborn(self, wanted: int) -> list[Candidate]:
        """The moves that can matter to what one actor wants to do, in the order of their times; empty: it never can."""
        horizon = self.times(wanted)[1]
        members, asked = [wanted], 0
        found: list[tuple[float, Candidate]] = []
        while asked < len(members):
            actor = members[asked]
            asked += 1
            begin, end = self.times(actor)
            if not self.may_move(actor) or begin > horizon:  # the latter waits for the wanted event itself
                continue
            if not self.parked(actor):
                possible = list(self.possible(actor))
                if possible and possible[0].free:
                    return possible[:1]
                found.extend((end, candidate) for candidate in possible)
            members.extend(other for other in self._concerned(actor, end) if other not in members)
        found.sort(key=lambda item: item[0])
        return [candidate for _, candidate in found]

    def _concerned(self, actor: int, end: float) -> Iterator[int]:
        """Actors that still use, from before a time on, what an actor's next operation uses."""
        log, position = self.logs[actor], self.position[actor]
        target = log.target[position] if position < self.lengths[actor] else log.rest_target
        assert target is not None
        if target.verb is Verb.JOIN:
            yield target.on
        for item in _objects(self.system, target):
            for other, uses in self._users[item].items():
                following = bisect_left(uses, self.position[other])
                if other != actor and following < len(uses) and self._began(other, uses[following]) <= end:
                    yield other

    def _began(self, actor: int, index: int) -> float:
        return self.begin[actor][index] if index < self.lengths[actor] else self.logs[actor].last_end

    def _key(self, point: Point) -> Any:
        """What decides whether the rest can be done: not the marks, and not the freshness of regions."""
        return point.position, point.memory.phase, self._values(point.memory.value)


def _moves(trail: Trail | None) -> list[Move]:
    found = []
    while trail is not None:
        found.append(trail.move)
        trail = trail.before
    return found[::-1]


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
