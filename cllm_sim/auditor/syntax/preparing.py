"""Brings a file's text into a form that the parser takes: directives out, decorations out, macros marked.

Rules of this file: everything that is done to code before it is parsed is put together here, and can be done again with
other conditionals cut down to one branch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cllm_sim.auditor.facts import Unread
from cllm_sim.auditor.syntax.brackets import Brackets
from cllm_sim.auditor.syntax.conditions import Conditions, Group, groups_of, make_whole
from cllm_sim.auditor.syntax.decorations import blank_decorations
from cllm_sim.auditor.syntax.file_macros import FileMacros
from cllm_sim.auditor.syntax.lexical import Lexed, scan, without_comments
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
    brackets: Brackets
    unread: list[Unread]

    @property
    def code(self) -> bytes:
        """The code as the parser takes it."""
        return bytes(self.lexed.code)


def prepare(text: str, cut: frozenset[int] = frozenset(), body_of: Callable[[str], str] | None = None) -> Prepared:
    """Prepare a text; of the conditionals that begin at the offsets in `cut` only the first branch is left.

    `body_of` gives the bodies of macros by name where the text itself does not define them.
    """
    lexed = scan(text)
    groups, unread = groups_of(lexed)
    make_whole(lexed, groups, lambda group: group.start in cut, unread)
    marks = Marks()
    brackets = respell(lexed.code, lexed.bare, marks, text)
    blank_decorations(lexed.code, lexed.bare, brackets)
    bodies = body_of or _bodies(lexed)
    FileMacros(lexed.code, lexed.bare, brackets, marks, bodies).rewrite()
    MacroUses(lexed.code, lexed.bare, brackets, marks, bodies).rewrite()
    for start, end in brackets.too_deep:
        unread.append(Unread(lexed.line(start), lexed.line(max(start, end - 1)), "nested too deep"))
    return Prepared(lexed, groups, Conditions(groups), marks, brackets, unread)


def _bodies(lexed: Lexed) -> Callable[[str], str]:
    """The bodies of this file's macros with parameters, looked up by name."""
    bodies: dict[str, str] = {}

    def body_of(name: str) -> str:
        if not bodies:
            bodies[""] = ""
            for directive in lexed.directives:
                if directive.keyword == "define":
                    _enter(without_comments(lexed.text[directive.rest : directive.end]), bodies)
        return bodies.get(name, "")

    return body_of


def _enter(text: str, bodies: dict[str, str]) -> None:
    name, bracket, rest = text.partition("(")
    if bracket and name.strip().isidentifier():
        bodies[name.strip()] = rest.partition(")")[2].replace("\\\n", " ").strip()
