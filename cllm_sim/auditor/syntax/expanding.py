"""Expands the uses of macros that declare something, where the macro is defined in the same file.

`DEFINE_QUEUE(jobs);` may stand for functions and variables, and `WORKER(reader) { ... }` for a function's head. What
such a use stands for is put together as text, read like a file, and everything in it is said to stand where it stands.

Rules of this file: one level of substitution as C does it (parameters, `#`, `##`), uses inside the result up to a small
depth. What cannot be expanded, or not understood when it is, is named in `unread` and never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from cllm_sim.auditor.facts import Function, Macro, Unread
from cllm_sim.auditor.syntax.conditions import Conditions
from cllm_sim.auditor.syntax.declarations import Declarations
from cllm_sim.auditor.syntax.parsing import parse, troubles
from cllm_sim.auditor.syntax.preparing import prepare
from cllm_sim.auditor.syntax.unit import Findings, Marks

UNKNOWN_DECLARATION = "a macro used as a declaration; what it declares is not known"
UNKNOWN_HEAD = "a macro used as the head of a function; its name and its parameters are not known"

_DEEPEST = 3
_LONGEST = 50_000
_TOKEN = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"|\'[^\'\\]*(?:\\.[^\'\\]*)*\'|[A-Za-z_]\w*|\s*##\s*|#\s*[A-Za-z_]\w*|.', re.DOTALL
)
_DECLARED = re.compile(r"\s*\w+\s*\((?:\s*\)|\s*(?:void\b|\w+[\s*]+\w))")
_USE = re.compile(r"\s*([A-Za-z_]\w*)\s*\(", re.ASCII)


class Expander:
    """Expands uses of a file's macros into what is found in the file."""

    def __init__(self, path: str, macros: Iterable[Macro], found: Findings) -> None:
        self._path = path
        self._found = found
        self._macros = {macro.name: macro for macro in macros if macro.parameters is not None}

    def declarations(self, text: str, marks: Marks, line: Callable[[int], int], conditions: Conditions) -> list[Unread]:
        """Expand the uses that are declarations; what could not be expanded comes back."""
        unread: list[Unread] = []
        for use in marks.uses:
            first, last = line(use.start), line(max(use.start, use.end - 1))
            before = len(self._found.functions), len(self._found.globals)
            if not self._declare(text[use.start : use.end], first, 0):
                unread.append(Unread(first, last, UNKNOWN_DECLARATION))
            when = conditions.when(use.start)
            if when:
                functions, variables = self._found.functions, self._found.globals
                functions[before[0] :] = [replace(one, when=when) for one in functions[before[0] :]]
                variables[before[1] :] = [replace(one, when=when) for one in variables[before[1] :]]
        return unread

    def _declare(self, use: str, line: int, depth: int) -> bool:
        expanded = self._expanded(use)
        if expanded is None or depth > _DEEPEST:
            return False
        return self._read(expanded + ";" if not expanded.rstrip().endswith(("}", ";")) else expanded, line, depth)

    def _read(self, text: str, line: int, depth: int) -> bool:
        """Read an expansion as if all of it stood on one line; nothing of it is taken if it is not understood."""
        prepared = prepare(text, body_of=self._body)
        root = parse(prepared.code).root_node
        if troubles(root) or prepared.unread:
            return False
        found = Findings(alias_names=self._found.alias_names)
        starts = [0] * line
        Declarations(self._path, text, prepared.code, prepared.marks, Conditions(()), found, 0, starts).file(root)
        if not all(self._declare(text[use.start : use.end], line, depth + 1) for use in prepared.marks.uses):
            return False
        _merge(self._found, found)
        return True

    def _body(self, name: str) -> str:
        macro = self._macros.get(name)
        return macro.text if macro is not None else ""

    def heads(self, text: str, marks: Marks) -> list[Unread]:
        """Give functions whose head is a macro's use the name and the parameters that the macro gives them."""
        unread: list[Unread] = []
        for place, start in self._found.heads.items():
            function = self._found.functions[place]
            head = self._head(text[start : marks.functions[start]], function)
            if head is None:
                unread.append(Unread(function.line, function.line, UNKNOWN_HEAD))
            else:
                self._found.functions[place] = head
        return unread

    def _head(self, use: str, function: Function) -> Function | None:
        expanded = self._expanded(use)
        if expanded is None and _DECLARED.match(use):  # no macro at all: `main() { ... }`
            expanded = f"int {use}"
        if expanded is None:
            return None
        other = Expander(self._path, self._macros.values(), Findings(alias_names=set(self._found.alias_names)))
        if not other._read(expanded + " {}", function.line, 0) or not other._found.functions:
            return None
        *earlier, last = other._found.functions
        found = replace(other._found, functions=earlier)
        _merge(self._found, found)
        static = function.static or last.static
        return replace(function, name=last.name, result=last.result, parameters=last.parameters, static=static)

    def _expanded(self, use: str) -> str | None:
        """What a use stands for; None where this file does not tell."""
        named = _USE.match(use)
        macro = self._macros.get(named[1]) if named else None
        if named is None or macro is None or macro.parameters is None or not macro.text:
            return None
        values = _arguments(use[named.end() : use.rfind(")")])
        parameters = list(macro.parameters)
        if parameters and parameters[-1].endswith("..."):
            fixed = len(parameters) - 1
            values = [*values[:fixed], ", ".join(values[fixed:])]
            parameters[-1] = parameters[-1].removesuffix("...").strip() or "__VA_ARGS__"
        if len(values) != len(parameters) and not (values == [""] and not parameters):
            return None
        expanded = _substituted(macro.text, dict(zip(parameters, values, strict=False)))
        return expanded if len(expanded) <= _LONGEST else None


def _arguments(text: str) -> list[str]:
    """A use's arguments: what commas outside of brackets and strings divide."""
    found = [""]
    depth = 0
    for token in _TOKEN.findall(text):
        depth += (token in "([{") - (token in ")]}") if len(token) == 1 else 0
        if token == "," and depth == 0:
            found.append("")
        else:
            found[-1] += token
    return [one.strip() for one in found]


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


def _merge(into: Findings, found: Findings) -> None:
    into.records += found.records
    into.local_records += found.local_records
    into.constants += found.constants
    into.aliases += found.aliases
    into.prototypes += found.prototypes
    into.functions += found.functions
    into.globals += found.globals
    into.unread += found.unread
