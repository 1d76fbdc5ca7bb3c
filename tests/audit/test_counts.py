"""Symbolic integers: how they are made of expressions, added, compared, and followed through the program."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cllm_sim.auditor.program import Count, Program
from cllm_sim.auditor.program.counts import form, linear, number, symbol_alone
from cllm_sim.auditor.program.symbols import Symbols

from tests.audit.linking import counted, expression, function, linked

SOURCE = """
#define NUM_WORKERS 12
#define PARTIES (pool->num_threads + 1)
#define ARRAY_LEN(x) (sizeof(x) / sizeof((x)[0]))
#define TWICE(x) ((x) * 2)
enum { THREADS = 4 };
struct Config { int workers; int sizes[3]; };
struct Pool { int num_threads; struct Config cfg; };
int total;
int limit = 3;
const int parties = NUM_WORKERS + 1;
int slots[NUM_WORKERS];
int f(struct Pool *pool, int n, int workers, char **argv) {
    struct Config cfg;
    int rows, cols = pool->num_threads;
    int literal = 5;
    int named = NUM_WORKERS;
    int late;
    int twice = 1;
    int given = 2;
    static int kept;
    int chain_a = chain_b + 1, chain_b = chain_a + 1;
    int sized[n];
    late = n + 1;
    twice = 2;
    scanf("%d", &given);
    rows = atoi(argv[1]);
    return 0;
}
int g(int n) { n = n < 1 ? 1 : n; return n; }
"""


def shape(count: Count) -> str:
    return form(count.terms, count.constant)


@pytest.mark.parametrize(
    ("expr", "written_out", "text"),
    [
        # constants keep their names
        ("12", "12", "12"),
        ("12u", "12", "12"),
        ("0x10UL", "16", "0x10"),
        ("NUM_WORKERS", "12", "NUM_WORKERS"),
        ("NUM_WORKERS + 1", "13", "NUM_WORKERS + 1"),
        ("THREADS", "4", "THREADS"),
        ("parties", "13", "parties"),
        ("literal", "5", "literal"),
        ("named", "12", "NUM_WORKERS"),
        ("(size_t)NUM_WORKERS", "12", "NUM_WORKERS"),
        ("TWICE(NUM_WORKERS)", "24", "TWICE(NUM_WORKERS)"),
        ("NUM_WORKERS > 5 ? 2 : 3", "2", "NUM_WORKERS > 5 ? 2 : 3"),
        ("NUM_WORKERS & 4", "4", "NUM_WORKERS & 4"),
        # symbols
        ("total", "total", "total"),
        ("pool->num_threads", "Pool.num_threads", "pool->num_threads"),
        ("(*pool).num_threads", "Pool.num_threads", "(*pool).num_threads"),
        ("pool->cfg.workers", "Config.workers", "pool->cfg.workers"),
        ("cfg.workers + 1", "Config.workers + 1", "cfg.workers + 1"),
        ("n", "n@f", "n"),
        ("kept", "f.kept", "kept"),
        ("strlen(stdin)", "strlen(stdin)", "strlen(stdin)"),
        ("strlen(argv[0])", "strlen(argv[0])@f", "strlen(argv[0])"),
        ("unheard", "unheard", "unheard"),
        ("nobody->n", "nobody->n", "nobody->n"),
        ("1.5", "1.5", "1.5"),
        # locals with one value
        ("late", "n@f + 1", "n + 1"),
        ("cols", "Pool.num_threads", "pool->num_threads"),
        ("rows", "atoi(argv[1])@f", "atoi(argv[1])"),
        ("twice", "twice@f", "twice"),
        ("given", "given@f", "given"),
        ("chain_a", "chain_a@f + 2", "chain_a + 1 + 1"),
        # arithmetic
        ("n + 1u", "n@f + 1", "n + 1"),
        ("1 + n", "n@f + 1", "1 + n"),
        ("(size_t)n", "n@f", "n"),
        ("n - 1", "n@f - 1", "n - 1"),
        ("-n", "-n@f", "-n"),
        ("+n", "n@f", "n"),
        ("n - (n - workers)", "workers@f", "n - (n - workers)"),
        ("2 * (n + 1)", "2*n@f + 2", "2 * (n + 1)"),
        ("(n + 1) * 2", "2*n@f + 2", "(n + 1) * 2"),
        ("n << 2", "4*n@f", "n << 2"),
        ("n * workers", "n@f*workers@f", "n * workers"),
        ("workers * n", "n@f*workers@f", "workers * n"),
        ("(n + 1) * workers", "n@f*workers@f + workers@f", "(n + 1) * workers"),
        ("n / workers", "n@f/workers@f", "n / workers"),
        ("(n + 1) / workers", "(n@f + 1)/workers@f", "(n + 1) / workers"),
        ("n * workers / workers", "n@f", "n * workers / workers"),
        ("(4 * n + 8) / 4", "n@f + 2", "(4 * n + 8) / 4"),
        ("n / n", "1", "n / n"),
        ("n / 2", "n@f/2", "n / 2"),
        ("n >> 1", "n@f/2", "n >> 1"),
        ("n % workers", "n@f%workers@f", "n % workers"),
        ("4 * n % 2", "0", "4 * n % 2"),
        ("n / workers * workers", "(n@f/workers@f)*workers@f", "n / workers * workers"),
        ("n * 0", "0", "n * 0"),
        ("n / 0", "n / 0@f", "n / 0"),
        ("1 << n", "1 << n@f", "1 << n"),
        ("n & 1", "n & 1@f", "n & 1"),
        ("(total, n)", "n@f", "n"),
        ("total = n", "n@f", "n"),
        ("total += n", "total += n@f", "total += n"),
        # macros, sizes, pointers
        ("PARTIES", "Pool.num_threads + 1", "pool->num_threads + 1"),
        ("TWICE(n)", "2*n@f", "n * 2"),
        ("ARRAY_LEN(slots)", "12", "ARRAY_LEN(slots)"),
        ("sizeof slots / sizeof slots[0]", "12", "sizeof(slots) / sizeof(slots[0])"),
        ("ARRAY_LEN(sized)", "n@f", "n"),
        ("ARRAY_LEN(pool->cfg.sizes) + 1", "4", "ARRAY_LEN(pool->cfg.sizes) + 1"),
        ("*&n", "n@f", "n"),
        ("*argv", "*argv@f", "*argv"),
    ],
)
def test_counts_of_expressions(expr: str, written_out: str, text: str) -> None:
    count = counted(linked(SOURCE), expr, "f")
    assert (shape(count), count.text) == (written_out, text)


def test_the_value_of_a_count() -> None:
    program = linked(SOURCE)
    assert counted(program, "NUM_WORKERS + 1").value == 13
    assert counted(program, "total").value is None


def test_a_parameter_that_is_changed_stays_unknown() -> None:
    program = linked(SOURCE)
    count = program.count(
        expression("n"), function(program, "g"), "a.c", {"n": (expression("7"), function(program, "f"))}
    )
    assert shape(count) == "n@g"


def test_names_without_a_function() -> None:
    assert shape(counted(linked(SOURCE), "n + total")) == "n + total"


# ------------------------------------------------------------------------------------------------------------- bindings
CALLS = """
#define NUM 12
struct Pool { int n; };
void init(void *b, int parties) { }
void create(struct Pool *pool, int count, int n) { init(pool, count + 1); }
void by_address(int *count) { init(0, *count + 1); }
int main(int argc, char **argv) {
    struct Pool pool;
    int workers = NUM, given = 1;
    create(&pool, workers * 2, argc);
    by_address(&given);
    return 0;
}
"""


def bound(program: Program, source: str, within: str, **bindings: tuple[str, str]) -> Count:
    pairs = {name: (expression(given), function(program, caller)) for name, (given, caller) in bindings.items()}
    return program.count(expression(source), function(program, within), "a.c", pairs)


def test_a_parameter_is_what_the_caller_gave() -> None:
    count = bound(linked(CALLS), "parties", "init", parties=("count + 1", "create"))
    assert (shape(count), count.text) == ("count@create + 1", "count + 1")


def test_bindings_are_followed_through_several_calls() -> None:
    program = linked(CALLS)
    count = bound(program, "parties", "init", parties=("count + 1", "create"), count=("workers * 2", "main"))
    assert (count.value, count.text) == (25, "NUM * 2 + 1")


def test_a_binding_to_a_name_of_the_caller_s_own_that_is_the_same() -> None:
    count = bound(linked(CALLS), "n", "create", n=("n + 1", "create"))
    assert shape(count) == "n@create + 1"


def test_bindings_that_go_in_circles_end() -> None:
    count = bound(linked(CALLS), "count", "create", count=("n + 1", "create"), n=("count + 1", "create"))
    assert shape(count) == "count@create + 2"


def test_a_parameter_bound_to_an_address() -> None:
    count = bound(linked(CALLS), "*count + 1", "by_address", count=("&pool.n", "main"))
    assert (shape(count), count.text) == ("Pool.n + 1", "pool.n + 1")


def test_a_binding_speaks_of_parameters_only() -> None:
    assert bound(linked(CALLS), "workers", "main", workers=("99", "main"), argc=("3", "main")).value == 12
    assert bound(linked(CALLS), "argc + 1", "main", argc=("3", "main")).value == 4


def test_functions_of_one_name_have_symbols_of_their_own() -> None:
    program = linked({"a.c": "void f(int n) {}", "b.c": "void f(int n) {}"})
    one, other = (program.count(expression("n"), function(program, "f", path), path, {}) for path in ("a.c", "b.c"))
    assert not one.same(other)
    assert one.difference(other) is None
    assert program.same_count(one, other) is None


# ----------------------------------------------------------------------------------------------------------- arithmetic
def test_adding_and_subtracting() -> None:
    program = linked(SOURCE)
    total, twelve = counted(program, "total"), counted(program, "NUM_WORKERS")
    cases = [
        (total + 1, "total + 1"),
        (total + 0, "total"),
        (total - 1, "total - 1"),
        (total + -1, "total - 1"),
        (twelve + 1, "NUM_WORKERS + 1"),
        (number(12) + 1, "13"),
        (twelve + total, "NUM_WORKERS + total"),
        (total - (total + 1), "total - (total + 1)"),
    ]
    assert [count.text for count, _ in cases] == [text for _, text in cases]
    assert (twelve + 1).value == 13
    assert (total - (total + 1)).value == -1
    assert (total + 1).difference(total) == 1
    assert total.difference(twelve) is None
    assert (total + 1).same(counted(program, "1 + total"))
    assert not total.same(total + 1)


def test_forms_written_out() -> None:
    assert linear({"b": -2, "a": 1, "c": 0}, -3).text == "a - 2*b - 3"
    assert linear({"a": -1}, 0).text == "-a"
    assert linear({}, -3).text == "-3"


sizes = st.integers(-5, 5)
forms = st.builds(linear, st.dictionaries(st.sampled_from("abc"), sizes, max_size=3), sizes)


@given(forms, forms, forms)
def test_the_laws_of_arithmetic(a: Count, b: Count, c: Count) -> None:
    symbols = Symbols()
    assert (a + b).same(b + a)
    assert ((a + b) + c).same(a + (b + c))
    assert (a - a).value == 0
    product, left, right = symbols.product(a, b + c), symbols.product(a, b), symbols.product(a, c)
    assert product is not None
    assert left is not None
    assert right is not None
    assert product.same(left + right)
    assert all(size for _, size in product.terms)
    assert list(product.terms) == sorted(product.terms)


@given(forms, st.integers(1, 5))
def test_exact_division_undoes_multiplication(a: Count, size: int) -> None:
    symbols = Symbols()
    multiplied = symbols.product(a, number(size))
    assert multiplied is not None
    divided = symbols.divided(multiplied, number(size), "/")
    assert divided is not None
    assert divided.same(a)


def test_products_with_too_many_terms_are_refused() -> None:
    one, other = (linear({f"{name}{index}": 1 for index in range(5)}, 0) for name in "xy")
    assert Symbols().product(one, other) is None
    assert Symbols().divided(symbol_alone("n"), number(0), "/") is None


# --------------------------------------------------------------------------------------------------------------- follow
POOL = """
#define NUM 12
typedef struct { int num_threads; int parties; int rounds; int fixed; int stepped; int shared; } pool_t;
static int workers;
static int fixed_workers = 3;
static int moving = 1;
static pool_t made = {.fixed = NUM};
static void create(pool_t *pool, int n, int extra) {
    pool->num_threads = n;
    pool->parties = n + 1;
    pool->stepped = 1;
    pool->stepped++;
    read_it(&pool->shared);
    pool->shared = 1;
    pthread_barrier_init(&b, 0, n + 1);
}
static void other(pool_t *pool, int n) { pool->rounds = n; }
static void entry(int n) { pool_t p; p.rounds = n; }
int main(int argc, char **argv) {
    pool_t pool;
    workers = atoi(argv[1]);
    create(&pool, workers, 1);
    create(&pool, workers, 2);
    moving = 2;
    start(entry);
    return 0;
}
"""


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        # equal or not as they stand
        ("1 + n", "n + 1", True),
        ("n + 1", "n", False),
        ("NUM", "12", True),
        ("NUM", "13", False),
        # what is assigned once is followed
        ("pool->num_threads + 1", "n + 1", True),
        ("pool->num_threads", "n + 1", False),
        ("pool->parties", "pool->num_threads + 1", True),
        ("pool->parties", "pool->num_threads", False),
        ("pool->fixed", "12", True),
        ("pool->fixed + 1", "12", False),
        ("fixed_workers", "3", True),
        # parameters are what all calls give, down to a global and what it is given
        ("n", "workers", True),
        ("n + 1", "workers", False),
        ("pool->num_threads * 2", "workers + workers", True),
        ("pool->num_threads / 4", "workers / 4", True),
        ("pool->num_threads * n", "workers * workers", True),
        # what cannot be told
        ("extra", "1", None),
        ("moving", "1", None),
        ("pool->stepped", "1", None),
        ("pool->shared", "1", None),
        ("pool->rounds", "1", None),
        ("n", "12", None),
        ("unheard", "12", None),
    ],
)
def test_same_count(one: str, other: str, answer: bool | None) -> None:
    program = linked(POOL)
    left, right = (counted(program, source, "create") for source in (one, other))
    assert program.same_count(left, right) is answer
    assert program.same_count(right, left) is answer


def test_followed_counts_keep_their_text() -> None:
    program = linked(POOL)
    count = program.followed(counted(program, "pool->parties", "create"))
    assert (shape(count), count.text) == ("atoi(argv[1])@main + 1", "pool->parties")


def test_a_function_whose_address_is_used_may_be_called_with_anything() -> None:
    source = "int once(int n) { return n; } int main(void) { once(3); %s return 0; }"
    for use, answer in (("", True), ("start(once);", None)):
        program = linked(source % use)
        assert program.same_count(counted(program, "n", "once"), number(3)) is answer


def test_values_that_all_agree() -> None:
    program = linked("int n; void f(void) { n = 4; } void g(void) { n = 2 + 2; }")
    assert program.same_count(counted(program, "n"), number(4)) is True


def test_members_that_are_given_each_other_end() -> None:
    source = "struct S { int a; int b; int c; }; void f(struct S *s) { s->a = s->b; s->b = s->a + 1; s->c = s->a; }"
    program = linked(source)
    a, b, c = (counted(program, f"s->{name}", "f") for name in "abc")
    assert program.same_count(a, number(1)) is None
    assert program.same_count(c, a) is True
    assert program.same_count(b, b) is True


def test_recursive_calls_end() -> None:
    program = linked("void f(int n) { f(n - 1); } int main(void) { f(3); return 0; }")
    assert program.same_count(counted(program, "n", "f"), number(3)) is None


def test_initial_lists_are_followed() -> None:
    source = """
    struct Config { const char *name; int workers; struct { int inner; } deep; };
    static struct Config first = {"first", 12, {5}};
    """
    program = linked(source)
    assert program.same_count(counted(program, "first.workers"), number(12)) is True
    assert program.same_count(counted(program, "first.deep.inner"), number(5)) is True


def test_globals_of_one_name_in_two_files_are_two() -> None:
    program = linked({"a.c": "static int n = 1;", "b.c": "static int n = 2;"})
    one, other = counted(program, "n", path="a.c"), counted(program, "n", path="b.c")
    assert (program.same_count(one, number(1)), program.same_count(other, number(2))) == (True, True)
    assert program.same_count(one, other) is False


def test_atomic_stores_are_assignments() -> None:
    program = linked("atomic_int n; void f(void) { atomic_store(&n, 4); int m = atomic_load(&n); }")
    assert program.same_count(counted(program, "n"), number(4)) is True
