"""Macros as the reader understands them."""

import pytest

from cllm_sim.auditor.facts import Call, Do, Macro

from tests.audit.spelling import body, read, spelt


def macro(text: str) -> Macro:
    facts = read(text)
    assert facts.unread == (), facts.unread
    return facts.macros[0]


@pytest.mark.parametrize(
    ("text", "parameters", "expected"),
    [
        ("#define N 12", None, "12"),
        ("#define N (12 + M)", None, "(12 + M)"),
        ("#define N other", None, "other"),
        ('#define TEXT "a"', None, "'a'"),
        ("#define N -1", None, "(- 1)"),
        ("#define NOTHING NULL", None, "NULL=0"),
        ("#define MAX(a, b) ((a) > (b) ? (a) : (b))", ("a", "b"), "((a > b) ? a : b)"),
        ("#define LOCK(p) pthread_mutex_lock(&(p)->gate)", ("p",), "pthread_mutex_lock((& p->gate))"),
        ("#define ALLOC(T) ((T *) malloc(sizeof(T)))", ("T",), "<T*>malloc(sizeof(T))"),
        ("#define LOG(...) print(__VA_ARGS__)", ("...",), "print(__VA_ARGS__)"),
        ("#define LOG(fmt, args...) print(fmt, args)", ("fmt", "args..."), "print(fmt, args)"),
        ("#define NOW() clock()", (), "clock()"),
        ("#define PLUS (a)", None, "a"),
        ("#define SPAN a, b", None, "(a , b)"),
        ("#define SET(x) x = 1", ("x",), "(x = 1)"),
        ("#define OF(p, T, m) ((T *) ((char *) (p) - offsetof(T, m)))", ("p", "T", "m"), None),
        ("#define NEXT(p) container_of(p, struct item, link)", ("p",), "container_of(p, <struct item>, link)"),
    ],
)
def test_expressions(text, parameters, expected):
    found = macro(text)
    assert found.parameters == parameters
    assert found.statements is None
    assert found.expression is not None
    if expected is not None:
        assert spelt(found.expression) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#define DO(x) do { a(x); b(); } while (0)", "a(x); b();"),
        ("#define DO(x) \\\n  do {   \\\n    a(x); \\\n    b(); \\\n  } while (0)", "a(x); b();"),
        ("#define DO(x) { a(x); b(); }", "a(x); b();"),
        ("#define DO(x) a(x); b()", "a(x); b();"),
        ("#define DO(x) a(x);", "a(x);"),
        ("#define DO(x) if (x) a(x)", "if x {a(x);}"),
        ("#define DO(x) if (x) { a(x); } else b()", "if x {a(x);} else {b();}"),
        ("#define DO(x) return (x)", "return x;"),
        ("#define DO(x) do { if (x) break; a(); } while (0)", "do(|0|) {if x {break;} a();}"),
        ("#define DO(x) do { while (x) { break; } a(); } while (0)", "while(|x|) {break;} a();"),
        ("#define DO(x) do { a(); } while (x)", "do(|x|) {a();}"),
        ("#define DO(x) do { int y_ = (x); a(y_); } while (0)", "y_: int = x; a(y_);"),
        ("#define DO(x) for (int i = 0; i < (x); i++) a(i)", "for(i: int = 0;|(i < x)|(x++ i)) {a(i);}"),
        ("#define DO(x) do { __typeof__(x) y = (x); a(y); } while (0)", "y: __typeof__(x) = x; a(y);"),
        ("#define DO(x) do { EACH(p, x) { a(p); } } while (0)", "for EACH(|EACH(p, x)|) {a(p);}"),
        ("#define DO(c) do { int s = (c); if (s) { fail(#c, s); } } while (0)", "s: int = c; if s {fail('', s);}"),
        ("#define DO(f, a...) do { print(f, ## a); } while (0)", "print(f, a);"),
        ("#define DO(f, ...) print(f, ##__VA_ARGS__); go()", "print(f, __VA_ARGS__); go();"),
    ],
)
def test_statements(text, expected):
    found = macro(text)
    assert found.expression is None
    assert found.statements is not None
    assert body(found.statements) == expected


@pytest.mark.parametrize(
    "text",
    [
        "#define EMPTY",
        "#define EMPTY /* nothing */",
        "#define NAME(x) x##_lock",
        "#define OPEN {",
        "#define CLOSE }",
        "#define TYPE unsigned int",
        "#define ATTR __attribute__((unused))",
        "#define EACH(p, all) for (p = (all); p; p = p->next)",
        "#define PLUS +",
        "#define IF if (x)",
        "#define INT int",
        "#define WHEN(x) if (x) { a(); } else",
        "#define UNTIL(x) a(); while (!(x))",
        "#define FIELDS int a; int b;",
    ],
)
def test_neither(text):
    found = macro(text)
    assert found.expression is None
    if "FIELDS" not in text:  # two declarations are statements as well
        assert found.statements is None


def test_the_text_of_a_body():
    facts = read(
        '#define A(x) /* one */ do { \\\n   say("/* kept */"); /* two */ \\\n } while (0) // three\n'
        "# define B 1 // one\n#define C(x)x\n#define D (x) y\n#undef A\n"
    )
    assert [(one.name, one.line, one.parameters) for one in facts.macros] == [
        ("A", 1, ("x",)),
        ("B", 4, None),
        ("C", 5, ("x",)),
        ("D", 6, None),
    ]
    assert " ".join(facts.macros[0].text.split()) == 'do { say("/* kept */"); } while (0)'
    assert [one.text for one in facts.macros[1:]] == ["1", "x", "(x) y"]


def test_bodies_know_their_places():
    (found,) = read("\n#define DO(x) do { \\\n    lock(x);   \\\n    go(); } while (0)\n").macros
    assert found.statements is not None
    first, second = found.statements
    assert isinstance(first, Do)
    assert isinstance(first.expression, Call)
    assert (first.line, first.expression.column) == (3, 5)
    assert second.line == 4
    (found,) = read("#define N (12 + M)\n").macros
    assert found.expression is not None
    assert (found.expression.line, found.expression.column) == (1, 12)


def test_macros_inside_functions_and_conditions():
    facts = read("void f(void) {\n#define ONE 1\na(ONE);\n#ifdef X\n#define TWO 2\n#endif\n}\n")
    assert [(one.name, one.when) for one in facts.macros] == [("ONE", ()), ("TWO", ("defined(X)",))]
    assert body(facts.functions[0].body) == "a(ONE);"


def test_a_body_that_never_ends():
    facts = read("#define A(x) ((((((x\n#define B(x, y\n#define\n#define 1\nint after;\n")
    assert [one.name for one in facts.globals] == ["after"]
    assert facts.macros[0].expression is None
