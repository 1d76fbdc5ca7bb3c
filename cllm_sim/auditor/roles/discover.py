"""Finding the roles: from every `main` (or a library's own functions) through the calls to every thread's creation.

A creation inside a loop makes as many threads as the loop has rounds, where its bounds say so; loops around the calls
that lead there count, too. Rules of this file: no names are guessed; an entry that cannot be resolved is reported by
`unresolved`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from cllm_sim.auditor.facts import Binary, Expr, Function, Name, Number
from cllm_sim.auditor.outline import Event, Outliner, Repeat, Seq, Set, children
from cllm_sim.auditor.program import Count, Program
from cllm_sim.auditor.program.counts import number
from cllm_sim.auditor.roles.model import Creation, Key, Reach, Role
from cllm_sim.auditor.vocabulary import Act

CALLER = "main"
LIBRARY = "caller"
ROLES_MAX = 200


def function_key(function: Function) -> Key:
    """Which function: its path and line."""
    return function.path, function.line


@dataclass(frozen=True, slots=True)
class _Placed:
    """An event with the loops around it in its function, outermost first."""

    event: Event
    loops: tuple[Repeat, ...]


class Roles:
    """All roles of a program."""

    def __init__(self, program: Program, outliner: Outliner) -> None:
        self.program = program
        self.outliner = outliner
        self.unresolved: list[tuple[Event, Function]] = []
        self._placed: dict[Key, list[_Placed]] = {}
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
        for reach in list(role.reach.values()):
            for one in self.placed(reach.function):
                if one.event.act is not Act.CREATE:
                    continue
                if not one.event.entries:
                    self.unresolved.append((one.event, reach.function))
                loops, rounds = self._rounds(role, reach, one.loops)
                if rounds is not None and rounds.value == len(one.event.entries) > 1:
                    loops, rounds = False, number(1)  # a table: each entry once
                for entry in one.event.entries:
                    yield Creation(one.event, reach.function, role.name, reach.how, loops or role.many, rounds), entry

    def _rounds(self, role: Role, reach: Reach, loops: tuple[Repeat, ...]) -> tuple[bool, Count | None]:
        """Is the place inside a loop, and how many rounds has it in all?"""
        total: Count | None = self.program.count(Number(1, "1", 0), reach.function, reach.function.path)
        around = [(loop, reach.function) for loop in loops] + self._loops_around(role, reach)
        for loop, function in around:
            rounds = self.rounds(loop, function)
            total = _times(total, rounds)
        return bool(around), total if not role.many else None

    def _loops_around(self, role: Role, reach: Reach) -> list[tuple[Repeat, Function]]:
        """The loops around the calls that lead to a function."""
        found: list[tuple[Repeat, Function]] = []
        at = role.entries
        for site in reach.how:
            for function in at:
                placed = [one for one in self.placed(function) if one.event.site == site and one.event.callees]
                if placed:
                    found += [(loop, function) for loop in placed[0].loops]
                    at = placed[0].event.callees
                    break
        return found

    # --------------------------------------------------------------------------------------------------------- loops
    def placed(self, function: Function) -> list[_Placed]:
        """The events of a function, each with the loops around it."""
        key = function_key(function)
        if key not in self._placed:
            self._placed[key] = list(_placed(self.outliner.of(function).body, ()))
        return self._placed[key]

    def rounds(self, loop: Repeat, function: Function) -> Count | None:
        """How often a counting loop goes round: `for (i = a; i < b; i++)` has b - a rounds."""
        found = counting(loop)
        if found is None:
            return None
        _, first, last, inclusive = found
        rounds = self.program.count(last, function, function.path)
        if not (isinstance(first, Number) and first.value == 0):
            rounds = rounds - self.program.count(first, function, function.path)
        return rounds + 1 if inclusive else rounds


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


def _placed(body: Seq, loops: tuple[Repeat, ...]) -> Iterator[_Placed]:
    for node in body:
        if isinstance(node, Event):
            yield _Placed(node, loops)
        elif isinstance(node, Repeat):
            yield from _placed(node.start, loops)
            inside = (*loops, node)
            for part in (node.test, node.body, node.step):
                yield from _placed(part, inside)
        else:
            yield from _placed(children(node), loops)
