"""What a role is: a thread's entry function (or the program's own thread) with everything it can reach.

Rules of this file: data only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cllm_sim.auditor.facts import Function, Site
from cllm_sim.auditor.outline import Event
from cllm_sim.auditor.program import Count
from cllm_sim.auditor.roles.ways import Key, Way


@dataclass(frozen=True, slots=True)
class Creation:
    """A place where threads of a role are made: by which role, in which function, how many, reached by which calls.

    A place reached in several ways is several creations. `again`: the threads that another creation made have ended
    by then (or it is the other side of one condition), so that these are no further ones. `count` and `looped` speak
    of threads that live at one time. `way` is `how` with the loops and parameters on it.
    """

    event: Event
    function: Function
    creator: str
    how: tuple[Site, ...]
    looped: bool
    count: Count | None
    again: bool = False
    way: Way | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """A function that a role reaches, and the calls that lead there from its entry (outermost first)."""

    function: Function
    how: tuple[Site, ...]


@dataclass(slots=True)
class Role:
    """A role. `many`: more than one thread of it may run at a time. `count` is the number of threads, where known.

    The caller ("main", or "caller" for a library, which has several entries) is created by nobody. `group` names the
    program it belongs to (the file of its main function): roles of two groups never run together.
    """

    name: str
    entries: tuple[Function, ...]
    group: str
    caller: bool = False
    created: list[Creation] = field(default_factory=list)
    reach: dict[Key, Reach] = field(default_factory=dict)

    @property
    def many(self) -> bool:
        """May several threads of this role run at a time?"""
        return sum(not one.again for one in self.created) > 1 or any(one.looped for one in self.created)

    @property
    def count(self) -> Count | None:
        """How many threads of this role there are; None where that is not known."""
        if self.caller:
            return None
        total: Count | None = None
        for one in self.created:
            if one.count is None:
                return None
            if one.again:
                continue
            total = one.count if total is None else total + one.count
        return total


__all__ = ["Creation", "Key", "Reach", "Role"]
