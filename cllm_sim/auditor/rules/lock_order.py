"""CL005: two (or more) locks that threads which run at the same time take in opposite orders.

Rules of this file: no order is wrong under a lock that all of its threads hold (a gate). Locks of one name (elements of
an array, members of records) are judged only where each thread takes its own element and then the next one, round.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import networkx

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Binary, Cast, Expr, Function, Index, Member, Name, Unary
from cllm_sim.auditor.findings import Confidence, Finding, Note, Rule, Severity
from cllm_sim.auditor.rules.support.lifetimes import lifetimes
from cllm_sim.auditor.rules.support.locks import who
from cllm_sim.auditor.rules.support.locks_order import LockOrder, Pair
from cllm_sim.auditor.traverse import assigned_locals, names

RULE = Rule("CL005", "lock-order", Severity.ERROR, "locks are taken in opposite orders by threads that run together")
TIP = "Take the locks in one order everywhere (by address or by number), or take one lock around both."
CYCLE_MAX = 4
CHOICES_MAX = 400
FOLLOW_MAX = 4


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


# ---------------------------------------------------------------------------------------------- one array, all around
def _rounds(analysis: Analysis, order: LockOrder) -> Iterator[Finding]:
    """Each thread takes element i and then element (i + 1) % n."""
    inside = [pair for pair in order.pairs if pair.outer.target == pair.inner.target and pair.role.many]
    for pair in inside:
        one, other = _index(analysis, pair.outer.event.expression if pair.outer.event else None, pair.outer.function), _index(
            analysis, pair.inner.event.expression if pair.inner.event else None, pair.inner.function
        )
        if one is None or other is None or not (_next_round(one, other) or _next_round(other, one)) or pair.gates:
            continue
        if _also_reversed(pair, inside):
            continue
        label = pair.first if pair.outer.target is None else pair.outer.target.label
        message = (
            f"{who(pair.role)} each take one {label} and then the next one, round: when all hold their first, all wait for "
            "ever"
        )
        notes = (
            Note(pair.outer.site, "the first lock", pair.role.name, pair.outer.how),
            Note(pair.inner.site, "the next one, round, while the first is held", pair.role.name, pair.inner.how),
        )
        yield Finding(
            RULE.code, RULE.severity, Confidence.MEDIUM, pair.inner.site, message, label, notes, pair.role.name,
            pair.inner.how, TIP,
        )  # fmt: skip
        return


def _also_reversed(pair: Pair, pairs: list[Pair]) -> bool:
    """Some threads take them the other way round (the cure of the dining philosophers)."""

    def written(expr: Expr | None) -> str:
        return "" if expr is None else repr(_shape(expr))

    texts = tuple(written(step.event.expression if step.event else None) for step in (pair.outer, pair.inner))
    return any(
        tuple(written(step.event.expression if step.event else None) for step in (one.inner, one.outer)) == texts
        for one in pairs
    )


def _shape(expr: Expr) -> object:
    match expr:
        case Name(name=name):
            return name
        case Member(base=base, name=name):
            return (_shape(base), name)
        case Index(base=base, index=index):
            return (_shape(base), _shape(index), "[]")
        case Unary(operator=operator, operand=operand):
            return (operator, _shape(operand))
        case Binary(operator=operator, left=left, right=right):
            return (operator, _shape(left), _shape(right))
        case Cast(operand=operand):
            return _shape(operand)
        case _:
            return getattr(expr, "text", type(expr).__name__)


def _index(analysis: Analysis, expr: Expr | None, function: Function, depth: int = 0) -> Expr | None:
    """The index with which an element is chosen; pointers and indices that are set once are followed."""
    if expr is None or depth > FOLLOW_MAX:
        return None
    match expr:
        case Unary(operand=operand) | Cast(operand=operand):
            return _index(analysis, operand, function, depth)
        case Index(index=Name(name=name) as index):
            given = assigned_locals(function).get(name, [])
            return given[0] if len(given) == 1 and isinstance(given[0], Binary) else index
        case Index(index=index):
            return index
        case Member(base=base) if _element(base):
            return _index(analysis, base, function, depth + 1)
        case Name(name=name):
            given = assigned_locals(function).get(name, [])
            return _index(analysis, given[0], function, depth + 1) if len(given) == 1 else None
        case Member():
            location = analysis.locations.of(expr, function)
            values = [] if location is None else analysis.program.assignments.get(location.label, [])
            return _index(analysis, *values[0], depth + 1) if len(values) == 1 else None
        case _:
            return None


def _element(base: Expr) -> bool:
    return isinstance(base, Index)


def _next_round(one: Expr, other: Expr) -> bool:
    """Is `other` `(one + 1) % n`?"""
    if not isinstance(other, Binary) or other.operator != "%" or not isinstance(other.left, Binary):
        return False
    return other.left.operator == "+" and bool(names(one)) and names(one) <= names(other.left)
