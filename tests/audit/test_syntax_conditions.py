"""Conditional compilation as the reader understands it."""

import pytest

from cllm_sim.auditor.syntax.truth import truth

from tests.audit.spelling import body, read, statements


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a();\n#ifdef X\nb();\n#endif\nc();", "a(); #[defined(X): b(); | else:] c();"),
        ("#ifdef X\na();\n#else\nb();\n#endif", "#[defined(X): a(); | else: b();]"),
        ("#ifndef X\na();\n#endif", "#[!defined(X): a(); | else:]"),
        (
            "#if A > 2\na();\n#elif defined(B) && C /* why */\nb();\n#else\nc();\n#endif",
            "#[A > 2: a(); | defined(B) && C: b(); | else: c();]",
        ),
        ("#ifdef X\n#else\nb();\n#endif", "#[defined(X): | else: b();]"),
        ("#if A && \\\n    B\na();\n#endif", "#[A && B: a(); | else:]"),
        ("#if A\n#if B\na();\n#endif\nb();\n#endif", "#[A: #[B: a(); | else:] b(); | else:]"),
        ("while (x) {\n#if A\na();\n#endif\n}", "while(|x|) {#[A: a(); | else:]}"),
        ("#if A\nwhile (x) {\na();\n}\n#else\nb();\n#endif", "#[A: while(|x|) {a();} | else: b();]"),
        (
            "switch (x) {\n#if A\ncase 1: a(); break;\n#endif\ndefault: b();\n}",
            "switch x {1: a(); break; default: b();}",
        ),
        (
            "switch (x) {\ncase 1:\n#if A\na();\n#else\nb();\n#endif\nbreak;\n}",
            "switch x {1: #[A: a(); | else: b();] break;}",
        ),
        ("#if A\nint x = 1;\n#else\nint x = 2;\n#endif\na(x);", "#[A: x: int = 1; | else: x: int = 2;] a(x);"),
        ("# ifdef X // why\na();\n#  endif", "#[defined(X): a(); | else:]"),
        ("#if A\n#endif\na();", "a();"),
        ("#ifdef X\nCHECK(a)\n#endif\nb();", "#[defined(X): CHECK(a); | else:] b();"),
    ],
)
def test_variants(text, expected):
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#if 0\na(; } don't\n#endif\nb();", "b();"),
        ("#if 0\na();\n#else\nb();\n#endif", "b();"),
        ("#if 1\na();\n#else\nb();\n#endif", "a();"),
        ("#if 0\n#elif X\na();\n#endif", "#[X: a(); | else:]"),
        ("#if X\na();\n#elif 1\nb();\n#else\nc();\n#endif", "#[X: a(); | else: b();]"),
        ("#if 0 && X\na();\n#endif\nb();", "b();"),
        ("#if 1 || X\na();\n#endif\nb();", "a(); b();"),
        ("#if 0\n#if X\na();\n#else\nb();\n#endif\n#define Y 1\n#endif\nc();", "c();"),
        ("#ifdef __cplusplus\nthrow 1;\n#else\na();\n#endif", "a();"),
        ("#if defined(__cplusplus) || X\na();\n#else\nb();\n#endif", "#[defined(__cplusplus) || X: a(); | else: b();]"),
        ("#if __cplusplus >= 201103L\na();\n#endif\nb();", "b();"),
        ("#ifndef __cplusplus\na();\n#endif", "a();"),
    ],
)
def test_dead_branches_are_no_code(text, expected):
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("0", False),
        ("1", True),
        ("!1", False),
        ("0x10 > 15", True),
        ("010 == 8", True),
        ("(1 && 0) || 0", False),
        ("X", None),
        ("X || 1", True),
        ("X && 0", False),
        ("X == 1", None),
        ("defined __cplusplus", False),
        ("!defined(__cplusplus)", True),
        ("1 + 1", None),
        ("defined(X) && !(0 || Y)", None),
        ("(1", None),
        ("1 1", None),
        ("'0'", None),
        ("0ULL", False),
        ("(" * 100_000 + "1", None),
        ("!" * 100_000 + "1", None),
    ],
)
def test_truth(condition, expected):
    assert truth(condition) is expected


def test_conditions_around_declarations():
    facts = read(
        "#ifdef X\nint a;\n#if Y > 1\nint b;\nvoid f(void) { }\nstruct s { int m; };\n#define M 1\n#endif\n"
        "#else\nint c;\n#endif\n"
        "#if P\nint d;\n#elif Q || R\nint e;\n#else\nint g;\n#endif\nint h;\n#ifndef Z\nint i;\n#else\nint j;\n#endif\n"
    )
    assert facts.unread == ()
    assert {one.name: one.when for one in facts.globals} == {
        "a": ("defined(X)",),
        "b": ("defined(X)", "Y > 1"),
        "c": ("!defined(X)",),
        "d": ("P",),
        "e": ("Q || R",),
        "g": ("!P && !(Q || R)",),
        "h": (),
        "i": ("!defined(Z)",),
        "j": ("defined(Z)",),
    }
    assert facts.functions[0].when == facts.records[0].when == facts.macros[0].when == ("defined(X)", "Y > 1")


@pytest.mark.parametrize(
    "text",
    [
        "#ifndef A_H\n#define A_H\nint a;\n#endif\n",
        "/* text */\n#ifndef A_H /* guard */\n#define A_H 1\n#include <x.h>\nint a;\n#endif /* A_H */\n",
        "#if !defined(A_H)\n#define A_H\nint a;\n#endif\n",
        "#pragma once\n#ifndef A_H\n#define A_H\nint a;\n#endif\n",
    ],
)
def test_include_guards_are_no_conditions(text):
    facts = read(text)
    assert [one.when for one in facts.globals] == [()]
    assert facts.macros[0].name == "A_H"
    assert facts.macros[0].when == ()


@pytest.mark.parametrize(
    "text",
    [
        "#ifndef A\n#define A\nint a;\n#endif\nint b;\n",
        "#ifndef A\n#define B\nint a;\n#endif\n",
        "#ifndef A\n#define A\nint a;\n#else\nint b;\n#endif\n",
    ],
)
def test_what_is_no_include_guard_is_a_condition(text):
    assert read(text).globals[0].when == ("!defined(A)",)


@pytest.mark.parametrize(
    ("text", "expected", "lines"),
    [
        ("#ifdef X\nif (a) {\n#else\nif (b) {\n#endif\nc();\n}", "if a {c();}", (5, 5)),
        ("x = a\n#ifdef X\n+ b\n#else\n+ c\n#endif\n;", "(x = (a + b));", (6, 6)),
        ("f(a,\n#ifdef X\nb\n#else\nc\n#endif\n);", "f(a, b);", (6, 6)),
        ("if (x)\n#ifdef X\na();\n#else\nb();\n#endif\nc();", "if x {a();} c();", (6, 6)),
        ("if (x) {\na();\n}\n#ifdef X\nelse if (y) {\nb();\n}\n#endif\nelse {\nc();\n}", None, None),
        ("#ifdef X\nif (x) {\na();\n} else\n#endif\n{\nb();\n}", "if x {a();} else {b();}", None),
        ("do\n#ifdef X\na();\n#else\nb();\n#endif\nwhile (x);", "do(|x|) {a();}", (6, 6)),
        ("#ifdef X\n#else\nif (b) {\n#endif\nc();\n#ifndef X\n}\n#endif", "if b {c();}", None),
    ],
)
def test_a_condition_that_cuts_a_statement_leaves_its_first_branch(text, expected, lines):
    facts = read(f"void f(void) {{\n{text}\n}}\nvoid g(void) {{ d(); }}\n")
    assert [one.name for one in facts.functions] == ["f", "g"]
    assert body(facts.functions[0].body) == (expected or "if x {a();} else {if y {b();} else {c();}}")
    assert [(one.line, one.line_end) for one in facts.unread] == ([lines] if lines else [])


def test_a_condition_that_cuts_a_head():
    facts = read("#ifdef X\nstatic int f(int a)\n#else\nint f(long a)\n#endif\n{\n  return a;\n}\nint after;\n")
    (function,) = facts.functions
    assert (function.name, function.static, function.when, body(function.body)) == ("f", True, (), "return a;")
    assert facts.globals[0].name == "after"
    assert [(one.line, one.line_end) for one in facts.unread] == [(4, 4)]


def test_both_branches_of_a_list_are_kept():
    facts = read(
        "enum { A,\n#ifdef X\nB,\n#else\nC,\n#endif\nD };\n"
        "struct op ops[] = {\n{ a },\n#ifdef X\n{ b },\n#endif\n{ c }\n};"
    )
    assert facts.unread == ()
    assert [name for name, _, _ in facts.constants] == ["A", "B", "C", "D"]
    assert str(facts.globals[0].initial).count("InitialList") == 4


def test_members_of_both_branches_are_kept():
    facts = read("struct s {\n int a;\n#ifdef X\n int b;\n#else\n long c;\n#endif\n};")
    assert [one.name for one in facts.records[0].members] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("text", "whys"),
    [
        ("int a;\n#endif\nint b;\n", [(2, "#endif without #if")]),
        ("int a;\n#else\nint b;\n", [(2, "#else without #if")]),
        ("int a;\n#if X\nint b;\n", [(2, "#if without #endif")]),
    ],
)
def test_unbalanced_directives_are_named(text, whys):
    facts = read(text)
    assert [one.name for one in facts.globals] == ["a", "b"]
    assert [(one.line, one.why) for one in facts.unread] == whys
