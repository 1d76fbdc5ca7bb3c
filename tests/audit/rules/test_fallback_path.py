"""CT006: a second way to the work."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.thread_programs import HEAD

PROGRAM = (
    HEAD
    + """
static float values[400], expected[400];
struct part { int first, last; };
static void process_slice(float *out, int first, int last)
{
    for (int i = first; i < last; i++)
        out[i] = (float)i * 0.5f + (float)(i %% 7) / 3.0f - 1.0f;
}
static void *worker_main(void *argument)
{
    struct part *part = argument;
    process_slice(values, part->first, part->last);
    return NULL;
}
static bool run_threads(void)
{
    pthread_t threads[WORKERS];
    struct part parts[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        parts[i] = (struct part){i * 100, i * 100 + 100};
        if (pthread_create(&threads[i], NULL, worker_main, &parts[i]) != 0)
            return false;
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    return true;
}
static void run_plain(void) { process_slice(values, 0, 400); }
int main(int argc, char **argv)
{
    (void)argv;
    (void)run_plain;
    %s
    printf("%%f %%f\\n", values[3], expected[3]);
    return 0;
}
"""
)


def ways(body: str) -> list[str]:
    """The second ways to the work."""
    return [one.message for one in found(PROGRAM % body, "CT006", "CT004")]


@pytest.mark.parametrize(
    "body",
    [
        "if (argc > 1) run_threads(); else run_plain();",
        "if (!run_threads()) run_plain();",
        "bool done = run_threads(); if (!done) run_plain();",
        "for (int i = 0; i < 3; i++) { if (argc == 1) { run_plain(); continue; } run_threads(); }",
        "if (argc == 1) { run_plain(); return 0; } run_threads();",
    ],
)
def test_a_way_without_threads(body: str) -> None:
    [message] = ways(body)
    assert message.startswith("run_plain does the work of worker_main in the calling thread")


@pytest.mark.parametrize(
    "body",
    [
        "run_threads();",
        "process_slice(expected, 0, 400); run_threads();",
        "run_threads(); process_slice(expected, 0, 400);",
        "run_threads(); if (argc > 1) process_slice(expected, 0, 400);",
    ],
)
def test_one_way_only(body: str) -> None:
    assert ways(body) == []


TWO = (
    HEAD
    + """
static float values[400];
static void process_slice(int first, int last)
{
    for (int i = first; i < last; i++)
        values[i] = (float)i * 0.5f + (float)(i % 7) / 3.0f - 1.0f;
}
static void *row_main(void *argument) { int *row = argument; process_slice(*row, *row + 100); return NULL; }
static void *pair_main(void *argument) { int *row = argument; process_slice(*row, *row + 200); return NULL; }
static void by_rows(void)
{
    pthread_t threads[WORKERS];
    int rows[WORKERS];
    for (int i = 0; i < 4; i++) {
        rows[i] = i * 100;
        pthread_create(&threads[i], NULL, row_main, &rows[i]);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}
static void by_pairs(void)
{
    pthread_t threads[WORKERS];
    int rows[WORKERS];
    for (int i = 0; i < 2; i++) {
        rows[i] = i * 200;
        pthread_create(&threads[i], NULL, pair_main, &rows[i]);
    }
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}
int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        by_rows();
    else
        by_pairs();
    return values[3] > 0;
}
"""
)


def test_two_crews_for_one_job() -> None:
    assert [one.subject for one in found(TWO, "CT006")] == ["row_main, pair_main"]
    assert found(TWO.replace("else\n        by_pairs", "by_pairs"), "CT006") == []
