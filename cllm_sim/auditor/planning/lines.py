"""Statements as lines of C, made of facts: what a sketch takes away, keeps, or moves.

Rules of this file: spacing and braces are normalised, comments are left out; a line keeps the number that its statement
has in the source, by which a later step finds it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

INDENT = "    "


class Line(NamedTuple):
    """One line of C with the line number it has in the source; `bare`: alone in a body without braces."""

    number: int
    text: str
    bare: bool = False

    @property
    def pad(self) -> str:
        """The indentation."""
        return self.text[: len(self.text) - len(self.text.lstrip())]


def printed(body: Iterable[Stmt], depth: int = 1) -> Iterator[Line]:
    """Statements as C, one line each."""
    pad = INDENT * depth
    for one in body:
        match one:
            case Do(expression=expression, line=line):
                yield Line(line, f"{pad}{text(expression)};")
            case Declare(line=line):
                yield Line(line, f"{pad}{declared(one)};")
            case Block(body=inner, line=line, line_end=end):
                yield Line(line, pad + "{")
                yield from printed(inner, depth + 1)
                yield Line(end, pad + "}")
            case If(condition=condition, then=then, other=other, line=line):
                yield from _braced(f"if ({text(condition)})", then, line, depth)
                if other:
                    yield from _braced("else", other, other[0].line, depth)
            case Loop(body=inner, line=line):
                yield from _braced(head(one), inner, line, depth)
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
                    yield from printed(branch, depth)


def _braced(start: str, body: tuple[Stmt, ...], line: int, depth: int) -> Iterator[Line]:
    pad = INDENT * depth
    if len(body) == 1 and isinstance(body[0], Block):
        body = body[0].body
    if len(body) == 1 and isinstance(body[0], Do | Return | Jump):
        yield Line(line, pad + start)
        yield from (one._replace(bare=True) for one in printed(body, depth + 1))
        return
    yield Line(line, f"{pad}{start} {{")
    yield from printed(body, depth + 1)
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


def signature(function: Function, *more: str) -> str:
    """A function's first line; `more` are parameters behind its own."""
    own = [variable(one.type, one.name) for one in function.parameters]
    result = variable(function.result, function.name)
    parameters = ", ".join([*own, *more]) or "void"
    return f"{'static ' if function.static and not result.startswith('static') else ''}{result}({parameters})"
