"""Where everything of a state lies in one integer, and how it is written there.

A packed state is one integer of equal fields. Every actor has a block: where its text stands, the mutexes it holds
elsewhere, the objects of its seat and of its team, then the blocks of its children. So a subtree is one run of bits,
and children change places by moving runs.

    lowest:  shared objects | further single actors | root's block [local, holds, objects..., child 0's block, ...]

Nothing in a block names an actor or an object by its number: a mutex says that it is free, destroyed, held by the
actor whose block it lies in, by that actor's parent, or elsewhere, and then the holder's field `holds` says by the way
to it which one it is. Barriers and conditions have one more field, the number of actors parked at them; it follows from
the rest and makes an arrival depend on two fields instead of everybody's.

Rules of this file: `decode(encode(state)) == state`, always; codes are given in the order of first use, the start of
everything is code 0. A code that does not fit raises `TooNarrow`; whoever packs starts again with wider fields.
"""

from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

from cllm_sim.checker.merging import same_from_here
from cllm_sim.checker.space import Space, State
from cllm_sim.compose import System
from cllm_sim.operations import Kind, Verb
from cllm_sim.semantics import DESTROYED, Memory, parked

T = TypeVar("T", bound=Hashable)

FREE, GONE, OWN, PARENTS, ELSEWHERE = range(5)
"""What the field of a mutex says: free, destroyed, held by the actor of its block, by the parent of that actor, or by
somebody who notes it in `holds`."""

Situation = tuple[int, int]
"""Node of the automaton, phase."""

Reference = tuple[int, tuple[int, ...], int]
"""The way from a holder to a mutex: levels up (-1: a shared object, -2: from outside the tree), children down, index in
the block (in all objects for negative levels)."""


class TooNarrow(Exception):
    """A field needs more bits."""


class Codes(Generic[T]):
    """Things and their codes, in the order of first use."""

    def __init__(self, first: T, limit: int) -> None:
        self.things = [first]
        self.limit = limit
        self._known = {first: 0}

    def code(self, thing: T) -> int:
        """The code of a thing; raises TooNarrow where the field has no room for a new one."""
        found = self._known.get(thing)
        if found is None:
            found = len(self.things)
            if found >= self.limit:
                raise TooNarrow
            self._known[thing] = found
            self.things.append(thing)
        return found


class Layout:
    """The fields of one system's states; `bits` wide each."""

    def __init__(self, space: Space, bits: int = 8, merged: bool = False) -> None:
        self.space = space
        self.system: System = space.system
        self.bits = bits
        self.same = [same_from_here(automaton) if merged else [] for automaton in space.automata]
        self._alias: dict[tuple[int, int], Situation] = {}
        self.field = (1 << bits) - 1
        limit = 1 << bits
        system = self.system
        self.home = [_home(system, item) for item in range(len(system.objects))]
        self.local: list[int] = [0] * len(system.actors)
        self.holds: list[int] = [0] * len(system.actors)
        self.value: list[int] = [0] * len(system.objects)
        self.count: dict[int, int] = {}
        self.start: list[int] = [0] * len(system.actors)
        self.size: list[int] = [0] * len(system.actors)
        self.own_size: list[int] = [0] * len(system.actors)
        self._fields = 0
        self._place()
        self.width = self._fields * bits
        self.situations: list[Codes[Situation]] = [Codes((0, 0), limit) for _ in system.texts]
        self.kind = [actor.kind for actor in system.actors]
        groups: dict[tuple[str, Kind, bool, bool], Codes[int]] = {}
        self.values: list[Codes[int]] = []
        for item in system.objects:
            key = (item.field, item.kind, item.owner is None, item.crew is None)
            self.values.append(groups.setdefault(key, Codes(item.initial, limit)))
        self.references: Codes[tuple[Reference, ...]] = Codes((), limit)
        self.is_mutex = [thing.kind is Kind.MUTEX for thing in system.objects]
        self.mutexes = [item for item, thing in enumerate(system.objects) if thing.kind is Kind.MUTEX]

    def _place(self) -> None:
        system = self.system
        for item in range(len(system.objects)):
            if self.home[item] is None:
                self._object(item)
        for number, actor in enumerate(system.actors):
            if actor.parent is None and actor.index == -1 and number != 0:
                self._actor(number)
        self._subtree(0)

    def _next(self) -> int:
        self._fields += 1
        return (self._fields - 1) * self.bits

    def _object(self, item: int) -> None:
        self.value[item] = self._next()
        if self.system.objects[item].kind in (Kind.BARRIER, Kind.CONDITION):
            self.count[item] = self._next()

    def _actor(self, number: int) -> None:
        self.start[number] = self._fields * self.bits
        self.local[number] = self._next()
        self.holds[number] = self._next()
        for item in (*self.system.seat_block[number], *self.system.team_block[number]):
            self._object(item)
        self.own_size[number] = self.size[number] = self._fields * self.bits - self.start[number]

    def _subtree(self, root: int) -> None:
        """Blocks of a subtree, every control before its children (without recursion: trees may be deep)."""
        pending = [(root, False)]
        while pending:
            number, placed = pending.pop()
            if placed:
                self.size[number] = self._fields * self.bits - self.start[number]
                continue
            self._actor(number)
            pending.append((number, True))
            pending.extend((child, False) for child in reversed(self.system.actors[number].children))

    # --- one field ----------------------------------------------------------------------------------------------------
    def situation(self, packed: int, actor: int) -> Situation:
        """Node and phase of an actor."""
        return self.situations[self.kind[actor]].things[packed >> self.local[actor] & self.field]

    def situation_code(self, actor: int, situation: Situation) -> int:
        """The code of where an actor stands; where situations are merged, that of the first that goes on like it.

        An actor that was woken and needs its mutex again then stands where it would stand if it came to take that mutex
        for the first time: no step tells the two apart.
        """
        kind, (node, phase) = self.kind[actor], situation
        same = self.same[kind]
        if node < len(same):
            situation = self._as_new(actor, same[node]) if phase == 2 else (same[node], phase)
        return self.situations[kind].code(situation)

    def _as_new(self, actor: int, node: int) -> Situation:
        key = (self.kind[actor], node)
        if key not in self._alias:
            self._alias[key] = self._taking(actor, node) or (node, 2)
        return self._alias[key]

    def _taking(self, actor: int, node: int) -> Situation | None:
        """Where the actor would take the mutex of a sleep and go on as after it."""
        sleep, same = self.space.bound_at(actor, node), self.same[self.kind[actor]]
        edges = self.space.automata[self.kind[actor]].edges
        after = edges[node].get(0, len(same))
        if sleep is None or sleep.at or after >= len(same):
            return None
        for other in range(len(same)):
            bound = self.space.bound_at(actor, other)
            taken = bound is not None and bound.verb is Verb.ACQUIRE and not bound.at
            following = edges[other].get(0, len(same)) if taken else len(same)
            alike = following < len(same) and same[following] == same[after]
            if bound is not None and alike and bound.on == self.system.objects[sleep.on].mutex:
                return same[other], 0
        return None

    def held(self, packed: int, actor: int) -> list[int]:
        """The mutexes that an actor holds elsewhere."""
        code = packed >> self.holds[actor] & self.field
        return [self.referred(actor, reference) for reference in self.references.things[code]] if code else []

    def value_of(self, packed: int, item: int) -> int:
        """The value of an object; of a mutex held elsewhere, its owner is looked for among all actors."""
        code = packed >> self.value[item] & self.field
        if self.system.objects[item].kind is not Kind.MUTEX:
            return self.values[item].things[code]
        if code == ELSEWHERE:
            return next(actor for actor in range(len(self.holds)) if item in self.held(packed, actor)) + 1
        return self.plain_owner(item, code)

    def plain_owner(self, item: int, code: int) -> int:
        """The value of a mutex whose field tells it all."""
        if code <= GONE:
            return DESTROYED if code == GONE else 0
        home = self.home[item]
        assert home is not None
        above = home if code == OWN else self.system.actors[home].parent
        assert above is not None
        return above + 1

    def mutex_code(self, item: int, value: int) -> int:
        """What the field of a mutex says for a value."""
        if value <= 0:
            return GONE if value else FREE
        home = self.home[item]
        if home is None:
            return ELSEWHERE
        return OWN if value - 1 == home else PARENTS if value - 1 == self.system.actors[home].parent else ELSEWHERE

    # --- the way to a mutex -------------------------------------------------------------------------------------------
    def reference(self, actor: int, item: int) -> Reference:
        """The way from an actor to a mutex."""
        home, actors = self.home[item], self.system.actors
        if home is None or (actor and actors[actor].parent is None):
            return (-1 if home is None else -2, (), item)
        line, up = _line(self.system, home), 0
        above: int | None = actor
        while above not in line:
            assert above is not None
            above, up = actors[above].parent, up + 1
        down = tuple(actors[number].index for number in line[line.index(above) + 1 :])
        return up, down, self._block(home).index(item)

    def referred(self, actor: int, reference: Reference) -> int:
        """The mutex at the end of the way."""
        up, down, index = reference
        if up < 0:
            return index
        for _ in range(up):
            above = self.system.actors[actor].parent
            assert above is not None
            actor = above
        for child in down:
            actor = self.system.actors[actor].children[child]
        return self._block(actor)[index]

    def _block(self, actor: int) -> list[int]:
        return [*self.system.seat_block[actor], *self.system.team_block[actor]]

    # --- whole states -------------------------------------------------------------------------------------------------
    def encode(self, state: State) -> int:
        """A state as an integer, without its marks."""
        nodes, (phase, value, _) = state
        packed = 0
        for actor, situation in enumerate(zip(nodes, phase, strict=True)):
            packed |= self.situation_code(actor, situation) << self.local[actor]
        elsewhere: dict[int, list[int]] = {}
        for item, thing in enumerate(self.system.objects):
            if thing.kind is Kind.MUTEX:
                code = self.mutex_code(item, value[item])
                if code == ELSEWHERE:
                    elsewhere.setdefault(value[item] - 1, []).append(item)
            else:
                code = self.values[item].code(value[item])
            packed |= code << self.value[item]
        for actor, items in elsewhere.items():
            packed |= self.holding(actor, items) << self.holds[actor]
        pending = self.space.pending(nodes)
        for item, place in self.count.items():
            packed |= self.counted(len(parked(self.system, pending, state.memory, item))) << place
        return packed

    def holding(self, actor: int, items: Sequence[int]) -> int:
        """The code of the field `holds` of an actor that holds these mutexes elsewhere."""
        return self.references.code(tuple(sorted(self.reference(actor, item) for item in items)))

    def counted(self, number: int) -> int:
        """A number of parked actors, as its field holds it."""
        if number > self.field:
            raise TooNarrow
        return number

    def decode(self, packed: int) -> State:
        """The state that an integer stands for, without its marks."""
        actors = range(len(self.local))
        situations = [self.situation(packed, actor) for actor in actors]
        value = [
            0 if self.is_mutex[item] else self.values[item].things[packed >> place & self.field]
            for item, place in enumerate(self.value)
        ]
        for item in self.mutexes:
            code = packed >> self.value[item] & self.field
            value[item] = 0 if code == ELSEWHERE else self.plain_owner(item, code)
        for actor in actors:
            for item in self.held(packed, actor):
                value[item] = actor + 1
        nodes = tuple(node for node, _ in situations)
        return State(nodes, Memory(tuple(phase for _, phase in situations), tuple(value), ()))


def _home(system: System, item: int) -> int | None:
    thing = system.objects[item]
    return thing.owner if thing.owner is not None else thing.crew


def _line(system: System, actor: int) -> list[int]:
    """All controls above an actor, from the root, and the actor."""
    line: list[int] = []
    above: int | None = actor
    while above is not None:
        line.append(above)
        above = system.actors[above].parent
    return line[::-1]
