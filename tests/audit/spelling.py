"""Facts as one line of text each, so that a test shows what was read beside the C it was read from.

Rules of this file: every fact has its own spelling, brackets show how expressions are nested, and nothing of a fact but
its place is left out.
"""

from __future__ import annotations

from cllm_sim.auditor import syntax
from cllm_sim.auditor.facts import (
    Assign,
    Binary,
    Block,
    Call,
    Cast,
    Conditional,
    Declare,
    Do,
    Expr,
    FileFacts,
    If,
    Index,
    InitialList,
    Jump,
    Label,
    Loop,
    Member,
    Name,
    Number,
    Opaque,
    Return,
    SizeOf,
    Stmt,
    Switch,
    Text,
    TypeExpr,
    TypeName,
    Unary,
    Variants,
)


def read(text: str) -> FileFacts:
    return syntax.read("a.c", text.encode())


def expression(text: str, before: str = "") -> str:
    """How the one expression statement in a function was read."""
    facts = read(f"{before}\nvoid f(void) {{\n{text};\n}}\n")
    assert facts.unread == (), facts.unread
    (statement,) = facts.functions[-1].body
    assert isinstance(statement, Do)
    return spelt(statement.expression)


def statements(text: str, before: str = "") -> str:
    """How a function's statements were read."""
    facts = read(f"{before}\nvoid f(void) {{\n{text}\n}}\n")
    assert facts.unread == (), facts.unread
    return body(facts.functions[-1].body)


def spelt(one: Expr | None) -> str:
    match one:
        case None:
            return ""
        case Name(name):
            return name
        case Number(value, text):
            return text if str(value) == text else f"{text}={value}"
        case Text(value):
            return repr(value)
        case Member(base, name, arrow):
            return f"{spelt(base)}{'->' if arrow else '.'}{name}"
        case Index(base, index):
            return f"{spelt(base)}[{spelt(index)}]"
        case Call(function, arguments):
            return f"{spelt(function)}({', '.join(map(spelt, arguments))})"
        case Unary(operator, operand):
            return f"({operator} {spelt(operand)})"
        case Binary(operator, left, right):
            return f"({spelt(left)} {operator} {spelt(right)})"
        case Assign(operator, target, value):
            return f"({spelt(target)} {operator} {spelt(value)})"
        case Conditional(condition, then, other):
            return f"({spelt(condition)} ? {spelt(then)} : {spelt(other)})"
        case Cast(type_name, operand):
            return f"<{type_text(type_name)}>{spelt(operand)}"
        case SizeOf(type_name, operand):
            return f"sizeof<{type_text(type_name)}>" if type_name else f"sizeof({spelt(operand)})"
        case TypeExpr(type_name):
            return f"<{type_text(type_name)}>"
        case InitialList(items):
            return "{" + ", ".join(f"{path} = {spelt(value)}" if path else spelt(value) for path, value in items) + "}"
        case Opaque(text, parts):
            return f"?{text!r}[{', '.join(map(spelt, parts))}]"


def type_text(one: TypeName) -> str:
    dimensions = "".join(f"[{spelt(size)}]" for size in one.arrays)
    words = [*sorted(one.qualifiers), one.base]
    return " ".join(words) + "*" * one.pointers + dimensions + (" function" if one.function else "")


def body(all_of_them: tuple[Stmt, ...]) -> str:
    return " ".join(map(statement, all_of_them))


def statement(one: Stmt) -> str:
    match one:
        case Do(value):
            return f"{spelt(value)};"
        case Declare(name, type_name, initial):
            return f"{name}: {type_text(type_name)}" + (f" = {spelt(initial)};" if initial else ";")
        case Block(inner):
            return f"{{{body(inner)}}}"
        case If(condition, then, other):
            return f"if {spelt(condition)} {{{body(then)}}}" + (f" else {{{body(other)}}}" if other else "")
        case Loop(kind, start, condition, step, inner, _, macro):
            head = f"{kind}{' ' + macro if macro else ''}({body(start)}|{spelt(condition)}|{spelt(step)})"
            return f"{head} {{{body(inner)}}}"
        case Switch(subject, cases):
            inside = " ".join(f"{spelt(case.value) or 'default'}: {body(case.body)}".rstrip() for case in cases)
            return f"switch {spelt(subject)} {{{inside}}}"
        case Return(value):
            return f"return {spelt(value)};" if value else "return;"
        case Jump(kind, label):
            return f"{kind} {label};" if label else f"{kind};"
        case Label(name):
            return f"{name}:"
        case Variants(branches):
            return (
                "#["
                + " | ".join(f"{condition or 'else'}: {body(inner)}".rstrip() for condition, inner in branches)
                + "]"
            )
