"""Bytes nobody would write: the reader never raises, never hangs, and still knows where it is.

Rules of this file: cases follow from a seed; no times are asserted, the limit of the whole run is enough.
"""

import pickle
import random

import pytest

from cllm_sim.auditor import syntax
from cllm_sim.auditor.facts import FileFacts
from cllm_sim.auditor.syntax.cache import packed, unpacked

CASES = 400
NIGHTLY_CASES = 10_000
DEEP = 100_000

SNIPPETS = [
    b"#ifndef A_H\n#define A_H\n#include <a.h>\ntypedef struct { int a:3; union { int u; float f; }; } Cell;\n#endif",
    b"void f(void) { for (int i = 0; i < N; i++) { lock(&m); p->q[i].r += 1; unlock(&m); } }\n",
    b"static int f(a, b) int a; char *b; { switch (a) { case 1 ... 3: return 1; default: break; } goto out; out: ; }\n",
    b"#define DO(x) do { a(x); b(#x); c##x(); } while (0)\nvoid f(void) { DO(1); DO(2)\n g(); }\n",
    b"#if A\nvoid f(int a)\n#else\nvoid f(long a)\n#endif\n{\n#ifdef B\nif (a) {\n#endif\ng();\n#ifdef B\n}\n#endif\n}",
    b"_Atomic(int) n; static _Thread_local struct s { int (*run)(int), *p[3]; } t[] = { [0 ... 2] = { .run = f } };\n",
    b'void f(void) { x = ({ int y = 1; y; }); asm volatile("" ::: "memory"); z = (T *)(p) + sizeof *p; }\n',
    b"DEFINE(a, b) { list_for_each(p, h) { q(p); } }\nEXPORT void g() NOTHROW;\nMACRO(x)\nint after;\n",
    b'char *s = "a\\"b" "c"; /* cllm: ignore[X] why */ int c = \'\\\'\'; // end \\\n more\n',
    'int größe = 1; /* äöü */ char *t = "日本";\r\n'.encode(),
]
TOKENS = [
    *b"(){}[];,*&#\"'\\/\n ",
    *[
        b"#if X\n",
        b"#else\n",
        b"#endif\n",
        b"#define A(x) ",
        b"/*",
        b"*/",
        b"//",
        b"do ",
        b"else ",
        b"case 1: ",
        b"struct ",
    ],
    *[
        b"__attribute__((",
        b"typeof(",
        b"_Atomic(",
        b"\xff\xfe",
        b"\0",
        b"\\\n",
        b"...",
        b"MACRO(x) ",
        b"#if 0\n",
        b"typedef ",
    ],
]


def consistent(data: bytes) -> FileFacts:
    """The facts of some bytes, after a look at whether they can be right at all."""
    facts = syntax.read("a.c", data)
    lines = [one.line for one in facts.records] + [one.line for one in facts.globals]
    lines += [one.line for one in facts.macros] + [one.line for one in facts.suppressions]
    spans = [(one.line, one.line_end) for one in facts.functions] + [(one.line, one.line_end) for one in facts.unread]
    assert all(1 <= line <= facts.lines + 1 for line in lines)
    assert all(1 <= line <= line_end <= facts.lines + 1 for line, line_end in spans)
    assert unpacked(packed(facts)) == facts
    return facts


def mutated(draw: random.Random) -> bytes:
    data = bytearray(draw.choice(SNIPPETS))
    for _ in range(draw.randint(1, 8)):
        at = draw.randrange(len(data) + 1)
        to = min(len(data), at + draw.randint(0, 30))
        match draw.randrange(6):
            case 0:
                token = draw.choice(TOKENS)
                data[at:at] = token if isinstance(token, bytes) else bytes([token])
            case 1:
                del data[at:to]
            case 2:
                del data[at:]
            case 3:
                data[at:at] = draw.randbytes(draw.randint(1, 10))
            case 4:
                data[at:to] = draw.choice(SNIPPETS)[: draw.randint(1, 80)]
            case _:
                data[at:at] = data[at:to] * draw.randint(1, 20)
    return bytes(data)


@pytest.mark.parametrize("snippet", range(len(SNIPPETS)))
def test_every_truncation(snippet):
    for end in range(0, len(SNIPPETS[snippet]), 3):
        consistent(SNIPPETS[snippet][:end])


def test_mutations():
    for number in range(CASES):
        consistent(mutated(random.Random(number)))


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_many_mutations():
    for number in range(CASES, NIGHTLY_CASES):
        consistent(mutated(random.Random(number)))


def test_random_bytes():
    draw = random.Random(7)
    for _ in range(60):
        consistent(draw.randbytes(draw.randint(0, 2000)))


def test_two_readings_are_equal():
    for snippet in SNIPPETS:
        assert syntax.read("a.c", snippet) == syntax.read("a.c", snippet)


@pytest.mark.parametrize(
    ("before", "repeated", "after"),
    [
        ("int x = ", "(", ""),
        ("int f(void) { return ", "(", "1" + ")" * DEEP + "; }"),
        ("void f(void) ", "{", ""),
        ("void f(void) ", "{", "}" * DEEP),
        ("int x", "[", ""),
        ("int x[] = ", "{", "1" + "}" * DEEP + ";"),
        ("int f(void) { return ", "!", "x; }"),
        ("int f(void) { return ", "a ? b : ", "c; }"),
        ("int f(void) { return ", "a + ", "c; }"),
        ("int f(void) { return ", "a, ", "c; }"),
        ("int f(void) { ", "a = ", "c; }"),
        ("int ", "*", "p;"),
        ("int f(void) { ", "if (x) ", "y(); }"),
        ("int f(void) { ", "x: ", "y(); }"),
        ("int f(void) { return ", "(int) ", "x; }"),
        ("int f(void) { return x", ".a", "; }"),
        ("int f(void) { return x", "()", "; }"),
        ("", "struct {", ""),
        ("int ", "(*", "f"),
        ("", "#if X\n", ""),
        ("", "}", ""),
        ("", "typeof(", ""),
        ("#define X ", "(", "\n"),
        ("", "__attribute__((", ""),
        ("", "X(", ""),
    ],
)
def test_deep_nesting(before, repeated, after):
    facts = consistent(f"int first;\n{before}{repeated * (DEEP // len(repeated))}{after}\n".encode())
    assert [one.name for one in facts.globals][:1] == ["first"]


def test_what_is_nested_too_deep_is_named_and_the_rest_is_read():
    facts = consistent(f"void f(void) {{\n a();\n x = {'(' * 5000}b(){')' * 5000};\n c();\n}}\nint after;\n".encode())
    assert [one.name for one in facts.globals] == ["after"]
    assert len(facts.functions[0].body) == 3
    assert [(one.line, one.why) for one in facts.unread] == [(3, "nested too deep")]


@pytest.mark.parametrize(
    "text",
    [
        "int a;" * 170_000,
        f"int x[] = {{ {'1, ' * 330_000} }};",
        f'char *s = "{"a" * 1_000_000}";',
        f"/* {'*' * 1_000_000} */ int a;",
        f"void f(void) {{ {'g(); ' * 200_000} }}",
        "a " * 500_000,
        "A(x) " * 100_000,
        "#" * 1_000_000,
        "'" * 1_000_000,
        "\\\n" * 300_000,
    ],
)
def test_a_megabyte_on_one_line(text):
    facts = syntax.read("a.c", text.encode())
    assert facts.lines >= 1


def test_facts_survive_a_pickle_wherever_they_are_nested():
    text = "if (x) { " * 90 + "y = " + "-" + "- " * 200 + "z;" + "}" * 90
    facts = syntax.read("a.c", f"void f(void) {{ {text} }}".encode())
    assert pickle.loads(pickle.dumps(facts)) == facts


def test_nul_bytes_are_blanks():
    facts = syntax.read("a.c", b"int a;\0int\0b;\n")
    assert [one.name for one in facts.globals] == ["a", "b"]


def test_bytes_that_are_no_text_are_replaced():
    facts = syntax.read("a.c", b'int a; /* \xff\xfe */ char *s = "\xe4";\nint b;\n')
    assert [(one.name, one.line) for one in facts.globals] == [("a", 1), ("s", 1), ("b", 2)]
    assert facts.unread == ()
