"""Ways of a role between two points, and how often it waits at a barrier on them.

Rules of this file: failure edges are left out, and so are ways that end the process. "Where two ways meet again" is the
immediate post-dominator; a role that never ends leaves by its loops.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import networkx

from cllm_sim.auditor.flow import Flow, Step

EXIT = -1
MANY = 1_000_000
"""Stands for "any number": the way goes round a loop that waits."""


class Waits(NamedTuple):
    """The least and the greatest number of waits on the ways from one point to another."""

    least: int
    most: int


class Ways:
    """The ways of one flow."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.graph: networkx.DiGraph[int] = networkx.DiGraph()
        alive = flow.alive()
        for index in sorted(alive):
            self.graph.add_node(index)
            for edge in flow.next[index]:
                if edge.kind != "failure":
                    self.graph.add_edge(index, edge.to)
        self.graph.add_node(EXIT)
        if flow.end in alive:
            self.graph.add_edge(flow.end, EXIT)
        self._open_loops()
        backwards = self.graph.reverse(copy=False)
        self._meeting: dict[int, int] = dict(networkx.immediate_dominators(backwards, EXIT))

    def _open_loops(self) -> None:
        """Loops that never end are given a way out, so that every step lies on a way to the exit."""
        leaving: set[int] = set(networkx.ancestors(self.graph, EXIT))
        for step in self.flow.steps:
            if step.what == "loop" and step.index in self.graph and step.index not in leaving:
                self.graph.add_edge(step.index, EXIT)
                leaving |= networkx.ancestors(self.graph, step.index) | {step.index}

    def meeting(self, index: int) -> int | None:
        """Where all ways from a step meet again; None where the step only leads to the end of the process."""
        found = self._meeting.get(index)
        return None if found is None or found == index else found

    def sides(self, condition: Step) -> list[int]:
        """The first step on each way from a condition."""
        tos = [edge.to for edge in self.flow.next[condition.index] if edge.kind != "failure"]
        return [to for to in dict.fromkeys(tos) if to in self._meeting]

    def region(self, start: int, stop: int) -> set[int]:
        """The steps on the ways from one point to another (the second left out)."""
        if start == stop:
            return set()
        seen = {start}
        waiting = [start]
        while waiting:
            for to in self.graph.successors(waiting.pop()):
                if to != stop and to not in seen and to in self._meeting:
                    seen.add(to)
                    waiting.append(to)
        return seen - {EXIT}

    def waits(self, start: int, stop: int, targets: set[int]) -> Waits:
        """How often the ways from one point to another take one of the steps `targets`."""
        if start == stop:
            return Waits(0, 0)
        region = self.region(start, stop)
        if not region & targets:
            return Waits(0, 0)
        inside = self.graph.subgraph(region)
        return Waits(self._least(start, stop, targets), self._most(inside, start, targets))

    def _least(self, start: int, stop: int, targets: set[int]) -> int:
        costs = {start: int(start in targets)}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for to in self.graph.successors(here):
                cost = costs[here] + (to in targets and to != stop)
                if cost < costs.get(to, MANY):
                    costs[to] = cost
                    if to != stop:
                        queue.append(to)
        return costs.get(stop, MANY)

    @staticmethod
    def _most(inside: networkx.DiGraph[int], start: int, targets: set[int]) -> int:
        whole = networkx.condensation(inside)
        best: dict[int, int] = {}
        for part in networkx.topological_sort(whole):
            members = whole.nodes[part]["members"]
            count = sum(one in targets for one in members)
            cyclic = len(members) > 1 or any(inside.has_edge(one, one) for one in members)
            own = MANY if count and cyclic else count
            before = [best[one] for one in whole.predecessors(part) if one in best]
            if start in members or before:
                best[part] = min(MANY, own + max(before, default=0))
        return max(best.values(), default=0)
