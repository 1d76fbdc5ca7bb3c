"""What stands at file level: functions, variables, records, types."""

import pytest

from cllm_sim.auditor.facts import FileFacts, Function, Record

from tests.audit.spelling import body, read, spelt, type_text


def clean(text: str) -> FileFacts:
    facts = read(text)
    assert facts.unread == (), facts.unread
    return facts


def head(function: Function) -> str:
    parameters = ", ".join(f"{one.name}: {type_text(one.type)}" for one in function.parameters)
    return f"{'static ' if function.static else ''}{function.name}({parameters}): {type_text(function.result)}"


def heads(text: str) -> list[str]:
    return [head(function) for function in clean(text).functions]


def members(record: Record) -> list[str]:
    return [f"{one.name}: {type_text(one.type)}" for one in record.members]


def variables(text: str) -> list[str]:
    return [
        f"{one.name}: {type_text(one.type)}" + (f" = {spelt(one.initial)}" if one.initial else "")
        for one in clean(text).globals
    ]


# ------------------------------------------------------------------------------------------------------------ functions
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int f(void) { }", "f(): int"),
        ("void *f(struct pool *p, int n[4]) { }", "f(p: struct pool*, n: int[4]): void*"),
        (
            "static inline unsigned long f(const char *s, ...) { }",
            "static f(s: const char*, ...: ...): static unsigned long",
        ),
        ("int f(a, b) int a; char *b; { }", "f(a: int, b: char*): int"),
        ("int f(a, b) char *b; { }", "f(a: int, b: char*): int"),
        ("void f(void (*run)(void *), int g(int)) { }", "f(run: void function, g: int function): void"),
        ("void (*f(int s, void (*h)(int)))(int) { }", "f(s: int, h: void function): void function"),
        ("main() { }", "main(): int"),
        ("\n\nmain(int argc, char **argv) { }", "main(argc: int, argv: char**): int"),
        ("int f(int a, int [], char *) { }", "f(a: int, : int[], : char*): int"),
        ("struct point f(struct point p) { }", "f(p: struct point): struct point"),
    ],
)
def test_heads(text, expected):
    assert heads(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("static INLINE int f(void) { }", "static f(): static int"),
        ("EXPORT void g() { }", "g(): void"),
        ("API_EXPORT count_t *g(int a) { }", "g(a: int): count_t*"),
        ("DWORD WINAPI run(void *p) { }", "run(p: void*): DWORD"),
        ("static FORCE_INLINE U32\nhash(U32 x)\n{ }", "static hash(x: U32): static U32"),
        ("char * WINAPI name(void) { }", "name(): char*"),
        ("__attribute__((noreturn)) void f(void) { }", "f(): void"),
        ("void __attribute__((noinline, used)) f(void) { }", "f(): void"),
        ("__declspec(dllexport) int f(void) { }", "f(): int"),
        ("[[nodiscard]] int f(void) { }", "f(): int"),
        ("int f(void) NOTHROW { }", "f(): int"),
        ("int f(const char *s, ...) PRINTF(1, 2) { }", "f(s: const char*, ...: ...): int"),
        ("_Noreturn static void f(void) { }", "static f(): static void"),
        ("PUBLIC(int) f(void) { }", "f(): PUBLIC(int)"),
        ("int f(char *restrict a, char *__restrict b) { }", "f(a: char*, b: char*): int"),
        ("int f(UNUSED int a, void *RESTRICT b) { }", "f(a: int, b: void*): int"),
        ('DEPRECATED("old") int f(void) { }', "f(): int"),
    ],
)
def test_decorated_heads(text, expected):
    assert heads(text) == [expected]


def test_functions_made_by_a_macro_of_the_file():
    facts = clean(
        "#define WORKER(n, T) void *worker_##n(T *job)\n"
        "WORKER(reader, struct task)\n{\n    run(job);\n}\n"
        "static WORKER(writer, struct task) { stop(job); }\n"
    )
    assert [head(one) for one in facts.functions] == [
        "worker_reader(job: struct task*): void*",
        "static worker_writer(job: struct task*): void*",
    ]
    assert [body(one.body) for one in facts.functions] == ["run(job);", "stop(job);"]
    assert (facts.functions[0].line, facts.functions[0].line_end) == (2, 5)


def test_functions_made_by_an_unknown_macro_are_named():
    facts = read("DEFINE_TEST(locks) { a(); }\nvoid g(void) { b(); }")
    assert [one.name for one in facts.functions] == ["locks", "g"]
    assert [body(one.body) for one in facts.functions] == ["a();", "b();"]
    assert [(one.line, "head of a function" in one.why) for one in facts.unread] == [(1, True)]


def test_declarations_made_by_a_macro_of_the_file():
    facts = clean(
        "#define LOCKED(name) static pthread_mutex_t name##_lock; \\\n"
        "    static void name##_enter(void) { lock(&name##_lock, #name); }\n"
        "LOCKED(queue);\nLOCKED(stack)\nint after;\n"
    )
    assert [(one.name, one.line) for one in facts.globals] == [("after", 5), ("queue_lock", 3), ("stack_lock", 4)]
    assert [(one.name, one.line, body(one.body)) for one in facts.functions] == [
        ("queue_enter", 3, "lock((& queue_lock), 'queue');"),
        ("stack_enter", 4, "lock((& stack_lock), 'stack');"),
    ]


LIST = """\
#define SENSORS(X) X(wind, 40) X(rain, 25)
enum kind {
    K_NONE,
#define X(name, scale) K_##name,
    SENSORS(X)
#undef X
    K_COUNT
};
struct station {
#define X(name, scale) int name;
    SENSORS(X)
    int after;
};
#define X(name, scale) [K_##name] = scale,
static const int scales[K_COUNT] = {
    SENSORS(X)
    [K_NONE] = 1
};
"""


def test_lists_made_by_a_macro_of_the_file():
    facts = clean(LIST)
    assert [(name, position) for name, _, position in facts.constants] == [
        ("K_NONE", 0),
        ("K_wind", 1),
        ("K_rain", 2),
        ("K_COUNT", 3),
    ]
    assert members(facts.records[0]) == ["wind: int", "rain: int", "after: int"]
    assert spelt(facts.globals[0].initial) == "{[K_wind] = 40, [K_rain] = 25, [K_NONE] = 1}"


def test_a_list_made_by_an_unknown_macro_is_named():
    facts = read("enum kind {\n    A,\n    B };\nstruct s {\n  FIELDS(x)\n  int a;\n};\nenum { LIST(X)\n LAST };\n")
    assert [name for name, _, _ in facts.constants] == ["A", "B", "LAST"]
    assert members(facts.records[0]) == ["a: int"]
    assert [one.line for one in facts.unread] == [5, 8]


def test_declarations_made_by_an_unknown_macro_are_named():
    facts = read("LIST_OF(things);\nint after;\n")
    assert [one.name for one in facts.globals] == ["after"]
    assert [(one.line, one.line_end) for one in facts.unread] == [(1, 1)]


def test_prototypes():
    facts = clean(
        "int f(int, char *name);\nextern void g(void) NOTHROW;\nEXPORT(void h(struct pool *p));\nint a, k(void);"
    )
    assert [(one.name, one.line, len(one.parameters)) for one in facts.prototypes] == [
        ("f", 1, 2),
        ("g", 2, 0),
        ("h", 3, 1),
        ("k", 4, 0),
    ]
    assert facts.prototypes[0].parameters[1].name == "name"
    assert [one.name for one in facts.globals] == ["a"]


def test_both_languages():
    facts = clean('#ifdef __cplusplus\nextern "C" {\n#endif\nint f(void);\n#ifdef __cplusplus\n}\n#endif\n')
    assert [one.name for one in facts.prototypes] == ["f"]
    assert [one.name for one in clean('extern "C" { int f(void) { } }').functions] == ["f"]


# ------------------------------------------------------------------------------------------------------------ variables
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int a, *b = &a, c[3];", ["a: int", "b: int* = (& a)", "c: int[3]"]),
        ("_Atomic int n;", ["n: _Atomic int"]),
        ("_Atomic(int) n;", ["n: _Atomic int"]),
        ("static _Atomic(struct pool *) p = NULL;", ["p: _Atomic static struct pool* = NULL=0"]),
        ("atomic_int n = ATOMIC_VAR_INIT(0);", ["n: atomic_int = ATOMIC_VAR_INIT(0)"]),
        ("volatile sig_atomic_t stop;", ["stop: volatile sig_atomic_t"]),
        ("int *volatile p;", ["p: volatile int*"]),
        ("foo_t const x;", ["x: const foo_t"]),
        ("unsigned   long const long n;", ["n: const unsigned long long"]),
        ("extern int limit;", ["limit: extern int"]),
        ("static thread_local int depth;", ["depth: _Thread_local static int"]),
        ("struct pool *workers[N], main_pool;", ["workers: struct pool*[N]", "main_pool: struct pool"]),
        ("void *(*volatile run)(void *) = worker;", ["run: volatile void* function = worker"]),
        ("pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;", ["lock: pthread_mutex_t = PTHREAD_MUTEX_INITIALIZER"]),
        (
            "struct item table[] = { { .run = f }, [2] = { g, 1 } };",
            ["table: struct item[] = {{.run = f}, [2] = {g, 1}}"],
        ),
        ("int n ALIGNED(64);", ["n: int"]),
        ("result_t (*run)(job_t);", ["run: result_t function"]),
        ("struct { int a; } PACKED x, y[2];", ["x: struct <anonymous 1:1>", "y: struct <anonymous 1:1>[2]"]),
    ],
)
def test_variables(text, expected):
    assert variables(text) == expected


def test_variables_know_their_place():
    (one,) = clean("\n\nint\n  total;\n").globals
    assert (one.path, one.line) == ("a.c", 4)


# -------------------------------------------------------------------------------------------------------------- records
def test_members():
    facts = clean(
        "struct pool {\n  int a:3, b;\n  unsigned long *p, q[4][N];\n  void *(*run)(void *);\n  struct pool *next;\n"
        "  _Atomic int n;\n  int rest[];\n  LIST_ENTRY(pool) link;\n  void (*handlers[3])(int);\n};\n"
    )
    (record,) = facts.records
    assert (record.name, record.path, record.line) == ("struct pool", "a.c", 1)
    assert members(record) == [
        "a: int",
        "b: int",
        "p: unsigned long*",
        "q: unsigned long[4][N]",
        "run: void* function",
        "next: struct pool*",
        "n: _Atomic int",
        "rest: int[]",
        "link: LIST_ENTRY(pool)",
        "handlers: void[3] function",
    ]
    assert [one.line for one in record.members] == [2, 2, 3, 3, 4, 5, 6, 7, 8, 9]


def test_members_of_anonymous_members_belong_to_the_outer_record():
    facts = clean(
        "struct cell {\n int tag;\n union {\n  int number;\n  struct { float x, y; };\n };\n"
        " struct { int z; } named;\n};"
    )
    by_name = {record.name: members(record) for record in facts.records}
    assert by_name["struct cell"] == [
        "tag: int",
        "number: int",
        "x: float",
        "y: float",
        "named: struct <anonymous 7:2>",
    ]
    assert by_name["union <anonymous 3:2>"] == ["number: int", "x: float", "y: float"]
    assert by_name["struct <anonymous 5:3>"] == ["x: float", "y: float"]
    assert by_name["struct <anonymous 7:2>"] == ["z: int"]


def test_records_in_records():
    facts = clean("struct outer { struct inner { int a; } one, *two; enum kind { A, B } kind; };")
    assert [record.name for record in facts.records] == ["struct inner", "struct outer"]
    assert members(facts.records[1]) == ["one: struct inner", "two: struct inner*", "kind: enum kind"]
    assert [name for name, _, _ in facts.constants] == ["A", "B"]


@pytest.mark.parametrize(
    "text",
    [
        "struct pool { HEADER_FIELDS\n int a; };",
        "struct pool { int a; MORE_FIELDS };",
        "struct PACKED pool { int a; };",
        "struct __attribute__((packed)) pool { int a; };",
        "struct pool { int a; } __attribute__((aligned(64)));",
        "struct pool { int a ALIGNED(64); };",
        'struct pool { __extension__ int a; static_assert(1, ""); };',
    ],
)
def test_decorated_records(text):
    (record,) = clean(text).records
    assert record.name == "struct pool"
    assert members(record) == ["a: int"]


def test_a_type_that_is_only_declared_is_no_record():
    assert clean("struct pool; struct pool *p; typedef struct pool pool;").records == ()


# ---------------------------------------------------------------------------------------------------------------- types
def test_aliases():
    facts = clean(
        "typedef struct pool Pool, *PoolRef;\ntypedef struct {\n int a;\n} Cell;\ntypedef void *(*Run)(void *);\n"
        "typedef int Row[4];\ntypedef enum { A, B } Kind;\ntypedef int handler(int);\n"
        "typedef int (WINAPI *Call)(int);\n"
    )
    assert [(one.name, type_text(one.type), one.line) for one in facts.aliases] == [
        ("Pool", "struct pool", 1),
        ("PoolRef", "struct pool*", 1),
        ("Cell", "struct <anonymous 2:9>", 4),
        ("Run", "void* function", 5),
        ("Row", "int[4]", 6),
        ("Kind", "enum <anonymous 7:9>", 7),
        ("handler", "int function", 8),
        ("Call", "int function", 9),
    ]
    assert [record.name for record in facts.records] == ["struct <anonymous 2:9>"]


def test_constants():
    facts = clean("enum color { RED, GREEN = 1 << 3, BLUE, };\nenum { LAST = BLUE };")
    assert [(name, spelt(value), position) for name, value, position in facts.constants] == [
        ("RED", "", 0),
        ("GREEN", "(1 << 3)", 1),
        ("BLUE", "", 2),
        ("LAST", "BLUE", 0),
    ]


def test_around_an_error_everything_is_read():
    facts = read("int a;\n$$$ ;\nint b;\nvoid f(void) { }\n) ] }\nint c;\nvoid g(void) { h(); }\n")
    assert [one.name for one in facts.globals] == ["a", "b", "c"]
    assert [one.name for one in facts.functions] == ["f", "g"]
    assert {one.line for one in facts.unread} == {2, 5}
