"""Runs the arithmetic of one worker with real numbers, to see which elements of which buffer it writes.

A small interpreter of C integers and pointers into buffers: the worker's entry is run for worker 0, 1, ...; members are
worth what their makers assigned in round 0, 1, ... of the loop that makes the workers. Long loops are run for their
first, second and last round, from which the run of elements follows. Rules of this file: what is not known is None, and
nothing is concluded from it; both arms of an unknown condition are run; a limit ends every run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Block,
    Call,
    Case,
    Declare,
    Do,
    Expr,
    Function,
    If,
    InitialList,
    Jump,
    Loop,
    Name,
    Number,
    Return,
    Site,
    SizeOf,
    Stmt,
    Switch,
    TypeName,
    Unary,
    Variants,
)
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.segments_values import (
    Frame,
    GiveUp,
    Pointer,
    Value,
    Valuer,
    merged,
)
from cllm_sim.auditor.traverse import assigned_locals, expressions, statements, within
from cllm_sim.auditor.vocabulary import KNOWN

STEPS_MAX = 6_000
"""Statements of one run: of the worker's entry, or of a function that makes what it uses."""

STEPS_IN_ALL_MAX = 40_000
"""Statements of one worker with all that was run to find its values; what would need more is not known."""

DEPTH_MAX = 8
ROUNDS_WHOLE = 4
STEPPING = frozenset({"x++", "++x", "x--", "--x"})


class Run(NamedTuple):
    """Elements first, first + stride, ... last of a buffer."""

    first: int
    last: int
    stride: int

    def meets(self, other: Run) -> bool:
        """Do two runs have an element in common?"""
        if self.last < other.first or other.last < self.first:
            return False
        if self.stride <= 1 or other.stride <= 1:
            return True
        return self.stride == other.stride and (self.first - other.first) % self.stride == 0


@dataclass(frozen=True, slots=True)
class Written:
    """Elements that a worker writes at one place."""

    site: Site
    expression: Expr
    buffer: str
    run: Run


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Return(Exception):
    def __init__(self, value: Value) -> None:
        self.value = value


class _Reached(Exception):
    def __init__(self, value: Value) -> None:
        self.value = value


@dataclass(slots=True)
class _Seen:
    """The elements seen in the rounds of a loop, by place."""

    rounds: list[dict[tuple[Site, str], tuple[Expr, int]]] = field(default_factory=list)


class Machine(Valuer):
    """One worker of one role."""

    def __init__(self, analysis: Analysis, role: Role, number: int, workers: int, unknown: int) -> None:
        super().__init__(analysis, role, number, workers, unknown)
        self.written: list[Written] = []
        self._seen: list[_Seen] = []
        self._steps = 0
        self._steps_in_all = 0
        self._target: Expr | None = None
        self._holds: dict[tuple[int, int], tuple[Stmt, Expr, bool]] = {}  # what is kept keeps its identity
        self._rounds: list[int] = []
        self._depth = 0

    def run(self) -> list[Written]:
        """What the worker writes."""
        entry = self.role.entries[0]
        frame = Frame(entry)
        for parameter in entry.parameters[:1]:
            frame.locals[parameter.name] = self.argument()
        try:
            self._body(entry.body, frame)
        except (GiveUp, _Return, _Break, _Continue, RecursionError):
            pass
        return self.written

    # ------------------------------------------------------------------------------------------------ asked from below
    def at(self, function: Function, target: Expr) -> Value:
        """The value of an expression of a making function, in this worker's round of the loop around it."""
        if self._depth > DEPTH_MAX or not function.name:
            return None
        outer, rounds, steps = self._target, self._rounds, self._steps
        self._target, self._rounds, self._steps = target, [], 0
        self._depth += 1
        try:
            self._body(function.body, self._made_frame(function))
        except _Reached as reached:
            return reached.value
        except (GiveUp, _Return, _Break, _Continue, RecursionError):
            return None
        finally:
            self._target, self._rounds, self._steps = outer, rounds, steps
            self._depth -= 1
        return None

    def _made_frame(self, function: Function) -> Frame:
        """A frame whose parameters are what the one caller passes (asked for when they are needed)."""
        frame = Frame(function)
        callers = self.analysis.callables.callers(function.name)
        if len(callers) == 1:
            call, caller = callers[0]
            for parameter, argument in zip(function.parameters, call.arguments, strict=False):
                frame.asked[parameter.name] = (caller, argument)
        return frame

    def call(self, call: Call, frame: Frame) -> Value:
        """The value of a call of a function of the program."""
        name = call.function.name if isinstance(call.function, Name) else ""
        callees = self.program.lookup(name, frame.function.path) if name else ()
        if not callees:
            self._copied(name, call, frame)
            return self.allocated(call, frame)
        arguments = [self.value(one, frame) for one in call.arguments]
        if len(callees) != 1 or self._depth > DEPTH_MAX or (self._target is not None and not _small(callees[0])):
            return None
        inner = Frame(callees[0])
        for parameter, value in zip(callees[0].parameters, arguments, strict=False):
            inner.locals[parameter.name] = value
        self._depth += 1
        target, self._target = self._target, None
        try:
            self._body(callees[0].body, inner)
        except _Return as returned:
            return returned.value
        except (_Break, _Continue):
            return None
        finally:
            self._depth -= 1
            self._target = target
        return None

    def _copied(self, name: str, call: Call, frame: Frame) -> None:
        """`memset(part, 0, n * sizeof *part)`: writes as many elements."""
        known = KNOWN.get(name)
        if known is None or not known.writes or self._target is not None or len(call.arguments) < 3:
            return
        pointer = self.value(call.arguments[known.writes[0]], frame)
        size = call.arguments[-1]
        if not isinstance(pointer, Pointer) or not isinstance(size, Binary) or size.operator != "*":
            return
        count = size.left if isinstance(size.right, SizeOf) else size.right
        elements = self.value(count, frame)
        if isinstance(elements, int) and elements > 0:
            site = Site(frame.function.path, call.line, call.column)
            run = Run(pointer.element, pointer.element + elements - 1, 1)
            self.written.append(Written(site, call.arguments[known.writes[0]], pointer.buffer, run))

    def touch(self, expr: Expr, buffer: str, element: int | None, frame: Frame) -> None:
        """An element is written."""
        if self._target is not None or element is None:
            return
        site = Site(frame.function.path, expr.line, expr.column)
        if self._seen:
            self._seen[-1].rounds[-1][site, buffer] = (expr, element)
        else:
            self.written.append(Written(site, expr, buffer, Run(element, element, 1)))

    # ---------------------------------------------------------------------------------------------------- statements
    def _body(self, body: tuple[Stmt, ...], frame: Frame) -> None:
        for one in body:
            self._statement(one, frame)

    def _statement(self, one: Stmt, frame: Frame) -> None:
        self._steps += 1
        self._steps_in_all += 1
        if self._steps > STEPS_MAX or self._steps_in_all > STEPS_IN_ALL_MAX:
            raise GiveUp
        if self._target is not None:
            self._look(one, frame)
        match one:
            case Do(expression=expression):
                self.value(expression, frame)
            case Declare():
                self._declare(one, frame)
            case Block(body=body):
                self._body(body, frame)
            case If():
                self._if(one, frame)
            case Loop():
                self._loop(one, frame)
            case Switch(cases=cases):
                self._cases(cases, frame)
            case Return(value=value):
                raise _Return(None if value is None else self.whole(value, frame))
            case Jump(kind="break"):
                raise _Break
            case Jump(kind="continue"):
                raise _Continue
            case Jump():
                raise GiveUp
            case Variants(branches=branches):
                self._body(branches[0][1], frame)
            case _:
                pass

    def _look(self, one: Stmt, frame: Frame) -> None:
        """Is the statement the one that was asked for, in the right round?"""
        if self._rounds and self._rounds[-1] != self.number:
            return
        assert self._target is not None
        asked = id(one), id(self._target)
        if asked not in self._holds:
            found = any(part == self._target for expr in expressions(one) for part in within(expr))
            self._holds[asked] = one, self._target, found
        if self._holds[asked][2]:
            raise _Reached(self.whole(self._target, frame))

    def _declare(self, one: Declare, frame: Frame) -> None:
        if "static" in one.type.qualifiers or one.initial is None:
            return
        if isinstance(one.initial, InitialList):
            for name, value in self.listed(one.initial, one.type, frame).items():
                frame.locals[f"{one.name}.{name}"] = value
            return
        frame.store(one.name, self.whole(one.initial, frame))

    def _if(self, one: If, frame: Frame) -> None:
        condition = self.value(one.condition, frame)
        if isinstance(condition, int):
            self._body(one.then if condition else one.other, frame)
            return
        before = dict(frame.locals)
        ended = []
        outcomes: list[dict[str, Value]] = []
        for arm in (one.then, one.other):
            frame.locals = dict(before)
            try:
                self._body(arm, frame)
                outcomes.append(frame.locals)
            except (_Return, _Break, _Continue) as leaving:
                ended.append(leaving)
        if not outcomes:
            raise ended[-1]
        frame.locals = merged(outcomes)

    def _cases(self, cases: tuple[Case, ...], frame: Frame) -> None:
        before = dict(frame.locals)
        outcomes: list[dict[str, Value]] = []
        for case in cases:
            frame.locals = dict(before)
            try:
                self._body(case.body, frame)
                outcomes.append(frame.locals)
            except _Break:
                outcomes.append(frame.locals)
            except (_Return, _Continue):
                pass
        frame.locals = merged(outcomes or [before])

    # --------------------------------------------------------------------------------------------------------- loops
    def _loop(self, one: Loop, frame: Frame) -> None:
        for start in one.start:
            self._statement(start, frame)
        self._rounds.append(0)
        self._seen.append(_Seen())
        try:
            rounds = self._known_rounds(one, frame)
            if rounds is None:
                self._unknown_rounds(one, frame)
            else:
                self._counted(one, frame, *rounds)
        finally:
            self._rounds.pop()
            seen = self._seen.pop()
        self._conclude(seen, rounds[1] if rounds is not None else 1)

    def _known_rounds(self, one: Loop, frame: Frame) -> tuple[str, int] | None:
        """The counter and the number of rounds of a loop that counts up by one."""
        found = counter_of(one)
        if found is None:
            return None
        name, limit, inclusive = found
        first, last = frame.locals.get(name), self.value(limit, frame)
        if not isinstance(first, int) or not isinstance(last, int):
            return None
        return name, max(0, last - first + inclusive)

    def _counted(self, one: Loop, frame: Frame, name: str, rounds: int) -> None:
        first = frame.locals[name]
        assert isinstance(first, int)
        if self._target is not None:
            chosen: list[int] = list(range(min(rounds, self.number + 1)))
        else:
            chosen = list(range(rounds)) if rounds <= ROUNDS_WHOLE else [0, 1, rounds - 1]
        changed = _changed(one.body) - {name}
        for at in chosen:
            if at > 1 and rounds > ROUNDS_WHOLE and self._target is None:
                frame.locals.update(dict.fromkeys(changed & set(frame.locals)))
            frame.locals[name] = first + at
            self._rounds[-1] = at
            self._seen[-1].rounds.append({})
            try:
                self._body(one.body, frame)
            except _Continue:
                pass
            except _Break:
                break
        if rounds > ROUNDS_WHOLE:
            frame.locals.update(dict.fromkeys(changed & set(frame.locals)))
        frame.locals[name] = first + rounds

    def _unknown_rounds(self, one: Loop, frame: Frame) -> None:
        """One round, with what the loop changes unknown."""
        changed = _changed(one.body) | (_changed((Do(one.step, one.line),)) if one.step is not None else set())
        steady = {name: value for name, value in frame.locals.items() if name not in changed}
        self._seen[-1].rounds.append({})
        if one.condition is None or self._target is not None:
            frame.locals = {**frame.locals, **steady}
        else:
            frame.locals = {**frame.locals, **dict.fromkeys(changed & set(frame.locals))}
        try:
            self._body(one.body, frame)
        except (_Break, _Continue):
            pass
        frame.locals.update(dict.fromkeys(changed & set(frame.locals)))

    def _conclude(self, seen: _Seen, rounds: int) -> None:
        """Runs of elements from what the first, second and last round wrote; handed to the loop around otherwise."""
        if not seen.rounds:
            return
        for (site, buffer), (expr, first) in seen.rounds[0].items():
            all_of_it = [found.get((site, buffer)) for found in seen.rounds]
            if len(all_of_it) == 1:
                if self._seen and rounds == 1:
                    self._seen[-1].rounds[-1][site, buffer] = (expr, first)
                else:
                    self.written.append(Written(site, expr, buffer, Run(first, first, 1)))
                continue
            elements = [one[1] for one in all_of_it if one is not None]
            stride = elements[1] - elements[0] if len(elements) > 1 else 0
            if len(elements) == len(all_of_it) and elements[-1] - first == stride * (rounds - 1) and stride >= 0:
                self.written.append(Written(site, expr, buffer, Run(first, elements[-1], max(1, stride))))


def counter_of(one: Loop) -> tuple[str, Expr, int] | None:
    """The counter of `for (...; i < limit; i++)`, the limit, and 1 if it is included."""
    condition = one.condition
    if not isinstance(condition, Binary) or condition.operator not in {"<", "<=", "!="}:
        return None
    if not isinstance(condition.left, Name):
        return None
    name = condition.left.name
    match one.step:
        case Unary(operator="x++" | "++x", operand=Name(name=found)) if found == name:
            pass
        case Assign(operator="+=", target=Name(name=found), value=Number(value=1)) if found == name:
            pass
        case _:
            return None
    return name, condition.right, int(condition.operator == "<=")


def _changed(body: tuple[Stmt, ...]) -> set[str]:
    """The names that a body assigns."""
    whole = Function("", "", 0, 0, TypeName("void"), (), body, True)
    counted = {
        part.operand.name
        for one in statements(body)
        for expr in expressions(one)
        for part in within(expr)
        if isinstance(part, Unary) and part.operator in STEPPING and isinstance(part.operand, Name)
    }
    declared = {one.name for one in statements(body) if isinstance(one, Declare)}
    return (set(assigned_locals(whole)) | counted) - declared


def _small(function: Function) -> bool:
    return sum(1 for _ in statements(function.body)) <= 12
