"""Pieces of C programs for the tests of races, flags, segments and regions.

`crew(...)` makes a program of one worker function, a number of threads, and what main does between creation and join.
"""

from __future__ import annotations

HEAD = """\
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
"""


def crew(
    shared: str, body: str, *, workers: int = 3, before: str = "", during: str = "", after: str = "", extra: str = ""
) -> str:
    """A program: `shared` at file level, `body` the worker's (its number is `id`), main's parts around the join."""
    return f"""{HEAD}
#define WORKERS {workers}
{shared}
static void *work(void *argument)
{{
    int id = *(int *)argument;

{body}
    return NULL;
}}
{extra}
int main(void)
{{
    pthread_t threads[WORKERS];
    int ids[WORKERS];

    {before}
    for (int i = 0; i < WORKERS; i++) {{
        ids[i] = i;
        pthread_create(&threads[i], NULL, work, &ids[i]);
    }}
    {during}
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    {after}
    return 0;
}}
"""


def pair(shared: str, one: str, other: str, *, before: str = "", after: str = "") -> str:
    """A program of two threads, `one` and `other`."""
    return f"""{HEAD}
{shared}
static void *first(void *unused)
{{
    (void)unused;
{one}
    return NULL;
}}

static void *second(void *unused)
{{
    (void)unused;
{other}
    return NULL;
}}

int main(void)
{{
    pthread_t a, b;

    {before}
    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, second, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    {after}
    return 0;
}}
"""
