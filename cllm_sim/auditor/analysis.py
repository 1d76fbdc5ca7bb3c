"""Everything known about one program: what rules, requirements and reports ask.

Made once per audit; the dear parts (flows, locks held, the check of the skeleton) are made on first use and kept. Rules
of this file: it gathers, it judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cllm_sim.auditor.facts import FileFacts, Function, Site
from cllm_sim.auditor.flow import Flow, HeldLocks, Inliner, Step, held_locks
from cllm_sim.auditor.inventory import Inventory, take_inventory
from cllm_sim.auditor.outline import Outliner
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.purposes import Purposes, find_purposes
from cllm_sim.auditor.relevance import LEVELS, relevant_functions
from cllm_sim.auditor.roles import Role, Roles, function_key

if TYPE_CHECKING:
    from cllm_sim.auditor.oracle import Oracle

STEPS_MAX = 6_000
"""Steps of a role's flow; a larger one is made again, entering less."""

STEPS_BEGUN = 1_500
"""Steps of a flow that is too large at every level: its beginning."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user said beside the paths. `bind` maps a purpose (work, accumulate, ...) to function names."""

    bind: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    oracle_seconds: float = 20.0
    oracle_states: int = 150_000


class Analysis:
    """One program under audit."""

    def __init__(self, files: Sequence[FileFacts], options: Options | None = None) -> None:
        self.options = options or Options()
        self.program = Program(files)
        self.outliner = Outliner(self.program)
        self.locations = self.outliner.locations
        self.callables = self.outliner.callables
        self.roles = Roles(self.program, self.outliner)
        self.purposes: Purposes = find_purposes(self.program, self.roles, self.options.bind)
        self._flows: dict[str, Flow] = {}
        self._inliners: dict[tuple[int, int], Inliner] = {}
        self._held: dict[str, HeldLocks] = {}
        self.kept: dict[object, Any] = {}  # see kept.py

    def flow(self, role: Role) -> Flow:
        """The flow of a role, calls inlined: all of them, or as many as the limit of steps allows (see `relevance`)."""
        if role.name not in self._flows:
            for level in range(LEVELS):
                flow = self._inliner(level).flow(role)
                flow.level = level
                if not flow.truncated:
                    break
            else:  # too large at every level: a beginning, for what needs no absence
                flow = self._inliner(LEVELS - 1, STEPS_BEGUN).flow(role)
                flow.level = LEVELS - 1
            self._flows[role.name] = flow
        return self._flows[role.name]

    @property
    def inliner(self) -> Inliner:
        """What makes the flows, entering everything."""
        return self._inliner(0)

    def _inliner(self, level: int, steps_max: int = STEPS_MAX) -> Inliner:
        key = level, steps_max
        if key not in self._inliners:
            relevant = relevant_functions(self.outliner, self.roles, self.purposes, level)
            self._inliners[key] = Inliner(self.outliner, relevant, steps_max)
        return self._inliners[key]

    def held(self, role: Role) -> HeldLocks:
        """The locks held before every step of a role's flow."""
        if role.name not in self._held:
            self._held[role.name] = held_locks(self.flow(role))
        return self._held[role.name]

    @cached_property
    def inventory(self) -> Inventory:
        """All shared objects with their declarations, uses and parties."""
        return take_inventory(self)

    @cached_property
    def oracle(self) -> Oracle:
        """The checker's answers about the extracted skeleton (made within the limits of the options)."""
        from cllm_sim.auditor.oracle import Oracle

        return Oracle(self)

    def is_work(self, function: Function) -> bool:
        """Is this function batch processing?"""
        return function_key(function) in self.purposes.work

    def working_steps(self, role: Role) -> list[Step]:
        """The steps of a role that call batch processing."""
        return [
            step
            for step in self.flow(role).events()
            if step.event is not None and any(self.is_work(callee) for callee in step.event.callees)
        ]

    def path_to(self, role: Role, function: Function) -> tuple[Site, ...]:
        """How a role gets to a function: call sites, outermost first."""
        reach = role.reach.get(function_key(function))
        return () if reach is None else reach.how
