"""Which locks are held at each step: surely (on every way there) and possibly (on some).

A forward data flow over the flow's graph. A try-lock holds on the ways on which the condition behind it says so, and
what a function returned tells by which of its returns it was left (`results.py`). Failure edges carry what their start
holds. Rules of this file: locks by location; two instances of one record's lock are one name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from cllm_sim.auditor.flow.graph import Edge, Flow, Step
from cllm_sim.auditor.flow.results import returned, returns_into, try_before
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.vocabulary import LOCKS, Act


class Held(NamedTuple):
    """A lock that is held: which, taken at which step, and whether only shared (for reading)."""

    lock: Location
    taken: int
    shared: bool


State = frozenset[Held]
NONE: State = frozenset()


@dataclass(slots=True)
class HeldLocks:
    """For every step, the locks held *before* it: `surely` on every way, `possibly` on some."""

    surely: list[State]
    possibly: list[State]


def held_locks(flow: Flow) -> HeldLocks:
    """The locks held before every step of a flow."""
    return _Locks(flow).held()


class _Locks:
    """One run of the data flow."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.surely: list[State | None] = [None] * len(flow.steps)
        self.possibly: list[State] = [NONE] * len(flow.steps)
        self._returns: dict[int, list[Step]] = {}
        for step in flow.steps:
            returns = returns_into(flow, step)
            if returns:
                self._returns[step.index] = returns

    def held(self) -> HeldLocks:
        self.surely[self.flow.start] = NONE
        waiting = [self.flow.start]
        queued = {self.flow.start}
        while waiting:
            index = waiting.pop()
            queued.discard(index)
            for edge in self.flow.next[index]:
                if self._pass_on(index, edge) and edge.to not in queued:
                    waiting.append(edge.to)
                    queued.add(edge.to)
        return HeldLocks([one if one is not None else NONE for one in self.surely], self.possibly)

    def _pass_on(self, index: int, edge: Edge) -> bool:
        """Hand on what is held over an edge; True where the step it leads to is to be looked at again."""
        arriving = self._arriving(index, edge)
        if arriving is None:
            return False
        sure, maybe = self._after(index, edge, *arriving)
        to = edge.to
        known = self.surely[to]
        both = sure if known is None else _common(known, sure)
        more = self.possibly[to] | maybe
        changed = both != known or more != self.possibly[to]
        self.surely[to], self.possibly[to] = both, more
        return changed or to in self._returns

    def _arriving(self, index: int, edge: Edge) -> tuple[State, State] | None:
        """What is held at a step that is left by this edge: behind a call, only by the returns that lead on here."""
        sure, maybe = self.surely[index], self.possibly[index]
        assert sure is not None
        step = self.flow.steps[index]
        if index not in self._returns or edge.kind not in {"then", "other"}:
            return sure, maybe
        found: State | None = None
        some: State = NONE
        for leave in self._returns[index]:
            before = self.surely[leave.index]
            value = returned(step, leave)
            if before is None or (value is not None and value is not (edge.kind == "then")):
                continue
            found = before if found is None else _common(found, before)
            some |= self.possibly[leave.index]
        return None if found is None else (found, some)

    def _after(self, index: int, edge: Edge, sure: State, maybe: State) -> tuple[State, State]:
        step = self.flow.steps[index]
        if step.what == "condition":
            won, perhaps = self._won(step, edge)
            return sure | won, maybe | won | perhaps
        if step.target is None or step.event is None:
            return sure, maybe
        if step.event.act in LOCKS:
            taken = frozenset({Held(step.target, index, step.event.act is Act.LOCK_SHARED)})
            return sure | taken, maybe | taken
        if step.event.act is Act.UNLOCK:
            return _without(sure, step.target), _without(maybe, step.target)
        return sure, maybe

    def _won(self, step: Step, edge: Edge) -> tuple[State, State]:
        """The lock that a try-lock tested by this condition holds on this edge, surely or perhaps."""
        tried = try_before(self.flow, step)
        if tried is None or tried[0].target is None or edge.kind not in {"then", "other", "again", "failure"}:
            return NONE, NONE
        at, won, lost = tried
        assert at.target is not None
        assert at.event is not None
        side = edge.kind in {"then", "again"}
        lock = frozenset({Held(at.target, at.index, "rdlock" in at.event.name)})
        if won is not None and won is not side:
            return NONE, NONE
        return (lock, NONE) if lost is not None and lost is not side else (NONE, lock)


def _without(state: State, lock: Location) -> State:
    return frozenset(held for held in state if held.lock != lock)


def _common(one: State, other: State) -> State:
    """Locks in both states; where they were taken at different steps, the first is kept."""
    names = {(held.lock, held.shared) for held in other}
    return frozenset(held for held in one if (held.lock, held.shared) in names)
