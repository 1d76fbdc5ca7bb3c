"""Situations of a text that go on in the same way for ever, so that a search need not tell them apart.

A loop's condition that is met for the first time and again after every round is two situations of a generator and one
of the protocol. Only replies that were really given are known to an automaton; two situations are compared on all
replies that either of them, or another one with the same operation, was ever given, by running the text with the
missing ones (which then do not count as reached).

Rules of this file: what is merged is a bisimulation of the automaton, found by refining the partition by operations.
"""

from collections.abc import Hashable

from cllm_sim.checker import unfold
from cllm_sim.checker.unfold import Automaton


def same_from_here(automaton: Automaton) -> list[int]:
    """For every situation of a text the first one that does the same for ever."""
    _complete(automaton)
    return _classes(automaton)


def reach_alike(automaton: Automaton) -> None:
    """Run through the lines behind merged situations as a search that tells them apart would have done."""
    same = _classes(automaton)
    for node, first in enumerate(same):
        for reply in list(automaton.edges[first]) if node != first else ():
            if (first, reply) not in automaton.assumed:
                automaton.run_through(node, reply)


def _classes(automaton: Automaton) -> list[int]:
    group: list[Hashable] = list(automaton.op)
    count = 0
    while len(set(group)) != count:
        count = len(set(group))
        numbers: dict[Hashable, int] = {}
        group = [
            numbers.setdefault((group[node], _following(edges, group)), len(numbers))
            for node, edges in enumerate(automaton.edges)
        ]
    first: dict[Hashable, int] = {}
    return [first.setdefault(one, node) for node, one in enumerate(group)]


def _following(edges: dict[int, int], group: list[Hashable]) -> Hashable:
    return tuple(sorted(((reply, group[after]) for reply, after in edges.items()), key=lambda edge: edge[0]))


def _complete(automaton: Automaton) -> None:
    """Give every situation the replies that others with its operation were given."""
    known = len(automaton.op)
    replies: dict[Hashable, set[int]] = {}
    for node in range(known):
        replies.setdefault(automaton.op[node], set()).update(automaton.edges[node])
    lines, automaton.lines = automaton.lines, set()
    try:
        for node in range(known):
            for reply in sorted(replies[automaton.op[node]] - automaton.edges[node].keys()):
                if len(automaton.op) < min(2 * known, unfold.SITUATIONS_MAX):
                    automaton.step(node, reply)
                    automaton.assumed.add((node, reply))
    finally:
        automaton.lines = lines
