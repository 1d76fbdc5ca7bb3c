"""Second pass of the judge, first attempt: one order of all logs, found by following the recorded times.

At every turn the operation goes that comes first in time and is possible with its recorded reply: by when it ended, or by
when it began where another actor may have to meet it (an arrival at a barrier, falling asleep). Legal logs hardly ever need
more, so the usual cost is one move per event. Where it comes to rest before the end, `frontier.py` looks at all orders.

One rule of time holds for both: an operation may not go while another one that *ended before it began* is still to be
done. There is one machine with one monotonic clock, read before an operation was started and after its reply was there.

Rules of this file: what an operation means, when it blocks and what it replies is asked of `semantics.outcomes` and nowhere
decided here. Faults on the way are `walk.py`'s, words are `explain.py`'s.
"""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from math import inf
from typing import NamedTuple

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Verb
from cllm_sim.semantics import Memory, Outcome, initial, outcomes
from cllm_sim.validator.commuting import FIRST, LOOKING, SECOND, freedom
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


class Candidate(NamedTuple):
    """A possible move; a free one leaves no alternative."""

    move: Move
    outcome: Outcome
    free: bool


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


class Logs:
    """The logs of all actors and a state on the way through them: what both attempts and the walk have in common."""

    def __init__(self, system: System, logs: Sequence[Log]) -> None:
        self.system = system
        self.logs = logs
        self.lengths = [len(log.bound) for log in logs]
        self.total = sum(self.lengths)
        self.replies = [[event.reply for event in log.events] for log in logs]
        self.begin = [[event.begin for event in log.events] for log in logs]
        self.end = [[event.end for event in log.events] for log in logs]
        self.position = [0] * len(logs)
        self.pending = [log.bound[0] if log.bound else log.rest for log in logs]
        self.memory = initial(system)
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

    def may_move(self, actor: int) -> bool:
        """Has an actor something to do, as an event of its log or as the one operation it may not have recorded?"""
        position, length = self.position[actor], self.lengths[actor]
        return self.pending[actor] is not None and (
            position < length or (position == length and self.logs[actor].unrecorded)
        )

    def times(self, actor: int) -> tuple[float, float]:
        """When an actor's next operation began and ended; an unrecorded one, after the last event and never (ns)."""
        if self.recorded(actor):
            position = self.position[actor]
            return self.begin[actor][position], self.end[actor][position]
        return self.logs[actor].last_end, inf

    def parked(self, actor: int) -> bool:
        """Has an actor arrived at a barrier, so that only others can complete its operation?"""
        bound = self.pending[actor]
        return bound is not None and bound.verb is Verb.WAIT and self.memory.phase[actor] == 1

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

    def broken_off(self) -> bool:
        """Does somebody stand where its log parts from its text?"""
        return any(
            log.broken is not None and self.position[actor] >= log.broken.index for actor, log in enumerate(self.logs)
        )


class Possible(Logs):
    """Logs whose next possible moves can be asked for. `moves` counts those that were made, on all ways together."""

    def __init__(self, system: System, logs: Sequence[Log]) -> None:
        super().__init__(system, logs)
        self.free = freedom(system, logs)
        self.moves = 0

    def possible(self, actor: int) -> Iterator[Candidate]:
        """The outcomes of an actor's next operation that agree with all recorded replies."""
        free = self._is_free(actor)
        for number, outcome in enumerate(outcomes(self.system, self.pending, self.memory, actor)):
            if all(self._agrees(member, reply) for member, reply in outcome.done):
                yield Candidate(Move(actor, number), outcome, free)
                if free:
                    return

    def _is_free(self, actor: int) -> bool:
        phase = self.memory.phase[actor]
        if phase == 1:  # a sleeper that wakes: what it then needs is its mutex
            return True
        return bool(self.free[actor][self.position[actor]] & (SECOND if phase == 2 else FIRST))

    def _agrees(self, actor: int, reply: int) -> bool:
        return not self.recorded(actor) or self.replies[actor][self.position[actor]] == reply


class Search(Possible):
    """The first attempt. After `run` the logs stand at its end, and `order` is the way there."""

    def __init__(self, system: System, logs: Sequence[Log]) -> None:
        super().__init__(system, logs)
        self.order: list[Move] = []
        self._queue: list[Waiting] = []
        self._deadlines: list[Deadline] = []
        self._ticket = [0] * len(logs)
        for actor in range(len(logs)):
            self._enter(actor)
        heapify(self._queue)

    def run(self) -> bool:
        """Were all events done?"""
        while self.done < self.total:
            chosen = self._choose()
            if chosen is None:
                return False
            self.moves += 1
            self.order.append(chosen.move)
            self.perform(chosen.outcome)
            for actor, _ in chosen.outcome.done:
                self._enter(actor)
            if not chosen.outcome.done:
                self._enter(chosen.move.actor)
        return True

    def _enter(self, actor: int) -> None:
        """Queue an actor's next operation, unless it has none or is parked until somebody else arrives."""
        self._ticket[actor] += 1
        if not self.may_move(actor):
            return
        begin, end = self.times(actor)
        if self.recorded(actor):
            heappush(self._deadlines, Deadline(end, actor, self.position[actor]))
        if not self.parked(actor):
            heappush(self._queue, Waiting(self._turn(actor), begin, actor, self._ticket[actor]))

    def _turn(self, actor: int) -> float:
        bound, (begin, end) = self.pending[actor], self.times(actor)
        assert bound is not None
        meets = bound.verb is Verb.WAIT or (bound.verb is Verb.SLEEP and not self.memory.phase[actor])
        return begin if meets and self.recorded(actor) else end

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
        horizon = self._horizon()
        aside: list[Waiting] = []
        chosen: Candidate | None = None
        while self._queue:
            entry = heappop(self._queue)
            if entry.ticket != self._ticket[entry.actor]:
                continue
            found = next(self.possible(entry.actor), None) if entry.begin <= horizon else None
            if found is not None and not _dirty(found.outcome):
                chosen = found
                break
            aside.append(entry)
            chosen = chosen or found
        for entry in aside:
            heappush(self._queue, entry)
        return chosen if chosen is None or chosen.free else self._looked_at(chosen, horizon)

    def _looked_at(self, chosen: Candidate, horizon: float) -> Candidate:
        """Who looks at what is about to change, and sees now what it recorded, goes first; the move is queued again."""
        actor = chosen.move.actor
        bound = self.pending[actor]
        assert bound is not None
        for other, theirs in enumerate(self.pending):
            looks = theirs is not None and theirs.verb in LOOKING and theirs.on == bound.on and other != actor
            if looks and self.recorded(other) and self.times(other)[0] <= horizon:
                found = next(self.possible(other), None)
                if found is not None:
                    self._enter(actor)
                    return found
        return chosen


def _dirty(outcome: Outcome) -> bool:
    """Does it break a rule that another order might not? (A race has no order either way.)"""
    return any(fault.kind != "race" for fault in outcome.faults)
