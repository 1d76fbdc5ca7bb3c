"""Packed states of one search: the fields of `layout`, above them the number of the marks, and canonical forms.

    packed = fields | number of the marks << width

Canonical form under permuting siblings with their subtrees: from the innermost controls outwards, the blocks of a
control's children are sorted; equal blocks by what the marks say of their actors, in names relative to each. Because
the result is always a true permutation of the state, an imperfect key can only waste states, never hide one (Clarke,
Emerson, Jha and Sistla 1998 for why such groups are easy).

Rules of this file: it moves runs of bits and renumbers marks; what a field says is known to `layout` alone.
"""

from cllm_sim.checker.layout import Layout
from cllm_sim.checker.marks import Marks
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.symmetry import Symmetry
from cllm_sim.checker.table import Table
from cllm_sim.semantics import Fault


class Packing:
    """Everything that turns states into integers and back, for one system and one choice of symmetric crews."""

    def __init__(self, space: Space, crews: frozenset[int], bits: int, merged: bool) -> None:
        self.space = space
        self.layout = Layout(space, bits, merged)
        self.table = Table(space, self.layout)
        self.marks = Marks(space.system, self.table.events)
        self.symmetry = Symmetry(space.system, crews)
        self.width = self.layout.width
        self.fields = (1 << self.width) - 1
        actors = space.system.actors
        self.sizes = [_subtree(space, number) for number in range(len(actors))]
        self.levels = [
            (
                number,
                actors[number].children,
                [self.layout.start[child] for child in actors[number].children],
                (1 << self.layout.size[actors[number].children[0]]) - 1,
                self.sizes[actors[number].children[0]],
            )
            for number in sorted(crews, reverse=True)
        ]
        self._mark_codes: dict[object, int] = {(): 0}
        self._mark_keys: list[list[int] | None] = [None]
        self._renumbered: dict[tuple[int, tuple[int, ...]], int] = {}

    # --- in and out ---------------------------------------------------------------------------------------------------
    def start(self) -> int:
        """The start, packed."""
        return self.canonical(self.pack(self.space.start()))

    def pack(self, state: State) -> int:
        """A state as one integer."""
        return self.layout.encode(state) | self.marks.number(state.memory.marks) << self.width

    def unpack(self, packed: int) -> State:
        """The state that an integer stands for."""
        state = self.layout.decode(packed & self.fields)
        marks = self.marks.things[packed >> self.width]
        return State(state.nodes, state.memory._replace(marks=marks)) if marks else state

    def marked(self, packed: int, events: int) -> tuple[int, tuple[Fault, ...]]:
        """The state with what a step does to the marks, and the races that the step shows."""
        number = packed >> self.width
        after, faults = self.marks.after(number, events)
        return packed ^ (number ^ after) << self.width, faults

    # --- canonical forms ----------------------------------------------------------------------------------------------
    def canonical(self, packed: int) -> int:
        """The representative of a state's orbit."""
        number = packed >> self.width
        if number:
            return self._arranged(packed, number)[0]
        for _, _, starts, mask, _ in self.levels:
            blocks = [packed >> start & mask for start in starts]
            ranked = sorted(blocks)
            if ranked != blocks:
                for start, block, new in zip(starts, blocks, ranked, strict=True):
                    packed ^= (block ^ new) << start
        return packed

    def renaming(self, packed: int) -> list[int]:
        """The permutation that leads from a state to its representative: `renaming[actor]` is its name there."""
        old_at = self._arranged(packed, packed >> self.width)[1]
        renaming = [0] * len(old_at)
        for new, old in enumerate(old_at):
            renaming[old] = new
        return renaming

    def _arranged(self, packed: int, number: int) -> tuple[int, list[int]]:
        """The representative, and which actor of the state stands where in it."""
        keys = self._keys(number)
        old_at = list(range(len(self.sizes)))
        moved = False
        for _, children, starts, mask, size in self.levels:
            ranked = [
                (packed >> start & mask, tuple([keys[old] for old in old_at[child : child + size]]), index)
                for index, (child, start) in enumerate(zip(children, starts, strict=True))
            ]
            order = sorted(ranked)
            if order == ranked:
                continue
            moved = True
            before = old_at[children[0] : children[-1] + size]
            for place, (block, _, index) in enumerate(order):
                packed ^= (ranked[place][0] ^ block) << starts[place]
                target = children[place]
                old_at[target : target + size] = before[index * size : (index + 1) * size]
        if moved and number:
            packed ^= (number ^ self._renamed(number, tuple(old_at))) << self.width
        return packed, old_at

    def _keys(self, number: int) -> list[int]:
        """Per actor, a number for what the marks say of it in names relative to it."""
        while len(self._mark_keys) <= number:
            self._mark_keys.append(None)
        known = self._mark_keys[number]
        if known is None:
            found = self.symmetry.mark_keys(self.marks.things[number])
            known = [self._mark_codes.setdefault(key, len(self._mark_codes)) for key in found]
            self._mark_keys[number] = known
        return known

    def _renamed(self, number: int, old_at: tuple[int, ...]) -> int:
        key = (number, old_at)
        known = self._renumbered.get(key)
        if known is None:
            renaming = [0] * len(old_at)
            for new, old in enumerate(old_at):
                renaming[old] = new
            known = self.marks.number(self.symmetry.permute_marks(self.marks.things[number], renaming))
            self._renumbered[key] = known
        return known


def _subtree(space: Space, actor: int) -> int:
    """How many actors a subtree has."""
    return 1 + sum(_subtree(space, child) for child in space.system.actors[actor].children)
