"""Which locks are held where: surely and possibly, through try-locks, wrappers and early returns."""

import pytest

from cllm_sim.auditor.vocabulary import Act

from tests.audit.auditing import analysed
from tests.audit.showing import role

BEFORE = """
#include <pthread.h>
#include <stdbool.h>
#define GUARD(m) pthread_mutex_lock(m)
struct Pool { pthread_mutex_t m, n; pthread_rwlock_t rw; int a; bool quit; pthread_cond_t c; } pool;
static void enter(struct Pool *p) { pthread_mutex_lock(&p->m); }
static void leave(struct Pool *p) { pthread_mutex_unlock(&p->m); }
static void take(pthread_mutex_t *m) { pthread_mutex_lock(m); }
static int try_take(pthread_mutex_t *m) { return pthread_mutex_trylock(m); }
static bool try_enter(pthread_mutex_t *m) { return pthread_mutex_trylock(m) == 0; }
static bool enter_now(struct Pool *p) { if (pthread_mutex_trylock(&p->m) != 0) return false; return true; }
static int checked(pthread_mutex_t *m) { int rc = pthread_mutex_lock(m); if (rc != 0) return rc; return 0; }
"""


def held(body: str) -> dict[int, tuple[list[str], list[str]]]:
    """By the number that is written to `p->a`: the locks surely held there, and those held on some way only.

    The end of the program has the number 0; a lock held for reading has "(r)" behind it.
    """
    analysis = analysed(f"{BEFORE}int main(int k, char **v) {{ struct Pool *p = &pool; {body} return 0; }}")
    main = role(analysis, "main")
    flow, locks = analysis.flow(main), analysis.held(main)
    places = {flow.end: 0}
    for step in flow.events(Act.WRITE):
        assert step.event is not None
        assert step.event.value is not None
        places[step.index] = int(analysis.program.text(step.event.value))
    found = {}
    for index, number in places.items():
        surely = {one.lock.label + ("(r)" if one.shared else "") for one in locks.surely[index]}
        possibly = {one.lock.label + ("(r)" if one.shared else "") for one in locks.possibly[index]}
        assert surely <= possibly
        found[number] = (sorted(surely), sorted(possibly - surely))
    return found


Found = tuple[list[str], list[str]]
M, N = "Pool.m", "Pool.n"
NOTHING: Found = ([], [])
SURE: Found = ([M], [])
PERHAPS: Found = ([], [M])

CASES = {
    "pthread_mutex_lock(&p->m); p->a = 1; pthread_mutex_unlock(&p->m); p->a = 2;": {1: SURE, 2: NOTHING, 0: NOTHING},
    "if (k) pthread_mutex_lock(&p->m); p->a = 1; if (k) pthread_mutex_unlock(&p->m);": {1: PERHAPS, 0: PERHAPS},
    "enter(p); p->a = 1; leave(p); p->a = 2;": {1: SURE, 2: NOTHING, 0: NOTHING},
    "take(&p->n); p->a = 1; pthread_mutex_unlock(&p->n); p->a = 2;": {1: ([N], []), 2: NOTHING, 0: NOTHING},
    "if (checked(&p->m)) return 1; p->a = 1;": {1: SURE, 0: SURE},
    "GUARD(&p->m); p->a = 1; if (p->quit) { leave(p); return 2; } p->a = 2; leave(p);": {1: SURE, 2: SURE, 0: NOTHING},
    "GUARD(&p->m); if (p->quit) return 2; p->a = 2; leave(p);": {2: SURE, 0: PERHAPS},
    "pthread_rwlock_rdlock(&p->rw); p->a = 1; pthread_rwlock_unlock(&p->rw);"
    " pthread_rwlock_wrlock(&p->rw); p->a = 2; pthread_rwlock_unlock(&p->rw);": {
        1: (["Pool.rw(r)"], []),
        2: (["Pool.rw"], []),
        0: NOTHING,
    },
    "enter(p); while (!p->quit) pthread_cond_wait(&p->c, &p->m); p->a = 1; leave(p);": {1: SURE, 0: NOTHING},
    "for (int i = 0; i < 3; i++) { enter(p); p->a = 1; if (i == k) break; leave(p); } p->a = 2;": {
        1: SURE,
        2: PERHAPS,
        0: PERHAPS,
    },
    "enter(p); take(&p->n); p->a = 1; leave(p); p->a = 2; pthread_mutex_unlock(&p->n); p->a = 3;": {
        1: ([M, N], []),
        2: ([N], []),
        3: NOTHING,
        0: NOTHING,
    },
    "switch (k) { case 1: enter(p); p->a = 1; leave(p); break; default: p->a = 2; }": {1: SURE, 2: NOTHING, 0: NOTHING},
    "do { enter(p); p->a = 1; if (k) break; p->a = 2; } while (0); p->a = 3; leave(p);": {
        1: SURE,
        2: SURE,
        3: SURE,
        0: NOTHING,
    },
}

WON = {1: SURE, 2: NOTHING, 0: PERHAPS}
TRIES = [
    "if (pthread_mutex_trylock(&p->m) == 0) p->a = 1; else p->a = 2;",
    "if (0 == pthread_mutex_trylock(&p->m)) p->a = 1; else p->a = 2;",
    "if (!pthread_mutex_trylock(&p->m)) p->a = 1; else p->a = 2;",
    "if (pthread_mutex_trylock(&p->m)) p->a = 2; else p->a = 1;",
    "if (pthread_mutex_trylock(&p->m) != 0) { p->a = 2; return 1; } p->a = 1;",
    "int rc = pthread_mutex_trylock(&p->m); if (rc == 0) p->a = 1; else p->a = 2;",
    "int rc; rc = pthread_mutex_trylock(&p->m); if (rc) p->a = 2; else p->a = 1;",
    "int rc = pthread_mutex_trylock(&p->m); if (rc == EBUSY) p->a = 2; else p->a = 1;",
    "bool ok = pthread_mutex_trylock(&p->m) == 0; if (ok) p->a = 1; else p->a = 2;",
    "if (pthread_mutex_timedlock(&p->m, 0) == 0) p->a = 1; else p->a = 2;",
    "if (try_take(&p->m) == 0) p->a = 1; else p->a = 2;",
    "if (try_enter(&p->m)) p->a = 1; else p->a = 2;",
    "if (enter_now(p)) p->a = 1; else p->a = 2;",
    "if (!enter_now(p)) { p->a = 2; return 1; } p->a = 1;",
    "if (k && pthread_mutex_trylock(&p->m) == 0) p->a = 1; else p->a = 2;",
]


@pytest.mark.parametrize("body", CASES)
def test_held(body: str) -> None:
    assert held(body) == CASES[body]


@pytest.mark.parametrize("body", TRIES)
def test_a_try_lock_holds_where_it_succeeded(body: str) -> None:
    found = held(body)
    found[2] = (found[2][0], [])
    assert found == WON


def test_a_try_lock_and_something_else_may_hold_on_the_other_side() -> None:
    found = held("if (pthread_mutex_trylock(&p->m) == 0 && k) p->a = 1; else p->a = 2;")
    assert found == {1: SURE, 2: PERHAPS, 0: PERHAPS}


def test_trying_until_it_succeeds() -> None:
    found = held("while (pthread_mutex_trylock(&p->m) != 0) p->a = 2; p->a = 1; leave(p);")
    assert found == {2: NOTHING, 1: SURE, 0: NOTHING}


def test_a_shared_try_lock_is_shared() -> None:
    found = held("if (pthread_rwlock_tryrdlock(&p->rw) == 0) p->a = 1;")
    assert found[1] == (["Pool.rw(r)"], [])
