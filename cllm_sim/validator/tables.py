"""What an operation does, asked of `semantics.effects` once per local situation and then looked up.

A cell stands for one operation of one actor, with the child under the cursor filled in. Its `look` reads the few slots
of a state on which the effect depends, its table leads from their contents and the recorded reply to the effect: which
slots change, which rules are broken, and what happens to the order of accesses.

The slots are those of `Memory` (phases, then values), and per object the actors parked there: as a number for a
barrier, because it does not matter who has arrived, but how many; as a set for a condition, where it does.

Rules of this file: it knows on what an effect depends (`_slots_of`), never what the effect is. That an effect stays
within its slots is asserted whenever one is entered; that they are enough is checked by `tests/validator/test_sweep.py`
against whole states.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Verb
from cllm_sim.semantics import Event, Fault, Memory, Outcome, effects, initial

EAGER, CHANGE, ARRIVE, GATHER, TAKE, SLEEP, JOIN, HARD = range(8)
"""How the sweep treats an operation: as soon as it has begun; so, but not before others that may need the value as it
is; as an arrival; as one of more arrivals than the barrier has parties; at its end; in two halves, at both; at its end,
and asked every time; not at all."""

CHANGING = frozenset({Verb.STORE, Verb.ADD, Verb.EXCHANGE, Verb.WRITE})
LOOKING = frozenset({Verb.LOAD, Verb.READ, Verb.AWAIT})
MODES: dict[Verb, int] = {
    Verb.WAIT: ARRIVE,
    Verb.ACQUIRE: TAKE,
    Verb.DOWN: TAKE,
    Verb.SLEEP: SLEEP,
    Verb.JOIN: JOIN,
    Verb.DESTROY: HARD,
    **dict.fromkeys(CHANGING, CHANGE),
}


class Step(NamedTuple):
    """A move that was made, as far as anybody wants to know afterwards: whose, which of its outcomes, the broken rules,
    the events for the order of accesses, what it does with mutexes, and whose operations it completes.

    `gives`, `takes`: the mutex given back or taken (-1: none); `wakes`: the mutexes that those woken by it now need.
    """

    actor: int
    number: int
    faults: tuple[Fault, ...] = ()
    events: tuple[Event, ...] = ()
    gives: int = -1
    takes: int = -1
    wakes: tuple[int, ...] = ()
    done: tuple[int, ...] = ()


class Effect(NamedTuple):
    """What an operation does in some situation. `completes`: it is over with that (a sleep has two halves)."""

    changes: tuple[tuple[int, int], ...]
    completes: bool
    step: Step


@dataclass(slots=True, eq=False)
class Cell:
    """One operation of one actor. `on` is its object, for a sleep its condition; `mutex` what it takes or gives back,
    and `taken` what it takes, a unit of a semaphore included (-1: nothing).

    `noted`: it may decide about the freedom of others.
    """

    actor: int
    target: Bound
    mode: int
    on: int
    mutex: int
    taken: int
    noted: bool
    look: Callable[[Sequence[int]], Any]
    slots: frozenset[int]
    table: dict[tuple[Any, int], Effect | None]


class Tables:
    """The cells of a system, and the slots of its states."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.values = len(system.actors)
        self.crowds = self.values + len(system.objects)
        self.size = self.crowds + len(system.objects)
        self._cells: list[dict[int, Cell]] = [{} for _ in system.actors]
        self._regions = [item for item, thing in enumerate(system.objects) if thing.kind is Kind.REGION]

    def start(self) -> list[int]:
        """The slots before anybody has moved."""
        memory = initial(self.system)
        return [*memory.phase, *memory.value, *(0 for _ in self.system.objects)]

    def memory(self, slots: Sequence[int]) -> Memory:
        """The same as the semantics has it."""
        return Memory(tuple(slots[: self.values]), tuple(slots[self.values : self.crowds]), ())

    def slots(self, pending: Sequence[Bound | None], memory: Memory) -> list[int]:
        """A state of the semantics as slots; `pending` with the child under the cursor filled in."""
        crowds = [0] * len(self.system.objects)
        for actor, bound in enumerate(pending):
            if memory.phase[actor] == 1 and bound is not None:
                crowds[bound.on] += self._share(actor, bound.on)
        return [*memory.phase, *memory.value, *crowds]

    def cell(self, actor: int, target: Bound) -> Cell:
        """The cell of an operation; operations are interned, so their identity is enough to find it."""
        found = self._cells[actor].get(id(target))
        if found is None:
            found = self._cells[actor][id(target)] = self._cell(actor, target)
        return found

    def enter(self, cell: Cell, key: tuple[Any, int], pending: Sequence[Bound | None], slots: list[int]) -> None:
        """Ask the semantics what an operation does here, with the reply that stands in the key."""
        memory = self.memory(slots)
        for number, outcome in enumerate(effects(self.system, pending, memory, cell.actor)):
            if all(reply == key[1] for _, reply in outcome.done):
                cell.table[key] = self._effect(cell, number, outcome, slots)
                return
        cell.table[key] = None

    def step(self, number: int, actor: int, target: Bound, memory: Memory, outcome: Outcome) -> Step:
        """A move as it is remembered."""
        mutex, phase = _mutex(self.system, target), memory.phase[actor]
        slept = target.verb is Verb.SLEEP
        woken = _woken(memory.phase, outcome.memory.phase)
        return Step(
            actor,
            number,
            outcome.faults,
            outcome.events,
            mutex if target.verb is Verb.RELEASE or (slept and phase == 0) else -1,
            mutex if target.verb is Verb.ACQUIRE or (slept and phase == 2) else -1,
            (self.system.objects[target.on].mutex,) * len(woken) if woken else (),
            tuple(member for member, _ in outcome.done),
        )

    def _share(self, actor: int, item: int) -> int:
        """What an actor adds to the crowd at an object."""
        return 1 if self.system.objects[item].kind is Kind.BARRIER else 1 << actor

    def _cell(self, actor: int, target: Bound) -> Cell:
        slots = self._slots_of(actor, target)
        plain = all(self.system.objects[item].kind is Kind.REGION for item in (*target.reads, *target.writes))
        mode = MODES.get(target.verb, EAGER) if plain and not target.at else HARD
        mutex, noted = _mutex(self.system, target), mode != JOIN and (target.on >= 0 and target.verb is not Verb.UP)
        look: Callable[[Sequence[int]], Any] = itemgetter(*slots)
        taken = target.on if mode == TAKE else mutex if mode == SLEEP else -1
        return Cell(actor, target, mode, target.on, mutex, taken, noted, look, frozenset(slots), {})

    def _slots_of(self, actor: int, target: Bound) -> tuple[int, ...]:
        """The slots on which the effect of an operation depends, those that it changes among them."""
        verb = target.verb
        value, crowd = self.values + target.on, self.crowds + target.on
        if verb is Verb.WAIT:
            return value, crowd
        if verb is Verb.SLEEP:
            return actor, self.values + self.system.objects[target.on].mutex, crowd
        if verb is Verb.NOTIFY or verb is Verb.NOTIFY_ALL:
            return (crowd,)
        if verb is Verb.NEXT:
            children = self.system.actors[actor].children
            return (actor, *(self.values + self.system.cursor[child] for child in children))
        if verb is Verb.UPDATE:
            touched = (*self._regions, *target.reads, *target.writes)
        else:
            touched = (*target.reads, *target.writes, *((target.on,) if verb not in (Verb.CHOOSE, Verb.JOIN) else ()))
        return tuple(dict.fromkeys(self.values + item for item in touched if item >= 0)) or (actor,)

    def _effect(self, cell: Cell, number: int, outcome: Outcome, slots: list[int]) -> Effect:
        before, after = self.memory(slots), outcome.memory
        step = self.step(number, cell.actor, cell.target, before, outcome)
        if cell.target.verb is Verb.WAIT:
            opens = bool(outcome.done)
            assert len(outcome.done) == (slots[self.crowds + cell.on] + 1 if opens else 0)
            return Effect((), opens, step)
        now = [*after.phase, *after.value, *slots[self.crowds :]]
        for actor, phase in enumerate(after.phase):
            parked = (phase == 1) - (before.phase[actor] == 1)
            if parked:
                now[self.crowds + cell.on] += parked * self._share(actor, cell.on)
        changes = tuple((slot, new) for slot, (old, new) in enumerate(zip(slots, now, strict=True)) if old != new)
        assert {slot for slot, _ in changes} <= {*cell.slots, *_woken(before.phase, after.phase)}
        assert all(member == cell.actor for member, _ in outcome.done)
        return Effect(changes, bool(outcome.done), step)


def _mutex(system: System, target: Bound) -> int:
    """The mutex that an operation takes or gives back; -1 if none."""
    if target.verb is Verb.ACQUIRE or target.verb is Verb.RELEASE:
        return target.on
    return system.objects[target.on].mutex if target.verb is Verb.SLEEP and target.on >= 0 else -1


def _woken(before: Sequence[int], after: Sequence[int]) -> list[int]:
    """The actors that were asleep and are awake now."""
    return [actor for actor, phase in enumerate(after) if phase == 2 and before[actor] == 1]
