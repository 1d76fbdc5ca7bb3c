"""How threads are told to stop: their flags, who sets them, where the threads idle meanwhile, and who wakes them.

Rules of this file: a flag is a stop flag of a role if the role could never end without its being set, or would sleep
on. An idle place is a wait after which the role looks at the flag before it waits anywhere else. A release that is made
while the lock is held under which the flag is set counts, whichever comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Cast, Unary
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.threads import At, creations, steps_of
from cllm_sim.auditor.rules.support.threads_exits import Ending, Flags, StopFlag, flags_of
from cllm_sim.auditor.rules.support.threads_handles import places
from cllm_sim.auditor.vocabulary import LOCKS, Act

IDLE = frozenset({Act.WAIT, Act.SLEEP, Act.DOWN})
KEPT_WAITING = {Act.WAIT: Act.WAIT, Act.NOTIFY: Act.SLEEP, Act.NOTIFY_ALL: Act.SLEEP, Act.UP: Act.DOWN}
"""What each kind of release ends."""
RELEASING = frozenset(KEPT_WAITING)


class Joined(NamedTuple):
    """A join: by which role, at which step, and of which role's threads."""

    role: Role
    step: Step
    target: Role


def joins(analysis: Analysis) -> Iterator[Joined]:
    """All joins with the roles they wait for; threads that somebody may cancel are left out."""
    if any(True for _ in steps_of(analysis, Act.CANCEL)):
        return
    made = [(role, places(analysis, at.step)) for role in analysis.roles.threads for at in creations(analysis, role)]
    for at in steps_of(analysis, Act.JOIN):
        if at.step.index not in analysis.flow(at.role).alive():
            continue
        handle = places(analysis, at.step)
        targets = {role.name: role for role, kept in made if role.group == at.role.group and kept & handle}
        for target in targets.values():
            yield Joined(at.role, at.step, target)


def only_after(analysis: Analysis, joined: Joined, flags: Flags, ending: Ending) -> list[At]:
    """The stores to the target's flags that the joining role makes only once the join has returned."""
    flow = analysis.flow(joined.role)
    loops = set(joined.step.loops)
    surely = flow.reachable(flow.start, lambda one: one.index == joined.step.index or one.index in loops)

    def before(store: Step) -> bool:
        if store.index in surely:
            return True
        stops = {joined.step.index} | {loop for loop in loops if loop not in store.loops}
        return len(stops) <= len(loops) and store.index in flow.reachable(flow.start, lambda one: one.index in stops)

    return [
        at
        for location in ending.tested()
        for at in flags.stores(location)
        if at.role is joined.role and not before(at.step)
    ]


# ---------------------------------------------------------------------------------------------------------- stop flags
def stop_flags(analysis: Analysis, joined: Joined, flags: Flags) -> list[StopFlag]:
    """The flags that let the joined role go: without them it never ends, or sleeps on while they are not set."""
    known = flags.found.get(joined.target.name)
    if known is None:
        ending = Ending(analysis, joined.target, flags)
        known = flags.found[joined.target.name] = list(_stop_flags(ending, flags)) if ending.ends() else []
    return known


def _stop_flags(ending: Ending, flags: Flags) -> Iterator[StopFlag]:
    tested = sorted(location for location in ending.tested() if flags.stores(location))
    needed = _needed(ending, flags, tested)
    sleeping = _sleeping(ending)
    for location in tested:
        idle = sleeping.get(location, [])
        if location in needed:
            idle = idle + [step for step in _idle(ending, location) if step not in idle]
        if not idle:
            continue
        stores = flags.stores(location)
        good = {value for value in map(flags.value, stores) if value is not None}
        good = {value for value in good if _lets_go(ending, location, value, needed=location in needed)}
        letting_go = [at for at in stores if flags.value(at) in good]
        if letting_go:
            yield StopFlag(location, letting_go, idle, location in needed)


def _needed(ending: Ending, flags: Flags, locations: list[Location]) -> set[Location]:
    """The flags without whose stores the role never ends, found by halves (leaving out more never helps to end)."""
    if not locations or ending.ends([at for location in locations for at in flags.stores(location)]):
        return set()
    if len(locations) == 1:
        return set(locations)
    half = len(locations) // 2
    return _needed(ending, flags, locations[:half]) | _needed(ending, flags, locations[half:])


def _lets_go(ending: Ending, location: Location, value: int, *, needed: bool) -> bool:
    """May the role end with a value of the flag, and could it not with the opposite?"""
    if needed and not ending.ends(only=(location, frozenset({value}))):
        return False
    tests = [step for step in ending.flow.steps if step.loops and location in ending.tested_at(step)]
    return any(_decides(ending, step, location, value) for step in tests)


def _decides(ending: Ending, step: Step, location: Location, value: int) -> bool:
    """Does the value open a way out of the loop around a test that another value closes?"""
    flow = ending.flow
    loop = step.loops[-1]

    def outside(one: Step) -> bool:
        return one.index != loop and loop not in one.loops

    for edge in flow.next[step.index]:
        wanted = {"then": True, "other": False}.get(edge.kind)
        if wanted is None:
            continue
        leaving = outside(flow.steps[edge.to]) or loop not in flow.reachable(edge.to, outside) | {edge.to}
        if leaving and ending.may_turn(step, wanted, (location, frozenset({value}))):
            opposite = frozenset({0}) if value else frozenset({1})
            if not ending.may_turn(step, wanted, (location, opposite)) or len(ending.tested_at(step)) > 1:
                return True
    return False


def _sleeping(ending: Ending) -> dict[Location, list[Step]]:
    """The sleeps in a loop that goes on until a flag is set (or something else happens), by flag."""
    flow = ending.flow
    tests: dict[int, set[Location]] = {}
    for step in flow.steps:
        if step.what == "condition" and step.loops and flow.steps[step.loops[-1]].site == step.site:
            tests.setdefault(step.loops[-1], set()).update(ending.tested_at(step))
    found: dict[Location, list[Step]] = {}
    for step in flow.events(Act.SLEEP):
        if step.loops and step.target is not None:
            for location in tests.get(step.loops[-1], ()):
                found.setdefault(location, []).append(step)
    return found


def _idle(ending: Ending, location: Location) -> list[Step]:
    """The waits after which the role looks at the flag before it waits again."""
    flow = ending.flow
    alive = flow.alive()
    tests = {step.index for step in flow.steps if location in ending.tested_at(step)}
    found = []
    for step in flow.events(*IDLE):
        if not step.loops or step.target is None or step.index not in alive:
            continue
        after = flow.reachable(step.index, lambda one: one.act in IDLE or one.index in tests)
        if after & tests:
            found.append(step)
    return found


# ------------------------------------------------------------------------------------------------------------- release
def missed(analysis: Analysis, joined: Joined, flag: StopFlag, wait: Step, *, everyone: bool) -> At | None:
    """A store of the flag after which the wait is not released before the join (or the end of the storing role).

    With `everyone`, a release for one thread only is none where several threads may wait.
    """
    for at in flag.stores:
        if at.role is joined.target or _others_release(analysis, joined, at.role, wait):
            continue
        releases = releases_of(analysis, at.role, wait)
        if wait.act is Act.WAIT and not releases:
            continue  # no party of the barrier
        if everyone:
            releases = [step for step in releases if _for_everyone(step, wait, joined)]
        goal = joined.step.index if at.role is joined.role else analysis.flow(at.role).end
        if _gets_by(analysis, at, goal, releases):
            return at
    return None


def releases_of(analysis: Analysis, role: Role, wait: Step) -> list[Step]:
    """The steps by which a role releases a wait."""
    made = flags_of(analysis, role.group).releases
    if role.name not in made:
        made[role.name] = {}
        for step in analysis.flow(role).events(*RELEASING):
            if step.target is not None and step.act is not None:
                made[role.name].setdefault((KEPT_WAITING[step.act], step.target), []).append(step)
    return [] if wait.target is None or wait.act is None else made[role.name].get((wait.act, wait.target), [])


def _for_everyone(release: Step, wait: Step, joined: Joined) -> bool:
    if release.act not in {Act.NOTIFY, Act.UP} or of_its_own(wait):
        return True
    return any(loop not in joined.step.loops for loop in release.loops)


def of_its_own(step: Step) -> bool:
    """Does a step speak of an object that every thread has to itself (`&self->ready`)?"""
    expr = None if step.event is None else step.event.expression
    while isinstance(expr, Cast) or (isinstance(expr, Unary) and expr.operator == "&"):
        expr = expr.operand
    return expr is not None and step.owned is not None and step.owned.place(expr)


def _others_release(analysis: Analysis, joined: Joined, storing: Role, wait: Step) -> bool:
    """May somebody else release the wait: another role, or the threads one another on their way out?"""
    if wait.act is Act.WAIT:
        return False  # a barrier needs every party
    return any(
        releases_of(analysis, role, wait)
        for role in analysis.roles.all
        if role is not storing and role.group == joined.role.group
    )


def _gets_by(analysis: Analysis, at: At, goal: int, releases: list[Step]) -> bool:
    """Is there a way from the store to the goal without a release (one in the same critical section counts)?"""
    flow, store = analysis.flow(at.role), at.step
    stops = {step.index for step in releases}
    stops |= {loop for step in releases for loop in step.loops if loop not in store.loops}
    if store.index not in _leading_to(analysis, at.role, goal, frozenset(stops)):
        return False
    if not analysis.held(at.role).surely[store.index]:
        return True
    edges = LOCKS | {Act.UNLOCK}
    before = flow.reachable(store.index, lambda one: one.act in edges or one.index in stops, backwards=True)
    return not before & stops


def _leading_to(analysis: Analysis, role: Role, goal: int, stops: frozenset[int]) -> set[int]:
    """The steps from which a goal is reached without passing any of some steps."""
    kept = flags_of(analysis, role.group).leading
    key = (role.name, goal, stops)
    if key not in kept:
        kept[key] = analysis.flow(role).reachable(goal, lambda one: one.index in stops, backwards=True)
    return kept[key]


# --------------------------------------------------------------------------------------------------------- early exits
class Exit(NamedTuple):
    """A condition one side of which leaves without any of the closing steps, and where it does so (for a person)."""

    condition: Step
    first: Step
    to: int


def early_exits(flow: Flow, closing: set[int], *, also_after: bool = False) -> Iterator[Exit]:
    """The conditions by which a role may leave without (another) closing step, while it may go on to one as well.

    Unless `also_after` is given, no closing step may lie before the condition on every way to it.
    """
    open_steps = flow.alive()
    if not also_after:
        open_steps &= flow.reachable(flow.start, lambda one: one.index in closing) | {flow.start}
    ending = flow.reachable(flow.end, backwards=True) | {flow.end}
    still_closing = {index for step in closing for index in flow.reachable(step, backwards=True)} | closing
    for condition in flow.steps:
        if condition.what != "condition" or condition.index not in open_steps:
            continue
        sides = [edge.to for edge in flow.next[condition.index] if edge.kind != "failure"]
        if len(sides) != 2:
            continue
        for leaving, other in (sides, sides[::-1]):
            if leaving in ending and leaving not in still_closing and other in still_closing:
                yield Exit(condition, jump_of(flow, leaving, condition), leaving)


def jump_of(flow: Flow, start: int, condition: Step) -> Step:
    """The jump by which a side leaves, for a person to see."""
    reached = flow.reachable(start) | {start}
    jumps = [flow.steps[one] for one in sorted(reached) if flow.steps[one].leave is not None]
    return next((one for one in jumps if one.how == condition.how and one.index > condition.index), condition)
