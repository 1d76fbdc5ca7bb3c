"""Suppression comments: `cllm: ignore[CODE, CODE] reason`.

Rules of this file: only comments are looked at, and a suppression is a request of the user, no evidence.
"""

from __future__ import annotations

import re

from cllm_sim.auditor.facts import Suppression
from cllm_sim.auditor.syntax.lexical import Lexed

_REQUEST = re.compile(r"\bcllm:\s*ignore\[([^\]\n]*)\][ \t]*([^\n]*)")


def suppressions_of(lexed: Lexed) -> tuple[Suppression, ...]:
    """The suppressions of a file. One whose line holds no code speaks of the next line that does."""
    found: list[Suppression] = []
    directives: set[int] | None = None
    for comment in lexed.comments:
        text = lexed.text[comment.start : comment.end]
        if "cllm:" not in text:
            continue
        if directives is None:
            directives = _directive_lines(lexed)
        for request in _REQUEST.finditer(text):
            line = lexed.line(comment.start + request.start())
            codes = tuple(code.strip() for code in request[1].split(",") if code.strip())
            reason = request[2].removesuffix("*/").strip()
            found.append(Suppression(line, _speaks_of(lexed, line, directives), codes, reason))
    return tuple(found)


def _directive_lines(lexed: Lexed) -> set[int]:
    """The lines of directives, which are not among the code."""
    return {
        line
        for directive in lexed.directives
        for line in range(lexed.line(directive.start), lexed.line(directive.end) + 1)
    }


def _speaks_of(lexed: Lexed, line: int, directives: set[int]) -> int:
    for candidate in range(line, len(lexed.starts) + 1):
        start = lexed.starts[candidate - 1]
        end = lexed.starts[candidate] if candidate < len(lexed.starts) else len(lexed.code)
        if candidate in directives or lexed.code[start:end].strip():
            return candidate
    return line
