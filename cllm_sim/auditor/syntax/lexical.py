"""The first look at a file's text: comments and directives are taken out, everything else keeps its place.

Rules of this file: no grammar, only what can be told from characters. Whatever is taken out is replaced by blanks of
the same length with the line ends kept, so that an offset means the same place in the text as written and in the code
that is parsed. The code holds ASCII only, one byte for one character; names and texts are cut from the text as written.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

BLANK = bytes(byte if byte == 0x0A else 0x20 for byte in range(256))
"""A translation table: every byte but the line end becomes a blank."""

_STRING = r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|(?=\n)|\Z)'
_CHARACTER = r"(?<![0-9])'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+(?:'|(?=\n)|\Z)"
_COMMENT = r"//[^\n\\]*+(?:\\.?+[^\n\\]*+)*+|/\*(?:.*?\*/|.*\Z)"
_DIRECTIVE = (
    r"(?:^|(?<=\*/))[ \t\f\v]*+\#(?:[^\n\\/\"']++|\\.|/\*(?:.*?\*/|.*\Z)|//[^\n\\]*+(?:\\.?+[^\n\\]*+)*+"
    r"|\"[^\"\\\n]*+(?:\\.[^\"\\\n]*+)*+\"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'|[/\"'\\])*+"
)
_PIECE = re.compile(
    f"(?P<directive>{_DIRECTIVE})|(?P<comment>{_COMMENT})|(?P<string>{_STRING}|{_CHARACTER})", re.DOTALL | re.MULTILINE
)
_INSIDE_DIRECTIVE = re.compile(f"(?P<comment>{_COMMENT})|(?P<string>{_STRING}|{_CHARACTER})", re.DOTALL)
STRING = re.compile(r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"', re.DOTALL)
_KEYWORD = re.compile(r"\s*\#\s*([A-Za-z_]\w*)?")
_NOT_LINE_END = re.compile(r"[^\n]")
_OTHER_BYTE = re.compile(r"[^\x00-\x7f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|\\(?=[ \t]*\n)")


class Directive(NamedTuple):
    """A line that begins with `#`: where it lies, its keyword, and where what follows the keyword begins."""

    start: int
    end: int
    keyword: str
    rest: int


class Comment(NamedTuple):
    """A comment, from its opening to the end of its last character; `alone` where no code stands on its first line."""

    start: int
    end: int


@dataclass(slots=True)
class Lexed:
    """A file's text, and its code: without comments and directives, and in `bare` without the contents of strings."""

    text: str
    code: bytearray
    bare: bytearray
    comments: list[Comment] = field(default_factory=list)
    directives: list[Directive] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def line(self, offset: int) -> int:
        """The line of an offset, counted from 1."""
        return bisect_right(self.starts, offset)


def decode(data: bytes) -> str:
    """The text of a file: UTF-8 with replacement, without a byte order mark, lines ended by line feeds."""
    text = data.decode("utf-8", "replace")
    if text.startswith("\ufeff"):
        text = " " + text[1:]
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def line_starts(text: str) -> list[int]:
    """The offset of every line's first character."""
    return [0, *(found.end() for found in re.finditer("\n", text))]


def scan(text: str) -> Lexed:
    """Take comments and directives out of the text."""
    comments: list[Comment] = []
    directives: list[Directive] = []
    code: list[str] = []
    bare: list[str] = []
    position = 0
    for found in _PIECE.finditer(text):
        start, end = found.span()
        between = text[position:start]
        code.append(between)
        bare.append(between)
        position = end
        piece = found[0]
        if found.lastgroup == "string":
            code.append(piece.replace("\\\n", "  "))
            bare.append(piece[0] + _blanked(piece[1:-1]) + piece[-1] if len(piece) > 1 else " ")
            continue
        if found.lastgroup == "comment":
            comments.append(Comment(start, end))
        else:
            directives.append(_directive(text, start, end, comments))
        blanks = _blanked(piece)
        code.append(blanks)
        bare.append(blanks)
    code.append(text[position:])
    bare.append(text[position:])
    return Lexed(text, _ascii(code), _ascii(bare), comments, directives, line_starts(text))


def without_comments(text: str) -> str:
    """A directive's text with comments blanked and continued lines joined, every character at its place."""
    if "/" in text:
        text = _INSIDE_DIRECTIVE.sub(lambda found: _blanked(found[0]) if found["comment"] else found[0], text)
    return text


def blank(code: bytearray, start: int, end: int) -> None:
    """Blank a stretch of code in place, line ends kept."""
    code[start:end] = code[start:end].translate(BLANK)


def _directive(text: str, start: int, end: int, comments: list[Comment]) -> Directive:
    found = _KEYWORD.match(text, start, end)
    assert found is not None
    if "/" in text[start:end]:
        for inside in _INSIDE_DIRECTIVE.finditer(text, start, end):
            if inside["comment"]:
                comments.append(Comment(inside.start(), inside.end()))
    return Directive(start, end, found[1] or "", found.end())


def _blanked(text: str) -> str:
    if "\n" not in text:
        return " " * len(text)
    return _NOT_LINE_END.sub(" ", text)


def ascii_code(text: str) -> bytearray:
    """Code for the parser from text: ASCII of the same length, without control characters."""
    text = _CONTROL.sub(" ", text)
    if not text.isascii():
        text = _OTHER_BYTE.sub("_", text)
    return bytearray(text, "ascii")


def _ascii(pieces: list[str]) -> bytearray:
    return ascii_code("".join(pieces))
