"""The host: c cores shared by the actors that want to run. One mechanism with three settings of the quantum.

    quantum 0      ideal sharing: each of n tasks runs at C(n)/n, where C(n) is the capacity of the busy cores
    quantum inf    run to completion, first come first served
    in between     round robin: one queue for all cores, slices of one quantum

A task is an actor's claim on a core. `run` asks for core time; when it is done, the task keeps its core until, at the
same instant, it either runs on or leaves. So an actor performing many short operations in a row does not queue for each
of them, and one that waits uses no core. Getting onto a core costs `switch_s`, in every setting; in round robin again
after each interruption. While two or more cores are busy, all of them work slower by the factor `slowdown`.

Sharing keeps one virtual clock V with dV/dt = C(n)/n; a task's finish is the tag V + demand, and one timer runs for the
smallest tag. Arrivals and departures cost O(log n) and interrupt nobody.

Rules of this file: it knows time and cores, nothing of actors and operations. Demands and times are in seconds. Core
time is conserved: `busy_s` is the sum of all demands and switches, times the slowdown while it applied.
"""

import heapq
from abc import ABC, abstractmethod
from collections import deque
from itertools import count
from typing import cast

from simpy.core import Environment
from simpy.events import Event

DUST = 1e-12
"""Part of a demand below which what is left of it after many slices is rounding."""


class Task:
    """One actor's claim on the cores of a host; see `Host.task`."""

    __slots__ = ("core", "demand_s", "done", "host", "present", "remaining_s", "slice_s")

    def __init__(self, host: "Host") -> None:
        self.host = host
        self.done: Event | None = None
        self.present = False
        self.core: _Core | None = None
        self.demand_s = self.remaining_s = self.slice_s = 0.0

    def run(self, demand_s: float) -> Event:
        """Ask for core time; the event comes when it is used up. Demand 0 just waits for a core.

        The task then holds its core: at the same instant call `run` again, or `leave`.
        """
        assert demand_s >= 0, f"a demand of {demand_s} s"
        self.done = self.host.environment.event()
        self.host.start(self, demand_s)
        return self.done

    def leave(self) -> None:
        """Give up the core, to wait for something."""
        if self.present:
            self.host.end(self)


class Host(ABC):
    """Cores and the tasks that share them."""

    def __init__(self, environment: Environment, cores: int, switch_s: float, slowdown: float) -> None:
        self.environment = environment
        self.cores = cores
        self.switch_s = switch_s
        self.slowdown = slowdown
        self.busy_s = 0.0
        self.switches = 0

    def task(self) -> Task:
        """A claim that can run again and again."""
        return Task(self)

    def run(self, demand_s: float) -> Event:
        """A job on its own: the event comes when it is done and has left."""
        task = self.task()
        done = task.run(demand_s)
        assert done.callbacks is not None
        done.callbacks.append(lambda _: task.leave())
        return done

    @abstractmethod
    def start(self, task: Task, demand_s: float) -> None:
        """Begin to serve a task (called by `Task.run`)."""

    @abstractmethod
    def end(self, task: Task) -> None:
        """Take a task off (called by `Task.leave`)."""

    def speed(self, busy: int) -> float:
        """Work done per second by one core while `busy` cores are."""
        return 1.0 if busy < 2 else 1.0 / self.slowdown


def make_host(
    environment: Environment, cores: int, *, quantum_s: float = 0.0, switch_s: float = 0.0, slowdown: float = 1.0
) -> Host:
    """The host for a quantum; see the head of this file."""
    if quantum_s == 0:
        return SharedHost(environment, cores, switch_s, slowdown)
    return QuantumHost(environment, cores, switch_s, slowdown, quantum_s)


class SharedHost(Host):
    """Ideal sharing: all present tasks advance at the same rate."""

    def __init__(self, environment: Environment, cores: int, switch_s: float, slowdown: float) -> None:
        super().__init__(environment, cores, switch_s, slowdown)
        self._tags: list[tuple[float, int, Task]] = []
        self._order = count()
        self._present = 0
        self._virtual = 0.0
        self._since = environment.now
        self._version = 0

    def start(self, task: Task, demand_s: float) -> None:
        self._advance()
        if not task.present:
            task.present = True
            self._present += 1
            self.switches += 1
            demand_s += self.switch_s
        assert task.done is not None
        if demand_s:
            heapq.heappush(self._tags, (self._virtual + demand_s, next(self._order), task))
        else:
            task.done.succeed()
        self._arm()

    def end(self, task: Task) -> None:
        self._advance()
        task.present = False
        self._present -= 1
        self._arm()

    def _rate(self) -> float:
        busy = min(self._present, self.cores)
        return busy * self.speed(busy) / self._present

    def _advance(self) -> None:
        elapsed = self.environment.now - self._since
        if elapsed > 0:
            self._since = self.environment.now
            if self._present:
                self._virtual += elapsed * self._rate()
                self.busy_s += elapsed * min(self._present, self.cores)

    def _arm(self) -> None:
        """Start the timer for the smallest tag; timers of an older version are ignored when they come."""
        self._version += 1
        if self._tags:
            delay = max(0.0, self._tags[0][0] - self._virtual) / self._rate()
            timer = self.environment.timeout(delay, self._version)
            assert timer.callbacks is not None
            timer.callbacks.append(self._fire)

    def _fire(self, timer: Event) -> None:
        if timer.value != self._version:
            return
        self._advance()
        self._virtual = self._tags[0][0]  # what is due now is due exactly now, whatever rounding did to the clock
        while self._tags and self._tags[0][0] <= self._virtual:
            done = heapq.heappop(self._tags)[2].done
            assert done is not None
            done.succeed()
        self._arm()


class _Core:
    """One core: the task on it, and since when it works on which amount of work."""

    __slots__ = ("number", "since", "task", "version", "work_s")

    def __init__(self, number: int) -> None:
        self.number = number
        self.task: Task | None = None
        self.since = 0.0
        self.work_s = 0.0
        self.version = 0


class QuantumHost(Host):
    """Round robin over one queue for all cores; an infinite quantum is first come, first served."""

    def __init__(
        self, environment: Environment, cores: int, switch_s: float, slowdown: float, quantum_s: float
    ) -> None:
        super().__init__(environment, cores, switch_s, slowdown)
        self.quantum_s = quantum_s
        self._all = [_Core(number) for number in range(cores)]
        self._idle = [core.number for core in self._all]
        self._queue: deque[Task] = deque()

    def start(self, task: Task, demand_s: float) -> None:
        task.demand_s = task.remaining_s = demand_s
        if task.core is not None:
            self._go_on(task.core)
            return
        task.present = True
        self._queue.append(task)
        if self._idle:
            before = self._busy()
            core = self._all[heapq.heappop(self._idle)]
            self._retime(before)
            self._dispatch(core)

    def end(self, task: Task) -> None:
        task.present = False
        core = task.core
        assert core is not None, "a task leaves from a core"
        task.core = core.task = None
        if self._queue:
            self._dispatch(core)
        else:
            before = self._busy()
            heapq.heappush(self._idle, core.number)
            self._retime(before)

    def _busy(self) -> int:
        return self.cores - len(self._idle)

    def _dispatch(self, core: _Core) -> None:
        """Put the first of the queue onto a free core."""
        task = self._queue.popleft()
        task.core, core.task = core, task
        task.remaining_s += self.switch_s
        task.slice_s = self.quantum_s + self.switch_s
        self.switches += 1
        self._go_on(core)

    def _go_on(self, core: _Core) -> None:
        """Decide what a core does next: complete its task, let the next one on, or work until one of the two."""
        task = core.task
        assert task is not None
        assert task.done is not None
        core.version += 1  # whatever timer is still running for this core is void
        if task.remaining_s <= task.demand_s * DUST:
            task.remaining_s = 0.0
            task.done.succeed()
        elif task.slice_s > 0 or not self._queue:
            task.slice_s = task.slice_s if task.slice_s > 0 else self.quantum_s
            self._arm(core, min(task.remaining_s, task.slice_s))
        else:
            task.core = core.task = None
            self._queue.append(task)
            self._dispatch(core)

    def _arm(self, core: _Core, work_s: float) -> None:
        core.since, core.work_s = self.environment.now, work_s
        timer = self.environment.timeout(work_s / self.speed(self._busy()), (core, core.version))
        assert timer.callbacks is not None
        timer.callbacks.append(self._fire)

    def _fire(self, timer: Event) -> None:
        core, version = cast("tuple[_Core, int]", timer.value)
        if version == core.version:
            self._settle(core, core.work_s)
            self._go_on(core)

    def _settle(self, core: _Core, work_s: float) -> None:
        """Book the work done since the core was armed."""
        task = core.task
        assert task is not None
        self.busy_s += self.environment.now - core.since
        task.remaining_s -= work_s
        task.slice_s -= work_s
        core.work_s = 0.0

    def _retime(self, busy_before: int) -> None:
        """The number of busy cores changed: where that changes their speed, re-arm all cores that are at work."""
        before, after = self.speed(busy_before), self.speed(self._busy())
        if before == after:
            return
        for core in self._all:
            if core.task is not None and core.work_s:
                self._settle(core, (self.environment.now - core.since) * before)
                self._go_on(core)
