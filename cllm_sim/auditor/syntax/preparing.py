"""Brings a file's text into a form that the parser takes: directives out, decorations out, macros marked.

Rules of this file: everything that is done to code before it is parsed is put together here, and can be done again with
other conditionals cut down to one branch.
"""

from __future__ import annotations

from dataclasses import dataclass

from cllm_sim.auditor.facts import Unread
from cllm_sim.auditor.syntax.conditions import Conditions, Group, groups_of, make_whole
from cllm_sim.auditor.syntax.decorations import blank_decorations
from cllm_sim.auditor.syntax.definitions import Definitions
from cllm_sim.auditor.syntax.file_macros import FileMacros
from cllm_sim.auditor.syntax.lexical import Lexed, scan
from cllm_sim.auditor.syntax.macro_uses import MacroUses
from cllm_sim.auditor.syntax.masking import respell
from cllm_sim.auditor.syntax.unit import Marks


@dataclass(slots=True)
class Prepared:
    """A file's code as the parser gets it, and what is needed to understand the tree."""

    lexed: Lexed
    groups: list[Group]
    conditions: Conditions
    marks: Marks
    definitions: Definitions
    unread: list[Unread]

    @property
    def code(self) -> bytes:
        """The code as the parser takes it."""
        return bytes(self.lexed.code)


def prepare(text: str, cut: frozenset[int] = frozenset(), definitions: Definitions | None = None) -> Prepared:
    """Prepare a text; of the conditionals that begin at the offsets in `cut` only the first branch is left.

    `definitions` are the macros in force where the text itself is only what a macro stands for.
    """
    lexed = scan(text)
    groups, unread = groups_of(lexed)
    make_whole(lexed, groups, lambda group: group.start in cut, unread)
    marks = Marks()
    brackets = respell(lexed.code, lexed.bare, marks, text)
    blank_decorations(lexed.code, lexed.bare, brackets)
    definitions = definitions or Definitions(lexed)
    FileMacros(lexed.code, lexed.bare, brackets, marks, definitions.body).rewrite()
    MacroUses(lexed.code, lexed.bare, brackets, marks, definitions.body).rewrite()
    for start, end in brackets.too_deep:
        unread.append(Unread(lexed.line(start), lexed.line(max(start, end - 1)), "nested too deep"))
    return Prepared(lexed, groups, Conditions(groups), marks, definitions, unread)
