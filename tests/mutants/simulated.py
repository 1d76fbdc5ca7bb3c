"""The simulator, made to follow a schedule of the checker: everybody moves when it is their turn and at no other time.

The moves of a schedule are one second apart. Whoever is about to act computes until its turn comes; whoever waits (it
sleeps and was woken) is called when its turn comes, and does not try before. Everything else is the simulator's own:
the texts run afresh beside their twins, outcomes are applied and watched by its monitor, its log is written.

Rules of this file: what an operation does is asked of the simulator only; an impossible move fails.
"""

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from simpy.events import Event

from cllm_sim.architecture import Loaded
from cllm_sim.checker.walk import Move
from cllm_sim.compose import Bound
from cllm_sim.costs import CostModel, load_costs
from cllm_sim.job import Job
from cllm_sim.semantics import Memory, Outcome, outcomes
from cllm_sim.simulator import system_of
from cllm_sim.simulator.engine import Engine, Setting

NEVER = 1e9
BETWEEN = 0.5
"""Whoever waits is called this long before its second begins, so that nobody else moves at the same instant."""

COSTS = Path(__file__).with_name("instant.toml")


@dataclass(frozen=True)
class Ended:
    """Where a followed schedule ends: the memory, the operation that everybody performs next, what was noticed."""

    memory: Memory
    next: tuple[str, ...]
    noticed: frozenset[str]
    stuck: bool


@cache
def _costs() -> CostModel:
    return load_costs(COSTS)


class Driven(Engine):
    """One run along a schedule."""

    def __init__(self, setting: Setting, moves: Sequence[Move]) -> None:
        super().__init__(setting, 0)
        self.moves = moves
        self.turns: list[deque[int]] = [deque() for _ in self.numbers]
        for second, move in enumerate(moves, 1):
            self.turns[move.actor].append(second)
        self.taken = 0

    def follow(self) -> Ended:
        """Perform the moves, one per second."""
        self.monitor.look(self.pending, self.memory, self.numbers, 0)
        for actor in self.numbers:
            self.environment.process(self._life(actor))
        self.environment.process(self._call())
        self.environment.run(until=len(self.moves) + BETWEEN)
        assert self.taken == len(self.moves), f"the simulator took {self.taken} of {len(self.moves)} moves"
        able = any(outcomes(self.system, self.pending, self.memory, actor) for actor in self.numbers)
        waiting = any(bound is not None for bound in self.pending)
        return Ended(
            self.memory,
            tuple("finished" if bound is None else str(bound.op) for bound in self.pending),
            frozenset(defect.kind.removesuffix("-on-weights") for defect in self.monitor.defects()),
            waiting and not able,
        )

    def _call(self) -> Generator[Event, Any, None]:
        """Let those who wait take their turn."""
        for second, move in enumerate(self.moves, 1):
            yield self.environment.timeout(second - BETWEEN - self.environment.now)
            if move.actor not in self._line:
                continue
            self.turns[move.actor].popleft()
            for member in (*self._act(move.actor), move.actor):
                if self._answered[member]:
                    self._bells[member].succeed()

    def _demand_s(self, actor: int, bound: Bound) -> float:
        """The time until the actor's next turn."""
        second = self.turns[actor].popleft() if self.turns[actor] else NEVER
        return float(second - self.environment.now)

    def _try(self, actor: int) -> bool:
        return actor == self._mover and super()._try(actor)

    def _chosen(self, actor: int, found: Sequence[Outcome]) -> Outcome:
        choice = self.moves[self.taken].choice
        return next(outcome for outcome in found if outcome.choice == choice)

    def _apply(self, actor: int, outcome: Outcome) -> None:
        move = self.moves[self.taken]
        assert actor == move.actor, f"move {self.taken + 1} was taken by another actor"
        super()._apply(actor, outcome)
        self.taken += 1


def follow(loaded: Loaded, moves: Sequence[Move], workers: int, depth: int) -> Ended:
    """Follow a schedule in the simulator."""
    system = system_of(loaded, workers, depth)
    setting = Setting(system, Job(system, None), _costs(), [], seed=1, cores=len(system.actors))
    return Driven(setting, moves).follow()


def names(pending: Sequence[Any]) -> tuple[str, ...]:
    """The pending operations of the checker in the same words."""
    return tuple("finished" if bound is None else str(bound.op) for bound in pending)
