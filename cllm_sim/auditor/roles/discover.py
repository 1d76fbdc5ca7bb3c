"""Finding the roles: from every `main` (or a library's own functions) through the calls to every thread's creation.

A creation inside a loop makes as many threads as the loop has rounds, where its bounds say so; loops around the calls
that lead there count, too. Rules of this file: no names are guessed; an entry that cannot be resolved is reported by
`unresolved`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from cllm_sim.auditor.facts import Binary, Cast, Conditional, Expr, Function, Name, Number, Unary
from cllm_sim.auditor.locations import Bindings
from cllm_sim.auditor.outline import Event, Outliner, Repeat, Set
from cllm_sim.auditor.program import Count, Program
from cllm_sim.auditor.program.counts import number
from cllm_sim.auditor.roles.lifespans import Lifespans
from cllm_sim.auditor.roles.model import Creation, Key, Reach, Role
from cllm_sim.auditor.roles.ways import Callers, Guard, Level, Placed, Way, placed_events, ways_to
from cllm_sim.auditor.traverse import names
from cllm_sim.auditor.vocabulary import KNOWN, Act

CALLER = "main"
LIBRARY = "caller"
ROLES_MAX = 200
NO_BINDINGS: Bindings = {}


def function_key(function: Function) -> Key:
    """Which function: see `Function.key`."""
    return function.key


class Roles:
    """All roles of a program."""

    def __init__(self, program: Program, outliner: Outliner) -> None:
        self.program = program
        self.outliner = outliner
        self.unresolved: list[tuple[Event, Function]] = []
        self._placed: dict[Key, list[Placed]] = {}
        self.lifespans = Lifespans(self.placed)
        self.all: list[Role] = []
        for group, name, entries in self._callers():
            self._discover(Role(name, entries, group, caller=True))
        self._by_function: dict[Key, list[Role]] = {}
        for role in self.all:
            for key in role.reach:
                self._by_function.setdefault(key, []).append(role)

    @property
    def threads(self) -> list[Role]:
        """The roles that are created, without the callers."""
        return [role for role in self.all if not role.caller]

    def of(self, function: Function) -> list[Role]:
        """The roles that reach a function."""
        return self._by_function.get(function_key(function), [])

    def get(self, name: str) -> Role | None:
        """A role by its name."""
        return next((role for role in self.all if role.name == name), None)

    def together(self, one: Role, other: Role) -> bool:
        """May threads of these two roles run at the same time at all?"""
        return one.group == other.group and (one is not other or one.many)

    # ----------------------------------------------------------------------------------------------------- discovery
    def _callers(self) -> Iterator[tuple[str, str, tuple[Function, ...]]]:
        mains = [function for function in self.program.functions if function.name == "main"]
        for main in mains:
            yield main.path, CALLER if len(mains) == 1 else f"{CALLER} ({main.path})", (main,)
        if not mains:
            called = {
                function_key(callee)
                for function in self.program.functions
                for one in self.placed(function)
                for callee in (*one.event.callees, *one.event.entries)
            }
            free = tuple(
                function
                for function in self.program.functions
                if not function.static and function_key(function) not in called
            )
            if free:
                yield "", LIBRARY, free

    def _discover(self, caller: Role) -> None:
        waiting = deque([caller])
        known: dict[Key, Role] = {}
        self.all.append(caller)
        while waiting and len(self.all) < ROLES_MAX:
            role = waiting.popleft()
            self._reach(role)
            for creation, entry in self._creations(role):
                key = function_key(entry)
                if key not in known:
                    known[key] = Role(self._name(entry), (entry,), caller.group)
                    self.all.append(known[key])
                    waiting.append(known[key])
                known[key].created.append(creation)

    def _name(self, entry: Function) -> str:
        taken = any(role.name == entry.name for role in self.all)
        return f"{entry.name} ({entry.path}:{entry.line})" if taken else entry.name

    def _reach(self, role: Role) -> None:
        """Everything a role reaches, breadth first, so that `how` is a shortest way."""
        waiting = deque(Reach(entry, ()) for entry in role.entries)
        for entry in role.entries:
            role.reach[function_key(entry)] = Reach(entry, ())
        while waiting:
            here = waiting.popleft()
            for one in self.placed(here.function):
                for callee in one.event.callees:
                    key = function_key(callee)
                    if key not in role.reach:
                        role.reach[key] = Reach(callee, (*here.how, one.event.site))
                        waiting.append(role.reach[key])

    def _creations(self, role: Role) -> Iterator[tuple[Creation, Function]]:
        callers = self._callers_in(role)
        for reach in list(role.reach.values()):
            for one in self.placed(reach.function):
                if one.event.act is not Act.CREATE:
                    continue
                if not one.event.entries:
                    self.unresolved.append((one.event, reach.function))
                ways = ways_to(reach.function, one, role.entries, callers)
                for index, way in enumerate(ways.found):
                    yield from self._created(role, way, ways.found[:index], ways.complete)

    def _callers_in(self, role: Role) -> Callers:
        found: Callers = {}
        for reach in role.reach.values():
            for one in self.placed(reach.function):
                for callee in one.event.callees:
                    found.setdefault(function_key(callee), []).append((reach.function, one))
        return found

    def _created(
        self, role: Role, way: Way, earlier: tuple[Way, ...], complete: bool
    ) -> Iterator[tuple[Creation, Function]]:
        """What a place creates where it is reached by one way."""
        function, placed, _ = way.levels[-1]
        entries = self._entries(way)
        joined = self.lifespans.joined_level(way)
        for entry, guard in entries:
            looped, rounds = self._rounds(way, joined, guard)
            if rounds is not None and rounds.value == len(placed.event.entries) == len(entries) > 1 and guard is None:
                looped, rounds = False, number(1)  # a table: each entry once
            again = any(self.lifespans.ended(way, one, joined) for one in earlier) or self.lifespans.follows(
                function, placed, entry
            )
            alone = complete and not role.many and entry.key not in {one.key for one in role.entries}
            chosen = looped and guard is None and len(entries) > 1  # which of several is decided each time
            counted = rounds if alone and not chosen else None
            looped = looped or not alone
            yield Creation(placed.event, function, role.name, way.how, looped, counted, again, way), entry

    def _entries(self, way: Way) -> list[tuple[Function, Guard | None]]:
        """The functions that a creation may start where it is reached by a way, each with the condition for it."""
        function, placed, bindings = way.levels[-1]
        written = self._entry_written(placed.event)
        callables = self.outliner.callables
        if isinstance(written, Name) and written.name in bindings:
            given = callables.of(*bindings[written.name])
            if given:
                return [(one, None) for one in given]
        if isinstance(written, Conditional):
            sides = [
                (side, callables.of(part, function)) for side, part in ((True, written.then), (False, written.other))
            ]
            return [(one, Guard(written.condition, side, len(placed.loops))) for side, found in sides for one in found]
        return [(one, None) for one in placed.event.entries]

    def _entry_written(self, event: Event) -> Expr | None:
        known = KNOWN.get(event.name)
        if event.call is None or known is None or known.entry is None or known.entry >= len(event.call.arguments):
            return None
        expr = event.call.arguments[known.entry]
        while isinstance(expr, Cast):
            expr = expr.operand
        return expr

    def _rounds(self, way: Way, joined: int, guard: Guard | None) -> tuple[bool, Count | None]:
        """Do several threads of a creation live at a time, and how many?

        Loops that join what they create (`joined`: the level of the way on which that happens) make no more of them.
        """
        total: Count | None = number(1)
        looped = False
        last = len(way.levels) - 1
        for position, level in enumerate(way.levels):
            guards = level.placed.guards if position < last or guard is None else (*level.placed.guards, guard)
            for depth, loop in enumerate(level.placed.loops):
                if position < joined or (position == joined and self.lifespans.joins_inside(way, position, loop)):
                    continue
                inside = [one for one in guards if one.loops > depth]
                once, rounds = self._guarded(loop, level, inside)
                looped = looped or not once
                total = total if once else _times(total, rounds)
        return looped, total

    def _guarded(self, loop: Repeat, level: Level, guards: list[Guard]) -> tuple[bool, Count | None]:
        """Is a place reached in one round of a loop only, and in how many, given the conditions inside the loop?"""
        found = counting(loop)
        rounds = self.rounds(loop, level.function, level.bindings)
        variable = "" if found is None else found[0]
        for guard in guards:
            one_value = _picks(guard, variable)
            if one_value:
                return True, number(1)
            if one_value is False:
                rounds = None if rounds is None else rounds - 1
            elif variable in names(guard.condition):
                rounds = None
        return False, rounds

    # --------------------------------------------------------------------------------------------------------- loops
    def placed(self, function: Function) -> list[Placed]:
        """The events of a function, each with the loops and conditions around it."""
        key = function_key(function)
        if key not in self._placed:
            self._placed[key] = list(placed_events(self.outliner.of(function).body))
        return self._placed[key]

    def rounds(self, loop: Repeat, function: Function, bindings: Bindings = NO_BINDINGS) -> Count | None:
        """How often a counting loop goes round: `for (i = a; i < b; i++)` has b - a rounds."""
        found = counting(loop)
        if found is None:
            return self._rounds_down(loop, function, bindings)
        _, first, last, inclusive = found
        rounds = self.program.count(last, function, function.path, bindings)
        if not (isinstance(first, Number) and first.value == 0):
            rounds = rounds - self.program.count(first, function, function.path, bindings)
        return rounds + 1 if inclusive else rounds

    def _rounds_down(self, loop: Repeat, function: Function, bindings: Bindings) -> Count | None:
        """`for (i = a; i >= b; i--)` has a - b + 1 rounds."""
        condition = loop.condition
        if not isinstance(condition, Binary) or condition.operator not in {">", ">="}:
            return None
        starts, steps = _start_and_steps(loop, condition.left)
        if len(steps) != 1 or steps[0].operator != "--" or not starts or starts[0] is None:
            return None
        first = self.program.count(starts[0], function, function.path, bindings)
        rounds = first - self.program.count(condition.right, function, function.path, bindings)
        return rounds + 1 if condition.operator == ">=" else rounds


def _start_and_steps(loop: Repeat, variable: Expr) -> tuple[list[Expr | None], list[Set]]:
    """What a loop's own variable starts with, and how each round changes it."""
    if not isinstance(variable, Name):
        return [], []
    starts = [node.value for node in loop.start if isinstance(node, Set) and node.name == variable.name]
    return starts, [node for node in loop.step if isinstance(node, Set) and node.name == variable.name]


def _picks(guard: Guard, variable: str) -> bool | None:
    """Does a condition pick one value of a loop's variable (True), all but one (False), or neither (None)?"""
    condition, side = guard.condition, guard.side
    while isinstance(condition, Unary) and condition.operator == "!":
        condition, side = condition.operand, not side
    if isinstance(condition, Name) and condition.name == variable:
        return not side
    if not isinstance(condition, Binary) or condition.operator not in {"==", "!="}:
        return None
    named = [isinstance(one, Name) and one.name == variable for one in (condition.left, condition.right)]
    if sum(named) != 1 or variable in names(condition.right if named[0] else condition.left):
        return None
    return side is (condition.operator == "==")


def counting(loop: Repeat) -> tuple[str, Expr, Expr, bool] | None:
    """A loop that counts a local up by one: its variable, first value, limit, and whether the limit is included."""
    condition = loop.condition
    if not isinstance(condition, Binary) or condition.operator not in {"<", "<=", "!="}:
        return None
    if not isinstance(condition.left, Name):
        return None
    name = condition.left.name
    starts = [node.value for node in loop.start if isinstance(node, Set) and node.name == name]
    steps = [node for node in loop.step if isinstance(node, Set) and node.name == name]
    by_one = steps and (
        steps[0].operator == "++"
        or (steps[0].operator == "+=" and isinstance(steps[0].value, Number) and steps[0].value.value == 1)
    )
    if not starts or starts[0] is None or not by_one:
        return None
    return name, starts[0], condition.right, condition.operator == "<="


def _times(one: Count | None, other: Count | None) -> Count | None:
    if one is None or other is None:
        return None
    if one.value == 1:
        return other
    if other.value == 1:
        return one
    if one.value is not None and other.value is not None:
        return Count((), one.value * other.value, str(one.value * other.value))
    return None
