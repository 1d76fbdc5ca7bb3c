"""The exhaustive walks of the proof: all states of a level, for a control side by side with the interface process.

    root      root ‖ n interfaces: no fault, no race, nobody stuck, no round without a choice, an end
    control   control ‖ n interfaces, everything inside hidden, against one interface process (failures-divergences):
              - traces       every action seen from outside is the one that the interface offers there
              - refusals     where nothing hidden can happen, the action that the interface offers is offered
              - divergences  no endless round of hidden moves
              and nothing inside breaks a rule, and accesses to objects of the outside happen only where the interface
              itself is about to make them

The interface is deterministic, so it is its own normal form and a pair of states is enough. Rules of this file: breadth
first, the first violation ends a walk; it knows states and moves, words are `example.py`'s.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from cllm_sim.induction.actions import DELIVER, STEP_ENDS, Action, Answer, Move, Offer
from cllm_sim.induction.findings import Budget, OutOfBudget, Violation
from cllm_sim.induction.interface import ENDS, Interface, claims, covered
from cllm_sim.induction.level import ROOT, Level
from cllm_sim.induction.moves import Moves
from cllm_sim.induction.world import MIXED, NEW, NOTHING, OLD, World
from cllm_sim.operations import Place
from cllm_sim.semantics import Fault, both_next, waiters
from cllm_sim.waiting import blocked_on

DONE = Answer("answer", 0)


class Pair(NamedTuple):
    """A state of a walk: the level, and where the interface stands (-1 for the root, which has none)."""

    world: World
    state: int


class Edge(NamedTuple):
    """One step of a walk: the move and the pair it leads to."""

    move: Move
    after: Pair
    answer: Answer | None = None


@dataclass
class Walk:
    """One exhaustive walk; `violation` and `at` (the number of the pair it was seen in) where something is wrong.

    `hidden` and `choices` describe the edges: seen from outside or not, and the choice of the environment made there.
    """

    level: Level
    child: Interface
    above: Interface | None
    budget: Budget
    uncontended: bool = False
    pairs: list[Pair] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    source: list[int] = field(default_factory=list)
    target: list[int] = field(default_factory=list)
    hidden: list[bool] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    violation: Violation | None = None
    at: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.moves = Moves(self.level)
        self._told: set[tuple[int, tuple[Answer, ...]]] = set()
        self._races: dict[tuple[int, ...], bool] = {}
        self._claims: dict[tuple[int, ...], frozenset[tuple[str, int]]] = {}

    def run(self) -> "Walk":
        """Visit every reachable pair, or stop at the first violation."""
        started = time.perf_counter()
        try:
            self._run()
        finally:
            self.seconds = time.perf_counter() - started
        return self

    def _run(self) -> None:
        start = self.canonical(Pair(self.moves.worlds.start(), self.above.start if self.above else -1))
        index = {start: 0}
        self.pairs, self.parent = [start], [-1]
        current = 0
        while current < len(self.pairs) and self.violation is None:
            self._visit(current, index)
            current += 1
            if len(self.pairs) > self.budget.states or time.perf_counter() > self.budget.until:
                raise OutOfBudget
        if self.violation is None:
            self._rounds()

    def canonical(self, pair: Pair) -> Pair:
        """The representative of all pairs that differ only in which child is which, and in which tag is which."""
        worlds = self.moves.worlds
        world, state = pair
        register = world.node[2]
        if register == NEW:
            return Pair(worlds.sorted(worlds.exchanged(world)), self._exchanged(state))
        here = Pair(worlds.sorted(world), state)
        if register == OLD:
            return here
        return min(here, Pair(worlds.sorted(worlds.exchanged(world)), self._exchanged(state)))

    def _exchanged(self, state: int) -> int:
        return self.above.exchanged(state) if self.above is not None else state

    # --- one pair -----------------------------------------------------------------------------------------------------

    def _visit(self, number: int, index: dict[Pair, int]) -> None:
        pair = self.pairs[number]
        arrival = self.moves.arrival(pair.world)
        moves, offers = self.moves.of(pair.world) if arrival is None else ([arrival], [])
        self._look(number, pair, moves, offers)
        if self._stopped():
            return
        for edge in self.edges(pair, moves, offers, arrival is None):
            self._judge(number, pair, edge.move)
            if self._stopped():
                return
            self._hear(pair, edge.move)
            after = self.canonical(edge.after)
            target = index.get(after)
            if target is None:
                target = index[after] = len(self.pairs)
                self.pairs.append(after)
                self.parent.append(number)
            self.source.append(number)
            self.target.append(target)
            self.hidden.append(edge.move.action is None and edge.move.actor < self.level.outside)
            self.choices.append(edge.move.choice if edge.move.chosen else "")

    def _stopped(self) -> bool:
        return self.violation is not None

    def edges(self, pair: Pair, moves: list[Move], offers: list[Offer], ending: bool = True) -> Iterator[Edge]:
        """What can happen next: hidden moves, actions that the interface allows, the end of a step if `ending`."""
        for move in moves:
            if move.action is None:
                yield Edge(move, Pair(move.after, pair.state))
            elif self.above is not None and move.action == self.above.offers[pair.state]:
                yield Edge(move, Pair(move.after, self.above.step(pair.state, DONE)))
        if self.above is None:
            return
        given = sorted(self.above.given[pair.state])
        for offer in offers:
            if offer.action == self.above.offers[pair.state]:
                for answer in given:
                    if answer != STEP_ENDS:
                        move = self.moves.answered(pair.world, offer, answer)
                        yield Edge(move, Pair(move.after, self.above.step(pair.state, answer)), answer)
        if ending and STEP_ENDS in given:
            move = self.moves.step_ends(pair.world)
            yield Edge(move, Pair(move.after, self.above.step(pair.state, STEP_ENDS)), STEP_ENDS)

    def _hear(self, pair: Pair, move: Move) -> None:
        """What the children were told is a part of the assumption under which a control stands in for a child."""
        for position, (child, _) in enumerate(move.answers):
            if position and move.answers[position - 1][0] == child:
                continue
            told = tuple(answer for index, answer in move.answers if index == child)
            key = (pair.world.children[child], told)
            if key not in self._told:
                self._told.add(key)
                self.child.tell(self.moves.worlds.records[key[0]], told)

    # --- what is wrong ------------------------------------------------------------------------------------------------

    def _look(self, number: int, pair: Pair, moves: list[Move], offers: list[Offer]) -> None:
        """What the pair itself shows: races, accesses outside of their time, wrong actions, nobody able to move."""
        self._race(number, pair)
        if self.above is not None and self.violation is None:
            self._windows(number, pair)
            self._actions(number, pair, moves, offers)
        finished = not moves and not offers and self._finished(pair.world)
        if finished:
            self.ends.append(number)
        if self.violation is None and not any(move.action is None for move in moves):
            self._stuck(number, pair, moves, offers, finished)

    def _finished(self, world: World) -> bool:
        return all(bound is None for bound in self.moves.worlds.pending(world))

    def _race(self, number: int, pair: Pair) -> None:
        world = pair.world
        key = tuple(self.moves.worlds.situations(world))
        if self._races.get(key) is None:
            pending = self.moves.worlds.pending(world)
            memory = self.moves.worlds.taken_apart(world).memory
            found = both_next(self.level.system, pending, memory)
            if not any(bound is not None and bound.at for bound in pending):
                self._races[key] = bool(found)
            if found:
                first, second, location = found[0]
                names = [self.level.system.actors[actor].name for actor in (first, second)]
                thing = self.level.system.objects[location].name
                text = f"{names[0]} and {names[1]} access {thing} with no order between them"
                self._wrong(number, Violation("race", text, self._place(pair, second)))
        if self.uncontended and self.moves.worlds.mutexes and self.violation is None:
            self._contention(number, pair)

    def _contention(self, number: int, pair: Pair) -> None:
        pending = self.moves.worlds.pending(pair.world)
        memory = self.moves.worlds.taken_apart(pair.world).memory
        for item in waiters(self.level.system, pending, memory):
            text = f"somebody waits for {self.level.system.objects[item].name}"
            self._wrong(number, Violation("contention", text, self._place(pair, 0)))
            return

    def _windows(self, number: int, pair: Pair) -> None:
        assert self.above is not None
        world = pair.world
        key = tuple(self.moves.worlds.situations(world))
        if key not in self._claims:
            self._claims[key] = claims(self.level, self.moves, world)
        allowed = self.above.claims[pair.state]
        for claim in sorted(self._claims[key]):
            if not covered(claim, allowed):
                text = f"{claim[0]} is about to be used at a time at which a worker would not use it"
                self._wrong(number, Violation("window", text, self._user(pair, claim[0]), self.expected(pair.state)))
                return

    def _user(self, pair: Pair, name: str) -> Place:
        """The line at which an object of the outside is about to be used."""
        for actor, bound in enumerate(self.moves.worlds.pending(pair.world)):
            items = (bound.on, *bound.reads, *bound.writes, *bound.scratch) if bound is not None else ()
            if any(item >= 0 and self.level.system.objects[item].name == name for item in items):
                return self._place(pair, actor)
        return self._place(pair, 0)

    def _actions(self, number: int, pair: Pair, moves: list[Move], offers: list[Offer]) -> None:
        """Traces: only what the interface offers may be seen from outside."""
        assert self.above is not None
        allowed = self.above.offers[pair.state]
        acts: list[Move | Offer] = [*offers, *moves]
        for act in acts:
            if act.action is not None and act.action != allowed:
                if isinstance(act, Move) and act.faults:
                    self._judge(number, pair, act)  # a broken rule says more than the action it shows in
                    return
                kind, text = _difference(act.action, allowed)
                place = self._place(pair, act.actor)
                self._wrong(number, Violation(kind, text, place, self.expected(pair.state)))
                return

    def _stuck(self, number: int, pair: Pair, moves: list[Move], offers: list[Offer], finished: bool) -> None:
        """Refusals: where nothing hidden can happen, the outside must be able to go on with the node."""
        if self.above is None:
            if not finished and not moves:
                text = "nobody can move, and not everybody has finished"
                self._wrong(number, Violation("deadlock", text, self._place(pair, 0), stuck=self._waiting(pair)))
            return
        wanted = self.above.offers[pair.state]
        acts: list[Move | Offer] = [*offers, *moves]
        offered = [act.action for act in acts]
        if wanted in offered or (wanted == ENDS and finished):
            return
        text = "the node and its children can do nothing more by themselves"
        if finished:
            text = "the node and its children have finished"
        self._wrong(
            number, Violation("refusal", text, self._place(pair, 0), self.expected(pair.state), self._waiting(pair))
        )

    def _waiting(self, pair: Pair) -> tuple[dict[str, object], ...]:
        pending = self.moves.worlds.pending(pair.world)
        memory = self.moves.worlds.taken_apart(pair.world).memory
        rows = []
        for actor in range(self.level.outside):
            waiting = blocked_on(self.level.system, pending, memory, actor)
            if waiting is not None:
                place = self._place(pair, actor)
                rows.append(
                    {
                        "actor": waiting.actor,
                        "waits_for": waiting.on,
                        "needs": waiting.needs,
                        "path": place.path,
                        "line": place.line,
                    }
                )
        return tuple(rows)

    def _judge(self, number: int, pair: Pair, move: Move) -> None:
        for fault in move.faults:
            place = self._place(pair, move.actor) if move.actor < self.level.outside else self._place(pair, 0)
            self._wrong(number, Violation(fault.kind, _fault_text(self.level, move, fault), place))
            return

    def _rounds(self) -> None:
        """Divergences; at the root, rounds without a choice of the environment, and whether the end is ever reached."""
        chosen = np.asarray([bool(choice) for choice in self.choices], dtype=np.bool_)
        on_round = self._cycles(np.asarray(self.hidden, dtype=np.bool_) & ~chosen)
        if len(on_round):
            number = int(on_round.min())
            pair = self.pairs[number]
            kind = "livelock" if self.level.role == ROOT else "divergence"
            text = "from here a round of hidden moves never ends"
            allowed = self.expected(pair.state) if self.above is not None else ""
            self._wrong(number, Violation(kind, text, self._place(pair, 0), allowed))
        elif self.level.role == ROOT and not self._ends():
            text = "whatever the environment always chooses, not every schedule comes to an end"
            self._wrong(0, Violation("livelock", text, self._place(self.pairs[0], 0)))

    def _ends(self) -> bool:
        """Is there a choice after which, always made, every schedule ends?

        Stronger than "an end can be reached", and other than that it survives when interfaces become real subtrees.
        """
        made = set(self.choices)
        if made == {""}:
            return True
        for choice in sorted(made - {""}):
            kept = np.asarray([each in ("", choice) for each in self.choices], dtype=np.bool_)
            stopped = set(range(len(self.pairs))) - set(np.asarray(self.source)[kept].tolist())
            if stopped <= set(self.ends) and not len(self._cycles(kept)):
                return True
        return False

    def _cycles(self, kept: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The pairs that lie on a cycle of the kept edges."""
        count = len(self.pairs)
        source = np.asarray(self.source, dtype=np.int64)[kept]
        target = np.asarray(self.target, dtype=np.int64)[kept]
        loops: NDArray[np.int64] = source[source == target]
        graph = csr_matrix((np.ones(len(source), dtype=np.int8), (source, target)), shape=(count, count))
        parts, label = connected_components(graph, directed=True, connection="strong")
        if parts == count:
            return loops
        sizes = np.bincount(label, minlength=parts)
        found: NDArray[np.int64] = np.concatenate([loops, np.flatnonzero(sizes[label] > 1)])
        return found

    # --- words --------------------------------------------------------------------------------------------------------

    def expected(self, state: int) -> str:
        """What the interface offers in a state, with the worker's line."""
        assert self.above is not None
        place = self.above.place(state)
        offer = self.above.offers[state]
        tagged = ", with the order of this step" if offer.deed == DELIVER else ""
        return f"{told(offer)}{tagged} ({place})"

    def _place(self, pair: Pair, actor: int) -> Place:
        return self.level.place(actor, self.moves.worlds.situations(pair.world)[actor])

    def _wrong(self, number: int, violation: Violation) -> None:
        self.violation, self.at = violation, number


def told(action: Action) -> str:
    """An action in words."""
    if action == ENDS:
        return "finish"
    value = f" {action.value}" if action.deed in ("write", "store", "add", "await") else ""
    return f"{action.deed} {', '.join(action.on)}{value}"


CARRIED = {
    OLD: "the order of another step",
    NEW: "the order of another step",
    MIXED: "several orders",
    NOTHING: "no order",
}
"""A wrong tag, in words."""


def _difference(action: Action, allowed: Action) -> tuple[str, str]:
    if action._replace(tag=allowed.tag) == allowed:
        return "old-tag", f"{told(action)}: the data carries {CARRIED[action.tag]}, not the order of this step"
    return "trace", f"the parent sees '{told(action)}'"


def _fault_text(level: Level, move: Move, fault: Fault) -> str:
    if move.actor >= level.outside:
        return f"the parent {fault.text}"
    name = level.system.actors[move.actor].name
    return fault.text if fault.text.startswith(f"{name} ") else f"{name} {fault.text}"
