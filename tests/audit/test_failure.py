"""Which branches only handle the failure of a library call, and which do not."""

import pytest

from tests.audit.showing import outlined

BEFORE = """
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
struct Pool { pthread_mutex_t m; pthread_cond_t c; sem_t s; int n; double *d; pthread_t t[4]; pthread_barrier_t b; };
void *run(void *a);
#define FAILED(x) ((x) != 0)
#define OK 0
static int make(struct Pool *p) {
    if (pthread_mutex_init(&p->m, 0) != 0) return -1; p->d = malloc(8); if (!p->d) return -1; return 0;
}
static int make_one(struct Pool *p) { if (pthread_mutex_init(&p->m, 0)) return 0; return 1; }
static bool start(struct Pool *p) {
    for (int i = 0; i < 4; i++) if (pthread_create(&p->t[i], 0, run, p)) return false; return true;
}
static double *room(int n) { double *d = malloc(n); if (d == NULL) return NULL; d[0] = 1; return d; }
static struct Pool *checked(int n) {
    if (n <= 0) return NULL; struct Pool *p = calloc(1, n); if (!p) return NULL; return p;
}
static int by_goto(struct Pool *p) {
    int rc = -1; if (sem_init(&p->s, 0, 0)) goto fail; rc = 0; fail: return rc;
}
static int by_code(struct Pool *p) {
    int rc = pthread_mutex_init(&p->m, 0); if (rc) return rc; rc = sem_init(&p->s, 0, 0); return rc;
}
static bool both(struct Pool *p) { return pthread_mutex_init(&p->m, 0) == 0 && sem_init(&p->s, 0, 0) == 0; }
static int nested(struct Pool *p) { if (!start(p)) return -1; if (!room(3)) return -2; return 0; }
static int pop(struct Pool *p) {
    if (pthread_mutex_lock(&p->m) != 0) return -1; if (p->n == 0) { pthread_mutex_unlock(&p->m); return 0; }
    p->n--; pthread_mutex_unlock(&p->m); return 1;
}
static double *pop_pointer(struct Pool *p) {
    if (pthread_mutex_lock(&p->m)) return NULL; if (p->n == 0) return NULL; return p->d;
}
static bool pop_flag(struct Pool *p) {
    if (pthread_mutex_lock(&p->m)) return false; bool got = p->n > 0; pthread_mutex_unlock(&p->m);
    return got;
}
static int counted(struct Pool *p) {
    if (pthread_mutex_lock(&p->m)) return -1; int n = p->n; pthread_mutex_unlock(&p->m); return n;
}
static int serial(struct Pool *p) {
    int rc = pthread_barrier_wait(&p->b); if (rc == PTHREAD_BARRIER_SERIAL_THREAD) return 1; return 0;
}
static int again(struct Pool *p, int n) { return n ? again(p, n - 1) : make(p); }
"""

CREATE = "pthread_create(&p->t[0], 0, run, p)"


def branches(body: str) -> list[str]:
    """For every branch and loop of a body at its top level: "then", "other", "" (nothing known), or "loop"."""
    found = []
    for line in outlined(f"{BEFORE}\nvoid f(struct Pool *p, int k, double *d) {{ {body} }}"):
        if line.startswith("if "):
            side = [one for one in ("then", "other") if f" ({one} fails) [" in line]
            found.append(side[0] if side else "")
        elif line.startswith(("while", "do ", "for")):
            found.append("loop")
    return found


FAILURES = {
    f"if ({CREATE} != 0) return;": ["then"],
    f"if ({CREATE}) p->n = 9;": ["then"],
    f"if ({CREATE} == 0) p->n = 1; else p->n = 9;": ["other"],
    f"if (!{CREATE}) p->n = 1;": ["other"],
    f"int rc = {CREATE}; if (rc != 0) abort();": ["then"],
    "int rc; rc = pthread_mutex_lock(&p->m); if (rc) return; rc = pthread_mutex_unlock(&p->m); if (rc) return;": [
        "then",
        "then",
    ],
    "d = malloc(8); if (d == NULL) goto out; d[0] = 1; out: free(d);": ["then"],
    "if (!(d = malloc(8))) return;": ["then"],
    "p->d = malloc(8); if (!p->d) return;": ["then"],
    "if (make(p) < 0) return;": ["then"],
    "if (make(p)) return;": ["then"],
    "if (make(p) == OK) p->n = 1; else p->n = 9;": ["other"],
    "int rc = make(p); if (rc == -1) return;": ["then"],
    "if (!make_one(p)) return;": ["then"],
    "if (make_one(p)) p->n = 1; else p->n = 9;": ["other"],
    "if (!start(p)) return;": ["then"],
    "d = room(3); if (!d) return;": ["then"],
    "if (checked(3) == NULL) return;": ["then"],
    "if (by_goto(p)) return;": ["then"],
    "if (by_code(p) != 0) return;": ["then"],
    "if (both(p)) p->n = 1; else p->n = 9;": ["other"],
    "if (nested(p) < 0) return;": ["then"],
    f"if (FAILED({CREATE})) return;": ["then"],
    f"if (__builtin_expect({CREATE} != 0, 0)) return;": ["then"],
    f"bool ok = true; if ({CREATE}) ok = false; if (!ok) return;": ["then", "then"],
    f"int ok = 1; ok &= {CREATE} == 0; if (!ok) return;": ["then"],
    f"int ok = {CREATE} == 0 ? 1 : 0; if (!ok) return;": ["then"],
    "if (pthread_mutex_init(&p->m, 0) || sem_init(&p->s, 0, 0)) return;": ["then", "then"],
    "if (k > 0 && pthread_mutex_init(&p->m, 0) != 0) return;": ["", "then"],
    "int rc = pthread_barrier_wait(&p->b); if (rc && rc != PTHREAD_BARRIER_SERIAL_THREAD) abort();": ["then"],
    "int rc = pthread_cond_wait(&p->c, &p->m); if (rc != 0) return;": ["then"],
    "retry: if (sem_wait(&p->s) == -1) { goto retry; }": ["then"],
}


@pytest.mark.parametrize("body", FAILURES)
def test_failures_of_the_library(body: str) -> None:
    assert branches(body) == FAILURES[body]


NO_FAILURES = [
    "if (pthread_barrier_wait(&p->b) == PTHREAD_BARRIER_SERIAL_THREAD) p->n = 1; else p->n = 2;",
    "if (pthread_barrier_wait(&p->b) != 0) p->n = 1;",
    "int rc = pthread_barrier_wait(&p->b); if (rc == PTHREAD_BARRIER_SERIAL_THREAD) p->n = 1;",
    "if (serial(p)) p->n = 1;",
    "if (pthread_mutex_trylock(&p->m) == 0) p->n = 1;",
    "if (pthread_mutex_trylock(&p->m)) return;",
    "if (sem_trywait(&p->s) == 0) p->n = 1; else p->n = 2;",
    "if (pop(p)) p->n = 1; else p->n = 2;",
    "d = pop_pointer(p); if (!d) return;",
    "if (pop_flag(p)) p->n = 1;",
    "if (counted(p) == 0) return;",
    "if (counted(p) > 3) return;",
    "if (p->d) return;",
    "if (pthread_mutex_lock(&p->m) == 0 && p->n > 0) p->n = 1;",
    "int rc = 0; rc = k; if (rc) return;",
    "int rc = 0; if (rc) return;",
    "int rc = make(p); scanf(\"%d\", &rc); if (rc) return;",
    "if (again(p, 3)) return;",
]  # fmt: skip


@pytest.mark.parametrize("body", NO_FAILURES)
def test_other_tests_decide_something(body: str) -> None:
    assert branches(body)[-1] == ""


@pytest.mark.parametrize(
    "body",
    [
        "while (pop(p)) p->n = 1;",
        "while ((d = pop_pointer(p)) != NULL) p->n = 1;",
        "while ((d = pop_pointer(p)) == NULL) p->n = 1;",
        "while (!pop_flag(p)) p->n = 1;",
        "while (counted(p) > 0) p->n = 1;",
        "while (pthread_mutex_trylock(&p->m) != 0) p->n = 1;",
        "int rc = 0; while (rc == 0) { rc = pop(p); }",
    ],
)
def test_loops_over_results_stay(body: str) -> None:
    assert branches(body) == ["loop"]
