"""States of one level, with the order tags that travel with the data.

    World = node (situation, phase, register), values and tags of its seat and team, one Record per child

A *register* is the tag of what an actor last read; a *tag* of an object is the register of who last wrote it. Two tags
suffice: values are copied and compared, never computed with, so any mixing of two steps shows with one step marked and
the others not (data independence, Wolper 1986). Children are interchangeable, so a state is kept with its records
sorted, and everything that names a child by its number is renamed with it.

Rules of this file: a world and `semantics.Memory` say the same; the two functions between them are exact inverses.
"""

from typing import NamedTuple

from cllm_sim.compose import Bound
from cllm_sim.induction.level import Level
from cllm_sim.operations import Kind
from cllm_sim.semantics import EMPTY, FOLDED, Memory, initial

OLD, NEW, MIXED, NOTHING = 0, 1, 2, 3
"""Tags: an unmarked step, the marked step, parts of both, no order at all."""

SELF = 2
"""A child's mutex that the child itself holds, in its record: never its number."""


class Record(NamedTuple):
    """One child: where it stands, and the values and tags of its seat."""

    situation: int
    phase: int
    register: int
    values: tuple[int, ...]
    tags: tuple[int, ...]


class World(NamedTuple):
    """A state of a level; `children` are numbers of records (`Worlds.records`)."""

    node: tuple[int, int, int]
    values: tuple[int, ...]
    tags: tuple[int, ...]
    children: tuple[int, ...]


class Change(NamedTuple):
    """A state taken apart for one move: positions, memory, registers of actors, tags of objects."""

    situations: list[int]
    memory: Memory
    registers: list[int]
    tags: list[int]


def known_outside(value: int) -> int:
    """What a node knows of a region that it delivers: empty, partly summed, or delivered in this step."""
    return FOLDED if value > EMPTY else value


def other(tag: int) -> int:
    """The same tag with the two steps exchanged."""
    return 1 - tag if tag <= NEW else tag


def others(tags: tuple[int, ...]) -> tuple[int, ...]:
    """The same tags with the two steps exchanged."""
    return tuple(1 - tag if tag <= NEW else tag for tag in tags)


class Worlds:
    """Translates between worlds and memories of one level, and brings worlds into their canonical form."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.records: list[Record] = []
        self.stands: list[int] = []
        self._numbers: dict[Record, int] = {}
        self._exchanged: dict[int, int] = {}
        objects = level.system.objects
        self.count = len(level.automata)
        self.first_block = len(objects) - level.block * (self.count - 1)
        self.outside = (0,) * (self.first_block - level.shared)
        self.no_tags = [NOTHING] * len(self.outside)
        self.mutexes = [item for item, thing in enumerate(objects) if thing.kind is Kind.MUTEX]
        self.shared_mutexes = [item for item in self.mutexes if item < level.shared and item not in level.open_to]
        self.empty = initial(level.system)
        self.kept_open = [
            (item, objects[item].kind is Kind.REGION) for item in sorted(level.open_to) if item < level.shared
        ]

    def start(self) -> World:
        """The state before anybody has moved."""
        count = len(self.empty.value)
        return self.joined(Change([0] * self.count, self.empty, [NOTHING] * self.count, [NOTHING] * count))

    def number(self, record: Record) -> int:
        """The number of a record."""
        number = self._numbers.get(record)
        if number is None:
            number = self._numbers[record] = len(self.records)
            self.records.append(record)
            self.stands.append(record.situation)
        return number

    def situations(self, world: World) -> list[int]:
        """Where every text stands."""
        return [world.node[0], *map(self.stands.__getitem__, world.children)]

    def pending(self, world: World) -> list[Bound | None]:
        """The operation that every actor performs next; the one outside has none."""
        level = self.level
        found = [level.pending(actor, situation) for actor, situation in enumerate(self.situations(world))]
        found.append(None)
        return found

    def taken_apart(self, world: World) -> Change:
        """The memory and the tags of a world."""
        situations, registers = [world.node[0]], [world.node[2]]
        phases, values, tags = [world.node[1]], list(world.values), list(world.tags)
        values.extend(self.outside)
        tags.extend(self.no_tags)
        for number in world.children:
            child = self.records[number]
            situations.append(child.situation)
            phases.append(child.phase)
            registers.append(child.register)
            values.extend(child.values)
            tags.extend(child.tags)
        phases.append(0)
        if self.mutexes:
            self._own_numbers(values)
        memory = self.empty._replace(phase=tuple(phases), value=tuple(values))
        return Change(situations, memory, registers, tags)

    def joined(self, change: Change) -> World:
        """The world of a memory; what is kept outside is forgotten, save for what the node knows of its delivery."""
        level, memory = self.level, change.memory
        values = list(memory.value)
        for item, region in self.kept_open:
            values[item] = known_outside(values[item]) if region else 0
        if self.mutexes:
            self._relative(values)
        tags, start, block = change.tags, self.first_block, level.block
        children = []
        for actor in range(1, self.count):
            end = start + block
            situation, register = change.situations[actor], change.registers[actor]
            block_values, block_tags = tuple(values[start:end]), tuple(tags[start:end])
            children.append(self.number(Record(situation, memory.phase[actor], register, block_values, block_tags)))
            start = end
        node = (change.situations[0], memory.phase[0], change.registers[0])
        return World(node, tuple(values[: level.shared]), tuple(tags[: level.shared]), tuple(children))

    # --- the canonical form -------------------------------------------------------------------------------------------

    def sorted(self, world: World) -> World:
        """The same world with its children in the order of their records."""
        held = self._held(world) if self.shared_mutexes else {}
        if not held:
            return World(world.node, world.values, world.tags, tuple(sorted(world.children)))
        children = world.children
        order = sorted(range(len(children)), key=lambda index: (children[index], held.get(index, ())))
        values = list(world.values)
        for index, old in enumerate(order):
            for item in held.get(old, ()):
                values[item] = index + 2
        return World(world.node, tuple(values), world.tags, tuple(children[old] for old in order))

    def exchanged(self, world: World) -> World:
        """The same world with the two tags exchanged: nothing but their equality is ever asked."""
        situation, phase, register = world.node
        children = tuple(self._exchange(child) for child in world.children)
        return World((situation, phase, other(register)), world.values, others(world.tags), children)

    def _exchange(self, number: int) -> int:
        found = self._exchanged.get(number)
        if found is None:
            record = self.records[number]
            found = self.number(record._replace(register=other(record.register), tags=others(record.tags)))
            self._exchanged[number] = found
        return found

    def _held(self, world: World) -> dict[int, tuple[int, ...]]:
        """Per child (by index), the mutexes of the team that it holds."""
        held: dict[int, tuple[int, ...]] = {}
        for item in self.shared_mutexes:
            index = world.values[item] - 2
            if index >= 0:
                held[index] = (*held.get(index, ()), item)
        return held

    def _relative(self, values: list[int]) -> None:
        for item in self.mutexes:
            if item >= self.first_block and values[item] > 1:
                values[item] = SELF

    def _own_numbers(self, values: list[int]) -> None:
        for item in self.mutexes:
            if item >= self.first_block and values[item] == SELF:
                values[item] = (item - self.first_block) // self.level.block + 2
