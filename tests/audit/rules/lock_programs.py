"""Small threaded C programs for the tests of the rules about locks, conditions, semaphores and lifetimes.

Rules of this file: `program` makes a main function that starts a few workers and joins them; what a test is about is
given as C text. The shared declarations hold two locks, a condition and two counters.
"""

from __future__ import annotations

from tests.audit.auditing import found

OURS = ("CL", "CW", "CP", "CD")
SHARED = """
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t k = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int x, y;
int chance(int);
"""
BARE = """
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
"""
JOIN = "for (int i = 0; i < 3; i++)\n        pthread_join(threads[i], NULL);"
OPEN = "pthread_mutex_lock(&m); x = 1; pthread_cond_broadcast(&c); pthread_mutex_unlock(&m);"


def program(
    worker: str,
    *,
    declarations: str = "",
    before: str = "",
    between: str = "",
    after: str = "",
    argument: str = "NULL",
    shared: str = SHARED,
    join: str = JOIN,
) -> str:
    """Three threads run `worker`; main does `before`, creates them, does `between`, joins them, does `after`."""
    return f"""{shared}
{declarations}
static void *worker(void *argument)
{{
    {worker}
    return NULL;
}}

int main(void)
{{
    pthread_t threads[3];

    {before}
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, worker, {argument});
    {between}
    {join}
    {after}
    return 0;
}}
"""


def two_roles(one: str, other: str, *, declarations: str = "", before: str = "", after: str = "") -> str:
    """One thread runs `one`, another runs `other`."""
    return f"""{SHARED}
{declarations}
static void *first(void *argument)
{{
    {one}
    return argument;
}}

static void *second(void *argument)
{{
    {other}
    return argument;
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


def codes(text: str, *ignored: str) -> list[str]:
    """The codes of these rules' findings, without those of objects that a snippet happens not to use."""
    unused = {"CL001", "CW001", "CP001", *ignored}
    return sorted({one.code for one in found(text) if one.code[:2] in OURS and one.code not in unused})


def line_of(text: str, part: str) -> int:
    """The first line that holds a text, counted from 1."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)
