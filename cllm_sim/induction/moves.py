"""What a level can do in a state: moves that nobody outside sees, and actions that need the outside.

    hidden   a move on objects of the node and its children only
    action   anything that outside takes part in: a wait on the parent's barrier, a read of its order, a delivery
    answer   what comes back from outside: a reply and the tag it carries, a wake-up, the end of a step

Rules of this file: the meaning of a move is asked of `semantics.outcomes`, where an object of the outside first gets a
value with which the outside would let the node go on.
"""

from collections.abc import Iterator
from functools import cached_property

from cllm_sim.compose import Bound
from cllm_sim.induction.actions import (
    ARRIVED,
    AWAKE,
    DELIVER,
    END_OF_STEP,
    READS_WORDS,
    STEP_ENDS,
    WORK,
    Action,
    Answer,
    Move,
    Offer,
)
from cllm_sim.induction.dependence import Dependence, Key, Known, again, kept_of
from cllm_sim.induction.level import Level
from cllm_sim.induction.outward import Outward
from cllm_sim.induction.tags import Tags, together
from cllm_sim.induction.world import NEW, NOTHING, OLD, Change, World, Worlds
from cllm_sim.operations import Verb
from cllm_sim.semantics import FRESH, Fault, Memory, Outcome, outcomes, under_cursor


class _Asked:
    """A world whose moves are asked for; taken apart only where something new has to be found out."""

    def __init__(self, moves: "Moves", world: World) -> None:
        self._moves = moves
        self.world = world

    @cached_property
    def change(self) -> Change:
        return self._moves.worlds.taken_apart(self.world)

    @cached_property
    def pending(self) -> list[Bound | None]:
        return self._moves.worlds.pending(self.world)


class Moves:
    """The moves of one level."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.worlds = Worlds(level)
        self.system = level.system
        self.dependence = Dependence(level, self.worlds)
        self.outward = Outward(level)
        self.tags = Tags(level)
        self._known: dict[Key, Known] = {}
        self._replies: dict[Key, tuple[Move, bool]] = {}

    # --- what is possible ---------------------------------------------------------------------------------------------

    def of(self, world: World, everybody: bool = False) -> tuple[list[Move], list[Offer]]:
        """All moves without the outside, and all offers to it; of several equal children only one is asked."""
        asked = _Asked(self, world)
        moves: list[Move] = []
        offers: list[Offer] = []
        self._ask_kept(asked, 0, -1, moves, offers)
        before = -1
        everybody = everybody or bool(self.worlds.shared_mutexes)  # who holds one stands in no record
        for index, child in enumerate(world.children):
            if child != before or everybody:
                before = child
                self._ask_kept(asked, index + 1, child, moves, offers)
        return moves, offers

    def arrival(self, world: World) -> Move | None:
        """An arrival that may be made at once, before anything else; None if there is none."""
        early = self.dependence.early(world)
        if early is None:
            return None
        moves: list[Move] = []
        self._ask_kept(_Asked(self, world), *early, moves, [])
        return moves[0]

    def _ask_kept(self, asked: "_Asked", actor: int, number: int, moves: list[Move], offers: list[Offer]) -> None:
        """The moves and offers of one actor, from memory where they are known."""
        key = self.dependence.key(asked.world, actor, number)
        known = self._known.get(key) if key is not None else None
        if known is not None:
            moves.extend(again(asked.world, actor, move, shared) for move, shared in known[0])
            offers.extend(offer._replace(actor=actor) for offer in known[1])
            return
        found: list[Move] = []
        offered: list[Offer] = []
        self._ask(asked, actor, found, offered)
        moves.extend(found)
        offers.extend(offered)
        if key is not None and (actor == 0 or not offered):
            kept = [kept_of(asked.world, actor, move, key) for move in found]
            if None not in kept:
                self._known[key] = ([row for row in kept if row is not None], offered)

    def _ask(self, asked: "_Asked", actor: int, moves: list[Move], offers: list[Offer]) -> None:
        """The moves and offers of one actor."""
        bound = asked.pending[actor]
        if bound is None:
            return
        if bound.at:
            bound = under_cursor(self.system, asked.change.memory, actor, bound) or bound
        action = self.outward.of(actor, bound, asked.change)
        if action is None:
            moves.extend(self._hidden(asked.world, asked.change, asked.pending, actor, bound))
        else:
            offers.append(Offer(actor, action, bound))

    # --- moves without the outside ------------------------------------------------------------------------------------

    def _hidden(
        self, world: World, change: Change, pending: list[Bound | None], actor: int, bound: Bound
    ) -> Iterator[Move]:
        for outcome in outcomes(self.system, pending, change.memory, actor):
            if bound.verb is Verb.CHOOSE:
                for tag in (OLD, NEW):
                    yield self._moved(world, change, outcome, actor, bound, tag)
            else:
                yield self._moved(world, change, outcome, actor, bound, NOTHING)

    def _moved(self, world: World, change: Change, outcome: Outcome, actor: int, bound: Bound, given: int) -> Move:
        registers, tags = list(change.registers), list(change.tags)
        faults = list(outcome.faults)
        if outcome.done and actor < len(registers):
            faults.extend(self.tags.carry(bound, actor, registers, tags, change.memory, outcome, given))
        action, memory = self._delivered(bound, outcome.memory, tags)
        answers = self._told(world, change, outcome) if world.children else ()
        if bound.verb is Verb.UPDATE:
            answers = tuple((index, STEP_ENDS) for index in range(len(world.children)))
        after = self._after(change, outcome, memory, registers, tags)
        chosen = bound.verb is Verb.CHOOSE
        return Move(actor, action, after, tuple(faults), outcome.choice, answers, chosen)

    def _after(self, change: Change, outcome: Outcome, memory: Memory, registers: list[int], tags: list[int]) -> World:
        situations = list(change.situations)
        for actor, reply in outcome.done:
            if actor < len(situations):
                situations[actor] = self.level.automaton(actor).step(situations[actor], reply)
        return self.worlds.joined(Change(situations, memory, registers, tags))

    def _delivered(self, bound: Bound, memory: Memory, tags: list[int]) -> tuple[Action | None, Memory]:
        """A delivery into a region of the outside is seen once the region is complete."""
        if bound.verb not in WORK:
            return None, memory
        whole = [item for item in bound.writes if item in self.level.open_to and memory.value[item] == FRESH]
        if not whole:
            return None, memory
        carried = together(tags[item] for item in whole)
        for item in whole:
            tags[item] = NOTHING
        return Action(DELIVER, tuple(self.outward.name(item) for item in whole), tag=carried), memory

    def _told(self, world: World, change: Change, outcome: Outcome) -> tuple[tuple[int, Answer], ...]:
        """What children were answered: who went on with which reply, who arrived, who was woken."""
        told = []
        before, after = change.memory.phase, outcome.memory.phase
        done = dict(outcome.done)
        for index in range(len(world.children)):
            actor = index + 1
            if actor in done:
                bound = self.level.pending(actor, change.situations[actor])
                assert bound is not None
                if bound.verb is Verb.WAIT and before[actor] == 0:
                    told.append((index, ARRIVED))
                tag = change.tags[bound.on] if bound.verb in READS_WORDS else NOTHING
                told.append((index, Answer("answer", done[actor], tag)))
            elif before[actor] != after[actor]:
                told.append((index, ARRIVED if before[actor] == 0 else AWAKE))
        return tuple(told)

    # --- moves with the outside ---------------------------------------------------------------------------------------

    def answered(self, world: World, offer: Offer, answer: Answer) -> Move:
        """The move of an offered action, given the answer of the outside."""
        narrow = offer.actor == 0 and self.dependence.narrow(offer.bound, range(self.worlds.first_block))
        key = (answer, offer, world.node, world.values, world.tags) if narrow else None
        known = self._replies.get(key) if key is not None else None
        if known is not None:
            return again(world, 0, known[0], known[1])
        move = self._answered(world, offer, answer)
        kept = kept_of(world, 0, move, key) if key is not None else None
        if key is not None and kept is not None:
            self._replies[key] = kept
        return move

    def _answered(self, world: World, offer: Offer, answer: Answer) -> Move:
        change = self.worlds.taken_apart(world)
        pending = self.worlds.pending(world)
        pending[offer.actor] = offer.bound
        memory, mover = self._willing(change.memory, offer, answer, pending)
        outcome = outcomes(self.system, pending, memory, mover)[0]
        change = change._replace(memory=memory)
        move = self._moved(world, change, outcome, offer.actor, offer.bound, answer.tag)
        return move._replace(action=offer.action, faults=self._internal(move.faults))

    def _internal(self, faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
        """Faults on objects of the outside are judged one level up, where their values are."""
        return tuple(fault for fault in faults if fault.on not in self.level.open_to)

    def _willing(self, memory: Memory, offer: Offer, answer: Answer, pending: list[Bound | None]) -> tuple[Memory, int]:
        """A memory in which the outside lets the action happen, and who acts in it."""
        bound, phase = offer.bound, memory.phase[offer.actor]
        value = list(memory.value)
        if bound.verb is Verb.WAIT:
            if phase == 0:
                return memory, offer.actor
            pending[self.level.outside] = bound
            return memory, self.level.outside
        if bound.verb is Verb.SLEEP:
            if phase == 1:
                pending[self.level.outside] = bound._replace(verb=Verb.NOTIFY)
                return memory, self.level.outside
            value[self.system.objects[bound.on].mutex] = 0 if phase else offer.actor + 1
        elif bound.verb is Verb.RELEASE:
            value[bound.on] = offer.actor + 1
        elif bound.verb is Verb.DOWN:
            value[bound.on] = 1
        elif bound.verb in READS_WORDS:
            value[bound.on] = answer.reply
        elif bound.verb is Verb.FOLD:
            for item in bound.reads:
                value[item] = FRESH if item in self.level.open_to else value[item]
        return memory._replace(value=tuple(value)), offer.actor

    def step_ends(self, world: World) -> Move:
        """The outside ends the step: every region becomes empty; whatever was not folded is lost."""
        change = self.worlds.taken_apart(world)
        pending = self.worlds.pending(world)
        pending[self.level.outside] = END_OF_STEP
        outcome = outcomes(self.system, pending, change.memory, self.level.outside)[0]
        tags = self.tags.without_regions(list(change.tags))
        after = self.worlds.joined(change._replace(memory=outcome.memory, tags=tags))
        answers = tuple((index, STEP_ENDS) for index in range(len(world.children)))
        return Move(self.level.outside, None, after, outcome.faults, "the step ends", answers)
