"""Hand-offs between two threads: one gives a signal after its access, the other waits for it before its own.

A channel is a semaphore, a condition, an atomic variable, or a plain variable that both sides guard with a lock. A
release is a post, a signal, an atomic store or a guarded write; an acquire is a wait, or a test of the variable. Two
accesses are ordered if all of one side come before the signal that the other side waits for, or if both sides take
turns: each waits for the other again before it goes round again. Rules of this file: structure only; how often
something is posted, and what values mean, is left to the checker. Loops with a wait inside are taken to go round at
least once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Assign, Binary, Expr, Name
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.rules.support.races_accesses import Access, spelled_out
from cllm_sim.auditor.rules.support.races_counted import counted
from cllm_sim.auditor.rules.support.races_sharing import Sharing
from cllm_sim.auditor.rules.support.semaphores import channel as signal_of
from cllm_sim.auditor.traverse import names, within
from cllm_sim.auditor.vocabulary import Act

Channels = dict[Location, set[int]]

ACQUIRES = frozenset({Act.DOWN, Act.TRY_DOWN, Act.SLEEP, Act.TIMED_SLEEP, Act.LOAD})
RELEASES = frozenset({Act.UP, Act.NOTIFY, Act.NOTIFY_ALL, Act.STORE, Act.CHANGE})


@dataclass(frozen=True, slots=True)
class Side:
    """The signals that one role gives and waits for; `alone` are waits that one channel alone can end."""

    flow: Flow
    acquires: Channels
    releases: Channels
    alone: Channels


class Handoffs:
    """Answers about the hand-offs of one program. `flags` are plain variables that are polled in place of a signal."""

    def __init__(self, analysis: Analysis, flags: frozenset[Location] = frozenset()) -> None:
        self.analysis = analysis
        self.flags = flags
        self._sides: dict[tuple[str, bool], Side] = {}

    def side(self, access: Access, other: Access) -> Side:
        """The signals of a role; between two threads of one role, what each has to itself is none."""
        role = access.role
        key = (role.name, role is not other.role)
        if key not in self._sides:
            self._sides[key] = self._find(role, key[1])
        return self._sides[key]

    def ordered(self, one: Access, other: Access) -> bool:
        """Does a hand-off order two accesses of two threads?"""
        if one.step.target is None:
            return False
        return (
            self._all_before(one, other)
            or self._all_before(other, one)
            or self._turns(one, other)
            or self._turns(other, one)
            or counted(self.analysis, one, other)
            or counted(self.analysis, other, one)
        )

    def hinted(self, one: Access, other: Access) -> bool:
        """Does one side give a signal after its access for which the other side waits before its own?"""
        return any(
            self._gated(second, first, channel) and self._signals(first, second, channel)
            for first, second in ((one, other), (other, one))
            for channel in self._channels(first, second)
        )

    def _signals(self, access: Access, other: Access, channel: Location) -> bool:
        """Does a release of the channel follow an access, before its side looks at the channel itself?"""
        side = self.side(access, other)
        looks = side.acquires.get(channel, set()) - side.releases[channel]
        return bool(side.releases[channel] & avoiding(side.flow, access.step.index, looks))

    def _channels(self, giver: Access, taker: Access) -> Iterator[Location]:
        """The channels on which one role releases and the other acquires, not counting what is raced for itself."""
        releases, acquires = self.side(giver, taker).releases, self.side(taker, giver).acquires
        for channel in acquires:
            if channel in releases and channel not in {giver.step.target, taker.step.target}:
                yield channel

    # --------------------------------------------------------------------------------------------------------- orders
    def _all_before(self, early: Access, late: Access) -> bool:
        """All accesses of one side come before a signal without which the other side does none."""
        side = self.side(early, late)
        for channel in self._channels(early, late):
            releases = side.releases[channel] - self._preparing(early.role, late.role)
            after = set().union(*(side.flow.reachable(one) | {one} for one in releases)) if releases else set()
            follows = releases & side.flow.reachable(early.step.index)
            if follows and early.step.index not in after and self._waited(late, early, channel):
                return True
        return False

    def _turns(self, first: Access, second: Access) -> bool:
        """Both sides wait for each other in turns; the first may go without waiting."""
        for there in self._channels(first, second):
            if not self._gated(second, first, there):
                continue
            for back in self._channels(second, first):
                if self._alternates(first, second, there, back) and self._alternates(second, first, back, there):
                    return True
        return False

    def _waited(self, access: Access, other: Access, channel: Location) -> bool:
        """As `_gated`, with waits that only this channel can end."""
        side = self.side(access, other)
        return access.step.index not in avoiding(side.flow, side.flow.start, side.alone.get(channel, set()))

    def _gated(self, access: Access, other: Access, channel: Location) -> bool:
        """Is there no way to an access but through a wait on the channel?"""
        side = self.side(access, other)
        return access.step.index not in avoiding(side.flow, side.flow.start, side.acquires[channel])

    def _alternates(self, access: Access, other: Access, gives: Location, awaits: Location) -> bool:
        """Does a side signal after its access before it waits again, and wait before the access comes again?"""
        side = self.side(access, other)
        releases = side.releases[gives] - self._preparing(access.role, other.role)
        elements = access.step.loops[-1:] if other.sharing is Sharing.OWN else ()  # one round for each thread
        releases &= avoiding(side.flow, access.step.index, side.acquires[awaits] - releases, elements)
        after = avoiding(side.flow, access.step.index, releases, elements)
        if after & (side.acquires[awaits] - releases):
            return False
        again = [avoiding(side.flow, one, side.acquires[awaits], elements) for one in releases]
        return bool(again) and all(access.step.index not in one for one in again)

    def _preparing(self, role: Role, other: Role) -> set[int]:
        """Releases of a creator that only prepare the other thread: before its creation."""
        flow = self.analysis.flow(role)
        made = {function_key(entry) for entry in other.entries}
        creations = {
            step.index
            for step in flow.events(Act.CREATE)
            if step.event is not None and made & {function_key(entry) for entry in step.event.entries}
        }
        if not creations:
            return set()
        before: set[int] = set()
        for one in creations:
            before |= flow.reachable(one, backwards=True)
        after: set[int] = set()
        for one in creations:
            after |= flow.reachable(one)
        return before - after

    # -------------------------------------------------------------------------------------------------------- channels
    def _find(self, role: Role, own: bool) -> Side:
        flow = self.analysis.flow(role)
        held = self.analysis.held(role).surely
        acquires: Channels = {}
        releases: Channels = {}
        alone: Channels = {}
        tested_names = {name for step in flow.steps for name in names(step.condition)}
        for step in flow.steps:
            if step.what == "condition" and step.condition is not None:
                tested = set(self._tested(step, bool(held[step.index]), own))
                for place in tested:
                    acquires.setdefault(place, set()).add(step.index)
                    if len(tested) == 1:
                        alone.setdefault(place, set()).add(step.index)
            if step.event is None or step.target is None or (step.own and not own):
                continue
            signal = signal_of(self.analysis, role, step) or step.target
            if step.act in ACQUIRES or (step.act is Act.CHANGE and _used(flow, step, tested_names)):
                acquires.setdefault(signal, set()).add(step.index)
                alone.setdefault(signal, set()).add(step.index)
            guarded = step.act is Act.WRITE and (bool(held[step.index]) or step.target in self.flags)
            guarded = guarded and not step.target.is_contents
            if step.act in RELEASES or guarded:
                releases.setdefault(signal, set()).add(step.index)
            plain = step.act is Act.READ and not step.event.operator and not step.target.is_contents
            if plain and held[step.index] and _used(flow, step, tested_names):
                acquires.setdefault(step.target, set()).add(step.index)
        return Side(flow, acquires, releases, alone)

    def _tested(self, step: Step, locked: bool, own: bool) -> Iterator[Location]:
        """The variables that a condition tests, as far as they can carry a signal."""
        for one in within(spelled_out(self.analysis, step)):
            location = self.analysis.locations.of(one, step.function)
            location = self.analysis.locations.bound(location, step.bindings)
            if location is None or location.kind in {"local", "parameter"} or location.is_contents:
                continue
            if not own and step.owned is not None and step.owned.place(one):
                continue
            if locked or location in self.flags or location in self.analysis.inventory.objects:
                yield location


def _used(flow: Flow, step: Step, tested_names: set[str]) -> bool:
    """Is what an atomic change or a guarded read gave tested, at once or by way of a variable?"""
    here = step.index
    for _ in range(3):
        following = [edge.to for edge in flow.next[here]]
        if len(following) != 1:
            return False
        here = following[0]
        found = flow.steps[here]
        value = found.condition if found.condition is not None else found.set.value if found.set is not None else None
        if value is not None:
            return _mentions(value, step) and (found.set is None or found.set.name in tested_names)
        if found.what != "event":
            return False
    return False


def _mentions(value: Expr, step: Step) -> bool:
    assert step.event is not None
    looked_for = {one for one in (step.event.call, step.event.expression) if one is not None}
    return any(one in looked_for for one in within(value))


def avoiding(flow: Flow, start: int, blocked: set[int], once: tuple[int, ...] = ()) -> set[int]:
    """The steps after `start` that some way reaches without a blocked one in between, and one round of loops `once`."""
    seen: set[int] = set()
    waiting = [start]
    looping = {loop for index in blocked for loop in flow.steps[index].loops}
    looping -= {loop for loop in flow.steps[start].loops if loop in looping and _behind(flow, start, loop, blocked)}
    while waiting:
        here = waiting.pop()
        for edge in flow.next[here]:
            if edge.kind == "failure" or (edge.kind == "other" and _leaves(flow, here, edge.to, looping)):
                continue
            onward = _exits(flow, edge.to) if edge.kind == "again" and edge.to in once else [edge.to]
            for to in onward:
                if to not in seen and to not in blocked:
                    seen.add(to)
                    waiting.append(to)
    return seen


def _behind(flow: Flow, start: int, loop: int, blocked: set[int]) -> bool:
    """Does a step come behind a blocked one in the same round of a loop?"""
    waiting = [index for index in blocked if loop in flow.steps[index].loops]
    seen = set(waiting)
    while waiting:
        here = waiting.pop()
        if here == start:
            return True
        for edge in flow.next[here]:
            if edge.to != loop and edge.to not in seen:
                seen.add(edge.to)
                waiting.append(edge.to)
    return False


def _exits(flow: Flow, loop: int) -> list[int]:
    """Where a loop's own condition leads when it ends."""
    condition = flow.steps[loop].condition
    return [
        edge.to
        for step in flow.steps
        if step.what == "condition" and step.condition is condition and loop == (step.loops or (None,))[-1]
        for edge in flow.next[step.index]
        if edge.kind == "other"
    ]


def _leaves(flow: Flow, here: int, to: int, looping: set[int]) -> bool:
    """Does an edge leave a counting loop with a blocked step inside (which is taken to be met in every round)?"""
    return _counts(flow.steps[here]) and bool((set(flow.steps[here].loops) - set(flow.steps[to].loops)) & looping)


def _counts(step: Step) -> bool:
    """Is this the condition of a loop that counts (over threads, batches), and not one that waits for something?"""
    condition = step.condition
    if step.what != "condition" or not isinstance(condition, Binary):
        return False
    return condition.operator in {"<", "<=", ">", ">=", "!="} and isinstance(condition.left, Name | Assign)
