"""CB002: initialised for another number of threads than wait."""

from tests.audit.auditing import found
from tests.audit.rules.barrier_programs import CONTROL, HEAD, TWO_WAITS, crew


def counts(text: str) -> list[str]:
    """The messages about counts (and single waits)."""
    return [one.message for one in found(text, "CB002", "CB004", "CB003")]


def test_the_control_is_counted_once() -> None:
    assert counts(crew(TWO_WAITS, CONTROL)) == []


def test_one_too_many() -> None:
    [message] = counts(crew(TWO_WAITS, CONTROL, count="WORKERS + 2"))
    assert "WORKERS + 2 (6)" in message
    assert "WORKERS + 1 (5)" in message
    assert "WORKERS (4) x worker_main and main" in message


def test_one_too_few_is_found_without_a_control() -> None:
    [message] = counts(crew(TWO_WAITS, count="WORKERS - 1"))
    assert "WORKERS (4) x worker_main" in message


def test_a_count_behind_a_parameter() -> None:
    text = crew(
        TWO_WAITS,
        CONTROL,
        init="set_up(WORKERS);",
        shared="""
static int set_up(unsigned parties) { return pthread_barrier_init(&gate, NULL, parties); }""",
    )
    [message] = counts(text)
    assert "WORKERS (4)" in message
    assert "WORKERS + 1 (5)" in message


def test_only_one_chosen_worker_waits() -> None:
    worker = "if (id == 0) pthread_barrier_wait(&gate); results[id]++;"
    assert counts(crew(worker, "pthread_barrier_wait(&gate);", count="2")) == []


def test_a_logger_that_may_be_missing_makes_the_number_unknown() -> None:
    control = "if (ids[1] > 5) pthread_create(&threads[0], NULL, logger_main, NULL);" + CONTROL
    shared = "static void *logger_main(void *unused) { pthread_barrier_wait(&gate); return unused; }"
    assert counts(crew(TWO_WAITS, control, shared=shared)) == []


def test_crews_one_after_the_other_do_not_add_up() -> None:
    text = f"""{HEAD}
static pthread_barrier_t gate;
static int results[WORKERS];
static void *worker_main(void *argument)
{{
    int id = *(int *)argument;
    pthread_barrier_wait(&gate);
    results[id]++;
    return NULL;
}}
int main(void)
{{
    pthread_t threads[WORKERS];
    int ids[WORKERS];
    pthread_barrier_init(&gate, NULL, WORKERS);
    for (int phase = 0; phase < 3; phase++) {{
        for (int i = 0; i < WORKERS; i++) {{
            ids[i] = i;
            pthread_create(&threads[i], NULL, worker_main, &ids[i]);
        }}
        for (int i = 0; i < WORKERS; i++)
            pthread_join(threads[i], NULL);
    }}
    pthread_barrier_destroy(&gate);
    return results[0];
}}
"""
    assert counts(text) == []
    assert len(counts(text.replace("NULL, WORKERS);", "NULL, 3 * WORKERS);"))) == 1


WRAPPED = (
    HEAD
    + """
struct gate { pthread_barrier_t barrier; };
static struct gate opening, closing;
static int results[WORKERS];
static void gate_init(struct gate *gate, unsigned parties) { pthread_barrier_init(&gate->barrier, NULL, parties); }
static void gate_cross(struct gate *gate) { pthread_barrier_wait(&gate->barrier); }
static void gate_destroy(struct gate *gate) { pthread_barrier_destroy(&gate->barrier); }
static void *worker_main(void *argument)
{
    int id = *(int *)argument;
    gate_cross(&opening);
    results[id] = id;
    gate_cross(&closing);
    return NULL;
}
int main(void)
{
    pthread_t threads[WORKERS];
    int ids[WORKERS];
    gate_init(&opening, WORKERS);
    gate_init(&closing, WORKERS + 1);
    for (int i = 0; i < WORKERS; i++) {
        ids[i] = i;
        pthread_create(&threads[i], NULL, worker_main, &ids[i]);
    }
    gate_cross(&closing);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    gate_destroy(&opening);
    gate_destroy(&closing);
    return results[0];
}
"""
)


def test_two_barriers_in_one_wrapper_are_told_apart() -> None:
    assert counts(WRAPPED) == []
    [message] = counts(WRAPPED.replace("gate_init(&opening, WORKERS)", "gate_init(&opening, WORKERS + 1)"))
    assert message.startswith("barrier opening ")


def test_a_barrier_for_each_group() -> None:
    text = (
        HEAD
        + """
#define GROUPS 3
struct group { pthread_barrier_t point; int sums[WORKERS]; };
struct member { struct group *group; int index; };
static struct group groups[GROUPS];
static void *member_main(void *argument)
{
    struct member *me = argument;
    me->group->sums[me->index]++;
    pthread_barrier_wait(&me->group->point);
    return NULL;
}
int main(void)
{
    pthread_t threads[GROUPS][WORKERS];
    struct member members[GROUPS][WORKERS];
    for (int g = 0; g < GROUPS; g++)
        pthread_barrier_init(&groups[g].point, NULL, WORKERS);
    for (int g = 0; g < GROUPS; g++)
        for (int i = 0; i < WORKERS; i++) {
            members[g][i] = (struct member){&groups[g], i};
            pthread_create(&threads[g][i], NULL, member_main, &members[g][i]);
        }
    for (int g = 0; g < GROUPS; g++)
        for (int i = 0; i < WORKERS; i++)
            pthread_join(threads[g][i], NULL);
    for (int g = 0; g < GROUPS; g++)
        pthread_barrier_destroy(&groups[g].point);
    return groups[0].sums[0];
}
"""
    )
    assert counts(text) == []
    assert len(counts(text.replace("point, NULL, WORKERS", "point, NULL, WORKERS + 1"))) == 1


def test_a_number_that_only_the_user_knows() -> None:
    text = (
        HEAD
        + """
#include <stdlib.h>
struct pool { unsigned num_threads; pthread_barrier_t gate; pthread_t *threads; int *results; };
struct worker { struct pool *pool; unsigned index; };
static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    worker->pool->results[worker->index] = 1;
    pthread_barrier_wait(&worker->pool->gate);
    return NULL;
}
int main(int argc, char **argv)
{
    struct pool pool;
    struct worker *workers;
    pool.num_threads = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
    pool.threads = calloc(pool.num_threads, sizeof *pool.threads);
    pool.results = calloc(pool.num_threads, sizeof *pool.results);
    workers = calloc(pool.num_threads, sizeof *workers);
    if (!pool.threads || !pool.results || !workers)
        return 1;
    pthread_barrier_init(&pool.gate, NULL, pool.num_threads + 1);
    for (unsigned i = 0; i < pool.num_threads; i++) {
        workers[i].pool = &pool;
        workers[i].index = i;
        pthread_create(&pool.threads[i], NULL, worker_main, &workers[i]);
    }
    for (unsigned i = 0; i < pool.num_threads; i++)
        pthread_join(pool.threads[i], NULL);
    pthread_barrier_destroy(&pool.gate);
    free(workers);
    return 0;
}
"""
    )
    [message] = counts(text)
    assert "pool.num_threads + 1" in message
    assert counts(text.replace("num_threads + 1)", "num_threads)")) == []
