"""The shared objects of a skeleton: which C object is which Python name, and how many instances it has.

An array becomes a list of objects only along those dimensions in which some thread picks its own element; other indices
are data. Rules of this file: what was learnt in one round of writing (dimensions, whole records, users) is used in the
next, until nothing changes.
"""

from __future__ import annotations

import keyword
from collections.abc import Sized
from dataclasses import dataclass, field

from cllm_sim.auditor.facts import Site
from cllm_sim.auditor.locations import Location
from cllm_sim.auditor.skeleton.place import FREE, UNKNOWN, Family, Place, Root, ring

RESERVED = frozenset(
    "me team work order process_ends each choose join partial architecture root leaf others index Architecture Barrier "
    "Condition Mutex Seat Semaphore Steps Team Variable Word Work main range int print list dict set type id min max "
    "sum any all".split()
)


CONSTANTS_MAX = 8
"""Elements of an array that are told apart by constant indices."""


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

    dimensions: dict[Family, str] = field(default_factory=dict)
    constants: dict[Family, set[int]] = field(default_factory=dict)
    whole: set[Family] = field(default_factory=set)
    users: dict[Root, set[str]] = field(default_factory=dict)
    touched: dict[Family, set[tuple[str, bool, bool]]] = field(default_factory=dict)
    by_location: dict[Location, set[Family]] = field(default_factory=dict)
    used: set[tuple[str, Family]] = field(default_factory=set)
    initialised: dict[Family, set[Site]] = field(default_factory=dict)
    slept: set[Family] = field(default_factory=set)
    rings: bool = False
    words: set[Family] = field(default_factory=set)
    escaped: set[Root] = field(default_factory=set)

    def size(self) -> int:
        """A number that grows with everything learnt: two equal ones mean that nothing was."""
        held: tuple[Sized, ...] = (
            self.dimensions, *self.constants.values(), *self.users.values(), *self.touched.values(),
            *self.by_location.values(), *self.initialised.values(), self.whole, self.used,
            self.escaped, self.words, self.slept,
        )  # fmt: skip
        return int(self.rings) + sum(len(one) for one in held)


class Objects:
    """The objects of one round."""

    def __init__(self, learnt: Learnt) -> None:
        self.learnt = learnt
        self.things: dict[tuple[str, Family], Thing] = {}
        self.names: set[str] = set()

    # ------------------------------------------------------------------------------------------------------- families
    def normal(self, family: Family) -> Family:
        """The family whose object stands for this one: the record, where it is read or written as a whole; elements
        that nobody tells apart are their array."""
        path = family.path
        for end in range(1, len(path)):
            if Family(family.root, path[:end]) in self.learnt.whole:
                path = path[:end]
                break
        while path and path[-1] == "[]" and self.dimension(family.root, path) is None:
            path = path[:-1]
        return Family(family.root, path)

    def note(self, place: Place, sizes: dict[str, str]) -> None:
        """Learn the dimensions of a place's arrays from one access."""
        number = 0
        for at, word in enumerate(place.path):
            if word != "[]":
                continue
            text = place.indices[number] if number < len(place.indices) else UNKNOWN
            number += 1
            prefix = Family(place.root, place.path[: at + 1])
            size = sizes.get(text) or ring(text)
            if size is not None:
                self.learnt.dimensions.setdefault(prefix, size)
            else:
                value = int(text) if text.isdigit() else -1
                self.learnt.constants.setdefault(prefix, set()).add(value)

    def dimension(self, root: Root, path: tuple[str, ...]) -> str | None:
        """The size of the dimension that the path's last "[]" is; None if its elements are not told apart."""
        prefix = Family(root, path)
        known = self.learnt.dimensions.get(prefix)
        if known is not None:
            return known
        values = self.learnt.constants.get(prefix, set())
        if -1 not in values and len(values) > 1 and max(values) < CONSTANTS_MAX:
            return str(max(values) + 1)
        return None

    def dimensions(self, family: Family) -> list[tuple[int, str]]:
        """The indices of a family that pick an object (by number), with the sizes of these dimensions."""
        found, number = [], 0
        for at, word in enumerate(family.path):
            if word == "[]":
                size = self.dimension(family.root, family.path[: at + 1])
                if size is not None:
                    found.append((number, size))
                number += 1
        return found

    # ---------------------------------------------------------------------------------------------------------- things
    def thing(self, kind: str, place: Place, location: Location | None, site: Site) -> Thing:
        """The object at a place."""
        family = self.normal(place.family)
        key = (kind, family)
        if key not in self.things:
            sizes = tuple(size for _, size in self.dimensions(family))
            name = self.unique(*_names(family))
            self.things[key] = Thing(name, kind, family, location, site, sizes, label=_label(family, location))
        thing = self.things[key]
        thing.location = thing.location or location
        return thing

    def reference(self, thing: Thing, place: Place, sizes: dict[str, str]) -> tuple[str, str, bool]:
        """The Python text of an instance; the size of its dimension if it is each of all ("{}"); whether it is exact.

        An index of which the range is not known (`sizes`) is kept within the list, for a search also asks what a text
        does with values that never come.
        """
        text, size, exact = thing.name, "", True
        for number, length in self.dimensions(thing.family):
            index = place.indices[number] if number < len(place.indices) else UNKNOWN
            if index.isdigit() and int(index) > 0 and not length.isdigit():
                index = f"min({index}, {length} - 1)"
            elif index == UNKNOWN or index.startswith(FREE):
                exact = False
                index, size = ("{}", length) if not size else ("0", size)
            elif not index.isdigit() and index not in sizes and ring(index) is None:
                index = f"{index} % {length}"
            text += f"[{index}]"
        return text, size, exact

    def told_apart(self, place: Place) -> bool:
        """Is it known which element of every array is meant?"""
        number = 0
        for at, word in enumerate(place.path):
            if word == "[]":
                text = place.indices[number] if number < len(place.indices) else UNKNOWN
                number += 1
                known = self.dimension(place.root, place.path[: at + 1]) is not None
                if not known and not text.isdigit():
                    return False
        return True

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
