"""The semaphores of an array that is only waited on and posted at fixed places (`sems[ROOM]`): each is one of its own.

Rules of this file: one use at a place that is not known at once (`sems[i]`) makes the whole array one object again;
initialising and destroying in a loop does not. Only arrays of the whole program are told apart. What comes behind a
wait that nobody ends is never taken, and so nothing behind it races.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import Cast, Expr, Function, Index, InitialList, Name, Number, Unary
from cllm_sim.auditor.flow import Flow, Step
from cllm_sim.auditor.inventory import Initialisation, SharedObject, Use
from cllm_sim.auditor.kept import once
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.locks import blind, escapes
from cllm_sim.auditor.rules.support.locks_places import places
from cllm_sim.auditor.vocabulary import Act, Kind

_FIXED = re.compile(r"[\w@/:.-]*\[(\d+)\]\Z")


def elements(analysis: Analysis, one: SharedObject) -> dict[int, list[Use]]:
    """The uses of each semaphore of an array by its number; nothing where they cannot be told apart."""
    known = _known_elements(analysis)
    if one.location not in known:
        known[one.location] = _elements(analysis, one)
    return known[one.location]


@once
def _known_elements(_: Analysis) -> dict[Location, dict[int, list[Use]]]:
    return {}


def _elements(analysis: Analysis, one: SharedObject) -> dict[int, list[Use]]:
    if one.location.kind != "global" or one.type is None or len(one.type.arrays) != 1 or escapes(analysis, one):
        return {}
    found: dict[int, list[Use]] = {}
    for use in one.uses:
        role = analysis.roles.get(use.role)
        if role is None or use.step is None:
            return {}
        number = _number(analysis, role, analysis.flow(role).steps[use.step])
        if number is None:
            return {}
        found.setdefault(number, []).append(use)
    return found


def _number(analysis: Analysis, role: Role, step: Step) -> int | None:
    place = places(analysis, role).target(step)
    fixed = _FIXED.match(place.text) if place.stable else None
    return None if fixed is None else int(fixed[1])


def channel(analysis: Analysis, role: Role, step: Step) -> Location | None:
    """The object that a step waits on or signals: of an array of semaphores the single one, where that is known."""
    target = step.target
    if target is None or step.act not in {Act.DOWN, Act.TRY_DOWN, Act.UP}:
        return target
    one = analysis.inventory.objects.get(target)
    if one is None or one.kind is not Kind.SEMAPHORE or not elements(analysis, one):
        return target
    return target._replace(name=f"{target.name}[{_number(analysis, role, step)}]")


@once
def never_taken(analysis: Analysis) -> Mapping[str, frozenset[int]]:
    """The steps of each role that come only after a wait which never ends, because nobody gets to the post."""
    zero = [uses for uses, zero in signals(analysis) if zero]
    never: dict[str, frozenset[int]] = {}
    for _ in zero:  # each round finds at least one more, or it is the last one
        lost = [uses for uses in zero if _unposted(uses, never)]
        found: dict[str, frozenset[int]] = {}
        for role in {use.role for uses in lost for use in uses}:
            known = analysis.roles.get(role)
            if known is None:
                continue
            flow = analysis.flow(known)
            ending = {
                use.step for uses in lost for use in uses
                if use.role == role and use.act is Act.DOWN and use.step is not None
            }  # fmt: skip
            found[role] = frozenset(range(len(flow.steps))) - _before(flow, ending)
        if found == never:
            break
        never = found
    return never


def _unposted(uses: list[Use], never: Mapping[str, frozenset[int]]) -> bool:
    """Does nobody get to a post?"""
    return all(use.step in never.get(use.role, ()) for use in uses if use.act is Act.UP)


def _before(flow: Flow, ending: set[int]) -> set[int]:
    """The steps that some way reaches without passing one of these waits (which are themselves reached)."""
    seen = {flow.start}
    waiting = [flow.start]
    while waiting:
        here = waiting.pop()
        if here in ending:
            continue
        for edge in flow.next[here]:
            if edge.to not in seen:
                seen.add(edge.to)
                waiting.append(edge.to)
    return seen


def signals(analysis: Analysis) -> Iterator[tuple[list[Use], bool]]:
    """The uses of every semaphore whose uses are all known, and whether it surely starts at 0."""
    if blind(analysis, Act.UP):
        return
    for one in analysis.inventory.of(Kind.SEMAPHORE):
        if one.declared is None or not one.initialised or escapes(analysis, one):
            continue
        parts = elements(analysis, one)
        single = one.location.kind == "global" and not one.many
        for number, uses in parts.items():
            yield uses, all(starts_at_zero(analysis, made, number) for made in one.initialised)
        if not parts:
            yield one.uses, single and all(starts_at_zero(analysis, made) for made in one.initialised)


def starts_at_zero(analysis: Analysis, made: Initialisation, number: int | None = None) -> bool:
    """Is the initial value (of one of an array) known to be 0, by itself or as an entry of a table?"""
    if made.count is not None and made.count.value is not None:
        return made.count.value == 0
    role = analysis.roles.get(made.role)
    if role is None or made.step is None:
        return False
    step = analysis.flow(role).steps[made.step]
    value, target = (None, None) if step.event is None else (step.event.value, step.event.expression)
    value, target = _bare(value), _bare(target)
    if not isinstance(value, Index):
        return False
    entries = _entries(analysis, value, step.function)
    same = isinstance(target, Index) and analysis.program.text(target.index) == analysis.program.text(value.index)
    return entries is not None and all(
        one == 0 for place, one in entries.items() if not same or number is None or place in {number, None}
    )


def _bare(expr: Expr | None) -> Expr | None:
    while isinstance(expr, Cast) or (isinstance(expr, Unary) and expr.operator == "&"):
        expr = expr.operand
    return expr


def _entries(analysis: Analysis, value: Index, function: Function) -> dict[int | None, int | None] | None:
    """The entries of a table that nothing changes, by their places (None for a place that is not known)."""
    location = analysis.locations.of(value.base, function)
    type = analysis.program.type_of(value.base, function)
    if location is None or location.kind != "global" or type is None or "const" not in type.qualifiers or type.pointers:
        return None
    given = analysis.program.assignments.get(location.label, [])
    if len(given) != 1 or not isinstance(given[0][0], InitialList):
        return None
    listed, owner = given[0][0].items, given[0][1]
    found: dict[int | None, int | None] = {}
    for position, (designator, entry) in enumerate(listed):
        place: int | None = position
        if any(path for path, _ in listed):
            word = designator.removeprefix("[").removesuffix("]").strip()
            named = Number(int(word), word, 1) if word.isdecimal() else Name(word, 1)
            place = analysis.program.constant(named, None, owner.path)
        one = analysis.program.constant(entry, None, owner.path)
        found[place] = one if place not in found else found[place] or one
    return found
