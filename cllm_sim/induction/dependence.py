"""What the moves of one actor depend on, so that a move found once need not be found again.

A child's read, write or computation depends on the child and on what all share; an arrival at a barrier on who has
arrived. Everything else (sleeping, waking, cursors) may depend on everybody and is never remembered. The same
knowledge says which arrivals may be made at once.

Rules of this file: it compares and counts; what a move does was found by `moves.py`, from the semantics.
"""

from typing import Any

from cllm_sim.compose import Bound
from cllm_sim.induction.actions import Move, Offer
from cllm_sim.induction.level import Level
from cllm_sim.induction.world import Record, World, Worlds
from cllm_sim.operations import Verb

Key = tuple[Any, ...]
Known = tuple[list[tuple[Move, bool]], list[Offer]]
"""Remembered moves of an actor (does each change shared objects?) and offers."""


def kept_of(world: World, actor: int, move: Move, key: Key) -> tuple[Move, bool] | None:
    """A move to be remembered under a key, and whether it changes shared objects; None if it changed anything else."""
    after = move.after
    index = actor - 1
    for position, (old, new) in enumerate(zip(world.children, after.children, strict=True)):
        if position != index and old != new:
            return None
    if actor and after.node != world.node:
        return None
    alone = len(key) == 3 and isinstance(key[2], int)  # at a barrier: the key does not know the shared objects
    if alone and (after.values, after.tags) != (world.values, world.tags):
        return None
    return move._replace(actor=index), not alone


def again(world: World, actor: int, move: Move, shared: bool) -> Move:
    """A remembered move, made by this actor in this world."""
    after = move.after
    values, tags = (after.values, after.tags) if shared else (world.values, world.tags)
    if actor == 0:
        return move._replace(actor=0, after=World(after.node, values, tags, world.children))
    index = actor - 1
    child = after.children[move.actor]
    children = (*world.children[:index], child, *world.children[actor:])
    answers = tuple((index, answer) for _, answer in move.answers)
    return Move(actor, move.action, World(world.node, values, tags, children), move.faults, move.choice, answers)


DEPEND_ON_ALL = frozenset({Verb.SLEEP, Verb.NOTIFY, Verb.NOTIFY_ALL, Verb.JOIN, Verb.DESTROY, Verb.NEXT})
"""Verbs whose outcome may depend on where others stand."""


class Dependence:
    """What the moves of the actors of one level depend on."""

    def __init__(self, level: Level, worlds: Worlds) -> None:
        self.level = level
        self.worlds = worlds
        self._narrowed: dict[Bound, bool] = {}
        self._parked_at: list[int] = []
        self._destroying = (0, False)

    def key(self, world: World, actor: int, number: int) -> Key | None:
        """What the moves of an actor (a child: with this record) depend on; None where it may be anything."""
        return self._child_key(world, number) if actor else self._node_key(world)

    def early(self, world: World) -> tuple[int, int] | None:
        """An actor whose arrival may be made at once, before anything else, and its record; None if there is none.

        Where a barrier counts exactly the node and its children, nobody passes it before all have arrived. So an
        arrival commutes with everything that the others do, is seen by nobody, and cannot be repeated for ever
        (confluence of silent steps, Groote and van de Pol 2000). The last one releases everybody: it is not among them.
        """
        for actor, number in enumerate((-1, *world.children)):
            bound = self._arrives_at(world, actor, number)
            if bound is not None and self.arrived(world, bound.on) + 1 < self.worlds.count:
                return actor, number
        return None

    def _arrives_at(self, world: World, actor: int, child: int) -> Bound | None:
        """The operation of an actor that is about to arrive at a barrier which counts exactly this level."""
        situation, phase = self.worlds.records[child][:2] if actor else world.node[:2]
        bound = self.level.pending(actor, situation) if phase == 0 else None
        if bound is None or bound.verb is not Verb.WAIT or bound.on >= self.level.shared:
            return None
        exact = self.level.system.objects[bound.on].parties == self.worlds.count and not self._destroys()
        return bound if exact and bound.on not in self.level.open_to else None

    def _destroys(self) -> bool:
        """Does any text end the life of an object? Then somebody observes who has arrived."""
        automata = (self.level.automata[0], self.level.automata[-1])
        known = sum(len(automaton.op) for automaton in automata)
        if known != self._destroying[0]:
            found = any(op is not None and op.verb is Verb.DESTROY for automaton in automata for op in automaton.op)
            self._destroying = (known, found)
        return self._destroying[1]

    def _node_key(self, world: World) -> Key | None:
        """What the moves of the node depend on; None where they may depend on anything."""
        bound = self.level.pending(0, world.node[0])
        if bound is None or not self.narrow(bound, range(self.worlds.first_block)):
            return None
        if bound.verb is Verb.WAIT:
            return (-1, world.node, self.arrived(world, bound.on))
        return (-1, world.node, world.values, world.tags)

    def _child_key(self, world: World, number: int) -> Key | None:
        """The same for a child."""
        bound = self.level.pending(1, self.worlds.records[number].situation)
        first = self.worlds.first_block
        if bound is None or not self.narrow(bound, range(first + self.level.block)):
            return None
        if bound.verb is Verb.WAIT:
            return (number, bound.on, self.arrived(world, bound.on))
        return (number, world.values, world.tags)

    def narrow(self, bound: Bound, mine: range) -> bool:
        """Does the outcome depend on the actor and these objects alone (and, at a barrier, on who has arrived)?"""
        if bound not in self._narrowed:
            items = (bound.on, *bound.reads, *bound.writes, *bound.scratch)
            plain = bound.verb not in DEPEND_ON_ALL and not bound.at and not self.worlds.shared_mutexes
            self._narrowed[bound] = plain and all(item < mine.stop for item in items)
        return self._narrowed[bound]

    def arrived(self, world: World, barrier: int) -> int:
        """How many have arrived at a barrier of the level."""
        parked = self._parked_at
        try:
            count = sum(1 for child in world.children if parked[child] == barrier)
        except IndexError:
            records = self.worlds.records
            parked.extend(self._parked(1, records[index]) for index in range(len(parked), len(records)))
            return self.arrived(world, barrier)
        situation, phase, _ = world.node
        if phase == 1:
            bound = self.level.pending(0, situation)
            count += bound is not None and bound.verb is Verb.WAIT and bound.on == barrier
        return count

    def _parked(self, actor: int, record: Record) -> int:
        """The barrier at which a child has arrived; -1 if it has not."""
        bound = self.level.pending(actor, record.situation)
        return bound.on if bound is not None and record.phase == 1 and bound.verb is Verb.WAIT else -1
