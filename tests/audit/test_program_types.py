"""Types of expressions."""

import pytest

from tests.audit.linking import linked, typed

SOURCE = """
#define WORKERS 12
#define FIRST(p) ((p)->workers[0])
#define SHORT count
enum { RED, GREEN };
typedef struct { pthread_mutex_t lock; double *gradients; float table[3][4]; } worker_t;
struct Pool { worker_t *workers; worker_t *by_name[WORKERS]; worker_t main; int count; void *(*job)(void *); };
typedef struct Pool pool_t;
typedef int (*compare)(const void *, const void *);
extern struct Pool *find(int n);
static pool_t pool;
double total;
static worker_t *spare(void) { return 0; }
pool_t make(void) { return pool; }
compare pick(void) { return 0; }
int run(pool_t *p, int n, char *names[], long many) {
    compare order;
    compare orders[2];
    unsigned char small = 1;
    int grid[3][4];
    return 0;
}
"""


@pytest.mark.parametrize(
    ("expression", "type_name"),
    [
        # names and constants
        ("p", "struct Pool *"),
        ("pool", "struct Pool"),
        ("n", "int"),
        ("names", "char **"),
        ("grid", "int[3][4]"),
        ("GREEN", "int"),
        ("WORKERS", "int"),
        ("SHORT", None),
        ("12", "int"),
        ("1.5", "double"),
        ('"text"', "char *"),
        ("unheard", None),
        # members
        ("p->count", "int"),
        ("pool.main", "struct <anonymous 6:9>"),
        ("pool.main.lock", "pthread_mutex_t"),
        ("(*p).workers", "struct <anonymous 6:9> *"),
        ("p->by_name", "struct <anonymous 6:9> *[WORKERS]"),
        ("p->unheard", None),
        ("n.member", None),
        # indices, * and &
        ("p->workers[n]", "struct <anonymous 6:9>"),
        ("p->by_name[n]", "struct <anonymous 6:9> *"),
        ("p->by_name[n]->gradients[2]", "double"),
        ("*p->by_name[n]", "struct <anonymous 6:9>"),
        ("grid[1]", "int[4]"),
        ("grid[1][2]", "int"),
        ("*grid[1]", "int"),
        ("p->main.table[1][2]", "float"),
        ("&pool", "struct Pool *"),
        ("&p->workers[n].lock", "pthread_mutex_t *"),
        ("*&grid", "int[3][4]"),
        ("**names", "char"),
        ("n[names]", None),
        ("*n", None),
        # calls
        ("find(1)", "struct Pool *"),
        ("find(1)->count", "int"),
        ("spare()->gradients", "double *"),
        ("make().main.gradients", "double *"),
        ("FIRST(p)", "struct <anonymous 6:9>"),
        ("FIRST(p).lock", "pthread_mutex_t"),
        ("malloc(10)", None),
        ("calloc(n, 10)", None),
        ("printf(1)", None),
        ("p->job(p)", "void *"),
        ("(*p->job)(p)", "void *"),
        ("order(names, names)", "int"),
        ("orders[1](names, names)", "int"),
        ("pick()(names, names)", "int"),
        ("n(1)", None),
        # casts, assignments, conditionals
        ("(pool_t *)malloc(10)", "struct Pool *"),
        ("((struct Pool *)names)->count", "int"),
        ("(pool_t){0}", "struct Pool"),
        ("total = n", "double"),
        ("n ? p : 0", "struct Pool *"),
        ("n ? 0 : p", "struct Pool *"),
        ("n ? unheard : p", "struct Pool *"),
        ("sizeof n", "size_t"),
        # arithmetic
        ("p + 1", "struct Pool *"),
        ("1 + p", "struct Pool *"),
        ("grid + 1", "int *[4]"),
        ("p - p", "long"),
        ("p++", "struct Pool *"),
        ("-small", "unsigned char"),
        ("!p", "int"),
        ("p == p", "int"),
        ("n + many", "long"),
        ("n * total", "double"),
        ("n + unheard", None),
        ("(n, p)", "struct Pool *"),
    ],
)
def test_types(expression: str, type_name: str | None) -> None:
    assert typed(linked(SOURCE), expression, "run") == type_name


def test_a_function_as_a_value() -> None:
    assert typed(linked(SOURCE), "spare", "run") == "function struct <anonymous 6:9> * (*)()"
    assert typed(linked(SOURCE), "&spare", "run") == "function struct <anonymous 6:9> * (*)()"
    assert typed(linked(SOURCE), "*spare", "run") == "function struct <anonymous 6:9> * (*)()"


def test_at_file_level() -> None:
    assert typed(linked(SOURCE), "pool.count") == "int"
    assert typed(linked(SOURCE), "n") is None


def test_a_macro_that_is_a_member_expression() -> None:
    source = "struct Pool { int count; } pool;\n#define COUNT pool.count\n"
    assert typed(linked(source), "COUNT") == "int"


def test_definitions_are_preferred_to_prototypes() -> None:
    program = linked({"a.c": "long f(void);", "b.c": "int f(void) { return 1; }", "c.c": "long g(void);"})
    assert typed(program, "f()") == "int"
    assert typed(program, "g()") == "long"
