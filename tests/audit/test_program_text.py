"""Expressions printed as C."""

import pytest

from cllm_sim.auditor.facts import Binary, Name, Opaque, Text, TypeName
from cllm_sim.auditor.program.printing import text, type_text

from tests.audit.linking import expression, linked


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("num_threads+1", "num_threads + 1"),
        ("pool -> n", "pool->n"),
        ("& b", "&b"),
        ("&pool->workers[ i ].lock", "&pool->workers[i].lock"),
        ("f( a,b )", "f(a, b)"),
        ("(*p).n", "(*p).n"),
        ("*p[1]", "*p[1]"),
        ("(*p)[1]", "(*p)[1]"),
        ("(*job)(x)", "(*job)(x)"),
        ("(a+b)*c", "(a + b) * c"),
        ("a+b*c", "a + b * c"),
        ("a-(b-c)", "a - (b - c)"),
        ("(a-b)-c", "a - b - c"),
        ("a<<1|b", "a << 1 | b"),
        ("(a|b)<<1", "(a | b) << 1"),
        ("a&&b||c", "a && b || c"),
        ("a&&(b||c)", "a && (b || c)"),
        ("!(a==b)", "!(a == b)"),
        ("- -x", "- -x"),
        ("-(--x)", "- --x"),
        ("& *x", "&*x"),
        ("x++ + ++x", "x++ + ++x"),
        ("(*x)++", "(*x)++"),
        ("a?b:c", "a ? b : c"),
        ("(a?b:c)?d:e", "(a ? b : c) ? d : e"),
        ("a?b:(c?d:e)", "a ? b : c ? d : e"),
        ("a=b=c", "a = b = c"),
        ("a+=b+1", "a += b + 1"),
        ("f((a,b))", "f((a, b))"),
        ("(size_t) n", "(size_t)n"),
        ("(size_t)(n+1)", "(size_t)(n + 1)"),
        ("(struct Pool*)p", "(struct Pool *)p"),
        ("((struct Pool*)p)->n", "((struct Pool *)p)->n"),
        ("sizeof(int)*2", "sizeof(int) * 2"),
        ("sizeof a/sizeof a[0]", "sizeof(a) / sizeof(a[0])"),
        ("(pool_t){.n=3,4}", "(pool_t){.n = 3, 4}"),
        ("f(\"a b\", 'x', 0x10)", "f(\"a b\", 'x', 0x10)"),
    ],
)
def test_expressions(written: str, printed: str) -> None:
    assert linked("").text(expression(written)) == printed


def test_what_is_printed_reads_as_the_same() -> None:
    for written in ("a-(b-c)*-d", "(a?b:c)+((x=1),2)", "*(&a+1)->b[c](d)", "~(a&b)|(c^d)&e"):
        once = text(expression(written))
        assert text(expression(once)) == once


def test_strings_are_escaped() -> None:
    assert text(Text('say "no"\n', 1)) == '"say \\"no\\"\\n"'


def test_what_was_not_understood_is_printed_as_written() -> None:
    assert text(Opaque("asm  volatile\n(x)", (), 1)) == "asm volatile (x)"


def test_types() -> None:
    assert type_text(TypeName("int", qualifiers=frozenset({"const", "static"}))) == "const int"
    assert type_text(TypeName("int", 1, (None, Name("N", 1)))) == "int *[][N]"
    assert type_text(TypeName("void", 1, (), frozenset(), function=True)) == "void * (*)()"


def test_an_unknown_operator_is_printed_with_care() -> None:
    assert text(Binary("<=>", Name("a", 1), Name("b", 1), 1)) == "a <=> b"
