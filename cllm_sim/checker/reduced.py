"""The search with a partial-order reduction: of all orders of steps that do not disturb each other, one is followed.

In every state a persistent set is followed (`persistent.py`). Where it is one step, the search goes on at once and
keeps no state: chains lead from one state with a real choice to the next. When all is searched, the graph is looked at:
on every cycle there must be a state in which everybody was followed, so that nobody is put off for ever; a state of a
cycle without one is followed fully, and the search goes on. What is reached then: every state in which nobody can move,
every broken rule of a step, and from a state of the graph the end exactly if it can be reached at all.

Rules of this file: a state with two conflicting accesses next is always kept, so that `Search` sees it. If a situation
of a text was met that was not known when independence was computed, the search starts again.
"""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from cllm_sim.checker.independence import Independence
from cllm_sim.checker.merging import reach_alike
from cllm_sim.checker.persistent import Persistent
from cllm_sim.checker.search import Found, Limits, Progress, Search, attempted
from cllm_sim.checker.space import Space
from cllm_sim.checker.table import Move
from cllm_sim.semantics import Mark, ordered

CHAIN_MAX = 1_000_000
"""Steps of one chain; a longer one is cut by a kept state."""

MISUSE = frozenset({"lock-misuse", "barrier-misuse", "use-after-destroy"})
"""After one of these a mutex or a barrier no longer stops anybody; such a text is searched again without that trust."""

GROWN = "a situation was met that was not known"
"""Why a run is cut short and made again."""

STEPS_BETWEEN_LOOKS = 256
"""Steps of a chain between two looks at the clock."""

Here = tuple[int, tuple[Mark, ...]]
"""Fields of a state, and its marks."""


class Reduced(Search):
    """One run of the reduced search."""

    def __init__(
        self, space: Space, crews: frozenset[int], limits: Limits, bits: int, *, informed: bool, trust: bool
    ) -> None:
        super().__init__(space, crews, limits, bits, merged=True)
        self.independence = Independence(self.packing, informed, trust)
        self.persistent = Persistent(self.independence)
        self.full: set[int] = set()
        self.found.reduced = True
        self.found.between = self.between

    def _all(self, progress: Progress | None, started: float) -> None:
        super()._all(progress, started)
        while not self.found.limit and self.independence.informed:
            ignoring = self._ignoring()
            if not ignoring:
                break
            for number in ignoring:
                self.full.add(number)
                self._follow(number)
            super()._all(progress, started)
        self.found.visited += len(self.found.states)

    # --- one kept state -----------------------------------------------------------------------------------------------
    def _count(self) -> int:
        return len(self.found.states) + self.found.visited

    def _visit(self, number: int) -> None:
        self._check_limits(time.perf_counter() - self.started)
        if self.found.limit:
            return
        if self.own:
            self._ask(number)
        self._follow(number)
        self._check_symmetry()
        if self.independence.informed and self.independence.grown:
            self.found.limit = GROWN

    def _follow(self, number: int) -> None:
        packed = self.found.states.packed[number]
        enabled = self._enabled(number, packed)
        followed = enabled if number in self.full else self.persistent.select(packed, enabled)
        if len(followed) == len(enabled):
            self.full.add(number)
        others = [actor for actor, _ in enabled] if len(followed) == 1 else []
        for actor, moves in followed:
            for move in moves:
                self._start(number, packed, actor, move, others)
        if not enabled:
            self._stopped(number)

    def _start(self, number: int, packed: int, actor: int, move: Move, others: list[int]) -> None:
        found = self.found
        for fault in move.faults:
            self._fault(number, actor, move.choice, fault)
        fields, marks = packed & self.packing.fields, self.packing.marks.things[packed >> self.packing.width]
        if self.system.monitor and move.events:
            marks, races = ordered(self.system, marks, self.table.events[move.events])
            for race in races:
                self._fault(number, actor, move.choice, race)
        last: Here = (fields ^ move.change, marks)
        chosen = move.chosen
        found.steps += 1
        for following, chose in self._chain(last, [*others, *(one for one, _ in move.done)]):
            last, chosen = following, chosen or chose
            found.visited += 1
            found.steps += 1
        after = self.packing.canonical(last[0] | self.packing.marks.number(last[1]) << self.packing.width)
        target = self.index.get(after)
        if target is None:
            target = self.index[after] = len(found.states.packed)
            found.states.packed.append(after)
            found.parent.append(number)
        found.source.append(number)
        found.target.append(target)
        found.chosen.append(chosen)

    # --- chains -------------------------------------------------------------------------------------------------------
    def _chain(self, here: Here, pending: list[int]) -> Iterator[tuple[Here, bool]]:
        """Follow steps that are all that has to be followed; with each: was it a choice of the environment?"""
        fields, marks = here
        anchor, length, power = here, 0, 1
        waiting = list(dict.fromkeys(pending))
        while waiting and length < CHAIN_MAX:
            actor = waiting.pop()
            move = self._only(fields, actor)
            if move is None:
                continue
            following = self._after(fields, marks, move)
            if following is None:
                return
            fields, marks = following
            waiting.extend(one for one, _ in move.done if one not in waiting)
            yield following, move.chosen
            length += 1
            if length % STEPS_BETWEEN_LOOKS == 0:
                self._check_limits(time.perf_counter() - self.started)
                if self.found.limit:
                    return
            if following == anchor:
                return
            if length == power:
                anchor, power = following, power * 2

    def _only(self, fields: int, actor: int) -> Move | None:
        """The step of an actor, if it has exactly one and this is all that has to be followed."""
        layout = self.packing.layout
        row = self.table.row(actor, fields >> layout.local[actor] & layout.field)
        if row is None:
            return None
        moves = self.table.moves(row, fields)
        if len(moves) != 1 or moves[0].faults or not self.persistent.alone(fields, actor):
            return None
        return moves[0]

    def _after(self, fields: int, marks: tuple[Mark, ...], move: Move) -> Here | None:
        """The state after a step; None where the step shows a race, which is told where a state is kept."""
        if self.system.monitor and move.events:
            marks, races = ordered(self.system, marks, self.table.events[move.events])
            if races:
                return None
        return fields ^ move.change, marks

    def between(self, before: int, after: int) -> list[int]:
        """The states of the chain that leads from one kept state to another, each as it is named in its orbit."""
        packed, target = self.found.states.packed[before], self.found.states.packed[after]
        enabled = self._enabled(before, packed)
        fields, marks = packed & self.packing.fields, self.packing.marks.things[packed >> self.packing.width]
        for others in ([actor for actor, _ in enabled], []):
            for move in (move for _, moves in enabled for move in moves):
                found = self._link(fields, marks, move, others)
                if found[-1] == target:
                    return found[:-1]
        raise AssertionError("no chain leads there")

    def _link(self, fields: int, marks: tuple[Mark, ...], move: Move, others: list[int]) -> list[int]:
        if self.system.monitor and move.events:
            marks, _ = ordered(self.system, marks, self.table.events[move.events])
        here = (fields ^ move.change, marks)
        chain = [here, *(one for one, _ in self._chain(here, [*others, *(one for one, _ in move.done)]))]
        width, number = self.packing.width, self.packing.marks.number
        return [self.packing.canonical(fields | number(marks) << width) for fields, marks in chain]

    # --- the condition against ignoring -------------------------------------------------------------------------------
    def _ignoring(self) -> list[int]:
        """One state of every cycle on which nobody was followed fully."""
        count = len(self.found.states)
        source = np.frombuffer(self.found.source, dtype=np.int64)
        target = np.frombuffer(self.found.target, dtype=np.int64)
        full = np.zeros(count, dtype=np.bool_)
        full[list(self.full)] = True
        kept = ~full[source] & ~full[target]
        source, target = source[kept], target[kept]
        loops = set(source[source == target].tolist())
        graph = csr_matrix((np.ones(len(source), dtype=np.int8), (source, target)), shape=(count, count))
        parts, label = connected_components(graph, directed=True, connection="strong")
        sizes = np.bincount(label, minlength=parts)
        _, first = np.unique(label, return_index=True)
        return sorted(loops | {int(number) for number in first if sizes[label[number]] > 1})


def search_reduced(
    space: Space, symmetric: bool, limits: Limits, progress: Progress | None = None
) -> tuple[Found, frozenset[int]]:
    """`search` with a partial-order reduction."""
    started = time.perf_counter()

    def attempt(variant: Space, crews: frozenset[int], bits: int) -> Found:
        look = variant.with_system(replace(variant.system, monitor=False))
        informed, trust = False, True
        while True:
            left = Limits(max(0.0, limits.seconds - (time.perf_counter() - started)), limits.states)
            run = Reduced(variant if informed else look, crews, left, bits, informed=informed, trust=trust)
            found = run.run(progress)
            if informed and not run.independence.grown:
                if not trust or not MISUSE & {kind for kind, _, _ in found.defects}:
                    return found
                trust = False
            informed = True

    found = attempted(space, symmetric, attempt)
    for automaton in space.automata:
        reach_alike(automaton)
    return found
