"""A job on a system: which slots every operation computes and which folds it performs.

The simulator takes its sizes from here and the runtime its order of additions, so that both speak of the same work.
Rules of this file: arithmetic over `slots.py`, asked by actor and bound operation; no arrays, no time.
"""

from dataclasses import dataclass
from functools import cached_property

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Verb
from cllm_sim.slots import FoldNode, checked_slots, folds_of


@dataclass(frozen=True, slots=True)
class Piece:
    """The work of one operation: slots to compute, then folds to perform, in the caller's slice `part` of `parts`."""

    slots: range
    folds: tuple[FoldNode, ...]
    part: int = 0
    parts: int = 1

    @property
    def operands(self) -> int:
        """Gradients read by all folds of this piece."""
        return sum(len(node.operands) for node in self.folds)


NOTHING = Piece(range(0), ())


class Job:
    """The slots of a job laid over the actors of a system; raises BadRequest where a leaf would have none."""

    def __init__(self, system: System, slots: int | None = None) -> None:
        leaves = sum(actor.leaf for actor in system.actors)
        self.system = system
        self.slots = checked_slots(slots, leaves)

    @cached_property
    def ranges(self) -> tuple[range, ...]:
        """Per actor, the slots it answers for (an extra actor answers for none)."""
        share = self.system.architecture.share
        found = [range(0)] * len(self.system.actors)
        found[0] = range(self.slots)
        for number, actor in enumerate(self.system.actors):
            for index, child in enumerate(actor.children):
                part = share(index, len(actor.children), len(found[number]))
                found[child] = found[number][part.start : part.stop]
        return tuple(found)

    def region_slots(self, item: int) -> range:
        """The slots whose gradients a region holds: its owner's, its control's, or its piece of a numbered family."""
        thing = self.system.objects[item]
        if thing.owner is not None:
            return self.ranges[thing.owner]
        if thing.crew is not None:
            whole = self.ranges[thing.crew]
            if thing.number is None:
                return whole
            family = sum(other.crew == thing.crew and other.field == thing.field for other in self.system.objects)
            part = self.system.architecture.share(thing.number, family, len(whole))
            return whole[part.start : part.stop]
        return range(self.slots)

    def piece(self, actor: int, bound: Bound) -> Piece:
        """What an operation of this actor has to do."""
        if bound.verb is Verb.COMPUTE:
            target = self.system.objects[bound.writes[0]]
            slots = self.region_slots(bound.writes[0]) if target.number is not None else self.ranges[actor]
            return Piece(slots, folds_of(slots, (), self.slots))
        if bound.verb is Verb.FOLD:
            own = self.region_slots(bound.writes[0])
            folds = folds_of(own, [self.region_slots(item) for item in bound.reads], self.slots)
            parts = bound.op.value
            return Piece(range(0), folds, self._part(actor, bound) if parts > 1 else 0, parts)
        return NOTHING

    def _part(self, actor: int, bound: Bound) -> int:
        """The slice of a caller: a child's index; for a control that takes one, too, the one after its children's."""
        me, first = self.system.actors[actor], self.system.objects[bound.reads[0]]
        return len(me.children) if first.owner in me.children or first.crew == actor else me.index
