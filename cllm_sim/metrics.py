"""What a trace tells about time, real or simulated alike: steps, where each actor's time went, the critical path.

Comparable by construction. The log of a real run knows when an operation began and when its reply was known, and
nothing about cores; so a simulated log is read in the same way. `compute`, `fold` and `update` therefore contain the
time in which the actor was interrupted in the middle of them, and `barrier` and `lock` contain waking up and getting a
core back, on both sides. `ready` is what remains of a step: short operations that do not wait for others, and the time
between operations. A simulation could tell more (time without a core); nothing measured could be set beside it.

Shares speak about steps only: what happens before the first batch and after the last update is start and end of a run.

Rules of this file: a trace in, numbers out; no simulator, no architecture, no files. Times within are integer
nanoseconds; what leaves it is in milliseconds or a fraction of 1, as the name says.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from statistics import fmean, median
from typing import NamedTuple

from cllm_sim.operations import BATCH, Verb
from cllm_sim.statistics import quantiles
from cllm_sim.trace import Event, Trace

KEYS = ("compute", "fold", "update", "barrier", "lock", "ready")
"""Where time goes; the keys of `wait_share`."""

_PHASES = {
    Verb.COMPUTE: "compute",
    Verb.FOLD: "fold",
    Verb.UPDATE: "update",
    Verb.WAIT: "barrier",
    Verb.ACQUIRE: "lock",
    Verb.SLEEP: "lock",
}

Log = Sequence[Event]
Shares = dict[str, float]


class Step(NamedTuple):
    """One step: its number from 0, when its batch was ordered and when its update was done (ns), and by whom."""

    number: int
    begin: int
    end: int
    chooser: str

    @property
    def ms(self) -> float:
        """Its duration."""
        return (self.end - self.begin) / 1e6


class PathPart(NamedTuple):
    """A piece of a critical path: the actor, its operation, and the time that the path spends there."""

    actor: str
    op: str
    ms: float


def phase_of(op: str) -> str:
    """The phase that an event's time belongs to: one of `KEYS` except `ready`, or `other`."""
    return _PHASES.get(Verb(op.partition(" ")[0]), "other")


# --- steps ------------------------------------------------------------------------------------------------------------


def steps(trace: Trace) -> tuple[Step, ...]:
    """All complete steps, in order.

    A step begins when the choice of a batch is known. It ends with the update that the same actor performs before its
    next choice; where somebody else updates, it ends when the next choice begins. An unfinished step is left out.
    """
    found: list[Step] = []
    for name, log in trace.actors.items():
        begin: int | None = None
        updated: int | None = None
        for event in log:
            if event.op == Verb.CHOOSE:
                if begin is not None:
                    found.append(Step(0, begin, event.begin if updated is None else updated, name))
                begin, updated = (event.end if event.reply == BATCH else None), None
            elif begin is not None and event.op.startswith(Verb.UPDATE):
                updated = event.end
        if begin is not None and updated is not None:
            found.append(Step(0, begin, updated, name))
    found.sort(key=lambda step: step.begin)
    return tuple(step._replace(number=number) for number, step in enumerate(found))


def step_ms(found: Iterable[Step]) -> dict[str, float | None]:
    """`{median, p05, p95}` of the durations; None where there is no complete step."""
    return quantiles([step.ms for step in found])


def steps_per_second(found: Sequence[Step]) -> float | None:
    """Steps from the beginning of the first to the end of the last, per second; None where there is none."""
    span = max((step.end for step in found), default=0) - min((step.begin for step in found), default=0)
    return len(found) / (span / 1e9) if span > 0 else None


def typical(found: Sequence[Step]) -> Step | None:
    """The step whose duration is nearest to the median, the earliest of them; None where there is none."""
    if not found:
        return None
    middle = median(step.end - step.begin for step in found)
    return min(found, key=lambda step: (abs(step.end - step.begin - middle), step.number))


# --- where the time went ----------------------------------------------------------------------------------------------


def shares(trace: Trace, found: Sequence[Step]) -> dict[str, Shares]:
    """Per actor, the part of the steps' time that went to each of `KEYS` (they sum to 1); empty without a step."""
    whole = sum(step.end - step.begin for step in found)
    if not whole:
        return {}
    return {
        name: {key: spent / whole for key, spent in _total(_spent(log, found)).items()}
        for name, log in trace.actors.items()
    }


def overall(by_actor: Mapping[str, Shares]) -> dict[str, float | None]:
    """The mean share of all actors: the field `wait_share`. All None where no step was completed."""
    if not by_actor:
        return dict.fromkeys(KEYS)
    return {key: fmean(share[key] for share in by_actor.values()) for key in KEYS}


def phases_ms(trace: Trace, found: Sequence[Step]) -> dict[str, float | None]:
    """Per key the median over all steps of the mean time of those actors who spent any on it in that step.

    `fold` with one control is thus the time of its fold, `compute` that of an average worker. None where no step was
    completed; 0 for what nobody did.
    """
    if not found:
        return dict.fromkeys(KEYS)
    spent = [_spent(log, found) for log in trace.actors.values()]
    return {
        key: median(
            fmean([row[number][key] for row in spent if row[number][key]] or [0]) / 1e6 for number in range(len(found))
        )
        for key in KEYS
    }


def _total(rows: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total = dict.fromkeys(KEYS, 0)
    for row in rows:
        for key, value in row.items():
            total[key] += value
    return total


def _spent(log: Log, found: Sequence[Step]) -> list[dict[str, int]]:
    """Per step the nanoseconds that one actor spent on each key; what spans several steps is cut at their ends."""
    rows = [dict.fromkeys(KEYS, 0) for _ in found]
    ends = [step.end for step in found]
    phases: dict[str, str] = {}
    for event in log:
        phase = phases.get(event.op) or phases.setdefault(event.op, phase_of(event.op))
        if phase != "other":
            for number in range(bisect_right(ends, event.begin), len(found)):
                step = found[number]
                if event.end <= step.begin:
                    break
                rows[number][phase] += max(0, min(event.end, step.end) - max(event.begin, step.begin))
    for row, step in zip(rows, found, strict=True):
        row["ready"] = step.end - step.begin - sum(row.values())
    return rows


# --- the critical path ------------------------------------------------------------------------------------------------


def critical_path(trace: Trace, step: Step) -> list[PathPart]:
    """What decided how long a step took: back from its end, always to the latest thing that had to happen before.

    From a barrier the path goes to whoever arrived last, from a lock to who gave it back last, from a condition to who
    notified, from a semaphore or word to who changed it last, from a join to the end of that actor; otherwise to the
    actor's own previous operation. The parts are in order of time and their times sum to that of the step.
    """
    walk = _Walk(trace)
    parts: list[PathPart] = []
    actor, index = step.chooser, walk.last(step.chooser, step.end)
    now = step.end
    while index >= 0 and now > step.begin:
        event = trace.actors[actor][index]
        before_actor, before_index, then = walk.before(actor, index, now)
        then = max(then, step.begin)
        if then < now:
            parts.append(PathPart(actor, event.op, (now - then) / 1e6))
        actor, index, now = before_actor, before_index, then
    return _merged(reversed(parts))


def _merged(parts: Iterable[PathPart]) -> list[PathPart]:
    merged: list[PathPart] = []
    for part in parts:
        if merged and merged[-1][:2] == part[:2]:
            part = part._replace(ms=merged.pop().ms + part.ms)
        merged.append(part)
    return merged


Position = tuple[str, int]

_RELEASES = {
    Verb.ACQUIRE: frozenset({Verb.RELEASE}),
    Verb.SLEEP: frozenset({Verb.NOTIFY, Verb.NOTIFY_ALL}),
    Verb.DOWN: frozenset({Verb.UP}),
    Verb.AWAIT: frozenset({Verb.STORE, Verb.ADD, Verb.EXCHANGE}),
}
"""What can end a wait: verb that waits -> verbs on the same object that let it go on."""

_CHANGES = frozenset().union(*_RELEASES.values())


class _Walk:
    """Predecessors of events. Objects are found by their names, those under a cursor by following the cursor."""

    def __init__(self, trace: Trace) -> None:
        self.logs = trace.actors
        self.ends = {name: [event.end for event in log] for name, log in trace.actors.items()}
        self.names = {name: list(_objects(name, log)) for name, log in trace.actors.items()}
        self.crossings: dict[tuple[str, int], list[tuple[int, str, int]]] = {}
        self.crossing_of: dict[Position, tuple[str, int]] = {}
        self.changes: dict[tuple[str, Verb], list[tuple[int, str, int]]] = {}
        for name, log in trace.actors.items():
            self._index(name, log)
        for rows in self.changes.values():
            rows.sort()

    def _index(self, name: str, log: Log) -> None:
        crossed: dict[str, int] = {}
        for index, (event, (verb, item)) in enumerate(zip(log, self.names[name], strict=True)):
            if verb is Verb.WAIT:
                number = crossed[item] = crossed.get(item, -1) + 1
                self.crossings.setdefault((item, number), []).append((event.begin, name, index))
                self.crossing_of[name, index] = (item, number)
            elif verb in _CHANGES:
                self.changes.setdefault((item, verb), []).append((event.begin, name, index))

    def last(self, name: str, time: int) -> int:
        """The last event of an actor that ended at or before a time."""
        return bisect_right(self.ends[name], time) - 1

    def before(self, actor: str, index: int, now: int) -> tuple[str, int, int]:
        """Actor and index of the event that the path came from, and when it left there; times only ever go back."""
        event = self.logs[actor][index]
        verb, item = self.names[actor][index]
        found = None
        if verb is Verb.WAIT:
            found = self._last_arrival(actor, index, now)
        elif verb is Verb.JOIN and self.logs.get(item):
            found = (item, len(self.logs[item]) - 1, min(now, self.logs[item][-1].end))
        elif verb in _RELEASES:
            found = self._last_change(actor, item, _RELEASES[verb], now)
        if found is not None and event.begin < found[2] <= now:
            return found
        return actor, index - 1, min(now, self.ends[actor][index - 1]) if index else 0

    def _last_arrival(self, actor: str, index: int, now: int) -> tuple[str, int, int] | None:
        """Everybody's k-th wait at a barrier is the same crossing; the path goes on before the last one's arrival."""
        begin, name, arrived = max(self.crossings[self.crossing_of[actor, index]])
        if name == actor or not arrived:
            return None
        return name, arrived - 1, begin

    def _last_change(self, actor: str, item: str, verbs: Iterable[Verb], now: int) -> tuple[str, int, int] | None:
        """The last operation of somebody else that let the waiting one go on; it may still be waking others."""
        found: list[tuple[int, str, int]] = []
        for verb in verbs:
            rows = self.changes.get((item, verb), [])
            latest = bisect_right(rows, now, key=lambda row: row[0]) - 1
            others = (rows[position] for position in range(latest, -1, -1) if rows[position][1] != actor)
            found.extend(islice(others, 1))
        if not found:
            return None
        _, name, index = max(found)
        return name, index, min(now, self.ends[name][index])


def _objects(name: str, log: Log) -> Iterable[tuple[Verb, str]]:
    """Verb and object of every event; `0/at/lock` becomes the lock of the child that the actor's cursor stands at."""
    cursor = 0
    for event in log:
        verb, _, rest = event.op.partition(" ")
        item = rest.partition(" ")[0].rstrip(",")
        if verb == Verb.NEXT:
            cursor = cursor + 1 if event.reply else 0
        elif item.startswith(f"{name}/at/"):
            item = f"{name}.{cursor - 1}/{item.rpartition('/')[2]}"
        yield Verb(verb), item
