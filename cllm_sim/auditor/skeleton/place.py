"""What a place is: a variable with a path of members, pointers followed ("*") and elements ("[]").

Every element has an index, as Python text. Rules of this file: values only; how places are found stands in `places.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from cllm_sim.auditor.facts import (
    Expr,
    Function,
    Site,
)

UNKNOWN = "?"
FREE = "@"
"""Begins the text of an index that is a local variable of a function not being written: it can only be matched."""

DEPTH_MAX = 24


class Root(NamedTuple):
    """The variable a place begins with; `how` tells apart several activations of the function of a local one."""

    kind: str
    owner: str
    name: str
    path: str = ""
    how: tuple[Site, ...] = ()


class Place(NamedTuple):
    """A piece of memory. `indices` has one text for every "[]" of the path."""

    root: Root
    path: tuple[str, ...] = ()
    indices: tuple[str, ...] = ()

    @property
    def family(self) -> Family:
        """All instances together."""
        return Family(self.root, self.path)

    def member(self, name: str) -> Place:
        """A member of the record that this is."""
        return self._replace(path=(*self.path, name))

    def behind(self) -> Place:
        """The memory that the pointer here leads to."""
        return self._replace(path=(*self.path, "*"))

    def element(self, index: str) -> Place:
        """An element; an index upon an index is an offset within a slice, which stays the slice's."""
        if self.path and self.path[-1] == "[]":
            last = self.indices[-1]
            return self._replace(indices=(*self.indices[:-1], _offset(last, index)))
        return Place(self.root, (*self.path, "[]"), (*self.indices, index))

    def row(self, index: str) -> Place:
        """An element of an array of arrays."""
        return Place(self.root, (*self.path, "[]"), (*self.indices, index))

    def with_indices(self, change: dict[str, str]) -> Place:
        """The same place with indices replaced; one that stays free is unknown."""
        return self._replace(indices=tuple(change.get(one, one) for one in self.indices))


class Family(NamedTuple):
    """A place without its indices."""

    root: Root
    path: tuple[str, ...]


def _offset(first: str, second: str) -> str:
    if first == "0":
        return second
    if second == UNKNOWN or second.isdigit():
        return first
    return second if first == UNKNOWN or first.isdigit() else first


@dataclass(slots=True)
class Frame:
    """One activation of a function, as far as it is known: what its pointer parameters lead to, and Python texts of its
    integers. `indices` are texts of loop counters of functions that led here (for threads that are made in rounds)."""

    function: Function
    how: tuple[Site, ...] = ()
    places: dict[str, Place | None] = field(default_factory=dict)
    integers: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, Expr] = field(default_factory=dict)
    indices: dict[str, str] = field(default_factory=dict)
    caller: Frame | None = None


def known(text: str) -> bool:
    """Is an index one that tells instances apart?"""
    return text != UNKNOWN and not number(text)


def number(text: str) -> bool:
    """Is an index a number?"""
    return text.lstrip("-").isdigit()


def ring(text: str) -> str | None:
    """The length of a ring, if a text is the index of a slot of one."""
    head, mark, length = text.rpartition(" % ")
    return length if mark and head else None


def matching(pattern: Place, place: Place) -> dict[str, str]:
    """Free indices of one place, as another place of the family has them."""
    return {
        free: given
        for free, given in zip(pattern.indices, place.indices, strict=True)
        if free.startswith(FREE) and given != UNKNOWN
    }


def settled(place: Place) -> Place:
    """A place without free indices: they are unknown."""
    return place._replace(indices=tuple(UNKNOWN if one.startswith(FREE) else one for one in place.indices))
