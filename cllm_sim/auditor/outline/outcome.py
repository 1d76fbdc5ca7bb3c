"""One function gone through with all calls succeeding: which conditions that decides, and what the function returns.

An abstract run over the statements: it knows small numbers in locals (and in members where a call put them), takes only
the succeeding side of a test that a call's success decides, and both sides of any other. Rules of this file: what is
not known is forgotten; a label that is jumped back to, a loop's second round and an address that is taken forget.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Block,
    Call,
    Conditional,
    Declare,
    Do,
    Expr,
    Function,
    If,
    Index,
    Jump,
    Label,
    Loop,
    Member,
    Name,
    Number,
    Return,
    Stmt,
    Switch,
    Unary,
    Variants,
)
from cllm_sim.auditor.outline.numbers import NUMBERS_MAX, State, Value, joined
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.traverse import expressions, names, parts, statements, within

if TYPE_CHECKING:
    from cllm_sim.auditor.outline.failure import Failures

DEPTH_MAX = 120
ERROR_NAME = re.compile(r"E(?!OF$)[A-Z0-9]{2,}")
Key = tuple[str, int]
ConditionKey = tuple[int, int, str]


def key_of(program: Program, condition: Expr) -> ConditionKey:
    """A condition by place and text (a macro's body has one place for everything in it)."""
    return condition.line, condition.column, program.text(condition)


class Walk:
    """The run of one function. `decided`: conditions of statements that success decides, with their value."""

    def __init__(self, failures: Failures, function: Function) -> None:
        self.failures = failures
        self.program = failures.program
        self.function = function
        self.decided: dict[ConditionKey, bool] = {}
        self.hands_on = False
        self._open: set[ConditionKey] = set()
        self._returned: list[Value | None] = []
        self._refused: list[Value | None] = []
        self._gotos: dict[str, State | None] = {}
        self._loops: list[list[State]] = []
        self._back = _jumped_back_to(function)

    def go(self) -> None:
        """Go through the function."""
        self._body(self.function.body, {}, 0)
        for key in self._open:
            self.decided.pop(key, None)

    def result(self) -> Value | None:
        """What the function returns when nothing fails; `derived` where it may return something else on a failure."""
        numbers: set[int] = set()
        derived = self.hands_on
        for value in self._returned or self._refused:
            if value is None:
                return None
            numbers |= set(value.numbers)
            derived = derived or value.derived
        return Value(tuple(sorted(numbers)), derived) if 0 < len(numbers) <= NUMBERS_MAX else None

    # ---------------------------------------------------------------------------------------------------- statements
    def _body(self, body: tuple[Stmt, ...], state: State | None, depth: int) -> State | None:
        """What is known behind a body; None where nothing gets there."""
        for one in body:
            if state is not None or isinstance(one, Label):
                state = self._statement(one, state if state is not None else {}, state is None, depth + 1)
        return state

    def _statement(self, one: Stmt, state: State, dead: bool, depth: int) -> State | None:  # one line per kind
        if depth > DEPTH_MAX:
            return {}
        match one:
            case Do(expression=expression):
                return self._do(expression, state, depth)
            case Declare(name=name, initial=initial):
                value = None if initial is None else self._evaluated(initial, state)
                self._put(state, Name(name, one.line), value)
                return state
            case Block(body=body):
                return self._body(body, state, depth)
            case If():
                return self._if(one, state, depth)
            case Loop():
                return self._loop(one, state, depth)
            case Switch():
                return self._switch(one, state, depth)
            case Return(value=value_of):
                self._returned.append(None if value_of is None else self._evaluated(value_of, state))
                return None
            case Jump(kind="goto", label=label):
                self._gotos[label] = joined(self._gotos.get(label), state)
                return None
            case Jump():
                if self._loops:
                    self._loops[-1].append(state)
                return None
            case Label(name=name):
                before = joined(None if dead else state, self._gotos.get(name))
                return {} if name in self._back and before is not None else before
            case Variants(branches=branches):
                found: State | None = None
                for _, body in branches:
                    found = joined(found, self._body(body, dict(state), depth))
                return found

    def _do(self, expression: Expr, state: State, depth: int) -> State | None:
        if isinstance(expression, Call | Name):
            body = self.program.expand(expression, self.function.path)
            if isinstance(body, tuple):
                return self._body(body, state, depth)
        self._effects(expression, state)
        return state

    def _if(self, one: If, state: State, depth: int) -> State | None:
        value = self._condition(one.condition, state)
        if value is not None:
            failing, going_on = (one.other, one.then) if value else (one.then, one.other)
            self.hands_on = self.hands_on or _hands_on(failing)
            for text in _assigned(failing) & state.keys():
                state[text] = state[text]._replace(derived=True)
            return self._body(going_on, state, depth)
        returned = len(self._returned)
        then = self._body(one.then, dict(state), depth)
        if then is None and self._refuses(one):
            self._refused += self._returned[returned:]
            del self._returned[returned:]
        return joined(then, self._body(one.other, state, depth))

    def _refuses(self, one: If) -> bool:
        """`if (n <= 0) return -1;`, `if (full) { errno = ENOSPC; ... }`: what makes no sense is refused."""
        if not one.other and _says_error(one.then):
            return True
        parameters = {parameter.name for parameter in self.function.parameters}
        inside = list(within(one.condition))
        return not one.other and all(
            isinstance(part, Binary | Number)
            or (isinstance(part, Unary) and part.operator in {"!", "-"})
            or (isinstance(part, Name) and (part.name in parameters or part.name == "NULL"))
            for part in inside
        )

    def _loop(self, one: Loop, state: State, depth: int) -> State | None:
        before = self._body(one.start, state, depth)
        after: State | None = None
        for _ in range(2):  # the second round starts with what the first one leaves behind
            if before is None:
                return after
            inside, after, again = self._round(one, dict(before), depth)
            if again is False:
                return after
            if inside is not None and one.step is not None:
                self._effects(one.step, inside)
            before = joined(before, inside)
        return after if one.condition is None else joined(after, before)

    def _round(self, one: Loop, here: State, depth: int) -> tuple[State | None, State | None, bool | None]:
        """What is known at the end of a round, behind the loop, and whether success decides for another round."""
        again: bool | None = None
        after: State | None = None
        if one.kind != "do" and one.condition is not None:
            again = self._condition(one.condition, here)
            after = dict(here)
        self._loops.append([])
        inside = here if again is False else self._body(one.body, here, depth)
        leaving = self._loops.pop()
        if one.kind == "do" and inside is not None and one.condition is not None:
            again = self._condition(one.condition, inside)
            after = dict(inside)
        for left in leaving:  # by break or continue: where each leads is not told apart
            after, inside = joined(after, left), joined(inside, left)
        return inside, after, again

    def _switch(self, one: Switch, state: State, depth: int) -> State | None:
        self._effects(one.subject, state)
        self._loops.append([])
        through: State | None = None
        for case in one.cases:
            through = self._body(case.body, joined(dict(state), through), depth)
        for left in self._loops.pop():
            through = joined(through, left)
        if any(case.value is None for case in one.cases):
            return through
        return joined(through, state)

    # --------------------------------------------------------------------------------------------------- expressions
    def _condition(self, condition: Expr, state: State) -> bool | None:
        """A condition's value where calls that succeed decide it; recorded (once: both rounds of a loop agree)."""
        return self._decide(condition, self._evaluated(condition, state))

    def _decide(self, condition: Expr, value: Value | None) -> bool | None:
        decided = None
        if value is not None and value.derived and len({bool(number) for number in value.numbers}) == 1:
            decided = bool(value.numbers[0])
        key = key_of(self.program, condition)
        if decided is None or self.decided.setdefault(key, decided) is not decided:
            self._open.add(key)
        return decided

    def _evaluated(self, expr: Expr, state: State) -> Value | None:
        value = self.failures.value(expr, state, self.function)
        self._inner_conditions(expr, state)
        self._effects(expr, state)
        return value

    def _inner_conditions(self, expr: Expr, state: State) -> None:
        """What decides whether the rest of `init(a) != 0 || init(b) != 0` is evaluated at all."""
        tests = [
            one.left if isinstance(one, Binary) else one.condition
            for one in within(expr)
            if isinstance(one, Conditional) or (isinstance(one, Binary) and one.operator in {"&&", "||"})
        ]
        changes = any(isinstance(one, Assign) for one in within(expr)) if tests else False
        for test in tests:
            if not changes or not names(test):
                self._decide(test, self.failures.value(test, state, self.function))

    def _effects(self, expr: Expr, state: State) -> None:
        """Assignments inside an expression, in C's order as far as it has one."""
        for one in _inside_out(expr):
            match one:
                case Assign(operator="=", target=target, value=value):
                    self._put(state, target, self.failures.value(value, state, self.function))
                case Assign(operator=operator, target=target, value=value):
                    whole = Binary(operator[:-1], target, value, one.line, one.column)
                    self._put(state, target, self.failures.value(whole, state, self.function))
                case Unary(operator="++x" | "--x" | "x++" | "x--" | "&", operand=operand):
                    self._put(state, operand, None)
                case _:
                    continue

    def _put(self, state: State, target: Expr, value: Value | None) -> None:
        """Remember or forget what a place holds, and forget what is named by means of it."""
        if not isinstance(target, Name | Member | Index):
            return
        text = self.program.text(target)
        if isinstance(target, Name):
            named = re.compile(rf"\b{re.escape(target.name)}\b")
            for other in [other for other in state if named.search(other)]:
                del state[other]
        state.pop(text, None)
        if value is not None and (value.derived or isinstance(target, Name)):
            state[text] = value


def _inside_out(expr: Expr) -> Iterator[Expr]:
    """The parts of an expression before the expression itself."""
    waiting: list[tuple[Expr, bool]] = [(expr, False)]
    while waiting:
        one, done = waiting.pop()
        if done:
            yield one
        else:
            waiting.append((one, True))
            waiting.extend((part, False) for part in reversed(parts(one)))


def _jumped_back_to(function: Function) -> frozenset[str]:
    """Labels that a goto further down leads back to."""
    seen: set[str] = set()
    found: set[str] = set()
    for one in statements(function.body):
        if isinstance(one, Label):
            seen.add(one.name)
        elif isinstance(one, Jump) and one.kind == "goto" and one.label in seen:
            found.add(one.label)
    return frozenset(found)


def _hands_on(body: tuple[Stmt, ...]) -> bool:
    """Does a failing side tell the caller: a value returned, or a goto to where one is?"""
    return any(
        (isinstance(one, Return) and one.value is not None) or (isinstance(one, Jump) and one.kind == "goto")
        for one in statements(body)
    )


def _says_error(body: tuple[Stmt, ...]) -> bool:
    """Does a body say which error it was: `errno = ...`, `return EINVAL`, `return -EINVAL`?"""
    for one in statements(body):
        value = one.value if isinstance(one, Return) else None
        while isinstance(value, Unary):
            value = value.operand
        if isinstance(value, Name) and ERROR_NAME.fullmatch(value.name):
            return True
        for expr in expressions(one):
            if isinstance(expr, Assign) and isinstance(expr.target, Name) and expr.target.name == "errno":
                return True
    return False


def _assigned(body: tuple[Stmt, ...]) -> set[str]:
    """The names that a body assigns."""
    return {
        part.target.name
        for one in statements(body)
        for expr in expressions(one)
        for part in within(expr)
        if isinstance(part, Assign) and isinstance(part.target, Name)
    }
