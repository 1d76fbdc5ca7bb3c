"""Is a recorded trace a behaviour of the text? Two passes, and what the run kept of its promises.

Pass one replays every log against its own text (`replay.py`). Pass two looks for an order of all logs that the
semantics allows (`search.py`). Along the accepted order the broken rules are collected (`walk.py`): they break
promises, but do not make a trace illegal. Three answers: legal, illegal with the first impossible event, undecided
where the budget ended.

Rules of this file: `semantics.outcomes` is the only authority on what an operation means. Spurious wake-ups are
allowed, because real condition variables have them.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cllm_sim.compose import System
from cllm_sim.operations import Verb
from cllm_sim.trace import Trace
from cllm_sim.validator.explain import broken_off, contradiction, general, row
from cllm_sim.validator.replay import Log, replay, until
from cllm_sim.validator.search import Search
from cllm_sim.validator.walk import Walked, walk

BUDGET_MOVES = 5_000_000
EXPLAINING_MOVES = 20_000
"""Moves beyond one per event that are spent on finding the first contradiction of a trace known to be illegal."""


@dataclass(frozen=True)
class Judgement:
    """What was found out about a trace.

    `legal` None: undecided. `events`: all of the trace; `judged`: those that the verdict speaks about (fewer only
    where a log was too short for its run). `faults`: broken rules along the accepted order, each with class, text,
    actor, event, operation, place and how often. `contention`: the most actors that waited for a mutex, by its name.
    `contended`: the event at which the worst of them was given back. `stuck`: who waits for what at the end of an
    unfinished run in which nobody can move. `own_seen`: the architecture's own *sometimes* promises that some state
    fulfilled. `moves`: moves of the search.
    """

    legal: bool | None
    events: int
    judged: int
    complete: bool
    first_illegal: dict[str, Any] | None = None
    faults: tuple[dict[str, Any], ...] = ()
    contention: Mapping[str, int] = field(default_factory=dict)
    contended: dict[str, Any] | None = None
    stuck: tuple[dict[str, Any], ...] = ()
    own_seen: frozenset[str] = frozenset()
    moves: int = 0
    seconds: float = 0.0

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of all faults, each once, in the order in which they were met."""
        return tuple(dict.fromkeys(fault["class"] for fault in self.faults))


def judge(
    system: System,
    trace: Trace,
    *,
    path: str,
    budget_moves: int = BUDGET_MOVES,
    budget_seconds: float = float("inf"),
) -> Judgement:
    """Judge a trace of this system; `path` is the architecture's file, for messages about actors that it does not
    have.
    """
    started = time.perf_counter()
    stop_at = started + budget_seconds
    stranger = _stranger(system, trace)
    if stranger is not None:
        name, text = stranger
        return _judgement(False, trace, 0, started, first_illegal=general(name, path, 1, text))
    judging = replace(system, spurious=True, monitor=False, any_order=frozenset())
    logs = _replayed(judging, trace)
    illegal = any(log.broken for log in logs)
    if not illegal:
        logs = _cut(system, trace, logs)
    moves = min(budget_moves, trace.events + EXPLAINING_MOVES) if illegal else budget_moves
    search = Search(judging, logs, moves, stop_at)
    legal = search.run()
    if illegal or legal is False:
        first = contradiction(judging, logs, search) if legal is False else broken_off(judging, logs)
        return _judgement(False, trace, search.moves, started, first_illegal=first)
    if legal is None:
        return _judgement(None, trace, search.moves, started, judged=search.most_done)
    kept = _kept(judging, logs, walk(judging, logs, search.order, search))
    return _judgement(True, trace, search.moves, started, judged=search.total, **kept)


def _judgement(legal: bool | None, trace: Trace, moves: int, started: float, **found: Any) -> Judgement:
    return Judgement(
        legal,
        trace.events,
        complete=bool(trace.header.get("complete", True)),
        moves=moves,
        seconds=time.perf_counter() - started,
        **{"judged": trace.events, **found},
    )


def _stranger(system: System, trace: Trace) -> tuple[str, str] | None:
    """An actor that only the trace or only the system knows."""
    known = [actor.name for actor in system.actors]
    for name in trace.actors:
        if name not in known:
            return name, f"{name}: the text has no actor of this name; it has {len(known)}, {known[0]} to {known[-1]}"
    for name in known:
        if name not in trace.actors:
            return name, f"{name}: the trace has no log of this actor"
    return None


def _replayed(system: System, trace: Trace) -> list[Log]:
    complete = bool(trace.header.get("complete", True))
    lengths = trace.header.get("lengths")

    def stated(name: str) -> int | None:
        length = None if lengths is None else lengths.get(name, -1)
        return length if isinstance(length, int | None) else -1

    return [
        replay(system, number, trace.actors[actor.name], complete, stated(actor.name))
        for number, actor in enumerate(system.actors)
    ]


def _cut(system: System, trace: Trace, logs: Sequence[Log]) -> list[Log]:
    """Where a log was too short for its run (header field `cut`), nothing that ended after its end can be judged."""
    cut = set(trace.header.get("cut") or ())
    short = [log.last_end for log, actor in zip(logs, system.actors, strict=True) if actor.name in cut]
    return [until(log, min(short)) for log in logs] if short else list(logs)


def _kept(system: System, logs: Sequence[Log], walked: Walked) -> dict[str, Any]:
    """What a legal run kept of its promises, as fields of a judgement."""
    faults = _faults(system, logs, walked)
    for name, (actor, index) in walked.own_broken.items():
        text = f"'{name}' does not hold before this event"
        faults.append({"class": name, **row(system, logs, actor, index, text), "count": 1})
    stuck = [_stuck_row(system, logs, *who) for who in walked.stuck]
    if stuck:
        told = "; ".join(f"{item['actor']} waits for {item['waits_for']} (needs {item['needs']})" for item in stuck)
        text = f"nobody can move, and not everybody has finished: {told}"
        actor = walked.stuck[0][0]
        faults.append({"class": "deadlock", **row(system, logs, actor, len(logs[actor].bound), text), "count": 1})
    return {
        "faults": tuple(faults),
        "contention": {system.objects[item].name: crowd.waiters for item, crowd in walked.contention.items()},
        "contended": _contended(system, logs, walked),
        "stuck": tuple(stuck),
        "own_seen": frozenset(walked.own_seen),
    }


def _contended(system: System, logs: Sequence[Log], walked: Walked) -> dict[str, Any] | None:
    """Where most actors waited for a mutex; None if nobody ever did."""
    item = max(walked.contention, key=lambda mutex: walked.contention[mutex].waiters, default=-1)
    if item < 0 or not walked.contention[item].waiters:
        return None
    count, actor, at = walked.contention[item]
    text = f"{count} actors wait for {system.objects[item].name}, which is held until here"
    return {"class": "contention", **row(system, logs, actor, at, text), "count": count}


def _faults(system: System, logs: Sequence[Log], walked: Walked) -> list[dict[str, Any]]:
    """One row per class, object and operation, with its first occurrence and the number of all."""
    weights = {item for log in logs for bound in log.target if bound.verb is Verb.UPDATE for item in bound.writes}
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for actor, index, fault in walked.seen:
        kind = "race-on-weights" if fault.kind == "race" and fault.on in weights else fault.kind
        op = logs[actor].bound[index].op if index < len(logs[actor].bound) else None
        key = (kind, system.objects[fault.on].field if fault.on >= 0 else "", system.actors[actor].kind, op)
        if key not in rows:
            rows[key] = {"class": kind, **row(system, logs, actor, index, fault.text), "count": 0}
        rows[key]["count"] += 1
    return list(rows.values())


def _stuck_row(system: System, logs: Sequence[Log], actor: int, waits_for: str, needs: str) -> dict[str, Any]:
    at = row(system, logs, actor, len(logs[actor].bound), "")
    return {"actor": at["actor"], "waits_for": waits_for, "needs": needs, "path": at["path"], "line": at["line"]}
