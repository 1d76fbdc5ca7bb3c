"""All values ever assigned, by member and global."""

from tests.audit.linking import assigned, counted, function, linked, only


def test_assignments_of_members_and_globals() -> None:
    source = """
    typedef struct { int n; void *(*job)(void *); } pool_t;
    static pool_t pool;
    int total = 3;
    void f(pool_t *p) { p->n = 4; p->job = work; total = p->n; total += 2; pool.n++; }
    void g(void) { pool_t *p = &pool; int n = 1; n = 2; (*p).n = total = 7; }
    """
    program = linked(source)
    assert assigned(program, "pool_t.n") == [("4", "f"), ("pool.n++", "f"), ("total = 7", "g")]
    assert assigned(program, "pool_t.job") == [("work", "f")]
    assert assigned(program, "total") == [("p->n", "f"), ("total += 2", "f"), ("7", "g"), ("3", "")]
    assert "n" not in program.assignments


def test_at_file_level_the_function_has_the_path_of_the_file() -> None:
    program = linked({"src/a.c": "int total = 3;"})
    ((value, place),) = program.assignments["total"]
    assert (program.text(value), place.name, place.path) == ("3", "", "src/a.c")


def test_initial_lists_by_position_and_designator() -> None:
    source = """
    struct Inner { int a; int b; };
    struct Outer { struct Inner inner; int n; int list[2]; struct Inner more[2]; const char *name; };
    struct Outer one = {{1, 2}, 3, {4, 5}, {{6, 7}, {8}}, "name"};
    struct Outer two = {.n = 10, {11, 12}, .inner = {.b = 13}, .more[1].a = 14, .name = 0};
    struct Outer three[] = {{.n = 20}, [4] = {.n = 21}, [2].n = 22};
    void f(void) { struct Outer four = {.inner.a = 30}; g(&(struct Inner){31, 32}); *h = (struct Inner){.b = 33}; }
    """
    program = linked(source)
    assert assigned(program, "Inner.a") == [(text, "f") for text in ("30", "31")] + [
        (text, "") for text in ("1", "6", "8", "14")
    ]
    assert assigned(program, "Inner.b") == [("32", "f"), ("33", "f")] + [(text, "") for text in ("2", "7", "13")]
    assert [text for text, _ in assigned(program, "Outer.n")] == ["3", "10", "20", "21", "22"]
    assert [text for text, _ in assigned(program, "Outer.list")] == ["{4, 5}", "{11, 12}"]
    assert [text for text, _ in assigned(program, "Outer.list[]")] == ["4", "5", "11", "12"]
    assert [text for text, _ in assigned(program, "Outer.name")] == ['"name"', "0"]


def test_a_list_that_only_clears_assigns_nothing() -> None:
    source = "struct S { int a; int b; }; void f(void) { struct S s = {0}; struct S t = {}; struct S u = {0, 1}; }"
    program = linked(source)
    assert assigned(program, "S.a") == [("0", "f")]
    assert assigned(program, "S.b") == [("1", "f")]


def test_lists_with_braces_left_out_are_not_guessed() -> None:
    source = "struct In { int a; int b; }; struct S { int n; struct In in; int m; int l; } s = {1, 2, 3, 4, .l = 5};"
    program = linked(source)
    assert [assigned(program, f"S.{name}") for name in "nml"] == [[("1", "")], [], [("5", "")]]


def test_a_record_given_as_a_whole_needs_no_braces() -> None:
    source = """
    struct In { int a; };
    struct S { struct In in; int m; };
    void f(struct In *p) { struct S s = {*p, 4}; }
    """
    assert assigned(linked(source), "S.m") == [("4", "f")]


def test_unnamed_records_inside_take_one_value_of_a_list() -> None:
    source = "struct S { int a; union { int b; long c; }; struct { int d; int e; }; int f; } s = {1, {2}, {3, 4}, 5};"
    program = linked(source)
    assert [assigned(program, f"S.{name}") for name in "abcdef"] == [
        [("1", "")],
        [("2", "")],
        [],
        [("3", "")],
        [("4", "")],
        [("5", "")],
    ]


def test_elements_and_what_lies_behind_pointers_have_keys_of_their_own() -> None:
    source = """
    struct Pool { int *values; void *(*jobs[3])(void *); } pool;
    int table[3];
    void *(*jobs[])(void *) = {one, two};
    void f(int i) { pool.values[i] = 1; *pool.values = 2; pool.jobs[0] = three; table[i] = 3; jobs[1] = four; }
    """
    program = linked(source)
    assert [text for text, _ in assigned(program, "Pool.values[]")] == ["1", "2"]
    assert [text for text, _ in assigned(program, "Pool.jobs[]")] == ["three"]
    assert [text for text, _ in assigned(program, "table[]")] == ["3"]
    assert [text for text, _ in assigned(program, "jobs[]")] == ["four", "one", "two"]
    assert [text for text, _ in assigned(program, "jobs")] == ["{one, two}"]
    assert "Pool.values" not in program.assignments


def test_static_locals_bear_the_name_of_their_function() -> None:
    program = linked("int f(void) { static int n = 3; int m = 4; n = 5; return n; }")
    assert assigned(program, "f.n") == [("3", "f"), ("5", "f")]
    assert "f.m" not in program.assignments
    found = program.variable("n", function(program, "f"), "a.c")
    assert found is not None
    assert program.symbol(found) == "f.n"


def test_assignments_by_macros_count() -> None:
    source = """
    #define SET(p, m, v) ((p)->m = (v))
    #define BOTH(p, v) do { SET(p, a, v); SET(p, b, v); } while (0)
    struct S { int a; int b; };
    void f(struct S *s) { SET(s, a, 1); BOTH(s, 2); }
    """
    program = linked(source)
    assert assigned(program, "S.a") == [("1", "f"), ("2", "f")]
    assert assigned(program, "S.b") == [("2", "f")]


def test_both_of_two_globals_of_one_name_are_listed() -> None:
    program = linked({"a.c": "static int n = 1;", "b.c": "static int n = 2;"})
    assert assigned(program, "n") == [("1", ""), ("2", "")]


def test_atomic_stores_are_listed() -> None:
    program = linked("struct S { atomic_int n; }; void f(struct S *s) { atomic_store_explicit(&s->n, 3, x); }")
    assert assigned(program, "S.n") == [("3", "f")]


def test_what_is_not_evaluated_assigns_nothing() -> None:
    program = linked("int n; void f(void) { sizeof(n = 3); }")
    assert assigned(program, "n") == []


def test_two_programs_side_by_side_keep_their_own_members() -> None:
    source = "struct Pool {{ int n; }} pool = {{ {} }}; int main(void) {{ return pool.n; }}"
    program = linked({"a.c": source.format(3), "b.c": source.format(4)})
    assert assigned(program, "Pool.n") == [("3", "")]
    assert assigned(program, "Pool (b.c).n") == [("4", "")]
    main = function(program, "main", "b.c")
    assert program.same_count(program.count(only(main), main, "b.c"), counted(program, "4")) is True
