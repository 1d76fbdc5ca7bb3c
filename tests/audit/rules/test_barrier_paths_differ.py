"""CB003: skipped waits, and parties that wait a different number of times."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.barrier_programs import AND_STOP, CONTROL, TWO_WAITS, UNTIL_STOP, crew

ROUND = """for (int round = 0; round < ROUNDS; round++) {
        %s
        results[id] += round;
        pthread_barrier_wait(&gate);
        pthread_barrier_wait(&gate);
    }"""


def differing(text: str) -> list[str]:
    """The messages of CB002 and CB003."""
    return [one.message for one in found(text, "CB002", "CB003", "CB004")]


@pytest.mark.parametrize(
    "skip",
    [
        "if (id == 2) continue;",
        "if (results[id] < 0) break;",
        "if (results[id] == 7) return NULL;",
        "int share = id * 3; if (share > round) continue;",
        "if (!measure(id)) { results[id] = -1; continue; }",
    ],
)
def test_a_thread_that_leaves_its_round(skip: str) -> None:
    shared = "static int measure(int id) { return id % 3 + results[id]; }"
    [message] = differing(crew(ROUND % skip, CONTROL, shared=shared))
    assert "worker_main" in message
    assert "skips a wait" in message or "hangs on" in message


def test_a_wait_for_some_only() -> None:
    worker = TWO_WAITS.replace("results[id] += round;", "if (id > 0) pthread_barrier_wait(&gate);")
    assert len(differing(crew(worker, CONTROL))) == 1


@pytest.mark.parametrize(
    "harmless",
    [
        'if (id == 0) printf("round %d\\n", round);',
        "if (results[id] > 3) results[id] = 0; else results[id]++;",
        "for (int k = id; k < 100; k += WORKERS) results[id] += k;",
        'if (results[id] < 0) { fputs("broken\\n", stderr); exit(1); }',
        "if (round > 3) continue_quietly();",
    ],
)
def test_conditions_that_skip_no_wait(harmless: str) -> None:
    shared = "#include <stdlib.h>\nstatic void continue_quietly(void) { }"
    assert differing(crew(ROUND % harmless, CONTROL, shared=shared)) == []


def test_one_thread_is_chosen_by_the_barrier() -> None:
    worker = """for (int round = 0; round < ROUNDS; round++) {
        results[id] += round;
        if (pthread_barrier_wait(&gate) == PTHREAD_BARRIER_SERIAL_THREAD)
            total += results[0];
        pthread_barrier_wait(&gate);
    }"""
    assert differing(crew(worker, count="WORKERS", shared="static int total;")) == []


def test_both_arms_wait() -> None:
    worker = """for (int round = 0; round < ROUNDS; round++) {
        if (id == 0) {
            total = round;
            pthread_barrier_wait(&gate);
        } else {
            pthread_barrier_wait(&gate);
            results[id] += total;
        }
        pthread_barrier_wait(&gate);
    }"""
    assert differing(crew(worker, count="WORKERS", shared="static int total;")) == []


def test_everybody_leaves_by_an_order_read_after_a_wait() -> None:
    assert differing(crew(UNTIL_STOP, AND_STOP)) == []


def test_orders_in_the_workers_own_record() -> None:
    text = """
#include <pthread.h>
#define WORKERS 3
enum order { GO, LEAVE };
struct worker { enum order order; int index; long sum; pthread_t thread; };
static pthread_barrier_t gate;
static struct worker workers[WORKERS];
static void *worker_main(void *argument)
{
    struct worker *self = argument;
    for (;;) {
        pthread_barrier_wait(&gate);
        if (self->order == LEAVE)
            return NULL;
        self->sum += self->index;
        pthread_barrier_wait(&gate);
    }
}
static void tell(enum order order)
{
    for (int i = 0; i < WORKERS; i++)
        workers[i].order = order == GO ? GO : LEAVE;
    pthread_barrier_wait(&gate);
}
int main(void)
{
    pthread_barrier_init(&gate, NULL, WORKERS + 1);
    for (int i = 0; i < WORKERS; i++) {
        workers[i].index = i;
        pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]);
    }
    for (int round = 0; round < 4; round++) {
        tell(GO);
        pthread_barrier_wait(&gate);
    }
    tell(LEAVE);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_barrier_destroy(&gate);
    return 0;
}
"""
    assert differing(text) == []


def test_once_for_each_round_against_twice() -> None:
    control = "for (int round = 0; round < ROUNDS; round++)\n        pthread_barrier_wait(&gate);"
    [message] = differing(crew(TWO_WAITS, control))
    assert "2 * ROUNDS (10) times" in message
    assert "ROUNDS (5) times" in message


def test_different_loops_with_equal_numbers() -> None:
    control = "for (int wait = 0; wait < 2 * ROUNDS; wait++)\n        pthread_barrier_wait(&gate);"
    assert differing(crew(TWO_WAITS, control)) == []


def test_a_counter_that_is_not_set_again() -> None:
    worker = """int batch = 0;
    for (int epoch = 0; epoch < 2; epoch++)
        while (batch < ROUNDS) {
            pthread_barrier_wait(&gate);
            results[id]++;
            batch++;
        }"""
    control = """for (int epoch = 0; epoch < 2; epoch++)
        for (int batch = 0; batch < ROUNDS; batch++)
            pthread_barrier_wait(&gate);"""
    [message] = differing(crew(worker, control))
    assert "main 2 * ROUNDS (10) times" in message
    assert differing(crew(worker.replace("epoch++)\n", "epoch++, batch = 0)\n"), control)) == []


def test_the_control_leaves_a_fixed_number_of_rounds() -> None:
    control = """for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&gate);
        pthread_barrier_wait(&gate);
        int sum = results[0] + results[1];
        if (sum > 100)
            break;
    }"""
    [message] = differing(crew(TWO_WAITS, control))
    assert "main may leave its loop here" in message
    assert differing(crew(UNTIL_STOP, control + "\n    stop = true;\n    pthread_barrier_wait(&gate);")) == []


def test_a_wrong_count_is_said_once() -> None:
    assert len(differing(crew(ROUND % "if (id == 2) continue;", CONTROL, count="WORKERS + 3"))) == 1


TWO_BARRIERS = """
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#define WORKERS 3
static pthread_barrier_t begin, end;
static bool stop;
static int results[WORKERS], sum;
static void *worker_main(void *argument)
{
    int id = *(int *)argument;
    for (;;) {
        pthread_barrier_wait(&begin);
        if (stop)
            return NULL;
        results[id]++;
        pthread_barrier_wait(&end);
    }
}
static void *control_main(void *unused)
{
    for (int round = 0; round < 5; round++) {
        pthread_barrier_wait(&begin);
        pthread_barrier_wait(&end);
        sum += results[0];
    }
    stop = true;
    pthread_barrier_wait(&begin);
    return unused;
}
int main(void)
{
    pthread_t control, workers[WORKERS];
    int ids[WORKERS];
    pthread_barrier_init(&begin, NULL, WORKERS + 1);
    pthread_barrier_init(&end, NULL, WORKERS + 1);
    pthread_create(&control, NULL, control_main, NULL);
    for (int i = 0; i < WORKERS; i++) {
        ids[i] = i;
        pthread_create(&workers[i], NULL, worker_main, &ids[i]);
    }
    pthread_join(control, NULL);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
    pthread_barrier_destroy(&end);
    pthread_barrier_destroy(&begin);
    return sum > 0 ? 0 : 1;
}
"""


def test_parties_that_meet_at_no_barrier() -> None:
    assert differing(TWO_BARRIERS) == []
    swapped = TWO_BARRIERS.replace(
        "pthread_barrier_wait(&begin);\n        pthread_barrier_wait(&end);",
        "pthread_barrier_wait(&end);\n        pthread_barrier_wait(&begin);",
    )
    [message] = differing(swapped)
    assert message.startswith("the waits of the parties do not fit together")


def test_a_control_that_leaves_before_the_last_wait() -> None:
    text = TWO_BARRIERS.replace("stop = true;", "stop = true;\n    if (rand() % 3 == 0)\n        return unused;")
    [message] = differing(text)
    assert message.startswith("control_main may leave here")


def test_leaving_before_any_thread_is_created_strands_nobody() -> None:
    text = crew(UNTIL_STOP, AND_STOP).replace("int ids[WORKERS];", "int ids[WORKERS];\n    if (rand() == 3) return 2;")
    assert differing(text) == []


def test_leaving_because_the_threads_did_not_start_strands_nobody() -> None:
    text = (
        TWO_BARRIERS.replace(
            "static void *control_main(void *unused)\n{",
            """static int start(void);
static void *control_main(void *unused)
{
    int failed = start();
    if (failed)
        return unused;""",
        )
        .replace(
            "int main(void)\n{\n    pthread_t control, workers[WORKERS];\n    int ids[WORKERS];",
            """static pthread_t workers[WORKERS];
static int ids[WORKERS];
static int start(void)
{
    for (int i = 0; i < WORKERS; i++) {
        ids[i] = i;
        pthread_create(&workers[i], NULL, worker_main, &ids[i]);
    }
    return getenv("REFUSE") ? 2 : 0;
}
int main(void)
{
    pthread_t control;""",
        )
        .replace(
            """    for (int i = 0; i < WORKERS; i++) {
        ids[i] = i;
        pthread_create(&workers[i], NULL, worker_main, &ids[i]);
    }
    pthread_join(control""",
            "    pthread_join(control",
        )
    )
    assert text.count("pthread_create(&workers[i]") == 1
    assert differing(text) == []
