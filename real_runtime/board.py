"""The shared memory of one run: which array and which synchronisation object lies where.

    weights, state:*      the model and the optimizer's vectors (written by `update` alone)
    rows                  one gradient per slot and one per fold of the slot tree: the segments
    scratch:*             what a region holds where a text computes in it (the one model's activations and gradients)
    losses, samples       per slot, written by whoever computed it
    steps                 per step: loss, norm, clip factor, culprit (written by `update`)
    header                the current step, the request to stop
    logs, labels, counts, current, errors    what every actor records about itself; nobody else writes there

Rules of this file: layout only. Everything is created and initialised before the first process is forked. Keep in step
with `perform.py` (who touches what) and `record.py` (the logs).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cllm_sim.compose import System
from cllm_sim.job import Job
from cllm_sim.operations import Kind
from cllm_sim.slots import row_count
from real_runtime import native
from real_runtime.learner import Learner
from real_runtime.memory import PAGE_BYTES, Layout, SharedMemory

HEADER = ("step", "stop", "saved_step", "applied")
STEP_COLUMNS = ("loss_bits", "norm", "factor", "nonfinite_slot", "nonfinite_index", "begin_ns", "end_ns")
EVENTS, WORKED = 0, 1
"""Of each actor's `counts`: events recorded, and pieces of work done (`perform.PROGRESS`)."""

EVENT_COLUMNS = 4
EVENTS_BEFORE, EVENTS_PER_STEP, EVENTS_PER_CHILD = 4096, 256, 64
LOG_BYTES_MAX = 1 << 44
LABEL_BYTES = 1 << 20
ERROR_BYTES = 1 << 16
SYNC_KINDS = (Kind.BARRIER, Kind.MUTEX, Kind.CONDITION, Kind.SEMAPHORE, Kind.WORD)


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """Views of a run's shared memory, and its synchronisation objects by object number."""

    memory: SharedMemory
    weights: NDArray[np.float32]
    state: tuple[NDArray[np.float32], ...]
    rows: NDArray[np.float32]
    scratch: dict[int, NDArray[np.float32]]
    losses: NDArray[np.float64]
    steps: NDArray[np.float64]
    header: NDArray[np.int64]
    variables: NDArray[np.int64]
    counts: NDArray[np.int64]
    current: NDArray[np.int64]
    logs: NDArray[np.int64]
    labels: NDArray[np.uint8]
    errors: NDArray[np.uint8]
    sync: dict[int, Any]
    finished: tuple[native.Word, ...]

    def error_of(self, actor: int) -> bytes:
        """What an actor reported before it failed (`failure.Failure`); empty if nothing."""
        return bytes(self.errors[actor]).rstrip(b"\0")


def log_capacity(system: System, steps: int) -> int:
    """Events that each actor's log can hold in so many steps.

    With twelve workers that is a thousand per step, where the busiest control of a shipped architecture has 150; a text
    that polls may need more, and its log is cut. A log takes memory only where it is written.
    """
    widest = max(len(actor.children) for actor in system.actors)
    wanted = EVENTS_BEFORE + (steps + 2) * (EVENTS_PER_STEP + EVENTS_PER_CHILD * widest)
    return min(wanted, LOG_BYTES_MAX // (8 * EVENT_COLUMNS * len(system.actors)))


def create_board(system: System, job: Job, learner: Learner, state_count: int, steps: int, capacity: int) -> Board:
    """Lay out, reserve and initialise the memory of a run; raises NotEnoughMemory where the machine is too small.

    `state_count` vectors belong to the optimizer; each actor's log holds `capacity` events.
    """
    memory = SharedMemory.create(_layout(system, job, learner, state_count, steps, capacity))
    view = memory.view
    regions = [item for item, thing in enumerate(system.objects) if thing.kind is Kind.REGION]
    board = Board(
        memory,
        view("weights"),
        tuple(view(f"state:{number}") for number in range(state_count)),
        view("rows"),
        {item: view(f"scratch:{item}") for item in regions},
        view("losses"),
        view("steps"),
        view("header"),
        view("variables"),
        view("counts"),
        view("current"),
        view("logs"),
        view("labels"),
        view("errors"),
        {},
        tuple(native.Word.initialise(memory.address(f"finished:{actor}"), 0) for actor in range(len(system.actors))),
    )
    _initialise(system, board)
    return board


def _layout(system: System, job: Job, learner: Learner, state_count: int, steps: int, capacity: int) -> Layout:
    layout, actors = Layout(), len(system.actors)
    layout.array("header", (len(HEADER),), np.int64)
    layout.array("variables", (len(system.objects),), np.int64)
    layout.array("weights", (learner.size,), np.float32, align=PAGE_BYTES)
    for number in range(state_count):
        layout.array(f"state:{number}", (learner.size,), np.float32, align=PAGE_BYTES)
    layout.array("rows", (row_count(job.slots), learner.size), np.float32, row_align=PAGE_BYTES)
    width = max(learner.scratch_sizes.activations, learner.size)
    for item, thing in enumerate(system.objects):
        if thing.kind is Kind.REGION:
            layout.array(f"scratch:{item}", (width,), np.float32, align=PAGE_BYTES, reserved=False)
    layout.array("losses", (job.slots,), np.float64, align=PAGE_BYTES)
    layout.array("steps", (max(1, steps + 1), len(STEP_COLUMNS)), np.float64, align=PAGE_BYTES)
    layout.array("counts", (actors, 8), np.int64)  # one cache line each: nobody disturbs another's log
    layout.array("current", (actors, 8), np.int64)
    layout.array("logs", (actors, capacity * EVENT_COLUMNS), np.int64, row_align=PAGE_BYTES, reserved=False)
    layout.array("labels", (actors, LABEL_BYTES), np.uint8, row_align=PAGE_BYTES, reserved=False)
    layout.array("errors", (actors, ERROR_BYTES), np.uint8, row_align=PAGE_BYTES, reserved=False)
    for item, thing in enumerate(system.objects):
        if thing.kind in SYNC_KINDS:
            layout.add(f"object:{item}", native.Word.SIZE_BYTES)
    for actor in range(actors):
        layout.add(f"finished:{actor}", native.Word.SIZE_BYTES)
    return layout


def _initialise(system: System, board: Board) -> None:
    address = board.memory.address
    for item, thing in enumerate(system.objects):
        board.variables[item] = thing.initial
        if thing.kind is Kind.BARRIER:
            board.sync[item] = native.Barrier.initialise(address(f"object:{item}"), thing.parties)
        elif thing.kind is Kind.MUTEX:
            board.sync[item] = native.Mutex.initialise(address(f"object:{item}"))
        elif thing.kind is Kind.SEMAPHORE:
            board.sync[item] = native.Semaphore.initialise(address(f"object:{item}"), thing.initial)
        elif thing.kind is Kind.WORD:
            board.sync[item] = native.Word.initialise(address(f"object:{item}"), thing.initial)
        elif thing.kind is Kind.CONDITION:
            board.sync[item] = native.Condition.initialise(address(f"object:{item}"), board.sync[thing.mutex])
