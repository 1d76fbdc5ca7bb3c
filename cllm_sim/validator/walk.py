"""Along the accepted order once more: which rules it breaks, who waited for which mutex, what its last state looks
like.

The search asks only what is possible; this walk carries the happens-before marks, looks at every state on the way,
and says what the run kept of its promises. A fault does not make a trace illegal: the text allows it, and promises
otherwise.

Rules of this file: it follows an order and never looks for one. Whether an actor can move is asked of `semantics`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Verb
from cllm_sim.semantics import Fault, outcomes, waiters
from cllm_sim.validator.logs import Logs, Move
from cllm_sim.validator.replay import Log
from cllm_sim.view import View
from cllm_sim.waiting import blocked_on


class Seen(NamedTuple):
    """A broken rule met on the way: by whom, and at which event of its log."""

    actor: int
    at: int
    fault: Fault


class Crowd(NamedTuple):
    """The most actors that waited for one mutex, and who gave it back then, at which event of its log."""

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


def walk(system: System, logs: Sequence[Log], order: Sequence[Move]) -> Walked:
    """Follow an accepted order from the start to its end."""
    monitored = replace(system, monitor=True, spurious=True)
    state, walked = Logs(monitored, logs), Walked()
    own = [promise for promise in system.architecture.promises if promise.predicate is not None]
    walked.contention = {item: Crowd() for item, thing in enumerate(system.objects) if thing.kind is Kind.MUTEX}
    for actor, number in order:
        if own:
            _look(state, walked, actor)
        if walked.contention:
            _count_waiters(state, walked, actor)
        outcome = outcomes(monitored, state.pending, state.memory, actor)[number]
        walked.seen.extend(Seen(actor, state.position[actor], fault) for fault in outcome.faults)
        state.perform(outcome)
    if own and order:
        _look(state, walked, order[-1].actor)
    walked.stuck = _stuck(replace(system, spurious=False, monitor=False), state)
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
    bound = state.pending[actor]
    releases = bound is not None and (
        bound.verb is Verb.RELEASE or (bound.verb is Verb.SLEEP and not state.memory.phase[actor])
    )
    if not releases:
        return
    now = _began(state, actor)
    begun = [theirs if _began(state, other) <= now else None for other, theirs in enumerate(state.pending)]
    for item, count in waiters(state.system, begun, state.memory).items():
        if count > walked.contention[item].waiters:
            walked.contention[item] = Crowd(count, actor, state.position[actor])


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
