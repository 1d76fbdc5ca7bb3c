"""A state on the way through the logs of all actors: how far each of them is, and the shared memory.

Rules of this file: what an operation means, when it blocks and what it replies is asked of `semantics.outcomes` and
nowhere decided here. A recorded reply is never doubted: an outcome that disagrees with one is not possible.
"""

from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Verb
from cllm_sim.semantics import Memory, Outcome, initial, outcomes
from cllm_sim.validator.replay import Log, after
from cllm_sim.validator.tables import CHANGE, GATHER, HARD, SLEEP, TAKE
from cllm_sim.validator.timeline import Timeline


class Point(NamedTuple):
    """How far a run has come: per actor the events done (one more where the unrecorded operation was performed)."""

    position: tuple[int, ...]
    pending: tuple[Bound | None, ...]
    memory: Memory
    done: int


class Candidate(NamedTuple):
    """A possible move; a free one leaves no alternative."""

    actor: int
    number: int
    outcome: Outcome
    free: bool


class Logs:
    """The logs of all actors and a state on the way through them: what the search and the walk have in common."""

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

    def take_on(self, position: Sequence[int], memory: Memory) -> None:
        """Stand where a sweep has come to; it does no operation that is in no log."""
        for actor, (before, now) in enumerate(zip(self.position, position, strict=True)):
            if before != now:
                log = self.logs[actor]
                self.position[actor] = now
                self.done += now - before
                self.pending[actor] = log.bound[now] if now < self.lengths[actor] else log.rest
        self.memory = memory

    def broken_off(self) -> bool:
        """Does somebody stand where its log parts from its text?"""
        return any(
            log.broken is not None and self.position[actor] >= log.broken.at for actor, log in enumerate(self.logs)
        )


class Possible(Logs):
    """Logs whose next possible moves can be asked for. `moves` counts those that were made, on all ways together."""

    def __init__(self, system: System, logs: Sequence[Log]) -> None:
        super().__init__(system, logs)
        self.line = Timeline(system, logs)
        self.moves = 0

    def possible(self, actor: int) -> Iterator[Candidate]:
        """The outcomes of an actor's next operation that agree with all recorded replies."""
        for number, outcome in enumerate(outcomes(self.system, self.pending, self.memory, actor)):
            if all(self._agrees(member, reply) for member, reply in outcome.done):
                free = self.is_free(actor)
                yield Candidate(actor, number, outcome, free)
                if free:
                    return

    def is_free(self, actor: int) -> bool:
        """Does an actor's next operation leave no alternative once it is possible?"""
        phase = self.memory.phase[actor]
        if phase == 1:  # a sleeper that wakes: what it then needs is its mutex
            return True
        if not self.recorded(actor):
            return False
        line = self.line
        at = [first + done for first, done in zip(line.first, self.position, strict=True)]
        mode = line.cells[at[actor]].mode
        if mode == CHANGE:
            return line.alone(at[actor], at)
        if mode == TAKE or (mode == SLEEP and phase == 2):
            return line.takes_first(at[actor], at)
        return mode not in (GATHER, HARD)

    def _agrees(self, actor: int, reply: int) -> bool:
        return not self.recorded(actor) or self.replies[actor][self.position[actor]] == reply
