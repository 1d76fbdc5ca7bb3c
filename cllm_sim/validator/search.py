"""Second pass of the judge: is there an order of all logs together that the semantics allows, with the recorded replies?

Depth first. Three aids keep it to one move per event where the logs are legal:

1. candidates are tried in the order of their recorded times: when an operation ended, or when it began for what another
   actor may have to meet (an arrival at a barrier, falling asleep);
2. an operation may not go while another one that *ended before it began* is still to be done: there is one machine with
   one monotonic clock, read before an operation was started and after its reply was there;
3. an operation that commutes with all that may come before it leaves no alternative (`commuting.py`).

Where a dead end was met, states that led nowhere are recognised when they are met again. What an operation means, when it
blocks and what it replies is asked of `semantics.outcomes` and nowhere decided here.

Rules of this file: it finds an order, or the farthest point that any order reaches. Faults on the way are `walk.py`'s, words
are `explain.py`'s.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from math import inf
from operator import itemgetter
from time import perf_counter
from typing import Any, NamedTuple

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Verb
from cllm_sim.semantics import Memory, Outcome, initial, outcomes
from cllm_sim.validator.commuting import FIRST, SECOND, freedom
from cllm_sim.validator.replay import Log, after


class Move(NamedTuple):
    """Who goes, and which of its outcomes it is."""

    actor: int
    number: int


class Point(NamedTuple):
    """How far a run has come: per actor the events done (one more where the unrecorded operation was performed)."""

    position: tuple[int, ...]
    pending: tuple[Bound | None, ...]
    memory: Memory
    done: int


class Waiting(NamedTuple):
    """A candidate in the queue. One whose ticket is not its actor's latest is void."""

    time: float
    begin: float
    actor: int
    ticket: int


class Deadline(NamedTuple):
    """When an event that is still to be done ended; void once its actor has gone on."""

    end: float
    actor: int
    position: int


class Candidate(NamedTuple):
    """A possible move; a free one leaves no alternative."""

    move: Move
    outcome: Outcome
    free: bool


@dataclass
class Fork:
    """A point at which there was a choice, the number of moves that led there, and what has been tried there."""

    point: Point
    moves: int
    tried: set[Move] = field(default_factory=set)


class Logs:
    """The logs of all actors, and how far into them a state is: what the search and the walk have in common."""

    def __init__(self, system: System, logs: Sequence[Log]) -> None:
        self.system = system
        self.logs = logs
        self.lengths = [len(log.bound) for log in logs]
        self.replies = [[event.reply for event in log.events] for log in logs]
        self.begin = [[event.begin for event in log.events] for log in logs]
        self.end = [[event.end for event in log.events] for log in logs]
        self.start()

    def start(self) -> None:
        """Go to the state before the first event."""
        self.position = [0] * len(self.logs)
        self.pending = [log.bound[0] if log.bound else log.rest for log in self.logs]
        self.memory = initial(self.system)
        self.done = 0

    @property
    def point(self) -> Point:
        """Where the logs stand now."""
        return Point(tuple(self.position), tuple(self.pending), self.memory, self.done)

    def go_to(self, point: Point) -> None:
        """Stand at a point reached before."""
        position, pending, self.memory, self.done = point
        self.position, self.pending = list(position), list(pending)

    def recorded(self, actor: int) -> bool:
        """Is an actor's next operation an event of its log?"""
        return self.position[actor] < self.lengths[actor]

    def perform(self, outcome: Outcome) -> None:
        """Take on the state after an outcome."""
        self.memory = outcome.memory
        for actor, reply in outcome.done:
            log, position = self.logs[actor], self.position[actor]
            self.position[actor] = position + 1
            if position < self.lengths[actor]:
                self.done += 1
                self.pending[actor] = log.bound[position + 1] if position + 1 < self.lengths[actor] else log.rest
            else:
                self.pending[actor] = after(self.system, actor, [*self.replies[actor][:position], reply])


class Search(Logs):
    """One judgement. After `run`: `order` is the accepted order; or `farthest` is the deepest dead end."""

    def __init__(self, system: System, logs: Sequence[Log], budget_moves: int, stop_at: float = inf) -> None:
        """`stop_at`: a time of `time.perf_counter()` after which the search gives up, beside the budget of moves."""
        super().__init__(system, logs)
        self.budget_moves = budget_moves
        self.stop_at = stop_at
        self.total = sum(self.lengths)
        self.free = freedom(system, logs)
        self.moves = 0
        self.order: list[Move] = []
        self.farthest: Point | None = None
        self._forks: list[Fork] = []
        self._failed: set[Any] = set()
        seen = [item for item, thing in enumerate(system.objects) if thing.kind is not Kind.REGION]
        self._values = itemgetter(*seen, seen[0])  # twice the first: a getter of one item returns no tuple
        self._ticket = [0] * len(logs)
        self._requeue()

    def run(self) -> bool | None:
        """Is there an order that does all events? None: the budget of moves was used up before that was known."""
        while self.done < self.total:
            if self.moves >= self.budget_moves or (self.moves & 255 == 0 and perf_counter() > self.stop_at):
                self._dead_end()
                return None
            chosen = self._choose()
            if chosen is not None and not chosen.free:
                if self._failed and self._key() in self._failed:
                    chosen = None
                else:
                    self._forks.append(Fork(self.point, len(self.order), {chosen.move}))
            if chosen is not None:
                self._make(chosen)
            elif not self._go_back():
                return False
        return True

    # --- candidates ---------------------------------------------------------------------------------------------------

    def _requeue(self) -> None:
        """Fill the queues anew, after a step back."""
        self._queue: list[Waiting] = []
        self._deadlines: list[Deadline] = []
        for actor in range(len(self.logs)):
            self._enter(actor)
        heapify(self._queue)

    def _enter(self, actor: int) -> None:
        """Queue an actor's next operation, unless it has none or is parked at a barrier until somebody else arrives."""
        self._ticket[actor] += 1
        bound, position = self.pending[actor], self.position[actor]
        if bound is None or position > self.lengths[actor]:
            return
        parked = self.memory.phase[actor]
        waits = parked and bound.verb is Verb.WAIT
        if position == self.lengths[actor]:
            if self.logs[actor].unrecorded and not waits:
                heappush(self._queue, Waiting(inf, self.logs[actor].last_end, actor, self._ticket[actor]))
            return
        begin, end = self.begin[actor][position], self.end[actor][position]
        heappush(self._deadlines, Deadline(end, actor, position))
        if not waits:
            # What leaves no alternative goes as early as it may: a process that is interrupted between giving a mutex back
            # and reading the clock has a late end, and others must not seem to come before it.
            early = bound.verb is Verb.WAIT or (bound.verb is Verb.SLEEP and not parked) or self._is_free(actor)
            heappush(self._queue, Waiting(begin if early else end, begin, actor, self._ticket[actor]))

    def _horizon(self) -> float:
        """When the first event that is still to be done ended: nothing that began later may go before it."""
        while self._deadlines:
            end, actor, position = self._deadlines[0]
            if self.position[actor] == position:
                return end
            heappop(self._deadlines)
        return inf

    def _choose(self) -> Candidate | None:
        """The next move: the first in time, but one that breaks no rule before one that does."""
        if self.farthest is not None and self.done <= self.farthest.done:
            return self._choose_carefully(set())
        horizon = self._horizon()
        aside: list[Waiting] = []
        chosen: Candidate | None = None
        while self._queue:
            entry = heappop(self._queue)
            if entry.ticket != self._ticket[entry.actor]:
                continue
            found = next(self._possible(entry.actor), None) if entry.begin <= horizon else None
            if found is not None and not _dirty(found.outcome):
                chosen = found
                break
            aside.append(entry)
            chosen = chosen or found
        for entry in aside:
            heappush(self._queue, entry)
        return chosen

    def _choose_carefully(self, tried: set[Move]) -> Candidate | None:
        """The next move where a dead end was met: free ones first, so that equal states are recognised as equal."""
        horizon = self._horizon()
        self._queue = sorted(entry for entry in self._queue if entry.ticket == self._ticket[entry.actor])
        for free in (True, False):
            for entry in self._queue:
                if entry.begin <= horizon and self._is_free(entry.actor) is free:
                    for found in self._possible(entry.actor):
                        if found.move not in tried:
                            return found
        return None

    def _is_free(self, actor: int) -> bool:
        phase = self.memory.phase[actor]
        if phase == 1:  # a sleeper that wakes: what it then needs is its mutex
            return True
        return bool(self.free[actor][self.position[actor]] & (SECOND if phase == 2 else FIRST))

    def _possible(self, actor: int) -> Iterator[Candidate]:
        """The outcomes of an actor's next operation that agree with all recorded replies."""
        free = self._is_free(actor)
        for number, outcome in enumerate(outcomes(self.system, self.pending, self.memory, actor)):
            if all(self._agrees(member, reply) for member, reply in outcome.done):
                yield Candidate(Move(actor, number), outcome, free)
                if free:
                    return

    def _agrees(self, actor: int, reply: int) -> bool:
        return not self.recorded(actor) or self.replies[actor][self.position[actor]] == reply

    # --- forth and back -----------------------------------------------------------------------------------------------

    def _make(self, chosen: Candidate) -> None:
        self.moves += 1
        self.order.append(chosen.move)
        self.perform(chosen.outcome)
        for actor, _ in chosen.outcome.done:
            self._enter(actor)
        if not chosen.outcome.done:
            self._enter(chosen.move.actor)

    def _dead_end(self) -> None:
        if self.farthest is None or self.done > self.farthest.done:
            self.farthest = self.point

    def _go_back(self) -> bool:
        """Return to the last point with an alternative and take it; False if there is none left."""
        self._dead_end()
        if self._at_break():
            return False
        while self._forks:
            fork = self._forks[-1]
            self.go_to(fork.point)
            del self.order[fork.moves :]
            self._requeue()
            chosen = None if self._key() in self._failed else self._choose_carefully(fork.tried)
            if chosen is None:
                self._failed.add(self._key())
                self._forks.pop()
                continue
            if chosen.free:
                self._forks.pop()
            else:
                fork.tried.add(chosen.move)
            self._make(chosen)
            return True
        return False

    def _at_break(self) -> bool:
        """Does somebody stand where its log breaks off? Then nothing is left to find out: that is why all came to rest."""
        return any(
            log.broken is not None and self.position[actor] >= log.broken.index for actor, log in enumerate(self.logs)
        )

    def _key(self) -> Any:
        """What decides whether the rest can be done: not the marks, and not the freshness of regions."""
        return tuple(self.position), self.memory.phase, self._values(self.memory.value)


def _dirty(outcome: Outcome) -> bool:
    """Does it break a rule that another order might not? (A race has no order either way.)"""
    return any(fault.kind != "race" for fault in outcome.faults)
