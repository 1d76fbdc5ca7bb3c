"""In which order locks are taken: every lock that is taken while another is held.

Locks are told apart by place where all places of a location are known (two global accounts), and by location otherwise.
Rules of this file: only locks that are surely held, and only takings that wait (no try-lock), make an order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.flow import Step
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.locks import TAKES, place_of, taken
from cllm_sim.auditor.rules.support.locks_places import Place
from cllm_sim.auditor.vocabulary import LOCKS, Act


@dataclass(frozen=True, slots=True)
class Pair:
    """One role holds `first` (taken at `outer`) while it takes `second` (at `inner`). `gates`: what else it holds."""

    first: str
    second: str
    role: Role
    outer: Step
    inner: Step
    gates: frozenset[Location]
    first_shared: bool

    @property
    def second_shared(self) -> bool:
        """Is the second lock taken for reading only?"""
        return self.inner.act is Act.LOCK_SHARED


class LockOrder:
    """All pairs of one program."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._places: dict[tuple[str, int], Place] = {}
        self._vague: set[Location] = set()
        for role in analysis.roles.all:
            for step in analysis.flow(role).events(*TAKES):
                place = self._places[role.name, step.index] = place_of(analysis, role, step)
                if step.target is not None and not rooted(place):
                    self._vague.add(step.target)
        self.pairs = list(self._pairs())

    def name(self, role: Role, step: Step) -> str:
        """What a lock is called: its place where that tells it from all others of its type."""
        assert step.target is not None
        return step.target.label if step.target in self._vague else self._places[role.name, step.index].text

    def place(self, role: Role, step: Step) -> Place:
        """The place of a lock that is taken at a step."""
        return self._places[role.name, step.index]

    def _pairs(self) -> Iterator[Pair]:
        for role in self.analysis.roles.all:
            held = self.analysis.held(role).surely
            for inner in self.analysis.flow(role).events(*LOCKS):
                if inner.target is None or inner.target.kind == "parameter":
                    continue
                for one in sorted(held[inner.index], key=lambda one: one.taken):
                    outer = taken(self.analysis, role, one)
                    others = frozenset(held.lock for held in held[inner.index]) - {one.lock, inner.target}
                    first, second = self.name(role, outer), self.name(role, inner)
                    yield Pair(first, second, role, outer, inner, others, one.shared)


def rooted(place: Place) -> bool:
    """Is a place known down to one global object?"""
    return place.stable and not place.names and "->" not in place.text and "?" not in place.text
