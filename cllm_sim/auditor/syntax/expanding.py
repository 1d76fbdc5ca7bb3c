"""Reads what macros declare, where they are defined in the same file.

`DEFINE_QUEUE(jobs);` may stand for functions and variables, and `WORKER(reader) { ... }` for a function's head. What
such a use stands for is put together as text, read like a file, and everything in it is said to stand where it stands.

Rules of this file: uses inside an expansion are expanded up to a small depth. What cannot be expanded, or not
understood when it is, is named in `unread` and never guessed.
"""

from __future__ import annotations

import re
from dataclasses import replace

from cllm_sim.auditor.facts import Function, Unread
from cllm_sim.auditor.syntax.conditions import Conditions
from cllm_sim.auditor.syntax.declarations import Declarations
from cllm_sim.auditor.syntax.parsing import parse, troubles
from cllm_sim.auditor.syntax.preparing import Prepared, prepare
from cllm_sim.auditor.syntax.unit import Findings, Use

UNKNOWN_DECLARATION = "a macro used as a declaration; what it declares is not known"
UNKNOWN_HEAD = "a macro used as the head of a function; its name and its parameters are not known"

_DEEPEST = 3
_DECLARED = re.compile(r"\s*\w+\s*\((?:\s*\)|\s*(?:void\b|\w+[\s*]+\w))")


class Expander:
    """Expands uses of a file's macros into what is found in the file."""

    def __init__(self, path: str, prepared: Prepared, found: Findings) -> None:
        self._path, self._prepared, self._found = path, prepared, found
        self._text, self._definitions = prepared.lexed.text, prepared.definitions

    # ---------------------------------------------------------------------------------------------------- declarations
    def declarations(self) -> list[Unread]:
        """Expand the uses that are declarations; what could not be expanded comes back."""
        unread: list[Unread] = []
        line = self._prepared.lexed.line
        for use in self._prepared.marks.uses:
            if use in self._prepared.marks.expanded:
                continue
            found = Findings(alias_names=self._found.alias_names)
            text = self._text[use.start : use.end]
            if not self._declare(text, line(use.start), use.start, 0, found):
                unread.append(Unread(line(use.start), line(max(use.start, use.end - 1)), UNKNOWN_DECLARATION))
                continue
            self._under(self._prepared.conditions.when(use.start), found)
            self._found.take(found)
        return unread

    @staticmethod
    def _under(when: tuple[str, ...], found: Findings) -> None:
        if when:
            found.functions = [replace(one, when=when) for one in found.functions]
            found.globals = [replace(one, when=when) for one in found.globals]
            found.records = [replace(one, when=when) for one in found.records]

    def _declare(self, use: str, line: int, offset: int, depth: int, found: Findings) -> bool:
        expanded = self._definitions.expanded(use, offset)
        if expanded is None or depth > _DEEPEST:
            return False
        if not expanded.rstrip().endswith(("}", ";")):
            expanded += ";"
        return self._read(expanded, line, offset, depth, found)

    def _read(self, text: str, line: int, offset: int, depth: int, found: Findings) -> bool:
        """Read an expansion as if all of it stood on one line; nothing of it is taken if it is not understood."""
        prepared = prepare(text, definitions=self._definitions)
        root = parse(prepared.code).root_node
        if troubles(root) or prepared.unread:
            return False
        inner = Findings(alias_names=found.alias_names)
        starts = [0] * line
        conditions, definitions = Conditions(()), self._definitions
        unit = Declarations(self._path, text, prepared.code, prepared.marks, conditions, inner, 0, starts, definitions)
        unit.origin = offset
        unit.file(root)
        uses = [use for use in prepared.marks.uses if use not in prepared.marks.expanded]
        if not all(self._declare(text[use.start : use.end], line, offset, depth + 1, inner) for use in uses):
            return False
        found.take(inner)
        return True

    # ---------------------------------------------------------------------------------------------- heads of functions
    def heads(self) -> list[Unread]:
        """Give functions whose head is a macro's use the name and the parameters that the macro gives them."""
        unread: list[Unread] = []
        for place, start in self._found.heads.items():
            function = self._found.functions[place]
            head = self._head(Use(start, self._prepared.marks.functions[start]), function)
            if head is None:
                unread.append(Unread(function.line, function.line, UNKNOWN_HEAD))
            else:
                self._found.functions[place] = head
        return unread

    def _head(self, use: Use, function: Function) -> Function | None:
        text = self._text[use.start : use.end]
        expanded = self._definitions.expanded(text, use.start)
        if expanded is None and _DECLARED.match(text):  # no macro at all: `main() { ... }`
            expanded = f"int {text}"
        found = Findings(alias_names=set(self._found.alias_names))
        if expanded is None or not self._read(expanded + " {}", function.line, use.start, 0, found):
            return None
        if not found.functions:
            return None
        last = found.functions.pop()
        self._found.take(found)
        static = function.static or last.static
        return replace(function, name=last.name, result=last.result, parameters=last.parameters, static=static)
