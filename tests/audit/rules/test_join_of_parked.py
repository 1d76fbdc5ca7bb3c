"""CT001: joins of threads that never end."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.thread_programs import JOIN_ALL, crew, locked, pool

STOP = "pool.stopping = true;"
WAKE = "pthread_cond_broadcast(&pool.ready);"


def hangs(text: str) -> list[str]:
    """Codes of joins that hang and threads that are left."""
    return [one.code for one in found(text, "CT001", "CT002")]


@pytest.mark.parametrize(
    "stop",
    [
        locked(STOP + WAKE) + JOIN_ALL,
        locked(WAKE + STOP) + JOIN_ALL,
        locked(STOP) + WAKE + JOIN_ALL,
        locked(STOP) + "for (int i = 0; i < WORKERS; i++) pthread_cond_signal(&pool.ready);" + JOIN_ALL,
    ],
)
def test_everybody_is_woken(stop: str) -> None:
    assert hangs(pool(stop)) == []


def test_nobody_is_woken() -> None:
    [one] = found(pool(locked(STOP) + JOIN_ALL), "CT001", "CT002")
    assert one.code == "CT001"
    assert "pool.stopping is set, but there is no signal of pool.ready" in one.message


def test_the_flag_is_set_only_after_the_join() -> None:
    [one] = found(pool(JOIN_ALL + locked(STOP + WAKE)), "CT001", "CT002")
    assert one.code == "CT001"
    assert "only after the join" in one.message


def test_the_flag_is_never_set() -> None:
    [one] = found(pool(JOIN_ALL), "CT001", "CT002")
    assert "nothing that it tests" in one.message


def test_the_flag_is_only_ever_cleared() -> None:
    assert hangs(pool(locked("pool.stopping = false;" + WAKE) + JOIN_ALL)) == ["CT001"]


def test_the_wake_up_comes_before_the_flag() -> None:
    assert hangs(pool(WAKE + locked(STOP) + JOIN_ALL)) == ["CT001"]


def test_each_thread_wakes_the_next() -> None:
    stop = locked(STOP + "pthread_cond_signal(&pool.ready);") + JOIN_ALL
    assert hangs(pool(stop, leave="pthread_cond_signal(&pool->ready);")) == []


def test_one_signal_for_many() -> None:
    assert hangs(pool(locked(STOP + "pthread_cond_signal(&pool.ready);") + JOIN_ALL)) == ["CT002"]


def test_a_sleep_with_a_time_limit_ends() -> None:
    wait = "{ struct timespec until = {9, 9}; pthread_cond_timedwait(&pool->ready, &pool->lock, &until); }"
    assert hangs(pool(locked(STOP) + JOIN_ALL, wait=wait)) == []


def test_a_stop_in_a_function_of_its_own() -> None:
    more = """static void pool_stop(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->ready);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(pool->threads[i], NULL);
}"""
    assert hangs(pool("pool_stop(&pool);", more=more)) == []
    assert hangs(pool("pool_stop(&pool);", more=more.replace("pthread_cond_broadcast(&pool->ready);", ""))) == ["CT001"]


CREATE = "pthread_create(&thread, NULL, thread_main, NULL);"
JOIN = "pthread_join(thread, NULL);"


def test_a_loop_without_an_end() -> None:
    assert hangs(crew("for (;;) result++;", CREATE + JOIN)) == ["CT001"]
    assert hangs(crew("for (;;) { if (result++ > 9) break; }", CREATE + JOIN)) == []
    assert hangs(crew("for (;;) result++;", CREATE + "pthread_cancel(thread);" + JOIN)) == []


@pytest.mark.parametrize(("set_to", "expected"), [("0", []), ("2", ["CT001"])])
def test_an_atomic_flag_that_runs_the_loop(set_to: str, expected: list[str]) -> None:
    caller = f"atomic_store(&running, 1); {CREATE} atomic_store(&running, {set_to}); {JOIN}"
    assert hangs(crew("while (atomic_load(&running)) result++;", caller, "static atomic_int running;")) == expected


def test_a_semaphore_that_is_not_posted_at_the_end() -> None:
    thread = "for (;;) { sem_wait(&items); if (atomic_load(&stop)) break; result++; }"
    shared = "static sem_t items; static atomic_bool stop;"
    before = f"sem_init(&items, 0, 0); {CREATE} for (int i = 0; i < 3; i++) sem_post(&items);"
    assert hangs(crew(thread, f"{before} atomic_store(&stop, true); {JOIN}", shared)) == ["CT001"]
    assert hangs(crew(thread, f"{before} atomic_store(&stop, true); sem_post(&items); {JOIN}", shared)) == []
