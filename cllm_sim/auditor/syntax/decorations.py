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
    b"int void char short long unsigned signed float double bool _Bool size_t ssize_t "
    b"int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t".split()
)
_PLAIN = KEYWORDS - {b"struct", b"union", b"enum"}
_STATES = frozenset(
    b"if else for while do switch case default return break continue goto sizeof asm __asm__ __asm offsetof".split()
)
_STARTS = _STATES - {b"else", b"sizeof", b"offsetof"}
_USES = (b"->", b"+=", b"-=", b"|=", b"&=", b"++", b"--")
_LOUD = re.compile(rb"(?:[A-Z_][A-Z0-9_]*|\w*[A-Z0-9]_[A-Z0-9_]{3,})\Z|__")
_SHOUTED = re.compile(rb"[A-Z_][A-Z0-9_]*\Z|__")
_NO_TYPE = re.compile(
    rb"STATIC|INLINE|API|EXPORT|IMPORT|EXTERN|ATTR|DECL|UNUSED|FORCE|HINT|DEPRECATED|LOCAL|GLOBAL|PUBLIC|PRIVATE|VISIB|"
    rb"CALLBACK|APIENTRY|STDCALL|CDECL|NORETURN|NOTHROW|CONST\Z|PURE|COLD|HOT\Z|ALIGN|PACKED|THREAD|_HEAD\Z|\A__"
)
_TRAILING = re.compile(rb"\)\s*+([A-Z_][A-Z0-9_]*+|__\w++)(?=\s*+([;{,(]))")
_CONVENTION = re.compile(rb"(?<=[\w*\s])\(\s*+([A-Za-z_]\w*+)\s*+\*[\s*]*+\w++\s*+\)\s*+\(")
_FIELDS = re.compile(rb"[;{}]\s*+((?:[A-Za-z_]\w*+\s*+)++)(?=\})")
_END_OF_FILE = re.compile(rb"([;})]\s*+)([A-Z_][A-Z0-9_]*+)\s*\Z")
_ALONE = re.compile(rb"(?:\A|[;{})])\s*+\w*+\s*+\Z")
_UNIT = re.compile(rb"(?<![\w.])[0-9]++[uUlL]*+(\s)\s*+([A-Z]\w*+)")
_AFTER = re.compile(rb"\s*+(\S|\Z)")


def blank_decorations(code: bytearray, bare: bytearray, brackets: Brackets) -> None:
    """Blank the decorations of all declarations in place."""
    fixed = bytes(bare)
    for found in _RUN.finditer(fixed):
        words = _WORD.findall(found[0])
        if len(words) > 2 or words[0] not in _PLAIN:
            _run(code, bare, brackets, found)
    for found in _UNIT.finditer(fixed):
        if found[2] not in KEYWORDS:
            put(code, bare, found.start(1), found.end(1), b"*")
    if last := _END_OF_FILE.search(bare, max(0, len(bare) - 400)):
        put(code, bare, last.start(2), last.end(2), b"")
    for found in _FIELDS.finditer(fixed):
        if brackets.kind(found.start(1)) == "record":
            put(code, bare, found.start(1), found.end(1), b"")
    for found in _TRAILING.finditer(fixed):
        _trailing(code, bare, brackets, found)
    if b"(" in fixed:
        for found in _CONVENTION.finditer(fixed):
            if found[1] not in KEYWORDS:
                put(code, bare, found.start(1), found.end(1), b"")


def _run(code: bytearray, bare: bytearray, brackets: Brackets, found: re.Match[bytes]) -> None:
    words = [(one[0], found.start() + one.start()) for one in _WORD.finditer(found[0])]
    after = _AFTER.match(bare, found.end())
    following = after[1] if after else b""
    part: list[tuple[bytes, int]] = []
    for place, (word, start) in enumerate(words):
        if word in _STATES:
            _part(code, bare, brackets, part, word, start)
            part = []
        else:
            part.append((word, start))
            if place == len(words) - 1:
                _part(code, bare, brackets, part, following, found.end())


def _part(
    code: bytearray, bare: bytearray, brackets: Brackets, part: list[tuple[bytes, int]], following: bytes, end: int
) -> None:
    """Words in a row without any that states something: `following` is the word or the character after them."""
    if not part or (len(part) == 1 and following not in _STATES):
        return
    part = _statements(code, bare, brackets, part, following, end)
    if len(part) < 2 or following in _STATES:
        return
    declared = 0 if following in (b"*", b"{", b"") else 1
    specifiers = part[: len(part) - declared]
    if _ends_type(bare, brackets, part[0][1]):  # `} cell_t PACKED;`
        specifiers = part[1:]
    candidates = [(word, start) for word, start in specifiers if word not in KEYWORDS and word not in _TYPES]
    kept = 0 if any(word in _TYPES for word, _ in specifiers) else 1
    if bare[: part[0][1]].endswith(b"*") or _before(bare, part[0][1]) == b"*":
        kept = 0
    if len(candidates) <= kept:
        return
    best = _best(candidates) if kept else -1
    for place, (word, start) in enumerate(candidates):
        if place != best:
            put(code, bare, start, start + len(word), b"")


def _before(bare: bytearray, start: int) -> bytes:
    return bytes(bare[max(0, start - 80) : start]).rstrip()[-1:]


def _ends_type(bare: bytearray, brackets: Brackets, start: int) -> bool:
    """Does a record or an enumeration end directly before a place?"""
    before = bytes(bare[max(0, start - 80) : start]).rstrip()
    place = start - len(bare[max(0, start - 80) : start]) + len(before) - 1
    if not before.endswith(b"}"):
        return False
    kind = brackets.kind(place - 1)
    return kind == "record" or (kind == "list" and brackets.is_enumeration(place - 1))


def _best(candidates: list[tuple[bytes, int]]) -> int:
    """The place of the candidate that looks most like a type; of equal ones the last."""

    def looks(place: int) -> tuple[int, int]:
        word = candidates[place][0]
        return (0 if _NO_TYPE.search(word) else 1 if _SHOUTED.match(word) else 2), place

    return max(range(len(candidates)), key=looks)


def _statements(
    code: bytearray, bare: bytearray, brackets: Brackets, part: list[tuple[bytes, int]], following: bytes, end: int
) -> list[tuple[bytes, int]]:
    """In a function, names in front that are statements without a semicolon get it; the rest is given back.

    These are a shouted name alone on its line, any name before a statement's keyword, and one before `x->y` or `x.y`.
    """
    while part:
        word, start = part[0]
        after = start + len(word)
        if word in KEYWORDS or word in _TYPES or not brackets.in_code(start):
            break
        if _before(bare, start) not in (b";", b"{", b"}", b":", b")"):
            break
        if len(part) == 1:
            states = following in _STARTS
        else:
            alone = b"\n" in bare[after : part[1][1]]
            used = len(part) == 2 and (following == b"." or bytes(bare[end : end + 40]).lstrip()[:2] in _USES)
            states = used or (alone and _LOUD.match(word) is not None)
        if not states:
            break
        put(code, bare, after, after + 1, b";")
        part = part[1:]
    return part


def _declares(bare: bytearray, brackets: Brackets, closing: int) -> bool:
    """Is it a function's parameters that end here, and not the arguments of a macro that stands alone?"""
    opening = brackets.opening(closing)
    before = bytes(bare[max(0, opening - 300) : max(0, opening)])
    return opening >= 0 and _ALONE.search(before) is None


def _trailing(code: bytearray, bare: bytearray, brackets: Brackets, found: re.Match[bytes]) -> None:
    """`int f(void) NOTHROW;`, `... PRINTF(1, 2) {`: outside of functions a decoration, too."""
    start, end = found.span(1)
    if bare[start:end] != found[1] or brackets.in_code(start) or not _declares(bare, brackets, found.start()):
        return
    if found[2] == b"(":
        close = brackets.closing.get(found.start(2))
        after = _AFTER.match(bare, close + 1) if close is not None else None
        if close is None or after is None or after[1] not in (b";", b"{"):
            return
        end = close + 1
    put(code, bare, start, end, b"")
