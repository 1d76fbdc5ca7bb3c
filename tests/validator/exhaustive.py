"""The judge's second pass without any aid: all interleavings, state by state. Slow, short, and written without
looking.

A trace is legal if some path of `semantics.outcomes` does every event with its recorded reply, and no event goes
before one that had ended before it began. In an unfinished run every actor may have performed one operation more than
it recorded.
"""

from dataclasses import replace

from cllm_sim.compose import Bound, System
from cllm_sim.operations import Op
from cllm_sim.semantics import Memory, initial, outcomes
from cllm_sim.trace import Event, Trace

State = tuple[tuple[int, ...], Memory]
STATES_MAX = 200_000


class Unread(Exception):
    """The log is none of its own text: pass one's affair."""


def legal(system: System, trace: Trace, states_max: int = STATES_MAX) -> bool | None:
    """Breadth first over all states; None where there are too many, Unread where a log does not follow its text."""
    system = replace(system, spurious=True, monitor=False)
    logs = [trace.actors[actor.name] for actor in system.actors]
    bound = [_bound(system, actor, log) for actor, log in enumerate(logs)]
    if trace.header["complete"] and any(rows[-1] is not None for rows in bound):
        raise Unread
    frontier: list[State] = [((0,) * len(logs), initial(system))]
    seen = set(frontier)
    while frontier:
        state = frontier.pop()
        if all(position >= len(log) for position, log in zip(state[0], logs, strict=True)):
            return True
        for after in _moves(system, logs, bound, state):
            if after not in seen:
                seen.add(after)
                frontier.append(after)
        if len(seen) > states_max:
            return None
    return False


def _bound(system: System, actor: int, log: tuple[Event, ...]) -> list[Bound | None]:
    """The operation of every event, and the one after the last; each with the reply filled in by the caller."""
    steps = system.text(actor)
    op: Op | None = next(steps, None)
    found: list[Bound | None] = []
    clock = 0
    for event in log:
        if op is None or system.describe(actor, op) != event.op or not clock <= event.begin <= event.end:
            raise Unread
        clock = event.end
        found.append(system.bound(actor, op))
        try:
            op = steps.send(event.reply)
        except StopIteration:
            op = None
        except Exception:  # the text is a user's: with a reply it never expected it may do anything
            raise Unread from None
    return [*found, None if op is None else system.bound(actor, op)]


def _pending(bound: list[list[Bound | None]], at: tuple[int, ...]):
    """What stands next for everybody. A position one beyond the unrecorded operation means that the text ended with
    it.
    """
    return [
        None if position > len(rows) else rows[min(position, len(rows) - 1)]
        for rows, position in zip(bound, at, strict=True)
    ]


def _moves(system: System, logs: list[tuple[Event, ...]], bound: list[list[Bound | None]], state: State):
    at, memory = state
    open_ends = [log[p].end for log, p in zip(logs, at, strict=True) if p < len(log)]
    for actor, log in enumerate(logs):
        begin = log[at[actor]].begin if at[actor] < len(log) else log[-1].end if log else 0
        if at[actor] > len(log) or begin > min(open_ends):
            continue
        for outcome in outcomes(system, _pending(bound, at), memory, actor):
            after = _after(system, logs, at, outcome.done)
            if after is not None:
                yield after, outcome.memory._replace(marks=())


def _after(system: System, logs: list[tuple[Event, ...]], at: tuple[int, ...], done: tuple[tuple[int, int], ...]):
    position = list(at)
    for member, reply in done:
        if at[member] < len(logs[member]) and logs[member][at[member]].reply != reply:
            return None
        ended = at[member] == len(logs[member]) and _ends(system, member, (*logs[member],), reply)
        position[member] += 2 if ended else 1
    return tuple(position)


def _ends(system: System, actor: int, log: tuple[Event, ...], reply: int) -> bool:
    steps = system.text(actor)
    next(steps)
    try:
        for answer in (*(event.reply for event in log), reply):
            steps.send(answer)
    except StopIteration:
        return True
    return False
