"""CL005: two (or more) locks that threads which run at the same time take in opposite orders.

Rules of this file: no order is wrong under a lock that all of its threads hold (a gate). Locks of one name (elements of
an array, members of records) are judged only where each thread takes its own element and then the next one, round.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import networkx

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.rules.support.lifetimes import lifetimes
from cllm_sim.auditor.rules.support.locks import who
from cllm_sim.auditor.rules.support.locks_order import LockOrder, Pair
from cllm_sim.auditor.rules.support.locks_ring import rings

RULE = Rule("CL005", "lock-order", Severity.ERROR, "locks are taken in opposite orders by threads that run together")
TIP = "Take the locks in one order everywhere (by address or by number), or take one lock around both."
CYCLE_MAX = 4
CHOICES_MAX = 400


def findings(analysis: Analysis) -> Iterator[Finding]:
    """One finding for each circle of locks."""
    order = LockOrder(analysis)
    by_edge: dict[tuple[str, str], list[Pair]] = {}
    for pair in order.pairs:
        if pair.first != pair.second:
            by_edge.setdefault((pair.first, pair.second), []).append(pair)
    graph = networkx.DiGraph(list(by_edge))
    for circle in sorted(sorted_circle(one) for one in networkx.simple_cycles(graph, length_bound=CYCLE_MAX)):
        edges = list(pairwise([*circle, circle[0]]))
        for choice in list(product(*(by_edge[edge] for edge in edges)))[:CHOICES_MAX]:
            if _hangs(analysis, choice):
                yield _finding(choice)
                break
    yield from _rounds(analysis, order)


def sorted_circle(circle: list[str]) -> list[str]:
    """A circle beginning with its first name."""
    start = circle.index(min(circle))
    return circle[start:] + circle[:start]


def _hangs(analysis: Analysis, pairs: tuple[Pair, ...]) -> bool:
    """Can all of these be half done at the same time, each holding what the one before it needs?"""
    if frozenset.intersection(*(pair.gates for pair in pairs)):
        return False
    for index, pair in enumerate(pairs):
        wanted_by = pairs[index - 1]
        if pair.first_shared and wanted_by.second_shared:
            return False
    for index, one in enumerate(pairs):
        for other in pairs[index + 1 :]:
            if one.role is other.role and (not one.role.many or one.outer.own or one.inner.own):
                return False
            if not lifetimes(analysis).together(one.role, one.inner.index, other.role, other.inner.index):
                return False
    return True


def _finding(pairs: tuple[Pair, ...]) -> Finding:
    first = pairs[0]
    notes = []
    for pair in pairs:
        notes.append(Note(pair.outer.site, f"{pair.role.name} takes {pair.first}", pair.role.name, pair.outer.how))
        notes.append(Note(pair.inner.site, f"and, holding it, {pair.second}", pair.role.name, pair.inner.how))
    told = "; ".join(f"{pair.role.name} takes {pair.first}, then {pair.second}" for pair in pairs)
    message = f"locks are taken in opposite orders: {told}; each can hold what the other waits for"
    subject = " -> ".join(sorted(pair.first for pair in pairs))
    return Finding(
        RULE.code, RULE.severity, Confidence.HIGH, first.inner.site, message, subject, tuple(notes), first.role.name,
        first.inner.how, TIP,
    )  # fmt: skip


def _rounds(analysis: Analysis, order: LockOrder) -> Iterator[Finding]:
    """Each thread takes element i and then element (i + 1) % n: the dining philosophers."""
    for pair in rings(analysis, order.pairs)[:1]:
        label = pair.first if pair.outer.target is None else pair.outer.target.label
        message = (
            f"{who(pair.role)} each take one {label} and then the next one, all around: when all hold their first, all "
            "wait for ever"
        )
        notes = (
            Note(pair.outer.site, "the first lock", pair.role.name, pair.outer.how),
            Note(pair.inner.site, "the next one, all around, while the first is held", pair.role.name, pair.inner.how),
        )
        yield Finding(
            RULE.code, RULE.severity, Confidence.MEDIUM, pair.inner.site, message, label, notes, pair.role.name,
            pair.inner.how, TIP,
        )  # fmt: skip
