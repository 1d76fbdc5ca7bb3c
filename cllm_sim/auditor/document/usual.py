"""The number a count usually is: its value, or the one constant that the program gives it as a default.

`pool->num_threads` comes from `options->num_threads`, which is THREADS_DEFAULT unless the user of the program says
otherwise: usually 12. Rules of this file: an answer only where all constants on the way are one number; it is used to
say how many workers to try, never as evidence.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.facts import Cast, Conditional, Expr, Function, Member, Name
from cllm_sim.auditor.locations import Locations
from cllm_sim.auditor.program import Count

DEPTH_MAX = 8


def usual(locations: Locations, count: Count | None) -> int | None:
    """The number that a count usually is; None where that cannot be told."""
    if count is None:
        return None
    program = locations.program
    followed = program.followed(count)
    if followed.value is not None:
        return followed.value
    if len(followed.terms) != 1 or followed.terms[0][1] != 1:
        return None
    found = set(_defaults(locations, followed.terms[0][0], 0, set()))
    return found.pop() + followed.constant if len(found) == 1 else None


def _defaults(locations: Locations, symbol: str, depth: int, seen: set[str]) -> Iterator[int]:
    if depth > DEPTH_MAX or symbol in seen:
        return
    seen.add(symbol)
    for value, function in locations.program.assignments.get(symbol, ()):
        yield from _constants(locations, value, function, depth + 1, seen)


def _constants(locations: Locations, value: Expr, function: Function, depth: int, seen: set[str]) -> Iterator[int]:
    while isinstance(value, Cast):
        value = value.operand
    number = locations.program.constant(value, function, function.path)
    if number is not None:
        yield number
    elif isinstance(value, Conditional):
        yield from _constants(locations, value.then, function, depth + 1, seen)
        yield from _constants(locations, value.other, function, depth + 1, seen)
    elif isinstance(value, Member | Name):
        location = locations.of(value, function)
        if location is not None:
            yield from _defaults(locations, location.label, depth + 1, seen)
