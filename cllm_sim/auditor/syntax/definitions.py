"""The macros with parameters that a file defines, and what their uses stand for as text.

Rules of this file: text in, text out, as C substitutes it (parameters, `#`, `##`). The definition in force is the last
one before the use, so that a list of `X(...)` gets the `X` that was defined for it. Sizes and depths are bounded.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cllm_sim.auditor.syntax.lexical import Lexed, without_comments

LONGEST = 50_000
DEEPEST = 6

_HEAD = re.compile(r"\s*([A-Za-z_]\w*)\(([^()]*)\)", re.ASCII | re.DOTALL)
_TOKEN = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"|\'[^\'\\]*(?:\\.[^\'\\]*)*\'|[A-Za-z_]\w*|\s*##\s*|#\s*[A-Za-z_]\w*|.', re.DOTALL
)
_USE = re.compile(r"\s*([A-Za-z_]\w*)\s*\(", re.ASCII)


class Definition(NamedTuple):
    """One `#define` with parameters."""

    offset: int
    parameters: tuple[str, ...]
    body: str


class Definitions:
    """Looks up a file's macros with parameters by name and by where they are used."""

    def __init__(self, lexed: Lexed) -> None:
        self._lexed = lexed
        self._known: dict[str, list[Definition]] | None = None

    def _all(self) -> dict[str, list[Definition]]:
        if self._known is None:  # most files never ask
            self._known = {}
            for directive in self._lexed.directives:
                if directive.keyword == "define":
                    head = _HEAD.match(self._lexed.text, directive.rest, directive.end)
                    if head is not None:
                        body = without_comments(self._lexed.text[directive.start : directive.end])
                        body = body[head.end() - directive.start :].replace("\\\n", "  ").strip()
                        parameters = tuple(
                            one.strip() for one in head[2].replace("\\\n", " ").split(",") if one.strip()
                        )
                        self._known.setdefault(head[1], []).append(Definition(directive.start, parameters, body))
        return self._known

    def find(self, name: str, offset: int) -> Definition | None:
        """The definition in force at an offset; the first one where all come later."""
        found = self._all().get(name, [])
        before = [one for one in found if one.offset < offset]
        return before[-1] if before else found[0] if found else None

    def body(self, name: str) -> str:
        """A macro's text, or nothing where this file does not define it."""
        found = self._all().get(name)
        return found[-1].body if found else ""

    def expanded(self, use: str, offset: int) -> str | None:
        """What a use at an offset stands for; None where this file does not tell."""
        named = _USE.match(use)
        definition = self.find(named[1], offset) if named else None
        if named is None or definition is None or not definition.body:
            return None
        values = _arguments(use[named.end() : use.rfind(")")])
        parameters = list(definition.parameters)
        if parameters and parameters[-1].endswith("..."):
            fixed = len(parameters) - 1
            values = [*values[:fixed], ", ".join(values[fixed:])]
            parameters[-1] = parameters[-1].removesuffix("...").strip() or "__VA_ARGS__"
        if len(values) != len(parameters) and not (values == [""] and not parameters):
            return None
        expanded = _substituted(definition.body, dict(zip(parameters, values, strict=False)))
        return expanded if len(expanded) <= LONGEST else None

    def wholly_expanded(self, use: str, offset: int) -> str | None:
        """What a use stands for when the uses inside the result are expanded, too."""
        text = self.expanded(use, offset)
        for _ in range(DEEPEST):
            if text is None or len(text) > LONGEST:
                return None
            further = self._once_more(text, offset)
            if further == text:
                return text
            text = further
        return None

    def _once_more(self, text: str, offset: int) -> str:
        pieces: list[str] = []
        tokens = _TOKEN.findall(text)
        at = 0
        while at < len(tokens):
            end = _use_end(tokens, at) if tokens[at] in self._all() else at
            expanded = self.expanded("".join(tokens[at:end]), offset) if end > at else None
            if expanded is None:
                pieces.append(tokens[at])
                at += 1
            else:
                pieces.append(expanded)
                at = end
        return "".join(pieces)


def _use_end(tokens: list[str], at: int) -> int:
    """The place behind the use of a macro that begins at a token, or the same place where none does."""
    place = at + 1
    while place < len(tokens) and tokens[place].isspace():
        place += 1
    if place >= len(tokens) or tokens[place] != "(":
        return at
    depth = 0
    while place < len(tokens):
        depth += (tokens[place] == "(") - (tokens[place] == ")")
        place += 1
        if depth == 0:
            return place
    return at


def _arguments(text: str) -> list[str]:
    """A use's arguments: what commas outside of brackets and strings divide."""
    found: list[list[str]] = [[]]
    depth = 0
    for token in _TOKEN.findall(text):
        depth += (token in "([{") - (token in ")]}") if len(token) == 1 else 0
        if token == "," and depth == 0:
            found.append([])
        else:
            found[-1].append(token)
    return ["".join(one).strip() for one in found]


def _substituted(body: str, values: dict[str, str]) -> str:
    pieces: list[str] = []
    for token in _TOKEN.findall(body):
        if token.strip() == "##":
            if pieces:
                pieces[-1] = pieces[-1].rstrip()
        elif token.startswith("#") and token[1:].strip() in values:
            escaped = values[token[1:].strip()].replace("\\", "\\\\").replace('"', '\\"')
            pieces.append(f'"{escaped}"')
        else:
            pieces.append(values.get(token, token))
    return "".join(pieces)
