"""Parses a text as well as it can be done: where the parser stumbles near a conditional, only its first branch is kept.

Rules of this file: an attempt replaces an earlier one only if less is left that was not understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tree_sitter import Node, Tree

from cllm_sim.auditor.syntax.conditions import Group
from cllm_sim.auditor.syntax.parsing import parse, troubles
from cllm_sim.auditor.syntax.preparing import Prepared, prepare

ROUNDS = 2
TROUBLE_COSTS = 40
"""What one more place costs when attempts are compared, in characters that were not understood."""


@dataclass(slots=True)
class Attempt:
    """A prepared text with its tree and the places in it that were not understood."""

    prepared: Prepared
    code: bytes
    tree: Tree
    troubles: list[Node]

    @property
    def cost(self) -> int:
        """How much was not understood."""
        return sum(TROUBLE_COSTS + node.end_byte - node.start_byte for node in self.troubles)


def best_attempt(text: str) -> Attempt:
    """The attempt at a text that leaves least that was not understood."""
    cut: frozenset[int] = frozenset()
    best = _attempt(text, cut)
    for _ in range(ROUNDS):
        near = _near(best)
        if not near:
            break
        cut |= near
        other = _attempt(text, cut)
        if other.cost >= best.cost:
            break
        best = other
    return best


def _attempt(text: str, cut: frozenset[int]) -> Attempt:
    prepared = prepare(text, cut)
    code = prepared.code
    tree = parse(code)
    return Attempt(prepared, code, tree, troubles(tree.root_node))


def _near(attempt: Attempt) -> frozenset[int]:
    """The conditionals with several branches that hold, touch or lie in what was not understood."""
    if not attempt.troubles:
        return frozenset()
    places = [(node.start_byte, node.end_byte) for node in attempt.troubles]
    return frozenset(
        group.start
        for group in _all(attempt.prepared.groups)
        if group.whole and any(start <= group.end and group.start <= end for start, end in places)
    )


def _all(groups: Iterable[Group]) -> Iterator[Group]:
    waiting = list(groups)
    while waiting:
        group = waiting.pop()
        yield group
        waiting.extend(inner for branch in group.branches for inner in branch.inner)
