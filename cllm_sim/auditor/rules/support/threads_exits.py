"""Whether a thread can come to its end, given the values that flags are ever given.

A condition on a flag can only come out as the values allow that anybody stores there; conditions on anything else can
come out either way. Rules of this file: sound for "never ends" as far as all writes are seen; a flag whose address is
handed out, or that is written with unknown values, allows everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Assign, Binary, Call, Cast, Expr, Function, InitialList, Member, Name, Number, Unary
from cllm_sim.auditor.flow import Edge, Step
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline.failure import CONSTANTS
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.threads import At
from cllm_sim.auditor.traverse import assigned_locals
from cllm_sim.auditor.vocabulary import KNOWN, WRITES, Act

DEPTH_MAX = 12
COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}

TURNED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
GIVES_UP = frozenset({Act.UNLOCK, Act.SLEEP, Act.TIMED_SLEEP, Act.WAIT, Act.DOWN, Act.JOIN})
STATES_MAX = 20_000

Values = frozenset[int] | None
"""The values a flag may have; None: any."""
Lookup = Callable[[Location], Values]
Hidden = frozenset[tuple[str, int]]
"""Stores that are left out, by role and step."""


class Fact(NamedTuple):
    """What a comparison of a flag with a number came out as, while a lock keeps others from changing it."""

    location: Location
    operator: str
    number: int
    outcome: bool

    def holds(self, value: int) -> bool:
        """Does it agree with a value of the flag?"""
        return COMPARISONS[self.operator](value, self.number) == self.outcome


Facts = frozenset[Fact]
NOTHING: Facts = frozenset()


def constant(analysis: Analysis, expr: Expr, function: Function) -> int | None:
    """The value of an expression that is fixed, true and false included."""
    while isinstance(expr, Cast):
        expr = expr.operand
    found = analysis.program.constant(expr, function, function.path)
    if found is None and isinstance(expr, Name) and expr.name in {"true", "false"}:
        return CONSTANTS[expr.name]
    return found


@dataclass(slots=True)
class StopFlag:
    """A flag without which a role never ends (`needed`) or sleeps on, the stores that let it go, and where it idles."""

    location: Location
    stores: list[At]
    idle: list[Step]
    needed: bool


@once
def _kept(_: Analysis) -> dict[str, Flags]:
    return {}


def flags_of(analysis: Analysis, group: str) -> Flags:
    """The flags of one program under audit, made once."""
    kept = _kept(analysis)
    if group not in kept:
        kept[group] = Flags(analysis, group)
    return kept[group]


@dataclass(slots=True)
class Flags:
    """All stores to one program's flags, by location, and what others found out about them.

    `found` are the stop flags by role, `releases` the steps that release a kind of wait at an object, by role,
    `leading` the steps that lead to a goal without passing some others.
    """

    analysis: Analysis
    group: str
    found: dict[str, list[StopFlag]] = field(default_factory=dict)
    releases: dict[str, dict[tuple[Act, Location], list[Step]]] = field(default_factory=dict)
    leading: dict[tuple[str, int, frozenset[int]], set[int]] = field(default_factory=dict)
    _stores: dict[Location, list[At]] | None = None
    _extra: dict[Location, Values] = field(default_factory=dict)
    _given: dict[Location, list[tuple[tuple[str, int], int | None]]] = field(default_factory=dict)
    _fixed: dict[int, tuple[Expr, int | None]] = field(default_factory=dict)

    def stores(self, location: Location) -> list[At]:
        """The steps that write a flag."""
        if self._stores is None:
            self._stores = {}
            for role in self.analysis.roles.all:
                if role.group != self.group:
                    continue
                for step in self.analysis.flow(role).events(*WRITES):
                    if step.target is not None:
                        self._stores.setdefault(step.target, []).append(At(role, step))
        return self._stores.get(location, [])

    def value(self, at: At) -> int | None:
        """What a store writes, where that is fixed."""
        event = at.step.event
        if event is None or event.value is None or event.operator not in {"", "="} or event.act is Act.CHANGE:
            return None
        return constant(self.analysis, event.value, at.step.function)

    def values(self, location: Location, hidden: Hidden = frozenset()) -> Values:
        """The values a flag may have when some stores are left out."""
        if location not in self._given:
            self._given[location] = [(_key(at), self.value(at)) for at in self.stores(location)]
        found: set[int] = set()
        for key, value in self._given[location]:
            if key in hidden:
                continue
            if value is None:
                return None
            found.add(value)
        initial = self._initial(location)
        if initial is None:
            return None
        return frozenset(found | initial) or frozenset({0})

    def fixed(self, expr: Expr, function: Function) -> int | None:
        """The value of an expression that is fixed, kept for the next time."""
        key = id(expr)  # the facts keep their expressions, so that an identity stays its own
        if key not in self._fixed:
            self._fixed[key] = (expr, constant(self.analysis, expr, function))
        return self._fixed[key][1]

    def _initial(self, location: Location) -> Values:
        """The values given by initial lists, which no step writes; any where the flag may be written unseen."""
        if location not in self._extra:
            self._extra[location] = self._find_initial(location)
        return self._extra[location]

    def _find_initial(self, location: Location) -> Values:
        known = self.analysis.inventory.memory.get(location) or self.analysis.inventory.objects.get(location)
        if known is None or known.type is None or known.type.pointers or known.type.arrays or location.is_contents:
            return None
        if any(use.passed for use in known.uses):
            return None
        written = [at.step.event.value for at in self.stores(location) if at.step.event is not None]
        found: set[int] = set()
        for value, function in self.analysis.program.assignments.get(location.label, []):
            if any(value is one or value == one for one in written) or isinstance(value, InitialList):
                continue
            if function.name and not self.analysis.roles.of(function):
                continue
            if isinstance(value, Assign | Unary) and not function.name:
                return None
            fixed = constant(self.analysis, value, function)
            if fixed is None and not isinstance(value, Assign | Unary):
                return None
            if fixed is not None:
                found.add(fixed)
        return frozenset(found)


def _key(at: At) -> tuple[str, int]:
    return at.role.name, at.step.index


class Ending:
    """One role's chances to end."""

    def __init__(self, analysis: Analysis, role: Role, flags: Flags) -> None:
        self.analysis = analysis
        self.role = role
        self.flow = analysis.flow(role)
        self.flags = flags
        self._tested: dict[int, frozenset[Location]] = {}

    def ends(self, left_out: Iterable[At] = (), only: tuple[Location, Values] | None = None) -> bool:
        """Can the role get to its end when some stores are left out (or one flag has only some values)?"""
        hidden: Hidden = frozenset(_key(at) for at in left_out)
        held = self.analysis.held(self.role).surely

        def values(location: Location) -> Values:
            if only is not None and location == only[0]:
                return only[1]
            return self.flags.values(location, hidden)

        start: tuple[int, Facts] = (self.flow.start, NOTHING)
        seen = {start}
        waiting = [start]
        while waiting:
            here, facts = waiting.pop()
            if here == self.flow.end or len(seen) > STATES_MAX:
                return True
            kept = self._after(self.flow.steps[here], facts) if held[here] else NOTHING
            for edge in self.flow.next[here]:
                if edge.kind == "failure":
                    continue
                for known in self._outcomes(self.flow.steps[here], edge, kept, values):
                    state = (edge.to, known if held[here] else NOTHING)
                    if state not in seen:
                        seen.add(state)
                        waiting.append(state)
        return False

    def tested(self) -> set[Location]:
        """The flags that the role's conditions test."""
        return {location for step in self.flow.steps for location in self.tested_at(step)}

    def tested_at(self, step: Step) -> frozenset[Location]:
        """The flags that a step's condition tests."""
        if step.index not in self._tested:
            self._tested[step.index] = frozenset() if step.condition is None else frozenset(self._find_tested(step))
        return self._tested[step.index]

    def _find_tested(self, step: Step) -> set[Location]:
        found: set[Location] = set()

        def note(location: Location) -> Values:
            found.add(location)
            return None

        for wanted in (True, False):
            self._possible(step.condition, wanted, step, NOTHING, note, 0)
        return found

    def may_turn(self, step: Step, wanted: bool, only: tuple[Location, Values]) -> bool:
        """May a condition come out as wanted where one flag has one of some values (and others any)?"""

        def values(location: Location) -> Values:
            return only[1] if location == only[0] else None

        return bool(self._possible(step.condition, wanted, step, NOTHING, values, 0))

    # ---------------------------------------------------------------------------------------------------- conditions
    def _outcomes(self, step: Step, edge: Edge, facts: Facts, values: Lookup) -> list[Facts]:
        """What is known behind an edge, for each way in which it can be taken; nothing if it cannot."""
        if step.what != "condition" or step.condition is None:
            return [facts]
        wanted = {"then": True, "other": False, "again": True}.get(edge.kind)
        return [facts] if wanted is None else self._possible(step.condition, wanted, step, facts, values, 0)

    def _after(self, step: Step, facts: Facts) -> Facts:
        """What is still known after a step: others may change everything while the lock is given up."""
        if step.event is None or not facts:
            return facts
        if step.act in GIVES_UP:
            return NOTHING
        if step.act in WRITES:
            return frozenset(fact for fact in facts if fact.location != step.target)
        return facts

    def _possible(
        self,
        expr: Expr | None,
        wanted: bool,
        step: Step,
        facts: Facts,
        values: Lookup,
        depth: int,
    ) -> list[Facts]:
        """The ways in which a condition may come out as wanted, each with what is then known."""
        if expr is None or depth > DEPTH_MAX:
            return [facts]

        def part(one: Expr, outcome: bool, known: Facts) -> list[Facts]:
            return self._possible(one, outcome, step, known, values, depth + 1)

        match expr:
            case Unary(operator="!", operand=operand):
                return part(operand, not wanted, facts)
            case Cast(operand=operand):
                return part(operand, wanted, facts)
            case Binary(operator="&&" | "||" as operator, left=left, right=right):
                decisive = operator == "||"  # the outcome of the left side that decides alone
                through = [known for first in part(left, not decisive, facts) for known in part(right, wanted, first)]
                return (part(left, decisive, facts) if wanted == decisive else []) + through
            case Binary(operator=operator, left=left, right=right) if operator in COMPARISONS:
                return self._comparison(operator, left, right, wanted, step, facts, values)
            case _:
                return self._comparison("!=", expr, Number(0, "0", 0), wanted, step, facts, values)

    def _comparison(
        self, operator: str, left: Expr, right: Expr, wanted: bool, step: Step, facts: Facts,
        values: Lookup,
    ) -> list[Facts]:  # fmt: skip
        for flag, other, turned in ((left, right, operator), (right, left, TURNED[operator])):
            fixed = self.flags.fixed(other, step.function)
            location = self._flag(flag, step, 0)
            if fixed is None or location is None:
                continue
            fact = Fact(location, turned, fixed, wanted)
            known = [one for one in facts if one.location == location]
            allowed = values(location)
            candidates = allowed if allowed is not None else _around([fact, *known])
            if any(all(one.holds(value) for one in (fact, *known)) for value in candidates):
                return [facts | {fact}]
            return []
        return [facts]

    def _flag(self, expr: Expr, step: Step, depth: int) -> Location | None:
        """The shared variable that an expression reads: directly, by an atomic load, or through a local copy of it."""
        if depth > DEPTH_MAX:
            return None
        match expr:
            case Cast(operand=operand):
                return self._flag(operand, step, depth + 1)
            case Call(function=Name(name=name), arguments=arguments) if name in KNOWN and KNOWN[name].act is Act.LOAD:
                return (
                    self._place(self.analysis.locations.pointed(arguments[0], step.function), step)
                    if arguments
                    else None
                )
            case Name(name=name):
                variable = self.analysis.program.variable(name, step.function, step.function.path)
                if variable is not None and variable.kind == "local" and not variable.static:
                    given = assigned_locals(step.function).get(name, [])
                    return self._flag(given[0], step, depth + 1) if len(given) == 1 else None
            case Member():
                pass
            case _:
                return None
        return self._place(self.analysis.locations.of(expr, step.function), step)

    def _place(self, location: Location | None, step: Step) -> Location | None:
        location = self.analysis.locations.bound(location, step.bindings)
        if location is None or location.kind not in {"member", "global"} or location.is_contents:
            return None
        return location


def _around(facts: list[Fact]) -> set[int]:
    """The numbers that can make a difference for some comparisons."""
    return {fact.number + away for fact in facts for away in (-1, 0, 1)}
