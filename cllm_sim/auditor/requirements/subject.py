"""What the judges ask of a program: its findings by code, and who among its threads works, coordinates, waits.

Rules of this file: nothing is judged here. One program is judged: where the sources hold several mains, the one with
the most thread roles. Roles are told apart by what they reach; a name only ever proposes through `purposes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Call, Function, Name, Site
from cllm_sim.auditor.findings import Finding
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.inventory import SharedObject
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.traverse import calls
from cllm_sim.auditor.vocabulary import ATOMIC, BLOCKS, PLAIN, WRITES, Act, Kind

COORDINATES = ("distribute", "accumulate", "update")
WAITS = BLOCKS - {Act.LOCK, Act.LOCK_SHARED} | {Act.TIMED_SLEEP}
IDLE = PLAIN | {Act.LOAD, Act.PAUSE, Act.LOCK, Act.UNLOCK} | WAITS


class Subject:
    """One program under judgement."""

    def __init__(self, analysis: Analysis, findings: Sequence[Finding] = ()) -> None:
        self.analysis = analysis
        self.program = analysis.program
        self.findings = tuple(findings)

    # ------------------------------------------------------------------------------------------------------ findings
    def found(self, *codes: str) -> list[Finding]:
        """The findings of these codes."""
        return [finding for finding in self.findings if finding.code in codes]

    def found_about(self, locations: Iterable[Location], *codes: str) -> list[Finding]:
        """The findings of these codes whose subject is one of these pieces of memory."""
        labels = {one.holder.label for one in locations}
        return [one for one in self.found(*codes) if one.subject.removesuffix("[]") in labels]

    # --------------------------------------------------------------------------------------------------------- roles
    @cached_property
    def group(self) -> str:
        """The program that is judged: the one with most thread roles."""
        counted: dict[str, int] = {}
        for role in self.analysis.roles.all:
            counted[role.group] = counted.get(role.group, 0) + (not role.caller)
        return max(counted, key=lambda one: (counted[one], one), default="")

    @cached_property
    def roles(self) -> list[Role]:
        """The roles of the program that is judged, without those that are never started."""
        return [role for role in self.analysis.roles.all if role.group == self.group]

    @cached_property
    def threads(self) -> list[Role]:
        """The roles of created threads."""
        return [role for role in self.roles if not role.caller]

    @cached_property
    def callers(self) -> list[Role]:
        """The program's own threads."""
        return [role for role in self.roles if role.caller]

    @cached_property
    def _working(self) -> list[Role]:
        return [role for role in self.threads if self.reaches(role, "work")]

    @cached_property
    def workers(self) -> list[Role]:
        """The created threads that process batches; a single one that coordinates more than the others is none."""
        least = min((self._points(role) for role in self._working), default=0)
        return [role for role in self._working if role.many or self._points(role) == least]

    @cached_property
    def director(self) -> Role | None:
        """The role that does the control's work: distributes, accumulates, updates, starts and awaits the workers."""
        others = [role for role in self.roles if role not in self.workers]
        ranked = sorted(others, key=lambda role: (-self._points(role), role.caller))
        return ranked[0] if ranked and self._points(ranked[0]) > 0 else None

    @cached_property
    def control(self) -> Role | None:
        """The dedicated control: a single created thread that coordinates."""
        found = self.director
        return None if found is None or found.caller or found.many else found

    @cached_property
    def parked(self) -> list[Role]:
        """Single created threads that do nothing but wait, sleep or spin, and coordinate nothing."""
        return [role for role in self.threads if role not in self._working and not role.many and self._is_idle(role)]

    def _is_idle(self, role: Role) -> bool:
        if self._points(role) or self.flow(role).truncated:
            return False
        seen = [step for step in self.flow(role).events() if step.act is not None and step.act is not Act.CALL]
        return bool(seen) and all(step.act in IDLE for step in seen)

    def _points(self, role: Role) -> int:
        points = 2 * sum(bool(self.doing(role, purpose)) for purpose in COORDINATES)
        return points + any(one.creator == role.name for other in self._working for one in other.created)

    def created_by(self, role: Role) -> list[Role]:
        """The roles whose threads a role starts."""
        return [one for one in self.threads if any(created.creator == role.name for created in one.created)]

    def is_many(self, role: Role) -> bool:
        """May several threads of this role run at a time?"""
        return role.many

    # --------------------------------------------------------------------------------------------------------- steps
    def flow(self, role: Role) -> Flow:
        """The flow of a role."""
        return self.analysis.flow(role)

    @property
    def truncated(self) -> bool:
        """Was the flow of some role cut off, so that nothing may be concluded from absence?"""
        return any(self.flow(role).truncated for role in self.roles)

    def reaches(self, role: Role, purpose: str) -> list[Function]:
        """The functions of a purpose that a role reaches."""
        keys = self.analysis.purposes.of(purpose)
        return [role.reach[key].function for key in role.reach if key in keys]

    def doing(self, role: Role, purpose: str) -> list[Step]:
        """The outermost steps of a role that call a function of a purpose."""
        found = self.calling(role, self.analysis.purposes.of(purpose))
        if not found and purpose == "update":
            found = self._weights_written(role)
        inside = {(*step.how, step.site) for step in found}
        return [step for step in found if not any(step.how[: len(one)] == one for one in inside)]

    def calling(self, role: Role, keys: set[Key]) -> list[Step]:
        """The steps of a role that call one of these functions, within the training (a caller's only between the
        start of the threads and their end)."""
        if not keys & role.reach.keys():
            return []
        return [
            step
            for step in self.training_steps(role)
            if step.event is not None and any(function_key(callee) in keys for callee in step.event.callees)
        ]

    def training_steps(self, role: Role) -> list[Step]:
        """The steps of a role while threads run: all of a created one's, a caller's from the first creation on."""
        key = role.name
        if key not in self._windows:
            self._windows[key] = self._window(role)
        return self._windows[key]

    @cached_property
    def _windows(self) -> dict[str, list[Step]]:
        return {}

    def _window(self, role: Role) -> list[Step]:
        flow = self.flow(role)
        if not role.caller:
            inside = flow.alive()
        else:
            inside = set().union(*(flow.reachable(step.index) for step in flow.events(Act.CREATE)))
            ends = [step for step in flow.events(Act.JOIN) if step.index in inside]
            if ends:
                inside &= set().union(*(flow.reachable(step.index, backwards=True) for step in ends))
        return [step for step in flow.steps if step.index in inside]

    def within(self, role: Role, purpose: str) -> list[Step]:
        """The steps of a role inside its calls of a purpose's functions."""
        heads = {(*step.how, step.site) for step in self.doing(role, purpose)}
        return [step for step in self.training_steps(role) if any(step.how[: len(one)] == one for one in heads)]

    def waits(self, role: Role) -> list[Step]:
        """The steps at which a role waits for others (locks left out)."""
        return [step for step in self.training_steps(role) if step.act in WAITS]

    def accesses(self, role: Role, *, write: bool) -> Iterator[tuple[Location, Step]]:
        """The named shared memory that a role reads or writes while threads run."""
        acts = WRITES if write else PLAIN | ATOMIC - {Act.STORE} - {Act.WRITE}
        for step in self.training_steps(role):
            if step.act in acts and step.target is not None and step.target.kind in {"member", "global"}:
                yield step.target, step

    @cached_property
    def worker_written(self) -> dict[Location, list[Step]]:
        """The memory that workers write, with the steps."""
        return self._written(self.workers)

    def _written(self, roles: Iterable[Role]) -> dict[Location, list[Step]]:
        found: dict[Location, list[Step]] = {}
        for role in roles:
            for location, step in self.accesses(role, write=True):
                found.setdefault(location, []).append(step)
        return found

    def _weights_written(self, role: Role) -> list[Step]:
        """Where no function is known as the update: the writes of what workers read during work and never write."""
        if role in self._working:
            return []
        written = {location for worker in self._working for location, _ in self.accesses(worker, write=True)}
        return [
            step
            for location, step in self.accesses(role, write=True)
            if location.is_contents and location in self._read_in_work and location not in written
        ]

    @cached_property
    def _read_in_work(self) -> set[Location]:
        found = set()
        for worker in self._working:
            inside = {step.index for step in self.within(worker, "work")}
            found |= {place for place, step in self.accesses(worker, write=False) if step.index in inside}
        return found

    # ------------------------------------------------------------------------------------------------------ barriers
    @cached_property
    def barriers(self) -> list[SharedObject]:
        """All barriers that are declared or used."""
        return self.analysis.inventory.of(Kind.BARRIER)

    def crossings(self, role: Role, barrier: SharedObject) -> list[Step]:
        """The steps at which a role waits at a barrier."""
        return [step for step in self.training_steps(role) if step.act is Act.WAIT and step.target == barrier.location]

    # -------------------------------------------------------------------------------------------------------- places
    def frames(self, role: Role, step: Step) -> list[tuple[Function, Site]]:
        """The functions around a step with the place in each, outermost first; its own function comes last."""
        if role.name not in self._frames:
            flow = self.flow(role)
            self._frames[role.name] = {(one.how, one.site): one.function for one in flow.events(Act.CALL)}
        known = self._frames[role.name]
        found = []
        for depth, site in enumerate(step.how):
            function = known.get((step.how[:depth], site))
            if function is not None:
                found.append((function, site))
        return [*found, (step.function, step.site)]

    def place(self, step: Step) -> Site:
        """Where a role names the object of a step: the step itself, or the call of a wrapper that was passed it."""
        raw = next(
            (one for one in self.events_of(step.function) if one.site == step.site and one.act is step.act), None
        )
        if raw is None or raw.target is None or raw.target.kind != "parameter":
            return step.site
        name, here = raw.target.holder.name, step.function
        flow_how = step.how
        while flow_how:
            site = flow_how[-1]
            caller = self._calling_at(flow_how)
            position = next((n for n, one in enumerate(here.parameters) if one.name == name), None)
            if caller is None or position is None:
                return site
            call = next((one.call for one in self.events_of(caller) if one.site == site and here in one.callees), None)
            passed = None if call is None or position >= len(call.arguments) else call.arguments[position]
            if not isinstance(passed, Name) or passed.name not in {one.name for one in caller.parameters}:
                return site
            name, here, flow_how = passed.name, caller, flow_how[:-1]
        return step.site

    def _calling_at(self, how: tuple[Site, ...]) -> Function | None:
        for function in self.program.functions:
            if function.path == how[-1].path and function.line <= how[-1].line <= function.line_end:
                return function
        return None

    @cached_property
    def _frames(self) -> dict[str, dict[tuple[tuple[Site, ...], Site], Function]]:
        return {}

    def events_of(self, function: Function) -> list[Event]:
        """The events of a function in the order of its text."""
        return [one.event for one in self.analysis.roles.placed(function)]

    def reached(self, *roles: Role) -> list[Function]:
        """The functions that any of these roles reaches, each once."""
        found: dict[Key, Function] = {}
        for role in roles:
            for key, reach in role.reach.items():
                found.setdefault(key, reach.function)
        return list(found.values())

    def calls_named(self, names: frozenset[str], *roles: Role) -> list[tuple[Call, Function]]:
        """The calls of library functions by name in what these roles reach."""
        return [
            (call, function)
            for function in self.reached(*roles)
            for call in calls(function.body)
            if isinstance(call.function, Name) and call.function.name in names
        ]


def site_of(function: Function) -> Site:
    """Where a function is defined."""
    return Site(function.path, function.line)


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    found = list(dict.fromkeys(names))
    return f"{', '.join(found[:-1])} and {found[-1]}" if len(found) > 1 else "".join(found)
