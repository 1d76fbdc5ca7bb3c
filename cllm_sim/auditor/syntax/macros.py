"""Macros: every `#define` with its text, and its body read as an expression or as statements where it is one.

Rules of this file: nothing is expanded here. A body that pastes tokens is neither; `do { ... } while (0)` around a body
is only there to make it one statement, so its statements stand for it, unless a `break` or `continue` belongs to it.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tree_sitter import Node

from cllm_sim.auditor.facts import (
    Block,
    Expr,
    If,
    Jump,
    Loop,
    Macro,
    Name,
    Number,
    Stmt,
    Switch,
    Text,
    Variants,
)
from cllm_sim.auditor.syntax.conditions import Conditions
from cllm_sim.auditor.syntax.declarations import Declarations
from cllm_sim.auditor.syntax.decorations import blank_decorations
from cllm_sim.auditor.syntax.expressions import integer
from cllm_sim.auditor.syntax.lexical import STRING, Directive, Lexed, ascii_code, without_comments
from cllm_sim.auditor.syntax.macro_uses import MacroUses
from cllm_sim.auditor.syntax.masking import respell
from cllm_sim.auditor.syntax.parsing import parse
from cllm_sim.auditor.syntax.types import SPECIFIERS
from cllm_sim.auditor.syntax.unit import Findings, Marks, named

_HEAD = re.compile(r"\s*([^\W\d]\w*)(\(([^()]*)\))?", re.ASCII | re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
_EXPRESSION = (b"int x=(", b");")
_STATEMENTS = (b"void f(void){", b"\n;}")
_LONGEST = 20_000
_TYPE_WORDS = frozenset(
    "int char void short long unsigned signed float double const volatile static extern inline struct union enum "
    "register typedef return if else for while do switch break continue goto case default sizeof".split()
)


_STATEMENT_WORDS = frozenset("return if else for while do switch break continue goto case default".split())
_FIRST_WORD = re.compile(r"[A-Za-z_]\w*")
_COMMA = re.compile(r"(,\s*)##(\s*(?:__VA_ARGS__|\w+))")
_NAME_AS_TEXT = re.compile(r"(?<!#)#[ \t]*[A-Za-z_]\w*")


def _as_text(found: re.Match[str]) -> str:
    return '""' + " " * (len(found[0]) - 2)


def _takes_semicolon(node: Node) -> bool:
    """Is the semicolon behind a body the whole body of a loop or a branch in it: `for (...)`, a fragment?"""
    at: Node | None = node
    while at is not None and at.type in ("for_statement", "while_statement", "if_statement", "else_clause"):
        inner = at.child_by_field_name("alternative") or at.child_by_field_name("body")
        at = inner or at.child_by_field_name("consequence") or at.named_children[-1]
    return at is not None and at is not node and at.type == "expression_statement" and not named(at)


class _Body:
    """A macro's body: its code at the offset where it stands in the file."""

    def __init__(self, path: str, lexed: Lexed, directive: Directive, start: int) -> None:
        self.path, self.lexed, self.start = path, lexed, start
        text = without_comments(lexed.text[directive.start : directive.end])[start - directive.start :]
        self.text = text
        self.code = _NAME_AS_TEXT.sub(_as_text, _COMMA.sub(r"\1  \2", text)) if "#" in text else text
        self.found = Findings()

    def _unit(self, code: bytes, before: int, marks: Marks) -> Declarations:
        return Declarations(
            self.path, self.lexed.text, code, marks, Conditions(()), self.found, self.start - before, self.lexed.starts
        )

    def _parsed(self, around: tuple[bytes, bytes]) -> tuple[Node, Declarations] | None:
        marks = Marks()
        body = ascii_code(self.code)
        bare = ascii_code(STRING.sub(lambda found: '"' + " " * (len(found[0]) - 2) + '"', self.code))
        brackets = respell(body, bare, marks, self.lexed.text, self.start, inside_function=True)
        blank_decorations(body, bare, brackets)
        MacroUses(body, bare, brackets, marks, lambda name: "", self.start).rewrite()
        code = around[0] + bytes(body) + around[1]
        root = parse(code).root_node
        if root.has_error or root.child_count != 1:
            return None
        return root.children[0], self._unit(code, len(around[0]), marks)

    def expression(self) -> Expr | None:
        """The body as an expression."""
        parsed = self._parsed(_EXPRESSION)
        if parsed is None or parsed[0].type != "declaration":
            return None
        declaration, unit = parsed
        declarators = declaration.children_by_field_name("declarator")
        value = declarators[0].child_by_field_name("value") if len(declarators) == 1 else None
        return unit.expression(value) if value is not None else None

    def statements(self) -> tuple[Stmt, ...] | None:
        """The body as statements."""
        parsed = self._parsed(_STATEMENTS)
        if parsed is None or parsed[0].type != "function_definition":
            return None
        body = parsed[0].child_by_field_name("body")
        children = named(body) if body is not None else []
        if body is None or not children or all(child.type in SPECIFIERS for child in children):
            return None
        last = children[-1]
        if last.type == "expression_statement" and not named(last):
            children.pop()
        elif _takes_semicolon(last):
            return None
        return _unwrapped(parsed[1].items(children, body)) or None


def macro_of(path: str, lexed: Lexed, directive: Directive, when: tuple[str, ...], found: Findings) -> Macro | None:
    """The macro that a `#define` makes."""
    head = _HEAD.match(lexed.text, directive.rest, directive.end)
    if head is None:
        return None
    body = _Body(path, lexed, directive, head.end())
    line = lexed.line(directive.start)
    parameters = None if head[2] is None else _parameters(head[3])
    text = _one_line(body.text)
    made = Macro(head[1], path, line, parameters, text, when=when)
    simple = _simple(text, lexed, head.end())
    if simple is not None:
        return replace(made, expression=simple)
    if not text or "##" in body.code or len(text) > _LONGEST or text in _TYPE_WORDS:
        return made
    return _with_body(made, body, found)


def _with_body(made: Macro, body: _Body, found: Findings) -> Macro:
    first = _FIRST_WORD.match(made.text)
    stated = made.text.endswith((";", "}")) or (first is not None and first[0] in _STATEMENT_WORDS)
    expression = None if stated or made.text.startswith("{") else body.expression()
    statements = None if expression is not None else body.statements()
    if expression is not None or statements is not None:
        found.local_records += body.found.records + body.found.local_records
    return replace(made, expression=expression, statements=statements)


def _parameters(text: str) -> tuple[str, ...]:
    names = [" ".join(name.replace("\\\n", " ").split()) for name in text.split(",")]
    return tuple(name for name in names if name)


def _one_line(text: str) -> str:
    if "\n" in text:
        text = re.sub(r"[ \t]*\\?\n[ \t]*", " ", text)
    return text.strip()


def _simple(text: str, lexed: Lexed, start: int) -> Expr | None:
    """The commonest bodies without a parser: a number, a name."""
    if not text or len(text) > 60:
        return None
    offset = lexed.text.find(text, start)
    line = lexed.line(offset)
    column = offset - lexed.starts[line - 1] + 1
    value = integer(text)
    if value is not None:
        return Number(value, text, line, column)
    if _WORD.match(text) and text not in _TYPE_WORDS and text not in ("NULL", "true", "false", "TRUE", "FALSE"):
        return Name(text, line, column)
    if text[0] == '"' == text[-1] and text.count('"') == 2 and "\\" not in text:
        return Text(text[1:-1], line, column)
    return None


def _unwrapped(statements: tuple[Stmt, ...]) -> tuple[Stmt, ...]:
    if len(statements) != 1:
        return statements
    only = statements[0]
    if isinstance(only, Block):
        return _unwrapped(only.body)
    if (
        isinstance(only, Loop)
        and only.kind == "do"
        and isinstance(only.condition, Number)
        and only.condition.value == 0
    ):
        return statements if _leaves(only.body) else only.body
    return statements


def _leaves(statements: tuple[Stmt, ...]) -> bool:
    """Does a `break` or `continue` in these statements belong to the loop around them?"""
    for statement in statements:
        if isinstance(statement, Jump) and statement.kind != "goto":
            return True
        if isinstance(statement, If) and (_leaves(statement.then) or _leaves(statement.other)):
            return True
        if isinstance(statement, Block) and _leaves(statement.body):
            return True
        if isinstance(statement, Variants) and any(_leaves(body) for _, body in statement.branches):
            return True
        if isinstance(statement, Switch) and any(_continues(case.body) for case in statement.cases):
            return True
    return False


def _continues(statements: tuple[Stmt, ...]) -> bool:
    return any(isinstance(one, Jump) and one.kind == "continue" for one in statements)
