"""The first impossible event of an illegal trace: whose, where in the text, and what would have been possible instead.

Where the search failed, it got farthest in some state in which every event that may go next is impossible. The one that
ended first is named: nothing that began after its end can go before it.

Rules of this file: it describes a state that the search reached, and asks `semantics.outcomes` what would be possible there.
Event numbers count from 0 within their actor's log.
"""

from collections.abc import Sequence
from typing import Any

from cllm_sim.compose import System
from cllm_sim.operations import Place, Verb
from cllm_sim.semantics import outcomes
from cllm_sim.validator.replay import Log, place
from cllm_sim.validator.search import Point, Search
from cllm_sim.waiting import blocked_on

SHOWN_MAX = 12
"""Possible answers shown in a sentence; all are in the data."""


def impossible(system: System, logs: Sequence[Log], search: Search) -> dict[str, Any]:
    """The first impossible event, as data, where pass one broke off or the search found no order."""
    dead_end = search.farthest if search.done < search.total else None
    point = dead_end or search.point
    broken = [actor for actor, log in enumerate(logs) if log.broken and point.position[actor] >= log.broken.index]
    if broken:
        return _broken(system, logs, min(broken, key=lambda actor: _time(logs[actor])))
    stuck = _stuck(search, point)
    if stuck:
        return _contradiction(system, logs, search, point, stuck[0])
    return _broken(system, logs, min((n for n, log in enumerate(logs) if log.broken), key=lambda n: _time(logs[n])))


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


def _stuck(search: Search, point: Point) -> list[int]:
    """The actors whose next event is in the log, the likeliest culprit in front.

    Who is parked at a barrier has done its part. Of the others, those come first whose event may go by the clock, the one
    that ended first in front; then those whose event began too late for what the others had already left.
    """
    recorded = [actor for actor, position in enumerate(point.position) if position < search.lengths[actor]]
    begin = {actor: search.begin[actor][point.position[actor]] for actor in recorded}
    end = {actor: search.end[actor][point.position[actor]] for actor in recorded}
    horizon = min(end.values(), default=0)

    def rank(actor: int) -> tuple[int, int]:
        bound = point.pending[actor]
        if bound is not None and bound.verb is Verb.WAIT and point.memory.phase[actor]:
            return 2, end[actor]
        return (0, end[actor]) if begin[actor] <= horizon else (1, begin[actor])

    return sorted(recorded, key=rank)


def _contradiction(system: System, logs: Sequence[Log], search: Search, point: Point, actor: int) -> dict[str, Any]:
    """Why an event cannot be the next one, in the state where the search got farthest."""
    name, index = system.actors[actor].name, point.position[actor]
    event = logs[actor].events[index]
    subject = f"{name}, event {index}: '{event.op}' answered {event.reply}"
    late = _too_late(system, logs, search, point, actor)
    if late:
        return row(system, logs, actor, index, f"{subject}: {late}")
    found = outcomes(search.system, point.pending, point.memory, actor)
    replies = sorted({reply for outcome in found for member, reply in outcome.done if member == actor})
    if event.reply in replies:
        text = f"{subject}: every order in which it is possible leads to a contradiction later"
        return row(system, logs, actor, index, text)
    if replies:
        text = f"{subject}: no order of the other actors allows that{_possible(replies)}"
        return row(system, logs, actor, index, text, replies=replies)
    waiting = blocked_on(search.system, point.pending, point.memory, actor)
    needs = f" ({waiting.on}: needs {waiting.needs})" if waiting else ""
    text = f"{subject}: in no order of the other actors could it be done by then{needs}"
    return row(system, logs, actor, index, text)


def _too_late(system: System, logs: Sequence[Log], search: Search, point: Point, actor: int) -> str:
    """What had ended before this event began, although it cannot be done before it; empty if there is no such thing."""
    begin = search.begin[actor][point.position[actor]]
    for other in _stuck(search, point):
        event = logs[other].events[point.position[other]]
        if event.end < begin:
            name = system.actors[other].name
            return f"it began after '{event.op}' by {name} (event {point.position[other]}) had ended, which cannot go before it"
    return ""


def _possible(replies: Sequence[int]) -> str:
    if not replies:
        return ""
    more = ", ..." if len(replies) > SHOWN_MAX else ""
    return f"; possible here: {', '.join(map(str, replies[:SHOWN_MAX]))}{more}"
