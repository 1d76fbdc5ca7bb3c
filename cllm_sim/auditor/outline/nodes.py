"""The outline of a function: what it does to shared things, in the structure in which C says it.

An outline is a sequence of nodes. Evaluation is spelled out: the events of a condition stand before its `Branch`, those
of a loop's condition in `Repeat.test`. Assignments to plain locals are `Set` nodes, because protocols keep orders and
flags in them. Rules of this file: immutable values; nothing here knows threads or roles.
"""

from __future__ import annotations

from dataclasses import dataclass

from cllm_sim.auditor.facts import Call, Expr, Function, Site
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.vocabulary import Act, Kind


@dataclass(frozen=True, slots=True)
class Event:
    """One thing done: a synchronisation, an access, or a call.

    `target` is the object or memory (None where it cannot be named), `expression` how it is written. `value` is the
    count of a barrier's initialisation, a semaphore's initial value, the value stored or written (with `operator`,
    e.g. "=", "+=", "++"), a size. `partner` is the mutex of a condition, the handle of a thread that is created.
    A CALL has `callees` (definitions it may mean; none for a function that is not in the sources). `entries` are the
    functions a creation may start, `argument` what is passed to them. `passed` marks a read that only stands for
    "handed to a function that is not in the sources". `modes` are the arguments that say how a region may be used.
    """

    act: Act
    kind: Kind
    target: Location | None
    site: Site
    expression: Expr | None = None
    value: Expr | None = None
    operator: str = ""
    partner: Location | None = None
    call: Call | None = None
    name: str = ""
    callees: tuple[Function, ...] = ()
    entries: tuple[Function, ...] = ()
    argument: Expr | None = None
    modes: tuple[Expr, ...] = ()
    passed: bool = False


@dataclass(frozen=True, slots=True)
class Set:
    """`name operator value` for a plain local or parameter; `value` None means something that is not followed."""

    name: str
    operator: str
    value: Expr | None
    site: Site


@dataclass(frozen=True, slots=True)
class Branch:
    """`if`; the events of the condition stand before it. `failure` says which side only handles a library's failure.

    "then", "other" or "": a test of the result of a call of the library (or of a function of the program that hands
    on such a result) against 0, NULL, -1 or a success code, whose one side leaves.
    """

    condition: Expr
    then: Seq
    other: Seq
    site: Site
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A loop. `test` are the events of the condition (before each round; after it for kind "do"); `step` of a for."""

    kind: str
    test: Seq
    condition: Expr | None
    body: Seq
    step: Seq
    site: Site
    start: Seq = ()


@dataclass(frozen=True, slots=True)
class Select:
    """`switch`: cases in order, each with its value (None: default) and body; control falls through as in C."""

    subject: Expr
    cases: tuple[tuple[Expr | None, Seq, Site], ...]
    site: Site


@dataclass(frozen=True, slots=True)
class Leave:
    """`return` (with its value), `break`, `continue`, or `goto label`."""

    kind: str
    site: Site
    label: str = ""
    value: Expr | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A label."""

    name: str
    site: Site


@dataclass(frozen=True, slots=True)
class Either:
    """Conditional compilation: exactly one of the branches is in the program."""

    branches: tuple[tuple[str, Seq], ...]
    site: Site


Node = Event | Set | Branch | Repeat | Select | Leave | Mark | Either
Seq = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """One function's outline."""

    function: Function
    body: Seq


def events(body: Seq) -> list[Event]:
    """All events of an outline, in the order of the text."""
    found: list[Event] = []
    stack = [*reversed(body)]
    while stack:
        node = stack.pop()
        if isinstance(node, Event):
            found.append(node)
        else:
            stack.extend(reversed(children(node)))
    return found


def children(node: Node) -> Seq:
    """The nodes directly inside a node, in the order of the text."""
    match node:
        case Branch(then=then, other=other):
            return then + other
        case Repeat(test=test, body=body, step=step, start=start):
            return start + test + body + step
        case Select(cases=cases):
            return tuple(inner for _, body, _ in cases for inner in body)
        case Either(branches=branches):
            return tuple(inner for _, body in branches for inner in body)
        case _:
            return ()
