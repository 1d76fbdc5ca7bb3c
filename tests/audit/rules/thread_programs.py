"""Small programs with threads: a pool that sleeps on a condition, and a crew that is created and joined."""

from __future__ import annotations

HEAD = """
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#define WORKERS 4
#define ROUNDS 5
"""


def pool(
    stop: str, *, wait: str = "pthread_cond_wait(&pool->ready, &pool->lock);", leave: str = "", more: str = ""
) -> str:
    """A pool of threads that sleep until there are jobs or the pool stops; `stop` is how it is stopped."""
    return f"""{HEAD}
struct pool {{
    pthread_mutex_t lock;
    pthread_cond_t ready;
    int jobs;
    int done;
    bool stopping;
    pthread_t threads[WORKERS];
}};
static struct pool pool;
static void *pool_main(void *argument)
{{
    struct pool *pool = argument;
    pthread_mutex_lock(&pool->lock);
    for (;;) {{
        while (pool->jobs == 0 && !pool->stopping)
            {wait}
        if (pool->jobs == 0)
            break;
        pool->jobs--;
        pool->done++;
    }}
    {leave}
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}}
static void pool_add(struct pool *pool)
{{
    pthread_mutex_lock(&pool->lock);
    pool->jobs++;
    pthread_cond_signal(&pool->ready);
    pthread_mutex_unlock(&pool->lock);
}}
{more}
int main(void)
{{
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.ready, NULL);
    for (int i = 0; i < WORKERS; i++)
        pthread_create(&pool.threads[i], NULL, pool_main, &pool);
    for (int i = 0; i < 20; i++)
        pool_add(&pool);
    {stop}
    pthread_cond_destroy(&pool.ready);
    pthread_mutex_destroy(&pool.lock);
    return pool.done == 20 ? 0 : 1;
}}
"""


JOIN_ALL = "for (int i = 0; i < WORKERS; i++)\n        pthread_join(pool.threads[i], NULL);"


def locked(body: str) -> str:
    """Statements under the pool's lock, in the calling thread."""
    return f"pthread_mutex_lock(&pool.lock);\n    {body}\n    pthread_mutex_unlock(&pool.lock);\n    "


def crew(thread: str, caller: str, shared: str = "", variables: str = "pthread_t thread;") -> str:
    """A thread that runs `thread`, and the calling thread that runs `caller` (which creates it)."""
    return f"""{HEAD}
static int result;
{shared}
static void *thread_main(void *argument)
{{
    {thread}
    return argument;
}}
int main(void)
{{
    {variables}
    {caller}
    return result;
}}
"""
