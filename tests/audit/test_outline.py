"""Outlines: what evaluating expressions and statements does to shared things, in which order and structure."""

import pytest

from tests.audit.showing import outlined

BEFORE = """
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
struct Pool {
    int a, b, n;
    double g[8];
    double *grad;
    atomic_int hits;
    _Atomic int left;
    atomic_int slots[4];
    atomic_flag taken;
    pthread_mutex_t m;
    pthread_mutex_t locks[4];
    pthread_mutex_t *which;
    sem_t s;
    struct Pool *next;
    struct { int x; } in;
    void (*callback)(int);
};
struct Pool pool;
int whole, table[10];
volatile int stop;
int other(int x);
#define LOCK(p) pthread_mutex_lock(&(p)->m)
#define BOTH(p) do { pthread_mutex_lock(&(p)->m); (p)->a++; } while (0)
#define CURRENT pool.a
#define SUM(p) ((p)->a + (p)->b)
#define LIMIT 12
"""


def lines(body: str) -> list[str]:
    """The outline of a function with a pool, a number and an array."""
    return outlined(f"{BEFORE}void f(struct Pool *p, int k, double *d) {{\n{body}\n}}")


EXPRESSIONS = {
    "p->a += p->b;": ["read Pool.b", "read Pool.a +=", "write Pool.a +="],
    "p->a = p->b = 0;": ["write Pool.b =", "write Pool.a ="],
    "p->a++; --p->b;": ["read Pool.a ++", "write Pool.a ++", "read Pool.b --", "write Pool.b --"],
    "whole = stop;": ["read stop", "write whole ="],
    "p->hits++; p->left += 2; p->hits = 3;": ["change Pool.hits ++", "change Pool.left +=", "store Pool.hits ="],
    "int v = p->hits;": ["load Pool.hits", "v = p->hits"],
    "atomic_fetch_add(&p->hits, p->n);": ["read Pool.n", "change Pool.hits"],
    "atomic_store_explicit(&p->left, 1, memory_order_release);": ["store Pool.left"],
    "p->slots[k] = 1; atomic_fetch_add(&p->slots[k], 1);": ["store Pool.slots =", "change Pool.slots"],
    "atomic_flag_test_and_set(&p->taken);": ["change Pool.taken"],
    "__atomic_store_n(&p->a, 1, 5); __sync_fetch_and_add(&whole, 1);": ["store Pool.a", "change whole"],
    "p->g[k] = d[k];": ["read f.d[]", "write Pool.g[] ="],
    "p->grad[k] += 1;": ["read Pool.grad", "read Pool.grad[] +=", "write Pool.grad[] +="],
    "table[table[1]] = 2;": ["read table[]", "write table[] ="],
    "double *q = p->g; q[2] = 1;": ["q = p->g", "write Pool.g[] ="],
    "int *z = &p->a; *z = 5;": ["z = &p->a", "write Pool.a ="],
    "int *t = table; *t++ = 2;": ["t = table", "t ++", "write table[] ="],
    "int loc = 1; loc += k; other(loc);": ["loc = 1", "loc += k", "call other"],
    "p->next->next->a = p->in.x;": ["read Pool.in.x", "read Pool.next", "read Pool.next", "write Pool.a ="],
    "memcpy(p->g, p->grad, 8);": ["read Pool.grad", "read Pool.grad[]", "write Pool.g[] =", "call memcpy"],
    "memset(table, 0, sizeof table);": ["write table[] =", "call memset"],
    "other(p->g[0]); unknown(p->g);": ["read Pool.g[]", "call other", "read Pool.g[]", "call unknown"],
    "p->callback(3);": ["read Pool.callback", "call p->callback"],
    "int u = sizeof p->g[p->a];": ["u = sizeof(p->g[p->a])"],
    "static int calls; calls++;": ["read f.calls ++", "write f.calls ++"],
    "p->m = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;": ["initialise Pool.m ="],
    "p->which = &p->m;": ["write Pool.which ="],
    "pthread_mutex_lock(&p->locks[k]); pthread_mutex_unlock(p->locks + k);": ["lock Pool.locks", "unlock Pool.locks"],
}


@pytest.mark.parametrize("body", EXPRESSIONS)
def test_expressions_in_order(body: str) -> None:
    assert lines(body) == EXPRESSIONS[body]


STATEMENTS = {
    "if (p->a && other(p->b)) p->n = 1;": [
        "read Pool.a",
        "if p->a [read Pool.b; call other] []",
        "if p->a && other(p->b) [write Pool.n =] []",
    ],
    "if (p->a || sem_trywait(&p->s)) p->n = 1;": [
        "read Pool.a",
        "if p->a [] [try down Pool.s]",
        "if p->a || sem_trywait(&p->s) [write Pool.n =] []",
    ],
    "if (p->a || p->b) p->n = 1;": ["read Pool.a", "read Pool.b", "if p->a || p->b [write Pool.n =] []"],
    "whole = p->a ? p->b : p->n;": ["read Pool.a", "if p->a [read Pool.b] [read Pool.n]", "write whole ="],
    "while (!stop) ;": ["while !stop [read stop ? ]"],
    "while (1) { p->a = 1; }": ["while  [write Pool.a =]"],
    "for (;;) { if (p->a) break; p->n = 1; }": ["for  [read Pool.a; if p->a [break] []; write Pool.n =]"],
    "for (int i = 0; i < LIMIT; i++) p->g[i] = 0;": ["for i < LIMIT [i = 0 | write Pool.g[] = | i ++]"],
    "do { p->a = 2; } while (p->b);": ["do p->b [read Pool.b ? write Pool.a =]"],
    "do { p->a = 1; } while (0);": ["write Pool.a ="],
    "do { if (p->a) break; p->b = 1; } while (0);": ["do 0 [read Pool.a; if p->a [break] []; write Pool.b =]"],
    "do { for (;;) { break; } } while (0);": ["for  [break]"],
    "switch (p->a) { case 1: p->b = 1; case 2: p->n = 2; break; default: return; }": [
        "read Pool.a",
        "switch p->a 1: [write Pool.b =]; 2: [write Pool.n =; break]; default: [return]",
    ],
    "goto out; p->a = 1; out: p->b = 1;": ["goto out", "write Pool.a =", "out:", "write Pool.b ="],
    "#ifdef FAST\np->a = 1;\n#else\np->b = 1;\n#endif": ["#defined(FAST) [write Pool.a =] | # [write Pool.b =]"],
    "if (0) p->a = 1; else p->b = 1;": ["write Pool.b ="],
    "LOCK(p); BOTH(p);": ["lock Pool.m", "lock Pool.m", "read Pool.a ++", "write Pool.a ++"],
    "CURRENT = 3; CURRENT++;": ["write Pool.a =", "read Pool.a ++", "write Pool.a ++"],
    "k = SUM(p);": ["read Pool.a", "read Pool.b", "k = p->a + p->b"],
    "while (sem_wait(&p->s) == -1 && errno == EINTR) ;": ["down Pool.s"],
    "int rc; do { rc = sem_wait(&p->s); } while (rc == -1 && errno == EINTR);": ["down Pool.s", "rc = sem_wait(&p->s)"],
    "for (int once = (LOCK(p), 1); once; once = (pthread_mutex_unlock(&p->m), 0)) p->a = 1;": [
        "lock Pool.m",
        "once = LOCK(p), 1",
        "write Pool.a =",
        "unlock Pool.m",
        "once = pthread_mutex_unlock(&p->m), 0",
    ],
}


@pytest.mark.parametrize("body", STATEMENTS)
def test_statements_keep_their_structure(body: str) -> None:
    assert lines(body) == STATEMENTS[body]


def test_a_deep_expression_comes_to_an_end() -> None:
    deep = "(" * 400 + "p->a" + ")" * 400
    assert "write whole =" in lines(f"whole = {deep} + {'+'.join(['1'] * 500)};")


def test_two_functions_of_one_line_have_outlines_of_their_own() -> None:
    text = "int a, b; void f(void) { a = 1; } void g(void) { b = 1; }"
    assert outlined(text, "f") == ["write a ="]
    assert outlined(text, "g") == ["write b ="]
