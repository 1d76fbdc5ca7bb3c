"""CR002: polled plain variables, and what is no polling."""

from __future__ import annotations

import pytest

from tests.audit.auditing import found
from tests.audit.rules.memory_programs import HEAD, crew, pair

LOCK = "static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;"

POLLED = {
    "stop flag": crew(
        "static volatile bool stop;", "    while (!stop)\n        usleep(100 + id);", during="stop = true;"
    ),
    "tested in the body": crew(
        "static int stop;",
        '    for (;;) {\n        if (stop == 1)\n            break;\n        printf("%d", id);\n    }',
        during="stop = 1;",
    ),
    "behind a function": crew(
        "static struct { int stop; } state;\nstatic int stopped(void) { return state.stop; }",
        "    while (!stopped())\n        usleep(100 + id);",
        during="state.stop = 1;",
    ),
    "behind a macro": crew(
        "static struct { int stop; } state;\n#define STOPPED (state.stop != 0)",
        "    while (!STOPPED)\n        usleep(100 + id);",
        during="state.stop = 1;",
    ),
    "waiting for a count": crew(
        f"{LOCK}\nstatic int arrived;",
        "    pthread_mutex_lock(&guard);\n    arrived += id > -1;\n    pthread_mutex_unlock(&guard);",
        during="while (arrived < WORKERS)\n        usleep(100);",
    ),
}

NOT_POLLED = {
    "atomic": crew("static atomic_bool stop;", "    while (!stop)\n        usleep(100 + id);", during="stop = true;"),
    "under the lock": crew(
        f"{LOCK}\nstatic bool stop;\nstatic bool stopped(void)\n{{\n    pthread_mutex_lock(&guard);\n"
        "    bool is = stop;\n    pthread_mutex_unlock(&guard);\n    return is;\n}",
        "    while (!stopped())\n        usleep(100 + id);",
        during="pthread_mutex_lock(&guard);\n    stop = true;\n    pthread_mutex_unlock(&guard);",
    ),
    "an order behind a barrier": crew(
        "static pthread_barrier_t gate;\nstatic int order;",
        "    for (;;) {\n        pthread_barrier_wait(&gate);\n        if (order == 0)\n            break;\n"
        '        printf("%d", id);\n        pthread_barrier_wait(&gate);\n    }',
        before="pthread_barrier_init(&gate, NULL, WORKERS + 1);\n    order = 1;",
        during="pthread_barrier_wait(&gate);\n    pthread_barrier_wait(&gate);\n    order = 0;\n"
        "    pthread_barrier_wait(&gate);",
        after="pthread_barrier_destroy(&gate);",
    ),
    "a limit set before": crew(
        "static int limit;", '    for (int i = 0; i < limit; i++)\n        printf("%d", id);', before="limit = 3;"
    ),
    "signal handler": f"""{HEAD}
#include <signal.h>
static volatile sig_atomic_t interrupted;
static void on_interrupt(int number) {{ (void)number; interrupted = 1; }}

int main(void)
{{
    signal(SIGINT, on_interrupt);
    while (!interrupted)
        pause();
    return 0;
}}
""",
}


@pytest.mark.parametrize("name", POLLED)
def test_polled_flags_are_found(name: str) -> None:
    """One finding, of this rule alone."""
    assert [one.code for one in found(POLLED[name], "CR001", "CR002")] == ["CR002"]


@pytest.mark.parametrize("name", NOT_POLLED)
def test_what_is_no_polled_flag(name: str) -> None:
    """Nothing."""
    assert found(NOT_POLLED[name], "CR001", "CR002") == []


def test_the_data_behind_a_polled_flag_is_not_reported_twice() -> None:
    """The flag is the defect; its data goes with it."""
    text = pair(
        "static int ready;\nstatic int answer;",
        "    answer = 42;\n    ready = 1;",
        '    while (!ready)\n        sched_yield();\n    printf("%d", answer);',
    )
    assert [one.subject for one in found(text, "CR001", "CR002")] == ["ready"]
