"""What goes wrong in a simulated run: the same promises that the checker searches for, watched along one path.

Every state that a simulated run passes through is a state of the checker's graph, so what is found here is found there
as well, and `contention` here never exceeds the checker's. Holding here means: in the runs that were simulated.

Rules of this file: it looks at states and outcomes and changes nothing; what a state means is asked of `semantics.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from cllm_sim.architecture import Promise
from cllm_sim.compose import Bound, System
from cllm_sim.operations import Kind, Place, Verb
from cllm_sim.semantics import Fault, Memory, Pending, wanted_mutex
from cllm_sim.view import View

NOWHERE = Place("", 0)


@dataclass(frozen=True, slots=True)
class Defect:
    """A broken rule: its class, what happened first, who did it at which line and when (ns), and how often it came."""

    kind: str
    text: str
    actor: str
    place: Place
    time_ns: int
    count: int = 1
    on: int = -1

    def row(self) -> dict[str, Any]:
        """The defect as data, as in `broken[]` of a check result, with actor, time and count added."""
        return {
            "class": self.kind.removesuffix("-on-weights"),
            "text": self.text,
            "actor": self.actor or None,
            "path": self.place.path or None,
            "line": self.place.line or None,
            "time_ms": self.time_ns / 1e6,
            "count": self.count,
        }


Key = tuple[str, str, int]


class Monitor:
    """Watches one run; its fields are what it has found so far."""

    def __init__(self, system: System, promises: Iterable[Promise]) -> None:
        self._system = system
        self._own = [promise for promise in promises if promise.predicate is not None]
        self._applied: set[int] = set()
        self._defects: dict[Key, Defect] = {}
        self.seen: set[str] = set()
        self._contention = Contention(system)

    @property
    def contention(self) -> dict[int, int]:
        """Per mutex the largest number of actors that waited for it at once."""
        return self._contention.worst

    def fault(self, actor: int, fault: Fault, place: Place, time_ns: int) -> None:
        """Note a fault of an outcome; one and the same rule broken again at the same line is counted."""
        name = self._system.objects[fault.on].field if fault.on >= 0 else ""
        who = self._system.actors[actor].name
        self._note((fault.kind, name, place.line), Defect(fault.kind, fault.text, who, place, time_ns, on=fault.on))

    def deadlock(self, text: str, place: Place, time_ns: int) -> None:
        """Note that the run came to rest before everybody had finished."""
        self._note(("deadlock", "", 0), Defect("deadlock", text, "", place, time_ns))

    def performed(self, bound: Bound) -> None:
        """Note what an update writes: a race on it breaks one promise more."""
        if bound.verb is Verb.UPDATE:
            self._applied.update(bound.writes)

    def look(self, pending: Pending, memory: Memory, moved: Iterable[int], time_ns: int) -> None:
        """Look at a state: who waits for a mutex, and what the architecture promises about all or some states.

        `moved` are the actors whose operation or phase has changed since the last look.
        """
        self._contention.look(pending, memory, moved)
        for promise in self._own:
            assert promise.predicate is not None
            value = bool(promise.predicate(View(self._system, pending, memory)))
            if promise.kind == "sometimes" and value:
                self.seen.add(promise.name)
            elif promise.kind == "always" and not value:
                text = f"'{promise.name}' does not hold in this state"
                self._note((promise.name, "", 0), Defect(promise.name, text, "", NOWHERE, time_ns))

    def defects(self) -> list[Defect]:
        """All that was found, in the order of its first appearance."""
        return [
            replace(defect, kind="race-on-weights") if defect.kind == "race" and defect.on in self._applied else defect
            for defect in self._defects.values()
        ]

    def _note(self, key: Key, defect: Defect) -> None:
        known = self._defects.get(key)
        self._defects[key] = defect if known is None else replace(known, count=known.count + 1)


class Contention:
    """The worst numbers of `semantics.waiters`, kept up to date by those who moved instead of counted anew."""

    def __init__(self, system: System) -> None:
        self.worst = {item: 0 for item, thing in enumerate(system.objects) if thing.kind is Kind.MUTEX}
        self._system = system
        self._wants = [-1] * len(system.actors)
        self._wanting: dict[int, set[int]] = {}

    def look(self, pending: Pending, memory: Memory, moved: Iterable[int]) -> None:
        """Take note of a state; `moved` as for `Monitor.look`."""
        if not self.worst:
            return
        for actor in moved:
            self._note(actor, wanted_mutex(self._system, memory, actor, pending[actor]))
        for item, number in self.now(memory).items():
            self.worst[item] = max(self.worst[item], number)

    def now(self, memory: Memory) -> dict[int, int]:
        """How many actors wait for each mutex that somebody else holds; equals `semantics.waiters`."""
        owners = {item: memory.value[item] - 1 for item in self._wanting}
        counts = {item: len(self._wanting[item] - {owner}) for item, owner in owners.items() if owner >= 0}
        return {item: number for item, number in counts.items() if number}

    def _note(self, actor: int, item: int) -> None:
        before = self._wants[actor]
        if before == item:
            return
        self._wants[actor] = item
        if before >= 0:
            self._wanting[before].remove(actor)
            if not self._wanting[before]:
                del self._wanting[before]
        if item >= 0:
            self._wanting.setdefault(item, set()).add(actor)
