"""CT005: threads that are only parked."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.thread_programs import crew

CALLER = """pthread_create(&thread, NULL, thread_main, NULL);
    result = 1;
    atomic_store(&over, 1);
    sem_post(&end);
    pthread_join(thread, NULL);"""
SHARED = """static sem_t end; static atomic_int over; static pthread_barrier_t gate; static int samples[8];
static int sample(int i) { samples[i] = i; return i; }"""


@pytest.mark.parametrize(
    "thread",
    [
        "sem_wait(&end);",
        "while (!atomic_load(&over)) usleep(1000);",
        "while (!atomic_load(&over)) { }",
        "struct timespec rest = {0, 1}; while (!atomic_load(&over)) { rest.tv_nsec = 2; nanosleep(&rest, NULL); }",
        "for (int i = 0; i < 3; i++) sem_wait(&end);",
    ],
)
def test_only_parked(thread: str) -> None:
    [one] = found(crew(thread, CALLER, SHARED), "CT005")
    assert one.subject == "thread_main"


@pytest.mark.parametrize(
    "thread",
    [
        "result++;",
        "sem_wait(&end); result++;",
        'while (!atomic_load(&over)) { printf(".\\n"); usleep(1000); }',
        "while (!atomic_load(&over)) { usleep(1000); sem_post(&end); }",
        "while (!atomic_load(&over)) { sample(2); usleep(1000); }",
        "int *out = argument; while (!atomic_load(&over)) usleep(1000); *out = 3;",
        "sem_wait(&end); int *made = malloc(8); return made;",
        "sem_wait(&end); fflush(stdout);",
    ],
)
def test_threads_that_do_something(thread: str) -> None:
    assert found(crew(thread, CALLER, SHARED), "CT005") == []


def test_a_thread_without_anything_is_not_parked() -> None:
    assert found(crew("(void)result;", CALLER, SHARED), "CT005") == []
