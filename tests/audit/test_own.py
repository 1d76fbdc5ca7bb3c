"""Which memory a thread has to itself: by its argument, by its number, by a claim, on its stack."""

import pytest

from cllm_sim.auditor.vocabulary import Act

from tests.audit.auditing import analysed
from tests.audit.showing import events_of, shown

BEFORE = """
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#define N 4
struct Pool { double g[64]; double *buffer; int n; long bins[256]; const unsigned char *data; };
struct Arg { int id; double sum; struct Pool *p; double *segment; double local[4]; };
static struct Pool pool;
static struct Arg args[N];
static double g[N];
static int first[N + 1];
static atomic_int next;
static int plain_next;
static struct Arg *current;
static void fill(double *d, int n) { for (int i = 0; i < n; i++) d[i] = 1; }
static void publish(struct Arg *a) { current = a; }
"""
LOOP = "for (int i = 0; i < N; i++) "
ELEMENTS = (
    f"{LOOP} {{ args[i].id = i; args[i].p = &pool; args[i].segment = pool.buffer + i * 4;"
    " pthread_create(&t[i], 0, run, &args[i]); }"
)
NUMBERS = f"{LOOP} pthread_create(&t[i], 0, run, (void *)(intptr_t)i);"
SHARED = f"{LOOP} pthread_create(&t[i], 0, run, &pool);"
NOTHING = f"{LOOP} pthread_create(&t[i], 0, run, 0);"


def written(body: str, start: str, before: str = "") -> list[str]:
    """What threads write, in the order of the text; their own has "own" before it."""
    text = (
        f"{BEFORE}{before}\nstatic void *run(void *v) {{ {body} return 0; }}\n"
        f"int main(void) {{ pthread_t t[N]; {start} }}"
    )
    steps = events_of(analysed(text), "run", Act.WRITE, Act.CHANGE)
    return [("own " if step.own else "") + shown(step).removeprefix("write ") for step in steps if step.target]


OWN = {
    "its own record": ("struct Arg *a = v; a->sum = 1; a->local[2] = 1;", ELEMENTS, ["own Arg.sum", "own Arg.local[]"]),
    "the shared record behind it": ("struct Arg *a = v; a->p->n = 1;", ELEMENTS, ["Pool.n"]),
    "by its number": (
        "struct Arg *a = v; struct Pool *p = a->p; p->g[a->id] = 1; p->g[0] = 1; p->buffer[a->id] = 1;",
        ELEMENTS,
        ["own Pool.g[]", "Pool.g[]", "own Pool.buffer[]"],
    ),
    "its span": (
        "struct Arg *a = v; int at = a->id * 4; for (int k = at; k < at + 4; k++) a->p->g[k] = 2;",
        ELEMENTS,
        ["own Pool.g[]"],
    ),
    "its segment": ("struct Arg *a = v; a->segment[0] = 1;", ELEMENTS, ["own Pool.buffer[]"]),
    "a number as argument": ("int id = (int)(intptr_t)v; g[id] = 1; g[0] = 2;", NUMBERS, ["own g[]", "g[]"]),
    "a span from a table": (
        "int id = (int)(intptr_t)v; for (int k = first[id]; k < first[id + 1]; k++) g[k] = 1;",
        NUMBERS,
        ["own g[]"],
    ),
    "where data says": (
        "struct Arg *a = v; const unsigned char *p = a->p->data + a->id * 9, *end = p + 9;"
        " while (p < end) { a->p->bins[*p] = 1; p++; }",
        ELEMENTS,
        ["Pool.bins[]"],
    ),
    "where data of its span says": (
        "struct Arg *a = v; for (int k = a->id * 4; k < a->id * 4 + 4; k++) a->p->bins[a->p->data[k]] = 1;",
        ELEMENTS,
        ["Pool.bins[]"],
    ),
    "an element of numbers": (
        "int id = *(int *)v; g[id] = 1;",
        f"int ids[N]; {LOOP} {{ ids[i] = i; pthread_create(&t[i], 0, run, &ids[i]); }}",
        ["own g[]"],
    ),
    "the loop's variable itself": (
        "int id = *(int *)v; g[id] = 1;",
        "int i; for (i = 0; i < N; i++) pthread_create(&t[i], 0, run, &i);",
        ["g[]"],
    ),
    "the pool for all": ("struct Pool *p = v; p->n = 1; p->g[2] = 1;", SHARED, ["Pool.n", "Pool.g[]"]),
    "memory for each": (
        "struct Arg *a = v; a->id = 3; a->p->n = 1;",
        f"{LOOP} {{ struct Arg *a = malloc(sizeof *a); a->p = &pool; pthread_create(&t[i], 0, run, a); }}",
        ["own Arg.id", "Pool.n"],
    ),
    "one memory for all": (
        "struct Arg *a = v; a->id = 3;",
        f"struct Arg *a = malloc(sizeof *a); {LOOP} pthread_create(&t[i], 0, run, a);",
        ["Arg.id"],
    ),
    "a number claimed": ("int id = atomic_fetch_add(&next, 1); g[id] = 1;", NOTHING, ["change next", "own g[]"]),
    "a number claimed by an operator": ("int id = next++; g[id] = 1;", NOTHING, ["change next", "own g[]"]),
    "a number taken without care": ("int id = plain_next++; g[id] = 1;", NOTHING, ["plain_next", "g[]"]),
    "a counter of a while loop": (
        "long id = (long)v; g[id] = 1;",
        "long n = 0; while (n < N) { pthread_create(&t[n], 0, run, (void *)n); n++; }",
        ["own g[]"],
    ),
    "two threads, two records": (
        "struct Arg *a = v; a->id = 1;",
        "struct Arg a, b; pthread_create(&t[0], 0, run, &a); pthread_create(&t[1], 0, run, &b);",
        ["own Arg.id"],
    ),
    "two threads, one record": (
        "struct Arg *a = v; a->id = 1;",
        "struct Arg a; pthread_create(&t[0], 0, run, &a); pthread_create(&t[1], 0, run, &a);",
        ["Arg.id"],
    ),
    "the only thread": ("struct Pool *p = v; p->n = 1;", "pthread_create(&t[0], 0, run, &pool);", ["Pool.n"]),
}


@pytest.mark.parametrize("name", OWN)
def test_own(name: str) -> None:
    body, start, expected = OWN[name]
    assert written(body, start) == expected


def test_records_made_by_a_function_that_is_called_in_a_loop() -> None:
    before = (
        "static void *run(void *v);\n"
        "static void one(pthread_t *t, int i) {"
        " struct Arg *a = malloc(sizeof *a); a->id = i; pthread_create(t, 0, run, a); }"
    )
    assert written("struct Arg *a = v; a->sum = 1;", f"{LOOP} one(&t[i], i);", before) == ["own Arg.sum"]


def test_an_argument_handed_through_a_wrapper() -> None:
    before = (
        "static void *run(void *v);\n"
        "static void one(pthread_t *t, void *given) { pthread_create(t, 0, run, given); }"
    )  # fmt: skip
    body = "struct Arg *a = v; a->sum = 1;"
    assert written(body, f"{LOOP} one(&t[i], &args[i]);", before) == ["own Arg.sum"]
    assert written(body, f"{LOOP} one(&t[i], &args[0]);", before) == ["Arg.sum"]


PRIVATE = {
    "locals": ("double tmp[4]; tmp[0] = 1; struct Arg a; a.id = 1; int x; x = 2;", []),
    "locals passed by address": ("double tmp[4]; fill(tmp, 4); memset(tmp, 0, 4);", []),
    "a pointer to a local": ("struct Arg a; struct Arg *p = &a; p->id = 2;", []),
    "a static local": ("static double kept[4]; kept[0] = 1; fill(kept, 4);", ["run.kept[]", "run.kept[]"]),
    "a local that is published": (
        "struct Arg a; a.id = 1; current = &a; a.id = 2;",
        ["Arg.id", "current", "Arg.id"],
    ),
    "a local that a function publishes": ("struct Arg a; a.id = 1; publish(&a);", ["Arg.id", "current"]),
}


@pytest.mark.parametrize("name", PRIVATE)
def test_what_nobody_else_sees_is_no_event(name: str) -> None:
    body, expected = PRIVATE[name]
    assert written(body, NOTHING) == expected
