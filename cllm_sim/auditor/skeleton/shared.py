"""Which plain memory a skeleton shows: what several threads touch, somebody writes, and no lock surely guards.

Rules of this file: memory is left out only where it cannot race; what the threads' creation and one common lock order
is left out.
"""

from __future__ import annotations

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.inventory import SharedObject, Use
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.vocabulary import PLAIN, Act


class SharedData:
    """Answers about the plain memory of one program."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._steps: dict[int, list[Step]] = {}
        self._after: dict[str, set[int]] = {}
        for role in analysis.roles.all:
            flow = analysis.flow(role)
            for step in flow.events():
                self._steps.setdefault(id(step.event), []).append(step)
            if role.caller:
                created: set[int] = set()
                for step in flow.events(Act.CREATE):
                    created |= flow.reachable(step.index)
                self._after[role.name] = created
        self._roles = {role.name: role for role in analysis.roles.all}
        self._racy: dict[Location, bool] = {}

    def step(self, event: Event, how: tuple[Site, ...]) -> Step | None:
        """The step that an event is when reached by these calls (else by any)."""
        steps = self._steps.get(id(event), [])
        return next((step for step in steps if step.how == how), steps[0] if steps else None)

    def racy(self, location: Location) -> bool:
        """May accesses of this memory conflict at all?"""
        if location not in self._racy:
            one = self.analysis.inventory.memory.get(location)
            self._racy[location] = one is not None and self._judge(one)
        return self._racy[location]

    def known(self, location: Location) -> bool:
        """Does the inventory know this memory?"""
        return location in self.analysis.inventory.memory

    def before_threads(self, role: str, step: Step | None) -> bool:
        """Is this a step of the main thread before it makes any other?"""
        return step is not None and role in self._after and step.index not in self._after[role]

    def _judge(self, one: SharedObject) -> bool:
        uses = [use for use in one.uses if use.act in PLAIN and not self._early(use)]
        if not any(use.act is Act.WRITE for use in uses):
            return False
        names = {use.role for use in uses}
        several = len(names) > 1 or any(
            self._roles[name].many and any(not use.own for use in uses if use.role == name) for name in names
        )
        return several and not self._guarded(uses)

    def _early(self, use: Use) -> bool:
        return use.role in self._after and use.step is not None and use.step not in self._after[use.role]

    def _guarded(self, uses: list[Use]) -> bool:
        """Is one lock held at every use? A lock that each thread has to itself guards only memory that it has, too."""
        common: set[Location] | None = None
        for use in uses:
            if use.step is None:
                return False
            role = self._roles[use.role]
            held = self.analysis.held(role).surely[use.step]
            flow = self.analysis.flow(role)
            locks = {one.lock for one in held if not one.shared and (use.own or not flow.steps[one.taken].own)}
            common = locks if common is None else common & locks
            if not common:
                return False
        return bool(common)
