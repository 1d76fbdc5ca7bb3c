"""The native action of every operation: the one permitted twin of `cllm_sim.semantics`, judged by `validate`.

An actor keeps a table from operation to action, built on first use from its bindings; operations are interned, so the
table is found by identity. Every action takes nothing and returns the reply.

Rules of this file: an action does what `semantics.outcomes` says, natively, and nothing else. Arithmetic is asked of
`Job` (which slots, which folds) and of `learner`, `reduction` and `optimizer` (how). What semantics calls a fault of
the text and this file cannot perform raises SubjectFailed.
"""

import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cllm_sim.compose import Bound, System
from cllm_sim.errors import SubjectFailed
from cllm_sim.job import Job, Piece
from cllm_sim.operations import BATCH, STOP, Op, Verb
from cllm_sim.script import choice
from cllm_sim.slots import even_share, total_row
from real_runtime.board import HEADER, STEP_COLUMNS, WORKED, Board
from real_runtime.learner import Learner, Scratch
from real_runtime.optimizer import Optimizer
from real_runtime.reduction import clip_factor, first_nonfinite, fold, squared_norm
from real_runtime.spec import Injection

Act = Callable[[], int]
STEP, STOPPING, SAVED, APPLIED = (HEADER.index(name) for name in HEADER)
COLUMN = {name: number for number, name in enumerate(STEP_COLUMNS)}
WORK = (Verb.COMPUTE, Verb.FOLD, Verb.UPDATE)
PROGRESS = (*WORK, Verb.CHOOSE)
"""Verbs that bring a run forward. A run of other operations alone goes round in a circle (`stillness.py`)."""


@dataclass
class Workplace:
    """What the actors of a run have in common; every process has its own copy, only `board` is shared.

    `orders` is the environment's script; `housekeeping(steps done, is this the end?)` is called between two orders.
    """

    system: System
    job: Job
    board: Board
    learner: Learner
    optimizer: Optimizer
    clip: float
    seed: int
    orders: list[int]
    housekeeping: Callable[[int, bool], None]
    inject: tuple[Injection, ...] = field(default=())


class Performer:
    """The actions of one actor."""

    def __init__(self, place: Workplace, actor: int) -> None:
        self.place = place
        self.actor = actor
        self.cursor = -1
        self.position = 0
        name = place.system.actors[actor].name
        self._nans = [item for item in place.inject if item.kind == "nan"]
        self._faults = [item for item in place.inject if item.actor == name]

    def action(self, op: Op) -> Act:
        """The native action of an operation."""
        bound = self.place.system.bound(self.actor, op)
        act = self._under_cursor(bound) if bound.at else self._build(bound)
        if self._faults and bound.verb in WORK:
            act = self._failing(act)
        return self._counted(act) if bound.verb in PROGRESS else act

    def _counted(self, act: Act) -> Act:
        counts = memoryview(self.place.board.counts[self.actor]).cast("B").cast("q")

        def act_and_count() -> int:
            reply = act()
            counts[WORKED] += 1
            return reply

        return act_and_count

    def _under_cursor(self, bound: Bound) -> Act:
        variants = [self._build(variant) for variant in bound.at]

        def act() -> int:
            if self.cursor < 0:
                raise SubjectFailed("names the child under the cursor, but there is none: yield team.next() before it")
            return variants[self.cursor]()

        return act

    def _build(self, bound: Bound) -> Act:
        verb, board, op = bound.verb, self.place.board, bound.op
        if verb in (Verb.READ, Verb.WRITE):
            return self._variable(bound)
        if verb is Verb.COMPUTE:
            return self._compute(bound)
        if verb is Verb.FOLD:
            return self._fold(self.place.job.piece(self.actor, bound))
        if verb is Verb.UPDATE:
            return self._update
        if verb is Verb.CHOOSE:
            return lambda: self._choose(op.options)
        if verb is Verb.NEXT:
            return self._next
        if verb is Verb.JOIN:
            finished = board.finished[bound.on]
            return lambda: 0 * finished.wait_until(1)
        if verb is Verb.DESTROY:
            return lambda: 0  # the bytes stay until the run ends; a use after it is found by the judge
        return self._synchronisation(bound)

    def _synchronisation(self, bound: Bound) -> Act:
        thing, op = self.place.board.sync[bound.on], bound.op
        match bound.verb:
            case Verb.WAIT | Verb.SLEEP:
                act = thing.wait
            case Verb.ACQUIRE:
                act = thing.acquire
            case Verb.RELEASE:
                act = thing.release
            case Verb.NOTIFY:
                act = thing.notify
            case Verb.NOTIFY_ALL:
                act = thing.notify_all
            case Verb.DOWN:
                act = thing.down
            case Verb.UP:
                act = thing.up
            case Verb.LOAD:
                act = thing.load
            case Verb.STORE:
                return lambda: int(thing.store(op.value))
            case Verb.ADD:
                return lambda: int(thing.add(op.value))
            case Verb.EXCHANGE:
                return lambda: int(thing.exchange(op.expected, op.value))
            case Verb.AWAIT:
                return lambda: int(thing.wait_until(op.value))
            case _:
                raise AssertionError(f"no native action for {bound.verb}")
        native: Act = act
        return native

    def _variable(self, bound: Bound) -> Act:
        memory = self.place.board.variables.data.cast("B").cast("q")
        item, value = bound.on, bound.op.value
        if bound.verb is Verb.READ:
            return lambda: memory[item]

        def write() -> int:
            memory[item] = value
            return 0

        return write

    def _next(self) -> int:
        self.cursor += 1
        if self.cursor < len(self.place.system.actors[self.actor].children):
            return 1
        self.cursor = -1
        return 0

    def _choose(self, options: tuple[int, ...]) -> int:
        """The environment's next order; between two orders it also keeps house (checkpoints)."""
        board, orders = self.place.board, self.place.orders
        done = int(board.header[STEP])
        stopping = bool(board.header[STOPPING]) and STOP in options
        order = STOP if stopping else choice(orders, self.position, options)
        self.place.housekeeping(done, order == STOP)
        self.position += 1
        if order == BATCH:
            if done + 1 >= len(board.steps):
                raise SubjectFailed(f"the run has had its {done} steps, but the text does not let the environment stop")
            board.header[STEP] = done + 1
            board.steps[done + 1, COLUMN["begin_ns"]] = time.monotonic_ns()
        return order

    def _compute(self, bound: Bound) -> Act:
        place, board, learner = self.place, self.place.board, self.place.learner
        piece = place.job.piece(self.actor, bound)
        scratch = self._scratch(bound)
        every = slice(None)

        def act() -> int:
            step = int(board.header[STEP])
            for slot in piece.slots:
                result = learner.gradient(board.weights, place.seed, step, slot, board.rows[slot], scratch)
                board.losses[slot] = result.loss_sum
                for item in self._nans:
                    if item.step == step and item.slot == slot:
                        board.rows[slot, learner.size // 2] = math.nan
            for node in piece.folds:
                fold(board.rows, node, every)
            return 0

        return act

    def _scratch(self, bound: Bound) -> Scratch | None:
        """Shared scratch where the text says so: the first region holds the activations, the second the gradients."""
        regions = [self.place.board.scratch[item] for item in bound.scratch]
        if not regions:
            return None
        sizes = self.place.learner.scratch_sizes
        gradient = regions[1] if len(regions) > 1 else regions[0].copy()
        return Scratch(regions[0][: sizes.activations], gradient[: sizes.gradient])

    def _failing(self, act: Act) -> Act:
        """The same work, with the faults that were injected into this actor before it."""
        header = self.place.board.header

        def fail_or_act() -> int:
            for item in [item for item in self._faults if header[STEP] >= item.step]:
                self._faults.remove(item)
                if item.kind == "raise":
                    raise SubjectFailed(f"injected failure in step {header[STEP]}")
                os.kill(os.getpid(), signal.SIGKILL if item.kind == "kill" else signal.SIGSTOP)
            return act()

        return fail_or_act

    def _fold(self, piece: Piece) -> Act:
        rows = self.place.board.rows
        part = even_share(piece.part, piece.parts, rows.shape[1])
        columns = slice(part.start, part.stop)

        def act() -> int:
            for node in piece.folds:
                fold(rows, node, columns)
            return 0

        return act

    def _update(self) -> int:
        """Validate, clip and apply the folded gradient; a gradient that is not finite leaves the weights untouched."""
        place, board = self.place, self.place.board
        step = int(board.header[STEP])
        total = board.rows[total_row(place.job.slots)]
        samples = place.job.slots * place.learner.settings.rows_per_slot
        row = board.steps[step]
        row[COLUMN["loss_bits"]] = board.losses.sum() / samples / math.log(2)
        row[COLUMN["nonfinite_slot"]] = -1
        norm = math.sqrt(squared_norm(total)) / samples
        row[COLUMN["norm"]] = norm
        if math.isfinite(norm):
            factor = clip_factor(norm, place.clip) if place.clip else 1.0
            row[COLUMN["factor"]] = factor
            board.header[APPLIED] += 1
            place.optimizer.apply(board.weights, total, board.state, int(board.header[APPLIED]), factor / samples)
        else:
            self._culprit(row)
        row[COLUMN["end_ns"]] = time.monotonic_ns()
        return 0

    def _culprit(self, row: NDArray[np.float64]) -> None:
        board = self.place.board
        row[COLUMN["factor"]] = 0.0
        row[COLUMN["nonfinite_slot"]] = self.place.job.slots  # the fold itself overflowed, unless a slot is found
        for slot in range(self.place.job.slots):
            index = first_nonfinite(board.rows[slot])
            if index is not None:
                row[COLUMN["nonfinite_slot"]] = slot
                row[COLUMN["nonfinite_index"]] = index
                return
