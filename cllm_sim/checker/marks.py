"""Happens-before marks by number: what a step does to them is asked of `semantics.ordered` once, then looked up.

Rules of this file: number 0 is "no marks"; numbers are given in the order of first use; nothing here knows a rule of
the monitor.
"""

from cllm_sim.compose import System
from cllm_sim.semantics import Event, Fault, Mark, ordered

Marked = tuple[int, tuple[Fault, ...]]


class Marks:
    """All sets of marks met in one search."""

    def __init__(self, system: System, events: list[tuple[Event, ...]]) -> None:
        self.system = system
        self.events = events
        self.things: list[tuple[Mark, ...]] = [()]
        self._known: dict[tuple[Mark, ...], int] = {(): 0}
        self._after: list[dict[int, Marked]] = [{}]

    def number(self, marks: tuple[Mark, ...]) -> int:
        """The number of a set of marks."""
        found = self._known.get(marks)
        if found is None:
            found = self._known[marks] = len(self.things)
            self.things.append(marks)
            self._after.append({})
        return found

    def after(self, number: int, events: int) -> Marked:
        """The number of the marks after a step, and the races that the step shows."""
        found = self._after[number].get(events)
        if found is None:
            marks, faults = ordered(self.system, self.things[number], self.events[events])
            found = self._after[number][events] = (self.number(marks), faults)
        return found
