"""The state of one reading: the text, what stands for what in the code, and what has been found so far.

Rules of this file: no grammar. The lowering is one object in layers (`types`, `expressions`, `statements`,
`declarations`, each a class on top of the one before), because types hold expressions, expressions hold types and
statements, and all of them add to the same findings.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

from tree_sitter import Node

from cllm_sim.auditor.facts import Alias, Expr, Function, Global, Opaque, Prototype, Record, Stmt, Unread
from cllm_sim.auditor.syntax.conditions import Conditions
from cllm_sim.auditor.syntax.definitions import Definitions
from cllm_sim.auditor.syntax.lexical import line_starts

DEEPEST = 100
"""How deep facts are nested at most; whoever walks over them may recurse."""

SHOWN_MAX = 240
"""How much of a text an `Opaque` keeps."""


class Use(NamedTuple):
    """A macro's use outside of functions, where only its expansion would tell what it declares."""

    start: int
    end: int


@dataclass(slots=True)
class Marks:
    """Stand-ins that were put into the code for what the parser would not take, by their offset.

    types: an identifier that stands for a type, with the type as written. loops: a `while` that stands for a macro.
    functions: a definition's head that stands for a macro's use, with the end of that use.
    uses: macros used as declarations; their places are blank.
    expanded: those of them that were understood where they stand.
    """

    types: dict[int, str] = field(default_factory=dict)
    loops: dict[int, str] = field(default_factory=dict)
    functions: dict[int, int] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    expanded: set[Use] = field(default_factory=set)


@dataclass(slots=True)
class Findings:
    """What a reading has found that is not the value of a statement or an expression."""

    records: list[Record] = field(default_factory=list)
    local_records: list[Record] = field(default_factory=list)
    constants: list[tuple[str, Expr | None, int]] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    alias_names: set[str] = field(default_factory=set)
    prototypes: list[Prototype] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    globals: list[Global] = field(default_factory=list)
    heads: dict[int, int] = field(default_factory=dict)
    """Functions whose head is a macro's use: place in `functions` -> offset of the use."""
    unread: list[Unread] = field(default_factory=list)

    def take(self, other: Findings) -> None:
        """Add what another reading has found."""
        self.records += other.records
        self.local_records += other.local_records
        self.constants += other.constants
        self.aliases += other.aliases
        self.alias_names |= other.alias_names
        self.prototypes += other.prototypes
        self.functions += other.functions
        self.globals += other.globals
        self.unread += other.unread


class Unit(ABC):
    """What all layers of the lowering share."""

    def __init__(
        self,
        path: str,
        text: str,
        code: bytes,
        marks: Marks,
        conditions: Conditions,
        found: Findings,
        shift: int = 0,
        starts: list[int] | None = None,
        definitions: Definitions | None = None,
    ) -> None:
        self.path = path
        self.text = text
        self.code = code
        self.marks = marks
        self.conditions = conditions
        self.found = found
        self.shift = shift
        self.starts = line_starts(text) if starts is None else starts
        self.definitions = definitions
        self.origin: int | None = None
        self.depth = 0
        self.inside = 0
        self.seen_errors: set[int] = set()

    # --------------------------------------------------------------------------------------------------------- places
    def line_at(self, offset: int) -> int:
        """The line of an offset in the text as written."""
        return bisect_right(self.starts, offset)

    def line(self, node: Node) -> int:
        """The line on which a node begins."""
        return bisect_right(self.starts, node.start_byte + self.shift)

    def line_end(self, node: Node) -> int:
        """The line on which a node ends."""
        return bisect_right(self.starts, max(node.start_byte, node.end_byte - 1) + self.shift)

    def place(self, node: Node) -> tuple[int, int]:
        """Line and column at which a node begins, both counted from 1."""
        offset = node.start_byte + self.shift
        row = bisect_right(self.starts, offset)
        return row, offset - self.starts[row - 1] + 1

    def words(self, node: Node) -> str:
        """A node's text as written."""
        return self.text[node.start_byte + self.shift : node.end_byte + self.shift]

    def code_words(self, node: Node) -> str:
        """A node's text without comments and decorations, on one line with single blanks."""
        return " ".join(self.code[node.start_byte : node.end_byte].decode("ascii").split())

    def when(self, node: Node) -> tuple[str, ...]:
        """The conditions of conditional compilation around a node."""
        return self.conditions.when(node.start_byte + self.shift) if self.conditions.any else ()

    # ------------------------------------------------------------------------------------------------- what is not read
    def opaque(self, node: Node, parts: tuple[Expr, ...] = ()) -> Opaque:
        """An expression that is only known by its text."""
        text = self.code_words(node) if node.end_byte - node.start_byte < SHOWN_MAX * 4 else self._shortened(node)
        if len(text) > SHOWN_MAX:
            text = text[: SHOWN_MAX - 3] + "..."
        return Opaque(text, parts, *self.place(node))

    def _shortened(self, node: Node) -> str:
        return " ".join(self.code[node.start_byte : node.start_byte + SHOWN_MAX * 2].decode("ascii").split())

    def unread(self, node: Node, why: str) -> None:
        """Say that the lines of a node were not understood."""
        self.found.unread.append(Unread(self.line(node), self.line_end(node), why))

    # ---------------------------------------------------------------------------------------------------- other layers
    @abstractmethod
    def expression(self, node: Node) -> Expr:
        """An expression's facts."""

    @abstractmethod
    def again(self, text: str, offset: int) -> tuple[Node, Unit] | None:
        """The tree of another text, read as if it stood at an offset of this text; None where not understood."""

    def uses_in(self, node: Node) -> list[Use]:
        """The macros used as declarations directly in a node."""
        start, end = node.start_byte + self.shift, node.end_byte + self.shift
        return [use for use in self.marks.uses if start <= use.start < end] if self.marks.uses else []

    def use_as(self, use: Use, form: str) -> tuple[Node, Unit] | None:
        """A use's expansion put into a form ("enum {%s};") and parsed."""
        if self.definitions is None:
            return None
        text = self.definitions.wholly_expanded(self.text[use.start : use.end], self.origin_of(use.start))
        made = self.again(form.replace("%s", text), use.start) if text is not None else None
        if made is not None:
            self.marks.expanded.add(use)
        return made

    def origin_of(self, offset: int) -> int:
        """Where in the file a place lies that may be part of what a macro stands for."""
        return offset if self.origin is None else self.origin

    @abstractmethod
    def statement(self, node: Node) -> list[Stmt]:
        """A statement's facts; a declaration of three variables becomes three."""


def named(node: Node) -> list[Node]:
    """The named children that carry meaning: no comments."""
    return [child for child in node.named_children if child.type != "comment"]
