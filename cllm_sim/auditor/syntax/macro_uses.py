"""Uses of macros in functions that stand where C has statements or loops.

Rules of this file: decided by what follows the use. A name follows: a semicolon is put in, unless the macro is a loop
by its name or by what it is defined as. A block follows: it is a loop. Offsets never move; loops are marked.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cllm_sim.auditor.syntax.brackets import Brackets
from cllm_sim.auditor.syntax.masking import KEYWORDS, put
from cllm_sim.auditor.syntax.unit import Marks

_USE = re.compile(rb"(?:\A|[;{}):]|\belse\b|\bdo\b)\s*+([A-Za-z_]\w*+)(?=\s*+(\())")
_LOOP_NAME = re.compile(
    r"for_?each|(?:\A|_)for(?:_|\Z)|(?:\A|_)loop(?:_|\Z)|(?:\A|_)while(?:_|\Z)|\Aforever", re.IGNORECASE
)
_LOOP_TEXT = re.compile(r"(?:for|while)\b")
_NEXT = re.compile(rb"(\s*+)([A-Za-z_]\w*+|\S|\Z)")
_DECLARES = frozenset(
    b"static extern typedef struct union enum const volatile unsigned signed int char void long short float double "
    b"inline".split()
)
_STATES = frozenset(b"if else for while do switch case default return break continue goto".split())
_NO_BODY = frozenset((b"else", b"case", b"default"))
_SHOUTED = re.compile(r"[A-Z_][A-Z0-9_]*\Z")
_ALIGNS = re.compile(r"ALIGN|ATTR|UNUSED|SECTION|DEPRECATED")
_TWO_WORDS = re.compile(rb"[A-Za-z_]\w*+[\s*]++[A-Za-z_]")


class MacroUses:
    """Rewrites uses of macros in a stretch of code that stands at `shift` in the text.

    `body_of` gives a macro's text where this file defines it, else nothing.
    """

    def __init__(
        self,
        code: bytearray,
        bare: bytearray,
        brackets: Brackets,
        marks: Marks,
        body_of: Callable[[str], str],
        shift: int = 0,
    ) -> None:
        self.code, self.bare, self.brackets, self.marks = code, bare, brackets, marks
        self.body_of, self.shift = body_of, shift

    def rewrite(self) -> None:
        """Rewrite all of them in place."""
        for found in _USE.finditer(bytes(self.bare)):
            close = self.brackets.closing.get(found.start(2))
            if close is None or found[1] in KEYWORDS:
                continue
            following = _NEXT.match(self.bare, close + 1)
            if following is None or following[2] in (b";", b"=", b",", b"."):
                continue
            if self.brackets.in_code(found.start(1)):
                self._one(found.start(1), found.end(1), close, following)

    def _one(self, start: int, end: int, close: int, following: re.Match[bytes]) -> None:
        name = self.bare[start:end].decode("ascii")
        word = following[2]
        new_line = b"\n" in following[1]
        if word == b"{":
            self._as_loop(start, end)
        elif word[:1].isalpha() or word[:1] == b"_":
            body = self.body_of(name)
            if word not in _NO_BODY and (_LOOP_TEXT.match(body) if body else _LOOP_NAME.search(name)):
                self._as_loop(start, end)
            elif new_line or word in _STATES:
                self._semicolon(close)
            elif word in _DECLARES or (_SHOUTED.match(name) and _TWO_WORDS.match(self.bare, following.start(2))):
                if _ALIGNS.search(name):  # `ALIGNED(64) cell_t cells[8];`
                    put(self.code, self.bare, start, close + 1, b"")
                else:
                    self._semicolon(close)
        elif word in (b"}", b"") or (word in (b"(", b"*") and new_line and _SHOUTED.match(name)):
            self._semicolon(close)

    def _as_loop(self, start: int, end: int) -> None:
        keyword = b"while" if end - start >= len(b"while") else b"if"
        if end - start >= len(keyword):
            self.marks.loops[start + self.shift] = self.bare[start:end].decode("ascii")
            put(self.code, self.bare, start, end, keyword)

    def _semicolon(self, close: int) -> None:
        if self.bare[close + 1 : close + 2].isspace():
            put(self.code, self.bare, close + 1, close + 2, b";")
