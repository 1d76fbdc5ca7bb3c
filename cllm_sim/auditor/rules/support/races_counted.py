"""Elements handed over one by one: the n-th is written before the n-th post, and read after the n-th wait.

`results[n] = x; sem_post(&ready);` in one thread, `sem_wait(&ready); use(results[n]);` in another: no element is raced
for, however far the writer is ahead. Rules of this file: both count from the same number by one, the semaphore starts
at 0 and has one post only, every round of the reader waits; else nothing is said. A post that is left out in some round
does no harm, for the reader is then later.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Assign, Cast, Declare, Expr, Index, Loop, Member, Name, Stmt, Unary
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.inventory import Use
from cllm_sim.auditor.rules.support.races_accesses import Access
from cllm_sim.auditor.rules.support.segments_run import STEPPING, counter_of
from cllm_sim.auditor.rules.support.semaphores import signals
from cllm_sim.auditor.traverse import expressions, statements, within
from cllm_sim.auditor.vocabulary import Act


def counted(analysis: Analysis, early: Access, late: Access) -> bool:
    """Is every element that `early` touches handed over before `late` touches the same one?"""
    if early.role is late.role or early.role.many or late.role.many:
        return False
    start = _start(analysis, early)
    if start is None or start != _start(analysis, late):
        return False
    return any(
        _posted_behind(analysis, early, posts[0]) and _waited_before(analysis, late, waits)
        for waits, posts in _channels(analysis)
        if len(posts) == 1
    )


def _channels(analysis: Analysis) -> Iterator[tuple[list[Use], list[Use]]]:
    """The waits and the posts of every semaphore that starts at 0."""
    for uses, zero in signals(analysis):
        if zero:
            yield [one for one in uses if one.act is Act.DOWN], [one for one in uses if one.act is Act.UP]


def _posted_behind(analysis: Analysis, access: Access, post: Use) -> bool:
    """Does a post come once in a round of the access's loop, and never before the access in the same round?"""
    if post.role != access.role.name or post.step is None:
        return False
    flow = analysis.flow(access.role)
    loop = access.step.loops[0]
    return flow.steps[post.step].loops == (loop,) and access.step.index not in _round(flow, post.step, loop, set())


def _waited_before(analysis: Analysis, access: Access, waits: list[Use]) -> bool:
    """Does every round of the access's loop wait, and before the access?"""
    flow = analysis.flow(access.role)
    loop = access.step.loops[0]
    own = {one.step for one in waits if one.role == access.role.name and one.step is not None}
    own = {step for step in own if flow.steps[step].loops == (loop,)}
    return bool(own) and not {access.step.index, loop} & _round(flow, loop, loop, own)


def _round(flow: Flow, start: int, loop: int, blocked: set[int]) -> set[int]:
    """The steps behind one in the same round of a loop, its head included, with no blocked one on the way."""
    seen: set[int] = set()
    waiting = [start]
    while waiting:
        for edge in flow.next[waiting.pop()]:
            if edge.kind != "failure" and edge.to not in seen and edge.to not in blocked:
                seen.add(edge.to)
                if edge.to != loop:
                    waiting.append(edge.to)
    return seen


# ------------------------------------------------------------------------------------------------------------ counters
def _start(analysis: Analysis, access: Access) -> int | None:
    """The first number of the element that an access picks by the counter of the outermost loop around it."""
    step = access.step
    picked = _picked(step.event.expression if step.event is not None else None)
    if not step.loops or picked is None:
        return None
    found = [
        one
        for one in statements(step.function.body)
        if isinstance(one, Loop) and _is_loop(analysis, access, one) and (counter_of(one) or ("",))[0] == picked
    ]
    if len(found) != 1 or _changes(found[0].body, picked):
        return None
    first = _initial(found[0].start, picked)
    return None if first is None else analysis.program.constant(first, step.function, step.function.path)


def _picked(expr: Expr | None) -> str | None:
    """The plain name that picks the element (`n` of `rows[n][k].x`)."""
    index: Expr | None = None
    while expr is not None:
        match expr:
            case Index(base=base, index=index):
                expr = base
            case Member(base=base) | Unary(operand=base) | Cast(operand=base):
                expr = base
            case _:
                break
    return index.name if isinstance(index, Name) else None


def _is_loop(analysis: Analysis, access: Access, loop: Loop) -> bool:
    """Is it the outermost loop around an access, in the access's own function?"""
    return any(_tests(step, access, loop) for step in analysis.flow(access.role).steps)


def _tests(step: Step, access: Access, loop: Loop) -> bool:
    if step.what != "condition" or step.condition is None or step.loops != access.step.loops[:1]:
        return False
    return step.how == access.step.how and step.condition == loop.condition


def _initial(start: tuple[Stmt, ...], name: str) -> Expr | None:
    for one in start:
        if isinstance(one, Declare) and one.name == name:
            return one.initial
        for expr in expressions(one):
            if isinstance(expr, Assign) and isinstance(expr.target, Name) and expr.target.name == name:
                return expr.value
    return None


def _changes(body: tuple[Stmt, ...], name: str) -> bool:
    """Is a counter changed, declared anew or given away inside its loop?"""
    for statement in statements(body):
        if isinstance(statement, Declare) and statement.name == name:
            return True
        for expr in expressions(statement):
            for part in within(expr):
                changed = part.target if isinstance(part, Assign) else None
                if isinstance(part, Unary) and part.operator in STEPPING | {"&"}:
                    changed = part.operand
                if isinstance(changed, Name) and changed.name == name:
                    return True
    return False
