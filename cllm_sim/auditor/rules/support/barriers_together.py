"""Whether the roles of a program can get through their barriers together at all.

The roles' ways from wait to wait are put side by side; a barrier lets its parties pass when each of them stands at it.
All conditions may come out as suits the program best, only a loop with a counter goes round at least once. So "nobody
can get through" is certain, and "somebody can" says little. Rules of this file: all threads of a role go the same way;
only barriers whose counts surely agree with their parties take part, and only roles that can end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.roles.discover import counting
from cllm_sim.auditor.rules.support.barriers import Barrier
from cllm_sim.auditor.rules.support.threads import repeat_of, threads_beside

STATES_MAX = 20_000
END = -1

Place = tuple[int, frozenset[int], bool]
"""A wait (or END), the loops that must still go round once, and whether the way of interest was taken."""
Joint = tuple[Place, ...]


class Walker:
    """One role's ways from wait to wait; `taken` is an edge of interest (from, to)."""

    def __init__(
        self, analysis: Analysis, role: Role, waits: dict[int, int], taken: tuple[int, int] | None = None
    ) -> None:
        self.role = role
        self.flow: Flow = analysis.flow(role)
        self.waits = waits
        self.taken = taken
        self.counted = {step.index for step in self.flow.steps if step.what == "loop" and _counts(analysis, step)}
        self._next: dict[Place, list[Place]] = {}

    def first(self) -> list[Place]:
        """Where the role may stand first."""
        return self._walk((self.flow.start, frozenset(), False))

    def after(self, place: Place) -> list[Place]:
        """Where it may stand after a wait."""
        return self._walk(place)

    def _walk(self, place: Place) -> list[Place]:
        if place not in self._next:
            self._next[place] = list(self._search(place))
        return self._next[place]

    def _search(self, place: Place) -> Iterable[Place]:
        seen = {place}
        waiting = [place]
        found: dict[Place, None] = {}
        while waiting:
            here, fresh, used = waiting.pop()
            for edge in self.flow.next[here]:
                if edge.kind == "failure" or self._too_early(here, edge.to, fresh):
                    continue
                taken = used or (here, edge.to) == self.taken
                after: Place = (edge.to, self._still_fresh(here, edge.to, fresh), taken)
                if edge.to in self.waits:
                    found[after] = None
                elif edge.to == self.flow.end:
                    found[END, frozenset(), taken] = None
                elif after not in seen:
                    seen.add(after)
                    waiting.append(after)
        return found

    def _too_early(self, here: int, to: int, fresh: frozenset[int]) -> bool:
        """Does an edge leave a counting loop by its condition before the first round?"""
        step = self.flow.steps[here]
        if step.what != "condition" or not step.loops or step.loops[-1] not in fresh:
            return False
        loop = step.loops[-1]
        return step.site == self.flow.steps[loop].site and loop not in self.flow.steps[to].loops and to != loop

    def _still_fresh(self, here: int, to: int, fresh: frozenset[int]) -> frozenset[int]:
        """The loops that have not gone round yet: one is added on its way in, and taken away on its way back."""
        if to not in self.counted:
            return fresh
        return fresh - {to} if to in self.flow.steps[here].loops else fresh | {to}


def _counts(analysis: Analysis, loop: Step) -> bool:
    found = repeat_of(analysis, loop)
    return found is not None and found.kind != "do" and counting(found) is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Can all come to their end? Was the way of interest ever taken? If nobody can go on, where they stand."""

    ends: bool
    taken: bool
    stuck: tuple[tuple[Role, Step], ...] = ()


class Together:
    """All roles at some barriers."""

    def __init__(self, analysis: Analysis, barriers: list[Barrier]) -> None:
        self.analysis = analysis
        self.barriers = barriers
        self.roles = list({at.role.name: at.role for one in barriers for at in one.waits}.values())
        self.possible = all(analysis.flow(role).end in analysis.flow(role).alive() for role in self.roles)

    def outcome(
        self, role: Role | None = None, taken: tuple[int, int] | None = None, *, divided: bool = False
    ) -> Outcome | None:
        """What may become of the roles (where one of them takes an edge); None where it cannot be told.

        `divided`: one thread of the role takes the edge, the others go as they like.
        """
        walkers = [Walker(self.analysis, one, self._waits(one), taken if one is role else None) for one in self.roles]
        if role is not None and divided:
            walkers.append(Walker(self.analysis, role, self._waits(role)))
        return _explore(
            walkers, [{one.name for one in barrier.parties} for barrier in self.barriers], taken is not None
        )

    def alone(self, role: Role) -> bool:
        """Has every thread of a role a barrier of its own among these?"""
        for one in self.barriers:
            for init in one.inits:
                threads = threads_beside(self.analysis, role, init) if role in one.parties else None
                if threads is not None and any(count.value == 1 for count in threads):
                    return True
        return False

    def _waits(self, role: Role) -> dict[int, int]:
        return {
            at.step.index: number for number, one in enumerate(self.barriers) for at in one.waits if at.role is role
        }


def _explore(walkers: list[Walker], parties: list[set[str]], wanted: bool) -> Outcome | None:
    starts: list[Joint] = [()]
    for walker in walkers:
        starts = [(*joint, place) for joint in starts for place in walker.first()]
    seen = set(starts)
    queue = deque(starts)
    taken = False
    stuck: Joint | None = None
    while queue:
        joint = queue.popleft()
        used = any(place[2] for place in joint)
        taken = taken or used
        if all(place[0] == END for place in joint):
            if used or not wanted:
                return Outcome(True, taken)
            continue
        following = list(_following(walkers, parties, joint))
        if not following and (used or not wanted):
            stuck = joint
        for after in following:
            if after not in seen:
                if len(seen) > STATES_MAX:
                    return None
                seen.add(after)
                queue.append(after)
    standing = () if stuck is None else tuple(
        (walker.role, walker.flow.steps[place[0]])
        for walker, place in zip(walkers, stuck, strict=True)
        if place[0] != END
    )  # fmt: skip
    return Outcome(False, taken, standing)


def _following(walkers: list[Walker], parties: list[set[str]], joint: Joint) -> Iterable[Joint]:
    """The next joint places: one barrier opens, and its parties go on to their next wait or to their end."""
    for number, names in enumerate(parties):
        moving = [index for index, walker in enumerate(walkers) if walker.role.name in names]
        if not moving or any(walkers[index].waits.get(joint[index][0]) != number for index in moving):
            continue
        results = [joint]
        for index in moving:
            results = [
                (*one[:index], place, *one[index + 1 :])
                for one in results
                for place in walkers[index].after(joint[index])
            ]
        yield from results
