"""The linked program: functions, types, records and variables by name, across files."""

import pytest

from cllm_sim.auditor.facts import FileFacts, MemberDeclaration, Record, Site, TypeName
from cllm_sim.auditor.program import Program, Variable
from cllm_sim.auditor.program.printing import type_text

from tests.audit.linking import declared, function, linked


def places(program: Program, name: str, path: str) -> list[str]:
    return [f"{one.path}:{one.line}" for one in program.lookup(name, path)]


# ------------------------------------------------------------------------------------------------------------ functions
def test_all_definitions_are_there_variants_included() -> None:
    program = linked("#ifdef A\nint f(void) { return 1; }\n#else\nint f(void) { return 2; }\n#endif\nint g(void);\n")
    assert [one.name for one in program.functions] == ["f", "f"]
    assert places(program, "f", "a.c") == ["a.c:2", "a.c:4"]
    assert program.lookup("g", "a.c") == ()
    assert program.lookup("unheard", "a.c") == ()
    assert [one.path for one in program.files] == ["a.c"]


def test_a_static_function_of_the_file_wins() -> None:
    program = linked(
        {
            "a.c": "static void go(void) {}\nvoid a(void) { go(); }",
            "b.c": "void go(void) {}",
            "c.c": "void c(void) { go(); }",
        }
    )
    assert places(program, "go", "a.c") == ["a.c:1"]
    assert places(program, "go", "b.c") == ["b.c:1"]
    assert places(program, "go", "c.c") == ["b.c:1"]


def test_several_programs_each_call_their_own() -> None:
    program = linked({"a.c": "void go(void) {}", "b.c": "void go(void) {}", "c.c": ""})
    assert places(program, "go", "a.c") == ["a.c:1"]
    assert places(program, "go", "c.c") == ["a.c:1", "b.c:1"]


def test_static_functions_of_included_headers_count() -> None:
    program = linked(
        {
            "src/a.c": '#include "../include/outer.h"',
            "include/outer.h": "#include <inner.h>",
            "include/inner.h": "static inline int one(void) { return 1; }",
            "src/b.c": "",
        }
    )
    assert places(program, "one", "src/a.c") == ["include/inner.h:1"]
    assert places(program, "one", "src/b.c") == []


def test_includes_that_go_in_circles_end() -> None:
    program = linked({"a.h": '#include "b.h"\nstatic int f(void) { return 1; }', "b.h": '#include "a.h"'})
    assert places(program, "f", "b.h") == ["a.h:2"]


def test_headers_of_one_name_are_told_apart_by_what_was_written() -> None:
    header = "static int f(void) { return 1; }"
    program = linked(
        {
            "one/a.c": '#include "pool.h"',
            "one/pool.h": header,
            "two/pool.h": header,
            "two/b.c": '#include "one/pool.h"',
            "c.c": '#include "three/pool.h"',
        }
    )
    assert places(program, "f", "one/a.c") == ["one/pool.h:1"]
    assert places(program, "f", "two/b.c") == ["one/pool.h:1"]
    assert places(program, "f", "c.c") == ["one/pool.h:1", "two/pool.h:1"]


# ---------------------------------------------------------------------------------------------------------------- types
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("pool_t x", "struct Pool"),
        ("pool_t *x", "struct Pool *"),
        ("pool_p x[3]", "struct Pool *[3]"),
        ("row_t x[2]", "int[2][4]"),
        ("counter x", "volatile unsigned long"),
        ("const counter x", "const volatile unsigned long"),
        ("lock_t x", "pthread_mutex_t"),
        ("pthread_barrier_t *x", "pthread_barrier_t *"),
        ("size_t x", "size_t"),
        ("twice x", "struct Pool *"),
        ("mutex_type x", "pthread_mutex_t"),
        ("cycle_a x", "cycle_a"),
    ],
)
def test_typedefs_are_followed(written: str, meant: str) -> None:
    program = linked(
        """
        struct Pool { int n; };
        typedef struct Pool pool_t;
        typedef pool_t *pool_p;
        typedef pool_p twice;
        typedef int row_t[4];
        typedef volatile unsigned long counter;
        typedef pthread_mutex_t lock_t;
        typedef cycle_b cycle_a;
        typedef cycle_a cycle_b;
        #define mutex_type pthread_mutex_t
        """
    )
    assert type_text(program.resolved(declared(written), "a.c")) == meant


def test_a_typedef_of_a_function_pointer() -> None:
    program = linked("typedef void *(*job)(void *);")
    found = program.resolved(TypeName("job", arrays=(None,)))
    assert found == TypeName("void", 1, (None,), frozenset(), function=True)
    assert program.record(found) is None


def test_a_typedef_means_what_its_own_file_says() -> None:
    program = linked(
        {
            "a.h": "typedef struct { int a; } item;",
            "a.c": '#include "a.h"\nitem x;',
            "b.c": "typedef struct { int b; } item;\nitem y;",
        }
    )
    for name, path, member, label in (("x", "a.c", "a", "item"), ("y", "b.c", "b", "item (b.c)")):
        variable = program.variable(name, None, path)
        assert variable is not None
        record = program.record(variable.type)
        assert record is not None
        assert [one.name for one in record.members] == [member]
        assert program.label(record.name) == label


# -------------------------------------------------------------------------------------------------------------- records
def record_of(program: Program, written: str, path: str = "a.c") -> Record:
    found = program.record(declared(written), path)
    assert found is not None
    return found


def test_a_record_is_found_by_pointer_array_and_alias() -> None:
    program = linked("typedef struct Pool { int n; struct Pool *next; } pool_t;")
    for written in ("struct Pool x", "pool_t *x", "pool_t x[3]"):
        assert record_of(program, written).name == "struct Pool"
    assert program.record(TypeName("int")) is None
    assert program.record(TypeName("struct Unheard")) is None


def test_members_have_resolved_types() -> None:
    program = linked("typedef pthread_mutex_t lock_t;\nstruct Pool { lock_t lock; int n; };")
    record = record_of(program, "struct Pool x")
    lock = program.member(record, "lock")
    assert lock is not None
    assert (lock.type.base, lock.line) == ("pthread_mutex_t", 2)
    assert program.member(record, "unheard") is None


def test_members_of_unnamed_records_inside_are_found() -> None:
    program = linked("struct Pool { union { int a; struct { int b; }; }; int c; };")
    record = record_of(program, "struct Pool x")
    assert [name for name in "abcd" if program.member(record, name) is not None] == ["a", "b", "c"]


def test_unnamed_members_are_looked_into_where_the_facts_keep_them() -> None:
    inner = Record("struct <anonymous 2:3>", "a.c", 2, (MemberDeclaration("b", TypeName("int"), 2),))
    unnamed = MemberDeclaration("", TypeName("struct <anonymous 2:3>"), 2)
    outer = Record("struct Pool", "a.c", 1, (unnamed, MemberDeclaration("c", TypeName("int"), 3)))
    program = Program([FileFacts("a.c", 4, records=(inner, outer))])
    found = program.record(TypeName("struct Pool"))
    assert found is not None
    assert program.member(found, "b") is not None
    assert program.label("struct <anonymous 2:3>") == "Pool"


def test_variants_of_a_record_have_the_members_of_both() -> None:
    program = linked("#ifdef A\nstruct S { int a; int b; };\n#else\nstruct S { long a; int c; };\n#endif\n")
    record = record_of(program, "struct S x")
    assert [(one.name, one.type.base) for one in record.members] == [("a", "int"), ("b", "int"), ("c", "int")]


def test_copies_of_a_header_are_one_record() -> None:
    header = "struct Pool { int n; };"
    program = linked({"one/pool.h": header, "two/pool.h": header})
    names = {record_of(program, "struct Pool x", path).name for path in ("one/pool.h", "two/pool.h")}
    assert names == {"struct Pool"}


def test_two_programs_have_two_records() -> None:
    source = "struct Pool { int n; } pool; int main(void) { return pool.n; }"
    program = linked({"a.c": source, "b.c": source})
    names = [record_of(program, "struct Pool x", path).name for path in ("a.c", "b.c")]
    assert names == ["struct Pool", "struct Pool (b.c)"]
    assert [program.label(name) for name in names] == ["Pool", "Pool (b.c)"]
    assert [program.label("struct Pool", path) for path in ("a.c", "b.c")] == ["Pool", "Pool (b.c)"]


def test_all_records_each_once() -> None:
    header = "typedef long count_t;\nstruct Pool { union { count_t a; int b; }; struct { int c; } in; };"
    program = linked({"one/pool.h": header, "two/pool.h": header, "a.c": "struct Pool { int n; };"})
    found = [(program.label(record.name), [member.name for member in record.members]) for record in program.records]
    assert sorted(found) == [("Pool", ["a", "b", "in"]), ("Pool (a.c)", ["n"]), ("Pool.in", ["c"])]
    (pool,) = (record for record in program.records if record.name == "struct Pool")
    assert pool.members[0].type.base == "long"


# --------------------------------------------------------------------------------------------------------------- labels
@pytest.mark.parametrize(
    ("source", "label"),
    [
        ("struct Pool { int n; } x;", "Pool"),
        ("union Pool { int n; } x;", "Pool"),
        ("typedef struct tag { int n; } pool_t; pool_t x;", "tag"),
        ("typedef struct { int n; } pool_t; pool_t x;", "pool_t"),
        ("typedef struct { int n; } *pool_p; pool_p x;", "pool_p"),
        ("struct { int n; } x;", "x"),
        ("static struct { int n; } x[12];", "x"),
    ],
)
def test_labels(source: str, label: str) -> None:
    program = linked(source)
    variable = program.variable("x", None, "a.c")
    assert variable is not None
    record = program.record(variable.type)
    assert record is not None
    assert program.label(record.name) == label


def test_the_label_of_an_anonymous_record_inside_another() -> None:
    program = linked("typedef struct { struct { int n; struct { int m; } deep; } queue; } pool_t;")
    pool = record_of(program, "pool_t x")
    queue = program.member(pool, "queue")
    assert queue is not None
    inner = program.record(queue.type)
    assert inner is not None
    assert program.label(inner.name) == "pool_t.queue"
    deep = program.member(inner, "deep")
    assert deep is not None
    assert program.label(deep.type.base) == "pool_t.queue.deep"


def test_an_unnamed_record_inside_has_the_label_of_the_outer() -> None:
    program = linked("struct Pool { union { int a; long b; }; int c; };")
    assert {program.label(record.name) for record in program.files[0].records} == {"Pool"}


def test_the_label_of_a_record_of_a_local() -> None:
    program = linked("int main(void) { struct { int n; } shared; return shared.n; }")
    shared = program.locals(function(program, "main"))["shared"]
    assert program.label(shared.type.base) == "shared"


def test_labels_of_what_is_no_record() -> None:
    program = linked("void f(void) { sizeof(struct { int a; }); }")
    assert program.label("pthread_mutex_t") == "pthread_mutex_t"
    assert program.label("struct Unheard") == "Unheard"
    (unused,) = program.files[0].local_records
    assert program.label(unused.name) == "struct at a.c:1"


# ------------------------------------------------------------------------------------------------------------ variables
def variable(program: Program, name: str, within: str | None, path: str = "a.c") -> Variable:
    found = program.variable(name, None if within is None else function(program, within), path)
    assert found is not None
    return found


def test_the_innermost_declaration_is_meant() -> None:
    program = linked(
        """
        int n;
        int f(long n) { return n; }
        int g(void) { char n = 1; { short n = 2; } for (float k = 0;;) { k++; } return n; }
        int h(void) { static int n; return n; }
        int i(void) { extern int n; return n; }
        """
    )
    kinds = [
        (found.kind, found.type.base, found.function, found.static)
        for found in (variable(program, "n", within) for within in ("f", "g", "h", "i", None))
    ]
    assert kinds == [
        ("parameter", "long", "f", False),
        ("local", "char", "g", False),
        ("local", "int", "h", True),
        ("global", "int", "", False),
        ("global", "int", "", False),
    ]
    assert variable(program, "k", "g").kind == "local"
    assert variable(program, "n", "g").site == Site("a.c", 4, 28)
    assert program.variable("unheard", None, "a.c") is None


def test_locals_are_the_parameters_and_all_declared_anywhere() -> None:
    program = linked(
        """
        #define WITH(kind, name) kind name = 0
        struct S { int a; };
        typedef struct S s_t;
        int f(int argc, char *argv[], ...) {
            for (int i = 0; i < argc; i++) { s_t *s = 0; if (s) { int deep; } }
        #ifdef A
            int one;
        #else
            int two;
        #endif
            switch (argc) { case 1: { int three; } }
            WITH(long, four);
            return 0;
        }
        """
    )
    found = program.locals(function(program, "f"))
    assert set(found) == {"argc", "argv", "i", "s", "deep", "one", "two", "three", "four"}
    assert found["s"].type == TypeName("struct S", 1)
    assert found["argv"].type == TypeName("char", 2)
    assert found["four"].type.base == "long"


def test_a_static_global_of_the_file_is_meant_before_others() -> None:
    program = linked(
        {
            "a.c": "static int n; extern int m; int f(void) { return n + m; }",
            "b.c": "int n; int m = 3; static int own;",
            "c.c": "int g(void) { return n; }",
            "d.c": "#include <d.h>",
            "d.h": "static int seen; extern int m;",
        }
    )
    assert variable(program, "n", "f").path == "a.c"
    assert variable(program, "n", "f").static
    assert variable(program, "n", "g", "c.c").path == "b.c"
    assert variable(program, "m", "f").path == "b.c"
    assert variable(program, "m", None, "d.c").path == "b.c"
    assert variable(program, "seen", None, "d.c").path == "d.h"
    assert program.variable("own", None, "a.c") is None
    assert program.variable("seen", None, "a.c") is None


def test_an_external_variable_without_a_definition_is_still_one() -> None:
    program = linked("extern char **environ;")
    assert variable(program, "environ", None).type == TypeName("char", 2, qualifiers=frozenset({"extern"}))


def test_the_nearest_of_several_definitions_is_meant() -> None:
    program = linked({"one/a.c": "int n;", "two/b.c": "long n;", "two/c.c": "int f(void) { return n; }"})
    assert variable(program, "n", "f", "two/c.c").type.base == "long"
