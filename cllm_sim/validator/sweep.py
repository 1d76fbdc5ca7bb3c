"""The sweep: through all logs at once in the order of time, as long as no event leaves a choice.

Every event is met when it had begun, those that take something (a mutex, a unit of a semaphore) at their end. It is
done if it is possible with its recorded reply, breaks no rule and is *free*: if the logs can be completed at all from
here, then also with this event done now. So the sweep needs no search, and where it stops the question is still the
one it began with. `search.py` answers the rest, and lets it go on from there.

What is free stands in `timeline.py`, with one addition: at a barrier with more members than parties those go on
together that end first of all who have begun to wait, when the first of them ends. Another one let through instead
could as well have changed places with one of them.

The order fits the clocks: at the time t of the sweep an event that is done began at t or before, and everything that
is still to be done ends at t or after.

Rules of this file: being wrong in one direction only. What is not certainly free is left to the search.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from heapq import heappop, heappush
from time import perf_counter
from typing import Any

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Verb
from cllm_sim.semantics import Memory
from cllm_sim.validator.logs import Candidate
from cllm_sim.validator.replay import Log
from cllm_sim.validator.tables import (
    ARRIVE,
    CHANGE,
    EAGER,
    GATHER,
    HARD,
    JOIN,
    SLEEP,
    TAKE,
    Cell,
    Effect,
    Step,
)
from cllm_sim.validator.timeline import AGAIN, BEGIN, END, Timeline

PAUSE_MOVES = 512
"""Moves between two looks at the budget."""
MISSING = Effect((), False, Step(-1, -1))
"""Stands for what has not been asked yet."""
TAKING = (TAKE, SLEEP)


class Sweep:
    """A state on the way through the timeline. `at` is the running number of everybody's next event."""

    def __init__(self, system: System, logs: Sequence[Log], line: Timeline) -> None:
        self.system = system
        self.logs = logs
        self.line = line
        self.slots = self.line.tables.start()
        self.at = list(self.line.first)
        self.arrived: dict[int, list[int]] = defaultdict(list)
        self._beyond: dict[int, Bound | None] = {}
        self._next = 0
        self._late: list[int] = []
        self._waiting: dict[int, list[int]] = defaultdict(list)

    def stand(self, position: Sequence[int], pending: Sequence[Bound | None], memory: Memory) -> None:
        """Go on from a state that the search has reached."""
        line = self.line
        self.at = [first + done for first, done in zip(line.first, position, strict=True)]
        targets = [self._target(actor, bound) for actor, bound in enumerate(pending)]
        self._beyond = {actor: targets[actor] for actor, stop in enumerate(line.stop) if self.at[actor] > stop}
        self.slots = line.tables.slots(targets, memory)
        self.arrived = defaultdict(list)
        for actor, target in enumerate(targets):
            if target is not None and target.verb is Verb.WAIT and memory.phase[actor] == 1:
                self.arrived[target.on].append(actor)
        self._late, self._waiting = [], defaultdict(list)
        looks = [self._look(actor, serial, memory.phase[actor]) for actor, serial in enumerate(self.at)]
        self._next = bisect_left(line.keys, min((look for look in looks if look is not None), default=0))

    def _look(self, actor: int, serial: int, phase: int) -> int | None:
        """When the sweep meets an actor's next event; None if it has no more, or has arrived at a barrier."""
        line = self.line
        if serial >= line.stop[actor] or (phase == 1 and line.cells[serial].mode == ARRIVE):
            return None
        return line.look(line.begin[serial], BEGIN, 0)

    def _target(self, actor: int, bound: Bound | None) -> Bound | None:
        serial = self.at[actor]
        if serial < self.line.stop[actor]:
            return self.line.cells[serial].target
        return self.logs[actor].rest_target if serial == self.line.stop[actor] else bound

    def position(self) -> list[int]:
        """How many events of its log everybody has done."""
        return [serial - first for serial, first in zip(self.at, self.line.first, strict=True)]

    def step(self, position: Sequence[int], memory: Memory, candidate: Candidate) -> Step:
        """A move that the search makes in one of its states, as the sweep would remember it."""
        log, at = self.logs[candidate.actor], position[candidate.actor]
        target = log.target[at] if at < len(log.target) else log.rest_target
        assert target is not None
        return self.line.tables.step(candidate.number, candidate.actor, target, memory, candidate.outcome)

    def pending(self) -> list[Bound | None]:
        """Everybody's next operation, with the child under the cursor filled in."""
        return [self._target(actor, self._beyond.get(actor)) for actor in range(len(self.at))]

    def memory(self) -> Memory:
        """The state of the shared objects, as the semantics has it."""
        return self.line.tables.memory(self.slots)

    def run(self, order: list[Step], moves_max: int, stop_at: float) -> bool:
        """Go on as far as events are free, and append the moves to an order; False if the budget ended before.

        At most `moves_max` moves, and until the time `stop_at` of `time.perf_counter()`.
        """
        limit = len(order) + moves_max
        while len(order) < limit and perf_counter() <= stop_at:
            if not self._some(order, min(limit, len(order) + PAUSE_MOVES)):
                return True
        return False

    def _some(self, order: list[Step], limit: int) -> bool:
        """The same up to a number of moves; False if it stopped before, because nothing is free or left."""
        line, at, late = self.line, self.at, self._late
        keys, cells, replies, slots = line.keys, line.cells, line.replies, self.slots
        bits, mask, number = line.bits, (1 << line.bits) - 1, self._next
        while len(order) < limit:
            if late and (number == len(keys) or late[0] < keys[number]):
                key = heappop(late)
            elif number < len(keys):
                key = keys[number]
                number += 1
            else:
                break
            serial = key & mask
            cell = cells[serial]
            actor = cell.actor
            if at[actor] != serial:
                if at[actor] > serial:
                    continue
                if key >> bits & 3 == AGAIN:
                    break
                heappush(late, key | AGAIN << bits)
                continue
            mode = cell.mode
            if mode == EAGER:
                known = (cell.look(slots), replies[serial])
                effect = cell.table.get(known, MISSING)
                if effect is MISSING:
                    effect = self._ask(cell, known)
                if effect is not None and not effect.step.faults:
                    for slot, value in effect.changes:
                        slots[slot] = value
                    at[actor] = serial + 1
                    order.append(effect.step)
                    continue
            elif self._other(cell, serial, key >> bits + 2, order):
                continue
            if key >> bits & 3 != BEGIN and key >> bits + 2 == line.end[serial]:
                break
            heappush(late, line.look(line.end[serial], END, serial))
            if cell.noted and mode < ARRIVE:
                self._waiting[cell.on].append(serial)
        else:
            self._next = number
            return True
        self._next = number
        return False

    def _ask(self, cell: Cell, known: tuple[Any, int]) -> Effect | None:
        """What an operation does in a situation that was not met before."""
        self.line.tables.enter(cell, known, self.pending(), self.slots)
        return cell.table[known]

    def _effect(self, cell: Cell, serial: int) -> Effect | None:
        """What an operation does here; None if it cannot be done or breaks a rule."""
        situation = cell.look(self.slots)
        if cell.mode == GATHER:  # here it matters who has arrived: another time it is others
            situation = situation, frozenset(self.arrived[cell.on])
        known = (situation, self.line.replies[serial])
        effect = cell.table.get(known, MISSING)
        if effect is MISSING:
            effect = self._ask(cell, known)
        return None if effect is None or effect.step.faults else effect

    def _make(self, actor: int, effect: Effect, order: list[Step]) -> None:
        for slot, value in effect.changes:
            self.slots[slot] = value
        self.at[actor] += effect.completes
        order.append(effect.step)

    def _other(self, cell: Cell, serial: int, time: int, order: list[Step]) -> bool:
        """Do an event that is not simply done as soon as it is met; False if it cannot be done, or is not free."""
        mode, over = cell.mode, time == self.line.end[serial]
        if mode == ARRIVE:
            return self._arrive(cell, serial, time, order)
        if mode == HARD:
            return False
        if mode == GATHER:
            return over and self._gather(cell, time, order)
        if mode == SLEEP and not over and self.slots[cell.actor]:
            return True
        if over and mode in TAKING and time in self.line.tied.get(cell.taken, ()):
            return False
        if mode == JOIN:
            cell.table.clear()
        effect = self._effect(cell, serial)
        if effect is None or (mode == CHANGE and not self.line.alone(serial, self.at)):
            return False
        self._make(cell.actor, effect, order)
        if mode == CHANGE and self._waiting.get(cell.on):
            self._look_again(self._waiting[cell.on], order)
        if mode == SLEEP and over and not effect.completes:
            return self._other(cell, serial, time, order)
        return True

    def _arrive(self, cell: Cell, serial: int, time: int, order: list[Step]) -> bool:
        actor, item, line = cell.actor, cell.on, self.line
        if self.slots[actor]:
            return True  # it has arrived already
        effect = self._effect(cell, serial)
        if effect is None:
            return False
        crowd, members = line.tables.crowds + item, self.arrived[item]
        if not effect.completes:
            self.slots[actor] = 1
            self.slots[crowd] += 1
            members.append(actor)
        else:
            at, end, stop = self.at, line.end, line.stop
            if any(at[member] == stop[member] or end[at[member]] < time for member in members):
                return False
            for member in members:
                self.slots[member] = 0
                at[member] += 1
            at[actor] = serial + 1
            self.slots[crowd] = 0
            members.clear()
        order.append(effect.step)
        return True

    def _gather(self, cell: Cell, time: int, order: list[Step]) -> bool:
        """Open a barrier that has more members than parties, for those of all who have begun to wait that end first."""
        line, at, item = self.line, self.at, cell.on
        parties = self.system.objects[item].parties
        if self.arrived[item]:
            return False
        begun = [
            (line.end[serial], serial)
            for actor, serial in enumerate(at)
            if serial < line.stop[actor] and line.cells[serial].on == item and line.begin[serial] <= time
            if line.cells[serial].mode == GATHER
        ]
        begun.sort()
        if len(begun) < parties or (len(begun) > parties and begun[parties - 1][0] == begun[parties][0]):
            return False
        return all(self._arrive(line.cells[serial], serial, time, order) for _, serial in begun[:parties])

    def _look_again(self, waiting: list[int], order: list[Step]) -> None:
        """A value has changed: those who could not go on because of it may now."""
        line = self.line
        again = True
        while again:
            again = False
            for serial in waiting:
                cell = line.cells[serial]
                effect = self._effect(cell, serial) if self.at[cell.actor] == serial else None
                if effect is not None and (cell.mode == EAGER or self.line.alone(serial, self.at)):
                    self._make(cell.actor, effect, order)
                    again = again or cell.mode == CHANGE
            waiting[:] = [serial for serial in waiting if self.at[line.cells[serial].actor] == serial]
