"""The first impossible event of an illegal trace: whose, where in the text, and what would have been possible instead.

Either a log parts from its own text, or the sweep through time found an event that no order lets happen by its end. Who is
parked at a barrier has done its part, so there the blame goes to whoever is missing.

Rules of this file: it describes states that were reached, and asks `semantics.outcomes` what would be possible there. Event
numbers count from 0 within their actor's log.
"""

from collections.abc import Sequence
from typing import Any

from cllm_sim.compose import System
from cllm_sim.operations import Place
from cllm_sim.semantics import outcomes
from cllm_sim.validator.frontier import Frontier
from cllm_sim.validator.replay import Log, place
from cllm_sim.validator.search import Point
from cllm_sim.waiting import blocked_on

SHOWN_MAX = 12
"""Possible answers shown in a sentence; all are in the data."""


def broken_off(system: System, logs: Sequence[Log], point: Point | None) -> dict[str, Any]:
    """The first event at which a log parts from its text; with a `point`, among those that stand there."""
    broken = [
        actor
        for actor, log in enumerate(logs)
        if log.broken is not None and (point is None or point.position[actor] >= log.broken.index)
    ]
    return _broken(system, logs, min(broken, key=lambda actor: _time(logs[actor])))


def contradiction(system: System, logs: Sequence[Log], frontier: Frontier) -> dict[str, Any]:
    """The event that no order of the other logs lets happen by its end, or whoever it waits for in vain."""
    for point in frontier.dead_ends:
        frontier.go_to(point)
        if frontier.broken_off():
            return broken_off(system, logs, point)
    point = max(frontier.dead_ends, key=lambda end: end.done)
    frontier.go_to(point)
    actor = frontier.culprit
    if frontier.parked(actor):
        actor = next((other for other in _suspects(frontier) if not _can_go(frontier, other)), actor)
    return _contradiction(system, logs, frontier, actor)


def row(system: System, logs: Sequence[Log], actor: int, index: int, text: str, **possible: Any) -> dict[str, Any]:
    """One event as data; an event that is missing at the end of a log has no `op` and no `reply`."""
    log = logs[actor]
    event = log.events[index] if index < len(log.events) else None
    where = _place(system, log, actor, index)
    return {
        "actor": system.actors[actor].name,
        "event": index,
        "op": event.op if event else None,
        "reply": event.reply if event else None,
        "begin_ns": event.begin if event else None,
        "end_ns": event.end if event else None,
        "path": where.path,
        "line": where.line,
        "text": text,
        "possible_replies": list(possible.get("replies", ())),
        "possible_ops": list(possible.get("ops", ())),
    }


def nobody(name: str, path: str, text: str) -> dict[str, Any]:
    """The same for an actor whose log has no place in the system, or is missing."""
    return {
        "actor": name,
        "event": 0,
        "op": None,
        "reply": None,
        "begin_ns": None,
        "end_ns": None,
        "path": path,
        "line": 1,
        "text": text,
        "possible_replies": [],
        "possible_ops": [],
    }


def _place(system: System, log: Log, actor: int, index: int) -> Place:
    replies = [event.reply for event in log.events[: min(index, len(log.bound))]]
    return place(system, actor, replies)


def _time(log: Log) -> int:
    """When the event at which a log breaks off began; the end of the log where it is missing (ns)."""
    assert log.broken is not None
    index = log.broken.index
    return log.events[index].begin if index < len(log.events) else log.last_end


def _broken(system: System, logs: Sequence[Log], actor: int) -> dict[str, Any]:
    broken = logs[actor].broken
    assert broken is not None
    name, index = system.actors[actor].name, broken.index
    if index < len(logs[actor].events):
        event = logs[actor].events[index]
        subject = f"{name}, event {index}: '{event.op}' answered {event.reply}"
    else:
        subject = f"{name}, after event {index - 1}"
    text = f"{subject}: {broken.text}{_possible(broken.possible_replies)}"
    return row(system, logs, actor, index, text, replies=broken.possible_replies, ops=broken.possible_ops)


def _can_go(frontier: Frontier, actor: int) -> bool:
    """Has an actor done its part, or can it go now?"""
    if frontier.parked(actor):
        return True
    in_time = frontier.times(actor)[0] <= frontier.times(frontier.culprit)[1]
    return in_time and next(frontier.possible(actor), None) is not None


def _suspects(frontier: Frontier) -> list[int]:
    """The actors whose next event is in the log: those it may go by the clock first, by their ends, then those too late."""
    recorded = [actor for actor in range(len(frontier.logs)) if frontier.recorded(actor)]
    horizon = min(frontier.times(actor)[1] for actor in recorded)

    def rank(actor: int) -> tuple[bool, float]:
        begin, end = frontier.times(actor)
        return begin > horizon, begin if begin > horizon else end

    return sorted(recorded, key=rank)


def _contradiction(system: System, logs: Sequence[Log], frontier: Frontier, actor: int) -> dict[str, Any]:
    """Why an event cannot be the next one in the state in which the logs stand."""
    index = frontier.position[actor]
    event = logs[actor].events[index]
    subject = f"{system.actors[actor].name}, event {index}: '{event.op}' answered {event.reply}"
    late = _too_late(system, logs, frontier, actor)
    if late:
        return row(system, logs, actor, index, f"{subject}: {late}")
    waiting = blocked_on(frontier.system, frontier.pending, frontier.memory, actor)
    replies = sorted(_answers(frontier, actor, index))
    if event.reply in replies:
        text = f"{subject}: every order in which it is possible leads to a contradiction before its end"
        return row(system, logs, actor, index, text)
    if replies:
        text = f"{subject}: no order of the other actors allows that{_possible(replies)}"
        return row(system, logs, actor, index, text, replies=replies)
    needs = f" ({waiting.on}: needs {waiting.needs})" if waiting else ""
    text = f"{subject}: in no order of the other actors could it be done by then{needs}"
    return row(system, logs, actor, index, text)


def _answers(frontier: Frontier, actor: int, index: int) -> set[int]:
    """The replies that an event could have had in any of the states in which it was tried."""
    found: set[int] = set()
    for point in frontier.tried:
        if point.position[actor] == index:
            for outcome in outcomes(frontier.system, point.pending, point.memory, actor):
                found.update(reply for member, reply in outcome.done if member == actor)
    return found


def _too_late(system: System, logs: Sequence[Log], frontier: Frontier, actor: int) -> str:
    """What had ended before this event began, although it cannot be done before it; empty if there is no such thing."""
    begin = frontier.times(actor)[0]
    for other in _suspects(frontier):
        if frontier.times(other)[1] < begin:
            index = frontier.position[other]
            told = f"'{logs[other].events[index].op}' by {system.actors[other].name} (event {index})"
            return f"it began after {told} had ended, which cannot go before it"
    return ""


def _possible(replies: Sequence[int]) -> str:
    if not replies:
        return ""
    more = ", ..." if len(replies) > SHOWN_MAX else ""
    return f"; possible here: {', '.join(map(str, replies[:SHOWN_MAX]))}{more}"
