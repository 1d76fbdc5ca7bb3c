"""Walking through facts: every expression of a statement, every statement of a body, what a local is assigned.

Rules of this file: no meaning, only structure; iterative or guarded, for generated code nests deeply.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Block,
    Call,
    Cast,
    Conditional,
    Declare,
    Do,
    Expr,
    Function,
    If,
    Index,
    InitialList,
    Loop,
    Member,
    Name,
    Opaque,
    Return,
    SizeOf,
    Stmt,
    Switch,
    Unary,
    Variants,
)

ASSIGNED_MAX = 10_000
"""So many functions' assignments are kept."""

_ASSIGNED: dict[int, tuple[Function, dict[str, list[Expr]]]] = {}


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The direct sub-expressions, in the order of evaluation as far as C has one."""
    match expr:
        case Member(base=base):
            return (base,)
        case Index(base=base, index=index):
            return base, index
        case Call(function=function, arguments=arguments):
            return function, *arguments
        case Unary(operand=operand) | Cast(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return left, right
        case Assign(target=target, value=value):
            return value, target
        case Conditional(condition=condition, then=then, other=other):
            return condition, then, other
        case InitialList(items=items):
            return tuple(value for _, value in items)
        case Opaque(parts=inner):
            return inner
        case SizeOf():
            return ()  # not evaluated
        case _:
            return ()


def within(expr: Expr | None) -> Iterator[Expr]:
    """The expression and everything inside it, outermost first."""
    stack = [] if expr is None else [expr]
    while stack:
        one = stack.pop()
        yield one
        stack.extend(reversed(parts(one)))


def names(expr: Expr | None) -> set[str]:
    """The identifiers in an expression."""
    return {one.name for one in within(expr) if isinstance(one, Name)}


def statements(body: Iterable[Stmt]) -> Iterator[Stmt]:
    """All statements, nested ones included, in the order of the text."""
    stack = [*reversed(tuple(body))]
    while stack:
        one = stack.pop()
        yield one
        stack.extend(reversed(inner(one)))


def inner(one: Stmt) -> tuple[Stmt, ...]:
    """The statements directly inside a statement."""
    match one:
        case Block(body=body):
            return body
        case If(then=then, other=other):
            return then + other
        case Loop(start=start, body=body):
            return start + body
        case Switch(cases=cases):
            return tuple(stmt for case in cases for stmt in case.body)
        case Variants(branches=branches):
            return tuple(stmt for _, branch in branches for stmt in branch)
        case _:
            return ()


def expressions(one: Stmt) -> tuple[Expr, ...]:
    """The expressions directly in a statement (not those of statements inside it)."""
    match one:
        case Do(expression=expression):
            return (expression,)
        case Declare(initial=initial) if initial is not None:
            return (initial,)
        case If(condition=condition):
            return (condition,)
        case Loop(condition=condition, step=step):
            return tuple(expr for expr in (condition, step) if expr is not None)
        case Switch(subject=subject, cases=cases):
            return (subject, *(case.value for case in cases if case.value is not None))
        case Return(value=value) if value is not None:
            return (value,)
        case _:
            return ()


def all_expressions(body: Iterable[Stmt]) -> Iterator[Expr]:
    """Every expression of a body, and everything inside."""
    for one in statements(body):
        for expr in expressions(one):
            yield from within(expr)


def calls(body: Iterable[Stmt]) -> Iterator[Call]:
    """Every call (or use of a macro with arguments) in a body."""
    return (expr for expr in all_expressions(body) if isinstance(expr, Call))


def assigned_locals(function: Function) -> dict[str, list[Expr]]:
    """What each plain name is given in a function: initial values and `name = value`, in the order of the text.

    Asked for again and again, so the answer is kept; it is not to be changed.
    """
    # By identity, for hashing a function would walk its whole body; the function is kept with the answer, so that no
    # other one can take its identity meanwhile.
    known = _ASSIGNED.get(id(function))
    if known is None:
        if len(_ASSIGNED) >= ASSIGNED_MAX:
            _ASSIGNED.clear()
        known = _ASSIGNED[id(function)] = (function, _assigned(function))
    return known[1]


def _assigned(function: Function) -> dict[str, list[Expr]]:
    found: dict[str, list[Expr]] = {}
    for one in statements(function.body):
        if isinstance(one, Declare) and one.initial is not None:
            found.setdefault(one.name, []).append(one.initial)
        for expr in expressions(one):
            for part in within(expr):
                if isinstance(part, Assign) and isinstance(part.target, Name):
                    found.setdefault(part.target.name, []).append(part.value)
    return found
