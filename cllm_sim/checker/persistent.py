"""Persistent sets: a few actors whose next steps nothing that the others may do before can disturb.

A set is grown from one actor that can move. Whoever may use something that a step of the set needs, before it comes to
a point that it cannot pass without the set, joins it; an actor that joins and cannot move brings those along without
whom it stays where it is (Overman 1981; Godefroid 1996, persistent sets; Valmari 1991, stubborn sets). What nobody can
pass without the set is read off the state: a barrier with closed membership that still lacks a member of it, a mutex
that one of it holds, the end of one of it; and what then stands still stops others in turn.

Rules of this file: it chooses among the moves that it is given and makes none. Soundness is argued in
`docs/decisions/0011-partial-order-from-the-instance.md`.
"""

from collections import deque
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from cllm_sim.checker.independence import NOTHING, Independence, Spot, Uses, Values, dependent, united
from cllm_sim.checker.table import Move
from cllm_sim.operations import Verb

Enabled = list[tuple[int, tuple[Move, ...]]]

SEEDS_MAX = 24
"""How many actors a set is tried to be grown from."""


MASKS_MAX = 40
"""By how many sets of fields answers about an actor are kept."""

T = TypeVar("T")

NOWHERE = -1
"""Parked at no barrier."""


class Kept(Generic[T]):
    """Answers about states, kept by the fields that were read to give them: another state with these has the same."""

    def __init__(self) -> None:
        self._answers: dict[int, dict[int, T]] = {}

    def find(self, packed: int) -> T | None:
        """A kept answer, if there is one."""
        for mask, answers in self._answers.items():
            found = answers.get(packed & mask)
            if found is not None:
                return found
        return None

    def keep(self, packed: int, mask: int, answer: T) -> None:
        """Keep an answer for which only the fields of the mask were read."""
        if mask in self._answers or len(self._answers) < MASKS_MAX:
            self._answers.setdefault(mask, {})[packed & mask] = answer


class Wanted(NamedTuple):
    """What an actor wants to do next: the verb, on what, where in its text, and how far it is with it."""

    verb: Verb
    on: int
    spot: Spot
    phase: int


class Persistent:
    """Chooses who has to be followed in a state."""

    def __init__(self, independence: Independence) -> None:
        self.known = independence
        self.layout = independence.packing.layout
        self._alone: list[Kept[bool]] = [Kept() for _ in self.layout.local]
        self._sets: list[Kept[frozenset[int]]] = [Kept() for _ in self.layout.local]
        self.seen = [self._fields(actor) for actor in range(len(self.layout.local))]
        self._wanted: list[dict[int, Wanted | None]] = [{} for _ in self.layout.local]
        self.all_holds = sum(self.layout.field << place for place in self.layout.holds)
        self._rivals: dict[tuple[int, Spot], list[int]] = {}

    def wanted(self, packed: int, actor: int) -> Wanted | None:
        """The pending operation of an actor, its spot and phase; None if it has finished."""
        known, key = self._wanted[actor], packed & self.seen[actor]
        if key not in known:
            known[key] = self._made(actor, packed)
        return known[key]

    def _made(self, actor: int, packed: int) -> Wanted | None:
        spot = self.known.spot(packed, actor)
        bound = self.known.operation(actor, spot)
        return None if bound is None else Wanted(bound.verb, bound.on, spot, self.layout.situation(packed, actor)[1])

    def _fields(self, actor: int) -> int:
        """The fields that tell where an actor stands."""
        layout, system = self.layout, self.known.system
        mask = layout.field << layout.local[actor]
        for child in system.actors[actor].children if actor in self.known.by_cursor else ():
            mask |= layout.field << layout.value[system.cursor[child]]
        return mask

    # --- one actor, all by itself -------------------------------------------------------------------------------------
    def alone(self, packed: int, actor: int) -> bool:
        """Is the next step of an actor, which can move, a persistent set? As long as nothing is known: yes."""
        if not self.known.informed:
            return True
        spot = self.known.spot(packed, actor)
        rivals = self._rivals_of(actor, spot)
        if not rivals:
            return True
        known = self._alone[actor].find(packed)
        if known is None:
            group = _Group(self, packed, [actor])
            known = group.undisturbed(self.known.uses(actor, spot), rivals)
            self._alone[actor].keep(packed, group.read, known)
        return known

    def _rivals_of(self, actor: int, spot: Spot) -> list[int]:
        """The actors that ever use what this operation needs."""
        key = (actor, spot)
        found = self._rivals.get(key)
        if found is None:
            uses, ever = self.known.uses(actor, spot), self.known.ever
            found = (
                []
                if uses == NOTHING
                else [other for other in range(len(ever)) if other != actor and dependent(uses, ever[other])]
            )
            self._rivals[key] = found
        return found

    # --- the best set -------------------------------------------------------------------------------------------------
    def select(self, packed: int, enabled: Enabled) -> Enabled:
        """A persistent set of the moves of a state, small if there is one; choices of the environment come last."""
        if len(enabled) < 2:
            return enabled
        if not self.known.informed:
            return enabled[:1]
        able = {actor for actor, _ in enabled}
        best, price = enabled, _price(enabled)
        for actor, _ in enabled[:SEEDS_MAX]:
            members = self._grown(packed, actor, able)
            found = [one for one in enabled if one[0] in members]
            if _price(found) < price:
                best, price = found, _price(found)
            if price == (False, 1):
                break
        return best

    def _grown(self, packed: int, seed: int, able: set[int]) -> frozenset[int]:
        known = self._sets[seed].find(packed)
        if known is not None:
            return known
        group = _Group(self, packed, [seed])
        while True:
            uses = group.uses(able)
            joining = next((other for other in group.others() if group.disturbs(other, uses)), None)
            if joining is None:
                found = frozenset(group.members)
                self._sets[seed].keep(packed, group.read, found)
                return found
            group.join(joining, able)

    def moving_fields(self, packed: int, actor: int) -> int:
        """The fields that tell whether an actor can move."""
        table, layout = self.known.packing.table, self.layout
        row = table.row(actor, packed >> layout.local[actor] & layout.field)
        return self.seen[actor] | (table.last(row, packed).mask if row is not None else 0)


def _price(enabled: Enabled) -> tuple[bool, int]:
    chosen = any(move.chosen for _, moves in enabled for move in moves)
    return chosen, sum(len(moves) for _, moves in enabled)


class _Group:
    """A set of actors that do not move, and what stands still because of them."""

    def __init__(self, chooser: Persistent, packed: int, members: list[int]) -> None:
        self.chooser = chooser
        self.known = chooser.known
        self.layout = chooser.layout
        self.packed = packed
        self.read = 0
        self.members: set[int] = set()
        self.still: dict[int, int] = {}
        self.stops = 0
        self._pending: deque[int] = deque()
        for member in members:
            self.join(member, {member})

    def _wanted(self, actor: int) -> Wanted | None:
        """The pending operation of an actor, its spot and phase; None if it has finished."""
        self.read |= self.chooser.seen[actor]
        return self.chooser.wanted(self.packed, actor)

    # --- growing ------------------------------------------------------------------------------------------------------
    def join(self, actor: int, able: set[int]) -> None:
        """Take an actor in, with those without whom it cannot go on where it cannot move."""
        pending = [actor]
        while pending:
            one = pending.pop()
            if one in self.members:
                continue
            self.members.add(one)
            self.still[one] = self._parked_at(one)
            self._pending.append(one)
            self.read |= self.chooser.moving_fields(self.packed, one)
            if one not in able:
                pending.extend(self._needed(one))

    def _parked_at(self, actor: int) -> int:
        """The barrier at which an actor is parked; NOWHERE if at none."""
        wanted = self._wanted(actor)
        parked = wanted is not None and wanted.verb is Verb.WAIT and wanted.phase == 1
        return wanted.on if wanted is not None and parked else NOWHERE

    def _needed(self, actor: int) -> list[int]:
        """Actors of which one must move before this one, which cannot move, can."""
        wanted = self._wanted(actor)
        if wanted is None:
            return []
        if wanted.verb is Verb.JOIN:
            return [wanted.on]
        if self.known.trust and wanted.verb is Verb.WAIT and wanted.on in self.known.closed:
            missing = (one for one in self.known.members[wanted.on] if self._parked_at(one) != wanted.on)
            return [next(missing, actor)]
        if self.known.trust and (wanted.verb is Verb.ACQUIRE or (wanted.verb is Verb.SLEEP and wanted.phase == 2)):
            mutex = self._mutex(wanted)
            self.read |= self.layout.field << self.layout.value[mutex] | self.chooser.all_holds
            holder = self.layout.value_of(self.packed, mutex) - 1
            return [holder] if holder >= 0 else []
        bit, ever = 1 << (self._mutex(wanted) if wanted.phase == 2 else wanted.on), self.known.ever
        return [other for other in range(len(ever)) if (ever[other][0] | ever[other][1] | ever[other][2]) & bit]

    def _mutex(self, wanted: Wanted) -> int:
        return wanted.on if wanted.verb is Verb.ACQUIRE else self.known.system.objects[wanted.on].mutex

    # --- what cannot be passed ----------------------------------------------------------------------------------------
    def _spread(self, rivals: set[int] | None = None) -> None:
        """Find all that stands still because of the members; no more than that, once all rivals are known to."""
        while self._pending:
            if rivals is not None and rivals <= self.still.keys():
                return
            actor = self._pending.popleft()
            if self._wanted(actor) is not None:
                self._stop(self.known.end[actor], self.known.joiners.get(actor, ()), (Verb.JOIN,), actor)
            if not self.known.trust:
                continue
            for item in self.known.barriers[actor]:
                if item in self.known.closed and item != self.still[actor]:
                    self._stop(1 << item, self.known.members[item], (Verb.WAIT,), item)
            for item in self.known.wakes[actor]:
                if not self.known.system.spurious and all(one in self.still for one in self.known.wakers[item]):
                    self._stop(1 << item, self.known.sleepers.get(item, ()), (Verb.SLEEP,), item)
            for item in self.known.mutexes[actor]:
                self.read |= (
                    self.layout.field << self.layout.value[item] | self.layout.field << self.layout.holds[actor]
                )
                if self.known.holds(self.packed, actor, item):
                    self._stop(1 << item, self.known.takers[item], (Verb.ACQUIRE, Verb.SLEEP), item)

    def _stop(self, bit: int, actors: Sequence[int], verbs: tuple[Verb, ...], item: int) -> None:
        if self.stops & bit:
            return
        self.stops |= bit
        for actor in actors:
            if actor not in self.still and self._stands_at(actor, verbs, item):
                self.still[actor] = item if Verb.WAIT in verbs else NOWHERE
                self._pending.append(actor)

    def _stands_at(self, actor: int, verbs: tuple[Verb, ...], item: int) -> bool:
        """Is the next thing that an actor has to pass this barrier, mutex or end of an actor?"""
        wanted = self._wanted(actor)
        if wanted is None or wanted.verb not in verbs:
            return False
        if wanted.verb is Verb.SLEEP and wanted.on != item:
            return wanted.phase == 2 and self._mutex(wanted) == item
        return wanted.on == item and (wanted.verb is not Verb.SLEEP or wanted.phase == 1)

    # --- who disturbs -------------------------------------------------------------------------------------------------
    def uses(self, able: set[int]) -> Uses:
        """What the next steps of the members that can move use."""
        uses = NOTHING
        for actor in self.members & able:
            wanted = self._wanted(actor)
            if wanted is not None:
                uses = united(uses, self.known.uses(actor, wanted.spot))
        return uses

    def others(self) -> list[int]:
        """Everybody else."""
        self._spread()
        return [actor for actor in range(len(self.layout.local)) if actor not in self.members]

    def disturbs(self, actor: int, uses: Uses) -> bool:
        """May an actor, before it comes to what it cannot pass, do something that these uses depend on?"""
        if not dependent(uses, self.known.ever[actor]):
            return False
        wanted = self._wanted(actor)
        if wanted is None:
            return False
        fixed = self._fixed(actor)
        return bool(dependent(uses, self.known.future(actor, wanted.spot, wanted.phase, self.stops, fixed)))

    def _fixed(self, actor: int) -> Values:
        """The values that an actor asks for and that nobody else can change, because all who ever do stand still.

        Not for controls: what they ask of all children makes too many cases.
        """
        if actor in self.known.by_cursor:
            return ()
        found = [
            item
            for item in self.known.asked[actor]
            if all(one == actor or one in self.still for one in self.known.writers.get(item, ()))
        ]
        for item in found:
            self.read |= self.layout.field << self.layout.value[item]
        return tuple((item, self.layout.value_of(self.packed, item)) for item in found)

    def undisturbed(self, uses: Uses, rivals: list[int]) -> bool:
        """Does none of the rivals disturb? (The members do not grow.)"""
        self._spread(set(rivals))
        return all(not self.disturbs(one, uses) for one in rivals)
