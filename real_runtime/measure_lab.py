"""The laboratory of a calibration: crews of measuring processes, a place for their samples, and who disturbed them.

    experiment ──forks──► crew of processes ──samples (ns)──► arena (shared memory)
         └── block: what one execution of an experiment gave, and how many cores other programs kept busy meanwhile

Rules of this file: a duration that keeps a core busy is taken from the thread's own processor time, so that being
preempted does not lengthen it; only latencies are taken from the machine's clock. Which blocks count is decided by the
load of other programs alone, never by what was measured. Every crew has a time limit and leaves no process behind.
"""

import os
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cllm_sim.errors import RunHung, SubjectFailed
from cllm_sim.slots import ARITY
from real_runtime import native
from real_runtime.memory import Layout, SharedMemory
from real_runtime.processes import Child, fork_actor, kill_all, usable_cores, wait_any

CREW_MAX = ARITY + 1
SAMPLES_MAX = 4096
ERROR_BYTES = 2048
CREW_LIMIT_SECONDS = 300.0
"""A crew that takes longer hangs; a slot of the largest learner takes seconds."""

QUIET_CORES = 0.25
"""A block counts as quiet while other programs keep at most this many of our cores busy (known in steps of 10 ms)."""

Samples = NDArray[np.float64]
Main = Callable[[int], None]


class Arena:
    """Shared memory of the crews: one row of samples, one flag and one semaphore per process, one barrier."""

    def __init__(self) -> None:
        layout = Layout()
        layout.array("samples", (CREW_MAX, SAMPLES_MAX), np.int64)
        layout.array("counts", (CREW_MAX, 8), np.int64)
        layout.array("flags", (CREW_MAX, 8), np.int64)
        layout.array("error", (ERROR_BYTES,), np.uint8)
        layout.add("barrier", native.Barrier.SIZE_BYTES)
        for number in range(CREW_MAX):
            layout.add(f"semaphore:{number}", native.Semaphore.SIZE_BYTES)
        self.memory = SharedMemory.create(layout)
        self.samples: NDArray[np.int64] = self.memory.view("samples")
        self.counts: NDArray[np.int64] = self.memory.view("counts")
        self.flags: NDArray[np.int64] = self.memory.view("flags")
        self.error: NDArray[np.uint8] = self.memory.view("error")

    def barrier(self, parties: int) -> native.Barrier:
        """A new barrier; it takes the place of the one before."""
        return native.Barrier.initialise(self.memory.address("barrier"), parties)

    def semaphore(self, number: int, value: int = 0) -> native.Semaphore:
        """A new semaphore in place `number`."""
        return native.Semaphore.initialise(self.memory.address(f"semaphore:{number}"), value)

    def put(self, number: int, sample_ns: int) -> None:
        """Keep a sample of process `number`; what does not fit is dropped."""
        count = self.counts[number, 0]
        if count < SAMPLES_MAX:
            self.samples[number, count] = sample_ns
            self.counts[number, 0] = count + 1

    def clear(self) -> None:
        """Forget everything."""
        self.counts[:] = 0
        self.flags[:] = 0
        self.error[:] = 0

    def close(self) -> None:
        """Give the memory back; the views go first, because each of them would hold it."""
        del self.samples, self.counts, self.flags, self.error
        self.memory.close()


@dataclass(frozen=True, slots=True)
class Block:
    """One execution of an experiment: its samples by quantity, and the cores that others kept busy meanwhile."""

    samples: dict[str, Samples]
    others_cores: float


class Lab:
    """Everything an experiment needs. `quick` takes fewest samples: enough to show that the method works, not more."""

    def __init__(self, quick: bool = False) -> None:
        self.quick = quick
        self.arena = Arena()
        self.cores = sorted(os.sched_getaffinity(0))[: usable_cores()]
        self._blocks: dict[str, list[Block]] = {}
        self._doing = ""

    def times(self, full: int, quick: int = 1) -> int:
        """How often to repeat something."""
        return quick if self.quick else full

    def crew(self, mains: Sequence[Main]) -> list[Samples]:
        """Run each function in a process of its own, handed its number; returns each one's samples in nanoseconds.

        Raises SubjectFailed where one of them failed, RunHung where they did not end.
        """
        assert len(mains) <= CREW_MAX
        self.arena.clear()
        children: list[Child] = []
        try:
            for number, main in enumerate(mains):
                children.append(fork_actor(_ending_with_0(main, number), on_error=self._report))
            self._wait(children)
        finally:
            kill_all(children)
        counts = self.arena.counts[:, 0]
        return [self.arena.samples[number, : counts[number]].astype(np.float64) for number in range(len(mains))]

    def block(self, name: str, experiment: Callable[["Lab"], dict[str, Samples]]) -> None:
        """Execute an experiment once and keep what it gave."""
        self._doing = name
        before = _usage()
        samples = experiment(self)
        elapsed_s, idle_s, own_s = (late - early for late, early in zip(_usage(), before, strict=True))
        others = len(os.sched_getaffinity(0)) - (idle_s + own_s) / elapsed_s
        self._blocks.setdefault(name, []).append(Block(samples, max(others, 0.0)))

    def quiet_blocks(self, name: str) -> int:
        """How many blocks of an experiment nobody disturbed."""
        return sum(block.others_cores <= QUIET_CORES for block in self._blocks.get(name, ()))

    def counting(self, name: str) -> list[Block]:
        """The blocks that count: all quiet ones; where there are none, the half with the least load by others."""
        blocks = sorted(self._blocks[name], key=lambda block: block.others_cores)
        quiet = [block for block in blocks if block.others_cores <= QUIET_CORES]
        return quiet or blocks[: (len(blocks) + 1) // 2]

    def samples(self, name: str, quantity: str) -> Samples:
        """All samples of a quantity from the blocks that count, in nanoseconds; at least one."""
        found = np.concatenate([block.samples[quantity] for block in self.counting(name)])
        if not found.size:
            raise SubjectFailed(
                f"calibrate: '{name}' gave no sample of '{quantity}': try again when the machine is quiet"
            )
        return found

    def disturbance(self) -> tuple[float, int, int]:
        """Cores that others kept busy (mean over the blocks that count), blocks that count, blocks in all."""
        counting = [block for name in self._blocks for block in self.counting(name)]
        total = sum(map(len, self._blocks.values()))
        return float(np.mean([block.others_cores for block in counting])), len(counting), total

    def close(self) -> None:
        """Give the shared memory back."""
        self.arena.close()

    def _wait(self, children: list[Child]) -> None:
        deadline = time.monotonic() + CREW_LIMIT_SECONDS
        while any(child.end is None for child in children):
            woken = wait_any(children, deadline - time.monotonic())
            if not woken.exits:
                limit = f"{CREW_LIMIT_SECONDS:g} s"
                raise RunHung(f"calibrate: '{self._doing}' did not end within {limit}; its processes were ended")
            for gone in woken.exits:
                if gone.status != 0:
                    why = bytes(self.arena.error).rstrip(b"\0").decode("utf-8", "replace") or gone.description
                    raise SubjectFailed(f"calibrate: a process measuring '{self._doing}' failed: {why}")

    def _report(self, error: BaseException) -> None:
        """In a measuring process: leave the error where it outlives the process."""
        text = f"{type(error).__name__}: {error}".replace("\n", " ").encode()[:ERROR_BYTES]
        self.arena.error[: len(text)] = memoryview(text)


def _ending_with_0(main: Main, number: int) -> Callable[[], int]:
    def run() -> int:
        main(number)
        return 0

    return run


def _usage() -> tuple[float, float, float]:
    """In seconds: the time now, the idle time of our cores, the processor time of this process and its children."""
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.monotonic(), _idle_seconds(), sum(usage.ru_utime + usage.ru_stime for usage in own)


def _idle_seconds() -> float:
    ours = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    rows = [line.split() for line in Path("/proc/stat").read_text(encoding="ascii").splitlines()]
    ticks = sum(int(row[4]) + int(row[5]) for row in rows if row and row[0] in ours)
    return ticks / os.sysconf("SC_CLK_TCK")


def pin(core: int) -> None:
    """Keep the calling process on one core."""
    os.sched_setaffinity(0, {core})


def cpu_ns(action: Callable[[], object]) -> int:
    """Processor time of one call in nanoseconds; includes some 0.3 microseconds of reading the clock."""
    begin = time.thread_time_ns()
    action()
    return time.thread_time_ns() - begin
