"""Conditions that may come out differently in two threads of one role.

A condition on the thread's own number, own data, or the result of a call that was given them differs; one on shared
orders and counters does not (whether somebody changes them meanwhile is a question for others). Rules of this file: what
is not known to differ is taken to be the same for all.
"""

from __future__ import annotations

from cllm_sim.auditor.facts import Assign, Call, Expr, Index, InitialList, Member, Name, Unary
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.flow.own import Own
from cllm_sim.auditor.traverse import assigned_locals, within
from cllm_sim.auditor.vocabulary import KNOWN, Act

CHANCE = frozenset({"rand", "random", "rand_r", "drand48", "lrand48", "erand48", "getrandom", "arc4random"})
WINNERS = frozenset({"pthread_barrier_wait"})
"""One thread gets another result than the others."""
ROUNDS_MAX = 12


def differs(step: Step) -> bool:
    """May the condition of a step come out differently in two threads of its role?"""
    if step.condition is None or step.owned is None:
        return False
    return _varies(step.condition, step.owned, _varying_names(step.owned))


def _varying_names(own: Own) -> set[str]:
    """The locals that hold something of the thread's own, or a result made of it."""
    given = assigned_locals(own.function)
    found = set(own.names)
    for _ in range(ROUNDS_MAX):
        more = {name for name, values in given.items() if name not in found}
        more = {name for name in more if any(_varies(value, own, found) for value in given[name])}
        if not more:
            break
        found |= more
    return {name for name in found if not _shared_pointer(name, own, given)}


def _shared_pointer(name: str, own: Own, given: dict[str, list[Expr]]) -> bool:
    """A local that only points to what all threads share (`pool = self->pool`)."""
    return name in given and name not in own.names and all(
        isinstance(value, Member) and not own.value(value) for value in given[name]
    )


def _varies(expr: Expr, own: Own, names: set[str]) -> bool:
    if own.value(expr):
        return True
    match expr:
        case Name(name=name):
            return name in names
        case Member(base=base):
            return own.place(expr) or (isinstance(base, Name) and base.name in names and not own.value(base))
        case Index(index=index):
            return _varies(index, own, names) or own.place(expr)
        case Call():
            return _call(expr, own, names)
        case Assign(value=value):
            return _varies(value, own, names)
        case InitialList():
            return False
        case Unary(operator="&", operand=operand):
            return own.place(operand)
        case _:
            return any(_varies(part, own, names) for part in _parts(expr))


def _call(call: Call, own: Own, names: set[str]) -> bool:
    name = call.function.name if isinstance(call.function, Name) else ""
    if name in CHANCE or name in WINNERS:
        return True
    known = KNOWN.get(name)
    if known is not None:
        return known.act in {Act.CHANGE, Act.TRY_LOCK, Act.TRY_DOWN} or (
            known.act is Act.LOAD and any(own.place(one) for one in call.arguments)
        )
    return any(_varies(one, own, names) for one in call.arguments)


def _parts(expr: Expr) -> list[Expr]:
    return [one for one in within(expr) if one is not expr and isinstance(one, Name | Member | Index | Call | Unary)]


# -------------------------------------------------------------------------------------------------------------- paths
def forward(flow: Flow, start: int, edge_to: int) -> set[int]:
    """The steps that follow an edge in the same round of every loop around its start (no way back is taken)."""
    seen = {edge_to}
    waiting = [edge_to]
    while waiting:
        here = waiting.pop()
        for edge in flow.next[here]:
            if edge.to not in seen and edge.kind not in {"failure", "again"} and edge.to != start:
                seen.add(edge.to)
                waiting.append(edge.to)
    return seen


def decides_differently(flow: Flow, step: Step) -> bool:
    """Does a condition that may differ between threads decide whether a step is reached (in its round)?"""
    for condition in flow.steps:
        if condition.what not in {"condition", "switch"} or not differs(condition):
            continue
        sides = [forward(flow, condition.index, edge.to) for edge in flow.next[condition.index] if edge.kind != "failure"]
        reached = [step.index in side for side in sides]
        if any(reached) and not all(reached):
            return True
    return False
