"""CL004: on some path a lock stays locked: the function or thread is left without giving it back.

Followed from every place that takes a lock, along paths no condition contradicts, to the end of the thread or to the
next time the same thread needs the same lock; so a wrapper that locks on purpose is judged by what its callers do.
Rules of this file: arms that handle the failure of a call that does not synchronise count (the lock stays locked); the
end of the process does not. Locks of which it is not known whether they are the same are never "needed again".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.flow import Edge, Flow, Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.locks import TAKES, anonymous, apart, one_of, place_of
from cllm_sim.auditor.rules.support.locks_kinds import recursive
from cllm_sim.auditor.rules.support.locks_paths import Facts, Paths, Search
from cllm_sim.auditor.vocabulary import LOCKS, SYNCHRONISES, Act

RULE = Rule("CL004", "lock-held-at-exit", Severity.ERROR, "some path leaves with a lock held")
TIP = "Give the lock back on this path, too (one exit behind a label that unlocks is the usual way)."
TESTED_BACK_MAX = 6
CALLS_MAX = 60
"""So many calls of one place that takes a lock are followed."""


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for each lock and place where it is left locked."""
    seen = set()
    for role in analysis.roles.all:
        leaks = _Leaks(analysis, role)
        for lock in analysis.flow(role).events(*TAKES):
            if anonymous(lock) or analysis.flow(role).truncated or leaks.often(lock):
                continue
            way = leaks.way(lock)
            if way:
                finding = leaks.finding(lock, way)
                if (finding.site, lock.target) not in seen and (lock.site, lock.target) not in seen:
                    seen.update({(finding.site, lock.target), (lock.site, lock.target)})
                    yield finding


class _Leaks:
    """Looks through one role."""

    def __init__(self, analysis: Analysis, role: Role) -> None:
        self.analysis = analysis
        self.role = role
        self.flow: Flow = analysis.flow(role)
        self.paths = Paths(analysis, role)
        self._looked: Counter[Site] = Counter()
        self._unlocks: dict[Location | None, list[Step]] = {}
        for step in self.flow.events(Act.UNLOCK):
            self._unlocks.setdefault(step.target, []).append(step)
        self._missed = self._perhaps_missed()
        self.library = role.caller and all(entry.name != "main" for entry in role.entries)

    def often(self, lock: Step) -> bool:
        """Has this place been looked at often enough (a wrapper that is called everywhere)?"""
        self._looked[lock.site] += 1
        return self._looked[lock.site] > CALLS_MAX

    def _perhaps_missed(self) -> set[int]:
        """Where locks are taken that may still be held at the end, or where they are taken again."""
        possibly = self.analysis.held(self.role).possibly
        found = {one.taken for one in possibly[self.flow.end]}
        for step in self.flow.events(*LOCKS):
            found |= {one.taken for one in possibly[step.index] if one.lock == step.target}
        return found

    def way(self, lock: Step) -> list[Step]:
        """A way from a taken lock to where it is missed, without giving it back; empty if there is none."""
        if lock.index not in self._missed:
            return []
        place = place_of(self.analysis, self.role, lock)
        released = self._released(lock)
        ends = not self.role.caller or (self.library and bool(released))
        again = place.stable and not recursive(self.analysis, lock)

        def goal(step: Step) -> bool:
            if step.what == "end":
                return ends
            if not again or step.act not in LOCKS or step.target != lock.target:
                return False
            shared = step.act is Act.LOCK_SHARED and lock.act is Act.LOCK_SHARED
            there = place_of(self.analysis, self.role, step)
            return not shared and there.stable and there.text == place.text

        def stop(step: Step) -> bool:
            return (
                step.act is Act.UNLOCK
                and (anonymous(step) or step.target == lock.target)
                and not apart(place, place_of(self.analysis, self.role, step))
            )

        def enter(step: Step, edge: Edge) -> bool:
            if edge.kind == "failure" and self._synchronises(step):
                return False
            return place.stable or edge.kind != "other" or not self._gives_back(step, lock)

        return self.paths.find(self._starts(lock), Search(goal, stop, enter)) or []

    def _starts(self, lock: Step) -> list[tuple[int, Facts]]:
        """Where the lock has just been taken, and what is known there."""
        known = self.paths.known_at(lock) | self.paths.succeeded(lock)
        return [(edge.to, known) for edge in self.flow.next[lock.index]]

    def _released(self, lock: Step) -> set[int]:
        """The steps that give the lock back and can be reached from where it is taken."""
        ahead = self.flow.reachable(lock.index, failures=True)
        return {step.index for step in self._unlocks.get(lock.target, ()) if step.index in ahead}

    def _synchronises(self, step: Step) -> bool:
        """Does a condition test the result of a call that synchronises (and not of one that may really fail)?"""
        here = step.index
        for _ in range(TESTED_BACK_MAX):
            edges = self.flow.before[here]
            if len(edges) != 1:
                return False
            here = edges[0].to
            found = self.flow.steps[here]
            if found.act in SYNCHRONISES - {Act.CREATE}:
                return True
            if found.act is not None and found.act not in {Act.READ, Act.CALL}:
                return False
        return False

    def _gives_back(self, step: Step, lock: Step) -> bool:
        """Is this the condition of a loop that gives such locks back, one after the other?"""
        if not step.loops or self.flow.steps[step.loops[-1]].site != step.site:
            return False
        return step.loops[-1] not in lock.loops and any(
            step.loops[-1] in one.loops for one in self._unlocks.get(lock.target, ())
        )

    # -------------------------------------------------------------------------------------------------------- finding
    def finding(self, lock: Step, way: list[Step]) -> Finding:
        assert lock.target is not None
        label, role = lock.target.label, self.role
        released = self._released(lock)
        exit = self._exit(lock, way, released)
        last = way[-1]
        notes = [Note(lock.site, f"{label} is taken here", role.name, lock.how)]
        if last.what != "end":
            notes.append(Note(last.site, f"{role.name} needs it again here and hangs", role.name, last.how))
        notes += [
            Note(site, "other paths give it back here", role.name)
            for site in dict.fromkeys(self.flow.steps[one].site for one in sorted(released))
        ][:2]
        certain = not any(
            edge.kind == "failure" and edge.to == after.index
            for before, after in pairwise(way)
            for edge in self.flow.next[before.index]
        )
        return Finding(
            RULE.code, RULE.severity, Confidence.HIGH if certain else Confidence.MEDIUM, exit.site,
            self._message(lock, exit, last, label), label, tuple(notes), role.name, exit.how, TIP,
        )  # fmt: skip

    def _message(self, lock: Step, exit: Step, last: Step, label: str) -> str:
        if exit is lock:
            what = f"lock {label} is taken and not given back"
        else:
            kind = exit.leave.kind if exit.leave is not None else "this way out"
            what = (
                f"{kind} leaves {exit.function.name} with lock {label} held"
                if exit.leave
                else (f"{exit.function.name} goes on from here with lock {label} held")
            )
        if last.what == "end":
            return f"{what}: {one_of(self.role)} may end with it, and all others that need it hang"
        return f"{what}: {one_of(self.role)} needs it again, and hangs with all others that need it"

    def _exit(self, lock: Step, way: list[Step], released: set[int]) -> Step:
        """The return, goto or break behind which the lock is not given back any more."""

        def taken_again(step: Step) -> bool:
            return step.index == lock.index

        still = set(released)
        for one in released:
            still |= self.flow.reachable(one, taken_again, failures=True, backwards=True)
        lost = next((index for index, step in enumerate(way) if step.index not in still), None)
        if lost is not None:
            return next((step for step in way[lost:] if step.leave is not None), lock)
        leaves = [step for step in way if step.leave is not None and step.how == lock.how]
        return leaves[-1] if leaves else lock
