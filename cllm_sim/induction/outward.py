"""What the outside sees of an operation before it happens, and the conditions that every operation must meet.

Rules of this file: it raises NotProvable, with the line, for the first operation that a condition forbids.
"""

from cllm_sim.compose import Bound
from cllm_sim.induction.actions import ARRIVE, GO_ON, WOKEN, WORK, WRITES_WORDS, Action
from cllm_sim.induction.findings import NotProvable
from cllm_sim.induction.level import ROOT, Level
from cllm_sim.induction.world import NOTHING, Change
from cllm_sim.operations import Kind, Place, Verb


class Outward:
    """One level as seen from outside."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self.system = level.system
        self.module = frozenset(
            item for item, thing in enumerate(self.system.objects) if thing.owner is None and "/" not in thing.name
        )
        self._known: dict[tuple[int, Bound], bool] = {}

    def of(self, actor: int, bound: Bound, change: Change) -> Action | None:
        """How the outside sees the next operation of an actor; None where it does not see it before it happens."""
        items = (bound.on, *bound.reads, *bound.writes, *bound.scratch)
        level, op = self.level, bound.op
        if self._inside(actor, change.situations[actor], bound, items) or level.role == ROOT:
            return None
        if bound.verb in WORK:
            if not level.open_to.intersection(bound.reads) or bound.verb is Verb.COMPUTE:
                return None
            names = tuple(self.name(item) for item in (*bound.reads, *bound.writes) if item in level.open_to)
            return Action(bound.verb, names, op.value)
        deed: str = bound.verb
        phase = change.memory.phase[actor]
        if bound.verb is Verb.WAIT:
            deed = GO_ON if phase else ARRIVE
        elif bound.verb is Verb.SLEEP and phase:
            deed = WOKEN if phase == 1 else GO_ON
        tag = change.registers[actor] if bound.verb in WRITES_WORDS else NOTHING
        return Action(deed, (self.name(bound.on),), op.value, op.expected, tag)

    def name(self, item: int) -> str:
        """The name of an object."""
        return self.system.objects[item].name

    def _inside(self, actor: int, situation: int, bound: Bound, items: tuple[int, ...]) -> bool:
        """Does an operation concern the level alone? Raises NotProvable for what no condition of the proof allows."""
        known = self._known.get((actor, bound))
        if known is None:
            place = self.level.place(actor, situation)
            self._check_verb(actor, bound, place)
            self._check_module(actor, bound, items, place)
            known = not self.level.open_to.intersection(items)
            self._known[actor, bound] = known
        return known

    def _check_verb(self, actor: int, bound: Bound, place: Place) -> None:
        root = self.level.role == ROOT and actor == 0
        if bound.verb is Verb.JOIN:
            raise NotProvable("footprint", "an actor waits for another one by its name", place)
        if bound.verb is Verb.CHOOSE and not root:
            raise NotProvable("root decides", "the environment chooses below the root", place)
        if bound.verb is Verb.UPDATE and not root:
            raise NotProvable("root decides", "a step is ended below the root", place)

    def _check_module(self, actor: int, bound: Bound, items: tuple[int, ...], place: Place) -> None:
        root = self.level.role == ROOT and actor == 0
        harmless = set(bound.reads) if bound.verb is Verb.COMPUTE else set()
        if root and bound.verb is Verb.UPDATE:
            return
        for item in items:
            if item in self.module and item not in harmless:
                thing = self.system.objects[item]
                what = f"'{bound.op}' uses {thing.name}, one {thing.kind} for the whole tree"
                lock = thing.kind in (Kind.BARRIER, Kind.MUTEX, Kind.CONDITION)
                counter = thing.kind in (Kind.WORD, Kind.SEMAPHORE, Kind.VARIABLE)
                raise NotProvable("private" if lock else "no counters" if counter else "footprint", what, place)
