"""Statements as the reader understands them."""

import pytest

from cllm_sim.auditor.facts import Block, If, Loop, Switch

from tests.audit.spelling import body, read, statements


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a(); b();", "a(); b();"),
        (";", ""),
        ("{ a(); { b(); } }", "{a(); {b();}}"),
        ("if (x) a(); else { b(); c(); }", "if x {a();} else {b(); c();}"),
        ("if (x) a(); else if (y) b(); else c();", "if x {a();} else {if y {b();} else {c();}}"),
        ("if (x) if (y) a(); else b();", "if x {if y {a();} else {b();}}"),
        ("while (x) a();", "while(|x|) {a();}"),
        ("while (1) ;", "while(|1|) {}"),
        ("do { a(); } while (x);", "do(|x|) {a();}"),
        ("for (;;) { }", "for(||) {}"),
        ("for (i = 0; i < n; i++) a(i);", "for((i = 0);|(i < n)|(x++ i)) {a(i);}"),
        ("for (int i = 0, *p = q; ; ) a();", "for(i: int = 0; p: int* = q;||) {a();}"),
        ("return;", "return;"),
        ("return (x);", "return x;"),
        ("goto out; out: a();", "goto out; out: a();"),
        ("one: two: a(); last: ;", "one: two: a(); last:"),
        ("for (;;) { if (x) break; continue; }", "for(||) {if x {break;} continue;}"),
    ],
)
def test_control(text, expected):
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("switch (x) { case 1: a(); break; default: b(); }", "switch x {1: a(); break; default: b();}"),
        ("switch (x) { case 1: case A + 1: a(); }", "switch x {1: (A + 1): a();}"),
        ("switch (x) { case 1 ... 5: a(); break; }", "switch x {?'1 ... 5'[1, 5]: a(); break;}"),
        ("switch (x) { case A...B: a(); break; }", "switch x {?'A...B'[A, B]: a(); break;}"),
        ("switch (x) { case 1: { a(); } b(); }", "switch x {1: {a();} b();}"),
        ("switch (x) { int y; case 1: a(); }", "y: int; switch x {1: a();}"),
        (
            "switch (x) { case 1: switch (y) { case 2: a(); } b(); break; case 3: c(); }",
            "switch x {1: switch y {2: a();} b(); break; 3: c();}",
        ),
        ("switch (x) { case 1: while (y) { case 2: a(); } }", "switch x {1: while(|y|) {case 2: a();}}"),
    ],
)
def test_switches(text, expected):
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int a, *b = 0, c[3][N];", "a: int; b: int* = 0; c: int[3][N];"),
        ("static unsigned long total = 0;", "total: static unsigned long = 0;"),
        ("extern volatile int stop;", "stop: extern volatile int;"),
        ("static thread_local int depth;", "depth: _Thread_local static int;"),
        ("static _Thread_local int depth;", "depth: _Thread_local static int;"),
        ("static __thread int depth;", "depth: _Thread_local static int;"),
        ("struct pool p = { .a = 1, .b[2] = f() }, *q;", "p: struct pool = {.a = 1, .b[2] = f()}; q: struct pool*;"),
        ("struct pool p = { a: 1 };", "p: struct pool = {.a = 1};"),
        ("int x[] = { [0 ... 3] = 1, 2 };", "x: int[] = {[0 ... 3] = 1, 2};"),
        ("void (*run)(void *) = worker;", "run: void function = worker;"),
        ("int (*row)[4] = m;", "row: int*[4] = m;"),
        ("void *(*table[2])(void *) = { a, b };", "table: void*[2] function = {a, b};"),
        ("__auto_type x = f();", "x: __auto_type = f();"),
        ("typeof(*p) copy = *p;", "copy: typeof(*p) = (* p);"),
        ('register int x asm("r1") = 2;', "x: int = 2;"),
        ("pool_t *p; a * b;", "p: pool_t*; b: a*;"),
        ("int n __attribute__((unused)) = f(), m __attribute__((aligned(64)));", "n: int = f(); m: int;"),
        ("alignas(64) int n; _Alignas(8) char c;", "n: int; c: char;"),
        ("[[maybe_unused]] int n = 1;", "n: int = 1;"),
        ('static_assert(sizeof(int) == 4, "size"); a();', "a();"),
    ],
)
def test_declarations(text, expected):
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("list_for_each(p, head) { a(p); }", "for list_for_each(|list_for_each(p, head)|) {a(p);}"),
        ("list_for_each(p, head) a(p);", "for list_for_each(|list_for_each(p, head)|) {a(p);}"),
        ("EACH(p) { a(p); } b();", "for EACH(|EACH(p)|) {a(p);} b();"),
        ("FOR(i, n)\n    a(i);\nb();", "for FOR(|FOR(i, n)|) {a(i);} b();"),
        ("foreach (p, q) if (p) a(p);", "for foreach(|foreach(p, q)|) {if p {a(p);}}"),
        ("if (x) EACH(p) { a(p); } else b();", "if x {for EACH(|EACH(p)|) {a(p);}} else {b();}"),
        ("list_for_each_entry(p, head, struct item, link) { a(p); }", None),
        ("FOR_RANGE(int i, 0, n) { a(i); }", "for FOR_RANGE(|FOR_RANGE(i, 0, n)|) {a(i);}"),
    ],
)
def test_loop_macros(text, expected):
    found = statements(text)
    if expected is None:
        assert found.startswith("for list_for_each_entry(|list_for_each_entry(p, head, <struct item>, link)|) {a(p);}")
    else:
        assert found == expected


def test_a_macro_defined_as_a_loop_is_one_whatever_its_name():
    before = "#define VISIT(p, all) for (p = (all); p; p = p->next)\n#define NOTE(x) note(x);"
    assert statements("VISIT(p, all) a(p);", before) == "for VISIT(|VISIT(p, all)|) {a(p);}"
    assert statements("NOTE(x)\na(p);", before) == "NOTE(x); a(p);"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CHECK(x)\na();", "CHECK(x); a();"),
        ("CHECK(x) while (y) a();", "CHECK(x); while(|y|) {a();}"),
        ("CHECK(x)\nreturn 1;", "CHECK(x); return 1;"),
        ("if (x) CHECK(y)\nelse CHECK(z)\na();", "if x {CHECK(y);} else {CHECK(z);} a();"),
        ("CHECK(x)\n(void) a();", "CHECK(x); <void>a();"),
        ("CHECK(x)\nint y = 1;", "CHECK(x); y: int = 1;"),
        ("CHECK(x) }\nvoid g(void) {", "CHECK(x);"),
        ("LOCK_ALL\na();\nUNLOCK_ALL", "LOCK_ALL; a(); UNLOCK_ALL;"),
        ("LOCK_ALL\nx = 1;", "LOCK_ALL; (x = 1);"),
        ("Py_BEGIN_ALLOW_THREADS\nif (x) a();\nPy_END_ALLOW_THREADS\nb();", None),
        ("ALIGNED(64) cell_t cells[8];", "cells: cell_t[8];"),
    ],
)
def test_macros_used_as_statements(text, expected):
    if expected is None:
        expected = "Py_BEGIN_ALLOW_THREADS; if x {a();} Py_END_ALLOW_THREADS; b();"
    facts = read(f"void f(void) {{\n{text}\n}}\n")
    assert body(facts.functions[0].body) == expected


def test_statements_know_their_lines():
    facts = read(
        "void f(void)\n{\n  {\n    a();\n  }\n  if (x)\n    b();\n  for (;;)\n    c();\n"
        "  switch (y) {\n  case 1: ;\n  }\n}"
    )
    function = facts.functions[0]
    block, chosen, loop, switch = function.body
    assert (function.line, function.line_end) == (1, 13)
    assert isinstance(block, Block)
    assert (block.line, block.line_end) == (3, 5)
    assert isinstance(chosen, If)
    assert chosen.line == 6
    assert chosen.then[0].line == 7
    assert isinstance(loop, Loop)
    assert loop.line == 8
    assert isinstance(switch, Switch)
    assert switch.cases[0].line == 11


def test_a_very_long_chain_of_else_if_is_read_and_named():
    chain = " else ".join(f"if (x == {number}) f{number}();" for number in range(200))
    facts = read(f"void f(void) {{ {chain} else last(); }}")
    text = body(facts.functions[0].body)
    assert all(f"f{number}();" in text for number in range(200))
    assert "last();" in text
    assert [unread.why for unread in facts.unread] == [
        "a chain of else if this long is read as independent statements from here"
    ]


def test_types_and_prototypes_inside_functions():
    facts = read(
        "void f(void) { struct local { int a; } x; enum { ONE, TWO = 5 }; typedef int mine; int g(int); h(); }"
    )
    assert [record.name for record in facts.local_records] == ["struct local"]
    assert facts.records == ()
    assert [(name, position) for name, _, position in facts.constants] == [("ONE", 0), ("TWO", 1)]
    assert [alias.name for alias in facts.aliases] == ["mine"]
    assert [prototype.name for prototype in facts.prototypes] == ["g"]
    assert body(facts.functions[0].body) == "x: struct local; h();"


def test_around_an_error_everything_is_read():
    facts = read("void f(void) {\n a();\n x = y + @ z(1);\n b();\n}\nvoid g(void) { c(); }\n")
    assert [function.name for function in facts.functions] == ["f", "g"]
    text = body(facts.functions[0].body)
    assert text.startswith("a();")
    assert text.endswith("b();")
    assert "z(1)" in text
    assert [(unread.line, unread.line_end) for unread in facts.unread] == [(3, 3)]
