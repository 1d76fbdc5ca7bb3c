"""The program's text as the steps so far have left it, so that each sketch speaks of what is there by then.

Rules of this file: functions are held as printed lines; a line that a step writes has no number of its own unless it
takes the place of one line (then it keeps that line's). A loop that moves is found by the lines it had.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace

from cllm_sim.auditor.facts import Function
from cllm_sim.auditor.planning.lines import INDENT, Line, printed, signature
from cllm_sim.auditor.traverse import statements

Place = tuple[str, int]
Key = tuple[str, int]
PLAIN_HEAD = re.compile(r"\s*(if|for|while) \((?!.*\w\().*\)( \{)?$")
"""The head of a statement that does nothing by itself: no call in it."""
JUMP = re.compile(r"\bgoto (\w+);")
DECLARED = re.compile(r"\s+(?!return\b|goto\b)(?:\w+ )+\**(\w+)(?:\[[^\]]*\])*;$")
FOREIGN = 1_000_000
"""Added to the numbers of lines that move into another file, where these numbers are others'."""


@dataclass(frozen=True, slots=True)
class Text:
    """One function's text. `function` is None for one that a step adds."""

    path: str
    name: str
    line: int
    head: str
    lines: tuple[Line, ...]
    function: Function | None = None

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return (f"{self.path}:{self.name}", self.line)


@dataclass(slots=True)
class Draft:
    """All changed functions, the lines that went, and the names that were added."""

    texts: dict[Key, Text] = field(default_factory=dict)
    gone: frozenset[Place] = frozenset()
    dropped: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    moved: dict[Place, Key] = field(default_factory=dict)

    def copy(self) -> Draft:
        """One to try a step on."""
        return replace(self, texts=dict(self.texts), moved=dict(self.moved))

    def text(self, function: Function) -> Text:
        """A function as it is by now."""
        known = self.texts.get(function.key)
        return known or Text(
            function.path, function.name, function.line, signature(function), tuple(printed(function.body)), function
        )

    def holder(self, function: Function, line: int) -> tuple[Text, int]:
        """The function in which a line of this one stands by now, and the number it has there."""
        line = statement_line(function, line)
        key = self.moved.get((function.path, line))
        if key is None:
            return self.text(function), line
        text = self.texts[key]
        return text, line if text.path == function.path else line + FOREIGN

    def is_gone(self, path: str, line: int) -> bool:
        """Did a step take this line away?"""
        return (path, line) in self.gone


def statement_line(function: Function, line: int) -> int:
    """The line on which the statement begins that a line of a function belongs to."""
    return max((one.line for one in statements(function.body) if one.line <= line), default=line)


def closing(lines: tuple[Line, ...] | list[Line], start: int) -> int:
    """The index of the last line of the statement whose head stands at an index: the closing brace of its body, or the
    one statement of a body without braces."""
    if not lines[start].text.endswith("{"):
        return start + 1 if start + 1 < len(lines) and lines[start + 1].bare else start
    pad = lines[start].pad
    return next((n for n in range(start + 1, len(lines)) if lines[n].text == pad + "}"), start)


def emptied(lines: tuple[Line, ...], gone: set[int], kept: Container[int]) -> set[int]:
    """The heads (and braces) whose bodies go completely, by index; those at which something is added stay."""
    found: set[int] = set()
    for n in range(len(lines) - 1, -1, -1):
        inside = list(_inside(lines, n))
        going = inside and all(one in gone | found and one not in kept for one in inside)
        if not going or n in gone or n in kept or not PLAIN_HEAD.match(lines[n].text):
            continue
        end = closing(lines, n)
        if end + 1 < len(lines) and lines[end + 1].text.strip() in {"else", "else {"}:
            continue
        found |= {n, end}
    return found


def unneeded(lines: tuple[Line, ...], gone: set[int]) -> set[int]:
    """What nothing needs any more when lines go, by index: labels without a jump, what stands behind a return then, and
    declarations of names that only the lines that go knew."""
    found: set[int] = set()
    jumps = {label for n in gone for label in JUMP.findall(lines[n].text)}
    left = {label for n, line in enumerate(lines) if n not in gone for label in JUMP.findall(line.text)}
    labels = {n for n, line in enumerate(lines) if line.text.strip().rstrip(":") in jumps - left}
    if labels:
        found |= labels | _behind_return(lines, gone | labels)
    for n, line in enumerate(lines):
        declared = DECLARED.match(line.text)
        if declared is None or n in gone | found:
            continue
        name = re.compile(rf"\b{declared[1]}\b")
        used = {m for m, other in enumerate(lines) if m != n and name.search(other.text)}
        if used and used <= gone | found:
            found.add(n)
    return found


def _behind_return(lines: tuple[Line, ...], gone: set[int]) -> set[int]:
    found: set[int] = set()
    over = False
    for n, line in enumerate(lines):
        if line.text.endswith(":") and n not in gone:
            over = False
        elif over and n not in gone:
            found.add(n)
        elif line.pad == INDENT and line.text.startswith(f"{INDENT}return") and not line.bare and n not in gone:
            over = True
    return found


def _inside(lines: tuple[Line, ...], n: int) -> Iterator[int]:
    if lines[n].text.endswith("{"):
        yield from range(n + 1, closing(lines, n))
    elif n + 1 < len(lines) and lines[n + 1].bare:
        yield n + 1
