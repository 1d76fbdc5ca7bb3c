"""Which bracket belongs to which, and what a brace encloses, told from the characters alone.

Rules of this file: tolerant. A closing brace closes what was left open since its opening one; a closing bracket
without an opening one is ignored. What is nested deeper than `NESTING_MAX` is given as stretches to be blanked, and is
not looked into: neither the parser nor whoever walks over facts needs to go there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Literal

NESTING_MAX = 200
LOOK_BACK = 500

_BRACKET = re.compile(rb"[(){}\[\]]")
_OPENING = {b")": b"(", b"}": b"{", b"]": b"["}
_TAG = re.compile(rb"\b(struct|union|enum)\b[^;{}()=]*\Z")

Kind = Literal["file", "code", "record", "list"]


class Brackets:
    """The brackets of a stretch of code without the contents of strings."""

    def __init__(self, bare: bytes | bytearray, inside_function: bool = False) -> None:
        self._bare = bare
        self._inside_function = inside_function
        self._openings: list[int] = []
        self.closing: dict[int, int] = {}
        self._opening: dict[int, int] = {}
        self.too_deep: list[tuple[int, int]] = []
        self._offsets: list[int] = []
        self._enclosing: list[int] = []
        self._kinds: dict[int, Kind] = {}
        self._match()

    def _match(self) -> None:
        opened: list[tuple[bytes, int]] = []
        braces = [-1]
        deep = -1
        for found in _BRACKET.finditer(self._bare):
            bracket, place = found[0], found.start()
            if bracket not in _OPENING:
                opened.append((bracket, place))
                if len(opened) > NESTING_MAX:
                    deep = place if deep < 0 else deep
                elif bracket == b"{":
                    braces.append(place)
                    self._at(place, place)
                continue
            start = self._close(opened, _OPENING[bracket])
            if deep >= 0 and len(opened) < NESTING_MAX:
                self.too_deep.append((deep, place + 1 if start >= deep else place))
                deep = -1
            if deep < 0 and start >= 0 and len(opened) < NESTING_MAX:
                self.closing[start] = place
                if bracket == b"}":
                    while braces[-1] >= start:
                        braces.pop()
                    self._at(place, braces[-1])
        if deep >= 0:
            self.too_deep.append((deep, len(self._bare)))
        self._openings = sorted(self.closing)

    @staticmethod
    def _close(opened: list[tuple[bytes, int]], wanted: bytes) -> int:
        """Take off what a closing bracket closes; the offset of its opening one, or -1 where it closes nothing."""
        if opened and opened[-1][0] == wanted:
            return opened.pop()[1]
        for depth in range(len(opened) - 1, -1, -1):
            if opened[depth][0] == wanted:
                place = opened[depth][1]
                del opened[depth:]
                return place
            if opened[depth][0] == b"{":
                break
        return -1

    def _at(self, offset: int, enclosing: int) -> None:
        self._offsets.append(offset)
        self._enclosing.append(enclosing)

    def brace_around(self, offset: int) -> int:
        """The offset of the brace around a place, or -1 at file level."""
        place = bisect_right(self._offsets, offset)
        return self._enclosing[place - 1] if place else -1

    def opening(self, closing: int) -> int:
        """The offset of the bracket that a closing one closes, or -1."""
        if not self._opening:
            self._opening = {close: start for start, close in self.closing.items()}
        return self._opening.get(closing, -1)

    def around(self, offset: int) -> int:
        """The offset of the round bracket directly around a place, or -1; one that lies far back is not found."""
        place = bisect_right(self._openings, offset - 1)
        for opening in reversed(self._openings[max(0, place - LOOK_BACK) : place]):
            if self.closing[opening] >= offset:
                return opening if self._bare[opening : opening + 1] == b"(" else -1
        return -1

    def in_code(self, offset: int) -> bool:
        """Does a place lie directly in a function's or a statement's braces?"""
        return self.kind(offset) == "code"

    def kind(self, offset: int) -> Kind:
        """What the braces around a place hold: statements, a record's members, or the values of a list."""
        brace = self.brace_around(offset)
        if brace < 0:
            return "code" if self._inside_function else "file"
        kind = self._kinds.get(brace)
        if kind is None:
            kind = self._kinds[brace] = self._kind(brace)
        return kind

    def is_enumeration(self, offset: int) -> bool:
        """Do the braces around a place hold an enumeration's constants?"""
        brace = self.brace_around(offset)
        tag = _TAG.search(bytes(self._bare[max(0, brace - 300) : max(0, brace)]))
        return tag is not None and tag[1] == b"enum"

    def _kind(self, brace: int) -> Kind:
        before = bytes(self._bare[max(0, brace - 300) : brace])
        tag = _TAG.search(before)
        if tag is not None:
            return "list" if tag[1] == b"enum" else "record"
        before = before.rstrip()
        if before.endswith((b"=", b",", b"[", b"(", b"return")):
            return "list"
        if before.endswith((b"{", b")")) and self.kind(brace - 1) == "list":
            return "list"  # a list in a list, a compound literal in one
        return "code"
