"""Which locks are held at each step: surely (on every way there) and possibly (on some).

A forward data flow over the flow's graph. A successful try-lock holds on the way on which its result says so, which is
judged by the condition right behind it. Failure edges carry what their start holds. Rules of this file: locks by
location; two instances of one record's lock are one name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from cllm_sim.auditor.facts import Binary, Call, Name, Number, Unary
from cllm_sim.auditor.flow.graph import Edge, Flow, Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.traverse import within
from cllm_sim.auditor.vocabulary import LOCKS, Act


class Held(NamedTuple):
    """A lock that is held: which, taken at which step, and whether only shared (for reading)."""

    lock: Location
    taken: int
    shared: bool


State = frozenset[Held]


@dataclass(slots=True)
class HeldLocks:
    """For every step, the locks held *before* it: `surely` on every way, `possibly` on some."""

    surely: list[State]
    possibly: list[State]


def held_locks(flow: Flow) -> HeldLocks:
    """The locks held before every step of a flow."""
    count = len(flow.steps)
    surely: list[State | None] = [None] * count
    possibly: list[State] = [frozenset()] * count
    surely[flow.start] = frozenset()
    waiting = [flow.start]
    queued = {flow.start}
    while waiting:
        index = waiting.pop()
        queued.discard(index)
        for edge in flow.next[index]:
            before = surely[index]
            assert before is not None
            sure = _after(flow, index, edge, before)
            maybe = _after(flow, index, edge, possibly[index])
            if _merge(surely, possibly, edge.to, sure, maybe) and edge.to not in queued:
                waiting.append(edge.to)
                queued.add(edge.to)
    return HeldLocks([one if one is not None else frozenset() for one in surely], possibly)


def _merge(surely: list[State | None], possibly: list[State], to: int, sure: State, maybe: State) -> bool:
    known = surely[to]
    both = sure if known is None else _common(known, sure)
    more = possibly[to] | maybe
    if both == known and more == possibly[to]:
        return False
    surely[to], possibly[to] = both, more
    return True


def _common(one: State, other: State) -> State:
    """Locks in both states; where they were taken at different steps, the first is kept."""
    names = {(held.lock, held.shared) for held in other}
    return frozenset(held for held in one if (held.lock, held.shared) in names)


def _after(flow: Flow, index: int, edge: Edge, state: State) -> State:
    step = flow.steps[index]
    if step.act is Act.TRY_LOCK and step.target is not None:
        return state
    if step.what == "condition":
        return state | _won(flow, index, edge, step)
    if step.target is None or step.event is None:
        return state
    if step.event.act in LOCKS:
        return state | {Held(step.target, index, step.event.act is Act.LOCK_SHARED)}
    if step.event.act is Act.UNLOCK:
        return frozenset(held for held in state if held.lock != step.target)
    return state


def _won(flow: Flow, index: int, edge: Edge, step: Step) -> State:
    """The lock that a try-lock tested by this condition holds on this edge."""
    tried = _tried(flow, index, step)
    if tried is None or tried.target is None:
        return frozenset()
    success = "then" if _tests_zero(step, tried.event) else "other"
    kind = edge.kind if edge.kind in {"then", "other"} else ""
    return frozenset({Held(tried.target, tried.index, False)}) if kind == success else frozenset()


def _tried(flow: Flow, index: int, step: Step) -> Step | None:
    """The try-lock whose result a condition tests: the call stands in it, or its variable was just set by it."""
    if step.condition is None:
        return None
    calls = [one for one in within(step.condition) if isinstance(one, Call)]
    here = index
    for _ in range(4):
        before = [edge.to for edge in flow.before[here]]
        if len(before) != 1:
            return None
        here = before[0]
        found = flow.steps[here]
        if found.act is Act.TRY_LOCK:
            assert found.event is not None
            if any(call == found.event.call for call in calls) or _set_name(flow, here, step):
                return found
            return None
        if found.what not in {"set", "event"}:
            return None
    return None


def _set_name(flow: Flow, index: int, step: Step) -> bool:
    assert step.condition is not None
    after = [flow.steps[edge.to] for edge in flow.next[index]]
    names = {one.name for one in within(step.condition) if isinstance(one, Name)}
    return any(one.set is not None and one.set.name in names for one in after)


def _tests_zero(step: Step, event: Event | None) -> bool:
    """Is the condition true when the try-lock succeeded (returned 0)?"""
    condition = step.condition
    if isinstance(condition, Unary) and condition.operator == "!":
        return True
    if isinstance(condition, Binary) and condition.operator == "==":
        right = condition.right
        return (isinstance(right, Number) and right.value == 0) or (
            isinstance(right, Name) and right.name == "thrd_success"
        )
    return False
