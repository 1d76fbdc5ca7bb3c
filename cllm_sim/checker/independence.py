"""Which operations may disturb each other, computed from the instance: who takes part, how many, who looks.

An operation uses things exclusively or together with others; two operations are dependent when they use one thing
and not both of them together. Arrivals at a barrier are used together only where membership is closed: as many actors
ever wait there as the barrier has parties. Plain accesses count like everything else, so two conflicting ones that are
both next are met in the reduced search exactly if they are at all; nothing has to be assumed about races.

What an actor may still do is read off its automaton as far as it is known. A search that meets a situation that was
unknown starts again (`reduced.py`), so in the end nothing reachable was left out.

Rules of this file: a mistake towards "dependent" costs states, one towards "independent" costs defects. It
must know every verb; `tests/checker/test_independence.py` compares with what steps really do.
"""

from collections.abc import Iterator

from cllm_sim.checker.layout import ELSEWHERE
from cllm_sim.checker.packing import Packing
from cllm_sim.compose import Bound
from cllm_sim.operations import Verb
from cllm_sim.semantics import PART, PLAIN, READ, accesses

Spot = tuple[int, int]
"""A node of an actor's automaton, and the child under its cursor."""

Values = tuple[tuple[int, int], ...]
"""Objects and their values."""

NO_CHILD = -1

Uses = tuple[int, int, int]
"""Things used exclusively, things used together, things used in parts (by others who do the same): as bit sets of the
objects, then all regions as one, then the ends of actors."""

NOTHING: Uses = (0, 0, 0)

ASKING = frozenset({Verb.READ, Verb.LOAD, Verb.AWAIT})
SETTING = frozenset({Verb.WRITE, Verb.STORE, Verb.ADD, Verb.EXCHANGE})
PARKING = frozenset({Verb.WAIT, Verb.SLEEP})
TOGETHER = frozenset({Verb.UP, Verb.LOAD, Verb.AWAIT})
ALONE = frozenset({Verb.ACQUIRE, Verb.RELEASE, Verb.NOTIFY, Verb.NOTIFY_ALL, Verb.DOWN, Verb.STORE, Verb.ADD})
ALONE |= {Verb.EXCHANGE, Verb.DESTROY}


def dependent(one: Uses, other: Uses) -> int:
    """The things because of which the order of two operations matters; 0: none."""
    return one[0] & (other[0] | other[1] | other[2]) | one[1] & (other[0] | other[2]) | one[2] & (other[0] | other[1])


def united(one: Uses, other: Uses) -> Uses:
    """The uses of two operations."""
    return one[0] | other[0], one[1] | other[1], one[2] | other[2]


class Independence:
    """What the actors of one system use, and may still use."""

    def __init__(self, packing: Packing, informed: bool = True, trust: bool = True) -> None:
        self.packing = packing
        self.space = packing.space
        self.system = packing.space.system
        self.informed = informed
        self.trust = trust
        objects = len(self.system.objects)
        self.regions = 1 << objects
        self.end = [1 << (objects + 1 + actor) for actor in range(len(self.system.actors))]
        self.size = self._known()
        self.members: dict[int, list[int]] = {}
        self.takers: dict[int, list[int]] = {}
        self.joiners: dict[int, list[int]] = {}
        self.wakers: dict[int, list[int]] = {}
        self.sleepers: dict[int, list[int]] = {}
        self.writers: dict[int, list[int]] = {}
        self.asked: list[list[int]] = [[] for _ in self.system.actors]
        self.barriers: list[list[int]] = [[] for _ in self.system.actors]
        self.mutexes: list[list[int]] = [[] for _ in self.system.actors]
        self.wakes: list[list[int]] = [[] for _ in self.system.actors]
        self._meet()
        self.closed = {
            item for item, members in self.members.items() if len(members) == self.system.objects[item].parties
        }
        self.ever: list[Uses] = [self._ever(actor) for actor in range(len(self.system.actors))]
        self._future: dict[tuple[int, Spot, int, int, Values], Uses] = {}
        self._uses: dict[tuple[int, Spot], Uses] = {}
        self.by_cursor = {actor for actor in range(len(self.system.actors)) if self._moves_cursor(actor)}
        self.stoppable = [self._stops_of(actor) for actor in range(len(self.system.actors))]

    def _known(self) -> int:
        return sum(len(auto.op) + sum(map(len, auto.edges)) for auto in self.space.automata)

    @property
    def grown(self) -> bool:
        """Has a situation been met that was not known when this was computed?"""
        return self._known() != self.size

    # --- once per system ----------------------------------------------------------------------------------------------
    def _operations(self, actor: int) -> Iterator[Bound]:
        """Every operation of an actor, those under the cursor for every child."""
        automaton = self.space.automata[self.system.actors[actor].kind]
        for node in range(len(automaton.op)):
            bound = self.space.bound_at(actor, node)
            if bound is not None:
                yield from bound.at or (bound,)

    def _meet(self) -> None:
        """Who waits at which barrier, takes which mutex, joins whom."""
        for actor in range(len(self.system.actors)):
            for bound in self._operations(actor):
                if bound.verb is Verb.WAIT:
                    _add(self.members, bound.on, actor)
                    _once(self.barriers[actor], bound.on)
                elif bound.verb in (Verb.ACQUIRE, Verb.SLEEP):
                    mutex = bound.on if bound.verb is Verb.ACQUIRE else self.system.objects[bound.on].mutex
                    _add(self.takers, mutex, actor)
                    _once(self.mutexes[actor], mutex)
                    if bound.verb is Verb.SLEEP:
                        _add(self.sleepers, bound.on, actor)
                elif bound.verb in (Verb.NOTIFY, Verb.NOTIFY_ALL):
                    _add(self.wakers, bound.on, actor)
                    _once(self.wakes[actor], bound.on)
                elif bound.verb is Verb.JOIN:
                    _add(self.joiners, bound.on, actor)
                elif bound.verb in ASKING:
                    _once(self.asked[actor], bound.on)
                if bound.verb in SETTING:
                    _add(self.writers, bound.on, actor)

    def _moves_cursor(self, actor: int) -> bool:
        return any(bound.verb is Verb.NEXT for bound in self._operations(actor))

    def _ever(self, actor: int) -> Uses:
        uses = NOTHING
        for bound in self._operations(actor):
            uses = united(uses, self._uses_of(bound))
        return uses

    def _stops_of(self, actor: int) -> int:
        """Everything that may ever stop an actor."""
        found = 0
        for item in (*self.barriers[actor], *self.mutexes[actor]):
            found |= 1 << item
        for bound in self._operations(actor):
            if bound.verb is Verb.JOIN:
                found |= self.end[bound.on]
            elif bound.verb is Verb.SLEEP:
                found |= 1 << bound.on
        return found

    # --- one operation ------------------------------------------------------------------------------------------------
    def _uses_of(self, bound: Bound) -> Uses:
        verb, bit = bound.verb, 1 << bound.on if bound.on >= 0 else 0
        if verb is Verb.WAIT:
            return (0, bit, 0) if bound.on in self.closed else (bit, 0, 0)
        if verb is Verb.SLEEP:
            return bit | 1 << self.system.objects[bound.on].mutex, 0, 0
        if verb in ALONE:
            return bit, 0, 0
        if verb in TOGETHER:
            return 0, bit, 0
        return self._accessed(bound) if verb in PLAIN else NOTHING

    def _accessed(self, bound: Bound) -> Uses:
        """Plain accesses; the end of a step looks at all regions, which everybody else may use together."""
        uses = [0, 0, 0]
        if bound.verb is Verb.UPDATE:
            uses[0] = self.regions
        elif bound.verb in (Verb.COMPUTE, Verb.FOLD):
            uses[1] = self.regions
        for location, mode in accesses(bound):
            uses[1 if mode == READ else 2 if mode == PART else 0] |= 1 << location
        return uses[0], uses[1], uses[2]

    def operation(self, actor: int, spot: Spot) -> Bound | None:
        """The operation at a spot; None where the actor has finished."""
        bound = self.space.bound_at(actor, spot[0])
        return bound.at[spot[1]] if bound is not None and bound.at and spot[1] >= 0 else bound

    def uses(self, actor: int, spot: Spot) -> Uses:
        """What the operation of an actor at a spot uses."""
        known = self._uses.get((actor, spot))
        if known is None:
            bound = self.operation(actor, spot)
            known = self._uses[actor, spot] = NOTHING if bound is None else self._uses_of(bound)
        return known

    # --- what an actor may still do -----------------------------------------------------------------------------------
    def future(self, actor: int, spot: Spot, phase: int, stops: int, fixed: Values) -> Uses:
        """All that an actor may use before it stands at something in `stops`; arriving at a barrier is included.

        `fixed` are values that nobody else can change before, so that the actor finds them unless it changes them.
        """
        stops &= self.stoppable[actor]
        key = (actor, spot, phase, stops, fixed)
        known = self._future.get(key)
        if known is None:
            known = self._future[key] = self._walked(actor, spot, phase, stops, dict(fixed))
        return known

    def _walked(self, actor: int, spot: Spot, phase: int, stops: int, fixed: dict[int, int]) -> Uses:
        uses = NOTHING
        pending = [(spot, 0)]
        if phase:
            bound = self.operation(actor, spot)
            assert bound is not None
            item = bound.on if bound.verb is Verb.WAIT else self.system.objects[bound.on].mutex
            if stops >> item & 1 or (phase == 1 and stops >> bound.on & 1):
                return NOTHING
            uses = NOTHING if bound.verb is Verb.WAIT else (1 << item, 0, 0)
            pending = [(after, 0) for after in self._following(actor, spot, None)]
        seen = set()
        while pending:
            here = pending.pop()
            if here in seen:
                continue
            seen.add(here)
            spot, changed = here
            bound = self.operation(actor, spot)
            if bound is None:
                continue
            mine, going = self._passing(actor, spot, bound, stops)
            uses = united(uses, mine)
            value = fixed.get(bound.on) if bound.verb in ASKING and not changed >> bound.on & 1 else None
            if not going or (bound.verb is Verb.AWAIT and value is not None and value != bound.op.value):
                continue
            if bound.verb in SETTING and bound.on in fixed:
                changed |= 1 << bound.on
            pending.extend((after, changed) for after in self._following(actor, spot, value))
        return uses

    def _following(self, actor: int, spot: Spot, reply: int | None) -> list[Spot]:
        """The spots that an actor may come to next, if the reply is given with this one."""
        node, at = spot
        edges = self.space.automata[self.system.actors[actor].kind].edges[node]
        bound = self.space.bound_at(actor, node)
        if bound is None or bound.verb is not Verb.NEXT:
            return [(following, at) for given, following in edges.items() if reply is None or given == reply]
        children = range(len(self.system.actors[actor].children))
        visited = children if actor in self.system.any_order else children[at + 1 : at + 2]
        return [
            (following, child) for given, following in edges.items() for child in (visited if given else (NO_CHILD,))
        ]

    def _passing(self, actor: int, spot: Spot, bound: Bound, stops: int) -> tuple[Uses, bool]:
        """What is used at a spot before the stops stop the actor, and whether it goes on."""
        if bound.verb is Verb.ACQUIRE and stops >> bound.on & 1:
            return NOTHING, False
        if bound.verb is Verb.JOIN and stops & self.end[bound.on]:
            return NOTHING, False
        return self.uses(actor, spot), not (bound.verb in PARKING and stops >> bound.on & 1)

    # --- where an actor stands ----------------------------------------------------------------------------------------
    def spot(self, packed: int, actor: int) -> Spot:
        """Where an actor stands."""
        layout = self.packing.layout
        node = layout.situation(packed, actor)[0]
        if actor not in self.by_cursor:
            return node, NO_CHILD
        children = self.system.actors[actor].children
        cursors = (layout.value_of(packed, self.system.cursor[child]) for child in children)
        return node, next((index for index, value in enumerate(cursors) if value == 1), NO_CHILD)

    def holds(self, packed: int, actor: int, mutex: int) -> bool:
        """Does an actor hold a mutex?"""
        layout = self.packing.layout
        code = packed >> layout.value[mutex] & layout.field
        if code == ELSEWHERE:
            return mutex in layout.held(packed, actor)
        return layout.plain_owner(mutex, code) == actor + 1


def _add(table: dict[int, list[int]], key: int, actor: int) -> None:
    _once(table.setdefault(key, []), actor)


def _once(found: list[int], thing: int) -> None:
    if thing not in found:
        found.append(thing)
