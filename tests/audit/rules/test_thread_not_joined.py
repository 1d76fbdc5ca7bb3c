"""CT003: threads nobody joins or detaches."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.thread_programs import HEAD, crew

CREATE = "pthread_create(&thread, NULL, thread_main, NULL);"


def unjoined(text: str) -> list[str]:
    """The messages about threads that are not joined."""
    return [one.message for one in found(text, "CT003")]


def test_neither_joined_nor_detached() -> None:
    [message] = unjoined(crew("result = 1;", CREATE))
    assert "neither joined nor detached" in message


@pytest.mark.parametrize(
    "caller",
    [
        CREATE + "pthread_join(thread, NULL);",
        CREATE + "pthread_detach(thread);",
        CREATE + "pthread_t copy = thread; pthread_join(copy, NULL);",
        CREATE + "kept = thread; pthread_join(kept, NULL);",
        CREATE + "stop(thread);",
        CREATE + "stop_all(&thread);",
        "pthread_attr_t attr; pthread_attr_init(&attr); pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);"
        "pthread_create(&thread, &attr, thread_main, NULL);",
        "begin(&thread); pthread_join(thread, NULL);",
    ],
)
def test_joined_in_some_way(caller: str) -> None:
    shared = """
static pthread_t kept;
static void *thread_main(void *argument);
static void stop(pthread_t which) { pthread_join(which, NULL); }
static void stop_all(pthread_t *threads) { for (int i = 0; i < 1; i++) pthread_join(threads[i], NULL); }
static void begin(pthread_t *which) { pthread_create(which, NULL, thread_main, NULL); }
"""
    assert unjoined(crew("result = 1;", caller, shared)) == []


def test_a_thread_that_detaches_itself() -> None:
    assert unjoined(crew("pthread_detach(pthread_self()); result = 1;", CREATE)) == []


def test_a_handle_that_is_handed_out() -> None:
    shared = "extern void remember(pthread_t which);"
    assert unjoined(crew("result = 1;", CREATE + "remember(thread);", shared)) == []


MANY = "pthread_t threads[WORKERS];"
EACH = "for (int i = 0; i < WORKERS; i++) pthread_create(&threads[i], NULL, thread_main, NULL);"


def test_handles_in_memory() -> None:
    variables = "pthread_t *threads = malloc(WORKERS * sizeof *threads);"
    joins = "for (int i = 0; i < WORKERS; i++) pthread_join(threads[i], NULL);"
    assert unjoined(crew("result = 1;", EACH + joins, variables=variables)) == []
    assert len(unjoined(crew("result = 1;", EACH, variables=variables))) == 1


def test_fewer_joins_than_threads() -> None:
    joins = "for (int i = 1; i < WORKERS; i++) pthread_join(threads[i], NULL);"
    [message] = unjoined(crew("result = 1;", EACH + joins, variables=MANY))
    assert "1 of them is neither" in message
    joins = "for (int i = WORKERS; i > 0; i--) pthread_join(threads[i - 1], NULL);"
    assert unjoined(crew("result = 1;", EACH + joins, variables=MANY)) == []


def test_one_handle_for_all() -> None:
    each = "for (int i = 0; i < WORKERS; i++) pthread_create(&thread, NULL, thread_main, NULL);"
    [message] = unjoined(crew("result = 1;", each + "pthread_join(thread, NULL);"))
    assert "only the last one is joined" in message
    each = each.replace("pthread_create", "{ pthread_create") + " pthread_join(thread, NULL); }"
    assert unjoined(crew("result = 1;", each)) == []


def test_each_record_has_its_handle() -> None:
    text = (
        HEAD
        + """
struct worker { pthread_t thread; int result; };
static void *worker_main(void *argument) { struct worker *self = argument; self->result = 1; return NULL; }
int main(void)
{
    struct worker *workers = calloc(WORKERS, sizeof *workers);
    for (int i = 0; i < WORKERS; i++) {
        struct worker *worker = &workers[i];
        pthread_create(&worker->thread, NULL, worker_main, worker);
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    free(workers);
    return 0;
}
"""
    )
    assert unjoined(text) == []
    assert len(unjoined(text.replace("pthread_join(workers[i].thread, NULL)", "(void)workers[i].thread"))) == 1
