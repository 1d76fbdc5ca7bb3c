"""Plain variables that threads poll in place of a signal: `while (!stop) ...` here, `stop = 1` there.

A polled flag is a plain or volatile number that one role tests in a loop and another may write meanwhile, with no lock
in common. Rules of this file: the loop must turn on the flag itself (`!stop`, `ready == 0`), not count up to it; a loop
that sleeps at a condition is a matter of lost wake-ups, not of flags.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Binary, Call, Expr, Function, Name, TypeName, Unary
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.rules.support.races_accesses import Access, spelled_out
from cllm_sim.auditor.rules.support.races_candidates import Candidates
from cllm_sim.auditor.traverse import within
from cllm_sim.auditor.vocabulary import Act

NUMBERS = frozenset({
    "int", "bool", "_Bool", "char", "short", "long", "unsigned", "unsigned int", "unsigned char", "signed char",
    "unsigned short", "unsigned long", "long long", "unsigned long long", "long int", "short int", "size_t", "ssize_t",
    "sig_atomic_t", "int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t", "uint64_t",
})  # fmt: skip
WAITS = (Act.SLEEP, Act.TIMED_SLEEP, Act.WAIT, Act.DOWN, Act.JOIN)
COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class PolledFlag:
    """A flag with one test of it and the writes of others."""

    location: Location
    test: Access
    writes: tuple[Access, ...]


def is_number(type: TypeName | None) -> bool:
    """Is this the type of a single plain number?"""
    return type is not None and not type.pointers and not type.arrays and not type.function and (
        type.base in NUMBERS or type.base.startswith("enum ")
    )  # fmt: skip


@once
def polled_flags(analysis: Analysis) -> dict[Location, PolledFlag]:
    """The polled flags of a program, by location."""
    found = {}
    candidates = Candidates.of(analysis)
    for location in candidates.accesses.by_location:
        known = analysis.inventory.memory.get(location)
        if location.kind == "local" or known is None or not is_number(known.type):
            continue
        for test in _tests(analysis, candidates, location):
            writes = tuple(
                one for one in candidates.accesses.of(location) if one.write and candidates.conflict(test, one)
            )
            if writes:
                found[location] = PolledFlag(location, test, writes)
                break
    return found


def _tests(analysis: Analysis, candidates: Candidates, location: Location) -> Iterator[Access]:
    """The accesses that test a location round after round."""
    for access in candidates.accesses.of(location):
        if access.write or not access.step.loops:
            continue
        flow = analysis.flow(access.role)
        tested = _condition(analysis, flow, access.step)
        if tested is None or _sleeps(flow, access.step.loops[-1]):
            continue
        condition, expr = tested
        turns = _turns_on(analysis, expr, location, access.step.function)
        waits = _only_waits(flow, access.step.loops[-1])
        if (turns and _decides(flow, condition, access.step.loops[-1])) or (waits and condition.loops):
            yield access


def _condition(analysis: Analysis, flow: Flow, step: Step) -> tuple[Step, Expr] | None:
    """The condition that a read is part of (also as what a function returns), and the expression around the read."""
    here = step.index
    around: Expr | None = None
    for _ in range(12):
        following = [edge.to for edge in flow.next[here]]
        if len(following) != 1:
            return None
        here = following[0]
        found = flow.steps[here]
        if found.what == "condition":
            whole = spelled_out(analysis, found)
            if around is not None:
                return (found, around) if _calls(whole, step.function) else None
            same = found.function is step.function and found.how == step.how
            return (found, whole) if same and whole is not None and _contains(whole, step) else None
        if found.what == "leave" and found.leave is not None and _contains(found.leave.value, step):
            around = found.leave.value
        elif found.what != "event" or found.act not in {Act.READ, Act.LOAD}:
            return None
    return None


def _calls(condition: Expr | None, function: Function) -> bool:
    return any(
        isinstance(one, Call) and isinstance(one.function, Name) and one.function.name == function.name
        for one in within(condition)
    )


def _contains(condition: Expr | None, step: Step) -> bool:
    assert step.event is not None
    return any(one == step.event.expression for one in within(condition))


def _decides(flow: Flow, condition: Step, loop: int) -> bool:
    """Does one side of a condition leave the loop?"""
    edges = flow.next[condition.index]
    inside = [edge for edge in edges if _comes_back(flow, edge.to, loop)]
    return len(inside) > 0 and len(inside) < len([edge for edge in edges if edge.kind != "failure"])


def _comes_back(flow: Flow, start: int, loop: int) -> bool:
    return start == loop or loop in flow.reachable(
        start, stop=lambda step: loop not in step.loops and step.index != loop
    )


def _sleeps(flow: Flow, loop: int) -> bool:
    """Does a loop wait for others by other means, so that the variable is no signal in itself?"""
    return any(loop in step.loops for step in flow.events(*WAITS))


def _only_waits(flow: Flow, loop: int) -> bool:
    """Is a loop's body empty, or does it only pause?"""
    for step in flow.steps:
        if loop not in step.loops:
            continue
        if step.what == "set" or (step.event is not None and step.act not in {Act.READ, Act.LOAD, Act.PAUSE}):
            return False
    return True


def _turns_on(analysis: Analysis, condition: Expr | None, location: Location, function: Function) -> bool:
    """Is the flag itself what a condition asks for, alone or compared with a constant?"""
    match condition:
        case None:
            return False
        case Unary(operator="!", operand=operand):
            return _turns_on(analysis, operand, location, function)
        case Binary(operator="&&" | "||", left=left, right=right):
            return _turns_on(analysis, left, location, function) or _turns_on(analysis, right, location, function)
        case Binary(operator=operator, left=left, right=right) if operator in COMPARISONS:
            sides = [_is(analysis, left, location, function), _is(analysis, right, location, function)]
            other = right if sides[0] else left
            return any(sides) and _constant(analysis, other, function)
        case _:
            return _is(analysis, condition, location, function)


def _is(analysis: Analysis, expr: Expr, location: Location, function: Function) -> bool:
    found = analysis.locations.of(expr, function)
    return found == location or (found is not None and found.kind == "parameter" and found.is_contents)


def _constant(analysis: Analysis, expr: Expr, function: Function) -> bool:
    if isinstance(expr, Name) and expr.name in {"true", "false"}:
        return True
    return analysis.program.constant(expr, function, function.path) is not None
