"""One simulated run: a SimPy process per actor, the semantics decides what happens, the cost model when.

An actor takes the core time of its pending operation on the host and then tries it with `semantics.outcomes`. If it is
blocked it leaves its core and waits. After every outcome those who wait for an object whose value has changed, or whose
own phase has changed, try again, first come first served: so a mutex is handed over in order of arrival, and 157 actors
cost little more per event than two. Nothing here says what an operation does to its object.

State and time are two things. The state changes in one instant, along a path of the checker's graph. Time passes around
it: whoever wakes others pays `release_us` for each, one after another; each of them is ready `wake_us` after its turn
and goes on once it has a core. An event of the trace lasts from when the actor turned to the operation until it knew
the reply.

Rules of this file: the only randomness is in streams keyed by seed, replication, actor and purpose; simultaneous events
happen in the order in which they were scheduled. Every run has a limit of operations.
"""

import time
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import ne
from typing import Any

from simpy.core import Environment
from simpy.events import Event as Happening

from cllm_sim.compose import Bound, System
from cllm_sim.costs import MS, US, CostModel, kind_of
from cllm_sim.job import NOTHING, Job
from cllm_sim.operations import Op, Verb
from cllm_sim.script import choice
from cllm_sim.semantics import Memory, Outcome, initial, outcomes, under_cursor
from cllm_sim.simulator.deadlock import Deadlock, deadlock
from cllm_sim.simulator.host import make_host
from cllm_sim.simulator.line import Line
from cllm_sim.simulator.log import NS, Log
from cllm_sim.simulator.monitor import Defect, Monitor
from cllm_sim.simulator.text import Text
from cllm_sim.trace import Event

EVENTS_MAX = 20_000_000
"""Operations that one run may perform before it is called undecided."""

STALL, STALL_PER_ACTOR = 200_000, 1_000
"""Operations without a new order of the environment after which a run is called undecided: its step may never end."""


@dataclass(frozen=True)
class Setting:
    """What is simulated: who, with which work and durations, under which orders and within which limits.

    `deadline` is a reading of `time.perf_counter`, or None.
    """

    system: System
    job: Job
    costs: CostModel
    orders: list[int]
    seed: int
    cores: int
    events_max: int = EVENTS_MAX
    deadline: float | None = None

    @property
    def stall_max(self) -> int:
        """Operations that may pass between two orders of the environment."""
        return STALL + STALL_PER_ACTOR * len(self.system.actors)


@dataclass(frozen=True)
class Run:
    """What one run did. `complete`: all finished; `limit`: what ended it early; `busy_s`: core time until `end_s`."""

    replication: int
    logs: dict[str, tuple[Event, ...]]
    complete: bool
    limit: str | None
    defects: list[Defect]
    contention: dict[int, int]
    seen: set[str]
    operations: int
    busy_s: float
    end_s: float
    deadlock: Deadlock | None


class _LimitReached(Exception):
    """The run performed as many operations as it may, or took as long."""


class Engine:
    """One replication. Make it, `run` it once."""

    def __init__(self, setting: Setting, replication: int) -> None:
        system, machine = setting.system, setting.costs.machine
        self.setting = setting
        self.system = system
        self.replication = replication
        self.environment = Environment()
        self.host = make_host(
            self.environment,
            setting.cores,
            quantum_s=machine.quantum_ms * MS,
            switch_s=machine.switch_us * US,
            slowdown=machine.slowdown,
        )
        self.wake_s, self.release_s = machine.wake_us * US, machine.release_us * US
        self.streams = setting.costs.streams(setting.seed, replication)
        self.monitor = Monitor(system, system.architecture.promises)
        self.numbers = range(len(system.actors))
        self.texts = [Text(system, actor) for actor in self.numbers]
        self.pending: list[Bound | None] = [self._pending(actor) for actor in self.numbers]
        self.memory = initial(system)
        self.operations = 0
        self.ordered_at = 0
        self.end_s = 0.0
        self._replies = [0] * len(self.numbers)
        self._answered = [False] * len(self.numbers)
        self._bells: dict[int, Happening] = {}
        self._positions = [0] * len(self.numbers)
        self._means: list[dict[Op, float]] = [{} for _ in self.numbers]
        self._logs = [Log() for _ in self.numbers]
        self._line = Line()
        self._mover = 0
        self._woken: list[int] = []
        self._changed: deque[int] = deque()
        self._stirred: deque[int] = deque()
        self._retrying: int | None = None

    def run(self) -> Run:
        """Simulate until everybody has finished, nobody can move, or the limit is reached."""
        limit = None
        self.monitor.look(self.pending, self.memory, self.numbers, 0)
        for actor in self.numbers:
            self.environment.process(self._life(actor))
        try:
            self.environment.run()
        except _LimitReached as reached:
            limit = str(reached)
        complete = all(bound is None for bound in self.pending)
        dead = None if complete or limit else self._deadlock()
        names = [actor.name for actor in self.system.actors]
        return Run(
            self.replication,
            {
                name: log.events(self.system, actor)
                for actor, (name, log) in enumerate(zip(names, self._logs, strict=True))
            },
            complete,
            limit,
            self.monitor.defects(),
            self.monitor.contention,
            self.monitor.seen,
            sum(len(log) for log in self._logs),
            self.host.busy_s,
            self.end_s,
            dead,
        )

    def _deadlock(self) -> Deadlock:
        places = [text.place() for text in self.texts]
        found = deadlock(self.system, self.pending, self.memory, places)
        first = next(actor for actor in self.numbers if self.pending[actor] is not None)
        self.monitor.deadlock(found.text, places[first], max(log.last_ns for log in self._logs))
        return found

    # --- one actor ----------------------------------------------------------------------------------------------------

    def _life(self, actor: int) -> Generator[Happening, Any, None]:
        """The SimPy process of one actor."""
        task = self.host.task()
        while (bound := self.pending[actor]) is not None:
            begin_s = self.environment.now
            demand_s = self._demand_s(actor, bound)
            if demand_s or not task.present:
                yield task.run(demand_s)
            for member in self._act(actor):
                if self.release_s:
                    yield task.run(self.release_s)
                self._bells[member].succeed()
            if not self._answered[actor]:
                task.leave()
                yield self._bells[actor]
                if self.wake_s:
                    yield self.environment.timeout(self.wake_s)
                yield task.run(0.0)  # ready, but it goes on only once it has a core
            self._answered[actor] = False
            self._logs[actor].add(bound.op, self._replies[actor], begin_s, self.environment.now)
        task.leave()

    def _demand_s(self, actor: int, bound: Bound) -> float:
        costs, known = self.setting.costs, self._means[actor]
        mean_s = known.get(bound.op)
        if mean_s is None:
            target = under_cursor(self.system, self.memory, actor, bound) if bound.at else bound
            piece = self.setting.job.piece(actor, target) if target is not None else NOTHING
            mean_s = costs.mean_s(bound, piece)
            if not bound.at:
                known[bound.op] = mean_s
        kind = kind_of(bound.verb)
        if not getattr(costs.spread, kind):
            return mean_s
        return mean_s * costs.factor(kind, self.streams.of(self.system.actors[actor].name, kind))

    # --- the state ----------------------------------------------------------------------------------------------------

    def _act(self, actor: int) -> list[int]:
        """Try the pending operation, let all who wait for what it changed try theirs; returns who is to be woken."""
        self._check_limits()
        self.end_s = self.environment.now
        self._mover, self._woken = actor, []
        self._try(actor)
        while self._stirred or self._changed:
            if self._stirred:
                self._try_anew(self._stirred.popleft())
            else:
                self._try_again(self._changed.popleft())
        if not self._answered[actor]:
            self._bells[actor] = self.environment.event()
            self._line.join(actor, self._awaited(actor))
        self._woken.sort(key=self._line.turn)
        return self._woken

    def _check_limits(self) -> None:
        self.operations += 1
        if self.operations > self.setting.events_max:
            raise _LimitReached(f"the limit of {self.setting.events_max:,} operations was reached")
        if self.operations - self.ordered_at > self.setting.stall_max:
            raise _LimitReached(f"no new order within {self.setting.stall_max:,} operations; the step may never end")
        deadline = self.setting.deadline
        if deadline is not None and not self.operations & 1023 and time.perf_counter() > deadline:
            raise _LimitReached("the budget of time was used up")

    def _try_anew(self, actor: int) -> None:
        """An actor's own phase has changed: it goes to the end of the line and tries."""
        if actor in self._line:
            self._line.leave(actor)
            self._line.join(actor, self._awaited(actor))
            self._try(actor)

    def _try_again(self, item: int) -> None:
        """An object has changed: all who wait for it try, in order of arrival; anew if one of the later ones moved."""
        self._retrying = item
        failed = False
        for actor in self._line.of(item):
            if actor in self._line:
                if not self._try(actor):
                    failed = True
                elif failed and item not in self._changed:
                    self._changed.append(item)
        self._retrying = None

    def _try(self, actor: int) -> bool:
        """Let an actor perform its pending operation; False if it is blocked."""
        found = outcomes(self.system, self.pending, self.memory, actor)
        if found:
            self._apply(actor, found[0] if len(found) == 1 else self._chosen(actor, found))
        return bool(found)

    def _chosen(self, actor: int, found: Sequence[Outcome]) -> Outcome:
        """The environment's choices come from the script, all others (who is woken) from a stream."""
        bound = self.pending[actor]
        assert bound is not None
        if bound.verb is Verb.CHOOSE:
            order = choice(self.setting.orders, self._positions[actor], bound.op.options)
            return next(outcome for outcome in found if outcome.done[0][1] == order)
        return found[int(self.streams.of(self.system.actors[actor].name, "choice").integers(len(found)))]

    def _apply(self, actor: int, outcome: Outcome) -> None:
        before, self.memory = self.memory, outcome.memory
        bound = self.pending[actor]
        assert bound is not None
        if bound.verb is Verb.CHOOSE:
            self._positions[actor] += 1
            self.ordered_at = self.operations
        self.monitor.performed(bound)
        for fault in outcome.faults:
            self.monitor.fault(actor, fault, self.texts[actor].place(), self._now_ns())
        for member, reply in outcome.done:
            self._answer(member, reply)
        self._note_changed_objects(before)
        stirred = self._note_changed_phases(before)
        moved = (actor, *(member for member, _ in outcome.done), *stirred)
        self.monitor.look(self.pending, self.memory, moved, self._now_ns())

    def _answer(self, actor: int, reply: int) -> None:
        self._replies[actor] = reply
        self._answered[actor] = True
        self._line.leave(actor)
        self.texts[actor].answer(reply)
        self.pending[actor] = self._pending(actor)
        if self.pending[actor] is None and _finished(actor) in self._line.items:
            self._changed.append(_finished(actor))
        if actor != self._mover:
            self._woken.append(actor)

    def _pending(self, actor: int) -> Bound | None:
        op = self.texts[actor].op
        return None if op is None else self.system.bound(actor, op)

    def _note_changed_objects(self, before: Memory) -> None:
        after = self.memory
        if after.value is not before.value:
            for item in self._line.items:
                if item >= 0 and before.value[item] != after.value[item] and item != self._retrying:
                    self._changed.append(item)

    def _note_changed_phases(self, before: Memory) -> list[int]:
        """Those whose phase has changed and who still wait."""
        after = self.memory
        if after.phase is before.phase:
            return []
        changed = compress(self.numbers, map(ne, before.phase, after.phase))
        stirred = [actor for actor in changed if actor in self._line]
        self._stirred.extend(stirred)
        return stirred

    def _awaited(self, actor: int) -> tuple[int, ...]:
        """What an outcome of the pending operation may depend on, beside the actor's phase: the objects it names."""
        pending = self.pending[actor]
        assert pending is not None
        bound = under_cursor(self.system, self.memory, actor, pending) if pending.at else pending
        assert bound is not None
        if bound.verb is Verb.JOIN:
            return (_finished(bound.on),)
        mutex = self.system.objects[bound.on].mutex
        return (bound.on, mutex) if mutex >= 0 else (bound.on,)

    def _now_ns(self) -> int:
        return round(self.environment.now * NS)


def _finished(actor: int) -> int:
    """The item that stands for the end of an actor, among the objects."""
    return -1 - actor
