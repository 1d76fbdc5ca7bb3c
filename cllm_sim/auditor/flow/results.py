"""What a condition says about the result it tests: of a try-lock, or of a function that was just gone through.

Both are looked for right before the condition (assignments, returns and plain accesses may lie between). The condition
is then evaluated with the numbers that the result may be. Rules of this file: what cannot be evaluated tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cllm_sim.auditor.facts import Call, Expr, Name
from cllm_sim.auditor.flow.graph import Flow, Step
from cllm_sim.auditor.outline.failure import CONSTANTS
from cllm_sim.auditor.outline.numbers import Value, evaluate
from cllm_sim.auditor.traverse import within
from cllm_sim.auditor.vocabulary import PLAIN, Act

BUSY = 16
"""Stands for every result of a try-lock that is no success."""
CODES = CONSTANTS | dict.fromkeys(("EBUSY", "ETIMEDOUT", "thrd_busy", "thrd_timedout", "thrd_error"), BUSY)
BACK_MAX = 6


@dataclass(slots=True)
class _Between:
    """What lies between a result and its condition: variables set, calls returned from."""

    sets: dict[str, Expr | None] = field(default_factory=dict)
    returns: dict[str, Expr | None] = field(default_factory=dict)


def try_before(flow: Flow, condition: Step) -> tuple[Step, bool | None, bool | None] | None:
    """The try-lock whose result a condition tests, and the condition's value if it won and if it did not."""
    between = _Between()
    here = condition.index
    for _ in range(BACK_MAX):
        before = [edge.to for edge in flow.before[here]]
        if here == condition.index and len(before) > 1:
            before = [one for one in before if not _short_cut(flow.steps[one], condition)]
        if len(before) != 1:
            return None
        here = before[0]
        step = flow.steps[here]
        if step.act is Act.TRY_LOCK:
            won, lost = (_truth(condition, between, step, number) for number in (0, BUSY))
            return None if won is None and lost is None else (step, won, lost)
        if not _note(step, between):
            return None
    return None


def _short_cut(step: Step, condition: Step) -> bool:
    """Does a step decide that the rest of `k && trylock(...) == 0` is not evaluated?"""
    inside = () if condition.condition is None else within(condition.condition)
    return step.condition is not None and any(part == step.condition for part in inside)


def returned(condition: Step, leave: Step) -> bool | None:
    """The value of a condition right behind a call, for one of the returns of the function that was called."""
    between = _Between()
    _note(leave, between)
    return _truth(condition, between, None, 0)


def returns_into(flow: Flow, condition: Step) -> list[Step]:
    """The returns right before a condition, where it tests what a function returned and nothing else leads to it."""
    before = [flow.steps[edge.to] for edge in flow.before[condition.index]]
    if condition.what == "condition" and len(before) > 1 and all(_leaves(one, condition) for one in before):
        return before
    return []


def _leaves(step: Step, condition: Step) -> bool:
    return step.leave is not None and step.leave.kind == "return" and len(step.how) > len(condition.how)


def _note(step: Step, between: _Between) -> bool:
    """Remember a step that may lie between; False for one that may not."""
    if step.set is not None:
        if step.set.operator == "=":
            between.sets.setdefault(step.set.name, step.set.value)
        return step.set.operator == "="
    if step.leave is not None:
        between.returns.setdefault(step.function.name, step.leave.value)
        return step.leave.kind == "return"
    return step.act in PLAIN | {Act.CALL, Act.LOAD}


def _truth(condition: Step, between: _Between, tried: Step | None, number: int) -> bool | None:
    def source(expr: Expr) -> Value | None:
        if isinstance(expr, Call):
            if tried is not None and tried.event is not None and expr == tried.event.call:
                return Value((number,), True)
            given = between.returns.get(expr.function.name) if isinstance(expr.function, Name) else None
            return None if given is None else evaluate(given, source)
        if isinstance(expr, Name):
            value = between.sets.pop(expr.name, None)  # once: a variable set by means of itself is not followed
            if value is None:
                return Value((CODES[expr.name],), False) if expr.name in CODES else None
            found = evaluate(value, source)
            between.sets[expr.name] = value
            return found
        return None

    found = None if condition.condition is None else evaluate(condition.condition, source)
    return None if found is None or len(found.numbers) != 1 else bool(found.numbers[0])
