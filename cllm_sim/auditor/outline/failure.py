"""Which branches only handle the failure of a library call, so that rules can leave them out.

`if (pthread_create(...) != 0) goto fail;` says nothing about the protocol. A test counts when what it tests is the
result of a call that makes or opens something (or of a function of the program that may hand on such a failure), and
the condition, evaluated for success, decides it. The assumption "these calls succeed" is listed in every result.
"""

from __future__ import annotations

from collections.abc import Callable

from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Do,
    Expr,
    Function,
    If,
    Index,
    Jump,
    Member,
    Name,
    Number,
    Return,
    Stmt,
    Unary,
)
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.traverse import assigned_locals, calls, expressions, parts, statements, within
from cllm_sim.auditor.vocabulary import KNOWN, Act

FALLIBLE_ACTS = frozenset({
    Act.INIT, Act.CREATE, Act.ALLOCATE, Act.OPEN, Act.MAP, Act.WAIT, Act.LOCK, Act.LOCK_SHARED, Act.UNLOCK, Act.JOIN,
    Act.DOWN, Act.UP, Act.DESTROY, Act.NOTIFY, Act.NOTIFY_ALL, Act.DETACH, Act.UNMAP, Act.UNLINK, Act.SLEEP,
})  # fmt: skip
FALLIBLE_NAMES = frozenset(
    "fopen open ftruncate strdup strndup fdopen socket bind listen pipe signal sigaction sysconf atexit setvbuf "
    "pthread_attr_init pthread_barrierattr_init pthread_mutexattr_init pthread_condattr_init stat fstat lseek".split()
)
ENDING = frozenset({"exit", "_exit", "abort", "_Exit", "pthread_exit", "thrd_exit", "err", "errx", "perror"})
NONNULL = 4096
CONSTANTS = {
    "NULL": 0, "false": 0, "true": 1, "MAP_FAILED": -1, "thrd_success": 0, "EXIT_SUCCESS": 0, "EXIT_FAILURE": 1,
    "SEM_FAILED": 0, "PTHREAD_BARRIER_SERIAL_THREAD": -1, "thrd_error": 2, "thrd_nomem": 3, "EINTR": 4, "errno": 4,
}  # fmt: skip
DEPTH_MAX = 6


class Failures:
    """Decides for one program; remembers which of its functions may hand on a failure."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._fallible: dict[tuple[str, int], bool] = {}
        self._origins: dict[tuple[str, int], dict[str, Call]] = {}

    def side(self, one: If, function: Function) -> str:
        """ "then" or "other" where that side only handles a failure, else ""."""
        decided = self.under_success(one.condition, function)
        if decided is None:
            return ""
        failing, going_on = ("other", one.then) if decided else ("then", one.other)
        if leaves(going_on) and not leaves(one.other if decided else one.then):
            return "then" if decided else "other"
        return failing if (one.other if decided else one.then) or not decided else ""

    def under_success(self, condition: Expr, function: Function) -> bool | None:
        """The condition's value when all calls it tests succeed; None when it tests anything else."""
        seen: list[bool] = []

        def success(expr: Expr) -> int | None:
            value = self._success(expr, function, 0)
            seen.append(value is not None)
            return value

        value = _value(condition, success)
        return None if value is None or not any(seen) else bool(value)

    def _success(self, expr: Expr, function: Function, depth: int) -> int | None:
        """The value of an expression when the call it comes from succeeds."""
        while isinstance(expr, Cast):
            expr = expr.operand
        if isinstance(expr, Assign) and expr.operator == "=":
            return self._success(expr.value, function, depth)
        if isinstance(expr, Call):
            return self._call(expr, function, depth)
        if isinstance(expr, Name | Member | Index):
            origin = self._origin(function).get(self.program.text(expr))
            return None if origin is None else self._call(origin, function, depth)
        return None

    def _call(self, call: Call, function: Function, depth: int) -> int | None:
        name = call.function.name if isinstance(call.function, Name) else ""
        for callee in self.program.lookup(name, function.path) if name else ():
            if not self.fallible(callee, depth + 1):
                return None
            if callee.result.pointers:
                return NONNULL
            return 1 if callee.result.base in {"bool", "_Bool"} else 0
        if name in KNOWN and KNOWN[name].act in FALLIBLE_ACTS:
            act = KNOWN[name].act
            return NONNULL if act in {Act.ALLOCATE, Act.MAP} and name != "posix_memalign" else 3 * (act is Act.OPEN)
        if name in FALLIBLE_NAMES:
            return NONNULL if name in {"fopen", "strdup", "strndup", "fdopen"} else 0
        return None

    def fallible(self, function: Function, depth: int = 0) -> bool:
        """May a function hand on a library's failure: does it leave with a value where such a call failed?"""
        key = (function.path, function.line)
        if key not in self._fallible:
            self._fallible[key] = False  # a recursive one is not
            if depth < DEPTH_MAX:
                self._fallible[key] = self._hands_on(function)
        return self._fallible[key]

    def _hands_on(self, function: Function) -> bool:
        if function.result.base == "void" and not function.result.pointers:
            return False
        for one in statements(function.body):
            if isinstance(one, If) and (side := self.side(one, function)):
                body = one.then if side == "then" else one.other
                if any(isinstance(inner, Return) and inner.value is not None for inner in statements(body)):
                    return True
                if any(isinstance(inner, Jump) and inner.kind == "goto" for inner in statements(body)):
                    return True
            if isinstance(one, Return) and one.value is not None and self._returns_call(one.value, function):
                return True
        return False

    def _returns_call(self, value: Expr, function: Function) -> bool:
        """`return pthread_mutex_init(...) == 0;`, `return malloc(n);`: the failure itself is the result."""
        tested = [one for one in within(value) if isinstance(one, Call)]
        return bool(tested) and self._call(tested[0], function, DEPTH_MAX) is not None

    def _origin(self, function: Function) -> dict[str, Call]:
        """Variables and members that hold the result of a call, by their text (only where every value is a call)."""
        key = (function.path, function.line)
        if key not in self._origins:
            found: dict[str, Call | None] = {}
            for name, values in assigned_locals(function).items():
                given = [value for value in map(_uncast, values) if isinstance(value, Call)]
                others = [value for value in map(_uncast, values) if not isinstance(value, Call | Number | Name)]
                found[name] = given[0] if given and not others else None
            for text, value in self._members(function):
                given_call = _uncast(value)
                found[text] = given_call if isinstance(given_call, Call) and text not in found else None
            self._origins[key] = {name: call for name, call in found.items() if call is not None}
        return self._origins[key]

    def _members(self, function: Function) -> list[tuple[str, Expr]]:
        return [
            (self.program.text(part.target), part.value)
            for one in statements(function.body)
            for expr in expressions(one)
            for part in within(expr)
            if isinstance(part, Assign) and part.operator == "=" and isinstance(part.target, Member | Index)
        ]


def leaves(body: tuple[Stmt, ...]) -> bool:
    """Does a body end by leaving: return, goto, or the end of the thread or process?"""
    for one in statements(body):
        if isinstance(one, Return) or (isinstance(one, Jump) and one.kind == "goto"):
            return True
        if isinstance(one, Do) and any(
            isinstance(call.function, Name) and call.function.name in ENDING for call in calls((one,))
        ):
            return True
    return False


def _uncast(expr: Expr) -> Expr:
    while isinstance(expr, Cast):
        expr = expr.operand
    return expr


def _value(expr: Expr, success: Callable[[Expr], int | None], depth: int = 0) -> int | None:
    """The number an expression has when all calls in it succeed; None where something else decides."""
    if depth > DEPTH_MAX * 4:
        return None
    match expr:
        case Number(value=value):
            return value
        case Name(name=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case Unary(operator="!", operand=operand):
            inner = _value(operand, success, depth + 1)
            return None if inner is None else int(not inner)
        case Unary(operator="-", operand=operand):
            inner = _value(operand, success, depth + 1)
            return None if inner is None else -inner
        case Binary(operator=operator, left=left, right=right):
            return _binary(operator, _value(left, success, depth + 1), _value(right, success, depth + 1))
        case Cast(operand=operand) if parts(operand) or isinstance(operand, Number):
            return _value(operand, success, depth + 1)
        case _:
            return success(expr)


def _binary(operator: str, left: int | None, right: int | None) -> int | None:
    if operator == "&&" and (left == 0 or right == 0):
        return 0
    if operator == "||" and (left or right):
        return 1
    if left is None or right is None:
        return None
    table = {
        "==": left == right, "!=": left != right, "<": left < right, ">": left > right, "<=": left <= right,
        ">=": left >= right, "&&": bool(left and right), "||": bool(left or right),
    }  # fmt: skip
    return int(table[operator]) if operator in table else None
