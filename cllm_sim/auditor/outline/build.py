"""Outlines of functions, made on demand and kept.

Rules of this file: C's structure is kept (a person reads the outline beside the source), library failures are marked
and never removed, and a macro that stands for statements is opened where it is used.
"""

from __future__ import annotations

from cllm_sim.auditor.callables import Callables
from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Block,
    Call,
    Declare,
    Do,
    Expr,
    Function,
    If,
    InitialList,
    Jump,
    Label,
    Loop,
    Name,
    Number,
    Return,
    Site,
    Stmt,
    Switch,
    Variants,
)
from cllm_sim.auditor.locations import Locations, object_kind
from cllm_sim.auditor.outline.evaluate import Evaluator
from cllm_sim.auditor.outline.failure import Failures
from cllm_sim.auditor.outline.nodes import (
    Branch,
    Either,
    Event,
    Leave,
    Mark,
    Node,
    Outline,
    Repeat,
    Select,
    Seq,
    Set,
)
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.traverse import inner
from cllm_sim.auditor.vocabulary import Act, Kind

DEPTH_MAX = 150
OPENED_MAX = 5_000
"""So many uses of macros that stand for statements are opened in one function: macros of macros grow without end."""


class Outliner:
    """Makes and keeps the outlines of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.locations = Locations(program)
        self.callables = Callables(program, self.locations)
        self.failures = Failures(program)
        self._made: dict[tuple[str, int], Outline] = {}

    def of(self, function: Function) -> Outline:
        """The outline of a function."""
        key = function.key
        if key not in self._made:
            self._made[key] = Outline(function, _Builder(self, function).sequence(function.body, 0))
        return self._made[key]


class _Builder:
    """One function's outline."""

    def __init__(self, outliner: Outliner, function: Function) -> None:
        self.program = outliner.program
        self.failures = outliner.failures
        self.function = function
        self.opened = 0
        self.evaluator = Evaluator(
            outliner.program, outliner.locations, outliner.callables, outliner.failures, function
        )

    def sequence(self, body: tuple[Stmt, ...], depth: int) -> Seq:
        nodes: list[Node] = []
        if depth <= DEPTH_MAX:
            for one in body:
                nodes += self.statement(one, depth + 1)
        return tuple(nodes)

    def site(self, line: int) -> Site:
        return Site(self.function.path, line)

    def statement(self, one: Stmt, depth: int) -> list[Node]:  # one line per kind of statement
        match one:
            case Do(expression=expression):
                return self._do(expression, depth)
            case Declare():
                return self._declare(one)
            case Block(body=body):
                return list(self.sequence(body, depth))
            case If():
                return self._if(one, depth)
            case Loop():
                return self._loop(one, depth)
            case Switch():
                return self._switch(one, depth)
            case Return(value=value, line=line):
                return [*self.evaluator.nodes(value), Leave("return", self.site(line), value=value)]
            case Jump(kind=kind, label=label, line=line):
                return [Leave(kind, self.site(line), label)]
            case Label(name=name, line=line):
                return [Mark(name, self.site(line))]
            case Variants(branches=branches, line=line):
                kept = tuple((condition, self.sequence(body, depth)) for condition, body in branches)
                return [Either(kept, self.site(line))]

    def _do(self, expression: Expr, depth: int) -> list[Node]:
        called = isinstance(expression, Call) and isinstance(expression.function, Name)
        if (
            isinstance(expression, Call | Name)
            and (called or isinstance(expression, Name))
            and self.opened < OPENED_MAX
        ):
            body = self.program.expand(expression, self.function.path)
            if isinstance(body, tuple):
                self.opened += 1
                return list(self.sequence(body, depth))
        return self.evaluator.nodes(expression)

    def _declare(self, one: Declare) -> list[Node]:
        if one.initial is None or "static" in one.type.qualifiers:
            return []
        nodes = self.evaluator.nodes(one.initial)
        kind = object_kind(self.program.resolved(one.type))
        if kind in {Kind.MUTEX, Kind.CONDITION, Kind.SEMAPHORE, Kind.BARRIER} and not one.type.pointers:
            name = Name(one.name, one.line, one.column)
            location = self.evaluator.locations.of(name, self.function)
            return [*nodes, Event(Act.INIT, kind, location, self.site(one.line), name, operator="=")]
        value = None if isinstance(one.initial, InitialList) else one.initial
        return [*nodes, Set(one.name, "=", value, self.site(one.line))]

    def _if(self, one: If, depth: int) -> list[Node]:
        test = self.evaluator.nodes(one.condition)
        constant = self.program.constant(one.condition, self.function, self.function.path)
        if constant is not None and isinstance(one.condition, Number):
            return test + list(self.sequence(one.then if constant else one.other, depth))
        then, other = self.sequence(one.then, depth), self.sequence(one.other, depth)
        failure = self.failures.side(one.condition, self.function)
        return [*test, Branch(one.condition, then, other, self.site(one.line), failure)]

    def _loop(self, one: Loop, depth: int) -> list[Node]:
        start = self.sequence(one.start, depth)
        test = tuple(self.evaluator.nodes(one.condition))
        body = self.sequence(one.body, depth)
        step = tuple(self.evaluator.nodes(one.step))
        condition = one.condition
        constant = None if condition is None else self.program.constant(condition, self.function, self.function.path)
        if one.kind == "do" and constant == 0 and not _jumps_out(one.body):
            return [*start, *body]
        if _runs_once(one):
            return [*start, *test, *body, *step]
        if self._once_unless_failing(one):
            return [*start, *(body if one.kind == "do" else ()), *test]
        if constant:
            condition = None
        if constant == 0 and condition is not None:
            condition = Number(0, "0", condition.line, condition.column)
        return [Repeat(one.kind, test, condition, body, step, self.site(one.line), start)]

    def _once_unless_failing(self, one: Loop) -> bool:
        """`while (sem_wait(&s) == -1 && errno == EINTR);`, `do rc = sem_wait(&s); while (rc == -1)`: again only after
        a failure."""
        if one.condition is None or one.step is not None or (one.kind == "do" and _jumps_out(one.body)):
            return False
        return self.failures.under_success(one.condition, self.function) is False

    def _switch(self, one: Switch, depth: int) -> list[Node]:
        cases = tuple((case.value, self.sequence(case.body, depth), self.site(case.line)) for case in one.cases)
        return [*self.evaluator.nodes(one.subject), Select(one.subject, cases, self.site(one.line))]


def _runs_once(one: Loop) -> bool:
    """`for (int once = (lock(), 1); once; once = (unlock(), 0))`: a guard written as a loop of one round."""
    if one.kind != "for" or not isinstance(one.condition, Name) or one.step is None or _jumps_out(one.body):
        return False
    name = one.condition.name
    first = [start.initial for start in one.start if isinstance(start, Declare) and start.name == name]
    last = one.step.value if isinstance(one.step, Assign) and isinstance(one.step.target, Name) else None
    named = isinstance(one.step, Assign) and isinstance(one.step.target, Name) and one.step.target.name == name
    return bool(first) and named and _ends_in(first[0], zero=False) and _ends_in(last, zero=True)


def _ends_in(expr: Expr | None, *, zero: bool) -> bool:
    """Is the value of an expression (of the last part of a comma) a number that is zero, or one that is not?"""
    while isinstance(expr, Binary) and expr.operator == ",":
        expr = expr.right
    return isinstance(expr, Number) and expr.value is not None and (expr.value == 0) == zero


def _jumps_out(body: tuple[Stmt, ...]) -> bool:
    """Is there a break or continue that belongs to the loop of this body (not to a loop or switch inside)?"""
    waiting = [(one, frozenset({"break", "continue"})) for one in body]
    while waiting:
        one, looked_for = waiting.pop()
        if isinstance(one, Jump) and one.kind in looked_for:
            return True
        if isinstance(one, Switch):
            looked_for -= {"break"}
        if not isinstance(one, Loop):
            waiting.extend((part, looked_for) for part in inner(one))
    return False
