"""Hostile sources: expressions nested by the thousand, macros that explode, types and values that go in circles.

The facts are made by hand: a reader may refuse such sources, the linker must not depend on it.
"""

from collections.abc import Callable

import pytest

from cllm_sim.auditor.facts import (
    Alias,
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
    Function,
    Global,
    Index,
    InitialList,
    Macro,
    Member,
    MemberDeclaration,
    Name,
    Number,
    Opaque,
    Parameter,
    Record,
    SizeOf,
    Stmt,
    TypeName,
    Unary,
)
from cllm_sim.auditor.program import Program

DEEP = 3000
INT = TypeName("int")
CONST_INT = TypeName("int", qualifiers=frozenset({"const"}))


def name(text: str) -> Expr:
    return Name(text, 1)


def number(value: int) -> Expr:
    return Number(value, str(value), 1)


def nested(wrap: Callable[[Expr], Expr], innermost: Expr, depth: int = DEEP) -> Expr:
    for _ in range(depth):
        innermost = wrap(innermost)
    return innermost


def function_of(*body: Stmt, parameters: tuple[Parameter, ...] = ()) -> Function:
    return Function("f", "a.c", 1, 2, INT, parameters, tuple(body), static=False)


def macro(macro_name: str, expression: Expr, parameters: tuple[str, ...] | None = None) -> Macro:
    return Macro(macro_name, "a.c", 1, parameters, "", expression)


WRAPPERS: dict[str, Callable[[Expr], Expr]] = {
    "left sum": lambda inner: Binary("+", inner, number(1), 1),
    "right sum": lambda inner: Binary("+", number(1), inner, 1),
    "product": lambda inner: Binary("*", inner, name("n"), 1),
    "comma": lambda inner: Binary(",", name("n"), inner, 1),
    "cast": lambda inner: Cast(INT, inner, 1),
    "minus": lambda inner: Unary("-", inner, 1),
    "star": lambda inner: Unary("*", inner, 1),
    "address": lambda inner: Unary("&", inner, 1),
    "member": lambda inner: Member(inner, "next", True, 1),
    "index": lambda inner: Index(inner, number(0), 1),
    "argument": lambda inner: Call(name("g"), (inner,), 1),
    "macro": lambda inner: Call(name("M"), (inner,), 1),
    "function": lambda inner: Call(inner, (), 1),
    "condition": lambda inner: Conditional(inner, number(1), number(2), 1),
    "choice": lambda inner: Conditional(name("n"), inner, number(2), 1),
    "assignment": lambda inner: Assign("=", name("n"), inner, 1),
    "sizeof": lambda inner: SizeOf(None, inner, 1),
    "list": lambda inner: InitialList((("", inner),), 1),
    "compound literal": lambda inner: Cast(TypeName("struct S"), InitialList((("", inner),), 1), 1),
    "opaque": lambda inner: Opaque("?", (inner,), 1),
}


@pytest.mark.parametrize("kind", WRAPPERS)
def test_every_question_about_a_deep_expression_has_an_answer(kind: str) -> None:
    deep = nested(WRAPPERS[kind], name("n"))
    function = function_of(
        Declare("n", INT, None, 1),
        Declare("m", INT, deep, 1),
        Do(deep, 2),
        Do(Assign("=", Member(name("s"), "n", False, 2), deep, 2), 2),
    )
    record = Record("struct S", "a.c", 1, (MemberDeclaration("n", INT, 1), MemberDeclaration("next", INT, 1)))
    variables = (
        Global("s", "a.c", 1, TypeName("struct S"), None),
        Global("t", "a.c", 1, TypeName("struct S"), deep),
        Global("c", "a.c", 1, CONST_INT, deep),
    )
    twice = macro("M", Binary("+", name("x"), name("x"), 1), ("x",))
    file = FileFacts("a.c", 2, (function,), (record,), variables, macros=(twice, macro("DEEP", deep)))
    program = Program([file])
    for expr in (deep, name("m"), name("c"), name("DEEP"), Call(name("M"), (deep,), 1)):
        program.type_of(expr, function)
        program.constant(expr, function, "a.c")
        count = program.count(expr, function, "a.c")
        assert program.text(expr)
        assert program.same_count(count, count) is True
        program.same_count(count, program.count(number(1), None, "a.c"))
    assert len(program.text(deep)) >= DEEP or kind == "opaque"
    assert program.expand(Name("DEEP", 1), "a.c") is not None
    assert "S.n" in program.assignments


def test_a_long_sum_is_counted_exactly() -> None:
    deep = nested(WRAPPERS["left sum"], name("n"))
    program = Program([FileFacts("a.c", 1)])
    assert program.count(deep, None, "a.c").difference(program.count(name("n"), None, "a.c")) == DEEP


def test_macros_that_double_with_every_level_end() -> None:
    levels = [macro(f"M{level}", Binary("+", name(f"M{level + 1}"), name(f"M{level + 1}"), 1)) for level in range(40)]
    function = function_of(Do(name("M0"), 1), Do(Assign("=", name("g"), name("M0"), 1), 1))
    variable = Global("g", "a.c", 1, INT, None)
    program = Program([FileFacts("a.c", 1, (function,), globals=(variable,), macros=tuple(levels))])
    assert program.constant(name("M0"), None, "a.c") is None
    assert program.type_of(name("M0"), None, "a.c") is None
    assert program.same_count(program.count(name("M0"), None, "a.c"), program.count(number(1), None, "a.c")) is None
    assert [program.text(value) for value, _ in program.assignments["g"]] == ["M0"]


def test_constants_that_double_with_every_level_are_known_or_given_up() -> None:
    levels = [macro(f"M{level}", Binary("+", name(f"M{level + 1}"), name(f"M{level + 1}"), 1)) for level in range(30)]
    program = Program([FileFacts("a.c", 1, macros=(*levels, macro("M30", number(1))))])
    assert program.constant(name("M0"), None, "a.c") == 2**30
    squares = [macro(f"M{level}", Binary("*", name(f"M{level + 1}"), name(f"M{level + 1}"), 1)) for level in range(30)]
    program = Program([FileFacts("a.c", 1, macros=(*squares, macro("M30", number(3))))])
    assert program.constant(name("M0"), None, "a.c") is None


def test_typedefs_and_records_in_circles_end() -> None:
    aliases = (Alias("a", TypeName("b", 1), 1), Alias("b", TypeName("c"), 2), Alias("c", TypeName("a"), 3))
    unnamed = MemberDeclaration("", TypeName("struct S"), 1)
    record = Record("struct S", "a.c", 1, (unnamed, MemberDeclaration("n", TypeName("a"), 2)))
    program = Program([FileFacts("a.c", 1, records=(record,), aliases=aliases)])
    assert program.resolved(TypeName("a")).base in "abc"
    found = program.record(TypeName("struct S"))
    assert found is not None
    assert program.member(found, "n") is not None
    assert program.member(found, "unheard") is None


def test_anonymous_records_in_circles_have_labels() -> None:
    one, other = "struct <anonymous 1:1>", "struct <anonymous 2:1>"
    records = (
        Record(one, "a.c", 1, (MemberDeclaration("x", TypeName(other), 1),)),
        Record(other, "a.c", 2, (MemberDeclaration("y", TypeName(one), 2),)),
    )
    program = Program([FileFacts("a.c", 1, records=records)])
    assert program.label(one).startswith("y") or ".x" in program.label(one) or ".y" in program.label(one)


def test_unnamed_records_in_circles_have_labels() -> None:
    one, other = "struct <anonymous 1:1>", "struct <anonymous 2:1>"
    records = (
        Record(one, "a.c", 1, (MemberDeclaration("", TypeName(other), 1),)),
        Record(other, "a.c", 2, (MemberDeclaration("", TypeName(one), 2),)),
    )
    program = Program([FileFacts("a.c", 1, records=records)])
    assert program.label(one)
    assert program.label(other)


def test_statements_nested_too_deep_in_a_macro_are_not_expanded() -> None:
    def blocks(depth: int) -> tuple[Stmt, ...]:
        body: tuple[Stmt, ...] = (Do(name("x"), 1),)
        for _ in range(depth):
            body = (Block(body, 1, 1),)
        return body

    macros = (
        Macro("DEEP", "a.c", 1, (), "", None, blocks(DEEP)),
        Macro("FLAT", "a.c", 1, (), "", None, blocks(20)),
    )
    use = Do(Call(name("DEEP"), (), 1), 1)
    function = function_of(use, Block(blocks(DEEP), 1, 1))
    program = Program([FileFacts("a.c", 1, (function,), macros=macros)])
    assert program.expand(Call(name("DEEP"), (), 1), "a.c") is None
    assert program.expand(Call(name("FLAT"), (), 1), "a.c") is not None
    assert program.locals(function) == {}
    assert program.assignments == {}


def test_a_chain_of_locals_longer_than_any_limit_ends() -> None:
    chain = [Declare(f"n{index}", INT, name(f"n{index + 1}"), index) for index in range(DEEP)]
    function = function_of(*chain)
    program = Program([FileFacts("a.c", 1, (function,))])
    assert program.count(name("n0"), function, "a.c").terms


def test_a_chain_of_globals_longer_than_any_limit_ends() -> None:
    chain = tuple(Global(f"n{index}", "a.c", index, INT, name(f"n{index + 1}")) for index in range(DEEP))
    program = Program([FileFacts("a.c", 1, globals=chain)])
    assert program.same_count(program.count(name("n0"), None, "a.c"), program.count(number(1), None, "a.c")) is None


def test_an_enumeration_of_thousands_is_numbered() -> None:
    entries = tuple((f"E{index}", None, index) for index in range(DEEP))
    program = Program([FileFacts("a.c", 1, constants=entries)])
    assert program.constant(name(f"E{DEEP - 1}"), None, "a.c") == DEEP - 1
