"""Along the accepted order once more: which rules it breaks, who waited for which mutex, what its last state looks
like.

The search asks only what is possible; this walk looks at the order of accesses as well, and says what the run kept of
its promises. Where no rule is broken and nobody asks about states, the steps and their clocks are enough (`unbroken`);
else every state on the way is made once more, with the happens-before marks of the semantics (`every_state`). A fault
does not make a trace illegal: the text allows it, and promises otherwise.

Rules of this file: it follows an order and never looks for one. Whether an actor can move is asked of `semantics`.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Verb
from cllm_sim.semantics import Fault, outcomes, waiters
from cllm_sim.validator.clocks import Clocks
from cllm_sim.validator.logs import Logs
from cllm_sim.validator.replay import Log
from cllm_sim.validator.tables import Step
from cllm_sim.view import View
from cllm_sim.waiting import blocked_on


class Seen(NamedTuple):
    """A broken rule met on the way: by whom, and at which event of its log."""

    actor: int
    at: int
    fault: Fault


class Crowd(NamedTuple):
    """The most actors that waited for one mutex, and who gave it back then (or holds it at the end), at which event."""

    waiters: int = 0
    actor: int = -1
    at: int = -1


@dataclass
class Walked:
    """What was seen: faults, the most waiters per mutex, promises of the architecture's own, and who is stuck at the
    end.

    `own_broken`: the first event at which an *always* promise did not hold; `own_seen`: *sometimes* promises that some
    state fulfilled; `stuck`: actor, object and need of everybody, if at the end of an unfinished run nobody can move.
    """

    seen: list[Seen] = field(default_factory=list)
    contention: dict[int, Crowd] = field(default_factory=dict)
    own_broken: dict[str, tuple[int, int]] = field(default_factory=dict)
    own_seen: set[str] = field(default_factory=set)
    stuck: list[tuple[int, str, str]] = field(default_factory=list)


def walk(system: System, logs: Sequence[Log], order: Sequence[Step], end: Logs) -> Walked:
    """Follow an accepted order from the start to its end, where `end` stands."""
    own = any(promise.predicate is not None for promise in system.architecture.promises)
    walked = (None if own else unbroken(system, logs, order)) or every_state(system, logs, order)
    _count_at_end(end, walked)
    walked.stuck = _stuck(replace(system, spurious=False, monitor=False), end)
    return walked


def unbroken(system: System, logs: Sequence[Log], order: Sequence[Step]) -> Walked | None:
    """What is seen along an order in which no rule is broken; None if one is: then every state has to be looked at."""
    clocks, position = Clocks(system), [0] * len(logs)
    crowds = _nobody_waits(system)
    begun, taken = _begun_taking(logs), dict.fromkeys(crowds, 0)
    for step in order:
        actor = step.actor
        if step.faults or (step.events and clocks.race(step.events)):
            return None
        if step.gives >= 0:
            at = position[actor]
            now = logs[actor].events[at].begin if at < len(logs[actor].events) else logs[actor].last_end
            count = bisect_right(begun.get(step.gives, ()), now) - taken[step.gives]
            if count > crowds[step.gives].waiters:
                crowds[step.gives] = Crowd(count, actor, at)
        for mutex in step.wakes:
            taken[mutex] -= 1  # who was woken has begun to take it, again
        if step.takes >= 0:
            taken[step.takes] += 1
        for member in step.done:
            position[member] += 1
    return Walked(contention=crowds)


def _nobody_waits(system: System) -> dict[int, Crowd]:
    return {item: Crowd() for item, thing in enumerate(system.objects) if thing.kind is Kind.MUTEX}


def _begun_taking(logs: Sequence[Log]) -> dict[int, list[int]]:
    """Per mutex, when everybody began to acquire it, in order (ns)."""
    begun: dict[int, list[int]] = defaultdict(list)
    for log in logs:
        for target, event in zip(log.target, log.events, strict=False):
            if target.verb is Verb.ACQUIRE:
                begun[target.on].append(event.begin)
        if log.rest_target is not None and log.rest_target.verb is Verb.ACQUIRE:
            begun[log.rest_target.on].append(log.last_end)
    return {mutex: sorted(times) for mutex, times in begun.items()}


def every_state(system: System, logs: Sequence[Log], order: Sequence[Step]) -> Walked:
    """The same for any order, with all rules broken on the way and the architecture's own promises asked everywhere."""
    monitored = replace(system, monitor=True, spurious=True)
    state, walked = Logs(monitored, logs), Walked(contention=_nobody_waits(system))
    own = [promise for promise in system.architecture.promises if promise.predicate is not None]
    for step in order:
        actor = step.actor
        if own:
            _look(state, walked, actor)
        if walked.contention:
            _count_waiters(state, walked, actor)
        outcome = outcomes(monitored, state.pending, state.memory, actor)[step.number]
        walked.seen.extend(Seen(actor, state.position[actor], fault) for fault in outcome.faults)
        state.perform(outcome)
    if own and order:
        _look(state, walked, order[-1].actor)
    return walked


def _look(state: Logs, walked: Walked, actor: int) -> None:
    """Ask the architecture's own promises about a state; a broken one is noted at the event that comes next."""
    view = View(state.system, state.pending, state.memory)
    for promise in state.system.architecture.promises:
        if promise.predicate is None:
            continue
        value = bool(promise.predicate(view))
        if promise.kind == "sometimes" and value:
            walked.own_seen.add(promise.name)
        elif promise.kind == "always" and not value:
            index = min(state.position[actor], max(state.lengths[actor] - 1, 0))
            walked.own_broken.setdefault(promise.name, (actor, index))


def _count_waiters(state: Logs, walked: Walked, actor: int) -> None:
    """When a mutex is given back, whoever had begun to acquire it by then is waiting for it."""
    at = state.position[actor]
    target = state.logs[actor].target[at] if state.recorded(actor) else state.logs[actor].rest_target
    if target is None or not (
        target.verb is Verb.RELEASE or (target.verb is Verb.SLEEP and not state.memory.phase[actor])
    ):
        return
    mutex = target.on if target.verb is Verb.RELEASE else state.system.objects[target.on].mutex
    now = _began(state, actor)
    begun = [theirs if _began(state, other) <= now else None for other, theirs in enumerate(state.pending)]
    count = waiters(state.system, begun, state.memory).get(mutex, 0)
    if count > walked.contention[mutex].waiters:
        walked.contention[mutex] = Crowd(count, actor, at)


def _count_at_end(state: Logs, walked: Walked) -> None:
    """An unfinished run may end while some wait: those who had come to a mutex before the others did their last."""
    over = max(log.last_end for log in state.logs)
    begun = [theirs if _began(state, other) < over else None for other, theirs in enumerate(state.pending)]
    for mutex, count in waiters(state.system, begun, state.memory).items():
        if count > walked.contention[mutex].waiters:
            holder = state.memory.value[mutex] - 1
            walked.contention[mutex] = Crowd(count, holder, state.position[holder])


def _began(state: Logs, actor: int) -> int:
    """When an actor's next operation began; for one that is not in the log any more, when the last one ended (ns)."""
    return state.begin[actor][state.position[actor]] if state.recorded(actor) else state.logs[actor].last_end


def _stuck(system: System, state: Logs) -> list[tuple[int, str, str]]:
    """Let everybody who has not finished arrive where it stands; if nobody can then move, all are stuck for ever."""
    moving = True
    while moving:
        moving = False
        for actor, bound in enumerate(state.pending):
            found = outcomes(system, state.pending, state.memory, actor) if _may_go(state, actor, bound) else ()
            if found and found[0].done:
                return []
            if found:
                state.perform(found[0])
                moving = True
    rows = []
    for actor, bound in enumerate(state.pending):
        waiting = None if bound is None else blocked_on(system, state.pending, state.memory, actor)
        if waiting is not None:
            rows.append((actor, waiting.on, waiting.needs))
    return rows


def _may_go(state: Logs, actor: int, bound: Bound | None) -> bool:
    return bound is not None and not state.recorded(actor)
