"""One step of macro expansion."""

import pytest

from cllm_sim.auditor.facts import Call, Declare, Do, Expr, If, Loop, Name, Stmt
from cllm_sim.auditor.program import Program
from cllm_sim.auditor.program.nodes import nodes
from cllm_sim.auditor.program.printing import text, type_text
from cllm_sim.auditor.traverse import expressions, statements

from tests.audit.linking import expression, linked


def expanded(program: Program, source: str, path: str = "a.c") -> Expr | tuple[Stmt, ...] | None:
    use = expression(source)
    assert isinstance(use, Call | Name)
    return program.expand(use, path)


def printed(program: Program, source: str, path: str = "a.c") -> str | None:
    """An expansion on one line; statements are separated by ;"""
    found = expanded(program, source, path)
    if isinstance(found, tuple):
        return "; ".join(text(expr) for stmt in statements(found) for expr in expressions(stmt))
    return None if found is None else text(found)


@pytest.mark.parametrize(
    ("macro", "use", "result"),
    [
        ("#define N 12", "N", "12"),
        ("#define N (a + 1)", "N", "a + 1"),
        ("#define TWICE(x) ((x) * 2)", "TWICE(n + 1)", "(n + 1) * 2"),
        ("#define LOCK(p) pthread_mutex_lock(&(p)->lock)", "LOCK(pool)", "pthread_mutex_lock(&pool->lock)"),
        ("#define LOCK(p) pthread_mutex_lock(&(p)->lock)", "LOCK(&pool)", "pthread_mutex_lock(&(&pool)->lock)"),
        ("#define AT(p, m) ((p)->m)", "AT(pool, count)", "pool->count"),
        ("#define NEW(type) ((type *)malloc(sizeof(type)))", "NEW(pool_t)", "(pool_t *)malloc(sizeof(pool_t))"),
        ("#define NEW(type) ((type *)malloc(sizeof(type)))", "NEW(struct P)", "(struct P *)malloc(sizeof(struct P))"),
        ("#define SIZE(x) sizeof(x)", "SIZE(a[0])", "sizeof(a[0])"),
        ("#define LOCK pthread_mutex_lock", "LOCK(&m)", "pthread_mutex_lock(&m)"),
        ("#define BOTH(f) do { f(1); f(2); } while (0)", "BOTH(go)", "go(1); go(2)"),
        ("#define LOG(...) fprintf(stderr, __VA_ARGS__)", 'LOG("%d", n)', 'fprintf(stderr, "%d", n)'),
        ("#define LOG(f, ...) fprintf(stderr, f, __VA_ARGS__)", "LOG(a, b, c)", "fprintf(stderr, a, b, c)"),
        ("#define LOG(f, rest...) fprintf(f, rest)", "LOG(a, b, c)", "fprintf(a, b, c)"),
        ("#define LOG(...) f(__VA_ARGS__)", "LOG()", "f()"),
        ("#define NOW() clock()", "NOW()", "clock()"),
        ("#define OUTER(x) INNER(x + 1)\n#define INNER(x) (x)", "OUTER(n)", "INNER(n + 1)"),
        # tokens joined
        ("#define NAME(x) x##_t", "NAME(a)", "a_t"),
        ("#define P(name) wait(&sems[SEM_##name], #name)", "P(ROOM)", 'wait(&sems[SEM_ROOM], "")'),
        ("#define P(name, at) wait(&(at)->sem_##name)", "P(room, p + 1)", "wait(&(p + 1)->sem_room)"),
        ("#define V(a, b) a ## _ ## b = 1; post(a##b)", "V(x, 2)", "x_2 = 1; post(x2)"),
        ("#define ID 3\n#define CAT(a, b) a##b\n#define BOTH(a, b) CAT(a, b)", "BOTH(lock, ID)", "CAT(lock, 3)"),
        # none of these is a use of a macro that can be expanded
        ("#define TWICE(x) ((x) * 2)", "TWICE", None),
        ("#define TWICE(x) ((x) * 2)", "TWICE(1, 2)", None),
        ("#define N 12", "M", None),
        ("#define FRAGMENT } else {", "FRAGMENT", None),
        ("#define NAME(x) x##_t", "NAME(a + b)", None),
        ("#define SELF(x) SE##x(x)", "SELF(LF)", None),
        ("#define EMPTY", "EMPTY", None),
        ("#define f(x) (x)\nint f(int x) { return x; }", "f(1)", None),
    ],
)
def test_expansion(macro: str, use: str, result: str | None) -> None:
    assert printed(linked(macro), use) == result


def test_what_is_called_through_a_member_is_no_macro() -> None:
    assert printed(linked("#define go(x) (x)"), "p->go(1)") is None


@pytest.mark.parametrize("name", ["lock", "again", "one", "two", "three"])
def test_macros_that_lead_back_to_themselves_stay(name: str) -> None:
    source = """
    #define lock(m) (count(), lock(m))
    #define again(x) do { again(x); } while (0)
    #define one(x) two(x)
    #define two(x) three(x)
    #define three(x) one(x)
    """
    assert expanded(linked(source), f"{name}(x)") is None


def test_a_name_that_only_looks_like_the_macro_is_no_recursion() -> None:
    program = linked("#define lock(p) take(&(p)->lock)\n#define size size_of(1)\n#define use(use) go(use)")
    assert printed(program, "lock(a)") == "take(&a->lock)"
    assert printed(program, "use(a)") == "go(a)"


def test_every_node_stands_at_the_place_of_the_use() -> None:
    source = "#define M(x) do { int n = x; if (n) while (x) go(x, n); } while (0)\nvoid f(void) {\n\n  M(a +\n b);\n}"
    program = linked(source)
    (use,) = (stmt.expression for stmt in program.functions[0].body if isinstance(stmt, Do))
    assert isinstance(use, Call)
    found = program.expand(use, "a.c")
    assert isinstance(found, tuple)
    inner = list(statements(found))
    assert {stmt.line for stmt in inner} == {4}
    kinds = [kind for stmt in inner for kind in (Declare, If, Loop, Do) if isinstance(stmt, kind)]
    assert kinds == [Declare, If, Loop, Do]
    exprs = [node for stmt in inner for expr in expressions(stmt) for node in nodes(expr)]
    assert {(node.line, node.column) for node in exprs} == {(4, 3)}


def test_declarations_types_and_labels_in_a_body() -> None:
    source = """
    #define MAKE(type, name, size) type *name[size] = 0; goto name
    #define JUMPS(x) do { switch (x) { case A: break; default: return x; } again: goto again; } while (0)
    """
    program = linked(source)
    found = expanded(program, "MAKE(struct Pool, pools, N + 1)")
    assert isinstance(found, tuple)
    declare = found[0]
    assert isinstance(declare, Declare)
    assert (declare.name, type_text(declare.type)) == ("pools", "struct Pool *[N + 1]")
    jumps = expanded(program, "JUMPS(n)")
    assert isinstance(jumps, tuple)
    assert [type(stmt).__name__ for stmt in statements(jumps)] == ["Switch", "Jump", "Return", "Label", "Jump"]


def test_the_definition_of_the_same_file_is_taken() -> None:
    program = linked(
        {
            "a.c": "#define N 1",
            "b.c": "#define N 2",
            "c.c": '#include "c.h"',
            "c.h": "#define N 3",
            "d.c": "",
        }
    )
    assert [printed(program, "N", path) for path in ("a.c", "b.c", "c.c", "d.c")] == ["1", "2", "3", "1"]


def test_of_variants_the_first_that_could_be_read_is_taken() -> None:
    program = linked("#if A\n#define N {,}\n#elif B\n#define N 2\n#else\n#define N 3\n#endif\n")
    assert printed(program, "N") == "2"


def test_of_variants_the_one_that_fits_the_use_is_taken() -> None:
    program = linked("#if A\n#define F(x) one(x)\n#else\n#define F(x, y) two(x, y)\n#endif\n")
    assert [printed(program, use) for use in ("F(1)", "F(1, 2)")] == ["one(1)", "two(1, 2)"]


def test_a_function_elsewhere_wins_over_a_macro_of_a_header_but_not_over_one_of_the_file() -> None:
    program = linked(
        {
            "a.c": '#include "a.h"',
            "a.h": "#define go(x) (x)",
            "go.c": "int go(int x) { return x; }",
            "own.c": "#define go(x) (x + 1)",
        }
    )
    assert printed(program, "go(1)", "a.c") is None
    assert printed(program, "go(1)", "own.c") == "1 + 1"
