"""CB004: a wait that nobody can match."""

from tests.audit.auditing import found
from tests.audit.rules.barrier_programs import CONTROL, TWO_WAITS, crew


def test_never_initialised() -> None:
    [one] = found(crew(TWO_WAITS, CONTROL, init="(void)ids;"), "CB002", "CB004")
    assert one.code == "CB004"
    assert "nobody initialises" in one.message


def test_initialised_in_code_that_nothing_reaches() -> None:
    shared = "void set_up(void); void set_up(void) { pthread_barrier_init(&gate, NULL, WORKERS + 1); }"
    [one] = found(crew(TWO_WAITS, CONTROL, init="(void)ids;", shared=shared), "CB004")
    assert any("set_up" in note.text for note in one.notes)


def test_a_barrier_of_another_part_of_the_program() -> None:
    text = crew(TWO_WAITS, CONTROL, init="(void)ids;").replace(
        "static pthread_barrier_t gate;", "extern pthread_barrier_t gate;"
    )
    assert found(text, "CB004") == []


def test_a_library_is_given_its_barrier() -> None:
    text = """
#include <pthread.h>
void cross(pthread_barrier_t *barrier);
void cross(pthread_barrier_t *barrier) { pthread_barrier_wait(barrier); }
"""
    assert found(text, "CB001", "CB002", "CB003", "CB004") == []


def test_one_single_thread_waits() -> None:
    [one] = found(crew("results[id]++;", "pthread_barrier_wait(&gate);"), "CB002", "CB004")
    assert one.code == "CB004"
    assert "only main ever waits" in one.message


def test_a_barrier_for_one_is_no_defect() -> None:
    assert found(crew("results[id]++;", "pthread_barrier_wait(&gate);", count="1"), "CB002", "CB004") == []
