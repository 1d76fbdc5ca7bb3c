"""Breadth-first search over all interleavings, with unlimited steps (the graph is cyclic).

Unreduced, or with exact symmetry of interchangeable workers. The search goes on after a broken rule, so that the faults
behind it are found as well; every defect keeps the state where it was found first, which gives its shortest path.

Rules of this file: it decides only who goes next (everybody). What a step means is `semantics.py`'s; what the graph as
a whole says about progress is `graph.py`'s; words are `explain.py`'s. Every search has limits of time and states;
reaching one is an answer of its own.
"""

import random
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import overload

from cllm_sim.architecture import Architecture, Promise
from cllm_sim.checker.layout import TooNarrow
from cllm_sim.checker.packing import Packing
from cllm_sim.checker.space import Space, State
from cllm_sim.checker.symmetry import Symmetry, indexed_crews
from cllm_sim.checker.table import Move
from cllm_sim.checker.unfold import UnboundedText
from cllm_sim.compose import Bound, System
from cllm_sim.errors import BadArchitecture
from cllm_sim.operations import Place
from cllm_sim.semantics import Fault, both_next
from cllm_sim.view import View

Key = tuple[str, str, int]

FIELD_BITS = 8
"""Width of a field of a packed state to begin with; it is doubled as often as needed."""


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


class States(Sequence[State]):
    """The states of a search, unpacked when they are looked at."""

    def __init__(self, packing: Packing) -> None:
        self.packing = packing
        self.packed: list[int] = []

    def __len__(self) -> int:
        return len(self.packed)

    @overload
    def __getitem__(self, index: int) -> State: ...
    @overload
    def __getitem__(self, index: slice) -> list[State]: ...
    def __getitem__(self, index: int | slice) -> State | list[State]:
        if isinstance(index, slice):
            return [self.packing.unpack(packed) for packed in self.packed[index]]
        return self.packing.unpack(self.packed[index])


@dataclass
class Found:
    """What a search found: the graph (numbered states, edges as parallel arrays) and what is wrong in it.

    `visited` counts the states seen and `steps` the steps made; both are those of the graph unless a partial-order
    reduction followed chains of steps without keeping what lies between. `classes` are the kinds of all that is wrong.
    """

    space: Space
    symmetry: Symmetry
    packing: Packing
    states: States
    parent: "array[int]"
    source: "array[int]" = field(default_factory=lambda: array("q"))
    target: "array[int]" = field(default_factory=lambda: array("q"))
    chosen: bytearray = field(default_factory=bytearray)
    ends: list[int] = field(default_factory=list)
    deadlocks: list[int] = field(default_factory=list)
    defects: dict[Key, Defect] = field(default_factory=dict)
    contention: dict[str, dict[int, int]] = field(default_factory=dict)
    seen_promises: set[str] = field(default_factory=set)
    limit: str = ""
    seconds: float = 0.0
    visited: int = 0
    steps: int = 0
    reduced: bool = False
    between: Callable[[int, int], list[int]] | None = None

    @property
    def complete(self) -> bool:
        """Was every reachable state visited, or represented?"""
        return not self.limit

    def canonical(self, state: State) -> State:
        """The representative of a state's orbit, as the search names it."""
        return self.packing.unpack(self.packing.canonical(self.packing.pack(state)))

    def renaming(self, state: State) -> list[int]:
        """The permutation that leads from a state to its representative: `renaming[actor]` is its name there."""
        return self.packing.renaming(self.packing.pack(state))

    def path(self, state: int) -> list[State]:
        """The states of a path from the start, one step apart; without partial order it is a shortest one."""
        numbers = []
        while state >= 0:
            numbers.append(state)
            state = self.parent[state]
        numbers.reverse()
        packed = [self.states.packed[numbers[0]]]
        for before, after in pairwise(numbers):
            packed.extend(self.between(before, after) if self.between else ())
            packed.append(self.states.packed[after])
        return [self.packing.unpack(one) for one in packed]


class IndexedCrew(Exception):
    """A text names a child by its index, so the crew's children are not interchangeable; the search starts anew."""

    def __init__(self, crews: set[int]) -> None:
        super().__init__(crews)
        self.crews = crews


Progress = Callable[[int, int, float], None]


Attempt = Callable[[Space, frozenset[int], int], Found]
"""One search of a space, with these crews symmetric and fields of so many bits."""


def search(
    space: Space, symmetric: bool, limits: Limits, progress: Progress | None = None, seed: int | None = None
) -> tuple[Found, frozenset[int]]:
    """Explore a system; returns what was found and the crews that symmetry had to leave out.

    With a `seed` the actors' steps are taken in an order drawn with it, which must not change any count.
    """

    def attempt(variant: Space, crews: frozenset[int], bits: int) -> Found:
        run = Search(variant, crews, limits, bits)
        if seed is not None:
            random.Random(seed).shuffle(run.places)
        return run.run(progress)

    return attempted(space, symmetric, attempt)


def attempted(space: Space, symmetric: bool, attempt: Attempt) -> tuple[Found, frozenset[int]]:
    """Search with all crews symmetric that can be, and with fields that are wide enough."""
    system = space.system
    left_out: set[int] = set()
    bits = FIELD_BITS
    while True:
        crews = frozenset(
            number
            for number, actor in enumerate(system.actors)
            if symmetric and actor.children and number not in left_out
        )
        try:
            return attempt(_variant(space, crews), crews, bits), frozenset(left_out)
        except IndexedCrew as found:
            left_out |= found.crews
        except TooNarrow:
            bits *= 2


def _variant(space: Space, crews: frozenset[int]) -> Space:
    """The system in which a symmetric crew's cursor may visit children in any order (more behaviours, never fewer)."""
    return space.with_system(replace(space.system, any_order=crews))


class Search:
    """One breadth-first run over packed states."""

    def __init__(self, space: Space, crews: frozenset[int], limits: Limits, bits: int, *, merged: bool = False) -> None:
        self.space = space
        self.system: System = space.system
        self.limits = limits
        self.crews = crews
        self.packing = Packing(space, crews, bits, merged)
        self.table = self.packing.table
        self.marks = self.packing.marks
        start = self.packing.start()
        states = States(self.packing)
        states.packed.append(start)
        self.index: dict[int, int] = {start: 0}
        self.found = Found(space, self.packing.symmetry, self.packing, states, array("q", [-1]))
        self.own = [promise for promise in _architecture(self.system).promises if promise.predicate is not None]
        self.known_ops = 0
        self.next = 0
        self.started = 0.0
        self.raced: set[str] = set()
        self.places = list(enumerate(zip(self.packing.layout.local, self.table.rows, strict=True)))

    def run(self, progress: Progress | None) -> Found:
        """Search until everything is known or a limit is reached."""
        self.started = started = time.perf_counter()
        found = self.found
        try:
            self._all(progress, started)
        except UnboundedText as unbounded:
            found.limit = str(unbounded)
        found.seconds = time.perf_counter() - started
        found.visited = found.visited or len(found.states)
        found.steps = found.steps or len(found.source)
        return found

    def _all(self, progress: Progress | None, started: float) -> None:
        found, current = self.found, self.next
        packed = found.states.packed
        while current < len(packed) and not found.limit:
            self._visit(current)
            self.next = current = current + 1
            if current & 63 == 0 or len(packed) > self.limits.states:
                self._check_limits(time.perf_counter() - started)
            if progress is not None and current & 127 == 0:
                progress(len(packed), len(packed) - current, time.perf_counter() - started)

    def _check_limits(self, elapsed: float) -> None:
        if elapsed > self.limits.seconds:
            self.found.limit = f"the budget of {self.limits.seconds:g} s was used up"
        elif self._count() > self.limits.states:
            self.found.limit = f"the limit of {self.limits.states:,} states was reached"

    def _count(self) -> int:
        """How many states were met."""
        return len(self.found.states)

    def _visit(self, number: int) -> None:
        packed = self.found.states.packed[number]
        enabled = self._enabled(number, packed)
        self._check_symmetry()
        if self.own:
            self._ask(number)
        for actor, moves in enabled:
            for move in moves:
                self._go(number, packed, actor, move)
        if not enabled:
            self._stopped(number)

    def _enabled(self, number: int, packed: int) -> list[tuple[int, tuple[Move, ...]]]:
        """Who can go on, and how; on the way, what a state itself shows: races as "both next", waiting for mutexes."""
        enabled = []
        field, table = self.packing.layout.field, self.table
        reads = writes = parts = clash = 0
        waiting: dict[int, int] | None = None
        for actor, (place, rows) in self.places:
            code = packed >> place & field
            row = rows[code] if code < len(rows) else table.row(actor, code)
            if row is None:
                continue
            moves = row.table.get(packed & row.mask)
            if type(moves) is not tuple:
                moves = table.moves(row, packed)
                row = table.last(row, packed)
            if moves:
                enabled.append((actor, moves))
            elif row.mutex >= 0 and table.waits(row, packed):
                waiting = waiting or {}
                waiting[row.mutex] = waiting.get(row.mutex, 0) + 1
            if row.touches:
                clash |= (
                    row.writes & (reads | writes | parts) | row.reads & (writes | parts) | row.parts & (reads | writes)
                )
                reads, writes, parts = reads | row.reads, writes | row.writes, parts | row.parts
        if clash:
            self._clash(number, clash)
        if waiting:
            self._waiting(number, waiting)
        return enabled

    def _go(self, number: int, packed: int, actor: int, move: Move) -> None:
        after = packed ^ move.change
        if move.events and self.system.monitor:
            after, races = self.packing.marked(after, move.events)
            for fault in races:
                self._fault(number, actor, move.choice, fault)
        if self.crews:
            after = self.packing.canonical(after)
        found = self.found
        target = self.index.get(after)
        if target is None:
            target = self.index[after] = len(found.states.packed)
            found.states.packed.append(after)
            found.parent.append(number)
        found.source.append(number)
        found.target.append(target)
        found.chosen.append(move.chosen)
        for fault in move.faults:
            self._fault(number, actor, move.choice, fault)

    def _stopped(self, number: int) -> None:
        pending = self.space.pending(self.found.states[number].nodes)
        if self.space.finished(pending):
            self.found.ends.append(number)
        else:
            self.found.deadlocks.append(number)
            self._deadlock(number, pending)

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

    def _waiting(self, number: int, waiting: dict[int, int]) -> None:
        for item, count in waiting.items():
            name = orbit_name(self.system, item, self.crews)
            self.found.contention.setdefault(name, {}).setdefault(count, number)

    def _ask(self, number: int) -> None:
        """The architecture's own promises."""
        state = self.found.states[number]
        pending = self.space.pending(state.nodes)
        for promise in self.own:
            value = _asked(promise, View(self.system, pending, state.memory))
            if promise.kind == "sometimes" and value:
                self.found.seen_promises.add(promise.name)
            elif promise.kind == "always" and not value:
                text = f"'{promise.name}' does not hold in this state"
                self._note((promise.name, "", 0), Defect(promise.name, text, number))

    def _clash(self, number: int, clash: int) -> None:
        """Two conflicting accesses are both next: tell of every field once."""
        fields = {self.system.objects[item].field for item in _bits(clash)}
        if fields <= self.raced:
            return
        self.raced |= fields
        state = self.found.states[number]
        for first, second, location in both_next(self.system, self.space.pending(state.nodes), state.memory):
            self._race(number, state, first, second, location)

    def _race(self, number: int, state: State, first: int, second: int, location: int) -> None:
        thing = self.system.objects[location]
        key = ("race", thing.field, 0)
        if key not in self.found.defects:
            names = self.system.actors[first].name, self.system.actors[second].name
            text = f"{names[0]} and {names[1]} access {thing.name} with no order between them"
            line = self.space.place(second, state.nodes[second]).line
            self._note(key, Defect("race", text, number, ((first, ""), (second, "")), location, line))

    def _fault(self, number: int, actor: int, choice: str, fault: Fault) -> None:
        packed = self.found.states.packed[number]
        line = self.space.place(actor, self.packing.layout.situation(packed, actor)[0]).line
        name = self.system.objects[fault.on].field if fault.on >= 0 else ""
        key = (fault.kind, name, 0 if fault.kind == "race" else line)
        self._note(key, Defect(fault.kind, fault.text, number, ((actor, choice),), fault.on, line))

    def _deadlock(self, number: int, pending: list[Bound | None]) -> None:
        state = self.found.states[number]
        stuck = sorted({self.space.place(actor, state.nodes[actor]).line for actor, b in enumerate(pending) if b})
        text = "nobody can move, and not everybody has finished"
        self._note(("deadlock", ",".join(map(str, stuck)), 0), Defect("deadlock", text, number))

    def _note(self, key: Key, defect: Defect) -> None:
        self.found.defects.setdefault(key, defect)


def _bits(mask: int) -> list[int]:
    return [bit for bit in range(mask.bit_length()) if mask >> bit & 1]


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
