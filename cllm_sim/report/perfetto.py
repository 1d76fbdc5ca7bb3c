"""`timeline.json`: the timelines of a comparison as Chrome trace events, which Perfetto and chrome://tracing open.

A process group is one run of one architecture (real or simulated), a thread one actor, a slice work or waiting; the
first thread shows the steps. Arrows lead from the actor that released a wait to the one that waited: where the result
names it, and at barriers at which all actors shown meet, from the last to come. Times are microseconds; slices of one
thread never overlap. Rules of this file: the same comparison gives the same bytes.
"""

import json
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from cllm_sim.report.figures.style import FILLS, category
from cllm_sim.report.naming import actor_labels
from cllm_sim.report.shape import Comparison, Timeline

STEPS_THREAD = 0
Entry = dict[str, Any]
Slice = tuple[int, str, float, float, int | None]


def timeline_json(comparison: Comparison) -> str:
    """The whole file."""
    events = [entry for number, item in enumerate(comparison.timelines, 1) for entry in _group(number, item)]
    document = {"displayTimeUnit": "ms", "traceEvents": events}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def _group(number: int, item: Timeline) -> Iterator[Entry]:
    slices = without_overlap(item)
    workers = f", {item.workers} workers" if item.workers else ""
    yield _named("process_name", number, STEPS_THREAD, f"{item.architecture}{workers} ({item.kind})")
    yield {**_meta("process_sort_index", number, STEPS_THREAD), "args": {"sort_index": number}}
    labels = actor_labels(item.actors)
    yield from _thread(number, STEPS_THREAD, "steps")
    for actor, name in enumerate(item.actors, 1):
        yield from _thread(number, actor, labels[name])
    yield from _steps(number, item, slices)
    for actor, name, begin, end, _ in slices:
        yield _slice(number, actor + 1, FILLS[category(name)].label, name, begin, end)
    for order, (source, target, instant, end) in enumerate(_arrows(item, slices)):
        yield from _arrow(number * 1_000_000 + order, number, (source + 1, instant), (target + 1, end))


def without_overlap(item: Timeline) -> list[Slice]:
    """The events of each actor in order, the end of one cut where the next begins."""
    found: list[Slice] = []
    for actor in range(len(item.actors)):
        mine = sorted((event for event in item.events if event[0] == actor), key=lambda event: (event[2], event[3]))
        begins = [*(event[2] for event in mine[1:]), math.inf]
        for event, following in zip(mine, begins, strict=False):
            releaser = event[4] if len(event) > 4 else None
            end = min(event[3], following)
            if end > event[2]:
                found.append((actor, event[1], event[2], end, releaser))
    return found


def _steps(number: int, item: Timeline, slices: Sequence[Slice]) -> Iterator[Entry]:
    end = max((found[3] for found in slices), default=0.0)
    for step, (begin, following) in enumerate(pairwise([*item.steps, end]), 1):
        if following > begin:
            yield _slice(number, STEPS_THREAD, f"step {step}", "step", begin, following)


# ------------------------------------------------------------------------------------------------------------- arrows
def _arrows(item: Timeline, slices: Sequence[Slice]) -> Iterator[tuple[int, int, float, float]]:
    """(releasing actor, waiting actor, time of the release, end of the wait), in ms."""
    told = [one for one in slices if one[4] is not None]
    for actor, _, _, end, releaser in told:
        assert releaser is not None
        if releaser != actor and _busy(slices, releaser, end):
            yield releaser, actor, end, end
    if not told:
        yield from _crossings(item, slices)


def _busy(slices: Sequence[Slice], actor: int, instant: float) -> bool:
    """An arrow can only begin within a slice."""
    return any(one[0] == actor and one[2] <= instant < one[3] for one in slices)


def _crossings(item: Timeline, slices: Sequence[Slice]) -> Iterator[tuple[int, int, float, float]]:
    """Barriers at which all actors meet: their waits overlap in the moment in which the last one comes."""
    waits = [[one for one in slices if one[0] == actor and one[1] == "barrier"] for actor in range(len(item.actors))]
    heads = [0] * len(waits)
    while waits and all(head < len(mine) for head, mine in zip(heads, waits, strict=True)):
        current = [mine[head] for head, mine in zip(heads, waits, strict=True)]
        last = max(current, key=lambda one: one[2])
        early = [actor for actor, one in enumerate(current) if one[3] < last[2]]
        if not early:
            yield from ((last[0], one[0], last[2], one[3]) for one in current if one[0] != last[0])
        for actor in early or range(len(waits)):
            heads[actor] += 1


# ------------------------------------------------------------------------------------------------------------ entries
def _us(milliseconds: float) -> float:
    return round(1000 * milliseconds, 3)


def _meta(name: str, process: int, thread: int) -> Entry:
    return {"ph": "M", "name": name, "pid": process, "tid": thread}


def _named(what: str, process: int, thread: int, name: str) -> Entry:
    return {**_meta(what, process, thread), "args": {"name": name}}


def _thread(process: int, thread: int, name: str) -> Iterator[Entry]:
    yield _named("thread_name", process, thread, name)
    yield {**_meta("thread_sort_index", process, thread), "args": {"sort_index": thread}}


def _slice(process: int, thread: int, name: str, kind: str, begin: float, end: float) -> Entry:
    start = _us(begin)
    duration = round(_us(end) - start, 3)
    return {"ph": "X", "name": name, "cat": kind, "pid": process, "tid": thread, "ts": start, "dur": duration}


def _arrow(number: int, process: int, source: tuple[int, float], target: tuple[int, float]) -> Iterator[Entry]:
    flow = {"name": "releases", "cat": "release", "id": number, "pid": process}
    yield {"ph": "s", **flow, "tid": source[0], "ts": _us(source[1])}
    yield {"ph": "f", "bp": "e", **flow, "tid": target[0], "ts": round(_us(target[1]) - 0.001, 3)}
