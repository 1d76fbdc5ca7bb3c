"""Breadth-first search over all interleavings, with unlimited steps (the graph is cyclic).

Unreduced, or with exact symmetry of interchangeable workers. The search goes on after a broken rule, so that the faults
behind it are found as well; every defect keeps the state where it was found first, which gives its shortest path.

Rules of this file: it decides only who goes next (everybody). What a step means is `semantics.py`'s; what the graph as
a whole says about progress is `graph.py`'s; words are `explain.py`'s. Every search has limits of time and states;
reaching one is an answer of its own.
"""

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cllm_sim.architecture import Architecture, Promise
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.symmetry import Symmetry, indexed_crews
from cllm_sim.checker.unfold import UnboundedText
from cllm_sim.compose import Bound, System
from cllm_sim.errors import BadArchitecture
from cllm_sim.operations import Kind, Place, Verb
from cllm_sim.semantics import Fault, both_next, waiters
from cllm_sim.view import View

Key = tuple[str, str, int]


@dataclass(frozen=True)
class Limits:
    """Where a search stops: seconds of search and number of states."""

    seconds: float = 120.0
    states: int = 3_000_000


@dataclass(frozen=True)
class Defect:
    """A broken rule, first met in state `state` when `movers` (the last steps, in order) went on from there.

    `lost` are the actors that can never move again, by the names they have in that state.
    """

    kind: str
    text: str
    state: int
    movers: tuple[tuple[int, str], ...] = ()
    on: int = -1
    line: int = 0
    lost: frozenset[int] = frozenset()


@dataclass
class Found:
    """What a search found: the graph (numbered states, edges as parallel arrays) and what is wrong in it."""

    space: Space
    symmetry: Symmetry
    states: list[State]
    parent: "array[int]"
    source: "array[int]" = field(default_factory=lambda: array("q"))
    target: "array[int]" = field(default_factory=lambda: array("q"))
    chosen: bytearray = field(default_factory=bytearray)
    ends: list[int] = field(default_factory=list)
    defects: dict[Key, Defect] = field(default_factory=dict)
    contention: dict[str, dict[int, int]] = field(default_factory=dict)
    seen_promises: set[str] = field(default_factory=set)
    limit: str = ""
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Was every reachable state visited?"""
        return not self.limit

    def path(self, state: int) -> list[State]:
        """The states of a shortest path from the start."""
        found = []
        while state >= 0:
            found.append(self.states[state])
            state = self.parent[state]
        return found[::-1]


class IndexedCrew(Exception):
    """A text names a child by its index, so the crew's children are not interchangeable; the search starts anew."""

    def __init__(self, crews: set[int]) -> None:
        super().__init__(crews)
        self.crews = crews


Progress = Callable[[int, int, float], None]


def search(
    space: Space, symmetric: bool, limits: Limits, progress: Progress | None = None
) -> tuple[Found, frozenset[int]]:
    """Explore a system; returns what was found and the crews that symmetry had to leave out."""
    system = space.system
    left_out: set[int] = set()
    while True:
        crews = frozenset(
            number for number, actor in enumerate(system.actors) if actor.children and number not in left_out
        )
        try:
            run = _Search(
                _variant(space, crews if symmetric else frozenset()), crews if symmetric else frozenset(), limits
            )
            return run.run(progress), frozenset(left_out) if symmetric else frozenset()
        except IndexedCrew as found:
            left_out |= found.crews


def _variant(space: Space, crews: frozenset[int]) -> Space:
    """The system in which a symmetric crew's cursor may visit children in any order (more behaviours, never fewer)."""
    return space.with_system(replace(space.system, any_order=crews))


class _Search:
    """One breadth-first run."""

    def __init__(self, space: Space, crews: frozenset[int], limits: Limits) -> None:
        self.space = space
        self.system: System = space.system
        self.symmetry = Symmetry(self.system, crews)
        self.limits = limits
        self.crews = crews
        self.index: dict[State, int] = {}
        start = self.symmetry.canonical(space.start())
        self.found = Found(space, self.symmetry, [start], array("q", [-1]))
        self.index[start] = 0
        self.own = [promise for promise in _architecture(self.system).promises if promise.predicate is not None]
        self.locks = any(item.kind is Kind.MUTEX for item in self.system.objects)
        self.known_ops = 0

    def run(self, progress: Progress | None) -> Found:
        started = time.perf_counter()
        found, current = self.found, 0
        try:
            while current < len(found.states) and not found.limit:
                self._visit(current)
                current += 1
                self._check_limits(time.perf_counter() - started)
                if progress is not None and current & 127 == 0:
                    progress(len(found.states), len(found.states) - current, time.perf_counter() - started)
        except UnboundedText as unbounded:
            found.limit = str(unbounded)
        found.seconds = time.perf_counter() - started
        return found

    def _check_limits(self, elapsed: float) -> None:
        if elapsed > self.limits.seconds:
            self.found.limit = f"the budget of {self.limits.seconds:g} s was used up"
        elif len(self.found.states) > self.limits.states:
            self.found.limit = f"the limit of {self.limits.states:,} states was reached"

    def _visit(self, number: int) -> None:
        state = self.found.states[number]
        pending = self.space.pending(state.nodes)
        self._check_symmetry()
        self._look(number, state, pending)
        moved = False
        for step in self.space.steps(state, pending):
            moved = True
            after = self.symmetry.canonical(step.after)
            target = self.index.get(after)
            if target is None:
                target = self.index[after] = len(self.found.states)
                self.found.states.append(after)
                self.found.parent.append(number)
            self.found.source.append(number)
            self.found.target.append(target)
            bound = pending[step.actor]
            assert bound is not None
            self.found.chosen.append(bound.verb is Verb.CHOOSE)
            for fault in step.outcome.faults:
                self._fault(number, state, step.actor, step.outcome.choice, fault)
        if self.space.finished(pending):
            self.found.ends.append(number)
        elif not moved:
            self._deadlock(number, state, pending)

    def _check_symmetry(self) -> None:
        """Leave a crew out of symmetry as soon as one of its texts names a child by index."""
        if not self.crews:
            return
        known = sum(len(automaton.op) for automaton in self.space.automata)
        if known == self.known_ops:
            return
        self.known_ops = known
        indexed: set[int] = set()
        for number, actor in enumerate(self.system.actors):
            for op in self.space.automata[actor.kind].op:
                if op is not None:
                    indexed |= indexed_crews(self.system, number, op)
        if indexed & self.crews:
            raise IndexedCrew(indexed & self.crews)

    def _look(self, number: int, state: State, pending: list[Bound | None]) -> None:
        """What a state itself shows: races as "both next", waiting for mutexes, the architecture's promises."""
        for first, second, location in both_next(self.system, pending, state.memory):
            self._race(number, state, first, second, location)
        if self.locks:
            for item, count in waiters(self.system, pending, state.memory).items():
                name = orbit_name(self.system, item, self.crews)
                self.found.contention.setdefault(name, {}).setdefault(count, number)
        for promise in self.own:
            value = _asked(promise, View(self.system, pending, state.memory))
            if promise.kind == "sometimes" and value:
                self.found.seen_promises.add(promise.name)
            elif promise.kind == "always" and not value:
                text = f"'{promise.name}' does not hold in this state"
                self._note((promise.name, "", 0), Defect(promise.name, text, number))

    def _race(self, number: int, state: State, first: int, second: int, location: int) -> None:
        thing = self.system.objects[location]
        key = ("race", thing.field, 0)
        if key not in self.found.defects:
            names = self.system.actors[first].name, self.system.actors[second].name
            text = f"{names[0]} and {names[1]} access {thing.name} with no order between them"
            line = self.space.place(second, state.nodes[second]).line
            self._note(key, Defect("race", text, number, ((first, ""), (second, "")), location, line))

    def _fault(self, number: int, state: State, actor: int, choice: str, fault: Fault) -> None:
        line = self.space.place(actor, state.nodes[actor]).line
        name = self.system.objects[fault.on].field if fault.on >= 0 else ""
        key = (fault.kind, name, 0 if fault.kind == "race" else line)
        self._note(key, Defect(fault.kind, fault.text, number, ((actor, choice),), fault.on, line))

    def _deadlock(self, number: int, state: State, pending: list[Bound | None]) -> None:
        stuck = sorted({self.space.place(actor, state.nodes[actor]).line for actor, b in enumerate(pending) if b})
        text = "nobody can move, and not everybody has finished"
        self._note(("deadlock", ",".join(map(str, stuck)), 0), Defect("deadlock", text, number))

    def _note(self, key: Key, defect: Defect) -> None:
        self.found.defects.setdefault(key, defect)


def _architecture(system: System) -> Architecture:
    return system.architecture


def orbit_name(system: System, item: int, crews: frozenset[int]) -> str:
    """The name of an object, with `*` for the index of a child that symmetry does not tell from its siblings."""
    thing = system.objects[item]
    holder = thing.owner if thing.owner is not None else thing.crew
    if holder is None:
        return thing.name
    parts: list[str] = []
    number: int | None = holder
    while number is not None:
        actor = system.actors[number]
        parts.append("*" if actor.parent in crews and actor.parent is not None else actor.name.rpartition(".")[2])
        number = actor.parent
    return ".".join(reversed(parts)) + "/" + thing.name.partition("/")[2]


def _asked(promise: Promise, view: "View") -> bool:
    """Does a promise of an architecture's own hold here? Raises BadArchitecture, with its line, if it fails."""
    assert promise.predicate is not None
    try:
        return bool(promise.predicate(view))
    except Exception as error:
        path, line = place_of(promise)
        told = f"{path}:{line}: promise '{promise.name}': {type(error).__name__}: {error}"
        raise BadArchitecture(told.replace("\n", " ")) from None


def place_of(promise: Promise) -> Place:
    """The user's line at which the predicate of a promise is written."""
    code = getattr(promise.predicate, "__code__", None)
    return Place(code.co_filename, code.co_firstlineno) if code else Place("?", 1)
