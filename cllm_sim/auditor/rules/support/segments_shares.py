"""Shares: what a total divided by the number of workers comes to, where it goes, and whether somebody takes the rest.

A share is `total / workers` kept in a local or member and multiplied with a worker's number, or added up over the
workers, to say where that worker begins. Rules of this file: the divisor must be the number of threads of a role; any
sign that the remainder is dealt with (`%`, the total itself as an end, a last worker of its own, rounding up) ends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cllm_sim.auditor.analysis import Analysis
from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Call,
    Cast,
    Declare,
    Expr,
    Function,
    InitialList,
    Loop,
    Member,
    Name,
    Number,
    Site,
)
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.program import Count
from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.rules.support.regions import live_functions
from cllm_sim.auditor.rules.support.threads import At, threads_beside
from cllm_sim.auditor.traverse import all_expressions, expressions, names, parts, statements, within

REALS = frozenset({"float", "double", "long double"})
DEPTH_MAX = 4


@dataclass(slots=True)
class Share:
    """One division of a total by the number of a role's threads, and where its result is used as a share.

    `starts` are the places where the share is multiplied with a number or added up, `keepers` the members that hold it.
    """

    role: Role
    count: Count
    function: Function
    division: Binary
    total: Expr
    workers: Expr
    total_value: int | None
    workers_value: int | None
    starts: list[tuple[Site, str]] = field(default_factory=list)
    keepers: list[tuple[Location, Site]] = field(default_factory=list)
    places: list[Function] = field(default_factory=list)

    @property
    def site(self) -> Site:
        """Where the division stands."""
        return Site(self.function.path, self.division.line)


def shares(analysis: Analysis) -> Iterator[Share]:
    """All shares of the program's live code that give workers their places."""
    for function in live_functions(analysis):
        for division in all_expressions(function.body):
            if not isinstance(division, Binary) or division.operator != "/":
                continue
            found = _share(analysis, function, division)
            if found is not None:
                _follow(analysis, found)
                if found.starts:
                    yield found


def _share(analysis: Analysis, function: Function, division: Binary) -> Share | None:
    total, workers = bare(division.left), bare(division.right)
    types = [analysis.program.type_of(one, function) for one in (total, workers)]
    if any(type is not None and type.base in REALS for type in types):
        return None
    program = analysis.program
    divisor = program.count(workers, function, function.path)
    for role in analysis.roles.threads:
        count = workers_of(analysis, role) if role.many else None
        if count is None or not _same(analysis, divisor, count):
            continue
        whole = program.followed(program.count(total, function, function.path)).value
        number = program.followed(divisor).value
        return Share(role, count, function, division, total, workers, whole, number)
    return None


def workers_of(analysis: Analysis, role: Role) -> Count | None:
    """How many threads of a role run at a time."""
    if role.count is not None:
        return role.count
    caller = next((one for one in analysis.roles.all if one.caller and one.group == role.group), None)
    if caller is None:
        return None
    flow = analysis.flow(caller)
    counts = threads_beside(analysis, role, At(caller, flow.steps[flow.start]))
    return counts[0] if counts is not None and len(counts) == 1 else None


def _same(analysis: Analysis, one: Count, other: Count) -> bool:
    return analysis.program.same_count(one, other) is True


def bare(expr: Expr) -> Expr:
    """Without casts."""
    while isinstance(expr, Cast):
        expr = expr.operand
    return expr


# ------------------------------------------------------------------------------------------------------------ following
def _follow(analysis: Analysis, share: Share) -> None:
    """Where the share goes: locals of its function, members, and from there to the functions that read these."""
    _within_function(analysis, share, share.function, {}, share.division)
    for location, _ in list(share.keepers):
        for function in live_functions(analysis):
            if any(
                isinstance(one, Member) and analysis.locations.of(one, function) == location
                for one in all_expressions(function.body)
            ):
                _note(share, function)


def _within_function(
    analysis: Analysis, share: Share, function: Function, known: dict[str, Site], division: Expr | None
) -> None:
    """The uses of the share in one function, by the locals that hold it."""
    _note(share, function)
    holding = set(known)
    for target, value, line in _assignments(function):
        plain = bare(value)
        if plain == division or (isinstance(plain, Name) and plain.name in holding):
            if isinstance(target, Name):
                holding.add(target.name)
            elif isinstance(target, Member):
                location = analysis.locations.of(target, function)
                if location is not None:
                    share.keepers.append((location, Site(function.path, line)))
    for expr in all_expressions(function.body):
        text = _start(analysis, share, expr, holding, division, function)
        if text:
            share.starts.append((Site(function.path, expr.line), text))


def _start(
    analysis: Analysis, share: Share, expr: Expr, holding: set[str], division: Expr | None, function: Function
) -> str:
    """Is an expression the place where a worker begins: its number times the share, or shares added up?"""

    def is_share(one: Expr) -> bool:
        plain = bare(one)
        return plain == division or (isinstance(plain, Name) and plain.name in holding)

    match expr:
        case Binary(operator="*", left=left, right=right) if is_share(left) != is_share(right):
            other = bare(right if is_share(left) else left)
            size = isinstance(other, Number) or not names(other) or _is_workers(analysis, share, other, function)
            return "" if size or _sized(other) else analysis.program.text(expr)
        case Assign(operator="+=", target=Name(), value=value) if is_share(value) and _looped(function, expr):
            return analysis.program.text(expr)
        case _:
            return ""


def _sized(other: Expr) -> bool:
    return "sizeof" in type(other).__name__.lower()


def _is_workers(analysis: Analysis, share: Share, other: Expr, function: Function) -> bool:
    count = analysis.program.count(other, function, function.path)
    return _same(analysis, count, share.count)


def _looped(function: Function, expr: Expr) -> bool:
    """Does an expression stand in a loop?"""
    for one in statements(function.body):
        if isinstance(one, Loop):
            for inside in statements(one.body):
                if any(expr is part for whole in expressions(inside) for part in within(whole)):
                    return True
    return False


def _note(share: Share, function: Function) -> None:
    if all(one is not function for one in share.places):
        share.places.append(function)


def _assignments(function: Function) -> Iterator[tuple[Expr, Expr, int]]:
    for one in statements(function.body):
        if isinstance(one, Declare) and one.initial is not None:
            yield Name(one.name, one.line), one.initial, one.line
        for expr in expressions(one):
            for part in within(expr):
                if isinstance(part, Assign) and part.operator == "=":
                    yield part.target, part.value, part.line


# ------------------------------------------------------------------------------------------------------------ remainder
def remainder_taken(analysis: Analysis, share: Share) -> bool:
    """Is there any sign that the elements beyond workers * share are dealt with?"""
    if _rounded_up(analysis, share) or _multiple(analysis, share):
        return True
    total, workers = analysis.program.text(share.total), analysis.program.text(share.workers)
    for function in live_functions(analysis):
        near = any(one is function for one in share.places)
        for expr in all_expressions(function.body):
            if _rest(analysis, expr, share, total, workers, function):
                return True
            if near and expr is not share.division and _deals(analysis, expr, total, workers, share, function):
                return True
    return False


def _rounded_up(analysis: Analysis, share: Share) -> bool:
    """`(total + workers - 1) / workers`."""
    held = names(share.workers)
    return isinstance(share.total, Binary) and (bool(held & names(share.total)) or isinstance(share.workers, Number))


def _multiple(analysis: Analysis, share: Share) -> bool:
    """Is the total a multiple of the workers: by its value, or because it is made as one?"""
    if share.total_value is not None and share.workers_value:
        return share.total_value % share.workers_value == 0
    location = analysis.locations.of(share.total, share.function)
    values = [] if location is None else analysis.program.assignments.get(location.label, [])
    for value, owner in values:
        plain = bare(value)
        sides = (plain.left, plain.right) if isinstance(plain, Binary) and plain.operator == "*" else ()
        if any(_is_workers(analysis, share, side, owner) for side in sides):
            return True
    return False


def _same_total(analysis: Analysis, expr: Expr, share: Share, total: str, function: Function) -> bool:
    plain = bare(expr)
    if analysis.program.text(plain) == total:
        return True
    if isinstance(plain, Number | Name) and share.total_value is not None:
        return analysis.program.constant(plain, function, function.path) == share.total_value
    mine = analysis.locations.of(share.total, share.function)
    return mine is not None and mine.kind == "member" and analysis.locations.of(plain, function) == mine


def _rest(analysis: Analysis, expr: Expr, share: Share, total: str, workers: str, function: Function) -> bool:
    """`total % workers`, or `total / workers * workers`."""
    match expr:
        case Binary(operator="%", left=left, right=right):
            return _same_total(analysis, left, share, total, function) and _is_workers(
                analysis, share, bare(right), function
            )
        case Binary(operator="*", left=left, right=right):
            inner = bare(left)
            return (
                isinstance(inner, Binary)
                and inner.operator == "/"
                and _same_total(analysis, inner.left, share, total, function)
                and analysis.program.text(bare(right)) == workers
            )
        case _:
            return False


def _deals(analysis: Analysis, expr: Expr, total: str, workers: str, share: Share, function: Function) -> bool:
    """Near the share: the total used as an end or subtracted from, or the last worker asked for."""
    match expr:
        case Binary(operator="==" | "!=" | "<" | "<=" | ">" | ">=", left=left, right=right):
            last = any(_last(analysis, side, share, function) for side in (left, right))
            clamp = any(_same_total(analysis, side, share, total, function) for side in (left, right))
            return last or (clamp and not _whole_loop(function, expr))
        case Assign(value=value) if _same_total(analysis, value, share, total, function):
            return True
        case Binary(operator="-", left=left):
            return _same_total(analysis, left, share, total, function)
        case InitialList() | Call():
            return False
        case _:
            return any(
                _same_total(analysis, part, share, total, function)
                for part in parts(expr)
                if type(expr).__name__ == "Conditional"
            )


def _last(analysis: Analysis, expr: Expr, share: Share, function: Function) -> bool:
    """`workers - 1`, or a number that is that; or `i + 1` (to be compared with the workers)."""
    plain = bare(expr)
    if isinstance(plain, Binary) and plain.operator in {"-", "+"} and bare(plain.right) == _one(plain.right):
        return plain.operator == "+" or _is_workers(analysis, share, bare(plain.left), function)
    return False


def _one(expr: Expr) -> Expr | None:
    plain = bare(expr)
    return plain if isinstance(plain, Number) and plain.value == 1 else None


def _whole_loop(function: Function, condition: Expr) -> bool:
    """Is a comparison the condition of a loop over everything from zero on (and so no clamp)?"""
    for one in statements(function.body):
        if isinstance(one, Loop) and one.condition is condition and one.kind == "for":
            starts = [*one.start]
            for start in starts:
                initial = start.initial if isinstance(start, Declare) else None
                if isinstance(initial, Number):
                    return True
                for expr in expressions(start):
                    if isinstance(expr, Assign) and isinstance(bare(expr.value), Number):
                        return True
    return False
