"""Rewrites code, length for length, where it is known that the parser would stumble.

Rules of this file: only what can be told from characters and brackets; whatever stands for something else is marked.
Offsets never move. Nothing that is evidence is lost: attributes, alignments and decorations of declarations are none.
"""

from __future__ import annotations

import re

from cllm_sim.auditor.syntax.brackets import Brackets
from cllm_sim.auditor.syntax.lexical import blank
from cllm_sim.auditor.syntax.unit import Marks

KEYWORDS = frozenset(
    b"auto break case char const continue default do double else enum extern float for goto if inline int long "
    b"register return short signed sizeof static struct switch typedef union unsigned void volatile while bool _Bool "
    b"restrict _Atomic _Noreturn _Thread_local thread_local __thread asm __asm__ __asm _Alignof alignof offsetof "
    b"_Generic __try __except __finally __leave".split()
)
_SPELLINGS = {
    b"_Thread_local": b"__thread",
    b"__volatile__": b"volatile",
    b"__volatile": b"volatile",
    b"__const__": b"const",
    b"__const": b"const",
    b"__signed__": b"signed",
    b"__signed": b"signed",
    **dict.fromkeys(
        b"__inline__ __inline __restrict__ __restrict restrict __extension__ _Noreturn noreturn __noreturn "
        b"__forceinline __always_inline __cdecl __stdcall __fastcall __packed __THROW __THROWNL __wur __BEGIN_DECLS "
        b"__END_DECLS G_BEGIN_DECLS G_END_DECLS __ptr32 __ptr64 __user __iomem __rcu __percpu __force __init __exit "
        b"__read_mostly __initdata __must_check __maybe_unused __unused __used __cold __hot __pure".split(),
        b"",
    ),
}
_SPELLING = re.compile(rb"\b(?:" + b"|".join(_SPELLINGS) + rb")\b")
_ATTRIBUTE = re.compile(
    rb"\b(?:__attribute(?:__)?|__declspec|_Alignas|alignas|__aligned|__nonnull|__attribute_\w+__|__attr_\w+)\s*+(?=\()"
)
_STANDARD_ATTRIBUTE = re.compile(rb"\[\[[^\[\]]*+(?:\[[^\[\]]*+\][^\[\]]*+)*+\]\]")
_ATOMIC = re.compile(rb"\b_Atomic\s*+(?=\()")
_TYPE_OF = re.compile(rb"\b(?:typeof(?:_unqual)?|__typeof__|__typeof)\s*+(?=\()")
_OFFSET = re.compile(rb"\boffsetof(?=\s*\()")
_ASM = re.compile(rb"\b(?:__)?asm(?:__)?\s*+(?=\(\s*+\")")
_DECLARED_BEFORE = re.compile(rb"(\w++|\])\s++\Z")
_DECLARED = re.compile(rb"\s*+[=;,]")
_ASSERTION = re.compile(rb"\b(?:_Static_assert|static_assert)\s*+(?=\()")
_CASE_RANGE = re.compile(rb"\bcase\b[^:;{}?\"]*+")
_TYPE_WORD = (
    rb"(?:const|volatile|unsigned|signed|long|short|int|char|float|double|void|bool|_Bool|(?:struct|union|enum)\s+\w++)"
)
_TYPE_ARGUMENT = re.compile(
    rb"(?<=[(,])\s*+((?:" + _TYPE_WORD + rb"\s*+)++(?:\*(?:\s|const\b)*+)*+"
    rb"|[A-Za-z_]\w*+\s*+(?:const\s*+)?(?:\*(?:\s|const\b)*+)++)([A-Za-z_]\w*+\s*+)?(?=[,)])"
)
_DECLARES = re.compile(_TYPE_WORD + rb"\b|(?:[A-Z]\w*[a-z]\w*|\w+_t)\s+\*++\Z|\w+\s*\Z")
_CALLED = re.compile(rb"([A-Za-z_]\w*+)\s*\Z")
_TAKES_TYPES = frozenset((b"sizeof",))
_SEMICOLON = re.compile(rb"\s*+;")


def respell(
    code: bytearray, bare: bytearray, marks: Marks, text: str, shift: int = 0, inside_function: bool = False
) -> Brackets:
    """Rewrite spellings, attributes and types in place; `bare` is the same code without the contents of strings.

    The code stands at `shift` in the text, and marks are kept by the offset in the text.
    """
    brackets = Brackets(bare, inside_function)
    for start, end in brackets.too_deep:
        blank(code, start, end)
        blank(bare, start, end)
        code[start : start + 1] = bare[start : start + 1] = b"0"
    if b"_" in bare or b"restrict" in bare or b"noreturn" in bare:
        for found in _SPELLING.finditer(bytes(bare)):
            put(code, bare, found.start(), found.end(), _SPELLINGS[found[0]])
        _attributes(code, bare, brackets)
    _types(code, bare, brackets, marks, text, shift)
    if b"asm" in bare:
        _register_names(code, bare, brackets)
    if b"[[" in bare:
        for found in _STANDARD_ATTRIBUTE.finditer(bytes(bare)):
            put(code, bare, found.start(), found.end(), b"")
    if b"..." in bare:
        _case_ranges(code, bare)
    _type_arguments(code, bare, brackets, marks, text, shift)
    return brackets


def put(code: bytearray, bare: bytearray, start: int, end: int, what: bytes) -> None:
    """Replace a stretch by something shorter and blanks."""
    blank(code, start, end)
    blank(bare, start, end)
    code[start : start + len(what)] = bare[start : start + len(what)] = what


def _register_names(code: bytearray, bare: bytearray, brackets: Brackets) -> None:
    """`register int x asm("r1") = 2;`: where a variable is kept."""
    for found in _ASM.finditer(bytes(bare)):
        end = brackets.closing.get(found.end())
        before = _DECLARED_BEFORE.search(bytes(bare[max(0, found.start() - 80) : found.start()]))
        if end is None or before is None or before[1] in KEYWORDS or not _DECLARED.match(bare, end + 1):
            continue
        put(code, bare, found.start(), end + 1, b"")


def _attributes(code: bytearray, bare: bytearray, brackets: Brackets) -> None:
    for found in _ATTRIBUTE.finditer(bytes(bare)):
        end = brackets.closing.get(found.end())
        put(code, bare, found.start(), found.end() if end is None else end + 1, b"")
    for found in _ASSERTION.finditer(bytes(bare)):
        end = brackets.closing.get(found.end())
        if end is not None:
            semicolon = _SEMICOLON.match(bare, end + 1)
            put(code, bare, found.start(), semicolon.end() if semicolon else end + 1, b"")


def _types(code: bytearray, bare: bytearray, brackets: Brackets, marks: Marks, text: str, shift: int) -> None:
    if b"_Atomic" in bare:  # `_Atomic(int) x` says the same as `_Atomic int x`
        for found in _ATOMIC.finditer(bytes(bare)):
            end = brackets.closing.get(found.end())
            if end is not None:
                put(code, bare, found.end(), found.end() + 1, b"")
                put(code, bare, end, end + 1, b"")
    for found in _OFFSET.finditer(bytes(bare)):  # as a plain call: the parser takes no more than a name as the member
        code[found.end() - 1 : found.end()] = bare[found.end() - 1 : found.end()] = b"_"
    if b"typeof" in bare:
        for found in _TYPE_OF.finditer(bytes(bare)):
            end = brackets.closing.get(found.end())
            if end is not None:
                stand_in(code, bare, found.start(), end + 1, marks, text, shift)


def stand_in(
    code: bytearray, bare: bytearray, start: int, end: int, marks: Marks, text: str, shift: int
) -> None:  # fmt: skip
    """Put an identifier in the place of a type that the parser would not take there."""
    marks.types[start + shift] = " ".join(text[start + shift : end + shift].split())
    put(code, bare, start, end, b"T" * min(end - start, 8))


def _case_ranges(code: bytearray, bare: bytearray) -> None:
    for found in _CASE_RANGE.finditer(bytes(bare)):
        dots = found[0].find(b"...")
        if dots > 0:  # the only operator that binds looser than what may stand around it
            put(code, bare, found.start() + dots, found.start() + dots + 3, b" ||")


def _type_arguments(code: bytearray, bare: bytearray, brackets: Brackets, marks: Marks, text: str, shift: int) -> None:
    """`container_of(p, struct pool, link)`: a type in a call is a macro's argument, and so is a declaration."""
    for found in _TYPE_ARGUMENT.finditer(bytes(bare)):
        start = found.start(1)
        opening = brackets.around(start)
        if opening < 0 or brackets.kind(start) not in ("code", "list"):
            continue
        called = _CALLED.search(bytes(bare[max(0, opening - 80) : opening]))
        if called is None or called[1] in KEYWORDS or called[1] in _TAKES_TYPES:
            continue
        if found[2] is None or (found[2].isupper() and _DECLARES.match(found[1])):
            stand_in(code, bare, start, start + len(found[0][start - found.start() :].rstrip()), marks, text, shift)
        elif _DECLARES.match(found[1]):  # `for_range(int i, 0, n)`: the name is left; `n * size` is a product
            put(code, bare, start, found.end(1), b"")
