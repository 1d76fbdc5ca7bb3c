"""Exact symmetry of interchangeable workers: the canonical form of a state under permuting siblings with subtrees.

    key(a)    = everything about actor a, named relatively, then the sorted keys of its children
    canonical = sort the children of every control by key, take the permutation this gives, apply it to the whole state

Everything that carries an identity is permuted with the actors: their nodes and phases, the objects of their seats and
teams, owners of mutexes, and locations, actors and masks of the happens-before marks. Because the result is always a
true permutation of the state, an imperfect key can only waste states, never hide one (Clarke, Emerson, Jha and Sistla
1998 for why such groups are easy).

Sound only where siblings are interchangeable: they run one text by construction (`compose.py`); a crew whose text names
a child by its index is left out (`indexed_crews`), and said so in the verdict.
"""

from typing import Any

from cllm_sim.checker.space import State
from cllm_sim.compose import System
from cllm_sim.operations import Kind, Op
from cllm_sim.semantics import Mark, Memory


def indexed_crews(system: System, actor: int, op: Op) -> set[int]:
    """The crews (by their control) in which this operation names a child by its index."""
    crews = set()
    for name in (op.on, *op.reads, *op.writes, *op.scratch):
        side, _, rest = name.partition(".")
        if side == "actor":
            crews |= _above(system, system.actor_number(rest))
        elif rest.partition(".")[0].isdigit():
            above = system.actors[actor].parent
            crews.add(actor if side == "down" else above if above is not None else 0)
    return crews


def _above(system: System, actor: int) -> set[int]:
    """All controls above an actor: naming it tells it from its siblings, and each of them from theirs."""
    found: set[int] = set()
    above = system.actors[actor].parent
    while above is not None:
        found.add(above)
        above = system.actors[above].parent
    return found


Keys = list[tuple[Any, ...]]


class Symmetry:
    """Canonical forms of the states of one system; `crews` are the controls whose children may be permuted."""

    def __init__(self, system: System, crews: frozenset[int]) -> None:
        self.system = system
        self.crews = crews
        self.count = len(system.actors)
        blocks = list(zip(system.seat_block, system.team_block, strict=True))
        self.blocks = [(*seat, *team) for seat, team in blocks]
        self.mutexes = [item for item, thing in enumerate(system.objects) if thing.kind is Kind.MUTEX]
        self.place_of = {
            item: (actor, index) for actor, block in enumerate(self.blocks) for index, item in enumerate(block)
        }
        self.runs = [(seat.start, seat.stop, team.start, team.stop) for seat, team in blocks]
        self.parents = [actor.parent for actor in system.actors]
        self.nothing: Keys = [()] * self.count
        self._decoded: dict[int, dict[int, tuple[int, ...]]] = {}
        self.block_mutexes = [
            [index for index, item in enumerate(block) if system.objects[item].kind is Kind.MUTEX]
            for block in self.blocks
        ]

    def canonical(self, state: State) -> State:
        """The representative of a state's orbit."""
        order = self._order(state)
        return self.permute(state, self._permutation(order)) if order else state

    def renaming(self, state: State) -> list[int]:
        """The permutation that leads from a state to its representative: `renaming[actor]` is its name there."""
        return self._permutation(self._order(state))

    def _order(self, state: State) -> dict[int, list[int]]:
        """New orders of children, for the controls whose children have to change places."""
        order: dict[int, list[int]] = {}
        if self.crews:
            self._key(state, 0, order, self._related(state.memory))
        return order

    def _key(self, state: State, actor: int, order: dict[int, list[int]], related: Keys) -> Any:
        """The key of an actor's subtree; notes in `order` the controls whose children change places."""
        own = self._own_key(state, actor, related)
        children = self.system.actors[actor].children
        if not children:
            return own
        keys = [self._key(state, child, order, related) for child in children]
        if actor in self.crews:
            by_key = sorted(range(len(children)), key=keys.__getitem__)
            if by_key != list(range(len(children))):
                order[actor] = [children[index] for index in by_key]
                keys = [keys[index] for index in by_key]
        return (own, *keys)

    def _own_key(self, state: State, actor: int, related: Keys) -> Any:
        nodes, (phase, value, _) = state
        start, stop, team_start, team_stop = self.runs[actor]
        block = value[start:stop] + value[team_start:team_stop]
        if self.block_mutexes[actor]:
            block = self._relative_owners(block, actor)
        return (nodes[actor], phase[actor], block, related[actor])

    def _relative_owners(self, block: tuple[int, ...], actor: int) -> tuple[int, ...]:
        parent = self.system.actors[actor].parent
        relative = list(block)
        for index in self.block_mutexes[actor]:
            owner = block[index] - 1
            if owner >= 0:
                relative[index] = 1 if owner == actor else 2 if owner == parent else 3
        return tuple(relative)

    def _related(self, memory: Memory) -> Keys:
        """Per actor, what ties it to others: mutexes it holds outside of its own objects, and marks."""
        keys = self.mark_keys(memory.marks) if memory.marks else self.nothing
        held = [item for item in self.mutexes if memory.value[item] > 0]
        if not held:
            return keys
        found: list[list[Any]] = [[] for _ in range(self.count)]
        for item in held:
            holder = memory.value[item] - 1
            owner, index = self.place_of.get(item, (-1, item))
            if owner != holder:
                found[holder].append((0 if owner < 0 else 1 if owner == self.parents[holder] else 2, index))
        return [(tuple(sorted(entries)), key) for entries, key in zip(found, keys, strict=True)]

    def mark_keys(self, marks: tuple[Mark, ...]) -> Keys:
        """Per actor, the marks that concern it, in names relative to it: never an index of a sibling."""
        found: list[list[Any]] = [[] for _ in range(self.count)]
        for location, mode, who, mask in marks:
            owner, index = self.place_of.get(location, (-1, location))
            bits = self._decode(mask)
            for actor in {owner, who, *bits} - {-1}:
                relation = 0 if who == actor else 1 if who == self.parents[actor] else 2
                found[actor].append((owner == actor, owner < 0, index, mode, relation, bits.get(actor, ())))
        return [tuple(sorted(entries)) for entries in found]

    def _decode(self, mask: int) -> dict[int, tuple[int, ...]]:
        """The bits of a mask by the actor they belong to: -1 for the actor itself, else the index of its object.

        Bits of objects that belong to nobody stand under -1.
        """
        known = self._decoded.get(mask)
        if known is None:
            bits: dict[int, list[int]] = {}
            for bit in range(mask.bit_length()):
                if mask >> bit & 1:
                    owner, index = (bit, -1) if bit < self.count else self.place_of.get(bit - self.count, (-1, bit))
                    bits.setdefault(owner, []).append(index)
            known = self._decoded[mask] = {owner: tuple(indices) for owner, indices in bits.items()}
        return known

    def _permutation(self, order: dict[int, list[int]]) -> list[int]:
        """permutation[old actor] = new actor, for the given new orders of children (others keep theirs)."""
        permutation = list(range(self.count))
        pending = [(0, 0)]
        actors = self.system.actors
        while pending:
            old, new = pending.pop()
            permutation[old] = new
            pending.extend(zip(order.get(old, actors[old].children), actors[new].children, strict=True))
        return permutation

    def permute(self, state: State, permutation: list[int]) -> State:
        """Apply a permutation of actors to a state: a true renaming, whatever the permutation."""
        nodes, (phase, value, marks) = state
        new_nodes, new_phase, new_value = list(nodes), list(phase), list(value)
        for old, new in enumerate(permutation):
            if old != new:
                new_nodes[new] = nodes[old]
                new_phase[new] = phase[old]
                for source, target in zip(self.blocks[old], self.blocks[new], strict=True):
                    new_value[target] = value[source]
        for item in self.mutexes:
            if new_value[item] > 0:
                new_value[item] = permutation[new_value[item] - 1] + 1
        new_marks = self.permute_marks(marks, permutation) if marks else marks
        return State(tuple(new_nodes), Memory(tuple(new_phase), tuple(new_value), new_marks))

    def permute_marks(self, marks: tuple[Mark, ...], permutation: list[int]) -> tuple[Mark, ...]:
        target = list(range(len(self.system.objects)))
        for old, new in enumerate(permutation):
            for source, moved in zip(self.blocks[old], self.blocks[new], strict=True):
                target[source] = moved
        renamed = []
        for location, mode, who, mask in marks:
            wider = 0
            rest = mask
            while rest:
                low = rest & -rest
                bit = low.bit_length() - 1
                wider |= 1 << (permutation[bit] if bit < self.count else self.count + target[bit - self.count])
                rest ^= low
            renamed.append((target[location], mode, permutation[who], wider))
        return tuple(sorted(renamed))
