"""CL003: waiting with a lock that others need."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.lock_programs import codes, program, two_roles

TAKE = "pthread_mutex_lock(&m); x++; pthread_mutex_unlock(&m);"
BARRIER = {
    "declarations": "static pthread_barrier_t b;",
    "before": "pthread_barrier_init(&b, NULL, 3);",
    "after": "pthread_barrier_destroy(&b);",
}
ITEMS = "static sem_t items;"
MAKE = "sem_init(&items, 0, 0);"


def test_at_a_barrier() -> None:
    text = program("pthread_mutex_lock(&m); x++; pthread_barrier_wait(&b); pthread_mutex_unlock(&m);", **BARRIER)
    (finding,) = found(text, "CL003")
    assert "barrier b" in finding.message
    assert "another thread of worker" in finding.message


def test_before_a_barrier_is_fine() -> None:
    assert codes(program(f"{TAKE} pthread_barrier_wait(&b);", **BARRIER)) == []


def test_the_phase_in_which_others_need_it_is_over() -> None:
    declarations = "static pthread_barrier_t b;"
    worker = f"for (int i = 0; i < 3; i++) {{ {TAKE} pthread_barrier_wait(&b); pthread_barrier_wait(&b); }}"
    between = """for (int i = 0; i < 3; i++) { pthread_barrier_wait(&b);
    pthread_mutex_lock(&m); y += x; pthread_barrier_wait(&b); pthread_mutex_unlock(&m); }"""
    before = "pthread_barrier_init(&b, NULL, 4);"
    assert codes(program(worker, declarations=declarations, before=before, between=between)) == []


def test_at_a_join() -> None:
    between = "pthread_mutex_lock(&m); x = 9;"
    (finding,) = found(program(TAKE, between=between, after="pthread_mutex_unlock(&m);"), "CL003")
    assert "joins worker" in finding.message
    assert finding.role == "main"


def test_a_lock_the_joined_thread_never_takes() -> None:
    between = "pthread_mutex_lock(&k); y = 9;"
    assert codes(program(TAKE, between=between, after="pthread_mutex_unlock(&k);")) == []


@pytest.mark.parametrize(
    ("poster", "expected"),
    [("pthread_mutex_lock(&m); x++; sem_post(&items); pthread_mutex_unlock(&m);", ["CL003"]),
     ("sem_post(&items); pthread_mutex_lock(&m); x++; pthread_mutex_unlock(&m);", [])],
    ids=["posted under the lock", "posted without it"],
)  # fmt: skip
def test_at_a_semaphore(poster: str, expected: list[str]) -> None:
    taker = "pthread_mutex_lock(&m); sem_wait(&items); x--; pthread_mutex_unlock(&m);"
    assert codes(two_roles(taker, poster, declarations=ITEMS, before=MAKE)) == expected


def test_at_a_condition_with_another_mutex() -> None:
    waiter = "pthread_mutex_lock(&m); pthread_mutex_lock(&k); while (!y) pthread_cond_wait(&c, &k); x++; "
    leave = "pthread_mutex_unlock(&k); pthread_mutex_unlock(&m);"
    setter = "pthread_mutex_lock(&m); pthread_mutex_lock(&k); y = 1; pthread_cond_signal(&c); "
    (finding,) = found(two_roles(waiter + leave, setter + leave), "CL003")
    assert "condition c" in finding.message
    assert "lock m held" in finding.message


def test_the_mutex_of_the_wait_is_given_back_by_it() -> None:
    waiter = "pthread_mutex_lock(&m); while (!y) pthread_cond_wait(&c, &m); pthread_mutex_unlock(&m);"
    setter = "pthread_mutex_lock(&m); y = 1; pthread_cond_signal(&c); pthread_mutex_unlock(&m);"
    assert codes(two_roles(waiter, setter)) == []
