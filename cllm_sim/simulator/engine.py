"""One simulated run: a SimPy process per actor, the semantics decides what happens, the cost model when.

An actor takes the core time of its pending operation on the host and then tries it with `semantics.outcomes`. If it is
blocked it leaves its core and waits. After every outcome those who wait for an object whose value has changed, or whose own
phase has changed, try again, first come first served: so a mutex is handed over in order of arrival, and 157 actors cost
little more per event than two. Nothing here says what an operation does to its object.

State and time are two things. The state changes in one instant, along a path of the checker's graph. Time passes around
it: whoever wakes others pays `release_us` for each, one after another; each of them is ready `wake_us` after its turn and
goes on once it has a core. An event of the trace lasts from when the actor turned to the operation until it knew the reply.

Rules of this file: the only randomness is in streams keyed by seed, replication, actor and purpose; simultaneous events
happen in the order in which they were scheduled. Every run has a limit of operations.
"""

from array import array
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress, count
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
from cllm_sim.simulator.host import make_host
from cllm_sim.simulator.monitor import Defect, Monitor
from cllm_sim.simulator.text import Text
from cllm_sim.trace import Event
from cllm_sim.waiting import blocked_on, waits_for

EVENTS_MAX = 20_000_000
NS = 1e9


@dataclass(frozen=True)
class Setting:
    """What is simulated: who, with which work and durations, under which orders of the environment."""

    system: System
    job: Job
    costs: CostModel
    orders: list[int]
    seed: int
    cores: int
    events_max: int = EVENTS_MAX


@dataclass(frozen=True)
class Run:
    """What one run did. `stuck` and `edges` are filled where nobody could move before all had finished."""

    replication: int
    logs: dict[str, tuple[Event, ...]]
    complete: bool
    limit: str | None
    defects: list[Defect]
    contention: dict[int, int]
    seen: set[str]
    operations: int
    busy_s: float
    stuck: list[dict[str, Any]] = field(default_factory=list)
    edges: list[dict[str, str]] = field(default_factory=list)


class _LimitReached(Exception):
    """The run performed as many operations as it may."""


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
        self._replies = [0] * len(self.numbers)
        self._answered = [False] * len(self.numbers)
        self._bells: dict[int, Happening] = {}
        self._positions = [0] * len(self.numbers)
        self._means: list[dict[Op, float]] = [{} for _ in self.numbers]
        self._logs = [_Log() for _ in self.numbers]
        self._line = _Line()
        self._mover = 0
        self._woken: list[int] = []
        self._changed: deque[int] = deque()
        self._stirred: deque[int] = deque()
        self._retrying: int | None = None

    def run(self) -> Run:
        """Simulate until everybody has finished, nobody can move, or the limit is reached."""
        limit = None
        self.monitor.look(self.pending, self.memory, 0)
        for actor in self.numbers:
            self.environment.process(self._life(actor))
        try:
            self.environment.run()
        except _LimitReached:
            limit = f"the limit of {self.setting.events_max:,} operations was reached"
        complete = all(bound is None for bound in self.pending)
        dead = not complete and limit is None
        if dead:
            self._deadlock()
        return Run(
            self.replication,
            {actor.name: log.events(self.system, number) for number, (actor, log) in self._named_logs()},
            complete,
            limit,
            self.monitor.defects(),
            self.monitor.contention,
            self.monitor.seen,
            sum(len(log) for log in self._logs),
            self.host.busy_s,
            self._stuck() if dead else [],
            self._edges() if dead else [],
        )

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
        """Try the pending operation, and let all who wait for what it changed try theirs; returns who is to be woken."""
        self.operations += 1
        if self.operations > self.setting.events_max:
            raise _LimitReached
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

    def _try_anew(self, actor: int) -> None:
        """An actor's own phase has changed: it goes to the end of the line and tries."""
        if actor in self._line:
            self._line.leave(actor)
            self._line.join(actor, self._awaited(actor))
            self._try(actor)

    def _try_again(self, item: int) -> None:
        """An object has changed: all who wait for it try, in order of arrival; once more if one of the later ones moved."""
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
        self._positions[actor] += bound.verb is Verb.CHOOSE
        self.monitor.performed(bound)
        for fault in outcome.faults:
            self.monitor.fault(actor, fault, self.texts[actor].place(), self._now_ns())
        for member, reply in outcome.done:
            self._answer(member, reply)
        self._note_changes(before)
        self.monitor.look(self.pending, self.memory, self._now_ns())

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

    def _note_changes(self, before: Memory) -> None:
        after = self.memory
        if after.value is not before.value:
            for item in self._line.items:
                if item >= 0 and before.value[item] != after.value[item] and item != self._retrying:
                    self._changed.append(item)
        if after.phase is not before.phase:
            for actor in compress(self.numbers, map(ne, before.phase, after.phase)):
                if actor in self._line:
                    self._stirred.append(actor)

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

    # --- the end ------------------------------------------------------------------------------------------------------

    def _now_ns(self) -> int:
        return round(self.environment.now * NS)

    def _named_logs(self) -> Iterator[tuple[int, tuple[Any, "_Log"]]]:
        return enumerate(zip(self.system.actors, self._logs, strict=True))

    def _deadlock(self) -> None:
        """Note the deadlock; its time is that of the last event that happened."""
        last_ns = max((log.last_ns for log in self._logs), default=0)
        rows = self._stuck()
        places = [self.texts[actor].place() for actor in self.numbers if self.pending[actor] is not None]
        waiting = "; ".join(f"{row['actor']} waits for {row['waits_for']}" for row in rows[:3])
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        self.monitor.deadlock(f"nobody can move, and not everybody has finished: {waiting}{more}", places[0], last_ns)

    def _stuck(self) -> list[dict[str, Any]]:
        rows = []
        for actor in self.numbers:
            if self.pending[actor] is None:
                continue
            place = self.texts[actor].place()
            waiting = blocked_on(self.system, self.pending, self.memory, actor, place)
            assert waiting is not None, "whoever can move in a run that has come to rest was forgotten"
            row = {"actor": waiting.actor, "waits_for": waiting.on, "needs": waiting.needs}
            rows.append({**row, "path": place.path, "line": place.line})
        return rows

    def _edges(self) -> list[dict[str, str]]:
        """The wait-for graph: who waits for whom, on what."""
        names = [actor.name for actor in self.system.actors]
        edges: list[dict[str, str]] = []
        for actor in self.numbers:
            waiting = blocked_on(self.system, self.pending, self.memory, actor)
            if waiting is not None:
                others = waits_for(self.system, self.pending, self.memory, actor)
                edges.extend({"from": names[actor], "to": names[other], "on": waiting.on} for other in others)
        return edges


def _finished(actor: int) -> int:
    """The item that stands for the end of an actor, among the objects."""
    return -1 - actor


class _Line:
    """Who waits for what, in order of arrival. An actor may wait for several items at once."""

    def __init__(self) -> None:
        self.items: dict[int, dict[int, None]] = {}
        self._joined: dict[int, tuple[int, ...]] = {}
        self._turns: dict[int, int] = {}
        self._next = count()

    def __contains__(self, actor: int) -> bool:
        return actor in self._joined

    def join(self, actor: int, items: tuple[int, ...]) -> None:
        """Go to the end of the line before each of these."""
        self._joined[actor] = items
        self._turns[actor] = next(self._next)
        for item in items:
            self.items.setdefault(item, {})[actor] = None

    def leave(self, actor: int) -> None:
        """Stop waiting; nothing happens to who does not wait."""
        for item in self._joined.pop(actor, ()):
            del self.items[item][actor]
            if not self.items[item]:
                del self.items[item]

    def of(self, item: int) -> tuple[int, ...]:
        """All who wait for an item, the first to come first."""
        return tuple(self.items.get(item, ()))

    def turn(self, actor: int) -> int:
        """When an actor joined last, as a number that grows."""
        return self._turns[actor]


class _Log:
    """The events of one actor, four integers each: a long run has millions."""

    def __init__(self) -> None:
        self._rows = array("q")
        self._ops: list[Op] = []
        self._index: dict[Op, int] = {}

    def __len__(self) -> int:
        return len(self._rows) // 4

    @property
    def last_ns(self) -> int:
        """When the last event ended."""
        return self._rows[-1] if self._rows else 0

    def add(self, op: Op, reply: int, begin_s: float, end_s: float) -> None:
        """Append an event; times are rounded to nanoseconds."""
        index = self._index.get(op)
        if index is None:
            index = self._index[op] = len(self._ops)
            self._ops.append(op)
        self._rows.extend((index, reply, round(begin_s * NS), round(end_s * NS)))

    def events(self, system: System, actor: int) -> tuple[Event, ...]:
        """The log in absolute names."""
        names = [system.describe(actor, op) for op in self._ops]
        rows = iter(self._rows)
        return tuple(Event(names[op], reply, begin, end) for op, reply, begin, end in zip(*[rows] * 4, strict=True))
