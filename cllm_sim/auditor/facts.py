"""What one C file says: expressions, statements, declarations; no trace of the parser that read them.

`syntax/` makes `FileFacts` from a file's bytes, one file at a time and without headers; `program/` links them. Rules of
this file: plain immutable values that can be pickled (facts are cached by content) and compared; every expression and
statement knows its line and column (both counted from 1). Comments and string contents never become facts, except
suppression comments, which are requests of the user and no evidence. Conditional compilation is kept as `Variants`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Site(NamedTuple):
    """A place in the program under audit; the path is relative to what the user named."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


# ------------------------------------------------------------------------------------------------------------- types
@dataclass(frozen=True, slots=True)
class TypeName:
    """A type as written: `struct Pool *workers[N]` has base "struct Pool", one pointer, one array dimension.

    `base` is normalised to single spaces and holds no qualifiers ("unsigned long", "struct Pool", "pthread_mutex_t").
    An anonymous struct, union or enum has the base of the record that the reader gave it ("struct <anonymous 12:3>").
    `qualifiers` are those of const, volatile, _Atomic, static, extern, _Thread_local that stand in the declaration.
    `function` is true for a pointer to a function (or an array of them).
    """

    base: str
    pointers: int = 0
    arrays: tuple[Expr | None, ...] = ()
    qualifiers: frozenset[str] = frozenset()
    function: bool = False


# ------------------------------------------------------------------------------------------------------- expressions
@dataclass(frozen=True, slots=True)
class Name:
    """An identifier: variable, function, macro or constant; which one only the linked program knows."""

    name: str
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Number:
    """A number or character constant; `value` is None where it is no integer."""

    value: int | None
    text: str
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal. Its content is kept for names of regions only; it is never evidence."""

    value: str
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Member:
    """`base.name` or `base->name` (`arrow`)."""

    base: Expr
    name: str
    arrow: bool
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Index:
    """`base[index]`."""

    base: Expr
    index: Expr
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)`; may be a macro's use. An argument that is a type becomes a `TypeExpr`."""

    function: Expr
    arguments: tuple[Expr, ...]
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Unary:
    """`& * - + ! ~`, and `++x`, `--x`, `x++`, `x--` under exactly these four spellings with x."""

    operator: str
    operand: Expr
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, comparison, bit and logic operators, and the comma (",")."""

    operator: str
    left: Expr
    right: Expr
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Assign:
    """`target operator value`, the operator one of = += -= *= /= %= &= |= ^= <<= >>=."""

    operator: str
    target: Expr
    value: Expr
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? then : other`."""

    condition: Expr
    then: Expr
    other: Expr
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Cast:
    """`(type) operand`."""

    type: TypeName
    operand: Expr
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class SizeOf:
    """`sizeof(type)` or `sizeof expression`; exactly one of the two is given."""

    type: TypeName | None
    operand: Expr | None
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class TypeExpr:
    """A type standing where an expression is expected (argument of a macro)."""

    type: TypeName
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class InitialList:
    """`{...}` or a compound literal's list: pairs of designator path (".a", "[3]" as written, or "") and value."""

    items: tuple[tuple[str, Expr], ...]
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Opaque:
    """An expression the reader does not understand (inline assembly, statement expression, a parse error).

    `parts` holds whatever could be read inside it, so that calls in there are not lost.
    """

    text: str
    parts: tuple[Expr, ...]
    line: int
    column: int = 1


Expr = (
    Name | Number | Text | Member | Index | Call | Unary | Binary | Assign | Conditional | Cast | SizeOf | TypeExpr
    | InitialList | Opaque
)  # fmt: skip


# -------------------------------------------------------------------------------------------------------- statements
@dataclass(frozen=True, slots=True)
class Do:
    """An expression as a statement."""

    expression: Expr
    line: int


@dataclass(frozen=True, slots=True)
class Declare:
    """One declared variable (a declaration of three becomes three)."""

    name: str
    type: TypeName
    initial: Expr | None
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Block:
    """`{...}`."""

    body: tuple[Stmt, ...]
    line: int
    line_end: int


@dataclass(frozen=True, slots=True)
class If:
    """`if (condition) then else other`; `other` may be empty."""

    condition: Expr
    then: tuple[Stmt, ...]
    other: tuple[Stmt, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Loop:
    """`kind` is for, while or do. `start` and `step` belong to for; a missing condition is None (for ever).

    `macro` names the loop macro that was used (`list_for_each(...)`) where the reader took one for a loop.
    """

    kind: str
    start: tuple[Stmt, ...]
    condition: Expr | None
    step: Expr | None
    body: tuple[Stmt, ...]
    line: int
    macro: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One `case value:` (or `default:` with None) and the statements up to the next label; falls through as in C."""

    value: Expr | None
    body: tuple[Stmt, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Switch:
    """`switch (subject) { cases }`."""

    subject: Expr
    cases: tuple[Case, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Return:
    """`return value;`."""

    value: Expr | None
    line: int


@dataclass(frozen=True, slots=True)
class Jump:
    """`break`, `continue`, or `goto label` (kind "goto")."""

    kind: str
    label: str
    line: int


@dataclass(frozen=True, slots=True)
class Label:
    """`name:`; stands before the statement it labels, in the same list."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Variants:
    """Conditional compilation inside a function: every branch with its condition as written ("" for #else).

    A branch under `#if 0` is left out. Where no #else stands, an empty last branch says that all may be left out.
    """

    branches: tuple[tuple[str, tuple[Stmt, ...]], ...]
    line: int


Stmt = Do | Declare | Block | If | Loop | Switch | Return | Jump | Label | Variants


# ------------------------------------------------------------------------------------------------------ declarations
@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function; `name` may be empty in a prototype."""

    name: str
    type: TypeName


@dataclass(frozen=True, slots=True)
class Function:
    """A function's definition. `when` are the conditions of conditional compilation around it, outermost first."""

    name: str
    path: str
    line: int
    line_end: int
    result: TypeName
    parameters: tuple[Parameter, ...]
    body: tuple[Stmt, ...]
    static: bool
    when: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, int]:
        """What tells this definition from all others: one macro may define several functions on one line."""
        return f"{self.path}:{self.name}", self.line


@dataclass(frozen=True, slots=True)
class MemberDeclaration:
    """One member of a struct or union."""

    name: str
    type: TypeName
    line: int


@dataclass(frozen=True, slots=True)
class Record:
    """A struct or union; `name` is "struct Pool", or "struct <anonymous LINE:COLUMN>"."""

    name: str
    path: str
    line: int
    members: tuple[MemberDeclaration, ...]
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Global:
    """A variable at file level. A mere `extern` declaration has "extern" in its type's qualifiers."""

    name: str
    path: str
    line: int
    type: TypeName
    initial: Expr | None
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alias:
    """`typedef type name;`."""

    name: str
    type: TypeName
    line: int


@dataclass(frozen=True, slots=True)
class Macro:
    """A `#define`. `parameters` is None for an object-like one.

    `expression` is the body read as an expression, `statements` the body read as statements (one of them, or neither
    where the body is neither: a fragment, a type, an attribute). `text` is the body as written, comments removed.
    """

    name: str
    path: str
    line: int
    parameters: tuple[str, ...] | None
    text: str
    expression: Expr | None = None
    statements: tuple[Stmt, ...] | None = None
    when: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prototype:
    """A function declared without a body."""

    name: str
    line: int
    result: TypeName
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Suppression:
    """`cllm: ignore[CODE, CODE] reason` in a comment: speaks of its own line, or of the next one if it stands alone."""

    line: int
    speaks_of: int
    codes: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Unread:
    """Lines of a file that could not be understood, and why."""

    line: int
    line_end: int
    why: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Everything one file says."""

    path: str
    lines: int
    functions: tuple[Function, ...] = ()
    records: tuple[Record, ...] = ()
    globals: tuple[Global, ...] = ()
    aliases: tuple[Alias, ...] = ()
    constants: tuple[
        tuple[str, Expr | None, int], ...
    ] = ()  # enumerators: name, value as written, position in its enum
    macros: tuple[Macro, ...] = ()
    prototypes: tuple[Prototype, ...] = ()
    includes: tuple[str, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    unread: tuple[Unread, ...] = ()
    local_records: tuple[Record, ...] = field(default=())  # records declared inside functions
