"""The vocabulary: what a text may yield, and the handles with which it names shared objects.

A text is a generator of operations (`Steps`). It yields one `Op` and is sent one `int`; nothing else passes between a
text and its interpreter. An operation names its object relatively (`me.segment`, `up.batch`, `down.each.segment`), so
all leaves of a tree share one text and one automaton; `compose.py` binds the names to objects, once per actor.

Rules of this file: operations are immutable and interned (the same call returns the same object, so that an interpreter
can keep a table from operation to action). An access is never also a synchronisation. Whether an operation can block is
visible in `RULES`. What an operation *means* stands in `semantics.py` and nowhere else; keep `docs/operations.md` in
step.
"""

import copy
import sys
import typing
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Generic, NamedTuple, Self, TypeVar

from cllm_sim.errors import BadArchitecture

BATCH, EPOCH, STOP = 1, 2, 3
"""The orders: process one batch, cross the end of an epoch, leave."""

CHOICE_NAMES = {BATCH: "batch", EPOCH: "epoch", STOP: "stop"}


class Place(NamedTuple):
    """A line of a user's file."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Verb(StrEnum):
    """What an operation does to its object."""

    WAIT = "wait"
    ACQUIRE = "acquire"
    RELEASE = "release"
    SLEEP = "sleep"
    NOTIFY = "notify"
    NOTIFY_ALL = "notify_all"
    DOWN = "down"
    UP = "up"
    LOAD = "load"
    STORE = "store"
    ADD = "add"
    EXCHANGE = "exchange"
    AWAIT = "await"
    READ = "read"
    WRITE = "write"
    COMPUTE = "compute"
    FOLD = "fold"
    UPDATE = "update"
    CHOOSE = "choose"
    JOIN = "join"
    NEXT = "next"
    DESTROY = "destroy"


class Rule(NamedTuple):
    """The properties of a verb that interpreters may rely on without asking for its meaning."""

    blocks: bool
    plain: bool
    cost_key: str


RULES: dict[Verb, Rule] = {
    Verb.WAIT: Rule(True, False, "wait"),
    Verb.ACQUIRE: Rule(True, False, "acquire"),
    Verb.RELEASE: Rule(False, False, "release"),
    Verb.SLEEP: Rule(True, False, "sleep"),
    Verb.NOTIFY: Rule(False, False, "notify"),
    Verb.NOTIFY_ALL: Rule(False, False, "notify"),
    Verb.DOWN: Rule(True, False, "down"),
    Verb.UP: Rule(False, False, "up"),
    Verb.LOAD: Rule(False, False, "atomic"),
    Verb.STORE: Rule(False, False, "atomic"),
    Verb.ADD: Rule(False, False, "atomic"),
    Verb.EXCHANGE: Rule(False, False, "atomic"),
    Verb.AWAIT: Rule(True, False, "await"),
    Verb.READ: Rule(False, True, "plain"),
    Verb.WRITE: Rule(False, True, "plain"),
    Verb.COMPUTE: Rule(False, True, "compute"),
    Verb.FOLD: Rule(False, True, "fold"),
    Verb.UPDATE: Rule(False, True, "update"),
    Verb.CHOOSE: Rule(False, False, "choose"),
    Verb.JOIN: Rule(True, False, "join"),
    Verb.NEXT: Rule(False, False, "next"),
    Verb.DESTROY: Rule(False, False, "destroy"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One operation, by relative names. Interned, so identity is equality.

    `value` is the number stored, added or awaited, or the number of parts of a fold; `expected` belongs to exchange;
    `scratch` are regions written without delivering a result in them; `options` are the choices of the environment.
    """

    verb: Verb
    on: str = ""
    value: int = 0
    expected: int = 0
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    scratch: tuple[str, ...] = ()
    options: tuple[int, ...] = ()

    def __str__(self) -> str:
        names = self.on or ", ".join((*self.reads, *(f"into {name}" for name in self.writes)))
        return f"{self.verb} {names}".strip()


Steps = Generator[Op, int, None]
"""A running text: yields operations, is sent their replies."""

Work = Callable[[int], Steps]
"""What "carry out this order" means at a node: the leaf's text, or the control's text one level down."""

_op = cache(Op)


class Kind(StrEnum):
    """What a shared object is."""

    REGION = "region"
    BARRIER = "barrier"
    MUTEX = "mutex"
    CONDITION = "condition"
    SEMAPHORE = "semaphore"
    WORD = "word"
    VARIABLE = "variable"
    CURSOR = "cursor"


def _caller() -> Place:
    """The first line outside this module on the call stack: where a user declares an object."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)


class Shared:
    """A declaration of a shared object, and after binding the handle by which a text names it."""

    kind: Kind

    def __init__(self, name: str = "", initial: int = 0) -> None:
        self.name = name
        self.initial = initial
        self.place = _caller()

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    def bound(self, name: str) -> Self:
        """The same declaration under a relative name."""
        handle = copy.copy(self)
        handle.name = name
        return handle

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"


def _function(value: Callable[[int], int], what: str) -> Callable[[int], int]:
    if not callable(value):
        raise TypeError(f"{what}: expected a function such as lambda workers: workers + 1, not {value!r}")
    return value


class Region(Shared):
    """Plain memory: weights, activations, one gradient segment."""

    kind = Kind.REGION


class Regions(Shared):
    """A family of regions indexed by number (the slots of a work queue); `count` is told the number of workers."""

    kind = Kind.REGION

    def __init__(self, count: Callable[[int], int], name: str = "") -> None:
        super().__init__(name)
        self.count = _function(count, "Regions(count)")
        self.size = 0

    def __getitem__(self, index: int) -> Region:
        if not 0 <= index < self.size:
            raise IndexError(f"{self.name}[{index}]: the family has {self.size} members")
        return Region(f"{self.name}[{index}]")


class Barrier(Shared):
    """All parties wait for one another. `parties` is told the number of workers; default: a control and its workers."""

    kind = Kind.BARRIER

    def __init__(self, parties: Callable[[int], int] = lambda workers: workers + 1, name: str = "") -> None:
        super().__init__(name)
        self.parties = _function(parties, "Barrier(parties)")

    def wait(self) -> Op:
        """Block until all parties have arrived; reply 0."""
        return _op(Verb.WAIT, self.name)

    def destroy(self) -> Op:
        """End the barrier's life; nobody may be waiting."""
        return _op(Verb.DESTROY, self.name)


class Mutex(Shared):
    """A lock with one owner."""

    kind = Kind.MUTEX

    def acquire(self) -> Op:
        """Block while somebody holds it; reply 0."""
        return _op(Verb.ACQUIRE, self.name)

    def release(self) -> Op:
        """Give it back; only the owner may; reply 0."""
        return _op(Verb.RELEASE, self.name)

    def destroy(self) -> Op:
        """End the mutex's life; nobody may hold it or wait for it."""
        return _op(Verb.DESTROY, self.name)


class Condition(Shared):
    """A condition variable; `mutex` names a mutex declared in the same scope."""

    kind = Kind.CONDITION

    def __init__(self, mutex: str, name: str = "") -> None:
        super().__init__(name)
        self.mutex = mutex

    def wait(self) -> Op:
        """Give the mutex back and sleep; go on when notified *and* the mutex is free again; reply 0."""
        return _op(Verb.SLEEP, self.name)

    def notify(self) -> Op:
        """Wake one sleeper (anyone); lost if nobody sleeps; reply 0."""
        return _op(Verb.NOTIFY, self.name)

    def notify_all(self) -> Op:
        """Wake all sleepers; reply 0."""
        return _op(Verb.NOTIFY_ALL, self.name)


class Semaphore(Shared):
    """A counter that cannot fall below zero."""

    kind = Kind.SEMAPHORE

    def down(self) -> Op:
        """Block while the counter is zero, then take one; reply 0."""
        return _op(Verb.DOWN, self.name)

    def up(self) -> Op:
        """Add one; reply 0."""
        return _op(Verb.UP, self.name)


class Word(Shared):
    """An atomic shared integer; its accesses carry order between actors."""

    kind = Kind.WORD

    def load(self) -> Op:
        """Reply the value."""
        return _op(Verb.LOAD, self.name)

    def store(self, value: int) -> Op:
        """Set the value; reply 0."""
        return _op(Verb.STORE, self.name, value)

    def add(self, delta: int) -> Op:
        """Add; reply the value before."""
        return _op(Verb.ADD, self.name, delta)

    def exchange(self, expected: int, value: int) -> Op:
        """Set the value if it is `expected`; reply the value before either way."""
        return _op(Verb.EXCHANGE, self.name, value, expected)

    def wait_until(self, value: int) -> Op:
        """Block until the value is `value`; reply it."""
        return _op(Verb.AWAIT, self.name, value)


class Variable(Shared):
    """A plain shared integer; its accesses carry no order (a C `volatile` flag is one of these)."""

    kind = Kind.VARIABLE

    def read(self) -> Op:
        """Reply the value; unordered with a write it is a race."""
        return _op(Verb.READ, self.name)

    def write(self, value: int) -> Op:
        """Set the value; unordered with any other access it is a race; reply 0."""
        return _op(Verb.WRITE, self.name, value)


AnyRegion = Region | Regions


def _names(regions: AnyRegion | Sequence[AnyRegion]) -> tuple[str, ...]:
    if isinstance(regions, Region | Regions):
        return (regions.name,)
    return tuple(region.name for region in regions)


def compute(reads: AnyRegion | Sequence[AnyRegion], into: Region, using: AnyRegion | Sequence[AnyRegion] = ()) -> Op:
    """Forward and backward over the actor's slots: reads weights, writes gradients `into`, `using` scratch memory."""
    return _op(Verb.COMPUTE, reads=_names(reads), writes=(into.name,), scratch=_names(using))


def fold(reads: AnyRegion | Sequence[AnyRegion], into: Region, parts: int = 1) -> Op:
    """Add up gradients in slot order; with `parts` = n, the caller adds up its own slice n callers make the whole."""
    return _op(Verb.FOLD, value=parts, reads=_names(reads), writes=(into.name,))


def update(reads: AnyRegion | Sequence[AnyRegion], into: Region) -> Op:
    """Validate, clip and apply the gradient to the weights: the end of a step."""
    return _op(Verb.UPDATE, reads=_names(reads), writes=(into.name,))


def choose(*options: int) -> Op:
    """Let the environment decide; reply one of the options."""
    if not options:
        raise ValueError("choose() needs at least one option")
    return _op(Verb.CHOOSE, options=options)


def join(actor: str) -> Op:
    """Block until the named actor has finished; reply 0."""
    return _op(Verb.JOIN, f"actor.{actor}")


def declared(scope: type) -> dict[str, Shared]:
    """The objects that a scope class declares, base classes first, in the order of the text."""
    found: dict[str, Shared] = {}
    for base in reversed(scope.__mro__):
        found.update({name: value for name, value in vars(base).items() if isinstance(value, Shared)})
    return found


class Scope:
    """A place of declaration. On creation every declared object is bound to the name `<prefix>.<name>`."""

    def __init__(self, prefix: str, workers: int = 0) -> None:
        self._prefix = prefix
        for name, declaration in declared(type(self)).items():
            handle = declaration.bound(f"{prefix}.{name}")
            if isinstance(handle, Regions):
                handle.size = handle.count(workers)
            setattr(self, name, handle)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._prefix}>"


class Seat(Scope):
    """What every node has one of; its `segment` is the gradient it delivers (the root's is the total)."""

    segment = Region()


S = TypeVar("S", bound=Seat)


class Team(Scope, Generic[S]):
    """What every control shares with its children.

    `each` names all children's seats at once, `at` the child under the cursor, `owner` the control's own seat and
    `seats` the children's seats one by one in index order (which ties a text to indices and switches symmetry off for
    the crew).
    """

    each: S
    at: S
    owner: S
    seats: list[S]
    workers: int

    def __init__(self, prefix: str, workers: int = 0) -> None:
        super().__init__(prefix, workers)
        seat = seat_class(type(self))
        self.workers = workers
        self.each = seat(f"{prefix}.each")
        self.at = seat(f"{prefix}.at")
        self.owner = seat(f"{prefix}.owner")
        self.seats = [seat(f"{prefix}.{index}") for index in range(workers)]

    def next(self) -> Op:
        """Move the cursor to the next child; reply 1, or 0 after the last one (then it starts anew)."""
        return _op(Verb.NEXT, f"{self._prefix}.cursor")


def seat_class(team: type) -> type[typing.Any]:
    """The seat that a team is declared for: `class Crew(Team[Desk])` has desks; plain `Team` has `Seat`."""
    for base in team.__mro__:
        for parent in getattr(base, "__orig_bases__", ()):
            arguments = typing.get_args(parent)
            if arguments and isinstance(arguments[0], type) and issubclass(arguments[0], Seat):
                return arguments[0]
    return Seat


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one actor waits for: the object (or actor) and, in words, what would have to happen."""

    actor: str
    on: str
    needs: str
    place: Place | None = field(default=None)


def expected_operation(value: object, place: Place) -> BadArchitecture:
    """The error for a text that yields something that is no operation."""
    shown = repr(value)
    kind = type(value).__name__
    hint = " (a method without its parentheses?)" if callable(value) else ""
    return BadArchitecture(
        f"{place}: yielded {shown[:60]} ({kind}){hint}; expected an operation such as team.batch.wait()"
    )
