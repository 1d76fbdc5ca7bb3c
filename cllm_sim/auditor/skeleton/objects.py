"""The shared objects of a skeleton: which C object is which Python name, and how many instances it has.

An array becomes a list of objects only along those dimensions in which some thread picks its own element; other indices
are data. Rules of this file: what was learnt in one round of writing (dimensions, whole records, users) is used in the
next, until nothing changes.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable
from dataclasses import dataclass, field

from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.skeleton.places import UNKNOWN, Family, Place, Root

RESERVED = frozenset(
    "me team work order each choose join partial architecture root leaf others index Architecture Barrier Condition Mutex "
    "Seat Semaphore Steps Team Variable Word Work main range int print list dict set type id min max sum any all".split()
)


@dataclass(slots=True)
class Thing:
    """One shared object, or a list of them (then `sizes` are Python texts of its dimensions)."""

    name: str
    kind: str
    family: Family
    location: Location | None
    site: Site
    sizes: tuple[str, ...] = ()
    initial: str = ""
    parties: str = ""
    mutex: Thing | None = None
    data: bool = False
    label: str = ""


@dataclass(slots=True)
class Learnt:
    """What earlier rounds learnt of families of places."""

    dimensions: dict[Family, dict[int, str]] = field(default_factory=dict)
    constants: dict[Family, dict[int, set[int]]] = field(default_factory=dict)
    whole: set[Family] = field(default_factory=set)
    users: dict[Root, set[str]] = field(default_factory=dict)
    touched: dict[Family, set[tuple[str, bool, bool]]] = field(default_factory=dict)
    by_location: dict[Location, set[Family]] = field(default_factory=dict)
    used: set[tuple[str, Family]] = field(default_factory=set)
    initialised: dict[Family, set[Site]] = field(default_factory=dict)

    def size(self) -> int:
        """A number that grows with everything learnt: two equal ones mean that nothing was."""
        held: Iterable[object] = (
            *self.dimensions.values(), *self.constants.values(), *self.users.values(), *self.touched.values(),
            *self.by_location.values(), *self.initialised.values(), self.whole, self.used,
        )  # fmt: skip
        return sum(len(one) for one in held)  # type: ignore[arg-type]  # all are containers


class Objects:
    """The objects of one round."""

    def __init__(self, learnt: Learnt) -> None:
        self.learnt = learnt
        self.things: dict[tuple[str, Family], Thing] = {}
        self.names: set[str] = set()

    # ------------------------------------------------------------------------------------------------------- families
    def normal(self, family: Family) -> Family:
        """The family whose object stands for this one: the record, where it is read or written as a whole."""
        for end in range(1, len(family.path)):
            shorter = Family(family.root, family.path[:end])
            if shorter in self.learnt.whole:
                return shorter
        return family

    def note(self, place: Place, sizes: dict[str, str]) -> None:
        """Learn the dimensions of a place's family from one access."""
        cut = self.cut(place)
        for position, text in enumerate(cut.indices):
            if text in sizes:
                self.learnt.dimensions.setdefault(cut.family, {}).setdefault(position, sizes[text])
            elif text.isdigit():
                self.learnt.constants.setdefault(cut.family, {}).setdefault(position, set()).add(int(text))
            else:
                self.learnt.constants.setdefault(cut.family, {}).setdefault(position, set()).add(-1)

    def cut(self, place: Place) -> Place:
        """The place as far as its object goes."""
        family = self.normal(place.family)
        count = sum(1 for one in family.path if one == "[]")
        return Place(family.root, family.path, place.indices[:count])

    def dimensions(self, family: Family) -> dict[int, str]:
        """Positions of indices that pick an object, with the sizes of these dimensions."""
        found = dict(self.learnt.dimensions.get(family, {}))
        for position, values in self.learnt.constants.get(family, {}).items():
            if position not in found and -1 not in values and len(values) > 1 and max(values) < 8:
                found[position] = str(max(values) + 1)
        return found

    # ---------------------------------------------------------------------------------------------------------- things
    def thing(self, kind: str, place: Place, location: Location | None, site: Site) -> Thing:
        """The object at a place."""
        family = self.normal(place.family)
        key = (kind, family)
        if key not in self.things:
            dimensions = self.dimensions(family)
            sizes = tuple(dimensions[position] for position in sorted(dimensions))
            name = self.unique(*_names(family))
            self.things[key] = Thing(name, kind, family, location, site, sizes, label=_label(family, location))
        thing = self.things[key]
        thing.location = thing.location or location
        return thing

    def reference(self, thing: Thing, place: Place, own: tuple[str, ...]) -> tuple[str, str, bool]:
        """The Python text of an instance; the size of its dimension if it is each of all ("{}"); whether it is exact.

        `own` are the thread's own numbers if the access is known to be the thread's own memory.
        """
        cut = self.cut(place)
        dimensions = self.dimensions(thing.family)
        text, size, exact = thing.name, "", True
        for number, position in enumerate(sorted(dimensions)):
            index = cut.indices[position] if position < len(cut.indices) else UNKNOWN
            if index in {UNKNOWN} or index.startswith("@"):
                if number < len(own):
                    index = own[number]
                elif not size:
                    index, size, exact = "{}", dimensions[position], False
                else:
                    index, exact = "0", False
            text += f"[{index}]"
        return text, size, exact

    def unique(self, *candidates: str) -> str:
        """The first of some names that is free."""
        for candidate in candidates:
            if candidate not in self.names and candidate not in RESERVED and not keyword.iskeyword(candidate):
                self.names.add(candidate)
                return candidate
        number = 2
        while f"{candidates[-1]}_{number}" in self.names:
            number += 1
        self.names.add(f"{candidates[-1]}_{number}")
        return f"{candidates[-1]}_{number}"


def _names(family: Family) -> list[str]:
    """Names for an object, the shortest first: the member, with the variable before it, the whole way."""
    words = [family.root.name, *(one for one in family.path if one not in {"*", "[]"})]
    words = [_identifier(one) for one in words]
    last = words[-1]
    found = [last]
    if len(words) > 1:
        found.append(f"{words[-2]}_{last}")
    found.append("_".join(words))
    if family.root.owner:
        found.append("_".join((_identifier(family.root.owner), *words)))
    return found


def _identifier(name: str) -> str:
    text = "".join(one if one.isalnum() or one == "_" else "_" for one in name)
    text = text.strip("_") or "thing"
    return f"{text}_" if text in RESERVED or keyword.iskeyword(text) or text[0].isdigit() else text


def _label(family: Family, location: Location | None) -> str:
    if location is not None:
        return location.label
    return ".".join((family.root.name, *(one for one in family.path if one not in {"*", "[]"})))
