"""What computing, folding and updating cost: the very actions of the runtime, between processes that share the cores.

Computing is measured in three situations, because they differ:

    alone       one process, one operation of several slots after another: the marginal slot, caches warm
    all cores   one such process per core: how much slower everything is while the cores share memory and caches
    in turn     twelve processes, one slot each, one after another: whoever is on has to refill the caches

"In turn" less "alone" is what an operation costs once, whatever its number of slots; it is a cost of coming back to
cold caches, and neither of the protocol nor of waiting.

Rules of this file: actions come from `perform.Performer`, so what is measured is what a run performs. Times in
nanoseconds of the measuring thread's processor time.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from cllm_sim.architecture import Architecture
from cllm_sim.compose import compose
from cllm_sim.job import Job
from cllm_sim.operations import Region, Seat, Steps, Team, Work, compute, fold, update
from cllm_sim.slots import ARITY
from cllm_sim.tree import Tree
from real_runtime.board import Board, create_board
from real_runtime.learner import Learner
from real_runtime.measure_lab import Lab, Main, Samples, cpu_ns, pin
from real_runtime.optimizer import OptimizerSettings, optimizer_for
from real_runtime.perform import STEP, Act, Performer, Workplace

SLOTS = ARITY
CONTROL, FIRST_WORKER = 0, 1
NARROW = 16
"""Numbers of a gradient so short that only the fixed part of folding and updating is left."""

STEPS_MAX = 64
"""Batches differ from step to step; after so many they repeat."""

weights = Region("weights")


def worker(me: Seat, team: Team[Seat], work: Work) -> Steps:
    """Compute once."""
    yield from work(0)


def leaf(me: Seat, team: Team[Seat], order: int) -> Steps:
    """Forward and backward over the own slots."""
    yield compute(weights, into=me.segment)


def control(me: Seat, team: Team[Seat], order: int) -> Steps:
    """Fold all segments."""
    yield fold(team.each.segment, into=me.segment)


def root(me: Seat, work: Work) -> Steps:
    """Fold, then update."""
    yield from work(0)
    yield update(me.segment, into=weights)


WORK = Architecture(root, worker, control, leaf, shared=(weights,))


class WorkBench:
    """A board as in a run, and the actions of its actors."""

    def __init__(self, learner: Learner, settings: OptimizerSettings, seed: int) -> None:
        self._learner, self._settings, self._seed = learner, settings, seed
        system = compose(WORK, Tree(ARITY, 1))
        states = len(optimizer_for(settings).state_names)
        self.board = create_board(system, Job(system, SLOTS), learner, states, STEPS_MAX, 1)
        self._initial = learner.initial_weights(seed)
        self.reset()

    def reset(self) -> None:
        """Weights and optimizer as before the first step: numbers that have run away would cost other times."""
        self.board.header[STEP] = 1
        self.board.weights[:] = self._initial
        for vector in self.board.state:
            vector[:] = 0

    def close(self) -> None:
        """Give the shared memory back."""
        self.board.memory.close()

    def actions(self, workers: int, actor: int, board: Board | None = None) -> Iterator[Act]:
        """The actions of an actor's text, in a tree of so many workers that share twelve slots."""
        system = compose(WORK, Tree(workers, 1))
        place = Workplace(
            system, Job(system, SLOTS), board or self.board, self._learner, optimizer_for(self._settings),
            self._settings.gradient_clip_val, self._seed, [], lambda done, last: None,
        )  # fmt: skip
        performer = Performer(place, actor)
        return (performer.action(op) for op in system.text(actor))

    def next_batch(self, number: int) -> None:
        """Let the slots hold the bytes of another step."""
        self.board.header[STEP] = 1 + number % STEPS_MAX

    def narrow(self) -> Board:
        """The same board with gradients of a few numbers."""
        board, part = self.board, slice(0, NARROW)
        state = tuple(vector[part] for vector in board.state)
        return replace(board, weights=board.weights[part], rows=board.rows[:, part], state=state)


# --- computing --------------------------------------------------------------------------------------------------------

FEW_WORKERS = 2
SLOTS_OF_FEW = SLOTS // FEW_WORKERS


def _several_slots(bench: WorkBench, lab: Lab, start: Callable[[int], None]) -> Main:
    """One operation of six slots after another; samples are per slot."""

    def main(number: int) -> None:
        (act,) = bench.actions(FEW_WORKERS, FIRST_WORKER + number % FEW_WORKERS)
        start(number)
        act()  # the first one also touches its memory for the first time
        for turn in range(lab.times(5)):
            bench.next_batch(turn)
            lab.arena.put(number, cpu_ns(act) // SLOTS_OF_FEW)

    return main


def compute_alone(bench: WorkBench, lab: Lab) -> dict[str, Samples]:
    """Slots of one process, everybody else asleep."""
    return {"slot": lab.crew([_several_slots(bench, lab, lambda number: None)])[0]}


def compute_all_cores(bench: WorkBench, lab: Lab) -> dict[str, Samples]:
    """The same at the same time, one process on every core (at most twelve)."""
    cores = lab.cores[:ARITY]
    line = lab.arena.barrier(len(cores))

    def start(number: int) -> None:
        pin(cores[number])
        line.wait()

    return {"slot": np.concatenate(lab.crew([_several_slots(bench, lab, start)] * len(cores)))}


def compute_in_turn(bench: WorkBench, lab: Lab) -> dict[str, Samples]:
    """Twelve processes compute a slot each, one after another, handed on by semaphores; also what coming back costs."""
    turns = [lab.arena.semaphore(number, int(number == 0)) for number in range(ARITY)]

    def main(number: int) -> None:
        (act,) = bench.actions(ARITY, FIRST_WORKER + number)
        for turn in range(1 + lab.times(3)):
            resumed_ns = cpu_ns(turns[number].down)
            computed_ns = cpu_ns(act)
            if turn:  # in the first turn memory is touched for the first time
                lab.arena.put(number, resumed_ns)
                lab.arena.put(number, computed_ns)
            bench.next_batch(turn)
            turns[(number + 1) % ARITY].up()

    rows = lab.crew([main] * ARITY)
    return {
        "resumed": np.concatenate([row[0::2] for row in rows]),
        "slot": np.concatenate([row[1::2] for row in rows]),
    }


# --- folding and updating ---------------------------------------------------------------------------------------------


def fold_and_update(bench: WorkBench, lab: Lab) -> dict[str, Samples]:
    """A control folds and updates what two workers have just written; every other time only the fixed part of it.

    Gradients thus come from other cores' caches, and the control's own have been used by others, as in a run.
    """
    line = lab.arena.barrier(1 + FEW_WORKERS)
    rounds = 2 * lab.times(4)

    def compute_slots(number: int) -> None:
        (act,) = bench.actions(FEW_WORKERS, FIRST_WORKER + number - 1)
        for _ in range(1 + rounds):
            line.wait()
            act()
            line.wait()

    def reduce(number: int) -> None:
        whole = list(bench.actions(FEW_WORKERS, CONTROL))
        narrow = list(bench.actions(FEW_WORKERS, CONTROL, bench.narrow()))
        for turn in range(1 + rounds):
            line.wait()
            line.wait()
            if not turn:
                for act in (*whole, *narrow):
                    act()  # touches its memory for the first time
                continue
            for act in whole if turn % 2 else narrow:
                lab.arena.put(number, cpu_ns(act))

    samples = lab.crew([reduce, *[compute_slots] * FEW_WORKERS])[0]
    bench.reset()
    names = ("fold", "update", "fold fixed", "update fixed")  # in the order in which they were put
    return {name: samples[place::4] for place, name in enumerate(names)}
