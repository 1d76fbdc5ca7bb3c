"""Uses of macros that stand where C has statements, loops or the heads of functions.

Rules of this file: decided by what follows the use. After a use comes a name: a semicolon is put in, unless the macro
is a loop by its name or by what it is defined as; a block: it is a loop; at file level a block: it is a function's head.
Offsets never move; what stands for a macro is marked.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cllm_sim.auditor.syntax.brackets import Brackets
from cllm_sim.auditor.syntax.masking import KEYWORDS, put
from cllm_sim.auditor.syntax.unit import Marks

_USE = re.compile(
    rb"(?:\A|[;{}):]|\belse\b|\bdo\b|\b(?:static|inline|extern)\b)\s*+([A-Za-z_]\w*+)(?=\s*+(\())", re.MULTILINE
)
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
_TYPED = re.compile(rb"\s*(?:void|(?:[A-Za-z_]\w*[\s*]+)+[A-Za-z_]\w*(?:\s*\[[^\]]*\])*)\s*\Z")
_HEAD = b"T D()"
_NO_TYPE_ARGUMENT = re.compile(rb"\s*(?:[\"0-9]|\Z)")
_SHOUTED = re.compile(rb"[A-Z_][A-Z0-9_]*+\s*+\Z")
_PROTOTYPE = re.compile(rb"\s*(?!sizeof\b)[A-Za-z_]\w*+(?:[\s*]++[A-Za-z_]\w*+)++\s*+\(")


class MacroUses:
    """Rewrites uses of macros in a stretch of code that stands at `shift` in the text.

    `body_of` gives a macro's text where this file defines it, else nothing.
    """

    def __init__(
        self, code: bytearray, bare: bytearray, brackets: Brackets, marks: Marks, body_of: Callable[[str], str]
    ) -> None:
        self.code, self.bare, self.brackets, self.marks, self.body_of = code, bare, brackets, marks, body_of

    def rewrite(self, shift: int = 0, inside_function: bool = False) -> None:
        """Rewrite all of them in place; a macro's body is looked at as if it stood in a function."""
        for found in list(_USE.finditer(bytes(self.bare))):
            name, opening = found[1], found.start(2)
            close = self.brackets.closing.get(opening)
            if name in KEYWORDS or close is None:
                continue
            following = _NEXT.match(self.bare, close + 1)
            if following is None or following[2] in (b"=", b",", b"."):
                continue
            start = found.start(1)
            file_level = self.brackets.brace_around(start) < 0
            if following[2] == b";" and (not file_level or inside_function):
                continue
            if file_level and not inside_function:
                self._at_file_level(start, opening, close, following)
            elif file_level or self.brackets.in_code(start):
                self._in_function(start, found.end(1), close, following, shift)

    def _in_function(self, start: int, end: int, close: int, following: re.Match[bytes], shift: int) -> None:
        word = following[2]
        if word == b"{":
            self._as_loop(start, end, shift)
        elif word[:1].isalpha() or word[:1] == b"_":
            name = self.bare[start:end].decode("ascii")
            body = self.body_of(name)
            if word not in _NO_BODY and (_LOOP_TEXT.match(body) if body else _LOOP_NAME.search(name)):
                self._as_loop(start, end, shift)
            elif b"\n" in following[1] or word in _STATES or word in _DECLARES:
                self._semicolon(close)
        elif word == b"}" or not word:
            self._semicolon(close)

    def _as_loop(self, start: int, end: int, shift: int) -> None:
        keyword = b"while" if end - start >= len(b"while") else b"if"
        if end - start >= len(keyword):
            self.marks.loops[start + shift] = self.bare[start:end].decode("ascii")
            put(self.code, self.bare, start, end, keyword)

    def _semicolon(self, close: int) -> None:
        if self.bare[close + 1 : close + 2].isspace():
            put(self.code, self.bare, close + 1, close + 2, b";")

    def _at_file_level(self, start: int, opening: int, close: int, following: re.Match[bytes]) -> None:
        arguments = bytes(self.bare[opening + 1 : close])
        word = following[2]
        if word[:1].isalpha() or word[:1] == b"_":
            self._declaration_follows(start, opening, close, word, b"\n" in following[1])
        elif word == b";" and self._wraps(start, opening, arguments):
            put(self.code, self.bare, start, opening + 1, b"")
            put(self.code, self.bare, close, close + 1, b"")
        elif not word:
            self._semicolon(close)
        if word != b"{":
            return
        typed = not arguments.strip() or all(_TYPED.match(one) for one in arguments.split(b","))
        if typed and start >= 2 and self.bare[start - 2 : start].isspace():  # `main() { ... }`, of type int
            put(self.code, self.bare, start - 2, start - 1, b"T")
            self.marks.types[start - 2] = "int"
        elif close + 1 - start >= len(_HEAD):
            self.marks.functions[start] = close + 1
            put(self.code, self.bare, start, close + 1, _HEAD[:-1])
            put(self.code, self.bare, close, close + 1, _HEAD[-1:])

    def _declaration_follows(self, start: int, opening: int, close: int, word: bytes, new_line: bool) -> None:
        """`EXPORT(x)` on a line of its own is a statement; `DEPRECATED("why") int f(void)` decorates."""
        arguments = bytes(self.bare[opening + 1 : close])
        name = bytes(self.bare[start:opening]).strip()
        if new_line and (word in _DECLARES or b"," in arguments or word == name):
            self._semicolon(close)
        elif _NO_TYPE_ARGUMENT.match(arguments) or word in _DECLARES:
            put(self.code, self.bare, start, close + 1, b"")

    def _wraps(self, start: int, opening: int, arguments: bytes) -> bool:
        """`EXPORT(void f(int));`: a whole declaration as the argument of a macro."""
        return _SHOUTED.match(self.bare, start, opening) is not None and _PROTOTYPE.match(arguments) is not None
