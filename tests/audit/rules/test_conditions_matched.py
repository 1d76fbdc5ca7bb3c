"""CW001, CW004, CW005: conditions that lack one side, or both."""

import pytest

from tests.audit.auditing import found
from tests.audit.rules.lock_programs import BARE, OPEN, line_of, program

DECLARED = """static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static int x, y;
struct timespec *soon(void);"""
WAIT = "pthread_mutex_lock(&m); while (!x) pthread_cond_wait(&c, &m); y++; pthread_mutex_unlock(&m);"
TIMED = WAIT.replace("pthread_cond_wait(&c, &m);", "if (pthread_cond_timedwait(&c, &m, soon())) break;")
COUNT = "pthread_mutex_lock(&m); y++; pthread_mutex_unlock(&m);"
CODES = ("CW001", "CW004", "CW005")


def text_of(worker: str, between: str = "", declarations: str = "") -> str:
    return program(worker, between=between, declarations=DECLARED + declarations, shared=BARE)


@pytest.mark.parametrize(
    ("worker", "between", "expected"),
    [
        (COUNT, "", ["CW001"]),
        (COUNT, OPEN, ["CW004"]),
        (WAIT, "", ["CW005"]),
        (WAIT, OPEN, []),
        (TIMED, "", []),
        (TIMED, OPEN, []),
    ],
)
def test_both_sides_are_needed(worker: str, between: str, expected: list[str]) -> None:
    assert [finding.code for finding in found(text_of(worker, between), *CODES)] == expected


def test_a_signal_in_code_that_nothing_reaches_does_not_count_and_is_shown() -> None:
    text = text_of(WAIT, declarations="\nstatic void unused(void)\n{\n    pthread_cond_signal(&c);\n}")
    (finding,) = found(text, *CODES)
    assert finding.code == "CW005"
    assert line_of(text, "pthread_cond_signal") in {note.site.line for note in finding.notes}


def test_a_wait_in_code_that_nothing_reaches_does_not_count_and_is_shown() -> None:
    text = text_of(COUNT, OPEN, "\nstatic void unused(void)\n{\n    pthread_cond_wait(&c, &m);\n}")
    (finding,) = found(text, *CODES)
    assert finding.code == "CW004"
    assert line_of(text, "pthread_cond_wait") in {note.site.line for note in finding.notes}


def test_a_condition_given_to_foreign_code_is_left_alone() -> None:
    declarations = "\nvoid watch(pthread_cond_t *);"
    assert found(text_of(COUNT, "watch(&c);", declarations), *CODES) == []


def test_wrappers_of_wait_and_signal_count() -> None:
    declarations = """
static void await(pthread_cond_t *what, pthread_mutex_t *with) { pthread_cond_wait(what, with); }
static void tell(pthread_cond_t *what) { pthread_cond_signal(what); }"""
    worker = "pthread_mutex_lock(&m); while (!x) await(&c, &m); pthread_mutex_unlock(&m);"
    between = "pthread_mutex_lock(&m); x = 1; tell(&c); pthread_mutex_unlock(&m);"
    assert found(text_of(worker, between, declarations), *CODES) == []
