"""The accesses of plain memory that matter for races: by whom, whose memory, under which locks and conditions.

Rules of this file: accesses reached only after a failed call are left out, and so is memory that a thread has to itself
or was handed; what a thread reaches through the argument of its creation is named as its creator names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Binary, Call, Cast, Expr, Member, Name, Unary
from cllm_sim.auditor.flow import Flow, Held, Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline.expand import Expander
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.rules.support.races_sharing import Sharing, Sharings
from cllm_sim.auditor.rules.support.semaphores import never_taken
from cllm_sim.auditor.traverse import assigned_locals, names
from cllm_sim.auditor.vocabulary import Act

SERIAL = "PTHREAD_BARRIER_SERIAL_THREAD"
PER_LOCATION_MAX = 90


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """One access. `given`: the memory was reached through the argument of the thread's creation.

    `alone` are the conditions around it that hold for one thread of the role only (`id == 0`).
    """

    role: Role
    step: Step
    write: bool
    sharing: Sharing
    held: frozenset[Held]
    alone: frozenset[str] = frozenset()
    given: bool = False
    passed: bool = False


class Accesses:
    """All accesses of one program, by location."""

    def __init__(self, analysis: Analysis, sharings: Sharings) -> None:
        self.analysis = analysis
        self.sharings = sharings
        self.by_location: dict[Location, list[Access]] = {}
        for role in analysis.roles.all:
            self._collect(role)

    def _collect(self, role: Role) -> None:
        flow = self.analysis.flow(role)
        alive = flow.alive()
        alone = alone_conditions(self.analysis, flow)
        held = self.analysis.held(role).surely
        never = never_taken(self.analysis).get(role.name, frozenset())
        for step in flow.events(Act.READ, Act.WRITE):
            assert step.event is not None
            if step.index not in alive or step.index in never or step.target is None:
                continue
            for target, given in self._targets(role, step):
                sharing = Sharing.SHARED if given else self.sharings.of(role, step)
                if sharing in {Sharing.PASSED, Sharing.PRIVATE}:
                    continue
                guards = frozenset(text for text, inside in alone.items() if step.index in inside)
                access = Access(
                    role, step, step.act is Act.WRITE, sharing, held[step.index], guards, given, step.event.passed
                )
                self.by_location.setdefault(target, []).append(access)

    def _targets(self, role: Role, step: Step) -> Iterator[tuple[Location, bool]]:
        """The location of an access; memory behind the entry's parameter is what the creations passed."""
        target = step.target
        assert target is not None
        if target.kind != "parameter":
            yield target, False
            return
        if step.own or not target.is_contents:
            return
        for entry in role.entries:
            if function_key(entry) != _owner_key(self.analysis, target):
                continue
            for creation in role.created:
                if creation.event.argument is not None and entry.parameters[0].name == target.holder.name:
                    found = self.analysis.locations.pointed(creation.event.argument, creation.function)
                    if found is not None:
                        yield found, True

    def of(self, location: Location) -> list[Access]:
        """The accesses of a location, those that say the same only once, and not more than are worth comparing."""
        kept: dict[object, Access] = {}
        for one in self.by_location.get(location, ()):
            locks = frozenset((lock.lock, lock.shared) for lock in one.held)
            key = (one.role.name, one.step.site, one.step.how, one.write, locks, one.alone)
            kept.setdefault(key, one)
        found = sorted(kept.values(), key=lambda one: not one.write)
        return found[:PER_LOCATION_MAX]


def spelled_out(analysis: Analysis, step: Step) -> Expr | None:
    """The condition of a step with its macros opened."""
    if step.condition is None:
        return None
    return Expander(analysis.program, step.function).rewrite(step.condition)


def _owner_key(analysis: Analysis, target: Location) -> tuple[str, int] | None:
    for function in analysis.program.lookup(target.owner, target.path):
        return function_key(function)
    return None


# ------------------------------------------------------------------------------------------------------------- alone
def alone_conditions(analysis: Analysis, flow: Flow) -> dict[str, set[int]]:
    """The steps that only one thread of a role takes, by the condition that says so."""
    found: dict[str, set[int]] = {}
    for step in flow.steps:
        if step.what != "condition" or step.condition is None:
            continue
        side = _side_of_one(analysis, step.condition, step)
        if side is None:
            continue
        inside = _only_through(flow, step.index, side)
        text = f"{analysis.program.text(step.condition)} {side}"
        found[text] = found.get(text, set()) | inside
    return found


def _side_of_one(analysis: Analysis, condition: Expr, step: Step) -> str | None:
    """The side of a condition that one thread takes only: `id == 0`, `!id`, `wait() == SERIAL`."""
    match condition:
        case Binary(operator="==" | "!=" as operator, left=left, right=right):
            if SERIAL in names(left) | names(right) or _one_number(analysis, left, right, step):
                return "then" if operator == "==" else "other"
        case Binary(operator="&&", left=left, right=right):
            if "then" in {_side_of_one(analysis, left, step), _side_of_one(analysis, right, step)}:
                return "then"
        case Unary(operator="!", operand=operand):
            if step.owned is not None and step.owned.value(operand):
                return "then"
        case _:
            pass
    return None


def _one_number(analysis: Analysis, left: Expr, right: Expr, step: Step) -> bool:
    """Is one side a number that every thread has another of, and the other the same for all?"""
    if step.owned is None or step.owned.value(left) == step.owned.value(right):
        return False
    own = left if step.owned.value(left) else right
    return _differs(analysis, own, step, 0)


def _differs(analysis: Analysis, expr: Expr, step: Step, depth: int) -> bool:
    """Is an own value another one in every thread (its number), or only its own (a state)?"""
    assert step.owned is not None
    match expr:
        case _ if depth > 8:
            return False
        case Cast(operand=operand) | Unary(operator="*", operand=operand):
            return _differs(analysis, operand, step, depth + 1)
        case Name(name=name):
            given = assigned_locals(step.function).get(name, [])
            return name in step.owned.names and all(_differs(analysis, one, step, depth + 1) for one in given)
        case Member():
            location = analysis.locations.of(expr, step.function)
            values = [] if location is None else analysis.program.assignments.get(location.label, [])
            constants = [analysis.program.constant(one, owner, owner.path) for one, owner in values]
            return bool(values) and all(one is None for one in constants)
        case Call():
            return step.owned.value(expr)
        case _:
            return False


def _only_through(flow: Flow, condition: int, side: str) -> set[int]:
    """The steps that no way reaches but through one side of a condition."""
    seen = {flow.start}
    waiting = [flow.start]
    while waiting:
        here = waiting.pop()
        for edge in flow.next[here]:
            if edge.to in seen or edge.kind == "failure" or (here == condition and edge.kind == side):
                continue
            seen.add(edge.to)
            waiting.append(edge.to)
    return flow.alive() - seen
