"""The interface process: what a parent sees of a worker without children, as a small deterministic machine.

It is computed from the leaf's own text, never typed in: the leaf runs alone, everything on objects that nobody outside
touches is hidden, and what remains is the sequence of actions that need the outside. So the base of the induction, "a
leaf behaves like the interface", is true by construction; what this file still checks is that the interface never
refuses or goes round by itself.

`given[state]` are the answers that some parent was seen to give there (by the root, or by a control one level up): the
assumption under which a control is proved. It only grows, until nothing new is seen.

A leaf that breaks a rule by itself does so under every parent, so the walks find it, where its values are.

Rules of this file: states are found on demand; a state is known by what the leaf knows, nothing else.
"""

from dataclasses import dataclass, field

from cllm_sim.induction.actions import ARRIVED, DELIVER, STEP_ENDS, Action, Answer, Move, Offer
from cllm_sim.induction.findings import NotProvable
from cllm_sim.induction.level import Level
from cllm_sim.induction.moves import Moves
from cllm_sim.induction.world import NEW, NOTHING, OLD, Record, World, known_outside, other
from cllm_sim.operations import Place
from cllm_sim.semantics import PLAIN, WRITE, accesses

ENDS = Action("end", ())
"""What the outside sees of a node that has finished, with everybody below it."""


@dataclass
class Interface:
    """The interface process of one fan-out."""

    level: Level
    moves: Moves = field(init=False)
    worlds: list[World] = field(default_factory=list)
    offers: list[Action] = field(default_factory=list)
    edges: list[dict[Answer, int]] = field(default_factory=list)
    given: list[set[Answer]] = field(default_factory=list)
    claims: list[frozenset[tuple[str, int]]] = field(default_factory=list)
    grown: bool = False
    _number: dict[World, int] = field(default_factory=dict)
    _of_record: dict[Record, int] = field(default_factory=dict)
    _exchanged: dict[int, int] = field(default_factory=dict)
    _act: list[Offer | Move | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.moves = Moves(self.level)
        self.start = self._enter(self.moves.worlds.start())

    def place(self, state: int) -> Place:
        """The leaf's line at which the interface stands."""
        return self.level.place(0, self.worlds[state].node[0])

    def of(self, record: Record) -> int:
        """The state of the interface in which a child stands."""
        state = self._of_record.get(record)
        if state is None:
            private = self.level.private
            values = tuple(
                value if mine else known_outside(value) if region else 0
                for value, mine, region in zip(record.values, private, self.level.regions, strict=True)
            )
            tags = tuple(tag if mine else NOTHING for tag, mine in zip(record.tags, private, strict=True))
            world = World((record.situation, record.phase, record.register), values, tags, ())
            state = self._of_record[record] = self._enter(world)
        return state

    def step(self, state: int, answer: Answer) -> int:
        """The state after an answer of the outside."""
        edges = self.edges[state]
        if answer not in edges:
            act = self._act[state]
            if answer == STEP_ENDS:
                move = self.moves.step_ends(self.worlds[state])
            elif isinstance(act, Move):
                move = act
            else:
                assert act is not None
                move = self.moves.answered(self.worlds[state], act, answer)
            edges[answer] = self._enter(move.after)
        return edges[answer]

    def hear(self, state: int, answer: Answer) -> int:
        """Note that some parent gives this answer in this state; returns the state after it.

        A step that may end while a worker has arrived and waits may as well end just before it arrives: nobody can tell
        the two apart, and the walks make arrivals at once.
        """
        if answer not in self.given[state]:
            self.given[state].add(answer)
            self.grown = True
            if answer == STEP_ENDS:
                for before, edges in enumerate(self.edges):
                    if edges.get(ARRIVED) == state:
                        self.hear(before, STEP_ENDS)
        following = self.step(state, answer)
        if answer == ARRIVED and STEP_ENDS in self.given[following]:
            self.hear(state, STEP_ENDS)
        return following

    def tell(self, record: Record, answers: tuple[Answer, ...]) -> None:
        """Note the answers that a child standing like this was given, one after the other.

        Tags are only compared, so whatever is said with one of them may be said with the other.
        """
        state = self.of(record)
        mirror = self.exchanged(state)
        for answer in answers:
            state = self.hear(state, answer)
            mirror = self.hear(mirror, answer._replace(tag=other(answer.tag)))

    def exchanged(self, state: int) -> int:
        """The same state with the two tags exchanged."""
        if state not in self._exchanged:
            self._exchanged[state] = self._enter(self.moves.worlds.exchanged(self.worlds[state]))
        return self._exchanged[state]

    def untagged(self) -> Place | None:
        """A line at which a worker delivers what carries no order of any step."""
        for state, action in enumerate(self.offers):
            if action.deed == DELIVER and action.tag not in (OLD, NEW) and self.given[state]:
                return self.place(state)
        return None

    def _enter(self, world: World) -> int:
        world, act = self._settled(world)
        if world not in self._number:
            self._number[world] = len(self.worlds)
            self.worlds.append(world)
            self._act.append(act)
            self.offers.append(ENDS if act is None else _action(act))
            self.edges.append({})
            self.given.append(set())
            self.claims.append(self._claims(world))
        return self._number[world]

    def _settled(self, world: World) -> tuple[World, Offer | Move | None]:
        """Run what nobody outside sees until the next action; raises NotProvable where there is none."""
        seen: set[World] = set()
        while True:
            place = self.level.place(0, world.node[0])
            if world in seen:
                raise NotProvable("interface", "a worker goes round and round by itself", place)
            seen.add(world)
            moves, offers = self.moves.of(world)
            if offers:
                return world, offers[0]
            if not moves:
                if self.level.pending(0, world.node[0]) is None:
                    return world, None
                raise NotProvable("interface", "a worker waits for something that only itself could bring", place)
            if len(moves) > 1:
                raise NotProvable("interface", "a worker's own steps are not determined", place)
            if moves[0].action is not None:
                return world, moves[0]
            world = moves[0].after

    def _claims(self, world: World) -> frozenset[tuple[str, int]]:
        return claims(self.level, self.moves, world)


def _action(act: Offer | Move) -> Action:
    assert act.action is not None
    return act.action


def claims(level: Level, moves: Moves, world: World) -> frozenset[tuple[str, int]]:
    """The accesses to objects of the outside that somebody of the level is about to make: (object, mode)."""
    found = set()
    for bound in moves.worlds.pending(world):
        for variant in (bound.at or (bound,)) if bound is not None else ():
            for item, mode in accesses(variant) if variant.verb in PLAIN else ():
                if item in level.open_to:
                    found.add((level.system.objects[item].name, mode))
    return frozenset(found)


def covered(claim: tuple[str, int], by: frozenset[tuple[str, int]]) -> bool:
    """Is an access allowed where these accesses are? A write stands for every other access."""
    return claim in by or (claim[0], WRITE) in by
