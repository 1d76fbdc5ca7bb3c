"""What a chapter of the report is made of. Chapters are built once from these and drawn three times: as a page
(`page`), as Markdown (`markdown`) and on the terminal (`text_blocks`).

Rules of this file: content only, no layout and no escaping. A piece of text is plain; what stands in typewriter
letters is `Code`, what leads to another chapter is a `Link`. A drawing function that does not know a block is a defect.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Tone = Literal["", "good", "bad", "open"]


class Code(str):
    """A name, a path or a piece of the program."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to a section of a chapter."""

    text: str
    chapter: str
    anchor: str


Piece = str | Code | Link
Words = tuple[Piece, ...]
"""A sentence: pieces of text that stand beside each other without anything between them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a claim rests on: a place, what stands there, and what it shows."""

    place: str
    source: str = ""
    words: str = ""
    role: str = ""
    how: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One sentence or several."""

    words: Words
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement with what it rests on. Without evidence its words must say what was looked for."""

    words: Words
    evidence: tuple[Evidence, ...] = ()
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Bullets:
    """Short items of equal rank."""

    items: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a table: its words, a second line below them, and what they rest on."""

    words: Words = ()
    detail: str = ""
    tone: Tone = ""
    evidence: tuple[Evidence, ...] = ()
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns; the first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Several lines of a program or of a sketch."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """One source line, marked under `length` characters from `start` on (0 is the first), and what is said of it."""

    place: str
    number: int
    source: str
    start: int | None = None
    length: int = 1
    words: str = ""
    role: str = ""
    how: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A place for the picture of this name; the arrows are told in words as well."""

    name: str
    title: str
    caption: str
    arrows: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a chapter with a title of its own; folded ones are opened by the reader."""

    title: Words
    blocks: tuple["Block", ...]
    anchor: str = ""
    tone: Tone = ""
    folded: bool = False


Block = Paragraph | Claim | Bullets | Table | Listing | Excerpt | Figure | Section


@dataclass(frozen=True, slots=True)
class Chapter:
    """One of the eight documents: a question, its answer in a sentence, and what the answer rests on.

    `findings` are the numbers of the findings that belong here; they are told in full in the gap analysis.
    """

    id: str
    number: int
    title: str
    answer: Words
    blocks: tuple[Block, ...] = field(default=())
    findings: tuple[int, ...] = ()

    @property
    def file(self) -> str:
        """The name of its Markdown file."""
        return f"{self.number}-{self.id}.md"


def plain(words: Iterable[Piece]) -> str:
    """The words as one line of plain text."""
    return one_line("".join(piece.text if isinstance(piece, Link) else piece for piece in words))


def one_line(text: str) -> str:
    """Text from a stranger where a line break would pretend a new line of ours."""
    return re.sub(r"\s*\n\s*", " ", text).strip()


def told(text: str) -> Words:
    """A sentence of the audit, in which names and commands stand between backticks."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one that is left over means nothing
        return (text,)
    return tuple(Code(part) if number % 2 else part for number, part in enumerate(parts) if part)


def joined(items: Iterable[Words], between: str = ", ") -> Words:
    """Several sentences as one."""
    found: list[Piece] = []
    for item in items:
        found += [between, *item] if found else item
    return tuple(found)


def cell(text: str, detail: str = "", tone: Tone = "") -> Cell:
    """A field of plain text; a dash where there is nothing to say."""
    return Cell((text,) if text else ("–",), detail, tone)


def code_cell(text: str, detail: str = "") -> Cell:
    """A field that holds a name or a piece of the program."""
    return Cell((Code(text),), detail) if text else cell("", detail)
