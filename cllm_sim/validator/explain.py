"""The first impossible event of an illegal trace: whose, where in the text, and what would have been possible instead.

Either a log parts from its own text, or the sweep through time found an event that no order lets happen by its end.
Who is parked at a barrier has done its part, so there the blame goes to whoever is missing.

Rules of this file: it describes states that were reached, and asks `semantics.outcomes` what would be possible there.
Event numbers count from 0 within their actor's log.
"""

from collections.abc import Sequence
from typing import Any

from cllm_sim.compose import System
from cllm_sim.operations import Place
from cllm_sim.semantics import outcomes
from cllm_sim.validator.logs import Point
from cllm_sim.validator.replay import Log, place
from cllm_sim.validator.search import Search
from cllm_sim.waiting import blocked_on


def broken_off(system: System, logs: Sequence[Log], point: Point | None = None) -> dict[str, Any]:
    """The first event at which a log parts from its text; with a `point`, among those that stand there."""
    broken = [
        actor
        for actor, log in enumerate(logs)
        if log.broken is not None and (point is None or point.position[actor] >= log.broken.at)
    ]
    return _broken(system, logs, min(broken, key=lambda actor: _time(logs[actor])))


def contradiction(system: System, logs: Sequence[Log], search: Search) -> dict[str, Any]:
    """The event that no order of the other logs lets happen by its end, or whoever it waits for in vain."""
    for point in search.dead_ends:
        search.go_to(point)
        if search.broken_off():
            return broken_off(system, logs, point)
    point = max(search.dead_ends, key=lambda end: end.done)
    search.go_to(point)
    actor = search.culprit
    if search.parked(actor):
        actor = next((other for other in _suspects(search) if not _can_go(search, other)), actor)
    return _contradiction(system, logs, search, actor)


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


def general(name: str, path: str, line: int, text: str) -> dict[str, Any]:
    """The same for what no single event shows: an actor without a log, a log without an actor, arithmetic."""
    return {
        "actor": name,
        "event": None,
        "op": None,
        "reply": None,
        "begin_ns": None,
        "end_ns": None,
        "path": path,
        "line": line,
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
    index = log.broken.at
    return log.events[index].begin if index < len(log.events) else log.last_end


def _broken(system: System, logs: Sequence[Log], actor: int) -> dict[str, Any]:
    broken = logs[actor].broken
    assert broken is not None
    name, index = system.actors[actor].name, broken.at
    if index < len(logs[actor].events):
        event = logs[actor].events[index]
        subject = f"{name}, event {index}: '{event.op}' answered {event.reply}"
    else:
        subject = f"{name}, after event {index - 1}"
    text = f"{subject}: {broken.text}"
    return row(system, logs, actor, index, text, replies=broken.possible_replies, ops=broken.possible_ops)


def _can_go(search: Search, actor: int) -> bool:
    """Has an actor done its part, or can it go now?"""
    if search.parked(actor):
        return True
    in_time = search.times(actor)[0] <= search.times(search.culprit)[1]
    return in_time and next(search.possible(actor), None) is not None


def _suspects(search: Search) -> list[int]:
    """The actors whose next event is in the log: those it may go by the clock first, by their ends, then those too
    late.
    """
    recorded = [actor for actor in range(len(search.logs)) if search.recorded(actor)]
    horizon = min(search.times(actor)[1] for actor in recorded)

    def rank(actor: int) -> tuple[bool, float]:
        begin, end = search.times(actor)
        return begin > horizon, begin if begin > horizon else end

    return sorted(recorded, key=rank)


def _contradiction(system: System, logs: Sequence[Log], search: Search, actor: int) -> dict[str, Any]:
    """Why an event cannot be the next one in the state in which the logs stand."""
    index = search.position[actor]
    event = logs[actor].events[index]
    subject = f"{system.actors[actor].name}, event {index}: '{event.op}' answered {event.reply}"
    late = _too_late(system, logs, search, actor)
    if late:
        return row(system, logs, actor, index, f"{subject}: {late}")
    waiting = blocked_on(search.system, search.pending, search.memory, actor)
    replies = sorted(_answers(search, actor, index))
    if event.reply in replies:
        text = f"{subject}: every order in which it is possible leads to a contradiction before its end"
        return row(system, logs, actor, index, text)
    if replies:
        text = f"{subject}: no order of the other actors allows that"
        return row(system, logs, actor, index, text, replies=replies)
    needs = f" ({waiting.on}: needs {waiting.needs})" if waiting else ""
    text = f"{subject}: in no order of the other actors could it be done by then{needs}"
    return row(system, logs, actor, index, text)


def _answers(search: Search, actor: int, index: int) -> set[int]:
    """The replies that an event could have had in any of the states in which it was tried."""
    found: set[int] = set()
    for point in search.tried:
        if point.position[actor] == index:
            for outcome in outcomes(search.system, point.pending, point.memory, actor):
                found.update(reply for member, reply in outcome.done if member == actor)
    return found


def _too_late(system: System, logs: Sequence[Log], search: Search, actor: int) -> str:
    """What had ended before this event began, although it cannot be done before it; empty if there is no such
    thing.
    """
    begin = search.times(actor)[0]
    for other in _suspects(search):
        if search.times(other)[1] < begin:
            index = search.position[other]
            told = f"'{logs[other].events[index].op}' by {system.actors[other].name} (event {index})"
            return f"it began after {told} had ended, which cannot go before it"
    return ""
