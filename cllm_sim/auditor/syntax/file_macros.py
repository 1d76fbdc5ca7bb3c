"""Uses of macros outside of functions: as declarations, as heads of functions, as members, or around a declaration.

Rules of this file: decided by what stands before and after the use. What a macro declares is only known by expanding
it, so such a use is blanked and kept among the marks; nothing is left out silently. Offsets never move.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cllm_sim.auditor.syntax.brackets import Brackets
from cllm_sim.auditor.syntax.masking import KEYWORDS, put
from cllm_sim.auditor.syntax.unit import Marks, Use

_USE = re.compile(
    rb"(?:\A|[;{})])\s*+((?:(?:static|inline|extern|[A-Z_][A-Z0-9_]*+)\s++(?=[A-Za-z_]))*+)([A-Za-z_]\w*+)(?=\s*+(\())"
)
_AFTER_COMMA = re.compile(rb",\s*+([A-Za-z_]\w*+)(?=\s*+(\())")
_STORAGE = re.compile(rb"(?:(?:static|inline|extern)\s*+)*+\Z")
_NEXT = re.compile(rb"(\s*+)([A-Za-z_]\w*+|\S|\Z)")
_DECLARES = frozenset(
    b"static extern typedef struct union enum const volatile unsigned signed int char void long short float double "
    b"inline".split()
)
_HEAD = b"T D()"
_BLANK = ord(" ")
_SHOUTED = re.compile(rb"(?:[A-Z_][A-Z0-9_]*+|__\w++)\Z")
_TYPED = re.compile(rb"\s*(?:void|(?:[A-Za-z_]\w*[\s*]+)+[A-Za-z_]\w*(?:\s*\[[^\]]*\])*)\s*\Z")
_NOTHING_DECLARED = re.compile(rb"(?:\s|\"[^\"]*+\"|[0-9]++|,)*+\Z")
_TWO_WORDS = re.compile(rb"[A-Za-z_]\w*+[\s*]++[A-Za-z_]")
_PROTOTYPE = re.compile(rb"\s*(?!sizeof\b)[A-Za-z_]\w*+(?:[\s*]++[A-Za-z_]\w*+)++\s*+\(")
_LAST_LINE = re.compile(rb"\)[^)]*\Z")


class FileMacros:
    """Rewrites the uses of macros in a file's code that stand outside of functions."""

    def __init__(
        self, code: bytearray, bare: bytearray, brackets: Brackets, marks: Marks, body_of: Callable[[str], str]
    ) -> None:
        self.code, self.bare, self.brackets, self.marks, self.body_of = code, bare, brackets, marks, body_of

    def rewrite(self) -> None:
        """Rewrite all of them in place."""
        for found in _USE.finditer(bytes(self.bare)):
            start, opening = found.start(2), found.start(3)
            close = self.brackets.closing.get(opening)
            kind = self.brackets.kind(start)
            if kind == "code" or close is None or found[2] in KEYWORDS or self.bare[start] == _BLANK:
                continue
            following = _NEXT.match(self.bare, close + 1)
            if following is None or following[2] in (b"=", b",", b"."):
                continue
            follows_use = bool(self.marks.uses) and self.marks.uses[-1].end == found.start() + 1
            if found[0].startswith(b")") and b"\n" not in found[0] and not follows_use:
                continue  # what follows a function's parameters decorates it
            if kind == "file":
                self._in_file(found, close, following)
            elif found[0][:1] in b";{}":
                self._in_braces(start, close, following, kind)

        if b"enum" in self.bare:
            self._further_constants()

    def _further_constants(self) -> None:
        """`enum { FIRST, LIST(X) LAST };`"""
        for found in _AFTER_COMMA.finditer(bytes(self.bare)):
            start, close = found.start(1), self.brackets.closing.get(found.start(2))
            if close is None or not self.brackets.is_enumeration(start) or self.brackets.around(start) >= 0:
                continue
            following = _NEXT.match(self.bare, close + 1)
            if following is not None and self.brackets.kind(start) == "list":
                self._in_braces(start, close, following, "list")

    # ---------------------------------------------------------------------------------------------------- at file level
    def _in_file(self, found: re.Match[bytes], close: int, following: re.Match[bytes]) -> None:
        name, start, opening = found[2], found.start(2), found.start(3)
        word = following[2]
        arguments = bytes(self.bare[opening + 1 : close])
        if _STORAGE.match(found[1]) is None and word != b"{":  # `EXPORT MAKE(x)` and on the next line a declaration
            if b"\n" in following[1] and (word in _DECLARES or _SHOUTED.match(name)):
                self._as_use(found.start(1), close + 1)
        elif word == b"{":
            if _STORAGE.match(found[1]) is not None:
                self._as_head(start, close, arguments, known=bool(self.body_of(name.decode("ascii"))))
        elif word == b";" and _SHOUTED.match(name) and _PROTOTYPE.match(arguments):  # `EXPORT(void f(int));`
            put(self.code, self.bare, start, opening + 1, b"")
            put(self.code, self.bare, close, close + 1, b"")
        elif _NOTHING_DECLARED.match(arguments):  # `DEPRECATED("why") int f(void);`, `LICENSE("free");`
            put(self.code, self.bare, start, close + 1, b"")
        elif word in (b"", b"}", b";"):
            self._as_use(found.start(1), following.end() if word == b";" else close + 1)
        elif word[:1].isalpha() or word[:1] == b"_":
            two = _TWO_WORDS.match(self.bare, following.start(2)) is not None
            shouted = _SHOUTED.match(name) is not None and _SHOUTED.match(word) is not None
            declares = word in _DECLARES or b"," in arguments or two or shouted or self._is_whole(name, word)
            if word == name or (b"\n" in following[1] and declares):
                self._as_use(found.start(1), close + 1)
            elif word in _DECLARES and _SHOUTED.match(name):
                put(self.code, self.bare, start, close + 1, b"")

    def _is_whole(self, name: bytes, word: bytes) -> bool:
        """Does a macro of this file stand for whole declarations?"""
        body = self.body_of(name.decode("ascii"))
        return body.endswith((";", "}")) or bool(body and self.body_of(word.decode("ascii")))

    def _as_use(self, start: int, end: int) -> None:
        self.marks.uses.append(Use(start, end))
        put(self.code, self.bare, start, end, b"")

    def _as_head(self, start: int, close: int, arguments: bytes, *, known: bool) -> None:
        typed = not arguments.strip() or all(_TYPED.match(one) for one in arguments.split(b","))
        if (
            typed and not known and start >= len(b"T ") and self.bare[start - 2 : start].isspace()
        ):  # `main() { ... }`, of type int
            put(self.code, self.bare, start - 2, start - 1, b"T")
            self.marks.types[start - 2] = "int"
        elif close + 1 - start >= len(_HEAD):
            self.marks.functions[start] = close + 1
            put(self.code, self.bare, start, close + 1, _HEAD[:-1])
            put(self.code, self.bare, close, close + 1, _HEAD[-1:])

    # ------------------------------------------------------------------------------------------------ in records, lists
    def _in_braces(self, start: int, close: int, following: re.Match[bytes], kind: str) -> None:
        word = following[2]
        constants = kind == "list" and self.brackets.is_enumeration(start)
        ends = word in (b";", b"}") if kind == "record" else constants and word in (b"}", b",")
        begins = b"\n" in following[1] and (word[:1].isalpha() or word[:1] in (b"_", b'"', b"{", b"&", b".", b"["))
        if kind == "record" and begins:
            begins = _TWO_WORDS.match(self.bare, following.start(2)) is not None
        if not ends and not begins:
            return
        if kind == "list" and not constants:  # `{ HEAD(0)` and on the next line `"name" }`
            put(self.code, self.bare, close + 1, close + 2, b",")
        else:
            self._as_use(start, following.end() if word == b";" else close + 1)
