"""Roles: who creates which threads, how many live at a time, and by which calls."""

from collections.abc import Mapping

import pytest

from cllm_sim.auditor.roles import Role
from cllm_sim.auditor.vocabulary import Act

from tests.audit.auditing import analysed
from tests.audit.showing import role

BEFORE = """
#include <pthread.h>
#include <stdlib.h>
#define N 4
#define SPAWN(t, f) do { if (pthread_create(&(t), 0, (f), 0)) abort(); } while (0)
static void *run(void *a) { return a; }
static void *control(void *a) { return a; }
"""


def counts(text: str) -> dict[str, tuple[bool, str | None]]:
    """For every created role: may several threads of it live at a time, and how many are there?"""
    return {one.name: _counted(one) for one in analysed(BEFORE + text).roles.threads}


def _counted(one: Role) -> tuple[bool, str | None]:
    return one.many, None if one.count is None else one.count.text


LOOPED = "for (int i = 0; i < N; i++) "
COUNTS = {
    "one thread": ("int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); }", {"run": (False, "1")}),
    "a loop": (
        f"int main(void) {{ pthread_t t[N]; {LOOPED} pthread_create(&t[i], 0, run, 0); }}",
        {"run": (True, "N")},
    ),
    "two loops": (
        f"int main(void) {{ {LOOPED} for (int j = 1; j <= 3; j++) {{ pthread_t t; pthread_create(&t, 0, run, 0); }} }}",
        {"run": (True, "12")},
    ),
    "all but the first": (
        "int main(void) { pthread_t t[N]; for (int i = 1; i < N; i++) pthread_create(&t[i], 0, run, 0); run(0); }",
        {"run": (True, "N - 1")},
    ),
    "downwards": (
        "int main(void) { pthread_t t[N]; for (int i = N; i > 0; i--) pthread_create(&t[i], 0, run, 0); }",
        {"run": (True, "N - 0")},
    ),
    "as many as asked for": (
        "int main(int argc, char **argv) { int n = atoi(argv[1]); pthread_t *t = malloc(n * sizeof *t);"
        " for (int i = 0; i < n; i++) pthread_create(&t[i], 0, run, 0); }",
        {"run": (True, "atoi(argv[1])")},
    ),
    "not known": (
        "int main(void) { for (;;) { pthread_t t; pthread_create(&t, 0, run, 0); pthread_detach(t); } }",
        {"run": (True, None)},
    ),
    "in steps": (
        "int main(void) { pthread_t t[N]; for (int i = 0; i < N; i += 2) pthread_create(&t[i], 0, run, 0); }",
        {"run": (True, None)},
    ),
    "the first is another": (
        f"int main(void) {{ pthread_t t[N]; {LOOPED} {{ if (i == 0) pthread_create(&t[i], 0, control, 0);"
        " else pthread_create(&t[i], 0, run, 0); } }",
        {"control": (False, "1"), "run": (True, "N - 1")},
    ),
    "the first is another, by a conditional": (
        f"int main(void) {{ pthread_t t[N]; {LOOPED} pthread_create(&t[i], 0, i ? run : control, 0); }}",
        {"run": (True, "N - 1"), "control": (False, "1")},
    ),
    "chosen by data": (
        f"int main(void) {{ pthread_t t[N]; int kind[N]; {LOOPED} if (kind[i]) pthread_create(&t[i], 0, run, 0); }}",
        {"run": (True, None)},
    ),
    "a macro": (
        f"int main(void) {{ pthread_t t[N], c; {LOOPED} SPAWN(t[i], run); SPAWN(c, control); }}",
        {"run": (True, "N"), "control": (False, "1")},
    ),
    "a wrapper": (
        "static int spawn(pthread_t *t, void *(*f)(void *), void *a) { return pthread_create(t, 0, f, a); }\n"
        f"int main(void) {{ pthread_t t[N], c; {LOOPED} spawn(&t[i], run, 0); spawn(&c, control, 0); }}",
        {"run": (True, "N"), "control": (False, "1")},
    ),
    "a wrapper called twice": (
        "static int spawn(pthread_t *t) { return pthread_create(t, 0, run, 0); }\n"
        "int main(void) { pthread_t a, b; spawn(&a); spawn(&b); }",
        {"run": (True, "1 + 1")},
    ),
    "a wrapper with a loop, called twice": (
        "static void start(pthread_t *t, int n) { for (int i = 0; i < n; i++) pthread_create(&t[i], 0, run, 0); }\n"
        "int main(void) { pthread_t a[N], b[2]; start(a, N); start(b, 2); }",
        {"run": (True, "N + 2")},
    ),
    "a table of entries": (
        "struct Entry { void *(*f)(void *); int n; }; static struct Entry table[] = {{run, 1}, {control, 2}};\n"
        "int main(void) { pthread_t t[2]; for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, table[i].f, 0); }",
        {"run": (False, "1"), "control": (False, "1")},
    ),
    "joined in the loop": (
        f"int main(void) {{ {LOOPED} {{ pthread_t t; pthread_create(&t, 0, run, 0); pthread_join(t, 0); }} }}",
        {"run": (False, "1")},
    ),
    "fork and join every round": (
        f"int main(void) {{ pthread_t t[N]; for (int round = 0; round < 10; round++) {{"
        f" {LOOPED} pthread_create(&t[i], 0, run, 0); {LOOPED} pthread_join(t[i], 0); }} }}",
        {"run": (True, "N")},
    ),
    "fork and join in a function called twice": (
        f"static void all(void) {{ pthread_t t[N]; {LOOPED} pthread_create(&t[i], 0, run, 0);"
        f" {LOOPED} pthread_join(t[i], 0); }}\nint main(void) {{ all(); all(); }}",
        {"run": (True, "N")},
    ),
    "one after the other": (
        "int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); pthread_join(t, 0);"
        " pthread_create(&t, 0, run, 0); pthread_join(t, 0); }",
        {"run": (False, "1")},
    ),
    "one or the other": (
        "int main(int c, char **v) { pthread_t t; if (c) pthread_create(&t, 0, run, v);"
        " else pthread_create(&t, 0, run, 0); }",
        {"run": (False, "1")},
    ),
    "another one is joined": (
        "int main(void) { pthread_t a, b, c; pthread_create(&c, 0, control, 0); pthread_create(&a, 0, run, 0);"
        " pthread_join(c, 0); pthread_create(&b, 0, run, 0); }",
        {"control": (False, "1"), "run": (True, "1 + 1")},
    ),
    "a thread that starts itself": (
        "static void *more(void *a) { pthread_t t; pthread_create(&t, 0, more, 0); return a; }\n"
        "int main(void) { pthread_t t; pthread_create(&t, 0, more, 0); }",
        {"more": (True, None)},
    ),
    "threads that start threads": (
        "static void *boss(void *a) { pthread_t t; pthread_create(&t, 0, run, 0); return a; }\n"
        f"int main(void) {{ pthread_t t[N]; {LOOPED} pthread_create(&t[i], 0, boss, 0); }}",
        {"boss": (True, "N"), "run": (True, None)},
    ),
    "threads of C11": (
        "#include <threads.h>\nstatic int go(void *a) { return 0; }\n"
        "int main(void) { thrd_t t[3]; for (size_t i = 0; i != 3; ++i) thrd_create(t + i, go, 0); }",
        {"go": (True, "3")},
    ),
}


@pytest.mark.parametrize("name", COUNTS)
def test_how_many_threads_live_at_a_time(name: str) -> None:
    text, expected = COUNTS[name]
    assert counts(text) == expected


def test_callbacks_are_followed() -> None:
    text = (
        "static void each(void (*f)(int), int n) { for (int i = 0; i < n; i++) f(i); }\n"
        "static void one(int i) { pthread_t t; pthread_create(&t, 0, run, 0); }\n"
        "int main(void) { each(one, N); }"
    )
    assert counts(text) == {"run": (True, "N")}


def test_a_library_has_its_free_functions_as_caller() -> None:
    analysis = analysed(
        BEFORE + "struct Pool { pthread_t t[N]; };\n"
        "static void one(struct Pool *p, int i) { pthread_create(&p->t[i], 0, run, p); }\n"
        "int pool_start(struct Pool *p) { for (int i = 0; i < N; i++) one(p, i); return 0; }\n"
        "void pool_stop(struct Pool *p) { }\n"
    )
    caller = role(analysis, "caller")
    assert caller.caller
    assert [entry.name for entry in caller.entries] == ["pool_start", "pool_stop"]
    assert _counted(role(analysis, "run")) == (True, "N")


def test_programs_with_several_mains_never_run_together() -> None:
    text = BEFORE + "int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); }"
    roles = analysed({"a.c": text, "b.c": text}).roles
    assert [one.name for one in roles.all] == ["main (a.c)", "run", "main (b.c)", f"run (b.c:{_line(text, 'run')})"]
    first, second = roles.threads
    assert not roles.together(first, second)
    assert roles.together(roles.all[0], first)


def _line(text: str, name: str) -> int:
    return next(number for number, line in enumerate(text.split("\n"), 1) if f"*{name}(" in line)


def test_an_entry_that_cannot_be_told_is_reported() -> None:
    roles = analysed(BEFORE + "int main(void) { pthread_t t; pthread_create(&t, 0, chosen(), 0); }").roles
    assert roles.threads == []
    assert [(event.act, function.name) for event, function in roles.unresolved] == [(Act.CREATE, "main")]


def test_recursion_comes_to_an_end() -> None:
    analysis = analysed(
        BEFORE + "static void f(int n) { pthread_t t; if (n) f(n - 1); pthread_create(&t, 0, run, 0); }\n"
        "int main(void) { f(3); }"
    )
    assert {reach.function.name for reach in role(analysis, "main").reach.values()} == {"main", "f"}
    assert role(analysis, "run").created


def test_too_many_ways_are_not_counted() -> None:
    files = _doubling(10)
    assert counts(files) == {"run": (True, None)}


def _doubling(depth: int) -> str:
    """f0 creates; every further function calls the one before it twice."""
    text = "static void f0(void) { pthread_t t; pthread_create(&t, 0, run, 0); }\n"
    for number in range(1, depth):
        text += f"static void f{number}(void) {{ f{number - 1}(); f{number - 1}(); }}\n"
    return text + f"int main(void) {{ f{depth - 1}(); }}"


def test_creations_know_their_way() -> None:
    text = (
        BEFORE + "static void spawn(pthread_t *t) {\n    pthread_create(t, 0, run, 0);\n}\n"
        "int main(void) {\n    pthread_t a, b;\n    spawn(&a);\n    spawn(&b);\n}\n"
    )
    created = role(analysed(text), "run").created
    lines = [number for number, line in enumerate(text.split("\n"), 1) if "    spawn(" in line]
    assert [[site.line for site in one.how] for one in created] == [[lines[0]], [lines[1]]]
    assert {one.function.name for one in created} == {"spawn"}


def test_functions_that_a_macro_defines_on_one_line_are_told_apart() -> None:
    files: Mapping[str, str] = {
        "program.c": BEFORE
        + "#define QUEUE(name) static void name##_start(pthread_t *t) { pthread_create(t, 0, run, 0); } "
        "static void name##_stop(pthread_t t) { pthread_join(t, 0); }\n"
        "QUEUE(job)\nint main(void) { pthread_t t; job_start(&t); job_stop(t); }"
    }
    analysis = analysed(files)
    assert {reach.function.name for reach in role(analysis, "main").reach.values()} == {"main", "job_start", "job_stop"}
    assert _counted(role(analysis, "run")) == (False, "1")
