"""Whether each thread of a role is given another argument: an element, a number, memory of its own.

`pool = malloc(...)` before the loop that creates is one pool for all; inside the loop it is one for each. Rules of this
file: what changes is what the loops around the creation (or around the calls that lead there) assign; the text of an
argument that never changes is the same for all.
"""

from __future__ import annotations

from collections.abc import Iterator

from cllm_sim.auditor.facts import Call, Cast, Expr, Function, Name
from cllm_sim.auditor.outline import Node, Outliner, Set, children, events
from cllm_sim.auditor.roles import Creation, Role
from cllm_sim.auditor.roles.ways import Level, Way
from cllm_sim.auditor.traverse import within
from cllm_sim.auditor.vocabulary import KNOWN, Act

DEPTH_MAX = 12


class Handed:
    """Answers for one program."""

    def __init__(self, outliner: Outliner) -> None:
        self._outliner = outliner
        self._program = outliner.program

    def differs(self, role: Role) -> bool:
        """Is every thread of a role given another argument than the others?"""
        given = [one for one in role.created if one.event.argument is not None and one.way is not None]
        if any(self._varies_for(one) for one in given):
            return True
        once = [one for one in given if not one.looped and not one.again]
        return len(once) > 1 and len({self._words(one) for one in once}) == len(once)

    def _varies_for(self, creation: Creation) -> bool:
        assert creation.way is not None
        assert creation.event.argument is not None
        return self._varies(creation.event.argument, creation.way, len(creation.way.levels) - 1, 0)

    def _words(self, creation: Creation) -> tuple[str, tuple[str, int]]:
        """An argument as it is written where it does not stand for a parameter."""
        assert creation.way is not None
        assert creation.event.argument is not None
        expr, function = _uncast(creation.event.argument), creation.function
        if isinstance(expr, Name):
            expr, function = creation.way.levels[-1].bindings.get(expr.name, (expr, function))
        return self._program.text(_uncast(expr)), function.key

    # ---------------------------------------------------------------------------------------------------- expressions
    def _varies(self, expr: Expr, way: Way, position: int, depth: int) -> bool:
        """Is an expression, written on a level of a way, another one each time the way is gone?"""
        if depth > DEPTH_MAX:
            return False
        for one in within(expr):
            if isinstance(one, Call) and self._allocates(one, way.levels[position].function):
                return True
            if isinstance(one, Name) and self._changes(one, way, position, depth):
                return True
        return False

    def _changes(self, name: Name, way: Way, position: int, depth: int) -> bool:
        level = way.levels[position]
        if name.name in level.bindings:
            value, function = level.bindings[name.name]
            outer = [number for number in range(position) if way.levels[number].function.key == function.key]
            return bool(outer) and self._varies(value, way, outer[-1], depth + 1)
        variable = self._program.variable(name.name, level.function, level.function.path)
        if variable is None or variable.kind == "global" or variable.static:
            return False
        looped = bool(level.placed.loops)
        assigned = _assigned_in_loops(level) if looped else _all_sets(self._outliner.of(level.function).body)
        return any(one.name == name.name and self._is_another(one, way, position, looped, depth) for one in assigned)

    def _is_another(self, one: Set, way: Way, position: int, looped: bool, depth: int) -> bool:
        """Does an assignment give a variable something else each time?"""
        if one.operator != "=":
            return looped
        if one.value is None:
            return False
        itself = any(isinstance(part, Name) and part.name == one.name for part in within(one.value))
        return (looped and itself) or self._varies(one.value, way, position, depth + 1)

    def _allocates(self, call: Call, function: Function) -> bool:
        name = call.function.name if isinstance(call.function, Name) else ""
        if name in KNOWN:
            return KNOWN[name].act is Act.ALLOCATE
        return any(
            event.act is Act.ALLOCATE
            for callee in (self._program.lookup(name, function.path) if name else ())
            for event in events(self._outliner.of(callee).body)
        )


def _assigned_in_loops(level: Level) -> Iterator[Set]:
    """What the loops around a place assign in each round (the start of the outermost is before all rounds)."""
    for loop in level.placed.loops[:1]:
        yield from _all_sets((*loop.test, *loop.body, *loop.step))


def _all_sets(body: tuple[Node, ...]) -> Iterator[Set]:
    waiting = [*reversed(body)]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Set):
            yield one
        waiting.extend(reversed(children(one)))


def _uncast(expr: Expr) -> Expr:
    while isinstance(expr, Cast):
        expr = expr.operand
    return expr
