"""When threads have ended again: creations that join what they made before the next ones come.

`for (epoch...) { start_all(); join_all(); }` never has more threads than one round makes. Rules of this file: only a
join behind the creation, in the order of the text, counts; handles that cannot be told apart are taken for the same.
"""

from __future__ import annotations

from collections.abc import Callable

from cllm_sim.auditor.facts import Function
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.outline import Repeat
from cllm_sim.auditor.roles.model import Key
from cllm_sim.auditor.roles.ways import Level, Placed, Way
from cllm_sim.auditor.vocabulary import Act

Handle = Location | None


class Lifespans:
    """Answers for one program; `placed` gives the events of a function in the order of the text."""

    def __init__(self, placed: Callable[[Function], list[Placed]]) -> None:
        self._placed = placed
        self._joining: dict[Key, frozenset[Handle]] = {}

    def joined_level(self, way: Way) -> int:
        """The innermost level of a way on which the threads it creates are joined behind it; -1 for none."""
        handle = way.levels[-1].placed.event.partner
        for position in range(len(way.levels) - 1, -1, -1):
            if self._joins_after(way.levels[position], handle):
                return position
        return -1

    def joins_inside(self, way: Way, position: int, loop: Repeat) -> bool:
        """Is there a join of what a way creates in the same round of a loop, behind the way's place in it?"""
        joins = self._joins_after(way.levels[position], way.levels[-1].placed.event.partner)
        return any(any(around is loop for around in one.loops) for one in joins)

    def ended(self, way: Way, earlier: Way, joined: int) -> bool:
        """Have the threads of an earlier way ended, as each way joins its own below where the two part?"""
        parted = 0
        for one, other in zip(way.levels, earlier.levels, strict=False):
            if one.placed is not other.placed:
                break
            parted += 1
        return parted < joined and parted < self.joined_level(earlier)

    def follows(self, function: Function, placed: Placed, entry: Function) -> bool:
        """Does a creation only come after a join of what each earlier one in its function made, or instead of it?"""
        found = self._placed(function)
        at = next(index for index, one in enumerate(found) if one is placed)
        before = [
            index
            for index, one in enumerate(found[:at])
            if one.event.act is Act.CREATE and any(other.key == entry.key for other in one.event.entries)
        ]
        return bool(before) and all(
            _excludes(found[index], placed) or self._joined_between(found, index, at) for index in before
        )

    def _joined_between(self, found: list[Placed], first: int, second: int) -> bool:
        loops = found[first].loops
        if len(loops) > len(found[second].loops):
            return False
        return any(
            self._joins(one, found[first].event.partner)
            for one in found[first + 1 : second]
            if all(a is b for a, b in zip(loops, one.loops, strict=False)) and len(one.loops) <= len(loops) + 1
        )

    def _joins_after(self, level: Level, handle: Handle) -> list[Placed]:
        found = self._placed(level.function)
        at = next((index for index, one in enumerate(found) if one is level.placed), len(found))
        return [one for one in found[at + 1 :] if self._joins(one, handle)]

    def _joins(self, one: Placed, handle: Handle) -> bool:
        if one.event.act is Act.JOIN:
            return _same(one.event.target, handle)
        return any(_same(joined, handle) for callee in one.event.callees for joined in self._joined_by(callee))

    def _joined_by(self, function: Function) -> frozenset[Handle]:
        """The handles that a function, or one it calls, joins."""
        if function.key not in self._joining:
            self._joining[function.key] = frozenset()  # a recursive one
            found: set[Handle] = set()
            for one in self._placed(function):
                if one.event.act is Act.JOIN:
                    found.add(one.event.target)
                for callee in one.event.callees:
                    found |= self._joined_by(callee)
            self._joining[function.key] = frozenset(found)
        return self._joining[function.key]


def _excludes(one: Placed, other: Placed) -> bool:
    """Do two places stand on different sides of one condition?"""
    return any(
        a.condition is b.condition and a.side is not b.side and a.loops == b.loops
        for a in one.guards
        for b in other.guards
    )


def _same(one: Handle, other: Handle) -> bool:
    """May two handles be the same? Parameters and locals of other functions may be anything."""
    if one is None or other is None or "parameter" in (one.kind, other.kind):
        return True
    if "local" in (one.kind, other.kind) and (one.owner, one.path) != (other.owner, other.path):
        return True
    return one.holder == other.holder
