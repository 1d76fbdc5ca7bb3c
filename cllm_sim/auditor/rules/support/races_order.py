"""Which steps of two threads may happen at the same time, as far as creation, joining and barriers say.

A product walk: the two threads and those that created them move through their flows, which are cut at the steps that
order threads. Between those everybody moves freely; a barrier is crossed by all together that know it, a thread starts
at its creation, a join is passed only when its thread has ended. Rules of this file: locks and hand-offs are judged
elsewhere; loops that order threads are taken to go round at least once; where the walk grows beyond its limit the
answer is None, and nobody may conclude anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Binary, Call, Expr, Name, Number, Unary
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.traverse import names, within
from cllm_sim.auditor.vocabulary import KNOWN, Act, Kind

STATES_MAX = 120_000
BRIDGES_MAX = 2

State = tuple[int | None, ...]
"""Where every party is: the ordering step it passed last; None before its creation."""


Region = tuple[int, int]
"""The steps between one ordering step and the next one."""


@dataclass(slots=True)
class Skeleton:
    """A role's flow cut at its ordering steps: what follows each of them, and which steps lie between."""

    role: Role
    flow: Flow
    waits: dict[int, Location]
    creates: dict[int, Step]
    joins: dict[int, Step]
    after: dict[int, list[int]] = field(default_factory=dict)
    between: dict[Region, frozenset[int]] = field(default_factory=dict)
    depth: dict[int, int] = field(default_factory=dict)
    _regions: dict[int, list[Region]] = field(default_factory=dict)

    def regions(self, step: int) -> list[Region]:
        """The regions in which a step lies."""
        if not self._regions:
            for index, inside in self.between.items():
                for one in inside:
                    self._regions.setdefault(one, []).append(index)
        return self._regions.get(step, [])

    @property
    def barriers(self) -> set[Location]:
        """The barriers that the role waits at."""
        return set(self.waits.values())


def skeleton(analysis: Analysis, role: Role) -> Skeleton:
    """The ordering steps of a role and what lies between them."""
    flow = analysis.flow(role)
    alive = flow.alive()
    waits: dict[int, Location] = {}
    creates: dict[int, Step] = {}
    joins: dict[int, Step] = {}
    for step in flow.events(Act.WAIT, Act.CREATE, Act.JOIN):
        assert step.event is not None
        if step.index not in alive:
            continue
        if step.act is Act.WAIT and step.event.kind is Kind.BARRIER and step.target is not None:
            waits[step.index] = step.target
        elif step.act is Act.CREATE:
            creates[step.index] = step
        elif step.act is Act.JOIN:
            joins[step.index] = step
    found = Skeleton(role, flow, waits, creates, joins)
    ordering = {*waits, *creates, *joins}
    looping = {loop for index in ordering for loop in flow.steps[index].loops}
    waiting = {loop for index in waits for loop in flow.steps[index].loops}
    failed = {edge for index in creates if (edge := _failed(flow, index)) is not None}
    for index in (flow.start, *sorted(ordering)):
        for following, inside in _regions(flow, index, ordering, looping, failed).items():
            found.after.setdefault(index, []).append(following)
            found.between[index, following] = inside
        found.after.setdefault(index, [])
        found.depth[index] = len(set(flow.steps[index].loops) & waiting)
    found.after[flow.end] = []
    return found


def _regions(
    flow: Flow, start: int, ordering: set[int], looping: set[int], failed: set[tuple[int, str]]
) -> dict[int, frozenset[int]]:
    """The ordering steps that come next, each with the steps on the way to it."""
    home = set(flow.steps[start].loops)
    before: dict[int, set[int]] = {start: set()}
    next_ones: set[int] = set()
    waiting = [start]
    while waiting:
        here = waiting.pop()
        for edge in flow.next[here]:
            if (
                edge.kind == "failure"
                or (here, edge.kind) in failed
                or _skips(flow, here, edge.kind, edge.to, home, looping)
            ):
                continue
            last = edge.to in ordering or edge.to == flow.end
            if last:
                next_ones.add(edge.to)
            elif edge.to not in before:
                waiting.append(edge.to)
            before.setdefault(edge.to, set()).add(here)
    return {one: _leading_to(one, start, before) for one in sorted(next_ones)}


def _failed(flow: Flow, creation: int) -> tuple[int, str] | None:
    """The side of the test right behind a creation that says that there is no thread."""
    event = flow.steps[creation].event
    if event is None or event.call is None:
        return None
    call = event.call
    kept: set[str] = set()
    here = creation
    for _ in range(4):
        following = [edge.to for edge in flow.next[here]]
        if len(following) != 1:
            return None
        here = following[0]
        step = flow.steps[here]
        if step.set is not None and any(one == call for one in within(step.set.value)):
            kept.add(step.set.name)
        elif step.what == "condition":
            return _nonzero(step, call, kept)
        elif step.what != "set" and step.act is not Act.WRITE:
            return None
    return None


def _nonzero(step: Step, call: Call, kept: set[str]) -> tuple[int, str] | None:
    """The side of a condition on which the result of a call (or a local that keeps it) is not zero."""

    def result(one: Expr) -> bool:
        return one == call or (isinstance(one, Name) and one.name in kept)

    match step.condition:
        case Unary(operator="!", operand=operand) if result(operand):
            return step.index, "other"
        case Binary(operator="!=" | "==" as operator, left=left, right=Number(value=0)) if result(left):
            return step.index, "then" if operator == "!=" else "other"
        case Name() | Call() as plain if result(plain):
            return step.index, "then"
        case _:
            return None


def _leading_to(end: int, start: int, before: dict[int, set[int]]) -> frozenset[int]:
    """The steps on the ways to `end`, both ends left out."""
    seen: set[int] = set()
    waiting = [end]
    while waiting:
        for one in before[waiting.pop()]:
            if one != start and one not in seen:
                seen.add(one)
                waiting.append(one)
    return frozenset(seen)


def _skips(flow: Flow, here: int, kind: str, to: int, home: set[int], looping: set[int]) -> bool:
    """Does an edge leave a loop that orders threads without one round of it?"""
    if kind != "other" or flow.steps[here].what != "condition":
        return False
    left = set(flow.steps[here].loops) - set(flow.steps[to].loops)
    return bool((left & looping) - home)


# ------------------------------------------------------------------------------------------------------------- parties
class Move(NamedTuple):
    """To which state, and which parties went on."""

    to: State
    who: tuple[int, ...]


@dataclass(slots=True)
class Walk:
    """What a product walk found: the pairs of regions that may run together.

    `unsure` says that a barrier could be crossed in several combinations, so that the pairs may be too many.
    """

    first: Skeleton
    second: Skeleton
    pairs: set[tuple[Region, Region]] = field(default_factory=set)
    unsure: bool = False

    def together(self, one: int, other: int) -> bool:
        """May these two steps (of the first and of the second thread) happen at the same time?"""
        lefts, rights = self.first.regions(one), self.second.regions(other)
        return any((left, right) in self.pairs for left in lefts for right in rights)


class Orders:
    """Product walks over one program's roles, made on demand and kept."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._skeletons: dict[str, Skeleton] = {}
        self._walks: dict[tuple[str, str], Walk | None] = {}

    def skeleton(self, role: Role) -> Skeleton:
        """The skeleton of a role."""
        if role.name not in self._skeletons:
            self._skeletons[role.name] = skeleton(self.analysis, role)
        return self._skeletons[role.name]

    def walk(self, one: Role, other: Role) -> Walk | None:
        """The walk of two threads (of one role, if both are the same); None where it grew too large."""
        key = (one.name, other.name)
        if key not in self._walks:
            self._walks[key] = _Walker(self, one, other).walk()
        return self._walks[key]

    def bridges(self, one: Role, other: Role, known: list[Role]) -> Iterator[Role]:
        """The roles that meet both threads at barriers, and so order them though they never meet themselves."""
        mine, theirs = self.skeleton(one).barriers, self.skeleton(other).barriers
        for role in self.analysis.roles.all:
            if role.group == one.group and all(role is not each for each in known):
                barriers = self.skeleton(role).barriers
                if barriers & mine and barriers & theirs and not mine & theirs:
                    yield role

    def creators(self, role: Role) -> Iterator[Role]:
        """The role and everybody above it, nearest first."""
        seen = {role.name}
        waiting = [role]
        while waiting:
            here = waiting.pop(0)
            yield here
            for creation in here.created:
                creator = self.analysis.roles.get(creation.creator)
                if creator is not None and creator.name not in seen:
                    seen.add(creator.name)
                    waiting.append(creator)


class _Walker:
    """One product walk."""

    def __init__(self, orders: Orders, one: Role, other: Role) -> None:
        parties = [one, other]
        for role in (*orders.creators(one), *orders.creators(other)):
            if not any(role is known for known in parties):
                parties.append(role)
        parties += list(orders.bridges(one, other, parties))[:BRIDGES_MAX]
        self.parties = [orders.skeleton(role) for role in parties]
        self.handles = [_handles(role) for role in parties]
        self.entries = [{function_key(entry) for entry in role.entries} for role in parties]
        known = {handle for handles in self.handles for handle in handles}
        for role in orders.analysis.roles.all:
            known |= _handles(role)
        self.known_handles = known
        self.result = Walk(self.parties[0], self.parties[1])
        self.level = self._levels()

    def walk(self) -> Walk | None:
        first: State = tuple(one.flow.start if one.role.caller else None for one in self.parties)
        moves: dict[State, list[Move]] = {}
        waiting = [first]
        while waiting:
            state = waiting.pop()
            if state in moves:
                continue
            if len(moves) >= STATES_MAX:
                return None
            moves[state] = list(self._next(state))
            waiting += [move.to for move in moves[state]]
        self._pairs(moves)
        return self.result

    def _pairs(self, moves: dict[State, list[Move]]) -> None:
        """The regions that run together in runs that come to their end (in all runs, if none does)."""
        before: dict[State, list[Move]] = {}
        for state, more in moves.items():
            for move in more:
                before.setdefault(move.to, []).append(Move(state, move.who))
        ended = [state for state in moves if self._over(state)]
        good = _closure(ended, before) if ended else set(moves)
        goes = [_goes(party, moves, before, good) for party in (0, 1)]
        for state in good:
            one, other = state[0], state[1]
            if one is not None and other is not None:
                for left, right in product(goes[0].get(state, ()), goes[1].get(state, ())):
                    if self._compatible(left, right):
                        self.result.pairs.add(((one, left), (other, right)))

    def _compatible(self, left: int, right: int) -> bool:
        """May the two go to these steps at a time: not one to a barrier at which the other will never meet it?"""
        first, second = self.parties[0], self.parties[1]
        common = first.barriers & second.barriers
        one, other = first.waits.get(left), second.waits.get(right)
        if one in common and other in common:
            return one == other
        ends = right == second.flow.end if one in common else left == first.flow.end
        return not ends if one in common or other in common else True

    def _over(self, state: State) -> bool:
        return all(here is None or here == self.parties[party].flow.end for party, here in enumerate(state))

    def _next(self, state: State) -> Iterator[Move]:
        crossed: set[Location] = set()
        for party, here in enumerate(state):
            if here is None:
                continue
            skeleton = self.parties[party]
            for step in skeleton.after[here]:
                if step in skeleton.waits:
                    barrier = skeleton.waits[step]
                    if barrier not in crossed:
                        crossed.add(barrier)
                        yield from self._crossings(state, barrier)
                elif step in skeleton.creates:
                    yield from self._creation(state, party, step)
                elif step not in skeleton.joins:
                    yield Move(_with(state, party, step), (party,))
                elif (after := self._joined(state, skeleton.joins[step], party)) is not None:
                    yield Move(_with(after, party, step), (party,))

    def _creation(self, state: State, party: int, step: int) -> Iterator[Move]:
        moved = _with(state, party, step)
        event = self.parties[party].creates[step].event
        assert event is not None
        made = {function_key(entry) for entry in event.entries}
        yield Move(moved, (party,))
        for other, entries in enumerate(self.entries):
            if other == party or state[other] is not None or not made & entries:
                continue
            if self._varies(event, party, step) or not self._others_run(state, made, entries):
                yield Move(_with(moved, other, self.parties[other].flow.start), (party,))

    def _others_run(self, state: State, made: set[Key], entries: set[Key]) -> bool:
        """Does a thread run that the same creation made with another entry?"""
        return any(
            here is not None and made & self.entries[party] and self.entries[party] != entries
            for party, here in enumerate(state)
        )

    def _varies(self, event: Event, party: int, step: int) -> bool:
        """Does a creation that may mean several entries take another one in every round of its loop?"""
        flow = self.parties[party].flow
        loops = flow.steps[step].loops
        if len(event.entries) < 2 or not loops or event.call is None:
            return True
        counted = names(flow.steps[loops[-1]].condition)
        position = next((one.entry for name, one in KNOWN.items() if name == event.name), None)
        return position is None or bool(counted & names(event.call.arguments[position]))

    def _joined(self, state: State, join: Step, joiner: int) -> State | None:
        """The state behind a join: None while a thread runs that it may wait for; the joined ones may be made anew."""
        handle = None if join.target is None else join.target.holder
        anybody = handle is None or handle not in self.known_handles
        for party, here in enumerate(state):
            if party == joiner or here is None or self.parties[party].role.caller:
                continue
            if anybody or handle in self.handles[party]:
                if here != self.parties[party].flow.end:
                    return None
                state = _with(state, party, None)
        return state

    # ------------------------------------------------------------------------------------------------------ barriers
    def _crossings(self, state: State, barrier: Location) -> Iterator[Move]:
        """All ways on which everybody who knows the barrier crosses it now."""
        members = [party for party, one in enumerate(self.parties) if barrier in one.barriers]
        choices: list[list[int]] = []
        for party in members:
            here = state[party]
            if here is None:
                return
            skeleton = self.parties[party]
            choices.append([step for step in skeleton.after[here] if skeleton.waits.get(step) == barrier])
        found = [combination for combination in product(*choices) if self._matching(members, choices, combination)]
        self.result.unsure = self.result.unsure or self._ambiguous(members, found)
        for combination in found:
            following = state
            for party, step in zip(members, combination, strict=True):
                following = _with(following, party, step)
            yield Move(following, tuple(members))

    def _ambiguous(self, members: list[int], found: list[tuple[int, ...]]) -> bool:
        """Could the wrong waits meet? Not where one role alone decides, and only by whether its loop goes on."""
        options: dict[str, set[int]] = {}
        for combination in found:
            for party, step in zip(members, combination, strict=True):
                options.setdefault(self.parties[party].role.name, set()).add(step)
        several = {name: steps for name, steps in options.items() if len(steps) > 1}
        if len(several) != 1:
            return bool(several) and len(found) > max(len(steps) for steps in several.values())
        (name, steps) = next(iter(several.items()))
        flow = next(one.flow for one in self.parties if one.role.name == name)
        depths = {flow.steps[step].loops for step in steps}
        return len(depths) < len(steps) and len(options) > 1

    def _matching(self, members: list[int], choices: list[list[int]], combination: tuple[int, ...]) -> bool:
        """May these waits meet? Threads of one role go the same way where they can; equal depths belong together."""
        for at, party in enumerate(members):
            for other_at, other in enumerate(members[:at]):
                one, two = combination[other_at], combination[at]
                if self.parties[party].role is self.parties[other].role:
                    if one != two and (one in choices[at] or two in choices[other_at]):
                        return False
                elif self.level and self.parties[other].depth[one] != self.parties[party].depth[two]:
                    return False
        return True

    def _levels(self) -> bool:
        """Do all roles wait at their common barriers at the same depths of loops?"""
        depths: dict[Location, set[frozenset[int]]] = {}
        for one in self.parties:
            for barrier in one.barriers:
                found = frozenset(one.depth[step] for step, at in one.waits.items() if at == barrier)
                depths.setdefault(barrier, set()).add(found)
        return all(len(found) == 1 for found in depths.values())


def _closure(start: list[State], edges: dict[State, list[Move]]) -> set[State]:
    """Everything that the moves lead to."""
    seen = set(start)
    waiting = list(start)
    while waiting:
        for move in edges.get(waiting.pop(), ()):
            if move.to not in seen:
                seen.add(move.to)
                waiting.append(move.to)
    return seen


def _goes(
    party: int, moves: dict[State, list[Move]], before: dict[State, list[Move]], good: set[State]
) -> dict[State, set[int]]:
    """Where a party may go next from each state, on ways that stay within good states."""
    found: dict[State, set[int]] = {}
    waiting: list[State] = []
    for state in good:
        own = {move.to[party] for move in moves[state] if party in move.who and move.to in good}
        steps = {one for one in own if one is not None}
        if steps:
            found[state] = steps
            waiting.append(state)
    while waiting:
        state = waiting.pop()
        for move in before.get(state, ()):
            if move.to in good and party not in move.who:
                more = found[state] - found.setdefault(move.to, set())
                if more:
                    found[move.to] |= more
                    waiting.append(move.to)
    return found


def _handles(role: Role) -> set[Location]:
    return {one.event.partner.holder for one in role.created if one.event.partner is not None}


def _with(state: State, party: int, step: int | None) -> State:
    return (*state[:party], step, *state[party + 1 :])
