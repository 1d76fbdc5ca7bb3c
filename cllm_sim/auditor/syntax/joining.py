"""Macros whose bodies join tokens (`sems[SEM_##name]`): what they say once the arguments at `##` are known.

Only the joined parameters are put in as text; the others stay parameters, so the result is again a macro that is
expanded like every other. Rules of this file: what is joined must be single words, as C wants it; a body that cannot
be read when it is joined says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cllm_sim.auditor.facts import Macro
from cllm_sim.auditor.syntax.lexical import scan
from cllm_sim.auditor.syntax.macros import macro_of
from cllm_sim.auditor.syntax.unit import Findings

LONGEST = 20_000
PASTE = "##"

_PIECE = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|\'[^\'\\]*+(?:\\.[^\'\\]*+)*+\'|\w++|\s*+##\s*+|\s++|.', re.ASCII | re.DOTALL
)
_COMMA = re.compile(r",\s*##\s*(?=__VA_ARGS__|\w)")


def joins(macro: Macro) -> bool:
    """Is a body unread because it joins tokens?"""
    return macro.expression is None and macro.statements is None and PASTE in macro.text and len(macro.text) <= LONGEST


def joined_text(macro: Macro, words: Mapping[str, str]) -> str | None:
    """The body with its tokens joined; `words` are the arguments that are one word. None where one is not known."""
    pieces = [PASTE if one.strip() == PASTE else one for one in _PIECE.findall(_COMMA.sub(", ", macro.text))]
    parameters = {one.removesuffix("...").strip() or "__VA_ARGS__" for one in macro.parameters or ()}
    made: list[str] = []
    for at, piece in enumerate(pieces):
        beside = PASTE in (pieces[at - 1] if at else "", pieces[at + 1] if at + 1 < len(pieces) else "")
        if piece == PASTE:
            continue
        if beside and piece in parameters:
            if piece not in words:
                return None
            piece = words[piece]
        made.append(piece)
    text = "".join(made)
    return text if len(text) <= LONGEST else None


def read_joined(macro: Macro, text: str) -> Macro | None:
    """The macro with another body, read anew; None where that is neither an expression nor statements."""
    head = macro.name if macro.parameters is None else f"{macro.name}({', '.join(macro.parameters)})"
    body = text.replace("\n", " ")
    lexed = scan(f"#define {head} {body}\n")
    if not lexed.directives:
        return None
    made = macro_of(macro.path, lexed, lexed.directives[0], macro.when, Findings())
    return None if made is None or (made.expression is None and made.statements is None) else made
