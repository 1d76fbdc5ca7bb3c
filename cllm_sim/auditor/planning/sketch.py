"""Sketches of changes: hunks in the manner of a unified diff, made of the program's own statements.

Rules of this file: what a sketch takes away or keeps is printed from the facts (with normalised spacing and braces,
without comments), what it adds is text.
A hunk names the function and its line; it is read beside the source, not applied by a tool. No sketch is longer than
`LINES_MAX`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import NamedTuple

from cllm_sim.auditor.facts import (
    Block,
    Declare,
    Do,
    Function,
    If,
    Jump,
    Label,
    Loop,
    Return,
    Stmt,
    Switch,
    TypeName,
    Variants,
)
from cllm_sim.auditor.program.printing import text, type_text
from cllm_sim.auditor.traverse import inner as inner_of

LINES_MAX = 48
INDENT = "    "


class Line(NamedTuple):
    """One line of C with the line number it has in the source."""

    number: int
    text: str


def printed(body: Iterable[Stmt], depth: int = 1, braces: Container[int] = ()) -> Iterator[Line]:
    """Statements as C, one line each; a body of one statement has braces if its line is in `braces`."""
    pad = INDENT * depth
    for one in body:
        match one:
            case Do(expression=expression, line=line):
                yield Line(line, f"{pad}{text(expression)};")
            case Declare(line=line):
                yield Line(line, f"{pad}{declared(one)};")
            case Block(body=inner, line=line, line_end=end):
                yield Line(line, pad + "{")
                yield from printed(inner, depth + 1, braces)
                yield Line(end, pad + "}")
            case If(condition=condition, then=then, other=other, line=line):
                yield from _braced(f"if ({text(condition)})", then, line, depth, braces)
                if other:
                    yield from _braced("else", other, other[0].line, depth, braces)
            case Loop(body=inner, line=line):
                yield from _braced(head(one), inner, line, depth, braces)
            case Return(value=value, line=line):
                yield Line(line, f"{pad}return{'' if value is None else ' ' + text(value)};")
            case Jump(kind=kind, label=label, line=line):
                yield Line(line, f"{pad}{kind}{' ' + label if label else ''};")
            case Label(name=name, line=line):
                yield Line(line, f"{INDENT * (depth - 1)}{name}:")
            case Switch(subject=subject, line=line):
                yield Line(line, f"{pad}switch ({text(subject)}) {{ ... }}")
            case Variants(branches=branches):
                for _, branch in branches[:1]:
                    yield from printed(branch, depth, braces)


def _braced(start: str, body: tuple[Stmt, ...], line: int, depth: int, braces: Container[int]) -> Iterator[Line]:
    pad = INDENT * depth
    if len(body) == 1 and isinstance(body[0], Block):
        body = body[0].body
    only = body[0] if len(body) == 1 else None
    if isinstance(only, Do | Return | Jump) and only.line not in braces:
        yield Line(line, pad + start)
        yield from printed((only,), depth + 1)
        return
    yield Line(line, f"{pad}{start} {{")
    yield from printed(body, depth + 1, braces)
    yield Line(line, pad + "}")


def last_line(one: Stmt) -> int:
    """The last line on which something of a statement stands."""
    last = 0
    stack = [one]
    while stack:
        here = stack.pop()
        last = max(last, here.line, getattr(here, "line_end", 0))
        stack.extend(inner_of(here))
    return last


def head(loop: Loop) -> str:
    """A loop's first line."""
    condition = "" if loop.condition is None else text(loop.condition)
    if loop.kind == "for":
        starts = "; ".join(one.text.strip().rstrip(";") for one in printed(loop.start, 0))
        if not starts and not condition and loop.step is None:
            return "for (;;)"
        return f"for ({starts}; {condition}; {'' if loop.step is None else text(loop.step)})"
    return f"{'do ... while' if loop.kind == 'do' else 'while'} ({condition or '1'})"


def declared(one: Declare) -> str:
    """A declaration without its semicolon."""
    initial = "" if one.initial is None else f" = {text(one.initial)}"
    return f"{variable(one.type, one.name)}{initial}"


def variable(type: TypeName, name: str) -> str:
    """`struct worker *worker`, `float hidden[HIDDEN]`."""
    bare = TypeName(type.base, 0, (), type.qualifiers, False)
    sizes = "".join(f"[{'' if size is None else text(size)}]" for size in type.arrays)
    return f"{type_text(bare)} {'*' * type.pointers}{name}{sizes}"


def signature(function: Function) -> str:
    """A function's first line."""
    parameters = ", ".join(variable(one.type, one.name) for one in function.parameters) or "void"
    result = variable(function.result, function.name)
    return f"{'static ' if function.static and not result.startswith('static') else ''}{result}({parameters})"


class Sketch:
    """Collects hunks; `str()` is the patch."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._path = ""
        self._held: list[str] = []

    def hunk(self, path: str, where: str, line: int) -> None:
        """Opens a hunk in a file."""
        if path != self._path:
            self._lines += [f"--- a/{path}", f"+++ b/{path}"]
            self._path = path
        self._lines.append(f"@@ {where}, line {line} @@" if line else f"@@ {where} @@")

    def keep(self, *lines: str) -> None:
        """Lines that stay."""
        self._lines += [f" {line}" for line in lines]

    def take(self, *lines: str) -> None:
        """Lines that go."""
        self._lines += [f"-{line}" for line in lines]

    def add(self, *lines: str) -> None:
        """Lines that come."""
        self._lines += [f"+{line}" for line in lines]

    def body(
        self,
        function: Function,
        gone: Callable[[Line], bool],
        before: dict[int, list[str]] | None = None,
        behind: tuple[Stmt, list[str]] | None = None,
        around: int = 2,
    ) -> bool:
        """The changed part of a function: lines for which `gone` holds go, others come before a line number or behind
        a statement (indented as it is); unchanged lines are kept only near a change. False where nothing changes."""
        before = dict(before or {})
        braces = {*before, *([behind[0].line] if behind is not None else [])}
        lines = list(printed(function.body, 1, braces))
        last = _behind(lines, behind)
        changed = [n for n, line in enumerate(lines) if gone(line) or line.number in before or n == last]
        if not changed:
            return False
        self.hunk(function.path, function.name, function.line)
        self.keep(signature(function))
        shown = {near for n in changed for near in range(n - around, n + around + 1)}
        skipped = False
        for n, line in enumerate(lines):
            if n not in shown:
                skipped = True
                continue
            if skipped:
                self._flush()
                self.keep(f"{INDENT}...")
                skipped = False
            self._one(line, gone(line), before.pop(line.number, []))
            if n == last and behind is not None:
                pad = next(_pad(one.text) for one in lines if one.number == behind[0].line)
                self.add(*(pad + one for one in behind[1]))
        self._flush()
        return True

    def without(
        self, function: Function, gone: Container[int], before: dict[int, list[str]] | None = None, around: int = 1
    ) -> bool:
        """The same for lines that go by their numbers."""
        return self.body(function, lambda line: line.number in gone, before, around=around)

    def _one(self, line: Line, gone: bool, before: list[str]) -> None:
        if gone:  # what replaces several lines stands behind all of them
            self.take(line.text)
            self._held += [_pad(line.text) + one for one in before]
            return
        self._flush()
        self.add(*(_pad(line.text) + one for one in before))
        self.keep(line.text)

    def _flush(self) -> None:
        self.add(*self._held)
        self._held.clear()

    def __bool__(self) -> bool:
        return any(line[:1] in {"+", "-"} and not line.startswith(("+++", "---")) for line in self._lines)

    def __str__(self) -> str:
        if not self:
            return ""
        lines = self._lines if len(self._lines) <= LINES_MAX else [*self._lines[: LINES_MAX - 1], " ..."]
        return "\n".join(lines) + "\n"


def _pad(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _behind(lines: list[Line], behind: tuple[Stmt, list[str]] | None) -> int:
    """The last printed line of a statement: its own, or the end of its bodies; -1 where there is none."""
    start = -1 if behind is None else next((n for n, one in enumerate(lines) if one.number == behind[0].line), -1)
    if behind is None or start < 0 or not isinstance(behind[0], If | Loop | Block):
        return start
    depth = len(_pad(lines[start].text))
    found = start
    for n in range(start + 1, len(lines)):
        here, text = len(_pad(lines[n].text)), lines[n].text.strip()
        if here > depth or (here == depth and text in {"}", "else", "else {"} and not _closed(lines, found, text)):
            found = n
        else:
            break
    return found


def _closed(lines: list[Line], found: int, text: str) -> bool:
    """Does a second closing brace in a row belong to what is around?"""
    return text == "}" and lines[found].text.strip() == "}" and _pad(lines[found].text) == _pad(lines[found + 1].text)
