"""Which branches only handle the failure of a library call, so that rules can leave them out.

`if (pthread_create(...) != 0) goto fail;` says nothing about the protocol. Each function is gone through once with all
calls succeeding (`outcome.py`); a test that this decides, because of what a call handed on, has a failing side. A call
with several successes (`pthread_barrier_wait`, a queue that may be empty) decides nothing. The assumption "these calls
succeed" is listed in every result.
"""

from __future__ import annotations

from cllm_sim.auditor.facts import Call, Expr, Function, Name
from cllm_sim.auditor.outline.numbers import NUMBERS_MAX, State, Value, evaluate
from cllm_sim.auditor.outline.outcome import Key, Walk, key_of
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.vocabulary import KNOWN, Act

FALLIBLE_ACTS = frozenset({
    Act.INIT, Act.CREATE, Act.ALLOCATE, Act.OPEN, Act.MAP, Act.WAIT, Act.LOCK, Act.LOCK_SHARED, Act.UNLOCK, Act.JOIN,
    Act.DOWN, Act.UP, Act.DESTROY, Act.NOTIFY, Act.NOTIFY_ALL, Act.DETACH, Act.UNMAP, Act.UNLINK, Act.SLEEP,
})  # fmt: skip
FALLIBLE_NAMES = frozenset(
    "fopen open ftruncate strdup strndup fdopen socket bind listen pipe signal sigaction sysconf atexit setvbuf "
    "pthread_attr_init pthread_barrierattr_init pthread_mutexattr_init pthread_condattr_init stat fstat lseek".split()
)
RETURN_POINTERS = frozenset({"fopen", "strdup", "strndup", "fdopen"})
NONNULL = 4096
BARRIER_PASSED = (0, -1)
"""What a barrier's wait returns where it succeeds: 0, and the serial number to one thread of each round."""
CONSTANTS = {
    "NULL": 0, "false": 0, "true": 1, "MAP_FAILED": -1, "thrd_success": 0, "EXIT_SUCCESS": 0, "EXIT_FAILURE": 1,
    "SEM_FAILED": 0, "PTHREAD_BARRIER_SERIAL_THREAD": -1, "thrd_error": 2, "thrd_nomem": 3, "EINTR": 4, "errno": 4,
}  # fmt: skip
DEPTH_MAX = 10
EXPANSIONS_MAX = 8


class Failures:
    """Decides for one program; remembers what it found out about each function."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._walks: dict[tuple[str, int], Walk | None] = {}
        self._depth = 0

    def side(self, condition: Expr, function: Function) -> str:
        """ "then" or "other" where that side of a condition only handles a failure, else ""."""
        decided = self.under_success(condition, function)
        return "" if decided is None else "other" if decided else "then"

    def under_success(self, condition: Expr, function: Function) -> bool | None:
        """The value of a condition when all calls it tests succeed; None when anything else decides."""
        walk = self.walk(function)
        return None if walk is None else walk.decided.get(key_of(self.program, condition))

    def walk(self, function: Function) -> Walk | None:
        """A function gone through with all calls succeeding; None while that is being done (recursion)."""
        key: Key = function.key
        if key not in self._walks:
            self._walks[key] = None
            self._depth += 1
            walk = Walk(self, function)
            walk.go()
            self._walks[key] = walk
            self._depth -= 1
        return self._walks[key]

    # ------------------------------------------------------------------------------------------------------- values
    def value(self, expr: Expr, state: State, function: Function) -> Value | None:
        """The numbers an expression may have when all calls in it succeed; None where something else decides."""
        return evaluate(expr, lambda one: self._source(one, state, function, 0))

    def _source(self, expr: Expr, state: State, function: Function, depth: int) -> Value | None:
        """What a name, place or call is known to be."""
        known = state.get(self.program.text(expr)) if not isinstance(expr, Call) else None
        if known is not None or depth > EXPANSIONS_MAX:
            return known
        name = expr.function if isinstance(expr, Call) else expr
        if not isinstance(name, Name):
            return None
        if isinstance(expr, Name):
            if self.program.variable(expr.name, function, function.path) is not None:
                return None
            if expr.name in CONSTANTS:
                return Value((CONSTANTS[expr.name],), False)
            constant = self.program.constant(expr, function, function.path)
            if constant is not None:
                return Value((constant,), False)
        assert isinstance(expr, Name | Call)
        expanded = self.program.expand(expr, function.path)
        if expanded is not None and not isinstance(expanded, tuple):
            return evaluate(expanded, lambda one: self._source(one, state, function, depth + 1))
        return self._call(expr, name.name, state, function, depth) if isinstance(expr, Call) else None

    def _call(self, call: Call, name: str, state: State, function: Function, depth: int) -> Value | None:
        defined = self.program.lookup(name, function.path)
        if defined:
            return self._own(defined)
        if name == "__builtin_expect" and call.arguments:
            return evaluate(call.arguments[0], lambda one: self._source(one, state, function, depth + 1))
        if name in KNOWN and KNOWN[name].act in FALLIBLE_ACTS:
            return Value(_library_success(name), True)
        if name in FALLIBLE_NAMES:
            return Value((NONNULL if name in RETURN_POINTERS else 0,), True)
        return None

    def _own(self, defined: tuple[Function, ...]) -> Value | None:
        """What functions of the program return when nothing fails."""
        if self._depth > DEPTH_MAX:
            return None
        numbers: set[int] = set()
        for callee in defined:
            walk = self.walk(callee)
            found = None if walk is None else walk.result()
            if found is None or not found.derived:
                return None
            numbers |= set(found.numbers)
        return Value(tuple(sorted(numbers)), True) if len(numbers) <= NUMBERS_MAX else None


def _library_success(name: str) -> tuple[int, ...]:
    act = KNOWN[name].act
    if act is Act.WAIT:
        return BARRIER_PASSED
    if act in {Act.ALLOCATE, Act.MAP} and name != "posix_memalign":
        return (NONNULL,)
    return (3,) if act is Act.OPEN else (0,)
