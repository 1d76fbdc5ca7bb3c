"""Macros that decorate declarations: `static INLINE foo_t f(void) NOTHROW;`, `DWORD WINAPI run(void *)`.

C has at most two names in a row, a type's and the declared one. Where more stand in a row, or one stands beside a type
that is spelt with keywords, the others are macros; they are blanked, and the one that looks most like a type stays.
A macro behind a number is a unit (`64 KB`) and is read as a factor.

Rules of this file: decided by the words in a row and by what stands before and after them. In a function, a shouted
name alone on its line is a macro used as a statement and gets its semicolon.
"""

from __future__ import annotations

import re

from cllm_sim.auditor.syntax.brackets import Brackets
from cllm_sim.auditor.syntax.masking import KEYWORDS, put

_RUN = re.compile(rb"(?<![\w.\"'])[A-Za-z_]\w*+(?:\s++[A-Za-z_]\w*+)++")
_WORD = re.compile(rb"[A-Za-z_]\w*+")
_TYPES = frozenset(
    b"int char void short long unsigned signed float double bool _Bool size_t ssize_t "
    b"int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t".split()
)
_PLAIN = KEYWORDS - {b"struct", b"union", b"enum"}
_STATES = frozenset(
    b"if else for while do switch case default return break continue goto sizeof asm __asm__ __asm offsetof".split()
)
_STORAGE = frozenset((b"static", b"extern", b"inline", b"register", b"typedef", b"const", b"volatile"))
_STARTS = _STATES - {b"else", b"sizeof", b"offsetof"}
_USES = (b"->", b"+=", b"-=", b"|=", b"&=", b"++", b"--")
_LOUD = re.compile(rb"(?:[A-Z_][A-Z0-9_]*|\w*[A-Z0-9]_[A-Z0-9_]{3,})\Z|__")
_SHOUTED = re.compile(rb"[A-Z_][A-Z0-9_]*\Z|__")
_NO_TYPE = re.compile(
    rb"STATIC|INLINE|API|EXPORT|IMPORT|EXTERN|ATTR|DECL|UNUSED|FORCE|HINT|DEPRECATED|LOCAL|GLOBAL|PUBLIC|PRIVATE|VISIB|"
    rb"CALLBACK|APIENTRY|STDCALL|CDECL|NORETURN|NOTHROW|CONST\Z|PURE|COLD|HOT\Z|ALIGN|PACKED|THREAD|_HEAD\Z|\A__"
)
_TRAILING = re.compile(rb"([)\]])\s*+([A-Z_][A-Z0-9_]*+|__\w++)(?=\s*+([;{,(=]))")
_CONVENTION = re.compile(rb"(?<=[\w*\s])\(\s*+([A-Za-z_]\w*+)\s*+\*[\s*]*+\w++\s*+\)\s*+\(")
_FIELDS = re.compile(rb"[;{}]\s*+((?:[A-Za-z_]\w*+\s*+)++)(?=\})")
_END_OF_FILE = re.compile(rb"([;})]\s*+)([A-Z_][A-Z0-9_]*+)\s*\Z")
_ALONE = re.compile(rb"(?:\A|[;{})])\s*+\w*+\s*+\Z")
_UNIT = re.compile(rb"(?<![\w.])[0-9]++[uUlL]*+(\s)\s*+([A-Z]\w*+)")
_AFTER = re.compile(rb"\s*+(\S|\Z)")

_Words = list[tuple[bytes, int]]
"""Words in a row, each with its offset."""


def blank_decorations(code: bytearray, bare: bytearray, brackets: Brackets) -> None:
    """Blank the decorations of all declarations in place."""
    _Decorations(code, bare, brackets).blank()


class _Decorations:
    def __init__(self, code: bytearray, bare: bytearray, brackets: Brackets) -> None:
        self.code, self.bare, self.brackets = code, bare, brackets

    def blank(self) -> None:
        fixed = bytes(self.bare)
        for found in _RUN.finditer(fixed):
            words = found[0].split(None, 2)
            if len(words) > 2 or words[0] not in _PLAIN:
                self._run(found)
        for found in _UNIT.finditer(fixed):
            if found[2] not in KEYWORDS:
                self._put(found.start(1), found.end(1), b"*")
        if last := _END_OF_FILE.search(fixed, max(0, len(fixed) - 400)):
            self._put(last.start(2), last.end(2))
        for found in _FIELDS.finditer(fixed):
            if self.brackets.kind(found.start(1)) == "record":
                self._put(found.start(1), found.end(1))
        for found in _TRAILING.finditer(fixed):
            self._trailing(found)
        for found in _CONVENTION.finditer(fixed):
            if found[1] not in KEYWORDS:
                self._put(found.start(1), found.end(1))

    def _put(self, start: int, end: int, what: bytes = b"") -> None:
        put(self.code, self.bare, start, end, what)

    # -------------------------------------------------------------------------------------------------- words in a row
    def _run(self, found: re.Match[bytes]) -> None:
        words = [(one[0], found.start() + one.start()) for one in _WORD.finditer(found[0])]
        after = _AFTER.match(self.bare, found.end())
        following = after[1] if after else b""
        part: _Words = []
        for place, (word, start) in enumerate(words):
            if word in _STATES:
                self._part(part, word, start)
                part = []
            else:
                part.append((word, start))
                if place == len(words) - 1:
                    self._part(part, following, found.end())

    def _part(self, part: _Words, following: bytes, end: int) -> None:
        """Words of which none states something: `following` is the word or the character after them."""
        part = self._statements(part, following, end)
        if len(part) < 2 or following in _STATES:
            return
        if following == b"(" and self._trailing_use(part, end):
            part.pop()
        declared = 0 if following in (b"*", b"{", b"") else 1
        specifiers = part[: len(part) - declared]
        kept = 0 if any(word in _TYPES for word, _ in specifiers) or self._before(part[0][1]) == b"*" else 1
        if self._ends_type(part[0][1]):  # `} cell_t PACKED;`
            specifiers, kept = part, 1
        candidates = [(word, start) for word, start in specifiers if word not in KEYWORDS and word not in _TYPES]
        if len(candidates) <= kept:
            return
        best = _best(candidates) if kept else -1
        for place, (word, start) in enumerate(candidates):
            if place != best:
                self._put(start, start + len(word))

    def _statements(self, part: _Words, following: bytes, end: int) -> _Words:
        """In a function, names in front that are statements without a semicolon get it; the rest is given back.

        These are a shouted name alone on its line, any name before a statement's keyword, and one before `x->y` or
        `x.y`.
        """
        while part:
            word, start = part[0]
            after = start + len(word)
            if word in KEYWORDS or word in _TYPES or not self.brackets.in_code(start):
                break
            if self._before(start) not in (b";", b"{", b"}", b":", b")"):
                break
            if len(part) == 1:
                states = following in _STARTS
            else:
                alone = b"\n" in self.bare[after : part[1][1]]
                used = len(part) == 2 and (following == b"." or bytes(self.bare[end : end + 40]).lstrip()[:2] in _USES)
                states = used or (alone and _LOUD.match(word) is not None)
            if not states:
                break
            self._put(after, after + 1, b";")
            part = part[1:]
        return part

    def _before(self, start: int) -> bytes:
        return bytes(self.bare[max(0, start - 80) : start]).rstrip()[-1:]

    def _ends_type(self, start: int) -> bool:
        """Does a record or an enumeration end directly before a place?"""
        begin = max(0, start - 80)
        before = bytes(self.bare[begin:start]).rstrip()
        if not before.endswith(b"}"):
            return False
        inside = begin + len(before) - 2
        kind = self.brackets.kind(inside)
        return kind == "record" or (kind == "list" and self.brackets.is_enumeration(inside))

    def _trailing_use(self, part: _Words, end: int) -> bool:
        """`int n ALIGNED(64);`: a decoration with arguments behind the declared name; blanked if it is one."""
        (name, _), (word, start) = part[-2:]
        close = self.brackets.closing.get(self.bare.find(b"(", end))
        typed = any(one not in _STORAGE for one, _ in part[:-2]) or self._before(part[0][1]) == b"*"
        if not typed or close is None or not _SHOUTED.match(word) or _SHOUTED.match(name):
            return False
        after = _AFTER.match(self.bare, close + 1)
        if name in KEYWORDS or name in _TYPES or after is None or after[1] not in (b";", b"=", b","):
            return False
        self._put(start, close + 1)
        return True

    # --------------------------------------------------------------------------------------------- behind declarations
    def _trailing(self, found: re.Match[bytes]) -> None:
        """`int f(void) NOTHROW;`, `... PRINTF(1, 2) {`: outside of functions a decoration, too."""
        start, end = found.span(2)
        if self.bare[start:end] != found[2] or self.brackets.kind(start) in ("code", "list"):
            return
        if found[1] == b")" and not self._declares(found.start()):
            return
        if found[3] == b"(":
            close = self.brackets.closing.get(found.start(3))
            after = _AFTER.match(self.bare, close + 1) if close is not None else None
            if close is None or after is None or after[1] not in (b";", b"{", b"="):
                return
            end = close + 1
        elif found[3] == b"=" and found[1] == b")":
            return
        self._put(start, end)

    def _declares(self, closing: int) -> bool:
        """Is it a function's parameters that end here, and not the arguments of a macro that stands alone?"""
        opening = self.brackets.opening(closing)
        before = bytes(self.bare[max(0, opening - 300) : max(0, opening)])
        return opening >= 0 and _ALONE.search(before) is None


def _best(candidates: _Words) -> int:
    """The place of the candidate that looks most like a type; of equal ones the last."""

    def looks(place: int) -> tuple[int, int]:
        word = candidates[place][0]
        return (0 if _NO_TYPE.search(word) else 1 if _SHOUTED.match(word) else 2), place

    return max(range(len(candidates)), key=looks)
