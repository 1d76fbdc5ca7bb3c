"""How a role gets to a place: every way of calls, with the loops around them and what was passed.

A function that creates threads and is called twice creates twice as many; what a wrapper starts, and how often its loop
goes round, depends on who calls it. Rules of this file: recursion is gone through once; where there are too many ways,
`Ways.complete` is false and nobody may count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from cllm_sim.auditor.facts import Expr, Function, Name, Site
from cllm_sim.auditor.locations import Bindings
from cllm_sim.auditor.outline import Branch, Event, Repeat, Select, Seq, children

Key = tuple[str, int]
"""Which function: `Function.key` (names repeat, and so do lines)."""

WAYS_MAX = 12
STEPS_MAX = 2000


class Guard(NamedTuple):
    """A condition around a place, which side of it the place is on, and how many loops are outside of the condition."""

    condition: Expr
    side: bool
    loops: int


@dataclass(frozen=True, slots=True)
class Placed:
    """An event with the loops and conditions around it in its function, outermost first."""

    event: Event
    loops: tuple[Repeat, ...]
    guards: tuple[Guard, ...] = ()


class Level(NamedTuple):
    """One function on a way: where in it the way goes on, and what its parameters were given."""

    function: Function
    placed: Placed
    bindings: Bindings


class Way(NamedTuple):
    """From an entry to a place, outermost function first; the last level is the place itself."""

    levels: tuple[Level, ...]

    @property
    def how(self) -> tuple[Site, ...]:
        """The call sites, outermost first."""
        return tuple(level.placed.event.site for level in self.levels[:-1])


class Ways(NamedTuple):
    """The ways to a place; not all of them where there are too many."""

    found: tuple[Way, ...]
    complete: bool


Callers = dict[Key, list[tuple[Function, Placed]]]
"""Who calls a function: the calling function and the call, among the functions of one role."""


def ways_to(function: Function, placed: Placed, entries: tuple[Function, ...], callers: Callers) -> Ways:
    """All ways from a role's entries to a place in one of its functions, the shortest first."""
    first = {entry.key for entry in entries}
    waiting: deque[tuple[tuple[Function, Placed], ...]] = deque([((function, placed),)])
    found: list[Way] = []
    for _ in range(STEPS_MAX):
        if not waiting or len(found) > WAYS_MAX:
            break
        chain = waiting.popleft()
        outermost = chain[0][0]
        if outermost.key in first:
            found.append(_way(chain))
        seen = {one.key for one, _ in chain}
        for caller, call in callers.get(outermost.key, ()):
            if caller.key not in seen:
                waiting.append(((caller, call), *chain))
    return Ways(tuple(found[:WAYS_MAX]), not waiting and len(found) <= WAYS_MAX)


def _way(chain: tuple[tuple[Function, Placed], ...]) -> Way:
    levels: list[Level] = []
    bindings: Bindings = {}
    for position, (function, placed) in enumerate(chain):
        levels.append(Level(function, placed, bindings))
        if position + 1 < len(chain):
            bindings = _given(chain[position + 1][0], placed.event, function, bindings)
    return Way(tuple(levels))


def _given(callee: Function, call: Event, caller: Function, outer: Bindings) -> Bindings:
    arguments = () if call.call is None else call.call.arguments
    return {
        parameter.name: outer.get(value.name, (value, caller)) if isinstance(value, Name) else (value, caller)
        for parameter, value in zip(callee.parameters, arguments, strict=False)
    }


def placed_events(body: Seq, loops: tuple[Repeat, ...] = (), guards: tuple[Guard, ...] = ()) -> Iterator[Placed]:
    """The events of an outline in the order of the text, each with the loops and conditions around it."""
    for node in body:
        match node:
            case Event():
                yield Placed(node, loops, guards)
            case Repeat():
                yield from placed_events(node.start, loops, guards)
                for part in (node.test, node.body, node.step):
                    yield from placed_events(part, (*loops, node), guards)
            case Branch():
                for part, side in ((node.then, True), (node.other, False)):
                    yield from placed_events(part, loops, (*guards, Guard(node.condition, side, len(loops))))
            case Select():
                guard = Guard(node.subject, True, len(loops))
                for _, part, _ in node.cases:
                    yield from placed_events(part, loops, (*guards, guard))
            case _:
                yield from placed_events(children(node), loops, guards)
