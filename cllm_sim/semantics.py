"""The meaning of every operation, once: pure functions over an explicit state.

    outcomes(system, pending, memory, actor) -> the possible results of letting `actor` go next
    effects(system, pending, memory, actor)  -> the same, with what it does to the marks as events, not yet applied

No outcome means that the actor is blocked; several mean that somebody else chooses (the environment, or who is woken).
The checker lets every actor go, the simulator the one whose time has come, and recorded logs are judged with the same
function. An outcome names all actors whose operation it completes: the last arrival at a barrier completes everybody's.

What stands in `Memory`:

- `phase`, per actor: 0 about to act, 1 parked (arrived at a barrier, asleep), 2 woken and in need of its mutex;
- `value`, per object: a mutex's owner + 1; a word, variable or semaphore; a cursor's mark (0 not yet, 1 here, 2 done);
  a region's freshness (0 empty, 1 fresh, 2 folded, -k: k slices delivered, 10 + k: k of its slices folded);
- `marks`, the happens-before monitor (Goldilocks, Elmas, Qadeer and Tasiran 2007, as bit sets): one entry per access
  that somebody is not yet ordered after: (location, mode, actor, who and what is ordered after it).

A fault (broken rule) does not stop the run: the state stays defined, so faults behind it are found as well.

Rules of this file: no clock, no randomness, no input or output; nothing here knows who calls it.
`real_runtime/perform.py` is the one permitted twin, and every run's log is judged by this file.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cllm_sim.compose import Bound, System
from cllm_sim.operations import CHOICE_NAMES, Kind, Verb

READ, WRITE, PART = 0, 1, 2
"""Modes of access; two slices of one region (PART) do not conflict with each other."""

EMPTY, FRESH, FOLDED, SLICES = 0, 1, 2, 10
DESTROYED = -1

Mark = tuple[int, int, int, int]
"""(location, mode, actor, mask): bit a of mask is actor a, bit (actors + o) is object o."""


class Memory(NamedTuple):
    """The shared state of a system."""

    phase: tuple[int, ...]
    value: tuple[int, ...]
    marks: tuple[Mark, ...]


class Fault(NamedTuple):
    """A broken rule: its class, what happened, the object, and the other actor concerned (-1: nobody)."""

    kind: str
    text: str
    on: int = -1
    other: int = -1


class Event(NamedTuple):
    """What a step does to the happens-before marks.

    `spread`: whoever is in `target` is now ordered after every access that somebody in `source` is ordered after (both
    are masks). `replace`: the object `target` now carries what the actor `source` knows, and no longer what earlier
    stores gave it. `touch`: the actor `source` makes the plain accesses `touched`.
    """

    kind: str
    source: int
    target: int = 0
    touched: tuple[tuple[int, int], ...] = ()


class Outcome(NamedTuple):
    """One possible result: the state after, whose operations it completes with which reply, faults, the choice."""

    memory: Memory
    done: tuple[tuple[int, int], ...]
    faults: tuple[Fault, ...] = ()
    choice: str = ""
    events: tuple[Event, ...] = ()


Pending = Sequence[Bound | None]
Handler = Callable[[System, Pending, Memory, int, Bound], tuple[Outcome, ...]]


def initial(system: System) -> Memory:
    """The state before anybody has moved."""
    return Memory((0,) * len(system.actors), tuple(item.initial for item in system.objects), ())


def outcomes(system: System, pending: Pending, memory: Memory, actor: int) -> tuple[Outcome, ...]:
    """All possible results of letting `actor` perform its pending operation in `memory`."""
    found = effects(system, pending, memory, actor)
    return tuple(_marked(system, outcome) for outcome in found) if system.monitor else found


def _marked(system: System, outcome: Outcome) -> Outcome:
    """An outcome with its events applied to the marks; races come before the other faults."""
    marks, races = ordered(system, outcome.memory.marks, outcome.events)
    return outcome._replace(memory=outcome.memory._replace(marks=marks), faults=(*races, *outcome.faults))


def effects(system: System, pending: Pending, memory: Memory, actor: int) -> tuple[Outcome, ...]:
    """What `outcomes` gives, with the marks as they were: `ordered` applies each outcome's events to them."""
    bound = pending[actor]
    if bound is None:
        return ()
    if bound.at:
        bound = under_cursor(system, memory, actor, bound)
        if bound is None:
            return (
                _faulty(memory, actor, Fault("lock-misuse", "names the child under the cursor, but there is none")),
            )
    gone = _destroyed(system, memory, bound) if not memory.phase[actor] else -1
    if gone >= 0:
        name = system.objects[gone].name
        return (_faulty(memory, actor, Fault("use-after-destroy", f"uses {name} after its destruction", gone)),)
    return HANDLERS[bound.verb](system, pending, memory, actor, bound)


def under_cursor(system: System, memory: Memory, actor: int, bound: Bound) -> Bound | None:
    """The variant of an operation for the child that the actor's cursor stands at."""
    for index, child in enumerate(system.actors[actor].children):
        if memory.value[system.cursor[child]] == 1:
            return bound.at[index]
    return None


def parked(system: System, pending: Pending, memory: Memory, item: int) -> list[int]:
    """The actors that have arrived at a barrier, or sleep on a condition."""
    found = []
    for actor, phase in enumerate(memory.phase):
        bound = pending[actor] if phase == 1 else None
        if bound is not None and bound.at:
            bound = under_cursor(system, memory, actor, bound)
        if bound is not None and bound.on == item:
            found.append(actor)
    return found


def waiters(system: System, pending: Pending, memory: Memory) -> dict[int, int]:
    """How many actors wait for each mutex that somebody else holds."""
    count: dict[int, int] = {}
    for actor, bound in enumerate(pending):
        mutex = wanted_mutex(system, memory, actor, bound)
        if mutex >= 0 and memory.value[mutex] > 0 and memory.value[mutex] != actor + 1:
            count[mutex] = count.get(mutex, 0) + 1
    return count


def wanted_mutex(system: System, memory: Memory, actor: int, bound: Bound | None) -> int:
    """The mutex that an actor needs before it can go on; -1 if none."""
    if bound is None or bound.verb not in (Verb.ACQUIRE, Verb.SLEEP):
        return -1
    if bound.at:
        bound = under_cursor(system, memory, actor, bound)
        if bound is None:
            return -1
    if bound.verb is Verb.ACQUIRE:
        return bound.on
    return system.objects[bound.on].mutex if memory.phase[actor] == 2 else -1


def accesses(bound: Bound) -> list[tuple[int, int]]:
    """The plain accesses of an operation as (location, mode)."""
    if bound.verb is Verb.READ:
        return [(bound.on, READ)]
    if bound.verb is Verb.WRITE:
        return [(bound.on, WRITE)]
    sliced = bound.verb is Verb.FOLD and bound.op.value > 1
    return (
        [(item, READ) for item in bound.reads]
        + [(item, PART if sliced else WRITE) for item in bound.writes]
        + [(item, WRITE) for item in bound.scratch]
    )


def conflicting(mode: int, other: int) -> bool:
    """Do two accesses of one location need an order between them?"""
    return not (mode == other and mode != WRITE)


def both_next(system: System, pending: Pending, memory: Memory) -> list[tuple[int, int, int]]:
    """Pairs of actors whose next operations are conflicting plain accesses: (actor, actor, location).

    Over all interleavings this finds a race exactly when there is one: what is ordered before the two accesses of the
    first race of a run is itself a run, and it ends with both of them next.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    pairs = []
    for actor, pending_bound in enumerate(pending):
        bound = pending_bound
        if bound is not None and bound.at:
            bound = under_cursor(system, memory, actor, bound)
        if bound is None:
            continue
        for location, mode in accesses(bound) if bound.verb in PLAIN else ():
            for other, other_mode in found.get(location, ()):
                if other != actor and conflicting(mode, other_mode):
                    pairs.append((other, actor, location))
            found.setdefault(location, []).append((actor, mode))
    return pairs


PLAIN = frozenset({Verb.READ, Verb.WRITE, Verb.COMPUTE, Verb.FOLD, Verb.UPDATE})


# --- small changes of state -------------------------------------------------------------------------------------------


def _put(values: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    return (*values[:index], value, *values[index + 1 :])


def _destroyed(system: System, memory: Memory, bound: Bound) -> int:
    """The destroyed object that an operation needs (a sleep needs its mutex); -1 if there is none."""
    item = system.objects[bound.on].mutex if bound.verb is Verb.SLEEP else bound.on
    mortal = item >= 0 and bound.verb is not Verb.JOIN and memory.value[item] == DESTROYED
    return item if mortal and system.objects[item].kind in (Kind.BARRIER, Kind.MUTEX) else -1


def _faulty(memory: Memory, actor: int, fault: Fault) -> Outcome:
    return Outcome(memory, ((actor, 0),), (fault,))


def _done(memory: Memory, actor: int, reply: int = 0, events: tuple[Event, ...] = ()) -> tuple[Outcome, ...]:
    return (Outcome(memory, ((actor, reply),), (), "", events),)


# --- the happens-before monitor ---------------------------------------------------------------------------------------


def ordered(
    system: System, marks: tuple[Mark, ...], events: tuple[Event, ...]
) -> tuple[tuple[Mark, ...], tuple[Fault, ...]]:
    """The marks after some events, and the races that these show."""
    faults: list[Fault] = []
    for kind, source, target, touched in events:
        if kind == "touch":
            for location, mode in touched:
                marks = _touch(system, marks, source, location, mode, faults)
        elif marks and kind == "spread":
            marks = _spread(system, marks, source, target)
        elif marks:
            marks = _replace(system, marks, source, target)
    return marks, tuple(faults)


def _bit(system: System, item: int) -> int:
    return 1 << (len(system.actors) + item)


def _spread(system: System, marks: tuple[Mark, ...], source: int, target: int) -> tuple[Mark, ...]:
    everyone = (1 << len(system.actors)) - 1
    spread = []
    for mark in marks:
        location, mode, actor, mask = mark
        if not mask & source or mask | target == mask:
            spread.append(mark)
        elif (mask | target) & everyone != everyone:
            spread.append((location, mode, actor, mask | target))
    return tuple(spread)


def _replace(system: System, marks: tuple[Mark, ...], actor: int, item: int) -> tuple[Mark, ...]:
    bit = _bit(system, item)
    return tuple((loc, mode, who, mask | bit if mask & 1 << actor else mask & ~bit) for loc, mode, who, mask in marks)


def _touch(
    system: System, marks: tuple[Mark, ...], actor: int, location: int, mode: int, faults: list[Fault]
) -> tuple[Mark, ...]:
    """Check a plain access against the marks of its location, which lie side by side, and leave a new one."""
    first = last = bisect_left(marks, (location,))
    kept = []
    while last < len(marks) and marks[last][0] == location:
        _, other_mode, other, mask = marks[last]
        if other != actor and conflicting(mode, other_mode) and not mask & 1 << actor:
            faults.append(_race(system, location, mode, other_mode, other))
        if not (mode == WRITE or (other == actor and mode == other_mode)):
            kept.append(marks[last])
        last += 1
    if len(system.actors) > 1:
        kept.append((location, mode, actor, 1 << actor))
    return (*marks[:first], *sorted(kept), *marks[last:])


def _race(system: System, location: int, mode: int, other_mode: int, other: int) -> Fault:
    words = {READ: "read", WRITE: "write", PART: "write of a slice"}
    text = (
        f"{words[mode]} of {system.objects[location].name} is not ordered after "
        f"the {words[other_mode]} by {system.actors[other].name}"
    )
    return Fault("race", text, location, other)


def _give(system: System, actor: int, item: int) -> Event:
    return Event("spread", 1 << actor, _bit(system, item))


def _take(system: System, actor: int, item: int) -> Event:
    return Event("spread", _bit(system, item), 1 << actor)


def _touching(actor: int, bound: Bound) -> tuple[Event, ...]:
    return (Event("touch", actor, 0, tuple(accesses(bound))),)


# --- synchronisation --------------------------------------------------------------------------------------------------


def _wait(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    if memory.phase[actor] == 1:
        return ()
    arrived = parked(system, pending, memory, bound.on)
    if len(arrived) + 1 < system.objects[bound.on].parties:
        return (Outcome(memory._replace(phase=_put(memory.phase, actor, 1)), ()),)
    members = sorted((*arrived, actor))
    mask = sum(1 << member for member in members)
    phase = tuple(0 if number in arrived else phase for number, phase in enumerate(memory.phase))
    done = tuple((member, 0) for member in members)
    return (Outcome(memory._replace(phase=phase), done, (), "", (Event("spread", mask, mask),)),)


def _acquire(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    if memory.value[bound.on]:
        return ()
    return _locked(system, memory, actor, bound.on)


def _locked(system: System, memory: Memory, actor: int, mutex: int) -> tuple[Outcome, ...]:
    after = memory._replace(phase=_put(memory.phase, actor, 0), value=_put(memory.value, mutex, actor + 1))
    return _done(after, actor, 0, (_take(system, actor, mutex),))


def _released(
    system: System, memory: Memory, actor: int, mutex: int
) -> tuple[Memory, tuple[Fault, ...], tuple[Event, ...]]:
    faults: tuple[Fault, ...] = ()
    if memory.value[mutex] != actor + 1:
        holder = memory.value[mutex] - 1
        by = f"is held by {system.actors[holder].name}" if holder >= 0 else "is free"
        faults = (Fault("lock-misuse", f"gives back {system.objects[mutex].name}, which {by}", mutex, holder),)
    return memory._replace(value=_put(memory.value, mutex, 0)), faults, (_give(system, actor, mutex),)


def _release(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    after, faults, events = _released(system, memory, actor, bound.on)
    return (Outcome(after, ((actor, 0),), faults, "", events),)


def _sleep(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    mutex = system.objects[bound.on].mutex
    if memory.phase[actor] == 0:
        after, faults, events = _released(system, memory, actor, mutex)
        return (Outcome(after._replace(phase=_put(after.phase, actor, 1)), (), faults, "", events),)
    if memory.phase[actor] == 1:
        if not system.spurious:
            return ()
        return (Outcome(memory._replace(phase=_put(memory.phase, actor, 2)), (), (), "spurious"),)
    return () if memory.value[mutex] else _locked(system, memory, actor, mutex)


def _notify(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    asleep = parked(system, pending, memory, bound.on)
    if not asleep:
        return _done(memory, actor)
    several = len(asleep) > 1
    return tuple(
        Outcome(
            memory._replace(phase=_put(memory.phase, other, 2)),
            ((actor, 0),),
            (),
            system.actors[other].name if several else "",
        )
        for other in asleep
    )


def _notify_all(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    phase = list(memory.phase)
    for other in parked(system, pending, memory, bound.on):
        phase[other] = 2
    return _done(memory._replace(phase=tuple(phase)), actor)


def _down(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    count = memory.value[bound.on]
    if count <= 0:
        return ()
    after = memory._replace(value=_put(memory.value, bound.on, count - 1))
    return _done(after, actor, 0, (_take(system, actor, bound.on),))


def _up(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    after = memory._replace(value=_put(memory.value, bound.on, memory.value[bound.on] + 1))
    return _done(after, actor, 0, (_give(system, actor, bound.on),))


def _load(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    return _done(memory, actor, memory.value[bound.on], (_take(system, actor, bound.on),))


def _store(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    after = memory._replace(value=_put(memory.value, bound.on, bound.op.value))
    return _done(after, actor, 0, (Event("replace", actor, bound.on),))


def _add(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    before = memory.value[bound.on]
    after = memory._replace(value=_put(memory.value, bound.on, before + bound.op.value))
    return _done(after, actor, before, (_take(system, actor, bound.on), _give(system, actor, bound.on)))


def _exchange(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    before = memory.value[bound.on]
    take = _take(system, actor, bound.on)
    if before != bound.op.expected:
        return _done(memory, actor, before, (take,))
    after = memory._replace(value=_put(memory.value, bound.on, bound.op.value))
    return _done(after, actor, before, (take, _give(system, actor, bound.on)))


def _await(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    if memory.value[bound.on] != bound.op.value:
        return ()
    return _load(system, pending, memory, actor, bound)


def _join(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    if pending[bound.on] is not None:
        return ()
    return _done(memory, actor, 0, (Event("spread", 1 << bound.on, 1 << actor),))


def _destroy(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    item = system.objects[bound.on]
    used = memory.value[bound.on] > 0 or parked(system, pending, memory, bound.on)
    kind = "barrier-misuse" if item.kind is Kind.BARRIER else "lock-misuse"
    faults = (Fault(kind, f"destroys {item.name} while it is in use", bound.on),) if used else ()
    return (Outcome(memory._replace(value=_put(memory.value, bound.on, DESTROYED)), ((actor, 0),), faults),)


def _choose(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(memory, ((actor, option),), (), CHOICE_NAMES.get(option, str(option))) for option in bound.op.options
    )


def _next(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    children = system.actors[actor].children
    value = list(memory.value)
    for child in children:
        if value[system.cursor[child]] == 1:
            value[system.cursor[child]] = 2
    waiting = [child for child in children if value[system.cursor[child]] == 0]
    if not waiting:
        for child in children:
            value[system.cursor[child]] = 0
        return _done(memory._replace(value=tuple(value)), actor, 0)
    any_order = actor in system.any_order
    return tuple(
        Outcome(
            memory._replace(value=_put(tuple(value), system.cursor[child], 1)),
            ((actor, 1),),
            (),
            system.actors[child].name if any_order else "",
        )
        for child in (waiting if any_order else waiting[:1])
    )


# --- plain access and work --------------------------------------------------------------------------------------------


def _read(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    return _done(memory, actor, memory.value[bound.on], _touching(actor, bound))


def _write(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    after = memory._replace(value=_put(memory.value, bound.on, bound.op.value))
    return _done(after, actor, 0, _touching(actor, bound))


def _compute(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    faults = []
    if not system.actors[actor].leaf:
        faults.append(Fault("role", f"{system.actors[actor].name} is not a leaf, yet it computes a batch"))
    value = list(memory.value)
    for item in bound.writes:
        faults.extend(_delivery(system, value[item], actor, item))
        value[item] = FRESH
    after = memory._replace(value=tuple(value))
    return (Outcome(after, ((actor, 0),), tuple(faults), "", _touching(actor, bound)),)


def _delivery(system: System, before: int, actor: int, item: int) -> list[Fault]:
    """What is wrong with delivering a result into a region: somebody else's, or one that still holds a result."""
    target = system.objects[item]
    faults = []
    if target.owner is not None and target.owner != actor:
        owner = system.actors[target.owner].name
        faults.append(Fault("ownership", f"writes {target.name}, which belongs to {owner}", item, target.owner))
    if before != EMPTY:
        own = target.owner == actor or target.number is not None
        kind = "double-processing" if own else "lost-update"
        faults.append(Fault(kind, f"delivers into {target.name}, which still holds a result", item))
    return faults


def _fold(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    faults: list[Fault] = []
    parts = bound.op.value
    value = list(memory.value)
    for item in bound.reads:
        faults.extend(_folded(system, value, item, parts))
    for item in bound.writes:
        before = value[item]
        slices = -before if before < 0 else 0
        if parts > 1 and before <= EMPTY:
            value[item] = FRESH if slices + 1 >= parts else -(slices + 1)
            continue
        owner = system.objects[item].owner
        whose = owner if parts > 1 and owner is not None else actor
        faults.extend(_delivery(system, before, whose, item))
        value[item] = FRESH
    after = memory._replace(value=tuple(value))
    return (Outcome(after, ((actor, 0),), tuple(faults), "", _touching(actor, bound)),)


def _folded(system: System, value: list[int], item: int, parts: int) -> list[Fault]:
    """Count one folding of a region; says what is wrong with it."""
    before, name = value[item], system.objects[item].name
    if before <= EMPTY:
        return [Fault("stale-read", f"folds {name}, which holds no result of this step", item)]
    if before == FOLDED:
        return [Fault("double-processing", f"folds {name} a second time in this step", item)]
    done = 1 if before == FRESH else before - SLICES + 1
    value[item] = FOLDED if done >= parts else SLICES + done
    return []


def _update(system: System, pending: Pending, memory: Memory, actor: int, bound: Bound) -> tuple[Outcome, ...]:
    faults = []
    value = list(memory.value)
    for item in bound.reads:
        if value[item] != FRESH:
            name = system.objects[item].name
            faults.append(Fault("stale-read", f"applies {name}, which holds no fresh total", item))
    for item, thing in enumerate(system.objects):
        if thing.kind is not Kind.REGION:
            continue
        if value[item] not in (EMPTY, FOLDED) and item not in bound.reads:
            faults.append(Fault("lost-batch", f"ends the step although {thing.name} was not folded", item))
        value[item] = EMPTY
    after = memory._replace(value=tuple(value))
    return (Outcome(after, ((actor, 0),), tuple(faults), "", _touching(actor, bound)),)


HANDLERS: dict[Verb, Handler] = {
    Verb.WAIT: _wait,
    Verb.ACQUIRE: _acquire,
    Verb.RELEASE: _release,
    Verb.SLEEP: _sleep,
    Verb.NOTIFY: _notify,
    Verb.NOTIFY_ALL: _notify_all,
    Verb.DOWN: _down,
    Verb.UP: _up,
    Verb.LOAD: _load,
    Verb.STORE: _store,
    Verb.ADD: _add,
    Verb.EXCHANGE: _exchange,
    Verb.AWAIT: _await,
    Verb.READ: _read,
    Verb.WRITE: _write,
    Verb.COMPUTE: _compute,
    Verb.FOLD: _fold,
    Verb.UPDATE: _update,
    Verb.CHOOSE: _choose,
    Verb.JOIN: _join,
    Verb.NEXT: _next,
    Verb.DESTROY: _destroy,
}
