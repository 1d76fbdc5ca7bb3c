"""Small programs with barriers for the tests: a crew of workers, a control, and the pieces that the tests change."""

from __future__ import annotations

HEAD = """
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#define WORKERS 4
#define ROUNDS 5
"""


def crew(
    worker: str,
    control: str = "",
    *,
    count: str = "WORKERS + 1",
    shared: str = "static bool stop;",
    init: str = "",
    create: str = "",
) -> str:
    """Workers that run `worker` (their number is `id`), the calling thread runs `control`, and one barrier `gate`."""
    init = init or f"pthread_barrier_init(&gate, NULL, {count});"
    return f"""{HEAD}
static pthread_barrier_t gate;
static int results[WORKERS];
{shared}
static void *worker_main(void *argument)
{{
    int id = *(int *)argument;
    {worker}
    return NULL;
}}
int main(void)
{{
    pthread_t threads[WORKERS];
    int ids[WORKERS];
    {init}
    for (int i = 0; i < WORKERS; i++) {{
        ids[i] = i;
        {create}
        pthread_create(&threads[i], NULL, worker_main, &ids[i]);
    }}
    {control}
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&gate);
    return results[0];
}}
"""


TWO_WAITS = """for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&gate);
        results[id] += round;
        pthread_barrier_wait(&gate);
    }"""

CONTROL = """for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&gate);
        pthread_barrier_wait(&gate);
    }"""

UNTIL_STOP = """for (;;) {
        pthread_barrier_wait(&gate);
        if (stop)
            break;
        results[id]++;
        pthread_barrier_wait(&gate);
    }"""

AND_STOP = CONTROL + "\n    stop = true;\n    pthread_barrier_wait(&gate);"
