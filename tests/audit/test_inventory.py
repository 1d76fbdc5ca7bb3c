"""The inventory: objects with declarations, initialisations, uses through wrappers and macros, and what is dead."""

from cllm_sim.auditor.inventory import SharedObject, reads, writes
from cllm_sim.auditor.vocabulary import Act, Kind

from tests.audit.auditing import analysed

TEXT = """
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#define N 4
#define LOCK(p) pthread_mutex_lock(&(p)->m)
struct Pool {
    pthread_mutex_t m, spare;
    pthread_cond_t c;
    pthread_barrier_t bar;
    sem_t sems[3];
    atomic_int hits;
    int total;
    double *g;
    pthread_mutex_t *link, *either;
    pthread_mutex_t first, second;
} pool;
struct Worker { pthread_mutex_t own; int id; } workers[N];
static pthread_mutex_t at_once = PTHREAD_MUTEX_INITIALIZER;
static void enter(struct Pool *p) { LOCK(p); }
static void leave(pthread_mutex_t *m) { pthread_mutex_unlock(m); }
static void *run(void *v)
{
    struct Pool *p = v;
    enter(p);
    p->total++;
    leave(&p->m);
    pthread_mutex_lock(p->either);
    pthread_barrier_wait(&p->bar);
    sem_wait(&p->sems[1]);
    p->hits++;
    return 0;
}
static void never(struct Pool *p) { pthread_mutex_lock(&p->spare); sem_post(&p->sems[0]); p->total = 1; }
int main(int argc, char **argv)
{
    pthread_t t[N];
    pthread_mutex_t local;
    pthread_mutex_init(&local, 0);
    pthread_mutex_init(&pool.m, 0);
    pthread_barrier_init(&pool.bar, 0, N + 1);
    sem_init(&pool.sems[1], 0, 2);
    pool.link = &pool.m;
    pool.either = argc ? &pool.first : &pool.second;
    for (int i = 0; i < N; i++)
        pthread_create(&t[i], 0, run, &pool);
    pthread_barrier_wait(&pool.bar);
    for (int i = 0; i < N; i++)
        pthread_join(t[i], 0);
    pthread_mutex_destroy(&pool.m);
    return pool.total;
}
"""
INVENTORY = analysed(TEXT).inventory


def line(text: str) -> int:
    """The first line of the program with this text."""
    return next(number for number, one in enumerate(TEXT.split("\n"), 1) if text in one)


def item(kind: Kind, label: str) -> SharedObject:
    found = [one for one in INVENTORY.of(kind) if one.label == label]
    assert len(found) == 1, [one.label for one in INVENTORY.of(kind)]
    return found[0]


def uses(one: SharedObject) -> list[tuple[Act, str, str]]:
    return [(use.act, use.role, use.function.name) for use in one.uses]


def test_a_lock_used_through_a_macro_and_a_wrapper() -> None:
    lock = item(Kind.MUTEX, "Pool.m")
    assert uses(lock) == [(Act.LOCK, "run", "enter"), (Act.UNLOCK, "run", "leave")]
    assert all(len(use.how) == 1 for use in lock.uses)
    assert [one.site.line for one in lock.initialised] == [line("pthread_mutex_init(&pool.m")]
    assert [use.role for use in lock.destroyed] == ["main"]
    assert lock.declared is not None
    assert lock.declared.line == line("pthread_mutex_t m, spare")
    assert lock.roles() == ["run"]


def test_a_barrier_with_its_count_and_parties() -> None:
    barrier = item(Kind.BARRIER, "Pool.bar")
    count = barrier.initialised[0].count
    assert count is not None
    assert (count.value, count.text) == (5, "N + 1")
    assert barrier.roles(Act.WAIT) == ["main", "run"]


def test_an_array_of_semaphores_is_one_object_that_stands_for_several() -> None:
    semaphore = item(Kind.SEMAPHORE, "Pool.sems")
    assert semaphore.many
    assert uses(semaphore) == [(Act.DOWN, "run", "run")]
    assert [(use.act, use.function.name) for use in semaphore.dead] == [(Act.UP, "never")]


def test_a_member_of_records_in_an_array_stands_for_several() -> None:
    assert item(Kind.MUTEX, "Worker.own").many
    assert not item(Kind.MUTEX, "Pool.m").many


def test_objects_that_nothing_uses_are_listed() -> None:
    spare = item(Kind.MUTEX, "Pool.spare")
    assert not spare.uses
    assert [(use.act, use.function.name, use.role) for use in spare.dead] == [(Act.LOCK, "never", "")]
    assert item(Kind.CONDITION, "Pool.c").uses == []


def test_static_and_local_objects() -> None:
    assert [one.static for one in item(Kind.MUTEX, "at_once").initialised] == [True]
    local = item(Kind.MUTEX, "main.local")
    assert [one.role for one in local.initialised] == ["main"]


def test_a_pointer_to_an_object_is_no_object() -> None:
    labels = [one.label for one in INVENTORY.of(Kind.MUTEX)]
    assert "Pool.link" not in labels
    assert "Pool.either" not in labels


def test_a_lock_that_may_be_either_of_two_is_a_use_of_both() -> None:
    assert uses(item(Kind.MUTEX, "Pool.first")) == [(Act.LOCK, "run", "run")]
    assert uses(item(Kind.MUTEX, "Pool.second")) == [(Act.LOCK, "run", "run")]


def test_memory_that_several_roles_touch() -> None:
    shared = {one.label: one for one in INVENTORY.shared_memory()}
    assert set(shared) == {"Pool.total"}
    total = shared["Pool.total"]
    assert [use.role for use in writes(total)] == ["run"]
    assert sorted(use.role for use in reads(total)) == ["main", "run"]
    assert [use.function.name for use in total.dead] == ["never"]


def test_atomics_are_no_plain_memory() -> None:
    assert uses(item(Kind.ATOMIC, "Pool.hits")) == [(Act.CHANGE, "run", "run")]
