"""Comments, strings, directives: what is code and what is not."""

import pytest

from cllm_sim.auditor.facts import Suppression

from tests.audit.spelling import read, statements


@pytest.mark.parametrize(
    "text",
    [
        "/* lock(&m); */",
        "// lock(&m);",
        "// goes on \\\nlock(&m);",
        "/* a // b */",
        "/* ' */ /* \" */",
        "/**/",
        "/*\n#define X\n#if 0\n*/",
        'a("/* no comment");',
        'a("// no comment");',
        "a('\"'); /* \" */ b();",
        'a("\\""); // "',
        "a('\\''); // '",
        'a("lock(&m);");',
        'a("two \\\nlines lock(&m)");',
        "a(1'000'000); /* ' */",
    ],
)
def test_comments_and_strings_are_no_evidence(text):
    assert "lock" not in statements(text).replace("'lock(&m);'", "").replace("'two lines lock(&m)'", "")
    assert statements(text + "\nlast();").endswith("last();")


def test_directives_are_no_code():
    facts = read(
        '#include <pthread.h>\n#  include "a/b.h" // why\n#include_next <x.h>\n#include MACRO\n'
        "#pragma omp parallel for\n"
        '#error don\'t\n#line 3 "x"\n#\n#undef A\n#ident "x"\n#warning "unended\nint a;\n'
    )
    assert facts.includes == ("pthread.h", "a/b.h", "x.h", "MACRO")
    assert [(one.name, one.line) for one in facts.globals] == [("a", 12)]
    assert facts.unread == ()


def test_a_directive_after_a_comment():
    facts = read("/* a */ #define A 1\n/* b\n */ #include <x.h>\nint a;\n")
    assert facts.includes == ("x.h",)
    assert [one.name for one in facts.macros] == ["A"]


def test_a_directive_continued_by_a_comment():
    facts = read("#define A 1 /* goes\n on */\n#include <x.h> /* and\non */ \nint a;\n")
    assert facts.macros[0].text == "1"
    assert [(one.name, one.line) for one in facts.globals] == [("a", 5)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end):
    facts = read(end.join(["int a;", "#define B \\", "  2", "", "void f(void) {", "  g();", "}", ""]))
    assert [(one.name, one.line) for one in facts.globals] == [("a", 1)]
    assert facts.macros[0].text == "2"
    assert facts.functions[0].body[0].line == 6
    assert facts.lines == 7


@pytest.mark.parametrize(("text", "lines"), [("", 0), ("\n", 1), ("a", 1), ("a\n", 1), ("a\nb", 2), ("\n\n", 2)])
def test_lines_are_counted(text, lines):
    assert read(text).lines == lines


def test_a_byte_order_mark_is_no_code():
    facts = read("\ufeffint a;\n")
    assert [one.name for one in facts.globals] == ["a"]
    assert facts.unread == ()


# --------------------------------------------------------------------------------------------------------- suppressions
def test_suppressions():
    facts = read(
        "int a; // cllm: ignore[LOCK-ORDER] known\n"
        "/* cllm: ignore[ONE, TWO] two of them */\n"
        "\n"
        "// another comment\n"
        "int b;\n"
        "#define X 1 // cllm: ignore[THREE]\n"
        "/* text\n * cllm: ignore[FOUR]  here\n */ int c;\n"
    )
    assert facts.suppressions == (
        Suppression(1, 1, ("LOCK-ORDER",), "known"),
        Suppression(2, 5, ("ONE", "TWO"), "two of them"),
        Suppression(6, 6, ("THREE",), ""),
        Suppression(8, 9, ("FOUR",), "here"),
    )


def test_a_string_is_no_suppression():
    assert read('char *a = "cllm: ignore[ONE] text"; /* cllm: ignored[X] ignore[Y] */').suppressions == ()
