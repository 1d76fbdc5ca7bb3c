"""A state as the promises of an architecture see it (`architecture.StateView`), for all interpreters alike.

Rules of this file: answers never depend on who is which sibling, so a promise cannot break the symmetry of a search.
"""

from cllm_sim.compose import System
from cllm_sim.operations import Verb
from cllm_sim.semantics import Memory, Pending


class View:
    """What `always` and `sometimes` may ask about a state."""

    def __init__(self, system: System, pending: Pending, memory: Memory) -> None:
        self._system = system
        self._pending = pending
        self._value = memory.value

    @property
    def workers(self) -> int:
        """Children of every control."""
        return self._system.tree.workers

    def values(self, name: str) -> tuple[int, ...]:
        """Values of all objects declared under this name, sorted; raises ValueError where nothing is."""
        objects = self._system.objects
        found = [self._value[item] for item, thing in enumerate(objects) if thing.field == name]
        if not found:
            known = ", ".join(sorted({thing.field for thing in objects}))
            raise ValueError(f"nothing is declared as '{name}'; known: {known}")
        return tuple(sorted(found))

    def about_to(self, verb: str) -> int:
        """Number of actors whose next operation has this verb (waiting ones included); ValueError: no such verb."""
        return sum(bound is not None and bound.verb is Verb(verb) for bound in self._pending)
