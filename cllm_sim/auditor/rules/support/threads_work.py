"""Who does batch processing, and when: while other threads of the work run, or on a way of its own.

Rules of this file: "meanwhile" is between a creation and the join; a loop of joins counts as a join even where it might
have no round. Ways that only a failure opens are asked for by name.
"""

from __future__ import annotations

from dataclasses import dataclass

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Call, Name, Site
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.roles import Role, function_key
from cllm_sim.auditor.traverse import assigned_locals, within
from cllm_sim.auditor.vocabulary import Act


@dataclass(slots=True)
class Doing:
    """A role with its steps that call batch processing."""

    role: Role
    steps: list[Step]


def doing_work(analysis: Analysis) -> list[Doing]:
    """The roles that reach batch processing."""
    found = [Doing(role, analysis.working_steps(role)) for role in analysis.roles.all]
    return [one for one in found if one.steps]


def work_name(step: Step) -> str:
    """What the step calls."""
    return "" if step.event is None else step.event.name


class Threads:
    """Creations and joins in one role's flow: of the threads of some roles, and of those that make such threads."""

    def __init__(self, analysis: Analysis, role: Role, workers: list[Role]) -> None:
        self.flow: Flow = analysis.flow(role)
        entries = {function_key(entry) for worker in _leading_to(analysis, workers) for entry in worker.entries}
        self.made = [
            step
            for step in self.flow.events(Act.CREATE)
            if step.event is not None and any(function_key(entry) in entries for entry in step.event.entries)
        ]
        self.joined = list(self.flow.events(Act.JOIN))
        making = {loop for step in self.made for loop in step.loops}
        self._ends = {step.index for step in self.joined}
        self._ends |= {loop for step in self.joined for loop in step.loops if loop not in making}
        self._begins = {step.loops[-1] if step.loops else step.index for step in self.made}

    def meanwhile(self, step: Step) -> bool:
        """Is a step taken while threads made before it may run?"""
        return any(
            step.index in self.flow.reachable(made.index, lambda one: one.index in self._ends) for made in self.made
        )

    def without(self, step: Step) -> bool:
        """Is there a way to a step on which no thread is made?"""
        begins = self._begins - set(step.loops)
        begins |= {made.index for made in self.made}
        return step.index in self.flow.reachable(self.flow.start, lambda one: one.index in begins, failures=True)

    def avoidable(self, step: Step) -> bool:
        """Is there a way through the whole role that leaves a step out?"""
        return self.flow.end in self.flow.reachable(self.flow.start, lambda one: one.index == step.index)

    def after_failure(self, step: Step) -> bool:
        """Is a step reached only after a failure, or by a test of what the threaded way returned?"""
        if step.index not in self.flow.alive():
            return True
        return any(
            step.index in self._decided(condition) and self._tests_threads(condition)
            for condition in self.flow.steps
            if condition.what == "condition"
        )

    def _decided(self, condition: Step) -> set[int]:
        """The steps that only one side of a condition leads to."""
        sides = [
            self.flow.reachable(edge.to, lambda one: one.index == condition.index, failures=True) | {edge.to}
            for edge in self.flow.next[condition.index]
        ]
        return {index for side in sides for index in side if not all(index in other for other in sides)}

    def _tests_threads(self, condition: Step) -> bool:
        """Does a condition test the result of a call that makes the threads?"""
        if condition.condition is None:
            return False
        given = assigned_locals(condition.function)
        tested = [one for one in within(condition.condition) if isinstance(one, Call)]
        for one in within(condition.condition):
            if isinstance(one, Name):
                tested += [value for value in given.get(one.name, ()) if isinstance(value, Call)]
        sites = {
            step.site
            for step in self.flow.events(Act.CALL)
            if step.event is not None and step.event.call in tested and step.how == condition.how
        }
        depth = len(condition.how)
        return any(len(made.how) > depth and made.how[depth] in sites for made in self.made)


def _leading_to(analysis: Analysis, workers: list[Role]) -> list[Role]:
    """The roles, and all roles that create them, directly or not."""
    names = {worker.name for worker in workers}
    for _ in analysis.roles.all:
        more = {one.creator for role in analysis.roles.threads if role.name in names for one in role.created}
        if more <= names:
            break
        names |= more
    return [role for role in analysis.roles.threads if role.name in names]


def parting(step: Step, others: list[Step]) -> Site:
    """The call at which the way to a step parts from the ways to the others."""
    common = max((_common(step.how, other.how) for other in others), default=0)
    return step.how[common] if common < len(step.how) else step.site


def _common(one: tuple[Site, ...], other: tuple[Site, ...]) -> int:
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count
