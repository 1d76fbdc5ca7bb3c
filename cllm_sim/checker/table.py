"""Successors by table: what an operation does is asked of `semantics.effects` once per local situation, then looked up.

A row stands for one actor at one point of its text; its mask covers the fields that the effect of the operation depends
on, its table leads from their contents to the moves. A move is one exclusive-or on the packed state, because all fields
that it changes are among those that it was looked up by. An entry may lead to a further row, where more fields matter
only sometimes: who is parked matters to the last arrival at a barrier, and to nobody else.

Rules of this file: it knows on what an effect depends (`_footprint`), never what the effect is. That a footprint is
wide enough is checked by `tests/checker/test_table.py` against whole states; that a move stays within its fields is
asserted whenever an entry is made.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Union

from cllm_sim.checker.layout import ELSEWHERE, Layout
from cllm_sim.checker.space import Space
from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Verb
from cllm_sim.semantics import (
    DESTROYED,
    PART,
    PLAIN,
    READ,
    Event,
    Fault,
    Memory,
    Outcome,
    accesses,
    effects,
)


class Move(NamedTuple):
    """What a step does: the change of the packed state, and what is to be told of it."""

    change: int
    events: int
    faults: tuple[Fault, ...]
    choice: str
    chosen: bool
    done: tuple[tuple[int, int], ...]


PARKS = frozenset({Verb.NOTIFY, Verb.NOTIFY_ALL, Verb.DESTROY})
"""Verbs to whom it matters who is parked, if anybody is."""

Entry = Union[tuple[Move, ...], "Row"]


@dataclass(slots=True, eq=False)
class Row:
    """One actor at one point of its text: the fields its next step depends on, and the moves by their contents.

    `reads`, `writes` and `parts` are the plain accesses as sets of locations, `touches` all of them; `mutex` is the one
    it needs before it can go on (-1: none). A row for an operation under the cursor has none of these; those behind do.
    """

    actor: int
    bound: Bound
    phase: int
    mask: int
    deep: int = 0
    reads: int = 0
    writes: int = 0
    parts: int = 0
    touches: int = 0
    mutex: int = -1
    table: dict[int, Entry] = field(default_factory=dict)


class Table:
    """The rows of one system under one layout."""

    def __init__(self, space: Space, layout: Layout) -> None:
        self.space = space
        self.system: System = space.system
        self.layout = layout
        self.rows: list[list[Row | None]] = [[] for _ in self.system.actors]
        self.users: dict[int, list[int]] = {}
        self.dependent: dict[int, list[Row]] = {}
        self._by_cursor: set[int] = set()
        self.events: list[tuple[Event, ...]] = [()]
        self._event_codes: dict[tuple[Event, ...], int] = {(): 0}
        self._initial = tuple(item.initial for item in self.system.objects)
        self._regions = [n for n, item in enumerate(self.system.objects) if item.kind is Kind.REGION]

    def event_code(self, events: tuple[Event, ...]) -> int:
        """A number for what a step does to the marks; 0: nothing."""
        known = self._event_codes
        if events not in known:
            known[events] = len(self.events)
            self.events.append(events)
        return known[events]

    # --- rows ---------------------------------------------------------------------------------------------------------
    def row(self, actor: int, code: int) -> Row | None:
        """The row of an actor whose field says `code`; None where it has finished or can only be moved by others."""
        rows = self.rows[actor]
        things = self.layout.situations[self.layout.kind[actor]].things
        while len(rows) < len(things):
            rows.append(self._made(actor, len(rows)))
        return rows[code]

    def _made(self, actor: int, code: int) -> Row | None:
        node, phase = self.layout.situations[self.layout.kind[actor]].things[code]
        bound = self.space.bound_at(actor, node)
        if bound is None:
            return None
        if bound.verb in (Verb.WAIT, Verb.SLEEP) and not bound.at:
            self._note_user(actor, bound.on)
        if phase == 1 and (bound.verb is Verb.WAIT or not self.system.spurious):
            return None
        if bound.at:
            self._by_cursor.add(actor)
            return Row(actor, bound, phase, self._fields(self._cursors(actor)))
        return self._plain(actor, bound, phase)

    def _plain(self, actor: int, bound: Bound, phase: int) -> Row:
        row = Row(actor, bound, phase, self._mask(actor, bound, phase))
        if bound.verb in PLAIN:
            for location, mode in accesses(bound):
                bit = 1 << location
                if mode == READ:
                    row.reads |= bit
                elif mode == PART:
                    row.parts |= bit
                else:
                    row.writes |= bit
        row.touches = row.reads | row.writes | row.parts
        if bound.verb is Verb.ACQUIRE:
            row.mutex = bound.on
        elif bound.verb is Verb.SLEEP and phase == 2:
            row.mutex = self.system.objects[bound.on].mutex
        return row

    def _note_user(self, actor: int, item: int) -> None:
        """Somebody more may be parked at an object: rows that depend on who is there see one field more."""
        users = self.users.setdefault(item, [])
        if actor in users:
            return
        users.append(actor)
        for row in self.dependent.get(item, ()):
            row.mask |= self._place_mask(actor)
            row.table.clear()

    def _place_mask(self, actor: int) -> int:
        """The fields that tell where an actor may be parked."""
        mask = self.layout.field << self.layout.local[actor]
        return mask | self._fields(self._cursors(actor)) if actor in self._by_cursor else mask

    def _cursors(self, actor: int) -> list[int]:
        return [self.system.cursor[child] for child in self.system.actors[actor].children]

    # --- what an effect depends on ------------------------------------------------------------------------------------
    def _fields(self, items: Iterable[int]) -> int:
        mask = 0
        for item in items:
            mask |= self.layout.field << self.layout.value[item]
            if item in self.layout.count:
                mask |= self.layout.field << self.layout.count[item]
        return mask

    def _mask(self, actor: int, bound: Bound, phase: int) -> int:
        mask = self._fields(self._footprint(actor, bound))
        if bound.verb is Verb.JOIN:
            mask |= self.layout.field << self.layout.local[bound.on]
        if bound.verb in (Verb.ACQUIRE, Verb.RELEASE, Verb.SLEEP):
            mask |= self.layout.field << self.layout.holds[actor]
        return mask

    def _footprint(self, actor: int, bound: Bound) -> list[int]:
        """The objects whose values an operation looks at or changes."""
        if bound.verb in (Verb.CHOOSE, Verb.JOIN):
            return []
        if bound.verb is Verb.NEXT:
            return self._cursors(actor)
        if bound.verb is Verb.UPDATE:
            return list(self._regions)
        if bound.verb in (Verb.COMPUTE, Verb.FOLD):
            return [*(bound.reads if bound.verb is Verb.FOLD else ()), *bound.writes]
        if bound.verb is Verb.SLEEP:
            return [bound.on, self.system.objects[bound.on].mutex]
        return [bound.on]

    def _further(self, row: Row, packed: int) -> Row | None:
        """The row behind this one, where more fields matter in this state."""
        bound, layout = row.bound, self.layout
        if bound.at:
            return self._under_cursor(row, packed)
        if row.deep:
            return None
        item, verb = bound.on, bound.verb
        if verb is Verb.WAIT and row.phase == 0:
            here = packed >> layout.count[item] & layout.field
            if here + 1 >= self.system.objects[item].parties:
                return self._with_users(row, item)
        elif verb in PARKS and item in layout.count and packed >> layout.count[item] & layout.field:
            return self._with_users(row, item)
        mutex = self._given_back(row)
        if mutex < 0 or packed >> layout.value[mutex] & layout.field != ELSEWHERE:
            return None
        if verb is not Verb.DESTROY and mutex in layout.held(packed, row.actor):
            return None
        everybody = sum(layout.field << place for place in layout.holds)
        return Row(row.actor, bound, row.phase, row.mask | everybody, deep=1)

    def _given_back(self, row: Row) -> int:
        """The mutex that a step gives back or destroys; -1 if none."""
        verb, item = row.bound.verb, row.bound.on
        if verb is Verb.RELEASE or (verb is Verb.DESTROY and self.system.objects[item].kind is Kind.MUTEX):
            return item
        return self.system.objects[item].mutex if verb is Verb.SLEEP and row.phase == 0 else -1

    def _with_users(self, row: Row, item: int) -> Row:
        mask = row.mask
        for user in self.users.get(item, ()):
            mask |= self._place_mask(user)
        found = Row(row.actor, row.bound, row.phase, mask, deep=1)
        self.dependent.setdefault(item, []).append(found)
        return found

    def _under_cursor(self, row: Row, packed: int) -> Row | None:
        system, layout = self.system, self.layout
        for index, child in enumerate(system.actors[row.actor].children):
            if layout.value_of(packed, system.cursor[child]) == 1:
                variant = row.bound.at[index]
                if variant.verb in (Verb.WAIT, Verb.SLEEP):
                    self._note_user(row.actor, variant.on)
                found = self._plain(row.actor, variant, row.phase)
                found.mask |= row.mask
                return found
        return None

    # --- entries ------------------------------------------------------------------------------------------------------
    def moves(self, row: Row, packed: int) -> tuple[Move, ...]:
        """What the actor of a row can do in a state."""
        entry: Entry | None = row.table.get(packed & row.mask)
        while True:
            if entry is None:
                entry = self._entered(row, packed)
            if type(entry) is tuple:
                return entry
            assert isinstance(entry, Row)
            row, entry = entry, entry.table.get(packed & entry.mask)

    def waits(self, row: Row, packed: int) -> bool:
        """Does the actor of a row wait for a mutex that somebody else holds?"""
        return self._value(row, packed, row.mutex) not in (0, DESTROYED, row.actor + 1)

    def last(self, row: Row, packed: int) -> Row:
        """The row that decides in this state."""
        entry = row.table.get(packed & row.mask)
        while isinstance(entry, Row):
            row, entry = entry, entry.table.get(packed & entry.mask)
        return row

    def _entered(self, row: Row, packed: int) -> Entry:
        further = self._further(row, packed)
        entry: Entry = further if further is not None else self._asked(row, packed)
        row.table[packed & row.mask] = entry
        return entry

    def _asked(self, row: Row, packed: int) -> tuple[Move, ...]:
        """Ask the semantics, in a state that is blank outside the fields of the row."""
        actors, memory, pending = self._blank(row, packed)
        nodes = {actor: self.layout.situation(packed, actor)[0] for actor in actors}
        found = effects(self.system, pending, memory, row.actor)
        moves = []
        for outcome in found:
            change = packed ^ self._after(row, packed, memory, outcome, nodes)
            assert not change & ~(row.mask | self.layout.field << self.layout.local[row.actor]), row.bound.op
            moves.append(
                Move(
                    change,
                    self.event_code(outcome.events),
                    outcome.faults,
                    outcome.choice,
                    row.bound.verb is Verb.CHOOSE,
                    outcome.done,
                )
            )
        return tuple(moves)

    def _blank(self, row: Row, packed: int) -> tuple[list[int], Memory, list[Bound | None]]:
        layout, system = self.layout, self.system
        actors = self._concerned(row)
        phase = [0] * len(system.actors)
        pending: list[Bound | None] = [None] * len(system.actors)
        for actor in actors:
            node, phase[actor] = layout.situation(packed, actor)
            pending[actor] = self.space.bound_at(actor, node)
        value = list(self._initial)
        for item in self._looked_at(row):
            value[item] = self._value(row, packed, item)
        return actors, Memory(tuple(phase), tuple(value), ()), pending

    def _looked_at(self, row: Row) -> list[int]:
        """The objects whose values are looked at or changed, cursors first."""
        found = [item for actor in self._concerned(row) if actor in self._by_cursor for item in self._cursors(actor)]
        return found if row.bound.at else [*found, *self._footprint(row.actor, row.bound)]

    def _value(self, row: Row, packed: int, item: int) -> int:
        """The value of an object as far as the fields of the row tell it: a mutex may be held by just anybody else."""
        layout = self.layout
        if self.system.objects[item].kind is not Kind.MUTEX:
            return layout.value_of(packed, item)
        code = packed >> layout.value[item] & layout.field
        if code != ELSEWHERE:
            return layout.plain_owner(item, code)
        if item in layout.held(packed, row.actor):
            return row.actor + 1
        if row.deep:
            return layout.value_of(packed, item)
        return (row.actor + 1) % len(self.system.actors) + 1

    def _concerned(self, row: Row) -> list[int]:
        """The actors whose place in their text matters: the one who moves, and who may be parked or joined."""
        found = [row.actor]
        if row.bound.verb is Verb.JOIN and row.bound.on != row.actor:
            found.append(row.bound.on)
        elif row.deep and row.bound.verb in (Verb.WAIT, *PARKS):
            found.extend(user for user in self.users.get(row.bound.on, ()) if user != row.actor)
        return found

    def _after(self, row: Row, packed: int, before: Memory, outcome: Outcome, nodes: dict[int, int]) -> int:
        """The packed state after an outcome."""
        layout, memory = self.layout, outcome.memory
        moved = {actor: self.space.step(actor, nodes[actor], reply) for actor, reply in outcome.done}
        for actor, node in nodes.items():
            situation = (moved.get(actor, node), memory.phase[actor])
            code = layout.situation_code(actor, situation)
            packed = self._put(packed, layout.local[actor], code)
        for item in self._looked_at(row):
            if before.value[item] != memory.value[item]:
                packed = self._set(row, packed, item, memory.value[item])
        return self._counted(row, packed, before, memory, outcome)

    def _put(self, packed: int, place: int, code: int) -> int:
        return packed & ~(self.layout.field << place) | code << place

    def _set(self, row: Row, packed: int, item: int, value: int) -> int:
        layout = self.layout
        if self.system.objects[item].kind is not Kind.MUTEX:
            return self._put(packed, layout.value[item], layout.values[item].code(value))
        was = packed >> layout.value[item] & layout.field
        if was == ELSEWHERE:
            holder = row.actor if not row.deep else layout.value_of(packed, item) - 1
            held = [other for other in layout.held(packed, holder) if other != item]
            packed = self._put(packed, layout.holds[holder], layout.holding(holder, held))
        code = layout.mutex_code(item, value)
        if code == ELSEWHERE:
            holder = value - 1
            packed = self._put(
                packed, layout.holds[holder], layout.holding(holder, [*layout.held(packed, holder), item])
            )
        return self._put(packed, layout.value[item], code)

    def _counted(self, row: Row, packed: int, before: Memory, after: Memory, outcome: Outcome) -> int:
        """The number of actors parked where this step parks or wakes somebody."""
        item = row.bound.on
        place = self.layout.count.get(item)
        if place is None or row.bound.verb is Verb.DESTROY:
            return packed
        parked = sum((after.phase[actor] == 1) - (before.phase[actor] == 1) for actor in self._concerned(row))
        here = (packed >> place & self.layout.field) + parked
        return self._put(packed, place, self.layout.counted(here))
